//! Why a fact about a contact was not expected. Not an error: the fact is kept.

use crate::agent::Anomaly;

/// What was not expected about a fact; displays as a plain sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum ContactAnomaly {
    /// It had begun.
    #[error("the contact had started already")]
    StartedAlready,
    /// Its first fact was another.
    #[error("the contact had never been reported as started")]
    StartMissing,
    /// The visit had begun.
    #[error("the visit had been entered already")]
    EnteredAlready,
    /// The whole history has no entry; one is synthesised at the exit.
    #[error("the visit had never been entered; it counts as entered when it was left")]
    EntryMissing,
    /// The visit was over.
    #[error("the visit had been left already")]
    LeftAlready,
    /// One answer takes a contact out of all its queues but one.
    #[error("another visit of this contact had been answered while this one waited")]
    AnsweredTwice,
    /// It was over.
    #[error("the contact had ended already")]
    EndedAlready,
    /// Over with somebody still waiting or talking.
    #[error("the contact ended with a visit or a leg still open")]
    EndedOpen,
    /// Its leg says something that was not expected.
    #[error("{0}")]
    Leg(Anomaly),
}
