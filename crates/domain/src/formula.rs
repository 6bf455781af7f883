//! The versioned formula: what KPIS.md leaves to a site, with its default.
//!
//! Parameters that folds ask ([`Rules`]) and which variant a KPI's plain column stands for ([`Forms`]). Not the
//! formulas themselves: those are the figures' crate's. Invariant: a version's number means one content for ever, and
//! number 1 is the built-in law.

use serde::{Deserialize, Serialize};

use crate::{coded::coded, ids::Name, time::Micros};

/// The built-in version: KPIS.md as it stands.
pub const FORMULA_BUILT_IN: u8 = 1;
/// The longest window of a formula (duration): what is over for longer may be forgotten with closed history.
pub const FORMULA_WINDOW_MAX: Micros = Micros(35 * 24 * Micros::HOUR.0);

coded! {
    /// Whose coming again is a repeat (KPIS.md §5).
    Identity {
        /// The same customer, whatever about.
        Customer = 1 "customer",
        /// The same customer about the same topic; an unknown topic may be the same.
        CustomerAndTopic = 2 "customer_and_topic",
    }
}

coded! {
    /// Which contacts are repeats (KPIS.md §5).
    Repeats {
        /// Answered ones.
        Answered = 1 "answered",
        /// Any, from their start.
        Any = 2 "any",
    }
}

coded! {
    /// What passing a contact on to another queue means for first-contact resolution (KPIS.md §5).
    TransferRule {
        /// It fails.
        Fails = 1 "fails",
        /// It does not.
        Allowed = 2 "allowed",
    }
}

coded! {
    /// What `aht` stands for.
    HandleTimeForm {
        /// Talk, hold and after-call work of a leg.
        Leg = 1 "leg",
        /// All legs of a contact.
        Journey = 2 "journey",
        /// Talk only.
        Talk = 3 "talk",
    }
}

coded! {
    /// What `abandon_rate` stands for.
    AbandonForm {
        /// Short abandons left out.
        WithoutShort = 1 "without_short",
        /// All of them.
        Raw = 2 "raw",
        /// Those that gave up before it rang.
        Waiting = 3 "waiting",
        /// Those that gave up while it rang.
        Ringing = 4 "ringing",
    }
}

coded! {
    /// What `service_level` stands for. With A answered within the threshold, N answered, B abandoned, b abandoned within,
    /// S abandoned short, F flowed out, E ended.
    ServiceLevelForm {
        /// Every visit at its own event, short abandons left out.
        Standard = 1 "standard",
        /// A / (E − b).
        IgnoreAbandons = 2 "ignore_abandons",
        /// (A + b) / E.
        AbandonsPositive = 3 "abandons_positive",
        /// A / E.
        AbandonsNegative = 4 "abandons_negative",
        /// A / N: configurable with − B.
        AnsweredOnly = 5 "answered_only",
        /// A / (N + B): configurable.
        AnsweredAndAbandoned = 6 "answered_and_abandoned",
        /// A / (N + B − S): configurable with − S.
        WithoutShort = 7 "without_short",
        /// A / (N + B + F): configurable with + F.
        WithFlowOut = 8 "with_flow_out",
        /// A / (N + B + F − S): configurable with + F − S.
        WithFlowOutWithoutShort = 9 "with_flow_out_without_short",
        /// A / (N + F): configurable with + F − B.
        WithFlowOutWithoutAbandoned = 10 "with_flow_out_without_abandoned",
    }
}

coded! {
    /// What `occupancy` stands for.
    OccupancyForm {
        /// The agent's clock: occupied or not.
        Clock = 1 "clock",
    }
}

coded! {
    /// What `fcr_rate` and `fcr_final_share` stand for.
    ResolutionForm {
        /// Issues: tickets and wrap-up codes.
        Issue = 1 "issue",
        /// The repeat-contact form.
        Repeat = 2 "repeat",
    }
}

/// What folds ask of a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// The service level's threshold t of queues that have none of their own.
    pub threshold: Micros,
    /// An abandoned wait up to this is short, likewise.
    pub short: Micros,
    /// Three rings, likewise.
    pub rings: Micros,
    /// A talk up to this is short.
    pub short_handle: Micros,
    /// An earlier contact within this makes the next one no first attempt.
    pub attempt_window: Micros,
    /// W: for so long a resolution must hold.
    pub fcr_window: Micros,
    /// Whose coming again is a repeat.
    pub fcr_identity: Identity,
    /// Which contacts are.
    pub fcr_repeats: Repeats,
    /// What a transfer to another queue means.
    pub fcr_transfer: TransferRule,
    /// W of the repeat-contact form.
    pub repeat_window: Micros,
}

impl Default for Rules {
    fn default() -> Self {
        let week = Micros(7 * 24 * Micros::HOUR.0);
        Self {
            threshold: Micros::from_secs(20),
            short: Micros::from_secs(5),
            rings: Micros::from_secs(15),
            short_handle: Micros::from_secs(10),
            attempt_window: Micros(30 * Micros::MINUTE.0),
            fcr_window: week,
            fcr_identity: Identity::CustomerAndTopic,
            fcr_repeats: Repeats::Answered,
            fcr_transfer: TransferRule::Fails,
            repeat_window: week,
        }
    }
}

impl Rules {
    /// Each duration, with its name.
    pub fn lengths(&self) -> [(&'static str, Micros); 7] {
        [
            ("threshold", self.threshold),
            ("short", self.short),
            ("rings", self.rings),
            ("short_handle", self.short_handle),
            ("attempt_window", self.attempt_window),
            ("fcr_window", self.fcr_window),
            ("repeat_window", self.repeat_window),
        ]
    }
}

/// Which variant a KPI's plain column stands for. Every variant has a column of its own too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forms {
    /// `aht`.
    pub aht: HandleTimeForm,
    /// `abandon_rate`.
    pub abandon_rate: AbandonForm,
    /// `service_level`.
    pub service_level: ServiceLevelForm,
    /// `occupancy`.
    pub occupancy: OccupancyForm,
    /// `fcr_rate`, `fcr_final_share`.
    pub fcr: ResolutionForm,
}

impl Default for Forms {
    fn default() -> Self {
        Self {
            aht: HandleTimeForm::Leg,
            abandon_rate: AbandonForm::WithoutShort,
            service_level: ServiceLevelForm::Standard,
            occupancy: OccupancyForm::Clock,
            fcr: ResolutionForm::Issue,
        }
    }
}

/// A formula version and from when on it is in force. The same number may come into force again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormulaDefinition<N = Name> {
    /// Its number, at least 1; [`FORMULA_BUILT_IN`] has the default content.
    pub number: u8,
    /// For people.
    pub name: Option<N>,
    /// Why it was made, for people.
    pub notes: Option<N>,
    /// What folds ask.
    pub rules: Rules,
    /// What plain columns stand for.
    pub forms: Forms,
    /// In force from.
    pub valid_from: Micros,
}

impl<N> FormulaDefinition<N> {
    /// The built-in version, in force from ever.
    pub fn built_in() -> Self {
        Self {
            number: FORMULA_BUILT_IN,
            name: None,
            notes: None,
            rules: Rules::default(),
            forms: Forms::default(),
            valid_from: Micros(i64::MIN),
        }
    }

    /// What is said by a word, with its name: of the rules, then of the forms.
    pub fn words(&self) -> [(&'static str, &'static str); 8] {
        let (rules, forms) = (&self.rules, &self.forms);
        [
            ("fcr_identity", rules.fcr_identity.word()),
            ("fcr_repeats", rules.fcr_repeats.word()),
            ("fcr_transfer", rules.fcr_transfer.word()),
            ("aht", forms.aht.word()),
            ("abandon_rate", forms.abandon_rate.word()),
            ("service_level", forms.service_level.word()),
            ("occupancy", forms.occupancy.word()),
            ("fcr", forms.fcr.word()),
        ]
    }

    /// Whether another definition of the number says the same.
    pub fn same_content<M>(&self, other: &FormulaDefinition<M>) -> bool {
        (self.number, &self.rules, &self.forms) == (other.number, &other.rules, &other.forms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_version_is_kpis_md() {
        let built_in = FormulaDefinition::<Name>::built_in();
        assert_eq!((built_in.number, built_in.valid_from), (1, Micros(i64::MIN)));
        let rules = built_in.rules;
        let seconds =
            [rules.threshold, rules.short, rules.rings, rules.short_handle].map(|at| at.0 / 1_000_000);
        assert_eq!(seconds, [20, 5, 15, 10]);
        assert_eq!(
            (rules.attempt_window.0 / Micros::MINUTE.0, rules.fcr_window.0 / Micros::HOUR.0),
            (30, 168)
        );
        assert_eq!(rules.fcr_window, rules.repeat_window);
    }

    #[test]
    fn the_same_content_is_told_whatever_it_is_called_and_whenever_it_begins() {
        let one = FormulaDefinition::<Name>::built_in();
        let again =
            FormulaDefinition { name: Some(Name::fixed("back")), valid_from: Micros(5), ..one.clone() };
        assert!(one.same_content(&again));
        let mut other = again;
        other.rules.short = Micros::from_secs(3);
        assert!(!one.same_content(&other));
    }
}
