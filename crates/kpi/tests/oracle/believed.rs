//! Two reporters of one leg: each field has one who is believed.
//!
//! Invariant: the exchange is believed for offer, answer, hold and end, the softphone for after-call work; whoever is
//! alone is believed for all.

use pegcount_domain::{
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
pub fn believed(facts: &[Recorded]) -> Vec<(Event<Key>, Micros)> {
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
            let field = field(step);
            let other = match (field, fact.stream.kind) {
                (8, StreamKind::Contact) => reports(key, StreamKind::Agent, 8),
                (8, _) | (_, StreamKind::Contact) => false,
                _ => reports(key, StreamKind::Contact, field),
            };
            if other {
                continue;
            }
            if let LegStep::Ended { after_call_expected, .. } = step {
                *after_call_expected = promised(facts, key).unwrap_or(*after_call_expected);
            }
        }
        believed.push((event, fact.occurred_at));
    }
    believed
}

/// Whether the softphone's last word on the leg's end is that work follows.
fn promised(facts: &[Recorded], key: LegKey) -> Option<bool> {
    facts.iter().rev().find_map(|fact| match &fact.event {
        Event::Leg { step: LegStep::Ended { after_call_expected, .. }, .. }
            if fact.stream.kind == StreamKind::Agent && leg_key(&fact.event) == Some(key) =>
        {
            Some(*after_call_expected)
        }
        _ => None,
    })
}
