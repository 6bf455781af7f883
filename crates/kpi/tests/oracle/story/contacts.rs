//! Contacts, the journeys that they belong to, and their visits to queues.

use pegcount_domain::{
    envelope::StreamKind,
    event::{Channel, Direction, Event, Party, QueueExit},
    ids::{ContactId, CustomerId, EntryId, Key, QueueId, TopicId, VisitId},
};

use super::{CUSTOMERS, DAY, QUEUES, Teller, key};

/// What was told of an earlier contact.
#[derive(Clone, Debug)]
pub(super) struct Past {
    index: i64,
    started: i64,
    last: i64,
    customer: Option<CustomerId<Key>>,
}

/// How a contact begins.
struct Beginning {
    at: i64,
    direction: Direction,
    customer: Option<CustomerId<Key>>,
    journey: Option<ContactId<Key>>,
    callback: bool,
    /// Answered as soon as it came.
    prompt: bool,
}

const EXITS: [QueueExit; 9] = [
    QueueExit::Answered,
    QueueExit::Answered,
    QueueExit::Answered,
    QueueExit::Abandoned,
    QueueExit::Abandoned,
    QueueExit::CallbackTaken,
    QueueExit::Overflow,
    QueueExit::Transferred,
    QueueExit::AnsweredElsewhere,
];

impl Teller {
    pub(super) fn call(&mut self, index: i64) {
        let contact = format!("c {index}");
        let beginning = self.beginning(index);
        let at = beginning.at;
        self.begin(&contact, &beginning);
        let mut last = at;
        let visits = if beginning.prompt { 1 } else { self.dice.pick(&[0, 1, 1, 1, 2]) };
        let together = self.dice.chance(40);
        for visit in 0..visits {
            let enter = if together { at + self.dice.below(10) } else { last + self.dice.below(5) };
            let enter = if beginning.prompt { at } else { enter };
            last = last.max(self.visit(&contact, visit, enter, beginning.prompt));
        }
        if visits == 0 && self.dice.chance(50) {
            last = self.leg(&contact, 9, None, "", at);
        }
        self.wrap_ups(&contact, last);
        if self.dice.chance(85) {
            let by = self.dice.pick(&[Some(Party::Customer), Some(Party::Agent), None]);
            let self_served = visits == 0 && self.dice.chance(50);
            let at = if self.routing.chance(5) { last + self.routing.below(600) - 300 } else { last };
            self.put(StreamKind::Contact, &contact, at, Event::ContactEnded { by, self_served });
        }
        self.past.push(Past { index, started: at, last, customer: beginning.customer });
        if self.tickets.chance(35) {
            self.ticket(index, last, beginning.customer);
        }
    }

    /// Out of the blue, or because of an earlier contact.
    fn beginning(&mut self, index: i64) -> Beginning {
        let mut at = self.start + self.dice.below(4 * 3600);
        if self.dice.chance(10) {
            at += 6 * DAY + self.dice.below(2 * DAY);
        }
        let customer = self.customer(70);
        let direction = self.journeys.pick(&[
            Direction::Inbound,
            Direction::Inbound,
            Direction::Inbound,
            Direction::Inbound,
            Direction::Outbound,
            Direction::Internal,
        ]);
        let mut beginning =
            Beginning { at, direction, customer, journey: None, callback: false, prompt: false };
        let dice = &mut self.journeys;
        if dice.chance(3) {
            let strange = dice.pick(&[index, index + 1, 39]);
            beginning.journey = Some(ContactId(key(&format!("c {strange}"))));
        }
        if self.past.is_empty() {
            return beginning;
        }
        let past = dice.pick(&self.past);
        let journey = Some(ContactId(key(&format!("c {}", past.index))));
        match dice.below(100) {
            // The customer goes on with it.
            0..15 => {
                beginning.journey = journey;
                beginning.customer = if dice.chance(85) { past.customer } else { customer };
                beginning.at = past.last + dice.pick(&[0, 60, 3600, 5 * DAY]) + dice.below(1800);
            }
            // We call back.
            15..25 => {
                beginning.journey = journey.filter(|_| dice.chance(80));
                beginning.callback = true;
                beginning.direction =
                    dice.pick(&[Direction::Outbound, Direction::Outbound, Direction::Inbound]);
                beginning.customer = past.customer;
                beginning.at = past.last + dice.below(7200);
            }
            // Again within, at or past half an hour, or a week.
            25..33 => {
                let from = dice.pick(&[past.started + 1800, past.last + 7 * DAY, past.started, past.last]);
                beginning.at = from + dice.pick(&[-1, 0, 0, 0, 1]);
                beginning.customer = past.customer;
                beginning.direction = Direction::Inbound;
                beginning.prompt = dice.chance(80);
            }
            _ => {}
        }
        beginning
    }

    pub(super) fn customer(&mut self, known: i64) -> Option<CustomerId<Key>> {
        let who = self.dice.pick(&CUSTOMERS);
        self.dice.chance(known).then(|| CustomerId(key(who)))
    }

    fn begin(&mut self, contact: &str, beginning: &Beginning) {
        let Beginning { at, direction, customer, journey, callback, .. } = *beginning;
        let started = Event::ContactStarted {
            channel: self.dice.pick(&[Channel::Voice, Channel::Chat]),
            direction,
            entry: self.dice.chance(95).then_some(EntryId(key(self.dice.pick(&["hotline", "web form"])))),
            // Some are known only later.
            customer: customer.filter(|_| self.journeys.chance(90)),
            journey,
            callback,
            priority: 0,
        };
        self.put(StreamKind::Contact, contact, at, started);
        if self.dice.chance(25) {
            let topic = self.dice.chance(50).then(|| TopicId(key(self.dice.pick(&["topic 0", "topic 1"]))));
            let customer = if self.journeys.chance(70) { customer } else { self.customer(70) };
            let at = at + self.dice.below(60) + self.journeys.pick(&[0, 0, 0, 7200, DAY]);
            self.put(StreamKind::Contact, contact, at, Event::ContactIdentified { customer, topic });
        }
    }

    /// One visit; gives the end of what came of it.
    fn visit(&mut self, contact: &str, index: i64, enter: i64, prompt: bool) -> i64 {
        let queue = self.dice.pick(&QUEUES);
        let visit = VisitId(key(&format!("v {index}")));
        let entered = Event::QueueEntered {
            visit,
            queue: QueueId(key(queue)),
            priority: self.journeys.pick(&[0, 0, 1, 900]),
        };
        self.put(StreamKind::Contact, contact, enter, entered);
        let mut at = enter + self.dice.pick(&[0, 2, 5, 10, 20, 21, 60, 300, 2000]);
        let mut exit = self.dice.pick(&EXITS);
        if prompt {
            (at, exit) = (enter, QueueExit::Answered);
        } else if self.dice.chance(20) {
            at = self.ring_no_answer(contact, visit, queue, at);
        }
        let ringing = self.dice.chance(30);
        let answered = exit == QueueExit::Answered;
        // Of an answer the exchange may say nothing, since the leg tells it.
        if !(answered && self.routing.chance(25)) {
            self.put(StreamKind::Contact, contact, at, Event::QueueLeft { visit, exit, ringing });
        }
        if self.routing.chance(10) {
            let again = at + self.routing.below(120) - 20;
            let exit = self.routing.pick(&EXITS);
            self.put(StreamKind::Contact, contact, again, Event::QueueLeft { visit, exit, ringing });
        }
        if answered || self.routing.chance(6) {
            let named = Some(visit).filter(|_| self.routing.chance(80));
            self.leg(contact, index, named, queue, at)
        } else {
            at
        }
    }
}
