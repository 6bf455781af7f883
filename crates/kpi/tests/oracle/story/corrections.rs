//! What was wrong: facts annulled or amended, some more than once, some before later facts arrive.
//!
//! An amendment changes whatever a figure may hang on: who, where, which visit, which exit, whose contact, what journey.

use pegcount_domain::{
    envelope::{Recorded, StreamKind},
    event::{Direction, Event, LegRef, QueueExit},
    ids::{AgentId, ContactId, CustomerId, Key, QueueId, ReasonCode, TopicId, VisitId},
    ticketing::{Field, FieldValue, TicketEvent},
    time::Micros,
};

use super::{AGENTS, CUSTOMERS, Dice, QUEUES, arrival::Told, key};

/// Some facts are annulled or amended; the rest of the story goes on.
pub(super) fn correct(told: &mut Vec<Told>, dice: &mut Dice) {
    if told.is_empty() {
        return;
    }
    let facts = told.len();
    let end = told.iter().map(|told| told.arrives).max().unwrap();
    let mut targets: Vec<usize> = Vec::new();
    for _ in 0..dice.below(6 + i64::try_from(facts / 60).unwrap()) {
        let again = !targets.is_empty() && dice.chance(30);
        let target = if again { dice.pick(&targets) } else { any(told, facts, dice) };
        let only = Some(dice.chance(25)).filter(|only| *only && !again);
        let target = only.and_then(|_| only_naming(&told[..facts], dice)).unwrap_or(target);
        if told[target].recorded.stream.kind == StreamKind::Definition {
            continue;
        }
        targets.push(target);
        let annul = dice.chance(40);
        let correction = correction(&told[target].recorded, annul, dice);
        let from = told[target].arrives;
        let arrives = if dice.chance(50) { end } else { from + dice.below(end - from + 1) };
        told.push(Told { arrives, recorded: correction, corrects: Some(target) });
    }
}

/// A fact, rather one that others hang on.
fn any(told: &[Told], facts: usize, dice: &mut Dice) -> usize {
    let roll = |dice: &mut Dice| usize::try_from(dice.below(i64::try_from(facts).unwrap())).unwrap();
    let matters = |told: &Told| told.recorded.stream.kind != StreamKind::Agent;
    let first = roll(dice);
    if matters(&told[first]) { first } else { roll(dice) }
}

/// The only fact of a leg that names its agent.
fn only_naming(facts: &[Told], dice: &mut Dice) -> Option<usize> {
    let names = |told: &Told| match (&told.recorded.event, told.recorded.stream.kind) {
        (Event::Leg { leg, .. }, kind) if kind == StreamKind::Agent || leg.agent.is_some() => {
            Some((told.recorded.stream.site, leg.contact, leg.leg))
        }
        _ => None,
    };
    let all: Vec<_> = facts.iter().map(names).collect();
    let alone = |index: &usize| {
        all[*index].is_some() && all.iter().filter(|other| **other == all[*index]).count() == 1
    };
    let alone: Vec<usize> = (0..all.len()).filter(alone).collect();
    (!alone.is_empty()).then(|| dice.pick(&alone))
}

fn correction(fact: &Recorded, annul: bool, dice: &mut Dice) -> Recorded {
    let (target, reason) = (0, key("wrong"));
    let event = if annul {
        Event::Annulled { target, reason }
    } else {
        let shift = if dice.chance(50) { 0 } else { dice.below(1200) - 600 };
        let occurred_at = fact.occurred_at.plus(Micros::from_secs(shift));
        let event = Box::new(otherwise(fact, occurred_at, dice));
        Event::Amended { target, reason, occurred_at, event }
    };
    Recorded { source_seq: None, event, ..fact.clone() }
}

/// What really happened.
fn otherwise(fact: &Recorded, occurred_at: Micros, dice: &mut Dice) -> Event<Key> {
    if dice.chance(25) && !matches!(fact.event, Event::ConnectionLost { .. }) {
        return fact.event.clone();
    }
    match &fact.event {
        Event::ConnectionLost { .. } => Event::ConnectionLost { last_heard: occurred_at },
        Event::Ready => Event::NotReady { reason: ReasonCode(key("meal")) },
        Event::Leg { leg, step } => {
            let agent = dice.pick(&[None, Some(AgentId(key(dice.clone().pick(&AGENTS))))]);
            let visit = if dice.chance(30) { Some(VisitId(key("v 1"))) } else { leg.visit };
            Event::Leg { leg: LegRef { agent, visit, ..*leg }, step: *step }
        }
        Event::QueueEntered { visit, queue, priority } => {
            let other = VisitId(key(dice.pick(&["v 0", "v 1"])));
            let visit = if dice.chance(50) { other } else { *visit };
            let queue = if dice.chance(50) { QueueId(key(dice.pick(&QUEUES))) } else { *queue };
            Event::QueueEntered { visit, queue, priority: *priority }
        }
        Event::QueueLeft { visit, ringing, .. } => {
            let exits =
                [QueueExit::Answered, QueueExit::Abandoned, QueueExit::Overflow, QueueExit::CallbackTaken];
            let other = VisitId(key(dice.pick(&["v 0", "v 1"])));
            let visit = if dice.chance(25) { other } else { *visit };
            Event::QueueLeft { visit, exit: dice.pick(&exits), ringing: *ringing }
        }
        Event::ContactEnded { .. } if dice.chance(20) => {
            Event::ContactIdentified { customer: who(dice), topic: None }
        }
        started @ Event::ContactStarted { .. } => begun_otherwise(started, dice),
        Event::ContactIdentified { topic, .. } => {
            Event::ContactIdentified { customer: who(dice), topic: *topic }
        }
        Event::WrappedUp { code, .. } => Event::WrappedUp {
            code: *code,
            topic: dice.pick(&[None, Some(TopicId(key("topic 0"))), Some(TopicId(key("topic 1")))]),
            resolved: dice.pick(&[None, Some(true), Some(false)]),
        },
        opened @ Event::Ticket(TicketEvent::Opened(_)) => opened_otherwise(opened, dice),
        Event::Ticket(TicketEvent::Resolved { agent, reason, .. }) if dice.chance(50) => {
            Event::Ticket(TicketEvent::Reopened { reason: *reason, rework: None, agent: *agent })
        }
        other => other.clone(),
    }
}

fn who(dice: &mut Dice) -> Option<CustomerId<Key>> {
    let customer = CustomerId(key(dice.pick(&CUSTOMERS)));
    dice.chance(75).then_some(customer)
}

fn some_contact(dice: &mut Dice) -> Option<ContactId<Key>> {
    let contact = ContactId(key(&format!("c {}", dice.below(8))));
    dice.chance(70).then_some(contact)
}

fn begun_otherwise(fact: &Event<Key>, dice: &mut Dice) -> Event<Key> {
    let mut fact = fact.clone();
    if let Event::ContactStarted { direction, customer, journey, callback, .. } = &mut fact {
        match dice.below(4) {
            0 => *customer = who(dice),
            1 => *journey = some_contact(dice),
            2 => *callback = !*callback,
            _ => *direction = dice.pick(&[Direction::Inbound, Direction::Outbound]),
        }
    }
    fact
}

fn opened_otherwise(fact: &Event<Key>, dice: &mut Dice) -> Event<Key> {
    let mut fact = fact.clone();
    if let Event::Ticket(TicketEvent::Opened(opening)) = &mut fact {
        match dice.below(3) {
            0 => opening.contact = some_contact(dice),
            1 => {
                opening.set.retain(|value| value.field() != Field::Customer);
                opening.set.extend(who(dice).map(FieldValue::Customer));
            }
            _ => opening.set.retain(|value| value.field() != Field::Topic),
        }
    }
    fact
}
