//! Two reporters of one leg: each field has one who is believed.
//!
//! Invariant: the exchange is believed for offer, answer, hold and end, the softphone for after-call work, unless the site
//! has defined it otherwise; whoever is alone is believed for all.

use pegcount_domain::{
    authority::Reporter,
    definitions::Definitions,
    envelope::{Recorded, StreamKind},
    event::{Event, LegRef, LegStep},
    ids::Key,
    time::Micros,
};

/// Contact and leg.
pub type LegKey = (Key, Key);

pub fn leg_key(event: &Event<Key>) -> Option<LegKey> {
    match event {
        Event::Leg { leg, .. } => Some((leg.contact.0, leg.leg.0)),
        Event::OutboundAssigned { contact, leg } => Some((contact.0, leg.0)),
        _ => None,
    }
}

pub fn of_leg(event: &Event<Key>, key: LegKey) -> Option<&LegRef<Key>> {
    match event {
        Event::Leg { leg, .. } if (leg.contact.0, leg.leg.0) == key => Some(leg),
        _ => None,
    }
}

pub fn is_assignment(event: &Event<Key>, key: LegKey) -> bool {
    matches!(event, Event::OutboundAssigned { .. }) && leg_key(event) == Some(key)
}

/// A field of a leg's reports.
fn field(step: &LegStep<Key>) -> u8 {
    match step {
        LegStep::Offered => 1,
        LegStep::Ringing => 2,
        LegStep::Dialing => 3,
        LegStep::Answered => 4,
        LegStep::Held
        | LegStep::Retrieved
        | LegStep::Consulting
        | LegStep::Conferenced
        | LegStep::Interrupted => 5,
        LegStep::Transferred { .. } => 6,
        LegStep::Missed
        | LegStep::Rejected
        | LegStep::CustomerGone
        | LegStep::Failed
        | LegStep::Ended { .. } => 7,
        LegStep::AfterCallStarted | LegStep::AfterCallEnded => 8,
    }
}

/// What an agent's facts say once each field is taken from the one who is believed, in order.
pub fn believed(facts: &[Recorded], definitions: &Definitions<Key>) -> Vec<(Event<Key>, Micros)> {
    let reports = |key: LegKey, kind: StreamKind, wanted: u8| {
        facts.iter().any(|fact| {
            fact.stream.kind == kind
                && matches!(&fact.event, Event::Leg { step, .. } if field(step) == wanted)
                && leg_key(&fact.event) == Some(key)
        })
    };
    let mut believed = Vec::new();
    for fact in facts {
        let mut event = fact.event.clone();
        if let Event::Leg { leg, step } = &mut event {
            let key = (leg.contact.0, leg.leg.0);
            // Whatever a later fact says of the queue was so from the beginning: its rules hold for all of the leg.
            leg.queue = facts.iter().find_map(|fact| of_leg(&fact.event, key)?.queue);
            let field = field(step);
            let first = first_believed(facts, key, field, definitions);
            if fact.stream.kind != first && reports(key, first, field) {
                continue;
            }
            if let LegStep::Ended { after_call_expected, .. } = step {
                let first = first_believed(facts, key, 8, definitions);
                *after_call_expected = promised(facts, key, first).unwrap_or(*after_call_expected);
            }
        }
        believed.push((event, fact.occurred_at));
    }
    believed
}

/// Whose word on a field comes first, as defined at the leg's earliest fact.
fn first_believed(facts: &[Recorded], key: LegKey, field: u8, definitions: &Definitions<Key>) -> StreamKind {
    let own = facts.iter().filter(|fact| leg_key(&fact.event) == Some(key));
    let earliest = own.map(|fact| fact.occurred_at).min().unwrap();
    let said = definitions.authority_at(earliest).and_then(|authority| {
        authority.believed.iter().find(|(known, _)| known.code() == field).map(|(_, reporter)| *reporter)
    });
    match said {
        Some(Reporter::Softphone) => StreamKind::Agent,
        None if field == 8 => StreamKind::Agent,
        Some(Reporter::Exchange) | None => StreamKind::Contact,
    }
}

/// Whether the last word of whoever is believed on the leg's end is that work follows.
fn promised(facts: &[Recorded], key: LegKey, first: StreamKind) -> Option<bool> {
    facts.iter().rev().find_map(|fact| match &fact.event {
        Event::Leg { step: LegStep::Ended { after_call_expected, .. }, .. }
            if fact.stream.kind == first && leg_key(&fact.event) == Some(key) =>
        {
            Some(*after_call_expected)
        }
        _ => None,
    })
}
