//! Why a fact about an agent was not expected.
//!
//! Not an error: the fact is kept and the state has changed in the sanest way. Marks are derived by whoever folds,
//! never stored, since a late fact can make them or clear them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What was not expected about a fact; displays as a plain sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Anomaly {
    /// A leg ended as an offer that nobody had reported.
    OfferMissing,
    /// A leg went on as if it had been answered.
    AnswerMissing,
    /// After-call work with the conversation still going on.
    EndMissing,
    /// Something about a leg that nobody had reported.
    LegUnknown,
    /// A step that comes before the one that the leg has reached.
    StepTooLate,
    /// The leg was in conversation already.
    AnsweredAlready,
    /// The leg was over.
    EndedAlready,
    /// The leg was over in another way.
    EndedOtherwise,
    /// The end of the leg had not announced after-call work.
    AfterCallUnexpected,
    /// The queue has no after-call work.
    AfterCallNotAllowed,
    /// More conversations at once than the agent has slots.
    SlotsExceeded,
    /// A second sign-in.
    SignedInAlready,
    /// Something that needs a session.
    NotSignedIn,
    /// A sign-out with a contact open.
    SignedOutInContact,
    /// The connection had not been lost.
    ConnectionNotLost,
}

impl Anomaly {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::OfferMissing,
        Self::AnswerMissing,
        Self::EndMissing,
        Self::LegUnknown,
        Self::StepTooLate,
        Self::AnsweredAlready,
        Self::EndedAlready,
        Self::EndedOtherwise,
        Self::AfterCallUnexpected,
        Self::AfterCallNotAllowed,
        Self::SlotsExceeded,
        Self::SignedInAlready,
        Self::NotSignedIn,
        Self::SignedOutInContact,
        Self::ConnectionNotLost,
    ];

    /// The sentence.
    pub const fn text(self) -> &'static str {
        match self {
            Self::OfferMissing => "the leg had never been offered",
            Self::AnswerMissing => "the leg had never been answered",
            Self::EndMissing => "the conversation had not ended",
            Self::LegUnknown => "no such leg had been reported",
            Self::StepTooLate => "the leg was already further on",
            Self::AnsweredAlready => "the leg had been answered already",
            Self::EndedAlready => "the leg was already over",
            Self::EndedOtherwise => "the leg had already ended in another way",
            Self::AfterCallUnexpected => "the leg's end had not announced after-call work",
            Self::AfterCallNotAllowed => "the queue has no after-call work",
            Self::SlotsExceeded => "more conversations at once than the agent has slots",
            Self::SignedInAlready => "the agent was signed in already",
            Self::NotSignedIn => "the agent was not signed in",
            Self::SignedOutInContact => "the agent signed out with a contact open",
            Self::ConnectionNotLost => "the connection had not been lost",
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
