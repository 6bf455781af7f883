//! The agent's clock sums exactly, whatever facts come.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod support;

use pegcount_domain::{
    agent::{AgentState, ClockState, Session, decide_next_state, decide_set_state, decide_sign_out},
    event::*,
    ids::ReasonCode,
    time::{Micros, Span},
};
use proptest::prelude::*;
use support::*;

fn clock(hours: i64, minutes: i64, seconds: i64) -> i64 {
    hours * 3600 + minutes * 60 + seconds
}

/// Seconds away, hour by hour.
fn away_by_hour(desk: &Desk, hours: std::ops::RangeInclusive<i64>) -> Vec<i64> {
    let inside = |span: &Span, hour: i64| {
        let (start, end) = (secs(hour * 3600).max(span.start), secs((hour + 1) * 3600).min(span.end));
        Span::new(start, end).length().0 / Micros::SECOND.0
    };
    let away = desk.spans.iter().filter(|(clock, _)| *clock == ClockState::Away(ReasonCode(name("meal"))));
    hours.map(|hour| away.clone().map(|(_, span)| inside(span, hour)).sum()).collect()
}

fn away_day(last_return: bool) -> Desk {
    let meal = |h, m, s| (clock(h, m, s), away("meal"));
    let back = |h, m, s| (clock(h, m, s), Event::Ready);
    let mut events = vec![
        (clock(8, 0, 0), Event::SignedIn),
        back(8, 0, 0),
        meal(8, 41, 30),
        back(8, 46, 38),
        meal(8, 47, 16),
        meal(8, 47, 17),
        meal(8, 47, 18),
        meal(8, 48, 45),
        back(8, 50, 46),
        back(8, 50, 59),
        back(8, 54, 9),
        meal(9, 41, 10),
    ];
    events.extend(last_return.then(|| back(10, 46, 0)));
    events.push((clock(12, 0, 0), Event::SignedOut));
    Desk::new().given(events)
}

#[test]
fn repeated_away_and_repeated_return_count_as_the_published_example_says() {
    assert_eq!(away_by_hour(&away_day(true), 8..=11), [8 * 60 + 38, 18 * 60 + 50, 46 * 60, 0]);
    assert_eq!(away_by_hour(&away_day(false), 10..=11), [3600, 3600]);
}

#[test]
fn signed_in_time_is_exact_to_the_microsecond() {
    let mut desk = Desk::new();
    desk.apply(Micros(clock(8, 50, 0) * 1_000_000 + 999_999), &Event::SignedIn);
    let desk = desk.given([
        (clock(9, 1, 6), Event::SignedOut),
        (clock(9, 2, 0), Event::SignedIn),
        (clock(9, 2, 30), Event::SignedOut),
    ]);
    let total: i64 = desk.spans.iter().map(|(_, span)| span.length().0).sum();
    assert_eq!(total, (599_000_001) + 66_000_000 + 30_000_000);
}

fn step() -> impl Strategy<Value = LegStep> {
    prop_oneof![
        Just(LegStep::Offered),
        Just(LegStep::Ringing),
        Just(LegStep::Dialing),
        Just(LegStep::Answered),
        Just(LegStep::Held),
        Just(LegStep::Retrieved),
        Just(LegStep::Consulting),
        Just(LegStep::Conferenced),
        Just(LegStep::Interrupted),
        Just(LegStep::Transferred { kind: TransferKind::Cold, reason: None, to_queue: None, to_agent: None }),
        Just(LegStep::Missed),
        Just(LegStep::Rejected),
        Just(LegStep::CustomerGone),
        Just(LegStep::Failed),
        Just(ended()),
        Just(ended_into_work()),
        Just(LegStep::AfterCallStarted),
        Just(LegStep::AfterCallEnded),
    ]
}

fn fact() -> impl Strategy<Value = Event> {
    let intent = prop_oneof![
        Just(Intent::Ready),
        Just(intent_away("meal")),
        Just(intent_away("rest")),
        Just(Intent::SignedOut)
    ];
    let leg = (0..4_usize, 0..3_usize, any::<bool>(), step()).prop_map(|(leg, queue, chat, step)| {
        let channel = if chat { Channel::Chat } else { Channel::Voice };
        on(channel, [None, Some("timer"), Some("none")][queue], ["1", "2", "3", "4"][leg], step)
    });
    prop_oneof![
        2 => Just(Event::SignedIn),
        1 => Just(Event::SignedOut),
        2 => Just(Event::Ready),
        1 => Just(away("meal")),
        1 => Just(away("rest")),
        1 => intent.clone().prop_map(|intent| Event::StateSet { intent, comment: None }),
        1 => intent.prop_map(|intent| Event::NextSet { intent, comment: None }),
        1 => (0..2_000_i64).prop_map(|at| Event::ConnectionLost { last_heard: secs(at) }),
        1 => Just(Event::ConnectionRestored),
        12 => leg,
    ]
}

/// Everything that could be commanded now and would not be refused.
fn decisions(state: &AgentState) -> Vec<Event> {
    let intents = [Intent::Ready, intent_away("meal"), Intent::SignedOut];
    let set = intents.iter().filter_map(|intent| decide_set_state(state, intent).ok());
    let next = intents.iter().filter_map(|intent| decide_next_state(state, intent).ok());
    set.chain(next).chain([decide_sign_out(state)]).filter_map(|decision| decision.event).collect()
}

proptest! {
    #[test]
    fn at_every_instant_of_a_signed_in_span_the_clock_says_exactly_one_thing_and_no_command_is_odd(
        facts in prop::collection::vec((0..300_i64, fact()), 0..60),
        suspends in any::<bool>(),
    ) {
        let on_contact = if suspends { AfterCallOnContact::Suspends } else { AfterCallOnContact::Ends };
        let mut desk = Desk::with(&queue("timer", AfterCallEnd::ByTimer, secs(45), on_contact));
        desk.definitions.apply(&queue("none", AfterCallEnd::None, Micros::ZERO, on_contact));
        let mut now = 0;
        let mut signed_in = 0;
        let mut since = None;
        let mut track = |session: Session, at: Micros| {
            match (since, session) {
                (None, Session::SignedIn | Session::Lost { .. }) => since = Some(at),
                (Some(start), Session::SignedOut) => {
                    signed_in += at.minus(start).0;
                    since = None;
                }
                _ => {}
            }
        };
        for (gap, event) in facts {
            now += gap;
            desk.advance(now);
            track(desk.state.session(), desk.state.session_since());
            for decided in decisions(&desk.state) {
                prop_assert_eq!(desk.clone().apply(secs(now), &decided).anomaly, None);
            }
            desk.apply(secs(now), &event);
            track(desk.state.session(), desk.state.session_since());
        }
        desk.advance(now + 10_000);
        track(desk.state.session(), desk.state.session_since());
        desk.apply(secs(now + 10_000), &Event::StateSet { intent: Intent::SignedOut, comment: None });
        track(desk.state.session(), desk.state.session_since());

        let mut end = Micros(i64::MIN);
        let mut counted = 0;
        for (clock, span) in &desk.spans {
            prop_assert!(span.start < span.end && end <= span.start, "{:?}", desk.told());
            end = span.end;
            counted += if *clock == ClockState::Unsigned { 0 } else { span.length().0 };
        }
        prop_assert_eq!(counted, signed_in);
        prop_assert!(desk.state.slots().is_empty() && desk.state.next().is_none());
    }
}
