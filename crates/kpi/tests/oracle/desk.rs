//! What tickets count by themselves.
//!
//! Tickets are played through the domain's own rules, fact by fact, and their targets are what [`targets`] tells of the whole history; so it is
//! also proved that boards and figures tell the same. Invariant: whoever is asked about at an instant is looked up in the facts up to it.

use std::rc::Rc;

use pegcount_domain::{
    deadlines::{
        ClockKind, Happened, Moment, Step, World,
        making::{Making, STANDARD_CALENDAR},
        standard::standard,
        targets,
    },
    envelope::Recorded,
    event::Event,
    ids::Key,
    ticketing::{Status, TargetKind, Ticket, TicketEvent, Validity, VisitStep, kinds::COMPLAINT},
    time::Micros,
    working::WorkingRules,
};

use super::{super::support::key, About, Oracle, Said};

/// What a ticket is, and whose group it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class {
    pub group: Said,
    pub kind: Said,
    pub category: Said,
    pub tier: Said,
    pub region: Said,
    pub channel: Said,
}

/// A ticket that came into the backlog, and left it or not.
#[derive(Clone, Copy, Debug)]
pub struct InBacklog {
    pub about: About,
    pub from: Micros,
    /// `Micros::MAX`: not yet.
    pub to: Micros,
}

/// One ticket's facts that count, with how it stood after each.
struct Played<'a> {
    facts: Vec<(&'a TicketEvent<Key>, Micros)>,
    stood: Vec<Ticket<Key>>,
    queue: Said,
    class: Class,
}

impl Played<'_> {
    fn last(&self) -> &Ticket<Key> {
        self.stood.last().unwrap()
    }

    /// How it stood after the fact of an instant that fulfilled a target.
    fn fulfilled(&self, target: TargetKind, at: Micros) -> &Ticket<Key> {
        let found = self.facts.iter().position(|(event, other)| *other == at && fulfils(event, target));
        &self.stood[found.unwrap()]
    }

    /// How it stood after all facts up to an instant.
    fn at(&self, at: Micros) -> &Ticket<Key> {
        let known = self.facts.iter().take_while(|(_, other)| *other <= at).count();
        &self.stood[known.max(1) - 1]
    }
}

fn fulfils(event: &TicketEvent<Key>, target: TargetKind) -> bool {
    use TargetKind::{
        Accept, Approve, Arrive, Dispatch, Explain, FirstResponse, Investigate, NextUpdate, Resolve,
    };
    match event {
        TicketEvent::Accepted { .. } => target == Accept,
        TicketEvent::Dispatched { .. } => matches!(target, Accept | Dispatch),
        TicketEvent::Arrived | TicketEvent::VisitStepped { step: VisitStep::Arrived, .. } => target == Arrive,
        TicketEvent::Informed { .. } => matches!(target, FirstResponse | NextUpdate),
        TicketEvent::Investigated => target == Investigate,
        TicketEvent::ApprovalGiven { .. } | TicketEvent::ApprovalRefused { .. } => target == Approve,
        TicketEvent::Resolved { .. } => matches!(target, Accept | FirstResponse | Investigate | Resolve),
        TicketEvent::Cancelled { .. } => matches!(target, FirstResponse | Explain),
        _ => false,
    }
}

fn withdraws(event: &TicketEvent<Key>, target: TargetKind, after: &Ticket<Key>) -> bool {
    use TargetKind::{Approve, Arrive, Dispatch, Explain, NextUpdate};
    match event {
        TicketEvent::Closed { .. } | TicketEvent::Cancelled { .. } | TicketEvent::Merged { .. } => true,
        TicketEvent::Resolved { .. } => matches!(target, NextUpdate | Approve | Dispatch | Arrive | Explain),
        event => {
            target == Explain && !event.sets().is_empty() && after.facts.validity == Some(Validity::Valid)
        }
    }
}

fn answers(ticket: &Ticket<Key>) -> Said {
    ticket.owner.or(ticket.receiver).map(|agent| agent.0)
}

fn met(target: TargetKind) -> [&'static str; 4] {
    match target {
        TargetKind::Accept => {
            ["target_met", "target_met_accept", "target_breached", "target_breached_accept"]
        }
        TargetKind::FirstResponse => {
            ["target_met", "target_met_first_response", "target_breached", "target_breached_first_response"]
        }
        TargetKind::NextUpdate => {
            ["target_met", "target_met_next_update", "target_breached", "target_breached_next_update"]
        }
        TargetKind::Investigate => {
            ["target_met", "target_met_investigate", "target_breached", "target_breached_investigate"]
        }
        TargetKind::Approve => {
            ["target_met", "target_met_approve", "target_breached", "target_breached_approve"]
        }
        TargetKind::Dispatch => {
            ["target_met", "target_met_dispatch", "target_breached", "target_breached_dispatch"]
        }
        TargetKind::Arrive => {
            ["target_met", "target_met_arrive", "target_breached", "target_breached_arrive"]
        }
        TargetKind::Resolve => {
            ["target_met", "target_met_resolve", "target_breached", "target_breached_resolve"]
        }
        TargetKind::Explain => {
            ["target_met", "target_met_explain", "target_breached", "target_breached_explain"]
        }
    }
}

impl Oracle {
    /// What the site's targets are reckoned by.
    fn make_world(&self) -> World<Key> {
        let zone = |zone: Key| {
            let all = jiff::tz::db().available();
            all.map(|name| name.as_str().to_owned()).find(|name| key(name) == zone).unwrap()
        };
        let rules = |defined: &pegcount_domain::calendar::CalendarDefinition<Key>| {
            let zone = pegcount_domain::allowance::ZoneName::new(&zone(defined.time_zone));
            (defined.calendar, WorkingRules::of(defined, zone))
        };
        let making = Making {
            standard_calendar: key(STANDARD_CALENDAR.as_str()),
            standard_policies: standard(&STANDARD_CALENDAR).map(&mut |name| key(name.as_str())),
            calendars: self.definitions.calendars().map(rules).collect(),
            changes: self.definitions.calendar_changes().cloned().collect(),
            zones: self.definitions.sites().map(|site| (site.valid_from, site.time_zone.clone())).collect(),
            policies: self.definitions.policies().cloned().collect(),
        };
        making.world().0
    }

    fn about(&self, played: &Played<'_>, agent: Said, at: Micros, as_at: &Ticket<Key>) -> About {
        let group = as_at.group.map(|group| group.0);
        // For the life of the test: there are few, and they are compared often.
        let class: &'static Class = Box::leak(Box::new(Class { group, ..played.class }));
        About {
            agent,
            team: self.team(agent, at),
            queue: played.queue,
            class: Some(class),
            ..About::default()
        }
    }

    /// One ticket.
    pub fn ticket(&mut self, facts: &[Recorded]) {
        let as_of = self.as_of;
        let known = facts.iter().filter(|fact| fact.occurred_at <= as_of);
        let known = known.filter_map(|fact| match &fact.event {
            Event::Ticket(event) => Some((event, fact.occurred_at)),
            _ => None,
        });
        let mut played: Option<Played<'_>> = None;
        for (event, at) in known {
            match &mut played {
                None => {
                    let Some(ticket) = Ticket::opened(event, at, &Key::default()) else { continue };
                    let (queue, class) = (None, Class::default());
                    played = Some(Played { facts: vec![(event, at)], stood: vec![ticket], queue, class });
                }
                Some(played)
                    if !played.last().status.is_over() && !matches!(event, TicketEvent::Opened(_)) =>
                {
                    let mut ticket = played.last().clone();
                    ticket.apply(event, at, &Key::default());
                    played.facts.push((event, at));
                    played.stood.push(ticket);
                }
                Some(_) => {}
            }
        }
        let Some(mut played) = played else { return };
        let TicketEvent::Opened(opening) = played.facts[0].0 else { unreachable!() };
        let told = &played.last().facts;
        let class = Class {
            kind: Some(opening.kind.0),
            category: told.category.map(|category| category.0),
            tier: told.tier,
            region: told.region,
            channel: told.channel,
            ..Class::default()
        };
        played.queue = opening.queue.map(|queue| queue.0);
        played.class = class;
        let world = self.world.get_or_init(|| Rc::new(self.make_world())).clone();
        self.counts(&played, &world);
        self.in_the_end(&played);
        self.owed(&played, &world);
        self.promised(&played);
        self.in_backlog(&played);
    }

    fn counts(&mut self, played: &Played<'_>, world: &World<Key>) {
        let opened_at = played.facts[0].1;
        let first =
            self.about(played, played.stood[0].receiver.map(|agent| agent.0), opened_at, &played.stood[0]);
        self.at(opened_at, None, "opened", first, 1);
        let mut resolved: Option<(Micros, About)> = None;
        let mut arrived: Option<(Micros, About, bool)> = None;
        let mut responded = false;
        for index in 1..played.facts.len() {
            let (event, at) = played.facts[index];
            let (before, after) = (&played.stood[index - 1], &played.stood[index]);
            let answering = self.about(played, answers(after), at, after);
            let by = match event {
                TicketEvent::Resolved { agent, .. } | TicketEvent::Closed { agent, .. } => {
                    agent.map(|agent| agent.0).or(answers(after))
                }
                _ => answers(after),
            };
            let settling = self.about(played, by, at, after);
            if before.status.is_open() && after.status.is_settled() {
                resolved = Some((at, settling));
                self.at(at, None, "resolved", settling, 1);
                let amounts = spent(played, at, index, world);
                for (column, amount) in RESOLUTION.into_iter().zip(amounts) {
                    self.at(at, None, column, settling, amount);
                }
            }
            if before.status != Status::Closed && after.status == Status::Closed {
                self.at(at, None, "closed", settling, 1);
            }
            if before.status.is_settled() && after.status.is_open() {
                let (at, about) = resolved.unwrap();
                self.at(at, None, "reopened", about, 1);
                if matches!(event, TicketEvent::Reopened { rework: Some(true), .. }) {
                    self.at(at, None, "reworked", about, 1);
                }
            }
            match after.status {
                Status::Cancelled => self.at(at, None, "cancelled", answering, 1),
                Status::Merged => self.at(at, None, "merged", answering, 1),
                _ => {}
            }
            match event {
                TicketEvent::Escalated { .. } => self.at(at, None, "escalated", answering, 1),
                TicketEvent::Repeated { .. } => {
                    let receiver = after.receiver.map(|agent| agent.0);
                    let about = self.about(played, receiver, at, after);
                    self.at(at, None, "second_reports", about, 1);
                }
                TicketEvent::VisitStepped { step: VisitStep::Requested, .. } => arrived = None,
                TicketEvent::VisitStepped { step: VisitStep::Arrived, .. } if arrived.is_none() => {
                    arrived = Some((at, answering, false));
                    self.at(at, None, "slip_due", answering, 1);
                }
                TicketEvent::VisitStepped { step: VisitStep::SlipFiled, .. } => {
                    if let Some((at, about, filed @ false)) = &mut arrived {
                        *filed = true;
                        let (at, about) = (*at, *about);
                        self.at(at, None, "slip_filed", about, 1);
                    }
                }
                _ => {}
            }
            let responds = matches!(
                event,
                TicketEvent::Informed { .. } | TicketEvent::Resolved { .. } | TicketEvent::Cancelled { .. }
            );
            if responds && !responded {
                responded = true;
                self.at(at, None, "first_responses", answering, 1);
                let amounts = spent(played, at, index, world);
                for (column, amount) in FIRST_RESPONSE.into_iter().zip(amounts) {
                    self.at(at, None, column, answering, amount);
                }
            }
        }
    }

    /// What hangs on how it stands.
    fn in_the_end(&mut self, played: &Played<'_>) {
        let (last, opened_at) = (played.last(), played.facts[0].1);
        if !last.status.is_over() && last.facts.validity != Some(Validity::Invalid) {
            let about = self.about(played, answers(last), opened_at, last);
            self.at(opened_at, None, "opened_valid", about, 1);
            if last.status.is_settled() {
                self.at(opened_at, None, "opened_valid_resolved", about, 1);
            }
        }
        if last.status == Status::Closed && last.kind.0 == key(COMPLAINT.as_str()) {
            let is_closing = |index: &usize| {
                played.stood[*index].status == Status::Closed
                    && played.stood[index - 1].status != Status::Closed
            };
            let index = (1..played.facts.len()).rev().find(is_closing).unwrap();
            let (event, at) = played.facts[index];
            let by = match event {
                TicketEvent::Closed { agent: Some(agent), .. } => Some(agent.0),
                _ => answers(&played.stood[index]),
            };
            let about = self.about(played, by, at, &played.stood[index]);
            self.at(at, None, "complaints_closed", about, 1);
            if played.facts.iter().any(|(event, _)| matches!(event, TicketEvent::Repeated { .. })) {
                self.at(at, None, "complaints_repeated", about, 1);
            }
        }
    }

    fn owed(&mut self, played: &Played<'_>, world: &World<Key>) {
        let happened: Vec<Happened<Key>> = played
            .facts
            .iter()
            .map(|(event, at)| Happened { at: *at, by: Key::default(), event: (*event).clone() })
            .collect();
        let as_of = self.as_of;
        for target in targets(&happened, world, as_of) {
            let kind = target.clock.kind;
            // When it is due, since when, and whether it was missed; of the activation that goes on.
            let (mut due, mut since, mut missed): (Option<Micros>, Micros, bool) =
                (None, Micros::ZERO, false);
            let moments = &target.moments;
            for (index, moment) in moments.iter().enumerate() {
                // What was due before that was set is missed at once, and told of before it.
                let is_missed_at_once = |due: Option<Micros>| {
                    let is_told =
                        |before: &Moment| matches!(before.step, Step::Breached) && Some(before.at) == due;
                    due.is_some_and(|due| due < moment.at) && moments[..index].iter().any(is_told)
                };
                match &moment.step {
                    Step::Activated { due: now } => {
                        (due, since, missed) = (*now, moment.at, is_missed_at_once(*now));
                    }
                    Step::Paused if target.clock.promise.is_none() => due = None,
                    Step::Resumed { due: now } => (due, since) = (*now, moment.at),
                    Step::Changed { to, .. } if *to != due => {
                        missed |= is_missed_at_once(*to);
                        (due, since) = (*to, moment.at);
                    }
                    Step::Breached => {
                        missed = true;
                        // A due time that was past when it was set is told of before it was set.
                        let set = moments[index..].iter().find_map(|later| match &later.step {
                            Step::Changed { from, to: Some(to), .. }
                                if *to == moment.at && *from != Some(*to) =>
                            {
                                Some(later.at)
                            }
                            _ => None,
                        });
                        let at = moment.at.max(if due == Some(moment.at) { since } else { Micros(i64::MIN) });
                        let at = set.map_or(at, |set| at.max(set));
                        self.missed(played, kind, at);
                    }
                    Step::Fulfilled if !missed => {
                        let at = due.unwrap_or(moment.at);
                        if due.is_none_or(|due| due < as_of) {
                            let ticket = played.fulfilled(kind, moment.at);
                            let about = self.about(played, answers(ticket), moment.at, ticket);
                            for column in &met(kind)[..2] {
                                self.at(at, None, column, about, 1);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn promised(&mut self, played: &Played<'_>) {
        for (index, (event, made_at)) in played.facts.iter().enumerate() {
            let TicketEvent::Promised { target, due, .. } = event else { continue };
            if !played.stood[index].status.is_open() {
                continue;
            }
            let counts_at = (*due).max(*made_at);
            let later = played.facts.iter().enumerate().skip(index + 1);
            let mut later = later.take_while(|(_, (_, at))| *at <= *due);
            let end = later.find_map(|(index, (event, _))| match event {
                TicketEvent::Promised { target: other, .. } if other == target => {
                    played.stood[index].status.is_open().then_some(None)
                }
                _ if fulfils(event, *target) => Some(Some(index)),
                _ if withdraws(event, *target, &played.stood[index]) => Some(None),
                _ => None,
            });
            let (column, ticket, at) = match end {
                Some(None) => continue,
                Some(Some(index)) => ("promise_met", &played.stood[index], played.facts[index].1),
                None => ("promise_broken", played.at(counts_at), counts_at),
            };
            if counts_at < self.as_of {
                let about = self.about(played, answers(ticket), at, ticket);
                self.at(counts_at, None, column, about, 1);
            }
        }
    }

    fn missed(&mut self, played: &Played<'_>, kind: TargetKind, at: Micros) {
        if at >= self.as_of {
            return;
        }
        let ticket = played.at(at);
        let about = self.about(played, answers(ticket), at, ticket);
        for column in &met(kind)[2..] {
            self.at(at, None, column, about, 1);
        }
    }

    fn in_backlog(&mut self, played: &Played<'_>) {
        let mut open: Option<InBacklog> = None;
        for (index, (_, at)) in played.facts.iter().enumerate() {
            let ticket = &played.stood[index];
            let about = self.about(played, answers(ticket), *at, ticket);
            let same =
                |known: &InBacklog| (known.about.agent, known.about.class) == (about.agent, about.class);
            if ticket.status.is_open() && open.as_ref().is_some_and(same) {
                continue;
            }
            self.backlog.extend(open.take().map(|known| InBacklog { to: *at, ..known }));
            if ticket.status.is_open() {
                open = Some(InBacklog { about, from: *at, to: Micros::MAX });
            }
        }
        self.backlog.extend(open);
    }
}

const FIRST_RESPONSE: [&str; 4] = [
    "first_response",
    "first_response_unpaused",
    "first_response_working",
    "first_response_working_unpaused",
];
const RESOLUTION: [&str; 4] =
    ["resolution", "resolution_unpaused", "resolution_working", "resolution_working_unpaused"];

/// The time from the opening to the fact at `index`: real, real without pauses, working, working without pauses.
fn spent(played: &Played<'_>, until: Micros, index: usize, world: &World<Key>) -> [i64; 4] {
    let clocks = [ClockKind::Calendar, ClockKind::Working(key(STANDARD_CALENDAR.as_str()))];
    let mut spent = [0; 4];
    for (stretch, ticket) in played.stood[..index].iter().enumerate() {
        let (from, to) = (played.facts[stretch].1, played.facts[stretch + 1].1.min(until));
        let runs = ticket.status.is_open() && ticket.status != Status::OnHold;
        for (clock, place) in clocks.iter().zip([0, 2]) {
            let amount = world.between(clock, from, to).unwrap().0;
            spent[place] += amount;
            spent[place + 1] += if runs { amount } else { 0 };
        }
    }
    spent
}

/// For the tables: the columns that a ticket counts in.
pub fn is_of_ticket(column: &str) -> bool {
    const OWN: [&str; 17] = [
        "opened",
        "resolved",
        "closed",
        "reopened",
        "reworked",
        "cancelled",
        "merged",
        "escalated",
        "second_reports",
        "first_responses",
        "slip_due",
        "slip_filed",
        "opened_valid",
        "opened_valid_resolved",
        "complaints_closed",
        "complaints_repeated",
        "backlog",
    ];
    OWN.contains(&column)
        || ["target_", "promise_", "first_response", "resolution"]
            .iter()
            .any(|begin| column.starts_with(begin))
}
