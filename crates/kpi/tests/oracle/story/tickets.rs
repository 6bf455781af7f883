//! What is said of a contact afterwards: wrap-ups, now or late, and tickets, for its customer or for another one.

use pegcount_domain::{
    envelope::StreamKind,
    event::Event,
    ids::{AgentId, ContactId, CustomerId, Key, QueueId, TicketKind, TopicId, WrapUpCode},
    ticketing::{FieldValue, Opening, TicketEvent},
};

use super::{AGENTS, DAY, QUEUES, Teller, key};

impl Teller {
    pub(super) fn wrap_ups(&mut self, contact: &str, last: i64) {
        for _ in 0..self.tickets.pick(&[0, 0, 1, 1, 2, 3]) {
            let dice = &mut self.tickets;
            let code = WrapUpCode(key("done"));
            let topic = dice.chance(40).then(|| TopicId(key(dice.pick(&["topic 0", "topic 1"]))));
            let resolved = dice.pick(&[None, Some(true), Some(true), Some(false)]);
            let after = [0, 0, 0, -30, 40, 600, 7200, DAY, 8 * DAY];
            let at = last + dice.pick(&after) + dice.pick(&[0, dice.clone().below(60)]);
            self.put(StreamKind::Contact, contact, at, Event::WrappedUp { code, topic, resolved });
        }
    }

    pub(super) fn ticket(&mut self, index: i64, last: i64, customer: Option<CustomerId<Key>>) {
        let id = format!("t {index}");
        let agent = Some(AgentId(key(self.tickets.pick(&AGENTS))));
        let another = self.customer(100);
        let dice = &mut self.tickets;
        let queue = QueueId(key(dice.pick(&QUEUES)));
        // Mostly in this contact, sometimes in another one.
        let contact = if dice.chance(90) { index } else { dice.below(index + 2) };
        let contact = dice.chance(90).then(|| ContactId(key(&format!("c {contact}"))));
        let customer = dice.pick(&[None, None, customer, customer, another]).map(FieldValue::Customer);
        let topic = dice.chance(50).then(|| TopicId(key(dice.pick(&["topic 0", "topic 1"]))));
        let opened = TicketEvent::Opened(Box::new(Opening {
            receiver: agent,
            contact,
            queue: dice.chance(80).then_some(queue),
            set: customer.into_iter().chain(topic.map(FieldValue::Topic)).collect(),
            ..Opening::of(TicketKind(key("repair")))
        }));
        let late = dice.pick(&[0, 0, 0, 0, 900, DAY]);
        let at = last - 5 + late;
        let mut now = last - dice.below(4) + late + dice.pick(&[0, 0, 0, 3, 600]);
        self.put(StreamKind::Ticket, &id, at, Event::Ticket(opened));
        let (way, reason, rework) = (None, None, None);
        self.put(
            StreamKind::Ticket,
            &id,
            now,
            Event::Ticket(TicketEvent::Resolved { way: way.clone(), agent, reason }),
        );
        while self.tickets.chance(35) {
            now += self.tickets.pick(&[0, 60, 9 * DAY]);
            now += self.tickets.below(3600);
            self.put(
                StreamKind::Ticket,
                &id,
                now,
                Event::Ticket(TicketEvent::Reopened { reason, rework, agent }),
            );
            now += self.tickets.below(3600);
            self.put(
                StreamKind::Ticket,
                &id,
                now,
                Event::Ticket(TicketEvent::Resolved { way: way.clone(), agent, reason }),
            );
        }
        self.put(StreamKind::Ticket, &id, now + 60, Event::Ticket(TicketEvent::Closed { agent, reason }));
    }
}
