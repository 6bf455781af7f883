//! Events in archived figures: as the log keeps them, by numbers or by fingerprints instead of names.
//!
//! The payload is the log's own, which must be readable for ever; so what tickets and definitions say needs no second form. Invariant: an
//! event that is restored is the event that was archived.

use pegcount_domain::{
    calendar::CalendarDefinition,
    definitions::Definitions,
    event::{Event, EventType},
    ids::{Key, Name},
    ticketing::TicketEvent,
    working::CalendarChange,
};
use pegcount_proto::{Encoded, decode, encode, stored};

use super::{ArchiveError, Counts, key_bytes, key_of};
use crate::{names::Id, ticket::facts::mapped};

type Read<T> = Result<T, ArchiveError>;

/// A number or a fingerprint in the place of a name. Digits are always a name.
fn digits(text: &str) -> Name {
    Name::new(text).unwrap_or(Name::fixed("0"))
}

fn known(encoded: Encoded) -> (stored::KnownEvent, Vec<Name>) {
    let event = stored::KnownEvent {
        r#type: encoded.event_type.0.into(),
        schema_version: encoded.schema_version.into(),
        payload: encoded.payload.to_vec().into(),
        ..stored::KnownEvent::default()
    };
    (event, encoded.names.into_vec())
}

fn read<N: Copy>(event: &stored::KnownEvent, names: &[N]) -> Read<Event<N>> {
    let wrong = || ArchiveError::Wrong("an event cannot be read");
    let event_type = EventType(u16::try_from(event.r#type).map_err(|_| wrong())?);
    let schema = u16::try_from(event.schema_version).map_err(|_| wrong())?;
    let name = |place: u32| names.get(usize::try_from(place).ok()?).copied();
    decode(event_type, schema, &event.payload, name).map_err(|_| wrong())
}

/// A ticket's event.
pub(super) fn ticket_event(event: &TicketEvent<Id>) -> stored::KnownEvent {
    let told = mapped(event, &mut |id: &Id| digits(&id.0.to_string()), &Name::fixed("0"));
    let Some(told) = told else { return stored::KnownEvent::default() };
    let (mut out, names) = known(encode(&Event::Ticket(told)));
    out.numbers = names.iter().map(|name| name.as_str().parse().unwrap_or_default()).collect();
    out
}

/// The same event again.
pub(super) fn ticket_event_of(event: &stored::KnownEvent, counts: Counts) -> Read<TicketEvent<Id>> {
    let numbers = event.numbers.iter().map(|number| counts.name(*number)).collect::<Read<Vec<Id>>>()?;
    match read(event, &numbers)? {
        Event::Ticket(event) => Ok(event),
        _ => Err(ArchiveError::Wrong("a ticket's fact is no event of a ticket")),
    }
}

/// What targets are reckoned by: calendars, their changes, policies.
pub(super) fn target_rules(definitions: &Definitions<Key>) -> impl Iterator<Item = stored::KnownEvent> {
    let hex = |key: &Key| digits(&format!("{:032x}", key.0));
    let calendars = definitions.calendars().map(move |defined| {
        Event::CalendarDefined(Box::new(CalendarDefinition {
            calendar: hex(&defined.calendar),
            time_zone: hex(&defined.time_zone),
            windows: defined.windows.clone(),
            holidays: defined
                .holidays
                .iter()
                .map(|holiday| pegcount_domain::calendar::Holiday { date: holiday.date, name: None })
                .collect(),
            make_up_days: defined.make_up_days.clone(),
            valid_from: defined.valid_from,
        }))
    });
    let changes = definitions.calendar_changes().map(move |changed| {
        let calendar = hex(&changed.calendar);
        Event::CalendarChanged(Box::new(CalendarChange { calendar, change: changed.change.clone() }))
    });
    let policies =
        definitions.policies().map(move |set| Event::TicketPoliciesDefined(Box::new(set.map(&mut { hex }))));
    calendars.chain(changes).chain(policies).map(|event| {
        let (mut out, names) = known(encode(&event));
        let key = |name: &Name| u128::from_str_radix(name.as_str(), 16).unwrap_or_default();
        out.keys = names.iter().map(|name| key_bytes(Key(key(name)))).collect();
        out
    })
}

/// The same definition again.
pub(super) fn target_rule_of(event: &stored::KnownEvent) -> Read<Event<Key>> {
    let keys = event.keys.iter().map(|key| key_of(key)).collect::<Read<Vec<Key>>>()?;
    read(event, &keys)
}
