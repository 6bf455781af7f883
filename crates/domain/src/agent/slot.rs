//! One leg of an agent: the phases it goes through and the steps that are reported of it.
//!
//! Which step leads where is [`crate::agent::transition`]'s to say.
//!
//! Invariant: a phase is exactly one of offer, conversation, after-call work (going on or suspended), over.

use serde::{Deserialize, Serialize};

use crate::{
    event::{Channel, Direction, LegRef, LegStep},
    ids::{ContactId, LegId, QueueId},
    time::Micros,
};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// In words.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

words! {
    /// Where a leg stands.
    Phase {
        /// Assigned; may not ring yet.
        Offered = "offered",
        /// Rings.
        Ringing = "ringing",
        /// Dials out.
        Dialing = "dialing",
        /// In conversation.
        Talking = "talking",
        /// The customer is on hold.
        Held = "held",
        /// Consults while the customer waits.
        Consulting = "consulting",
        /// In conference.
        Conferenced = "conferenced",
        /// Interrupted by another contact.
        Interrupted = "interrupted",
        /// After-call work.
        AfterCall = "after-call work",
        /// After-call work that waits until a newer contact is over.
        Suspended = "suspended work",
        /// Ended: a ring with no answer.
        Missed = "missed",
        /// Ended: the agent rejected the offer.
        Rejected = "rejected",
        /// Ended: the customer went while it rang.
        CustomerGone = "customer gone",
        /// Ended: never connected.
        Failed = "failed",
        /// Ended after a conversation, or by hanging up while dialling.
        Ended = "ended",
    }
}

words! {
    /// What can happen to a leg: [`LegStep`] without its details.
    StepKind {
        /// Assigned.
        Offered = "offered",
        /// Rings.
        Ringing = "ringing",
        /// Dials out.
        Dialing = "dialing",
        /// Talks.
        Answered = "answered",
        /// On hold.
        Held = "held",
        /// Back in conversation.
        Retrieved = "retrieved",
        /// Consults.
        Consulting = "consulting",
        /// In conference.
        Conferenced = "conferenced",
        /// Interrupted.
        Interrupted = "interrupted",
        /// Passed on.
        Transferred = "transferred",
        /// Ring no answer.
        Missed = "missed",
        /// Rejected.
        Rejected = "rejected",
        /// The customer went while it rang.
        CustomerGone = "customer gone",
        /// Not connected.
        Failed = "failed",
        /// The conversation is over and no after-call work follows.
        Ended = "ended",
        /// The conversation is over and after-call work follows.
        EndedIntoWork = "ended, work follows",
        /// After-call work began.
        AfterCallStarted = "after-call work started",
        /// After-call work is over.
        AfterCallEnded = "after-call work ended",
    }
}

impl<N> From<&LegStep<N>> for StepKind {
    fn from(step: &LegStep<N>) -> Self {
        match step {
            LegStep::Offered => Self::Offered,
            LegStep::Ringing => Self::Ringing,
            LegStep::Dialing => Self::Dialing,
            LegStep::Answered => Self::Answered,
            LegStep::Held => Self::Held,
            LegStep::Retrieved => Self::Retrieved,
            LegStep::Consulting => Self::Consulting,
            LegStep::Conferenced => Self::Conferenced,
            LegStep::Interrupted => Self::Interrupted,
            LegStep::Transferred { .. } => Self::Transferred,
            LegStep::Missed => Self::Missed,
            LegStep::Rejected => Self::Rejected,
            LegStep::CustomerGone => Self::CustomerGone,
            LegStep::Failed => Self::Failed,
            LegStep::Ended { after_call_expected: false, .. } => Self::Ended,
            LegStep::Ended { after_call_expected: true, .. } => Self::EndedIntoWork,
            LegStep::AfterCallStarted => Self::AfterCallStarted,
            LegStep::AfterCallEnded => Self::AfterCallEnded,
        }
    }
}

impl Phase {
    /// Offered, ringing or dialing: not in contact yet.
    pub const fn is_offer(self) -> bool {
        matches!(self, Self::Offered | Self::Ringing | Self::Dialing)
    }

    /// In contact with the customer, on hold included.
    pub const fn is_conversation(self) -> bool {
        matches!(self, Self::Talking | Self::Held | Self::Consulting | Self::Conferenced | Self::Interrupted)
    }

    /// In contact or at after-call work: what `occupied_clock` counts (KPIS.md §3).
    pub const fn occupies(self) -> bool {
        self.is_conversation() || matches!(self, Self::AfterCall)
    }

    /// Offered, and not answered, now or for good.
    pub const fn is_unanswered(self) -> bool {
        self.is_offer() || matches!(self, Self::Missed | Self::Rejected | Self::CustomerGone | Self::Failed)
    }

    /// Over.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Missed | Self::Rejected | Self::CustomerGone | Self::Failed | Self::Ended)
    }
}

/// One leg of an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot<N> {
    /// The contact.
    pub contact: ContactId<N>,
    /// The leg.
    pub leg: LegId<N>,
    /// The queue served, once a fact has said it.
    pub queue: Option<QueueId<N>>,
    /// The medium, once a fact has said it.
    pub channel: Option<Channel>,
    /// The direction, once a fact has said it.
    pub direction: Option<Direction>,
    /// Where it stands.
    pub phase: Phase,
    /// Since when.
    pub since: Micros,
    /// After-call work done before it was suspended (duration).
    pub worked: Micros,
    /// How long after-call work may last altogether, if a timer ends it (duration).
    pub work_limit: Option<Micros>,
}

impl<N: Clone + Eq> Slot<N> {
    pub(super) fn new(leg: &LegRef<N>, phase: Phase, at: Micros) -> Self {
        Self {
            contact: leg.contact.clone(),
            leg: leg.leg.clone(),
            queue: leg.queue.clone(),
            channel: leg.channel,
            direction: leg.direction,
            phase,
            since: at,
            worked: Micros::ZERO,
            work_limit: None,
        }
    }

    pub(super) fn is(&self, leg: &LegRef<N>) -> bool {
        self.leg == leg.leg && self.contact == leg.contact
    }

    /// Later facts may say what the earlier ones left out.
    pub(super) fn learn(&mut self, leg: &LegRef<N>) {
        if leg.queue.is_some() {
            self.queue.clone_from(&leg.queue);
        }
        self.channel = leg.channel.or(self.channel);
        self.direction = leg.direction.or(self.direction);
    }

    pub(super) fn enter(&mut self, phase: Phase, at: Micros) {
        self.phase = phase;
        self.since = at;
    }

    /// When a timer ends the after-call work that is going on, if one does.
    pub fn work_due(&self) -> Option<Micros> {
        let limit = self.work_limit.filter(|_| self.phase == Phase::AfterCall)?;
        Some(self.since.plus(limit.minus(self.worked)).max(self.since))
    }
}
