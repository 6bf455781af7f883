//! One agent's part in a contact, and its steps.

use serde::{Deserialize, Serialize};

use super::{Channel, Direction, Party, TransferKind};
use crate::ids::{AgentId, ContactId, LegId, Name, QueueId, ReasonCode, VisitId};

/// One agent's part in one contact, as said by one fact. `agent` is none when nobody knows who it was. Queue,
/// channel and direction are said at least once in a leg's life, and may be left out afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegRef<N = Name> {
    /// The contact.
    pub contact: ContactId<N>,
    /// The leg.
    pub leg: LegId<N>,
    /// The agent.
    pub agent: Option<AgentId<N>>,
    /// The visit served.
    pub visit: Option<VisitId<N>>,
    /// The queue.
    pub queue: Option<QueueId<N>>,
    /// The medium.
    pub channel: Option<Channel>,
    /// The direction.
    pub direction: Option<Direction>,
}

/// A step of a leg. Who reports it is told by the stream's kind: softphones write agent streams, exchanges write
/// contact streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegStep<N = Name> {
    /// Assigned; may not ring yet.
    Offered,
    /// Rings.
    Ringing,
    /// Dials out.
    Dialing,
    /// Talks.
    Answered,
    /// Customer on hold.
    Held,
    /// Back from hold, consultation, conference or interruption.
    Retrieved,
    /// Consults.
    Consulting,
    /// In conference.
    Conferenced,
    /// Interrupted by another contact.
    Interrupted,
    /// Passed on; the leg ends by [`LegStep::Ended`].
    Transferred {
        /// Cold or warm.
        kind: TransferKind,
        /// Why.
        reason: Option<ReasonCode<N>>,
        /// To this queue.
        to_queue: Option<QueueId<N>>,
        /// To this agent.
        to_agent: Option<AgentId<N>>,
    },
    /// Ring no answer (RONA).
    Missed,
    /// Rejected.
    Rejected,
    /// The customer went while it rang.
    CustomerGone,
    /// Not connected.
    Failed,
    /// The conversation is over.
    Ended {
        /// Who ended it.
        by: Option<Party>,
        /// After-call work follows.
        after_call_expected: bool,
    },
    /// After-call work began.
    AfterCallStarted,
    /// After-call work is over.
    AfterCallEnded,
}
