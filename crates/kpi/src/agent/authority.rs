//! Who is believed where a softphone and an exchange both report the same leg.
//!
//! Offers, answers, holds and ends: the exchange, if it reports that field of that leg at all. After-call work: the
//! softphone, if it reports any. A site may define it otherwise, field by field. So each field has one source, and the same
//! leg never counts twice; a report that is not believed and that no believed one confirms is marked ([`confirms`]).
//!
//! Invariant: the answer depends on the whole history of the leg, never on which report came first.

use pegcount_domain::{
    authority::{AuthorityDefinition, LegField, Reporter},
    time::Micros,
};

use serde::{Deserialize, Serialize};

use crate::{
    fact::{Step, Track},
    names::Id,
};

/// A field of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Field {
    Assigned,
    Offered,
    Ringing,
    Dialing,
    Answered,
    Held,
    Transferred,
    Ended,
    AfterCall,
}

const fn field(step: Step) -> Field {
    match step {
        Step::Assigned => Field::Assigned,
        Step::Offered => Field::Offered,
        Step::Ringing => Field::Ringing,
        Step::Dialing => Field::Dialing,
        Step::Answered => Field::Answered,
        Step::Held | Step::Retrieved | Step::Consulting | Step::Conferenced | Step::Interrupted => {
            Field::Held
        }
        Step::Transferred { .. } => Field::Transferred,
        Step::Missed | Step::Rejected | Step::CustomerGone | Step::Failed | Step::Ended { .. } => {
            Field::Ended
        }
        Step::AfterCallStarted | Step::AfterCallEnded => Field::AfterCall,
    }
}

/// For each field whether the softphone is believed first; a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beliefs(u16);

impl Default for Beliefs {
    fn default() -> Self {
        Self(1 << Field::AfterCall as u16)
    }
}

impl Beliefs {
    /// As a site has defined it.
    pub(crate) fn of(authority: &AuthorityDefinition) -> Self {
        let field = |field: LegField| match field {
            LegField::Offered => Field::Offered,
            LegField::Ringing => Field::Ringing,
            LegField::Dialing => Field::Dialing,
            LegField::Answered => Field::Answered,
            LegField::Held => Field::Held,
            LegField::Transferred => Field::Transferred,
            LegField::Ended => Field::Ended,
            LegField::AfterCall => Field::AfterCall,
        };
        let phones = LegField::ALL.iter().filter(|one| authority.believed(**one) == Reporter::Softphone);
        Self(phones.fold(0, |bits, one| bits | 1 << field(*one) as u16))
    }

    fn first(self, field: Field) -> Track {
        if self.0 & 1 << field as u16 == 0 { Track::Switch } else { Track::Phone }
    }
}

/// What each track has reported of one leg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reports {
    phone: u16,
    switch: u16,
    /// What the softphone and the exchange said of after-call work when they reported the end.
    announced: [Option<bool>; 2],
    beliefs: Beliefs,
}

impl Reports {
    /// Nothing reported yet.
    pub(crate) fn under(beliefs: Beliefs) -> Self {
        Self { beliefs, ..Self::default() }
    }

    /// Learns of one report.
    #[inline]
    pub(crate) fn learn(&mut self, step: Step, track: Track) {
        let bit = 1 << field(step) as u16;
        match track {
            Track::Phone => self.phone |= bit,
            Track::Switch => self.switch |= bit,
        }
        if let Step::Ended { after_call, .. } = step {
            let [phone, switch] = &mut self.announced;
            *(if track == Track::Phone { phone } else { switch }) = Some(after_call);
        }
    }

    /// Whether this report is believed.
    #[inline]
    pub(crate) fn believes(self, step: Step, track: Track) -> bool {
        if self.phone == 0 || self.switch == 0 {
            return true;
        }
        let field = field(step);
        let first = self.beliefs.first(field);
        let reported = if first == Track::Phone { self.phone } else { self.switch };
        track == first || reported & 1 << field as u16 == 0
    }

    /// Whether after-call work follows the end, of which the believed report said `said`.
    #[inline]
    pub(crate) fn after_call(self, said: bool) -> bool {
        let [phone, switch] = self.announced;
        let first = if self.beliefs.first(Field::AfterCall) == Track::Phone { phone } else { switch };
        first.unwrap_or(said)
    }
}

/// Two reports of the same step lie at most this far apart.
pub(crate) const REPORTS_APART_MAX: Micros = Micros::from_secs(2);

/// Whether two reports of one leg, by different tracks, say the same; what one of them leaves out is not contradicted.
pub(crate) fn confirms(one: (Micros, Step), other: (Micros, Step)) -> bool {
    let apart = one.0.minus(other.0).0.abs();
    apart <= REPORTS_APART_MAX.0
        && match (one.1, other.1) {
            (Step::Ended { by: one, .. }, Step::Ended { by: other, .. }) => {
                one.zip(other).is_none_or(|(one, other)| one == other)
            }
            (
                Step::Transferred { kind: one, to_queue: to_one, .. },
                Step::Transferred { kind: other, to_queue: to_other, .. },
            ) => one == other && (to_one == to_other || to_one == Id::NONE || to_other == Id::NONE),
            (one, other) => one == other,
        }
}
