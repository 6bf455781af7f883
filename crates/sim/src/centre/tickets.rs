//! Tickets: most are born in a contact, some are written, and each takes a course of its own through its kind's life.
//!
//! A course is drawn when the ticket is opened: what is done about it, and how long after the step before. Invariant: every
//! step is one that the ticket's life allows after those before it, and nothing follows one that is for good.

use std::collections::VecDeque;

use pegcount_domain::time::Micros;
use pegcount_proto::v1::{
    NewTicket, Nothing, TicketFacts, TicketSeverity, TicketTarget, TicketUrgency, TicketValidity,
    TicketVisitStep, TicketWay, TicketWayKind,
    ticket_command_request::{
        Accept, Approver, Attach, Cancel, Cite, Close, Command, Confirm, Dispatch, Escalate, Hold, InContact,
        Promise, Reassign, Reopen, Resolve, Visit,
    },
};

use super::{
    Centre,
    agenda::What,
    arrivals::{number_of, plan},
    emit::TicketAction,
};
use crate::{
    draw::Dice,
    plan::{QUEUES, REGIONS, REOPEN_REASON, TEAMS, TIERS, WRITTEN_CHANNELS},
};

const MINUTE_S: f64 = 60.0;
const HOUR_S: f64 = 3_600.0;
const INVALID: f64 = 0.03;
const DECLINED: f64 = 0.03;
const DUPLICATE: f64 = 0.04;
const SETTLED_AT_ONCE: f64 = 0.45;
const HELD: f64 = 0.12;
const GIVEN_AWAY: f64 = 0.06;
const REOPENED: f64 = 0.06;
const DONE_AGAIN: f64 = 0.04;
const REPEATED: f64 = 0.10;
const ESCALATED: f64 = 0.08;
const WITH_OTHERS: f64 = 0.35;
const WITH_APPROVAL: f64 = 0.20;
const CONFIRMED: f64 = 0.40;
const CITES: f64 = 0.30;
const CITED_HELPED: f64 = 0.7;
const PROMISED: f64 = 0.10;

/// A ticket that is not put away.
#[derive(Debug)]
pub(super) struct Ticket {
    agent: usize,
    topic: &'static str,
    steps: VecDeque<(Micros, Step)>,
}

/// What is done next about a ticket.
#[derive(Clone, Debug)]
enum Step {
    Do(Box<Command>),
    /// It is found to be about what another one is about, if there is one.
    FindDuplicate,
    /// Somebody else goes on with it.
    GiveAway,
}

/// What a ticket is about.
pub(super) struct Matter {
    pub(super) kind: &'static str,
    pub(super) topic: &'static str,
    pub(super) queue: usize,
    pub(super) customer: Option<usize>,
}

impl Centre {
    /// A ticket is opened in a contact, or (none) of something that was written.
    pub(super) fn open_ticket(&mut self, contact: Option<String>, agent: usize, matter: &Matter) {
        let Some(known) = self.agents.get(agent) else { return };
        let group = TEAMS.get(known.team).map(|team| team.id.to_string()).unwrap_or_default();
        let receiver = known.id.to_string();
        self.tickets_made += 1;
        self.report.tickets_opened += 1;
        let (ticket, is_written) = (self.tickets_made, contact.is_none());
        let channel =
            if is_written { self.dice.one_of(&WRITTEN_CHANNELS) } else { spoken_channel(matter.queue) };
        let facts = TicketFacts {
            topic: matter.topic.to_owned(),
            channel: channel.to_owned(),
            region: REGIONS.get(self.dice.below(REGIONS.len())).copied().unwrap_or_default().to_owned(),
            tier: matter.customer.map(tier).unwrap_or_default().to_owned(),
            ..TicketFacts::default()
        };
        let opening = NewTicket {
            ticket: self.ticket_id(ticket),
            kind: matter.kind.to_owned(),
            contact: contact.unwrap_or_default(),
            queue: if is_written { String::new() } else { plan(matter.queue).id.to_string() },
            caller: matter.customer.filter(|_| is_written).map(number_of).unwrap_or_default(),
            receiver: receiver.clone(),
            group,
            facts: Some(facts),
            description: if is_written {
                format!("Please see to it: {}", matter.topic)
            } else {
                String::new()
            },
        };
        self.ticket_desk_says(ticket, agent, matter.topic, TicketAction::Open(Box::new(opening)));
        let steps = Course::drawn(&mut self.dice, matter, &receiver, self.now, is_written);
        self.tickets.insert(ticket, Ticket { agent, topic: matter.topic, steps });
        self.plan_ticket(ticket);
    }

    /// Something comes that nobody called about: whoever is there receives it.
    pub(super) fn written_request(&mut self, matter: &Matter) {
        let here: Vec<usize> = self
            .agents
            .iter()
            .enumerate()
            .filter(|(_, agent)| agent.is_signed_in())
            .map(|(at, _)| at)
            .collect();
        if let Some(agent) = here.get(self.dice.below(here.len())) {
            self.open_ticket(None, *agent, matter);
        }
    }

    fn plan_ticket(&mut self, ticket: u64) {
        let after = self.tickets.get(&ticket).and_then(|known| known.steps.front()).map(|(after, _)| *after);
        match after {
            Some(after) => self.agenda.note(self.now.plus(after), What::Ticket { ticket }),
            None => drop(self.tickets.remove(&ticket)),
        }
    }

    pub(super) fn ticket_due(&mut self, ticket: u64) {
        let Some(known) = self.tickets.get_mut(&ticket) else { return };
        let Some((_, step)) = known.steps.pop_front() else { return };
        let (agent, topic) = (known.agent, known.topic);
        match step {
            Step::Do(command) => {
                self.count_step(&command);
                self.ticket_desk_says(ticket, agent, topic, TicketAction::Do(command));
            }
            Step::FindDuplicate => {
                let other = |(number, known): (&u64, &Ticket)| {
                    (*number != ticket && known.topic == topic).then_some(*number)
                };
                if let Some(primary) = self.tickets.iter().rev().find_map(other) {
                    let into = self.ticket_id(primary);
                    self.report.tickets_merged += 1;
                    self.tickets.remove(&ticket);
                    return self.ticket_desk_says(ticket, agent, topic, TicketAction::Merge { into });
                }
            }
            Step::GiveAway => self.give_away(ticket),
        }
        self.plan_ticket(ticket);
    }

    fn give_away(&mut self, ticket: u64) {
        let next = self.dice.below(self.agents.len());
        let Some(owner) = self.agents.get(next).map(|agent| agent.id.to_string()) else { return };
        let Some(known) = self.tickets.get_mut(&ticket) else { return };
        let (agent, topic) = (std::mem::replace(&mut known.agent, next), known.topic);
        let command = Reassign { owner, group: String::new(), reason: "shift_over".to_owned() };
        self.ticket_desk_says(ticket, agent, topic, TicketAction::Do(Box::new(Command::Reassign(command))));
    }

    fn count_step(&mut self, command: &Command) {
        let report = &mut self.report;
        match command {
            Command::Resolve(_) => report.tickets_resolved += 1,
            Command::Reopen(_) => report.tickets_reopened += 1,
            Command::Close(_) => report.tickets_closed += 1,
            Command::Cancel(_) => report.tickets_cancelled += 1,
            _ => {}
        }
    }

    /// The id of the ticket of this number: unique over runs that begin at different seconds.
    pub(super) fn ticket_id(&self, ticket: u64) -> String {
        format!("t{:x}-{ticket}", self.scenario.start.0 / Micros::SECOND.0)
    }
}

fn spoken_channel(queue: usize) -> &'static str {
    if QUEUES.get(queue).is_some_and(|queue| queue.channel == pegcount_domain::event::Channel::Chat) {
        "chat"
    } else {
        "phone"
    }
}

/// Few customers are of the first tier.
fn tier(customer: usize) -> &'static str {
    let place = match customer % 10 {
        0 => 0,
        1..4 => 1,
        _ => 2,
    };
    TIERS.get(place).copied().unwrap_or_default()
}

/// What will be done about a ticket.
struct Course<'d> {
    dice: &'d mut Dice,
    agent: String,
    /// When the ticket is opened, and how long after it the last step is.
    opened: Micros,
    reached: Micros,
    steps: VecDeque<(Micros, Step)>,
}

impl<'d> Course<'d> {
    fn drawn(
        dice: &'d mut Dice,
        matter: &Matter,
        agent: &str,
        opened: Micros,
        is_written: bool,
    ) -> VecDeque<(Micros, Step)> {
        let (agent, reached, steps) = (agent.to_owned(), Micros::ZERO, VecDeque::new());
        let mut course = Course { dice, agent, opened, reached, steps };
        course.take_in(matter, is_written);
        course.steps
    }

    fn then(&mut self, after: Micros, step: Step) {
        self.reached = self.reached.plus(after);
        self.steps.push_back((after, step));
    }

    /// So many seconds on the mean after the step before.
    fn later(&mut self, mean_s: f64, command: Command) {
        let after = self.dice.exponential(mean_s);
        self.then(after, Step::Do(Box::new(command)));
    }

    /// Within a minute or two.
    fn at_once(&mut self, command: Command) {
        let after = self.dice.between(5.0, 90.0);
        self.then(after, Step::Do(Box::new(command)));
    }

    fn take_in(&mut self, matter: &Matter, is_written: bool) {
        let accept = Command::Accept(Accept { owner: self.agent.clone() });
        if is_written {
            self.later(25.0 * MINUTE_S, accept);
        } else {
            self.at_once(accept);
        }
        let is_valid = !self.dice.chance(INVALID);
        self.classify(matter, is_valid);
        if !is_valid {
            let (reason, explanation) = ("no_matter".to_owned(), "letter/no-matter".to_owned());
            return self.later(2.0 * HOUR_S, Command::Cancel(Cancel { reason, explanation }));
        }
        if self.dice.chance(DUPLICATE) {
            let after = self.dice.between(2.0 * MINUTE_S, 10.0 * MINUTE_S);
            self.then(after, Step::FindDuplicate);
        }
        if self.dice.chance(PROMISED) {
            let by = self.dice.between(4.0 * HOUR_S, 48.0 * HOUR_S);
            let due_us = self.opened.plus(self.reached).plus(by).0;
            let by_customer = self.dice.chance(0.5);
            let target = TicketTarget::Resolve.into();
            self.at_once(Command::Promise(Promise { target, due_us, by_customer }));
        }
        match matter.kind {
            "repair" | "fault" => self.repair(),
            "complaint" => self.complaint(),
            _ => self.inquiry(),
        }
        self.end();
    }

    fn classify(&mut self, matter: &Matter, is_valid: bool) {
        use TicketSeverity::{Critical, Major, Minor, Normal};
        let severity = self.dice.weighted([0.15, 0.6, 0.2, 0.05].into_iter());
        let severity = [Minor, Normal, Major, Critical].get(severity).copied().unwrap_or(Normal);
        let urgent = self.dice.chance(if matter.kind == "repair" { 0.3 } else { 0.1 });
        let urgency = if urgent { TicketUrgency::Urgent } else { TicketUrgency::NotUrgent };
        let validity = if is_valid { TicketValidity::Valid } else { TicketValidity::Invalid };
        self.at_once(Command::Classify(TicketFacts {
            category: matter.topic.to_owned(),
            severity: severity.into(),
            urgency: urgency.into(),
            validity: validity.into(),
            ..TicketFacts::default()
        }));
    }

    fn inquiry(&mut self) {
        if self.dice.chance(CITES) {
            let helped = Some(self.dice.chance(CITED_HELPED));
            self.at_once(Command::Cite(Cite { article: "guide".to_owned(), helped }));
        }
        if self.dice.chance(SETTLED_AT_ONCE) {
            let way = TicketWayKind::Alone;
            return self.resolve(MINUTE_S, TicketWay { kind: way.into(), ..TicketWay::default() });
        }
        self.meanwhile();
        self.later(HOUR_S, Command::Inform(InContact::default()));
        self.settle(4.0 * HOUR_S);
    }

    fn complaint(&mut self) {
        self.later(40.0 * MINUTE_S, Command::Investigate(Nothing {}));
        if self.dice.chance(REPEATED) {
            self.later(3.0 * HOUR_S, Command::Repeat(InContact::default()));
        }
        if self.dice.chance(ESCALATED) {
            let (to, reason) = (String::new(), "important".to_owned());
            self.later(HOUR_S, Command::Escalate(Escalate { to, reason, emergency: false }));
        }
        self.later(HOUR_S, Command::Inform(InContact::default()));
        self.meanwhile();
        self.settle(6.0 * HOUR_S);
    }

    fn repair(&mut self) {
        self.visit(10.0 * MINUTE_S, TicketVisitStep::Requested);
        self.visit(15.0 * MINUTE_S, TicketVisitStep::AppointmentAgreed);
        self.visit(20.0 * MINUTE_S, TicketVisitStep::Approved);
        let to = self.dice.below(REGIONS.len()) + 1;
        let group = format!("field-{to}");
        self.later(20.0 * MINUTE_S, Command::Dispatch(Dispatch { group, to: String::new() }));
        self.later(3.0 * HOUR_S, Command::Arrive(Nothing {}));
        self.later(5.0 * MINUTE_S, Command::StartWork(Nothing {}));
        self.meanwhile();
        let photo = Attach { kind: "photo".to_owned(), reference: "photo/after".to_owned() };
        self.later(40.0 * MINUTE_S, Command::Attach(photo));
        self.visit(5.0 * MINUTE_S, TicketVisitStep::SlipSigned);
        self.resolve(5.0 * MINUTE_S, TicketWay { kind: TicketWayKind::Alone.into(), ..TicketWay::default() });
        self.visit(3.0 * HOUR_S, TicketVisitStep::SlipFiled);
    }

    fn visit(&mut self, mean_s: f64, step: TicketVisitStep) {
        let agreed = step == TicketVisitStep::AppointmentAgreed;
        let in_s = self.dice.between(2.0 * HOUR_S, 26.0 * HOUR_S);
        let appointment_us = agreed.then(|| self.opened.plus(self.reached).plus(in_s).0);
        let slip = if step == TicketVisitStep::SlipSigned { "slip/signed" } else { "" };
        let visit = Visit { step: step.into(), appointment_us, slip: slip.to_owned() };
        self.later(mean_s, Command::Visit(visit));
    }

    /// It waits for something, or somebody else goes on.
    fn meanwhile(&mut self) {
        if self.dice.chance(HELD) {
            let reason = self.dice.one_of(&["material", "customer", "weather"]).to_owned();
            self.later(20.0 * MINUTE_S, Command::Hold(Hold { reason }));
            self.later(5.0 * HOUR_S, Command::Resume(Nothing {}));
        }
        if self.dice.chance(GIVEN_AWAY) {
            let after = self.dice.exponential(2.0 * HOUR_S);
            self.then(after, Step::GiveAway);
        }
    }

    /// In one of the four ways.
    fn settle(&mut self, mean_s: f64) {
        let way = if self.dice.chance(DECLINED) {
            let (reason, alternative) = ("not_ours".to_owned(), "letter/other-office".to_owned());
            TicketWay { kind: TicketWayKind::Declined.into(), reason, alternative, ..TicketWay::default() }
        } else if self.dice.chance(WITH_APPROVAL) {
            let approver = || Approver { approver: "manager".to_owned() };
            self.later(30.0 * MINUTE_S, Command::AskApproval(approver()));
            self.later(2.0 * HOUR_S, Command::Approve(approver()));
            TicketWay { kind: TicketWayKind::WithApproval.into(), ..TicketWay::default() }
        } else if self.dice.chance(WITH_OTHERS) {
            let groups = vec!["billing".to_owned()];
            TicketWay { kind: TicketWayKind::WithOthers.into(), groups, ..TicketWay::default() }
        } else {
            TicketWay { kind: TicketWayKind::Alone.into(), ..TicketWay::default() }
        };
        self.resolve(mean_s, way);
    }

    fn resolve(&mut self, mean_s: f64, way: TicketWay) {
        let (agent, reason) = (self.agent.clone(), String::new());
        self.later(mean_s, Command::Resolve(Resolve { way: Some(way), agent, reason }));
    }

    /// What comes after it was resolved.
    fn end(&mut self) {
        let rework = self.dice.chance(DONE_AGAIN);
        if rework || self.dice.chance(REOPENED) {
            let (reason, agent) = (REOPEN_REASON.to_owned(), String::new());
            self.later(3.0 * HOUR_S, Command::Reopen(Reopen { reason, rework, agent }));
            self.later(30.0 * MINUTE_S, Command::StartWork(Nothing {}));
            self.resolve(
                2.0 * HOUR_S,
                TicketWay { kind: TicketWayKind::Alone.into(), ..TicketWay::default() },
            );
        }
        if self.dice.chance(CONFIRMED) {
            self.later(HOUR_S, Command::Confirm(Confirm { proof: String::new() }));
        }
        let (agent, reason) = (self.agent.clone(), String::new());
        self.later(HOUR_S, Command::Close(Close { agent, reason }));
    }
}
