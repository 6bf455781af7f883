//! A narrow door for tests that feed decoders bytes that nobody wrote: stored payloads, facts, items of a dump.
//!
//! Not for programs: it is compiled with the feature `fuzzing` only. Each function says in words what the bytes mean, none if
//! they are refused, and an error if a rule was broken. Invariant: bytes are read as the program reads them.

use std::fmt::Debug;

use pegcount_domain::{
    event::{Event, EventType},
    ids::Name,
};
use prost::Message;

use crate::{CheckedFact, SCHEMA_VERSION, check_fact, decode, encode, stored, v1};

/// What came of some bytes.
pub type Outcome = Result<Option<String>, String>;

/// An event's type (2 bytes), and then its payload; its names are any eight.
pub fn stored_payload(bytes: &[u8]) -> Outcome {
    let Some((event_type, payload)) = bytes.split_first_chunk() else { return Ok(None) };
    let event_type = EventType(u16::from_le_bytes(*event_type));
    let Ok(event) = decode(event_type, SCHEMA_VERSION, payload, some_name) else { return Ok(None) };
    if event.event_type() != event_type {
        return Err(format!("{event_type:?} is read as {event:?}"));
    }
    event_comes_back(&event)
}

/// A fact as a client sends it.
pub fn fact(bytes: &[u8]) -> Outcome {
    let Ok(fact) = v1::Fact::decode(bytes) else { return Ok(None) };
    match check_fact(fact.fact.as_ref()) {
        Ok(CheckedFact { event, .. }) => event_comes_back(&event),
        Err(refusal) if refusal.field.is_empty() || refusal.reason.is_empty() => {
            Err(format!("a refusal that does not say what is wrong: {refusal:?}"))
        }
        Err(_) => Ok(None),
    }
}

/// An item of a dump, without its length.
pub fn dump_item(bytes: &[u8]) -> Outcome {
    let Ok(item) = stored::DumpItem::decode(bytes) else { return Ok(None) };
    same(&item, stored::DumpItem::decode(item.encode_to_vec().as_slice()).ok().as_ref())
}

/// Payloads of some types.
pub fn stored_payload_samples() -> Vec<Vec<u8>> {
    let checked = facts().into_iter().filter_map(|fact| check_fact(fact.fact.as_ref()).ok());
    let payload = |checked: CheckedFact| {
        let encoded = encode(&checked.event);
        [encoded.event_type.0.to_le_bytes().as_slice(), &encoded.payload].concat()
    };
    checked.map(payload).collect()
}

/// Facts of agents and of contacts.
pub fn fact_samples() -> Vec<Vec<u8>> {
    facts().iter().map(Message::encode_to_vec).collect()
}

/// A header, an event, an end.
pub fn dump_item_samples() -> Vec<Vec<u8>> {
    use stored::dump_item::Item;
    let event = stored::DumpedEvent {
        position: 7,
        site: "north".to_owned(),
        kind: "agent".to_owned(),
        id: "anna".to_owned(),
        version: 1,
        type_number: 101,
        schema_version: 1,
        occurred_at_us: -5,
        on_behalf_of: Some("somebody".to_owned()),
        source_epoch: vec![9; 16].into(),
        names: vec!["lunch".to_owned()],
        payload: vec![8, 1].into(),
        ..Default::default()
    };
    let header = stored::DumpHeader { pegcount_dump: 1, incarnation: vec![7; 16].into(), first: None };
    let items = [Item::Header(header), Item::Event(event), Item::End(stored::DumpEnd { events: 1 })];
    items.map(|item| stored::DumpItem { item: Some(item) }.encode_to_vec()).into()
}

fn facts() -> Vec<v1::Fact> {
    use v1::{agent_fact::Action as Agent, contact_fact::Action as Contact, fact::Fact};
    let agent = |action| Fact::Agent(v1::AgentFact { agent: "anna".to_owned(), action: Some(action) });
    let contact = |action| Fact::Contact(v1::ContactFact { contact: "c1".to_owned(), action: Some(action) });
    let entered = v1::QueueEntered { visit: "1".to_owned(), queue: "sales".to_owned(), priority: 3 };
    let started = v1::ContactStarted { channel: 1, direction: 1, ..Default::default() };
    let facts = [
        agent(Agent::SignedIn(v1::Nothing {})),
        agent(Agent::NotReady(v1::NotReady { reason: "meal".to_owned() })),
        contact(Contact::Started(started)),
        contact(Contact::QueueEntered(entered)),
        contact(Contact::QueueLeft(v1::QueueLeft { visit: "1".to_owned(), exit: 2, ringing: true })),
    ];
    let numbered = facts.into_iter().zip(1..);
    numbered
        .map(|(fact, seq)| v1::Fact { seq, source_time_us: 1_772_355_600_000_000, fact: Some(fact) })
        .collect()
}

fn some_name(index: u32) -> Option<Name> {
    const NAMES: [&str; 8] = ["anna", "sales", "c1", "1", "meal", "north", "Köln", "ben"];
    NAMES.get(usize::try_from(index).ok()?).map(|name| Name::fixed(name))
}

/// An event that was read is the same when it is stored and read again.
fn event_comes_back(event: &Event) -> Outcome {
    let encoded = encode(event);
    let name_of = |index| encoded.names.get(usize::try_from(index).ok()?).cloned();
    same(event, decode(encoded.event_type, encoded.schema_version, &encoded.payload, name_of).ok().as_ref())
}

fn same<T: Debug + PartialEq>(read: &T, again: Option<&T>) -> Outcome {
    if again == Some(read) {
        Ok(Some(format!("{read:?}")))
    } else {
        Err(format!("{read:?} is read again as {again:?}"))
    }
}
