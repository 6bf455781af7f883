//! What a site has defined that the agent's machine asks for.
//!
//! Invariant: the machine learns of definitions only through [`Policies`], so that it works with texts at the edge
//! and with keys in the folds.

use std::hash::Hash;

use crate::{
    definitions::Definitions,
    event::{AfterCallEnd, AfterCallOnContact, Channel, QueueDefinition},
    ids::{AgentId, Name, QueueId, ReasonCode},
    time::Micros,
};

/// How long a lost connection may take to come back before the agent counts as signed out (KPIS.md §2).
pub const LOST_GRACE: Micros = Micros(15 * Micros::MINUTE.0);

/// Voice conversations at once; the others follow the agent's definition.
pub const VOICE_SLOTS: u32 = 1;

/// How after-call work goes in one queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AfterCallPolicy {
    /// How it ends.
    pub end: AfterCallEnd,
    /// For [`AfterCallEnd::ByTimer`] (duration).
    pub timer: Micros,
    /// What a new contact does to it.
    pub on_contact: AfterCallOnContact,
}

impl Default for AfterCallPolicy {
    /// As for a queue that nobody has defined: the agent ends it, and so does a new contact.
    fn default() -> Self {
        Self { end: AfterCallEnd::ByAgent, timer: Micros::ZERO, on_contact: AfterCallOnContact::Ends }
    }
}

impl<N> QueueDefinition<N> {
    /// How after-call work goes in it.
    pub fn after_call(&self) -> AfterCallPolicy {
        AfterCallPolicy {
            end: self.after_call_end,
            timer: self.after_call_timer,
            on_contact: self.after_call_on_contact,
        }
    }
}

/// What the machine asks.
pub trait Policies<N> {
    /// After-call work of `queue` (none: the leg served no queue) as in force at `at`.
    fn after_call(&self, queue: Option<&QueueId<N>>, at: Micros) -> AfterCallPolicy;

    /// How many conversations of `channel` the agent may have at once at `at`.
    fn slots(&self, agent: &AgentId<N>, channel: Channel, at: Micros) -> u32;

    /// The reasons that the machine itself gives.
    fn reserved(&self) -> &ReservedReasons<N>;

    /// How long a lost connection may take to come back (duration).
    fn lost_grace(&self) -> Micros {
        LOST_GRACE
    }
}

/// The reasons for being away that the machine itself gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReservedReasons<N = Name> {
    /// Just signed in, and neither ready nor away yet: `signed_in`.
    pub signed_in: ReasonCode<N>,
    /// A ring with no answer: `rona`.
    pub rona: ReasonCode<N>,
}

impl<N> ReservedReasons<N> {
    /// With `name` making a name of each code's text.
    pub fn named(mut name: impl FnMut(&'static str) -> N) -> Self {
        Self { signed_in: ReasonCode(name("signed_in")), rona: ReasonCode(name("rona")) }
    }
}

impl Default for ReservedReasons<Name> {
    fn default() -> Self {
        Self::named(Name::fixed)
    }
}

/// [`Policies`] by a site's [`Definitions`].
#[derive(Clone, Copy, Debug)]
pub struct SitePolicies<'a, N> {
    /// What is defined.
    pub definitions: &'a Definitions<N>,
    /// The machine's own reasons.
    pub reserved: &'a ReservedReasons<N>,
}

impl<N: Hash + Eq + Clone> Policies<N> for SitePolicies<'_, N> {
    fn after_call(&self, queue: Option<&QueueId<N>>, at: Micros) -> AfterCallPolicy {
        let defined = queue.and_then(|queue| self.definitions.queue_defined_at(queue, at));
        defined.map(QueueDefinition::after_call).unwrap_or_default()
    }

    fn slots(&self, agent: &AgentId<N>, channel: Channel, at: Micros) -> u32 {
        match channel {
            Channel::Voice => VOICE_SLOTS,
            Channel::Chat | Channel::Email | Channel::Messaging => self.definitions.chat_slots_at(agent, at),
        }
    }

    fn reserved(&self) -> &ReservedReasons<N> {
        self.reserved
    }
}
