//! A ticket with its targets, in the office of Shanghai: Monday to Friday, 9 to 12 and 13 to 18.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use pegcount_domain::{
    deadlines::{
        AlertStep, Amount, ClockKind, Conditions, Deadlines, Due, Happened, Moment, Outcome, Policy,
        PolicySet, Recipient, Step, TargetHistory, TargetRule, World, due, next_due, standard::standard,
        targets,
    },
    ids::*,
    ticketing::*,
    time::Micros,
    working::{WorkingCalendar, WorkingHistory},
};

use crate::{
    ticket_support::{name, opening},
    working_support::{at, office},
};

pub const OFFICE: Name = Name::fixed("office");

pub fn office_calendar() -> WorkingCalendar {
    let mut rules = office();
    // National Day 2026.
    rules.holidays = (1..=7).map(|day| crate::working_support::date(&format!("2026-10-{day:02}"))).collect();
    WorkingCalendar::new(&WorkingHistory::of(rules)).unwrap()
}

pub fn standard_world() -> World {
    world(standard(&OFFICE))
}

pub fn world(set: PolicySet) -> World {
    let mut world = World::default();
    world.define_calendar(OFFICE, office_calendar());
    world.define_policies(set);
    world
}

pub fn working() -> ClockKind {
    ClockKind::Working(OFFICE)
}

pub fn rule(target: TargetKind, amount: Amount, clock: ClockKind) -> TargetRule {
    TargetRule {
        target,
        amount,
        clock,
        pauses: vec![Status::OnHold],
        warnings: Vec::new(),
        escalations: Vec::new(),
    }
}

pub fn told(permille: u32, working_hours: bool) -> AlertStep {
    AlertStep { permille, recipients: vec![Recipient::Owner], working_hours: working_hours.then_some(OFFICE) }
}

/// One policy, for every ticket.
pub fn set(targets: Vec<TargetRule>) -> PolicySet {
    let policy = Policy { name: name("any"), when: Conditions::default(), targets };
    PolicySet { policies: vec![policy], valid_from: Micros::ZERO }
}

/// A ticket under test.
#[derive(Clone, Debug)]
pub struct Watch {
    pub ticket: Ticket,
    pub deadlines: Deadlines,
    pub world: World,
    pub history: Vec<Happened>,
}

/// `November 27 2026, 10:00` in Shanghai is `t("27 10:00")`; 27 is a Friday. Days beyond 30 are December's.
pub fn t(text: &str) -> Micros {
    let (day, clock) = text.split_once(' ').unwrap();
    let day: u32 = day.parse().unwrap();
    let (month, day) = if day > 30 { (12, day - 30) } else { (11, day) };
    at(&format!("2026-{month}-{day:02}T{clock}+08:00"))
}

impl Watch {
    pub fn opened(world: World, when: Micros, kind: &str, fields: &[FieldValue]) -> Self {
        let opening = Opening { set: fields.to_vec(), ..opening(kind) };
        let event = TicketEvent::Opened(Box::new(opening));
        let ticket = Ticket::opened(&event, when, &name("ann")).unwrap();
        let mut deadlines = Deadlines::default();
        deadlines.apply(&ticket, &event, when, &world, &mut |_, _| {});
        let history = vec![Happened { at: when, by: name("ann"), event }];
        Self { ticket, deadlines, world, history }
    }

    pub fn take(&mut self, when: Micros, event: TicketEvent) {
        self.ticket.apply(&event, when, &name("bob"));
        self.deadlines.apply(&self.ticket, &event, when, &self.world, &mut |_, _| {});
        self.history.push(Happened { at: when, by: name("bob"), event });
    }

    /// Given: what happened, at the instants of [`t`].
    pub fn given(mut self, events: impl IntoIterator<Item = (&'static str, TicketEvent)>) -> Self {
        for (when, event) in events {
            self.take(t(when), event);
        }
        self
    }

    pub fn due_at(&self, kind: TargetKind) -> Option<Micros> {
        self.deadlines.clock(kind)?.due
    }

    pub fn outcome(&self, kind: TargetKind) -> Outcome {
        self.deadlines.clock(kind).unwrap().outcome
    }

    pub fn met(&self, kind: TargetKind, now: Micros) -> Option<bool> {
        self.history(kind, now).and_then(|target| target.clock.is_met(now))
    }

    pub fn history(&self, kind: TargetKind, now: Micros) -> Option<TargetHistory> {
        targets(&self.history, &self.world, now).into_iter().find(|target| target.clock.kind == kind)
    }

    pub fn steps(&self, kind: TargetKind, now: Micros) -> Vec<(Micros, Step)> {
        let moments = self.history(kind, now).map_or_else(Vec::new, |target| target.moments);
        moments.into_iter().map(|Moment { at, step }| (at, step)).collect()
    }

    pub fn due(&self, now: Micros) -> Vec<Due> {
        due(&self.ticket, &self.deadlines, &self.world, now)
    }

    pub fn next_due(&self) -> Option<Micros> {
        next_due(&self.ticket, &self.deadlines, &self.world)
    }

    /// What the engine does: everything that is due, each with its event.
    pub fn act(&mut self, now: Micros) -> Vec<Due> {
        let due = self.due(now);
        for due in &due {
            self.take(now, due.event());
        }
        due
    }
}
