//! What is said of a contact afterwards: wrap-ups, now or late, and tickets, for its customer or for another one.

use pegcount_domain::{
    envelope::StreamKind,
    event::Event,
    ids::{
        AgentId, CategoryId, ContactId, CustomerId, Key, QueueId, ReasonCode, TeamId, TicketId, TicketKind,
        TopicId, WrapUpCode,
    },
    ticketing::{FieldValue, Opening, Promiser, TargetKind, TicketEvent, Urgency, Validity, VisitStep},
    time::Micros,
};

use super::{AGENTS, DAY, Dice, QUEUES, Teller, key};

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
            group: dice.chance(40).then(|| TeamId(key(dice.pick(&GROUPS)))),
            set: customer.into_iter().chain(topic.map(FieldValue::Topic)).chain(told(dice)).collect(),
            ..Opening::of(TicketKind(key(dice.pick(&["repair", "complaint"]))))
        }));
        let late = dice.pick(&[0, 0, 0, 0, 900, DAY]);
        let at = last - 5 + late;
        let mut now = last - dice.below(4) + late + dice.pick(&[0, 0, 0, 3, 600]);
        self.put(StreamKind::Ticket, &id, at, Event::Ticket(opened));
        if self.tickets.chance(60) {
            now = self.work(&id, at, now);
        }
        let (way, reason) = (None, None);
        let rework = self.tickets.pick(&[None, Some(true), Some(false)]);
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

    /// What happens to a ticket before it is settled; when it will be.
    fn work(&mut self, id: &str, opened: i64, settled: i64) -> i64 {
        let mut now = opened;
        for _ in 0..self.tickets.below(7) {
            now += self.tickets.pick(&[1, 40, 1800, 7200, DAY]) + self.tickets.below(600);
            let event = self.step(now);
            self.put(StreamKind::Ticket, id, now, Event::Ticket(event));
        }
        settled.max(now + 1)
    }

    fn step(&mut self, now: i64) -> TicketEvent<Key> {
        let dice = &mut self.tickets;
        let agent = AgentId(key(dice.pick(&AGENTS)));
        let group = dice.chance(50).then(|| TeamId(key(dice.pick(&GROUPS))));
        let reason = ReasonCode(key("done"));
        let set: Vec<_> = told(dice).collect();
        match dice.below(16) {
            0 | 1 => TicketEvent::Accepted { owner: agent },
            2 => TicketEvent::Classified { set },
            3 => TicketEvent::Edited { set },
            4 => TicketEvent::Dispatched { group, to: None },
            5 => TicketEvent::Held { reason },
            6 => TicketEvent::Resumed,
            7 | 8 => TicketEvent::Informed { contact: None },
            9 => TicketEvent::Investigated,
            10 => TicketEvent::Reassigned { owner: dice.chance(60).then_some(agent), group, reason },
            11 => TicketEvent::Repeated { contact: None },
            12 => {
                let step = dice.pick(&[VisitStep::Requested, VisitStep::Arrived, VisitStep::SlipFiled]);
                TicketEvent::VisitStepped { step, appointment: None, slip: None }
            }
            13 | 14 => {
                let target = dice.pick(&[
                    TargetKind::FirstResponse,
                    TargetKind::NextUpdate,
                    TargetKind::Resolve,
                    TargetKind::Arrive,
                ]);
                let due = now + dice.pick(&[-60, 0, 900, 7200, DAY]) + dice.below(60);
                TicketEvent::Promised { target, due: Micros(due * 1_000_000), by: Promiser::Agent }
            }
            _ if dice.chance(40) => {
                let (explanation, into) = (key("wrong"), TicketId(key("t 0")));
                dice.pick(&[
                    TicketEvent::Cancelled { reason, explanation },
                    TicketEvent::Merged { into },
                    TicketEvent::Closed { agent: Some(agent), reason: None },
                ])
            }
            _ => TicketEvent::Arrived,
        }
    }
}

const GROUPS: [&str; 2] = ["group 0", "group 1"];

/// Some of what can be said of a ticket.
fn told(dice: &mut Dice) -> impl Iterator<Item = FieldValue<Key>> + use<> {
    let word = |dice: &mut Dice, kind: &str| key(&format!("{kind} {}", dice.below(2)));
    let fields = [
        dice.chance(30).then(|| FieldValue::Category(CategoryId(word(dice, "trade")))),
        dice.chance(20).then(|| FieldValue::Tier(word(dice, "tier"))),
        dice.chance(20).then(|| FieldValue::Region(word(dice, "region"))),
        dice.chance(20).then(|| FieldValue::Channel(key(dice.pick(&["letter", "email"])))),
        dice.chance(20).then(|| FieldValue::Urgency(dice.pick(&[Urgency::Urgent, Urgency::NotUrgent]))),
        dice.chance(15).then(|| FieldValue::Validity(dice.pick(&[Validity::Valid, Validity::Invalid]))),
    ];
    fields.into_iter().flatten()
}
