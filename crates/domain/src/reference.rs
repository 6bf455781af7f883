//! Reference data of queues, reasons, agents and teams.
//!
//! What is in force when is said by [`crate::definitions`]. Invariant: a definition says all of its thing, from its instant on.

use serde::{Deserialize, Serialize};

use crate::{
    coded::coded,
    ids::{AgentId, Name, QueueId, ReasonCode, TeamId},
    time::Micros,
};

coded! {
    /// How after-call work ends (queue policy).
    AfterCallEnd {
        /// When the agent says so.
        ByAgent = 1 "by_agent",
        /// After a time.
        ByTimer = 2 "by_timer",
        /// There is none.
        None = 3 "none",
    }
}

coded! {
    /// What a new contact does to after-call work (queue policy).
    AfterCallOnContact {
        /// Ends it.
        Ends = 1 "ends",
        /// Suspends it.
        Suspends = 2 "suspends",
    }
}

/// Reference data of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDefinition<N = Name> {
    /// The queue.
    pub queue: QueueId<N>,
    /// For people.
    pub label: Option<N>,
    /// Its own service level threshold t (duration); none: the formula's.
    pub threshold: Option<Micros>,
    /// Its own longest short abandoned wait (duration); none: the formula's.
    pub short: Option<Micros>,
    /// Its own three rings (duration); none: the formula's.
    pub rings: Option<Micros>,
    /// How after-call work ends.
    pub after_call_end: AfterCallEnd,
    /// For [`AfterCallEnd::ByTimer`] (duration).
    pub after_call_timer: Micros,
    /// What a new contact does to it.
    pub after_call_on_contact: AfterCallOnContact,
    /// In force from.
    pub valid_from: Micros,
}

impl<N> QueueDefinition<N> {
    /// What holds for a queue that nobody has defined: no thresholds of its own, after-call work ended by the agent, and
    /// by a new contact.
    pub fn default_for(queue: QueueId<N>) -> Self {
        Self {
            queue,
            label: None,
            threshold: None,
            short: None,
            rings: None,
            after_call_end: AfterCallEnd::ByAgent,
            after_call_timer: Micros::ZERO,
            after_call_on_contact: AfterCallOnContact::Ends,
            valid_from: Micros::ZERO,
        }
    }

    /// Whether it has a timer where it needs one, and only there; else in words what is wrong, after the timer's name.
    pub fn check_timer(&self) -> Result<(), &'static str> {
        if (self.after_call_end == AfterCallEnd::ByTimer) == (self.after_call_timer > Micros::ZERO) {
            return Ok(());
        }
        Err("belongs to after-call work that ends by_timer, and to nothing else: say both or neither")
    }
}

/// Reference data of a reason for being away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonDefinition<N = Name> {
    /// The code.
    pub reason: ReasonCode<N>,
    /// For people.
    pub label: Option<N>,
    /// Productive time.
    pub productive: bool,
    /// Paid time.
    pub paid: bool,
    /// Longest absence (duration); none: no limit.
    pub longest: Option<Micros>,
    /// In force from.
    pub valid_from: Micros,
}

/// Reference data of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentDefinition<N = Name> {
    /// The agent.
    pub agent: AgentId<N>,
    /// The team.
    pub team: Option<TeamId<N>>,
    /// Chats at once; 0 stands for 1.
    pub chat_slots: u32,
    /// In force from.
    pub valid_from: Micros,
}

/// The most chats at once that an agent can be defined with.
pub const CHAT_SLOTS_MAX: u32 = 100;

/// Whether an agent can be defined with so many chats at once; else in words what is wrong, after their name.
pub fn check_chat_slots(slots: u32) -> Result<(), String> {
    if (1..=CHAT_SLOTS_MAX).contains(&slots) {
        return Ok(());
    }
    Err(format!("is {slots}; it is 1 to {CHAT_SLOTS_MAX}"))
}

impl<N> AgentDefinition<N> {
    /// How many chats the agent may hold at once; at least 1.
    pub fn slots(&self) -> u32 {
        self.chat_slots.max(1)
    }
}

/// Reference data of a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamDefinition<N = Name> {
    /// The team.
    pub team: TeamId<N>,
    /// For people.
    pub label: Option<N>,
    /// In force from.
    pub valid_from: Micros,
}
