//! What the core knows of agents, contacts and legs.

use std::{cmp::Reverse, collections::VecDeque};

use pegcount_domain::{
    event::{Channel, Direction, LegRef, Party, TransferKind},
    ids::{AgentId, ContactId, VisitId},
    time::Micros,
};

use crate::{
    draw::Dice,
    plan::{CHAT_SLOTS, ReasonPlan, TEAMS},
};

/// An absence: why and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Away {
    pub(super) reason: &'static ReasonPlan,
    pub(super) length: Micros,
}

/// Whether an agent takes contacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    SignedOut,
    Away,
    Ready,
}

/// What an agent does once free.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    /// Goes away; `told` if the softphone has said so already.
    Away {
        away: Away,
        told: bool,
    },
    SignOut,
}

#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub(super) id: AgentId,
    pub(super) team: usize,
    pub(super) standing: Standing,
    pub(super) next: Option<Next>,
    /// Open legs, those that ring or are assigned included.
    pub(super) legs: Vec<(u64, usize)>,
    pub(super) idle_since: Micros,
    /// Counts absences, so that a return belongs to one of them.
    pub(super) token: u32,
    /// How long the agent takes, compared to others.
    pub(super) pace: f64,
    pub(super) miss_rate: f64,
}

impl Agent {
    pub(super) fn new(id: AgentId, team: usize, now: Micros, dice: &mut Dice) -> Self {
        #[allow(clippy::cast_precision_loss, reason = "seconds")]
        let pace = dice.lognormal(1.0, 0.18).0 as f64 / 1e6;
        #[allow(clippy::cast_precision_loss, reason = "seconds")]
        let miss_rate = dice.between(0.004, 0.03).0 as f64 / 1e6;
        Self {
            id,
            team,
            standing: Standing::SignedOut,
            next: None,
            legs: Vec::new(),
            idle_since: now,
            token: 0,
            pace,
            miss_rate,
        }
    }

    pub(super) fn is_signed_in(&self) -> bool {
        self.standing != Standing::SignedOut
    }

    /// Whether the agent may be offered a contact of this channel now.
    pub(super) fn is_free_for(&self, channel: Channel) -> bool {
        let slots = if channel == Channel::Voice { 1 } else { CHAT_SLOTS };
        self.standing == Standing::Ready
            && self.next.is_none()
            && u32::try_from(self.legs.len()).is_ok_and(|legs| legs < slots)
    }

    /// The queues of the agent's team, the first one first.
    pub(super) fn queues(&self) -> &'static [usize] {
        TEAMS.get(self.team).map(|team| team.queues).unwrap_or_default()
    }
}

/// A contact in a queue: higher priority first, then the longest wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Waiting {
    pub(super) priority: Reverse<u32>,
    pub(super) entered: Micros,
    pub(super) contact: u64,
}

/// A stay in a queue that is not over.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) number: u32,
    pub(super) id: VisitId,
    pub(super) queue: usize,
    pub(super) entered: Micros,
    pub(super) priority: u32,
    /// The leg that is being offered.
    pub(super) offered: Option<usize>,
}

impl Visit {
    pub(super) fn waiting(&self, contact: u64) -> Waiting {
        Waiting { priority: Reverse(self.priority), entered: self.entered, contact }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Contact {
    pub(super) id: ContactId,
    pub(super) channel: Channel,
    pub(super) direction: Direction,
    pub(super) customer: Option<usize>,
    pub(super) topic: &'static str,
    /// The queue that it was last in.
    pub(super) queue: usize,
    pub(super) visit: Option<Visit>,
    pub(super) visits: u32,
    pub(super) legs: Vec<Leg>,
    pub(super) transfers: u32,
    /// The promise that this call keeps.
    pub(super) callback: Option<Callback>,
    pub(super) ended: bool,
}

/// Where a leg stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Assigned to be dialled; the softphone does not dial yet.
    Assigned,
    Offered,
    Ringing,
    Dialing,
    Talking(Scene),
    AfterCall,
    Over,
}

/// A part of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scene {
    Talk,
    Hold,
    Consult,
}

/// How a conversation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finale {
    Ends(Party),
    Transfer(TransferKind),
    /// The transfer is done; the leg is about to end.
    PassedOn(TransferKind),
}

#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) agent: usize,
    pub(super) reference: LegRef,
    pub(super) queue: usize,
    pub(super) stage: Stage,
    /// When the present scene, or the after-call work, began.
    pub(super) since: Micros,
    pub(super) script: VecDeque<(Scene, Micros)>,
    pub(super) finale: Finale,
    pub(super) talk: Micros,
    pub(super) hold: Micros,
}

impl Leg {
    /// Whether the domain counts the agent as in contact.
    pub(super) fn occupies(&self) -> bool {
        matches!(self.stage, Stage::Talking(_) | Stage::AfterCall)
    }
}

/// What a ring comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Answered,
    Missed,
    Rejected,
}

/// A promise to call.
#[derive(Clone, Debug)]
pub(super) struct Callback {
    pub(super) journey: ContactId,
    pub(super) customer: usize,
    pub(super) queue: usize,
    pub(super) topic: &'static str,
    pub(super) attempt: u32,
}
