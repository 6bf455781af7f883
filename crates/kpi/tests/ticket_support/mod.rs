//! Tickets to tell stories about: their events by name and time.
#![allow(dead_code, unreachable_pub, reason = "each test file tells other stories")]

use pegcount_domain::{
    deadlines::{Amount, ClockKind, Conditions, Policy, PolicySet, TargetRule},
    envelope::StreamKind,
    event::Event,
    ids::{
        AgentId, CategoryId, ContactId, CustomerId, Key, QueueId, ReasonCode, TeamId, TicketId, TicketKind,
    },
    ticketing::{FieldValue, Opening, Promiser, Status, TargetKind, TicketEvent, Validity, VisitStep},
    time::Micros,
};

use super::support::{Centre, t};

pub type T = TicketEvent<Key>;

/// What an opening says.
#[derive(Clone, Copy, Default)]
pub struct Opens<'a> {
    pub kind: &'a str,
    pub category: &'a str,
    pub receiver: &'a str,
    pub group: &'a str,
    pub queue: &'a str,
    pub tier: &'a str,
    pub region: &'a str,
    pub channel: &'a str,
    pub contact: &'a str,
    pub customer: &'a str,
}

/// A repair that `receiver` received.
pub fn repair(receiver: &str) -> Opens<'_> {
    Opens { kind: "repair", receiver, ..Opens::default() }
}

impl Centre {
    pub fn ticket(&mut self, ticket: &str, at: &str, event: T) -> u64 {
        self.record(StreamKind::Ticket, ticket, t(at), Event::Ticket(event))
    }

    pub fn open(&mut self, ticket: &str, at: &str, opens: Opens<'_>) -> u64 {
        let event = self.opening(opens);
        self.ticket(ticket, at, event)
    }

    pub fn opening(&mut self, opens: Opens<'_>) -> T {
        let mut some = |text: &str| (!text.is_empty()).then(|| self.key(text));
        let set = [
            some(opens.category).map(|key| FieldValue::Category(CategoryId(key))),
            some(opens.tier).map(FieldValue::Tier),
            some(opens.region).map(FieldValue::Region),
            some(opens.channel).map(FieldValue::Channel),
            some(opens.customer).map(|key| FieldValue::Customer(CustomerId(key))),
        ];
        TicketEvent::Opened(Box::new(Opening {
            receiver: some(opens.receiver).map(AgentId),
            group: some(opens.group).map(TeamId),
            queue: some(opens.queue).map(QueueId),
            contact: some(opens.contact).map(ContactId),
            set: set.into_iter().flatten().collect(),
            ..Opening::of(TicketKind(some(opens.kind).unwrap_or_default()))
        }))
    }

    pub fn accept(&mut self, ticket: &str, at: &str, owner: &str) -> u64 {
        let owner = AgentId(self.key(owner));
        self.ticket(ticket, at, TicketEvent::Accepted { owner })
    }

    pub fn tell(&mut self, ticket: &str, at: &str, set: Vec<FieldValue<Key>>) -> u64 {
        self.ticket(ticket, at, TicketEvent::Edited { set })
    }

    pub fn category(&mut self, ticket: &str, at: &str, category: &str) -> u64 {
        let category = FieldValue::Category(CategoryId(self.key(category)));
        self.ticket(ticket, at, TicketEvent::Classified { set: vec![category] })
    }

    pub fn validity(&mut self, ticket: &str, at: &str, validity: Validity) -> u64 {
        self.tell(ticket, at, vec![FieldValue::Validity(validity)])
    }

    pub fn dispatch(&mut self, ticket: &str, at: &str, group: &str) -> u64 {
        let group = Some(TeamId(self.key(group)));
        self.ticket(ticket, at, TicketEvent::Dispatched { group, to: None })
    }

    pub fn reassign(&mut self, ticket: &str, at: &str, owner: &str, group: &str) -> u64 {
        let mut some = |text: &str| (!text.is_empty()).then(|| self.key(text));
        let (owner, group) = (some(owner).map(AgentId), some(group).map(TeamId));
        let reason = ReasonCode(self.key("holiday"));
        self.ticket(ticket, at, TicketEvent::Reassigned { owner, group, reason })
    }

    pub fn hold(&mut self, ticket: &str, at: &str) -> u64 {
        let reason = ReasonCode(self.key("parts"));
        self.ticket(ticket, at, TicketEvent::Held { reason })
    }

    pub fn resume(&mut self, ticket: &str, at: &str) -> u64 {
        self.ticket(ticket, at, TicketEvent::Resumed)
    }

    pub fn inform(&mut self, ticket: &str, at: &str) -> u64 {
        self.ticket(ticket, at, TicketEvent::Informed { contact: None })
    }

    pub fn resolve(&mut self, ticket: &str, at: &str, by: &str) -> u64 {
        let agent = (!by.is_empty()).then(|| AgentId(self.key(by)));
        self.ticket(ticket, at, TicketEvent::Resolved { way: None, agent, reason: None })
    }

    pub fn reopen(&mut self, ticket: &str, at: &str, rework: bool) -> u64 {
        self.ticket(ticket, at, TicketEvent::Reopened { reason: None, rework: Some(rework), agent: None })
    }

    pub fn close(&mut self, ticket: &str, at: &str, by: &str) -> u64 {
        let agent = (!by.is_empty()).then(|| AgentId(self.key(by)));
        self.ticket(ticket, at, TicketEvent::Closed { agent, reason: None })
    }

    pub fn cancel(&mut self, ticket: &str, at: &str) -> u64 {
        let (reason, explanation) = (ReasonCode(self.key("spam")), self.key("sealed"));
        self.ticket(ticket, at, TicketEvent::Cancelled { reason, explanation })
    }

    pub fn merge(&mut self, ticket: &str, at: &str, into: &str) -> u64 {
        let into = TicketId(self.key(into));
        self.ticket(ticket, at, TicketEvent::Merged { into })
    }

    pub fn repeat(&mut self, ticket: &str, at: &str) -> u64 {
        self.ticket(ticket, at, TicketEvent::Repeated { contact: None })
    }

    pub fn promise(&mut self, ticket: &str, at: &str, target: TargetKind, due: &str) -> u64 {
        let (due, by) = (t(due), Promiser::Agent);
        self.ticket(ticket, at, TicketEvent::Promised { target, due, by })
    }

    pub fn visit(&mut self, ticket: &str, at: &str, step: VisitStep) -> u64 {
        self.ticket(ticket, at, TicketEvent::VisitStepped { step, appointment: None, slip: None })
    }

    /// From the beginning, or another instant, every ticket has these targets: so many hours of real time, paused while on hold.
    pub fn policy(&mut self, from: Micros, hours: &[(TargetKind, i64)]) {
        let rules = hours.iter().map(|(target, hours)| (*target, *hours, ClockKind::Calendar));
        self.policies(from, rules.collect());
    }

    pub fn policies(&mut self, from: Micros, rules: Vec<(TargetKind, i64, ClockKind<Key>)>) {
        let rule = |(target, hours, clock): (TargetKind, i64, ClockKind<Key>)| TargetRule {
            target,
            amount: Amount::Time(Micros(hours * Micros::HOUR.0)),
            clock,
            pauses: vec![Status::OnHold],
            warnings: Vec::new(),
            escalations: Vec::new(),
        };
        let targets = rules.into_iter().map(rule).collect();
        let policy = Policy { name: self.key("all"), when: Conditions::default(), targets };
        let set = PolicySet { policies: vec![policy], valid_from: from };
        self.record(StreamKind::Definition, "all", t("0"), Event::TicketPoliciesDefined(Box::new(set)));
    }
}
