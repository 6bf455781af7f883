//! Given / when / then for one agent.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use pegcount_domain::{
    agent::{AgentState, Anomaly, Applied, ClockState, ReservedReasons, SitePolicies},
    definitions::Definitions,
    event::*,
    ids::*,
    time::{Micros, Span},
};

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn secs(seconds: i64) -> Micros {
    Micros::from_secs(seconds)
}

pub fn away(reason: &str) -> Event {
    Event::NotReady { reason: ReasonCode(name(reason)) }
}

pub fn intent_away(reason: &str) -> Intent {
    Intent::NotReady(ReasonCode(name(reason)))
}

/// A step of a voice leg in the queue `q`; the leg's id is its contact's too.
pub fn voice(leg: &str, step: LegStep) -> Event {
    on(Channel::Voice, Some("q"), leg, step)
}

pub fn chat(leg: &str, step: LegStep) -> Event {
    on(Channel::Chat, Some("q"), leg, step)
}

pub fn on(channel: Channel, queue: Option<&str>, leg: &str, step: LegStep) -> Event {
    let leg = LegRef {
        contact: ContactId(name(leg)),
        leg: LegId(name(leg)),
        agent: None,
        visit: None,
        queue: queue.map(|queue| QueueId(name(queue))),
        channel: Some(channel),
        direction: Some(Direction::Inbound),
    };
    Event::Leg { leg, step }
}

pub fn ended() -> LegStep {
    LegStep::Ended { by: Some(Party::Customer), after_call_expected: false }
}

pub fn ended_into_work() -> LegStep {
    LegStep::Ended { by: Some(Party::Customer), after_call_expected: true }
}

pub fn queue(id: &str, end: AfterCallEnd, timer: Micros, on_contact: AfterCallOnContact) -> Event {
    Event::QueueDefined(QueueDefinition {
        after_call_end: end,
        after_call_timer: timer,
        after_call_on_contact: on_contact,
        ..QueueDefinition::default_for(QueueId(name(id)))
    })
}

/// One agent under test, with what its site has defined, and all clock spans that have closed.
#[derive(Clone)]
pub struct Desk {
    pub state: AgentState,
    pub definitions: Definitions,
    pub spans: Vec<(ClockState, Span)>,
}

impl Desk {
    pub fn new() -> Self {
        Self {
            state: AgentState::new(AgentId(name("ann"))),
            definitions: Definitions::new(),
            spans: Vec::new(),
        }
    }

    pub fn with(definition: &Event) -> Self {
        let mut desk = Self::new();
        desk.definitions.apply(definition);
        desk
    }

    pub fn apply(&mut self, at: Micros, event: &Event) -> Applied {
        let reserved = ReservedReasons::default();
        let policies = SitePolicies { definitions: &self.definitions, reserved: &reserved };
        let applied = self.state.apply(event, at, &policies);
        self.spans.extend(applied.clock.iter().cloned());
        applied
    }

    /// Given: facts that are all expected.
    pub fn given(mut self, events: impl IntoIterator<Item = (i64, Event)>) -> Self {
        for (at, event) in events {
            let applied = self.apply(secs(at), &event);
            assert_eq!(applied.anomaly, None, "{event:?} at {at} s");
        }
        self
    }

    /// When: one more fact; gives its mark.
    pub fn when(&mut self, at: i64, event: &Event) -> Option<Anomaly> {
        self.apply(secs(at), event).anomaly
    }

    pub fn advance(&mut self, at: i64) {
        let closed = self.state.advance(secs(at));
        self.spans.extend(closed);
    }

    pub fn clock(&self) -> Option<ClockState> {
        self.state.clock_state().cloned()
    }

    /// The closed spans in words and seconds.
    pub fn told(&self) -> Vec<(String, i64, i64)> {
        let words = |clock: &ClockState| match clock {
            ClockState::Away(reason) => format!("away {reason}"),
            other => format!("{other:?}").to_lowercase(),
        };
        let second = |at: Micros| at.0 / Micros::SECOND.0;
        self.spans.iter().map(|(clock, span)| (words(clock), second(span.start), second(span.end))).collect()
    }
}

pub fn told(spans: &[(&str, i64, i64)]) -> Vec<(String, i64, i64)> {
    spans.iter().map(|(clock, start, end)| ((*clock).to_owned(), *start, *end)).collect()
}
