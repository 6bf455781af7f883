//! Short words for tickets.

use pegcount_domain::{
    envelope::Version,
    ids::{CategoryId, ReasonCode, TicketId, TicketKind},
    ticketing::{FieldValue, Opening, TicketCommand, Way},
};
use pegcount_engine::{Carried, Engine, EngineError, OpenTicket, TicketAsker, TicketView};

use super::{agent, command, name, site};

pub fn id(ticket: &str) -> TicketId {
    TicketId::new(ticket).unwrap()
}

/// A repair that ann receives.
pub fn repair(ticket: &str) -> OpenTicket {
    let opening = Opening { receiver: Some(agent("ann")), ..Opening::of(TicketKind(name("repair"))) };
    OpenTicket { ticket: id(ticket), opening, caller: None, description: None }
}

pub async fn open(engine: &Engine, open: OpenTicket, number: u128) -> Result<Carried, EngineError> {
    let lead = name("lead");
    engine.open_ticket(&site(), open, &TicketAsker { actor: &lead, command_id: command(number) }).await
}

pub async fn ask(
    engine: &Engine,
    ticket: &str,
    wanted: TicketCommand,
    expected: Option<u64>,
    number: u128,
) -> Result<Carried, EngineError> {
    let lead = name("lead");
    let asker = TicketAsker { actor: &lead, command_id: command(number) };
    engine.ticket_command(&site(), &id(ticket), wanted, expected.map(Version), &asker).await
}

pub fn view(engine: &Engine, ticket: &str) -> TicketView {
    engine.ticket(&site(), &id(ticket)).unwrap()
}

pub fn accept() -> TicketCommand {
    TicketCommand::Accept { owner: agent("bob") }
}

pub fn classify() -> TicketCommand {
    TicketCommand::Classify { set: vec![FieldValue::Category(CategoryId(name("pipes")))] }
}

pub fn resolve() -> TicketCommand {
    TicketCommand::Resolve { way: Way::Alone, agent: Some(agent("bob")), reason: None }
}

pub fn reopen() -> TicketCommand {
    TicketCommand::Reopen { reason: ReasonCode(name("leaks again")), rework: true, agent: None }
}

pub fn close() -> TicketCommand {
    TicketCommand::Close { agent: Some(agent("bob")), reason: None }
}

/// Carries commands out one after the other, under ids from `first` on.
pub async fn all(
    engine: &Engine,
    ticket: &str,
    first: u128,
    commands: impl IntoIterator<Item = TicketCommand>,
) {
    for (asked, number) in commands.into_iter().zip(first..) {
        ask(engine, ticket, asked, None, number).await.unwrap();
    }
}
