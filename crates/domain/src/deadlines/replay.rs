//! "What if": a ticket's past under other policies or calendars, beside what really was.
//!
//! A ticket is taken through its history event by event, once by the world as it is and once by the one that is tried; so a history of
//! any length needs the memory of one ticket and its activations. Not for which tickets are looked at, nor for telling anybody anything.
//!
//! Invariant: what began a target in both worlds is one row; a row counts as met or as breached by the rule of the figures (KPIS.md §4:
//! still open past its due instant is breached), once.

use std::hash::Hash;

use crate::{
    deadlines::{
        history::{Happened, Moment, Step},
        track::Deadlines,
        world::World,
    },
    ticketing::{TargetKind, Ticket, TicketEvent},
    time::Micros,
};

/// What became of one activation of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It happened no later than when it was due.
    Met,
    /// It did not.
    Breached,
    /// Neither yet.
    Running,
    /// There was nothing to fulfil any more before it fell due.
    Withdrawn,
    /// When it is due cannot be reckoned: a calendar does not reach so far.
    Unreckonable,
}

/// One activation of a target in one world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// When it is or was due last; none: its clock stands, or that cannot be reckoned.
    pub due: Option<Micros>,
    /// When it was fulfilled or withdrawn; none: it was not.
    pub ended: Option<Micros>,
    /// What became of it.
    pub fate: Fate,
}

/// One activation in both worlds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// What had to happen.
    pub target: TargetKind,
    /// When that began.
    pub activated_at: Micros,
    /// What really became of it; none: nothing was asked.
    pub was: Option<Course>,
    /// What would have become of it; none: nothing would have been asked.
    pub would: Option<Course>,
}

impl Compared {
    /// Whether it would have ended otherwise: met, breached or none of both.
    pub fn differs(&self) -> bool {
        self.was.map(|course| course.fate) != self.would.map(|course| course.fate)
    }
}

/// A ticket that is taken through its history in two worlds.
#[derive(Debug)]
pub struct Replay<'w, N> {
    ticket: Ticket<N>,
    was: Track<'w, N>,
    would: Track<'w, N>,
}

impl<'w, N: Clone + Eq + Hash> Replay<'w, N> {
    /// Begins with the first event of a history; none if that opens no ticket.
    pub fn open(first: &Happened<N>, world: &'w World<N>, tried: &'w World<N>) -> Option<Self> {
        let ticket = Ticket::opened(&first.event, first.at, &first.by)?;
        let mut replay = Self { ticket, was: Track::of(world), would: Track::of(tried) };
        replay.track(&first.event, first.at);
        Some(replay)
    }

    /// Takes the next event in.
    pub fn apply(&mut self, next: &Happened<N>) {
        self.ticket.apply(&next.event, next.at, &next.by);
        self.track(&next.event, next.at);
    }

    fn track(&mut self, event: &TicketEvent<N>, at: Micros) {
        self.was.apply(&self.ticket, event, at);
        self.would.apply(&self.ticket, event, at);
    }

    /// All activations as of `now`, by target and in order of time.
    pub fn finish(self, now: Micros) -> Vec<Compared> {
        let (was, mut would) = (self.was.finish(now), self.would.finish(now));
        let mut rows: Vec<Compared> = Vec::with_capacity(was.len().max(would.len()));
        for one in was {
            let same = would.iter().position(|other| other.began() == one.began());
            let would = same.map(|place| would.remove(place).course);
            let (target, activated_at) = one.began();
            rows.push(Compared { target, activated_at, was: Some(one.course), would });
        }
        rows.extend(would.into_iter().map(|one| {
            let (target, activated_at) = one.began();
            Compared { target, activated_at, was: None, would: Some(one.course) }
        }));
        rows.sort_by_key(|row| (row.target.code(), row.activated_at));
        rows
    }
}

/// An activation, as far as it has come.
#[derive(Clone, Copy, Debug)]
struct Activation {
    target: TargetKind,
    activated_at: Micros,
    is_unreckonable: bool,
    course: Course,
}

impl Activation {
    fn began(&self) -> (TargetKind, Micros) {
        (self.target, self.activated_at)
    }

    fn is_open(&self) -> bool {
        self.course.ended.is_none()
    }

    fn end(&mut self, at: Micros, fate: Fate) {
        let fate = match self.course.fate {
            Fate::Breached => Fate::Breached,
            _ if fate == Fate::Met && self.is_unreckonable => Fate::Unreckonable,
            _ => fate,
        };
        self.course = Course { ended: Some(at), fate, ..self.course };
    }
}

/// A ticket's targets in one world.
#[derive(Debug)]
struct Track<'w, N> {
    world: &'w World<N>,
    deadlines: Deadlines,
    activations: Vec<Activation>,
}

impl<'w, N: Clone + Eq + Hash> Track<'w, N> {
    fn of(world: &'w World<N>) -> Self {
        Self { world, deadlines: Deadlines::default(), activations: Vec::new() }
    }

    fn apply(&mut self, ticket: &Ticket<N>, event: &TicketEvent<N>, at: Micros) {
        let mut told: Vec<(TargetKind, Moment)> = Vec::new();
        self.deadlines
            .apply(ticket, event, at, self.world, &mut |target, moment| told.push((target, moment)));
        for (target, moment) in told {
            self.take(target, &moment);
        }
        for clock in self.deadlines.clocks().iter().filter(|clock| clock.is_active() && clock.is_set()) {
            let same =
                |one: &&mut Activation| one.is_open() && one.began() == (clock.kind, clock.activated_at);
            let course = Course { due: clock.due, ended: None, fate: Fate::Running };
            if let Some(known) = self.activations.iter_mut().rev().find(same) {
                known.course.due = clock.due;
                known.is_unreckonable &= clock.due.is_none();
            } else {
                let unreckonable = clock.due.is_none() && self.is_unreckonable(ticket, clock);
                self.activations.push(Activation {
                    target: clock.kind,
                    activated_at: clock.activated_at,
                    is_unreckonable: unreckonable,
                    course,
                });
            }
        }
    }

    /// Whether it has no due instant for another reason than that its clock stands.
    fn is_unreckonable(&self, ticket: &Ticket<N>, clock: &crate::deadlines::TargetClock) -> bool {
        let rule = clock.rule.and_then(|rule| self.world.rule(rule));
        rule.is_none_or(|rule| !rule.pauses.contains(&ticket.status))
    }

    fn take(&mut self, target: TargetKind, moment: &Moment) {
        let open = self.activations.iter_mut().rev().find(|one| one.target == target && one.is_open());
        let Some(open) = open else { return };
        match &moment.step {
            Step::Breached => open.course.fate = Fate::Breached,
            Step::Fulfilled => open.end(moment.at, Fate::Met),
            Step::Withdrawn => open.end(moment.at, Fate::Withdrawn),
            Step::Unreckonable(_) => open.is_unreckonable = true,
            _ => {}
        }
    }

    fn finish(mut self, now: Micros) -> Vec<Activation> {
        let mut told: Vec<(TargetKind, Moment)> = Vec::new();
        self.deadlines.pass(now, &mut |target, moment| told.push((target, moment)));
        for (target, moment) in told {
            self.take(target, &moment);
        }
        for one in self.activations.iter_mut().filter(|one| one.is_open() && one.is_unreckonable) {
            if one.course.fate == Fate::Running {
                one.course.fate = Fate::Unreckonable;
            }
        }
        self.activations
    }
}
