//! Who is believed for which field of a leg, where a softphone and an exchange both report it: one of them is believed
//! for each field, the other corroborates.
//!
//! Reference data only; the KPI folds go by it. Invariant: a field has one who is believed, whatever is defined.

use serde::{Deserialize, Serialize};

use crate::{coded::coded, time::Micros};

coded! {
    /// A field of a leg's reports.
    LegField {
        /// That it was offered.
        Offered = 1 "offered",
        /// That it rings.
        Ringing = 2 "ringing",
        /// That it is being dialled.
        Dialing = 3 "dialing",
        /// Its answer.
        Answered = 4 "answered",
        /// Hold, consultation, conference, interruption, and the return from them.
        Held = 5 "held",
        /// That it was passed on.
        Transferred = 6 "transferred",
        /// How an offer or the conversation ended.
        Ended = 7 "ended",
        /// After-call work, and whether any follows.
        AfterCall = 8 "after_call",
    }
}

coded! {
    /// A class of sources.
    Reporter {
        /// Whoever writes agents' streams.
        Softphone = 1 "softphone",
        /// Whoever writes contacts' streams.
        Exchange = 2 "exchange",
    }
}

impl LegField {
    /// Who is believed where nothing is defined: the softphone for after-call work, the exchange for the rest.
    pub const fn believed_by_default(self) -> Reporter {
        match self {
            Self::AfterCall => Reporter::Softphone,
            _ => Reporter::Exchange,
        }
    }
}

/// Reference data: who is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorityDefinition {
    /// For these fields; for the others the default. Each field once.
    pub believed: Vec<(LegField, Reporter)>,
    /// In force from; the leg's earliest report decides.
    pub valid_from: Micros,
}

impl AuthorityDefinition {
    /// Who is believed for a field.
    pub fn believed(&self, field: LegField) -> Reporter {
        let said = self.believed.iter().find(|(own, _)| *own == field);
        said.map_or(field.believed_by_default(), |(_, reporter)| *reporter)
    }
}
