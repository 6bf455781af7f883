//! What has come due, and what comes due next.
//!
//! Invariant: `next_due(…) <= now` exactly if `due(…, now)` says something; and what it says, it does not say again once the
//! event of it ([`Due::event`]) was applied.

use std::hash::Hash;

use smallvec::SmallVec;

use crate::{
    deadlines::{
        clock::TargetClock,
        policy::{AlertStep, Recipient},
        track::Deadlines,
        world::World,
    },
    ids::Name,
    ticketing::{TargetKind, Ticket, TicketEvent},
    time::Micros,
};

/// What has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty<N = Name> {
    /// Warn, or take a step of the escalation.
    Alert {
        /// Of which target.
        target: TargetKind,
        /// Which round of it.
        round: u32,
        /// How far it is, in thousandths of its time.
        permille: u32,
        /// A step of the escalation, rather than a warning.
        escalation: bool,
        /// Who is told.
        recipients: Vec<Recipient<N>>,
    },
    /// Tell a level that was skipped.
    TellSkipped {
        /// Which.
        level: N,
    },
}

/// Something that has come due, or will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due<N = Name> {
    /// When.
    pub at: Micros,
    /// What.
    pub duty: Duty<N>,
}

impl<N: Clone> Due<N> {
    /// The event to append when it is done, by the ticket's version as the expected one: so it is done once.
    pub fn event(&self) -> TicketEvent<N> {
        match &self.duty {
            Duty::Alert { target, round, permille, escalation, .. } => TicketEvent::Alerted {
                target: *target,
                round: *round,
                permille: *permille,
                escalation: *escalation,
            },
            Duty::TellSkipped { level } => TicketEvent::SkippedTold { level: level.clone() },
        }
    }
}

/// What has come due by `now` and was not done yet, the earliest first.
pub fn due<N: Clone + Eq + Hash>(
    ticket: &Ticket<N>,
    deadlines: &Deadlines,
    world: &World<N>,
    now: Micros,
) -> Vec<Due<N>> {
    let mut found = Vec::new();
    outstanding(ticket, deadlines, world, Which::All, |at, duty| {
        if at <= now {
            found.push(Due { at, duty: duty() });
        }
    });
    found.sort_by_key(|due| due.at);
    found
}

/// The instant at which something comes due next, if nothing happens before; it may lie in the past.
pub fn next_due<N: Clone + Eq + Hash>(
    ticket: &Ticket<N>,
    deadlines: &Deadlines,
    world: &World<N>,
) -> Option<Micros> {
    let mut next: Option<Micros> = None;
    outstanding(ticket, deadlines, world, Which::Next, |at, _| {
        next = Some(next.map_or(at, |next| next.min(at)));
    });
    next
}

/// What is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Everything.
    All,
    /// At least the earliest.
    Next,
}

/// What was not done yet and whose instant is known.
fn outstanding<'a, N: Clone + Eq + Hash>(
    ticket: &'a Ticket<N>,
    deadlines: &'a Deadlines,
    world: &'a World<N>,
    which: Which,
    mut each: impl FnMut(Micros, &dyn Fn() -> Duty<N>),
) {
    if ticket.status.is_over() {
        return;
    }
    let since = ticket.changes.last().map_or(ticket.opened_at, |change| change.at);
    for level in &ticket.untold {
        each(since, &|| Duty::TellSkipped { level: level.clone() });
    }
    for clock in deadlines.clocks().iter().filter(|clock| clock.is_active()) {
        let own;
        let (warnings, escalations) = match clock.rule.and_then(|rule| world.rule(rule)) {
            Some(rule) => (rule.warnings.as_slice(), rule.escalations.as_slice()),
            None if clock.promise.is_some() => {
                own = [step(PROMISE_WARNED_AT, Recipient::Owner), step(1_000, Recipient::Group)];
                own.split_at(1)
            }
            None => continue,
        };
        let steps = first_of_a_share(warnings).map(|step| (step, false));
        let steps = steps.chain(first_of_a_share(escalations).map(|step| (step, true)));
        let pending = steps.filter(|(step, kind)| !clock.alerted.contains(&(step.permille, *kind)));
        let pending: SmallVec<[_; 8]> = pending.collect();
        // Of steps that wait for the same hours none comes before one of a smaller share.
        let sooner = |step: &AlertStep<N>| {
            let same = |other: &AlertStep<N>| other.working_hours == step.working_hours;
            pending.iter().any(|(other, _)| other.permille < step.permille && same(other))
        };
        for (step, escalation) in pending.iter().copied() {
            if which == Which::Next && sooner(step) {
                continue;
            }
            let Some(at) = alert_at(clock, deadlines, step, world) else { continue };
            each(at, &|| Duty::Alert {
                target: clock.kind,
                round: clock.round,
                permille: step.permille,
                escalation,
                recipients: step.recipients.clone(),
            });
        }
    }
}

/// Of a promise for which no policy says who is told, its owner is warned, and its group told when it falls due.
const PROMISE_WARNED_AT: u32 = 800;

fn step<N>(permille: u32, recipient: Recipient<N>) -> AlertStep<N> {
    AlertStep { permille, recipients: vec![recipient], working_hours: None }
}

/// Of two steps for one share, which a checked policy does not have, the first: both would be told by one event.
fn first_of_a_share<N>(steps: &[AlertStep<N>]) -> impl Iterator<Item = &AlertStep<N>> {
    let known = |index: usize, permille| steps.iter().take(index).any(|step| step.permille == permille);
    steps.iter().enumerate().filter(move |(index, step)| !known(*index, step.permille)).map(|(_, step)| step)
}

/// When a step is due: as its share of the time has passed, or when working hours begin after that. A calendar that has no
/// answer holds nobody back.
fn alert_at<N: Clone + Eq + Hash>(
    clock: &TargetClock,
    deadlines: &Deadlines,
    step: &AlertStep<N>,
    world: &World<N>,
) -> Option<Micros> {
    let at = clock.reaches(&deadlines.stands, world, step.permille).ok()??;
    let calendar = step.working_hours.as_ref().and_then(|name| world.calendar(name).ok());
    Some(calendar.and_then(|calendar| calendar.opens(at).ok()).unwrap_or(at))
}
