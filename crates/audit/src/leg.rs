//! One leg, as far as it keeps its agent busy: talking, after-call work, or not.
//!
//! Rings, holds and transfers are one to the auditor, and so are all ways to come to nothing. Invariant: a word about a
//! leg leads from each stage to exactly one stage.

use pegcount_domain::{
    authority::{LegField, Reporter},
    definitions::Definitions,
    event::LegStep,
    ids::Key,
    time::Micros,
};

/// What a report says, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Offered, ringing, dialling.
    Offer,
    /// Answered, held, retrieved and the like: there is a conversation.
    Talk,
    /// Missed, rejected, given up, failed.
    Nothing,
    /// The conversation is over; does work follow?
    Ended { into_work: bool },
    /// After-call work began.
    WorkBegan,
    /// After-call work is over.
    WorkDone,
    /// An assignment or a transfer: moves nothing.
    Beside,
}

/// The kinds of report of which each has one reporter who is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field(u16);

const ASSIGNED: Field = Field(1);
const WORK: Field = Field(2);
/// What a site can define who is believed for.
const DEFINED: [(LegField, Field); 8] = [
    (LegField::Offered, Field(4)),
    (LegField::Ringing, Field(8)),
    (LegField::Dialing, Field(16)),
    (LegField::Answered, Field(32)),
    (LegField::Held, Field(64)),
    (LegField::Transferred, Field(128)),
    (LegField::Ended, Field(256)),
    (LegField::AfterCall, WORK),
];

impl Field {
    /// An outbound task.
    pub(crate) const ASSIGNED: Self = ASSIGNED;

    /// Of a step.
    pub(crate) fn of(step: &LegStep<Key>) -> Self {
        match step {
            LegStep::Offered => Self(4),
            LegStep::Ringing => Self(8),
            LegStep::Dialing => Self(16),
            LegStep::Answered => Self(32),
            LegStep::Held
            | LegStep::Retrieved
            | LegStep::Consulting
            | LegStep::Conferenced
            | LegStep::Interrupted => Self(64),
            LegStep::Transferred { .. } => Self(128),
            LegStep::Missed
            | LegStep::Rejected
            | LegStep::CustomerGone
            | LegStep::Failed
            | LegStep::Ended { .. } => Self(256),
            LegStep::AfterCallStarted | LegStep::AfterCallEnded => WORK,
        }
    }
}

impl Word {
    /// Of a step.
    pub(crate) fn of(step: &LegStep<Key>) -> Self {
        match step {
            LegStep::Offered | LegStep::Ringing | LegStep::Dialing => Self::Offer,
            LegStep::Answered
            | LegStep::Held
            | LegStep::Retrieved
            | LegStep::Consulting
            | LegStep::Conferenced
            | LegStep::Interrupted => Self::Talk,
            LegStep::Transferred { .. } => Self::Beside,
            LegStep::Missed | LegStep::Rejected | LegStep::CustomerGone | LegStep::Failed => Self::Nothing,
            LegStep::Ended { after_call_expected, .. } => Self::Ended { into_work: *after_call_expected },
            LegStep::AfterCallStarted => Self::WorkBegan,
            LegStep::AfterCallEnded => Self::WorkDone,
        }
    }
}

/// Who has said what of a leg: the exchange is believed for all but after-call work, of which the softphone knows best,
/// unless the site has defined it otherwise; whoever is alone, or alone has said a thing, is believed (KPIS.md §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reporters {
    phone: u16,
    exchange: u16,
    /// The fields of which the softphone knows best.
    phone_knows_best: u16,
    /// The last words of the softphone and of the exchange on whether work follows the end.
    announced: [Option<bool>; 2],
}

impl Default for Reporters {
    fn default() -> Self {
        Self { phone: 0, exchange: 0, phone_knows_best: WORK.0, announced: [None; 2] }
    }
}

impl Reporters {
    /// Of a leg whose earliest report is of this instant.
    pub(crate) fn of_leg(definitions: &Definitions<Key>, earliest: Micros) -> Self {
        let Some(authority) = definitions.authority_at(earliest) else { return Self::default() };
        let phones = DEFINED.iter().filter(|(field, _)| authority.believed(*field) == Reporter::Softphone);
        Self { phone_knows_best: phones.fold(0, |bits, (_, field)| bits | field.0), ..Self::default() }
    }

    pub(crate) fn learn(&mut self, by_exchange: bool, field: Field, word: Word) {
        if by_exchange {
            self.exchange |= field.0;
        } else {
            self.phone |= field.0;
        }
        if let Word::Ended { into_work } = word {
            let [phone, exchange] = &mut self.announced;
            *(if by_exchange { exchange } else { phone }) = Some(into_work);
        }
    }

    /// The word, if it is believed.
    pub(crate) fn believed(self, by_exchange: bool, field: Field, word: Word) -> Option<Word> {
        let alone = self.phone == 0 || self.exchange == 0;
        let other_says = if by_exchange { self.phone } else { self.exchange } & field.0 != 0;
        let knows_best = by_exchange == (self.phone_knows_best & field.0 == 0);
        if !(alone || knows_best || !other_says) {
            return None;
        }
        let [phone, exchange] = self.announced;
        let announced = if self.phone_knows_best & WORK.0 == 0 { exchange } else { phone };
        Some(match word {
            Word::Ended { into_work } => Word::Ended { into_work: announced.unwrap_or(into_work) },
            other => other,
        })
    }
}

/// Where a leg stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing is known of it.
    #[default]
    Unknown,
    /// Offered, ringing, dialling.
    Offer,
    /// A conversation.
    Talk,
    /// After-call work.
    Work,
    /// After-call work that waits for a newer contact to be over.
    Parked,
    /// It came to nothing.
    Nothing,
    /// It is over after a conversation.
    Over,
}

impl Stage {
    /// Where a word leads.
    pub(crate) fn after(self, word: Word) -> Self {
        use Stage::{Nothing, Offer, Over, Parked, Talk, Unknown, Work};
        match (word, self) {
            (Word::Offer, Unknown | Offer | Nothing) => Offer,
            (Word::Talk, _) => Talk,
            (Word::Nothing, Unknown | Offer) => Nothing,
            (Word::Nothing | Word::Ended { into_work: false } | Word::WorkDone, Talk)
            | (Word::Ended { into_work: false } | Word::WorkDone, Unknown | Offer)
            | (Word::WorkDone, Work | Parked) => Over,
            (Word::Ended { into_work: true }, Unknown | Offer | Talk | Nothing) | (Word::WorkBegan, _) => {
                Work
            }
            (_, stage) => stage,
        }
    }

    /// Whether its agent is busy with it.
    pub(crate) fn is_busy(self) -> bool {
        matches!(self, Self::Talk | Self::Work)
    }

    /// Whether a sign-out or the like has something to end.
    pub(crate) fn goes_on(self) -> bool {
        matches!(self, Self::Offer | Self::Talk | Self::Work | Self::Parked)
    }

    /// How it stands once somebody has ended it.
    pub(crate) fn ended(self) -> Self {
        if self == Self::Offer { Self::Nothing } else { Self::Over }
    }
}

/// One leg of an agent while its facts are gone through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leg {
    pub(crate) mark: u64,
    pub(crate) queue: Option<Key>,
    pub(crate) reporters: Reporters,
    pub(crate) stage: Stage,
    pub(crate) since: Micros,
    /// After-call work done before it was parked.
    pub(crate) worked: Micros,
    /// After so much work a timer ends it.
    pub(crate) limit: Option<Micros>,
}

impl Leg {
    pub(crate) fn enter(&mut self, stage: Stage, at: Micros) {
        (self.stage, self.since) = (stage, at);
    }

    /// When the timer ends its work, if one does.
    pub(crate) fn due(&self) -> Option<Micros> {
        let limit = self.limit.filter(|_| self.stage == Stage::Work)?;
        Some(self.since.plus(limit.minus(self.worked)).max(self.since))
    }
}
