//! What happened to the targets of a ticket, and why.

use std::hash::Hash;

use crate::{
    deadlines::{
        clock::TargetClock,
        track::Deadlines,
        world::{DeadlineError, World},
    },
    ids::Name,
    ticketing::{Promiser, TargetKind, Ticket, TicketEvent},
    time::Micros,
};

/// Why a target is due at another time than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeCause {
    /// Another rule holds, because something else is known of the ticket: severity, urgency, tier, channel, validity.
    Priority,
    /// It was asked for or promised.
    Promised(Promiser),
    /// What was promised is postponed.
    Postponed {
        /// Whose word it is.
        by: Promiser,
        /// Told before the promise fell due; else that one is broken.
        in_time: bool,
    },
    /// Somebody else answers for it; it is due as before.
    Owner,
    /// A calendar or a policy was defined anew.
    Definition,
}

/// What happened to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It began.
    Activated {
        /// When it is due.
        due: Option<Micros>,
    },
    /// Its clock stands.
    Paused,
    /// Its clock runs again.
    Resumed {
        /// When it is due now.
        due: Option<Micros>,
    },
    /// Somebody was warned.
    Warned {
        /// How far it was, in thousandths.
        permille: u32,
    },
    /// A step of its escalation was taken.
    Escalated {
        /// How far it was, in thousandths.
        permille: u32,
    },
    /// It fell due and was not fulfilled.
    Breached,
    /// What had to happen happened.
    Fulfilled,
    /// There is nothing to fulfil any more.
    Withdrawn,
    /// It is due at another time.
    Changed {
        /// Why.
        cause: ChangeCause,
        /// Before; none: not known.
        from: Option<Micros>,
        /// Now; none: not known.
        to: Option<Micros>,
    },
    /// When it is due cannot be reckoned.
    Unreckonable(DeadlineError),
}

/// A step with its instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Micros,
    /// What.
    pub step: Step,
}

/// A target with all that happened to it, over all its activations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHistory {
    /// As it stands: the latest activation.
    pub clock: TargetClock,
    /// In order of time.
    pub moments: Vec<Moment>,
}

/// An event of a ticket's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happened<N = Name> {
    /// When.
    pub at: Micros,
    /// The principal.
    pub by: N,
    /// What.
    pub event: TicketEvent<N>,
}

/// The targets of a ticket as of `now`, by kind: what its whole history, in order of time, makes of them. Other policies or
/// calendars than those in force answer "what if".
pub fn targets<N: Clone + Eq + Hash>(
    history: &[Happened<N>],
    world: &World<N>,
    now: Micros,
) -> Vec<TargetHistory> {
    let mut happened = history.iter().take_while(|happened| happened.at <= now);
    let Some(first) = happened.next() else { return Vec::new() };
    let Some(mut ticket) = Ticket::opened(&first.event, first.at, &first.by) else { return Vec::new() };
    let mut deadlines = Deadlines::default();
    let mut told = Vec::new();
    let mut tell = |kind, moment| told.push((kind, moment));
    deadlines.apply(&ticket, &first.event, first.at, world, &mut tell);
    for Happened { at, by, event } in happened {
        ticket.apply(event, *at, by);
        deadlines.apply(&ticket, event, *at, world, &mut tell);
    }
    deadlines.pass(now, &mut tell);
    deadlines.clocks.sort_by_key(|clock| clock.kind);
    told.sort_by_key(|(_, moment): &(TargetKind, Moment)| moment.at);
    let of = |clock: TargetClock| {
        let of_kind = told.iter().filter(|(kind, _)| *kind == clock.kind);
        TargetHistory { moments: of_kind.map(|(_, moment)| moment.clone()).collect(), clock }
    };
    deadlines.clocks.into_iter().map(of).filter(|target| !target.moments.is_empty()).collect()
}
