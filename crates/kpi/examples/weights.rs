//! What agents with some calls behind them and contacts that wait take of memory, structure by structure:
//! `cargo run --release -p pegcount-kpi --features workload --example weights [agents] [calls] [waiting]`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]

use std::env;

use pegcount_domain::{
    envelope::{Position, Recorded, SourceSeq, StreamKind, StreamName},
    event::{Channel, Direction, Event, LegRef, LegStep, Party, QueueExit},
    ids::{AgentId, ContactId, EntryId, Epoch, Key, LegId, QueueId, VisitId},
    time::Micros,
};
use pegcount_kpi::{Kpi, workload::key};

/// Facts a millisecond apart.
#[derive(Default)]
struct Story {
    kpi: Kpi,
    position: u64,
}

impl Story {
    fn tell(&mut self, kind: StreamKind, id: Key, event: Event<Key>) {
        self.position += 1;
        let at = Micros(1_736_150_400_000_000 + i64::try_from(self.position).unwrap() * 1_000);
        self.kpi.apply(&Recorded {
            position: Position(self.position),
            stream: StreamName { site: key("site", 0), kind, id },
            occurred_at: at,
            recorded_at: at,
            source: key("source", 0),
            source_seq: Some(SourceSeq { epoch: Epoch(1), seq: self.position }),
            event,
        });
    }

    fn begins(&mut self, contact: Key) {
        let (channel, direction) = (Channel::Voice, Direction::Inbound);
        let entry = Some(EntryId(key("entry", 0)));
        let (customer, journey, callback, priority) = (None, None, false, 0);
        let started =
            Event::ContactStarted { channel, direction, entry, customer, journey, callback, priority };
        self.tell(StreamKind::Contact, contact, started);
        let (visit, queue) = (VisitId(key("visit", 1)), QueueId(key("queue", 1)));
        self.tell(StreamKind::Contact, contact, Event::QueueEntered { visit, queue, priority });
    }

    fn call(&mut self, contact: Key, agent: Key) {
        self.begins(contact);
        let leg = LegRef {
            contact: ContactId(contact),
            leg: LegId(key("leg", 1)),
            agent: Some(AgentId(agent)),
            visit: Some(VisitId(key("visit", 1))),
            queue: Some(QueueId(key("queue", 1))),
            channel: Some(Channel::Voice),
            direction: Some(Direction::Inbound),
        };
        let ended = LegStep::Ended { by: Some(Party::Customer), after_call_expected: true };
        self.tell(StreamKind::Agent, agent, Event::Leg { leg, step: LegStep::Ringing });
        self.tell(StreamKind::Agent, agent, Event::Leg { leg, step: LegStep::Answered });
        let (visit, exit, ringing) = (VisitId(key("visit", 1)), QueueExit::Answered, true);
        self.tell(StreamKind::Contact, contact, Event::QueueLeft { visit, exit, ringing });
        self.tell(StreamKind::Agent, agent, Event::Leg { leg, step: LegStep::Held });
        self.tell(StreamKind::Agent, agent, Event::Leg { leg, step: LegStep::Retrieved });
        self.tell(StreamKind::Agent, agent, Event::Leg { leg, step: ended });
        let by = Some(Party::Customer);
        self.tell(StreamKind::Contact, contact, Event::ContactEnded { by, self_served: false });
        self.tell(StreamKind::Agent, agent, Event::Leg { leg, step: LegStep::AfterCallEnded });
    }
}

fn main() {
    let number =
        |index: usize, default: u64| env::args().nth(index).and_then(|n| n.parse().ok()).unwrap_or(default);
    let (agents, calls, waiting) = (number(1, 10_000), number(2, 6), number(3, 0));
    let mut story = Story::default();
    for agent in 0..agents {
        story.tell(StreamKind::Agent, key("agent", agent), Event::SignedIn);
        story.tell(StreamKind::Agent, key("agent", agent), Event::Ready);
    }
    for call in 0..calls {
        for agent in 0..agents {
            story.call(key("contact", call * agents + agent), key("agent", agent));
        }
    }
    for contact in 0..waiting {
        story.begins(key("waiting", contact));
    }
    let each = usize::try_from(agents.max(waiting).max(1)).unwrap();
    let weights = story.kpi.weights();
    for weight in &weights {
        println!(
            "{:<28} {:>10} {:>14} B {:>8} B each",
            weight.what,
            weight.count,
            weight.bytes,
            weight.bytes / each
        );
    }
    let bytes: usize = weights.iter().map(|weight| weight.bytes).sum();
    println!("{:<28} {:>10} {bytes:>14} B {:>8} B each", "all", story.position, bytes / each);
}
