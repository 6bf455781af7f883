//! Given / when / then for one ticket.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use pegcount_domain::{envelope::Version, ids::*, ticketing::*, time::Micros};

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn agent(text: &str) -> AgentId {
    AgentId(name(text))
}

pub fn reason(text: &str) -> ReasonCode {
    ReasonCode(name(text))
}

pub fn ticket_id(text: &str) -> TicketId {
    TicketId(name(text))
}

pub fn category(text: &str) -> FieldValue {
    FieldValue::Category(CategoryId(name(text)))
}

pub fn opening(kind: &str) -> Opening {
    Opening {
        kind: TicketKind(name(kind)),
        receiver: Some(agent("ann")),
        group: Some(TeamId(name("desk"))),
        contact: Some(ContactId(name("call-1"))),
        queue: None,
        split_from: None,
        set: vec![FieldValue::Channel(name("phone"))],
    }
}

pub fn accept() -> TicketCommand {
    TicketCommand::Accept { owner: agent("bob") }
}

pub fn classify(as_category: &str) -> TicketCommand {
    TicketCommand::Classify { set: vec![category(as_category)] }
}

pub fn dispatch(to: &str) -> TicketCommand {
    TicketCommand::Dispatch { group: None, to: Some(agent(to)) }
}

pub fn resolve() -> TicketCommand {
    settle(Way::Alone)
}

pub fn settle(way: Way) -> TicketCommand {
    TicketCommand::Resolve { way, agent: Some(agent("bob")), reason: None }
}

pub fn declined() -> Way {
    Way::Declined { reason: reason("not_ours"), alternative: name("sealed-1") }
}

pub fn hold() -> TicketCommand {
    TicketCommand::Hold { reason: reason("parts") }
}

pub fn reopen() -> TicketCommand {
    TicketCommand::Reopen { reason: reason("again"), rework: true, agent: None }
}

pub fn close() -> TicketCommand {
    TicketCommand::Close { agent: Some(agent("bob")), reason: None }
}

pub fn cancel() -> TicketCommand {
    TicketCommand::Cancel { reason: reason("prank"), explanation: name("sealed-2") }
}

pub fn attach(kind: &str) -> TicketCommand {
    TicketCommand::Attach { kind: name(kind), reference: name("ref-1") }
}

pub fn visit(step: VisitStep) -> TicketCommand {
    let appointment = (step == VisitStep::AppointmentAgreed).then_some(Micros::HOUR);
    let slip = (step == VisitStep::SlipSigned).then(|| name("slip-1"));
    TicketCommand::Visit { step, appointment, slip }
}

pub fn escalate(to: Option<&str>, emergency: bool) -> TicketCommand {
    TicketCommand::Escalate { to: to.map(name), reason: reason("stuck"), emergency }
}

pub fn repeat() -> TicketCommand {
    TicketCommand::Repeat { contact: None }
}

/// A ticket under test, with its kind's rules and all that has happened to it.
#[derive(Clone, Debug)]
pub struct Case {
    pub ticket: Ticket,
    pub rules: KindRules,
    pub history: Vec<(Micros, Name, TicketEvent)>,
}

impl Case {
    /// A repair that needs nothing, opened at 0 by `ann`.
    pub fn new() -> Self {
        Self::with(KindRules::free(TicketKind(name("repair"))))
    }

    pub fn with(rules: KindRules) -> Self {
        let event = decide_open(opening(rules.kind.as_str())).unwrap().remove(0);
        let ticket = Ticket::opened(&event, Micros::ZERO, &name("ann")).unwrap();
        Self { ticket, rules, history: vec![(Micros::ZERO, name("ann"), event)] }
    }

    /// Given: commands of `bob`, one a minute, none of them refused.
    pub fn given(mut self, commands: impl IntoIterator<Item = TicketCommand>) -> Self {
        for command in commands {
            let said = format!("{command:?}");
            if let Err(refusal) = self.when(command) {
                panic!("{said}: {refusal}");
            }
        }
        self
    }

    /// When: one more command; gives what happened.
    pub fn when(&mut self, command: TicketCommand) -> Result<Vec<TicketEvent>, TicketRefusal> {
        let events = decide(&self.ticket, &self.rules, command, Some(self.ticket.version))?;
        self.take(&events, "bob");
        Ok(events)
    }

    pub fn take(&mut self, events: &[TicketEvent], by: &str) {
        for event in events {
            let at = Micros(i64::try_from(self.history.len()).unwrap() * Micros::MINUTE.0);
            assert_eq!(self.ticket.apply(event, at, &name(by)), None, "{event:?}");
            self.history.push((at, name(by), event.clone()));
        }
    }

    /// Then: the refusal in words.
    pub fn refused(&self, command: TicketCommand) -> String {
        decide(&self.ticket, &self.rules, command, None).unwrap_err().to_string()
    }

    pub fn side<'a>(&'a self, id: &'a TicketId) -> Side<'a> {
        Side { id, ticket: &self.ticket, expected: Some(self.ticket.version) }
    }

    /// The same ticket from its history.
    pub fn told_again(&self) -> Ticket {
        let mut history = self.history.iter();
        let (at, by, event) = history.next().unwrap();
        let mut ticket = Ticket::opened(event, *at, by).unwrap();
        for (at, by, event) in history {
            ticket.apply(event, *at, by);
        }
        ticket
    }
}

pub fn version(version: u64) -> Version {
    Version(version)
}
