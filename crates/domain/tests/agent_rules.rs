//! The agent's rules, one test each.
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
    agent::{
        Anomaly, ClockState, Decision, Phase, Refusal, Session, Standing, decide_next_state,
        decide_set_state, decide_sign_out,
    },
    event::*,
    ids::*,
    time::Micros,
};
use support::*;

fn ready_desk() -> Desk {
    Desk::new().given([(0, Event::SignedIn), (1, Event::Ready)])
}

fn work(policy: AfterCallOnContact) -> Desk {
    Desk::with(&queue("q", AfterCallEnd::ByTimer, secs(30), policy)).given([
        (0, Event::SignedIn),
        (1, Event::Ready),
        (10, voice("1", LegStep::Answered)),
        (20, voice("1", ended_into_work())),
    ])
}

#[test]
fn signing_in_leads_to_not_ready() {
    let desk = Desk::new().given([(0, Event::SignedIn)]);
    assert_eq!(desk.state.session(), Session::SignedIn);
    assert_eq!(desk.clock(), Some(ClockState::Away(ReasonCode(name("signed_in")))));
}

#[test]
fn a_ring_with_no_answer_makes_the_agent_not_ready() {
    let mut desk = ready_desk().given([(5, voice("1", LegStep::Ringing))]);
    assert_eq!(desk.clock(), Some(ClockState::Ringing));
    assert_eq!(desk.when(20, &voice("1", LegStep::Missed)), None);
    assert_eq!(desk.state.standing(), Some(&Standing::Away(ReasonCode(name("rona")))));
    assert_eq!(desk.when(21, &away("rona")), None, "the softphone says the same: nothing");
    assert_eq!(desk.state.standing_since(), secs(20));
}

#[test]
fn a_missed_chat_during_a_call_waits_until_the_call_is_over() {
    let desk = ready_desk().given([
        (5, voice("1", LegStep::Answered)),
        (6, chat("2", LegStep::Ringing)),
        (9, chat("2", LegStep::Missed)),
    ]);
    assert_eq!(desk.state.standing(), Some(&Standing::Ready));
    assert_eq!(desk.state.next(), Some(&intent_away("rona")));
}

#[test]
fn a_ring_with_no_answer_does_not_keep_an_agent_who_is_leaving() {
    let desk = ready_desk().given([
        (5, voice("1", LegStep::Answered)),
        (6, Event::NextSet { intent: Intent::SignedOut, comment: None }),
        (7, chat("2", LegStep::Ringing)),
        (8, chat("2", LegStep::Missed)),
    ]);
    assert_eq!(desk.state.next(), Some(&Intent::SignedOut));
}

#[test]
fn what_is_asked_for_during_a_contact_is_pending_until_the_last_of_it_is_over() {
    let mut desk = ready_desk().given([
        (5, voice("1", LegStep::Answered)),
        (6, away("meal")),
        (9, voice("1", ended_into_work())),
    ]);
    assert_eq!(desk.state.next(), Some(&intent_away("meal")), "after-call work is part of the contact");
    assert_eq!(desk.when(12, &voice("1", LegStep::AfterCallEnded)), None);
    assert_eq!(desk.state.next(), None);
    assert_eq!(desk.clock(), Some(ClockState::Away(ReasonCode(name("meal")))));
    assert_eq!(desk.told(), told(&[("away signed_in", 0, 1), ("ready", 1, 5), ("occupied", 5, 12)]));
}

#[test]
fn there_is_one_pending_intent_and_the_last_asked_for_holds() {
    let mut desk = ready_desk().given([
        (5, voice("1", LegStep::Answered)),
        (6, away("meal")),
        (7, Event::StateSet { intent: intent_away("rest"), comment: None }),
    ]);
    assert_eq!(desk.state.next(), Some(&intent_away("rest")));
    assert_eq!(desk.when(8, &Event::Ready), None, "ready is so already: nothing is pending any more");
    assert_eq!(desk.state.next(), None);
}

#[test]
fn a_pending_sign_out_takes_effect_when_the_contact_is_over() {
    let desk = ready_desk().given([
        (5, voice("1", LegStep::Answered)),
        (6, Event::NextSet { intent: Intent::SignedOut, comment: None }),
        (9, voice("1", ended())),
    ]);
    assert_eq!(desk.state.session(), Session::SignedOut);
    assert_eq!(desk.clock(), None);
}

#[test]
fn repeated_away_counts_from_the_first_and_another_reason_is_a_new_span() {
    let desk = Desk::new().given([
        (0, Event::SignedIn),
        (10, away("meal")),
        (20, away("meal")),
        (30, away("rest")),
        (40, Event::Ready),
        (50, Event::Ready),
        (60, Event::SignedOut),
    ]);
    assert_eq!(
        desk.told(),
        told(&[("away signed_in", 0, 10), ("away meal", 10, 30), ("away rest", 30, 40), ("ready", 40, 60)])
    );
}

#[test]
fn a_timer_ends_after_call_work_at_its_own_instant() {
    let mut desk = work(AfterCallOnContact::Ends);
    desk.advance(49);
    assert_eq!(desk.clock(), Some(ClockState::Occupied));
    assert_eq!(desk.when(100, &away("meal")), None);
    assert_eq!(desk.told()[2..], told(&[("occupied", 10, 50), ("ready", 50, 100)]));
    assert_eq!(desk.when(101, &voice("1", LegStep::AfterCallEnded)), None, "the softphone says so too");
}

#[test]
fn the_agent_may_end_after_call_work_before_the_timer() {
    let mut desk = work(AfterCallOnContact::Ends);
    assert_eq!(desk.when(25, &voice("1", LegStep::AfterCallEnded)), None);
    assert_eq!(desk.clock(), Some(ClockState::Ready));
}

#[test]
fn a_new_contact_ends_after_call_work_if_the_queue_says_so() {
    let mut desk = work(AfterCallOnContact::Ends);
    assert_eq!(desk.when(25, &voice("2", LegStep::Answered)), None);
    assert_eq!(desk.state.slots().len(), 1);
    assert_eq!(desk.when(30, &voice("2", ended())), None);
    assert_eq!(desk.clock(), Some(ClockState::Ready));
}

#[test]
fn a_new_contact_suspends_after_call_work_if_the_queue_says_so_and_the_timer_waits() {
    let mut desk = work(AfterCallOnContact::Suspends);
    assert_eq!(desk.when(25, &voice("2", LegStep::Answered)), None);
    assert_eq!(desk.state.slots()[0].phase, Phase::Suspended);
    assert_eq!(desk.when(100, &voice("2", ended())), None);
    assert_eq!(desk.state.slots()[0].phase, Phase::AfterCall);
    desk.advance(1_000);
    assert_eq!(desk.told().last(), told(&[("occupied", 10, 125)]).last(), "25 of 30 s were left");
}

#[test]
fn a_queue_without_after_call_work_has_none_even_if_the_softphone_says_so() {
    let none = queue("q", AfterCallEnd::None, Micros::ZERO, AfterCallOnContact::Ends);
    let mut desk = Desk::with(&none).given([
        (0, Event::SignedIn),
        (1, Event::Ready),
        (10, voice("1", LegStep::Answered)),
    ]);
    assert_eq!(desk.when(20, &voice("1", ended_into_work())), Some(Anomaly::AfterCallNotAllowed));
    assert_eq!(desk.clock(), Some(ClockState::Ready));
    assert_eq!(desk.when(21, &voice("1", LegStep::AfterCallStarted)), Some(Anomaly::AfterCallUnexpected));
    assert_eq!(desk.clock(), Some(ClockState::Ready));
}

#[test]
fn signing_out_ends_after_call_work() {
    let mut desk = work(AfterCallOnContact::Ends);
    assert_eq!(desk.when(30, &Event::SignedOut), None);
    assert_eq!(desk.clock(), None);
    assert!(desk.state.slots().is_empty());
}

#[test]
fn signing_out_in_a_conversation_is_marked_and_the_rest_of_it_is_unsigned() {
    let mut desk = ready_desk().given([(5, voice("1", LegStep::Answered))]);
    assert_eq!(desk.when(9, &Event::SignedOut), Some(Anomaly::SignedOutInContact));
    assert_eq!(desk.when(15, &voice("1", ended())), None);
    assert_eq!(desk.told()[2..], told(&[("occupied", 5, 9), ("unsigned", 9, 15)]));
}

#[test]
fn a_supervisor_signs_a_stuck_agent_out_at_once_and_everything_ends() {
    let mut desk = ready_desk().given([(5, voice("1", LegStep::Answered))]);
    let decision = decide_sign_out(&desk.state);
    assert_eq!(desk.when(9, &decision.event.unwrap()), None);
    assert_eq!((desk.clock(), desk.state.slots().len()), (None, 0));
    assert_eq!(decide_sign_out(&desk.state), Decision { event: None, pending: false });
}

#[test]
fn a_contact_of_somebody_who_is_not_signed_in_counts_as_unsigned_and_is_no_anomaly() {
    let desk = Desk::new().given([(0, voice("1", LegStep::Answered)), (8, voice("1", ended()))]);
    assert_eq!(desk.told(), told(&[("unsigned", 0, 8)]));
}

#[test]
fn a_lost_connection_counts_from_the_last_sign_of_life() {
    let mut desk = ready_desk().given([(5, voice("1", LegStep::Answered)), (20, voice("1", ended()))]);
    assert_eq!(desk.when(40, &Event::ConnectionLost { last_heard: secs(30) }), None);
    assert_eq!(desk.when(50, &Event::ConnectionRestored), None);
    assert_eq!(desk.told()[2..], told(&[("occupied", 5, 20), ("ready", 20, 30), ("lost", 30, 50)]));
    assert_eq!(desk.clock(), Some(ClockState::Ready));
}

#[test]
fn contact_goes_before_lost_and_lost_before_ringing() {
    let mut desk = ready_desk()
        .given([(5, voice("1", LegStep::Answered)), (10, Event::ConnectionLost { last_heard: secs(10) })]);
    assert_eq!(desk.clock(), Some(ClockState::Occupied));
    desk.when(20, &voice("1", ended()));
    assert_eq!(desk.clock(), Some(ClockState::Lost));
    desk.when(21, &voice("2", LegStep::Ringing));
    assert_eq!(desk.clock(), Some(ClockState::Lost));
}

#[test]
fn a_connection_that_does_not_come_back_in_time_signs_the_agent_out() {
    let mut desk = ready_desk().given([(10, Event::ConnectionLost { last_heard: secs(10) })]);
    desk.advance(10_000);
    assert_eq!(desk.told().last(), told(&[("lost", 10, 910)]).last());
    assert_eq!(desk.state.session(), Session::SignedOut);
    assert_eq!(desk.when(10_001, &Event::SignedOut), None, "the engine's own word on it changes nothing");
}

#[test]
fn several_channels_at_once_are_one_occupied_span_and_too_many_are_marked() {
    let two_chats = Event::AgentDefined(AgentDefinition {
        agent: AgentId(name("ann")),
        team: None,
        chat_slots: 2,
        valid_from: Micros::ZERO,
    });
    let mut desk = Desk::with(&two_chats).given([
        (0, Event::SignedIn),
        (1, Event::Ready),
        (5, voice("1", LegStep::Answered)),
        (6, chat("2", LegStep::Answered)),
        (7, chat("3", LegStep::Answered)),
    ]);
    assert_eq!(desk.when(8, &chat("4", LegStep::Answered)), Some(Anomaly::SlotsExceeded));
    assert_eq!(desk.when(9, &voice("5", LegStep::Answered)), Some(Anomaly::SlotsExceeded));
    for (at, event) in [
        (10, voice("1", ended())),
        (11, chat("2", ended())),
        (12, chat("3", ended())),
        (13, chat("4", ended())),
        (14, voice("5", ended())),
    ] {
        assert_eq!(desk.when(at, &event), None);
    }
    assert_eq!(desk.told().last(), told(&[("occupied", 5, 14)]).last());
}

#[test]
fn a_held_call_leaves_the_voice_slot_free_for_the_one_consulted() {
    let desk = ready_desk().given([
        (5, voice("1", LegStep::Answered)),
        (6, voice("1", LegStep::Consulting)),
        (7, voice("2", LegStep::Dialing)),
        (8, voice("2", LegStep::Answered)),
    ]);
    assert_eq!(desk.state.slots().len(), 2);
}

#[test]
fn what_two_reporters_say_of_the_same_leg_is_not_an_anomaly() {
    let step = |at, step| (at, voice("1", step));
    let desk = ready_desk().given([
        step(4, LegStep::Ringing),
        step(4, LegStep::Offered),
        step(5, LegStep::Answered),
        step(5, LegStep::Answered),
        step(9, ended_into_work()),
        step(9, LegStep::AfterCallStarted),
        step(9, ended()),
        step(12, LegStep::AfterCallEnded),
        step(12, LegStep::AfterCallEnded),
    ]);
    assert_eq!(desk.told().last(), told(&[("occupied", 5, 12)]).last());
}

#[test]
fn commands_are_refused_with_the_reason() {
    let out = Desk::new();
    assert_eq!(decide_set_state(&out.state, &Intent::Ready), Err(Refusal::NotSignedIn));
    let desk = ready_desk();
    assert_eq!(decide_set_state(&desk.state, &Intent::SignedOut), Err(Refusal::SignOutIsNoState));
    assert_eq!(decide_next_state(&desk.state, &intent_away("meal")), Err(Refusal::NoContact));
    assert_eq!(decide_set_state(&desk.state, &Intent::Ready), Ok(Decision { event: None, pending: false }));
    let lost = desk.given([(5, Event::ConnectionLost { last_heard: secs(5) })]);
    assert_eq!(decide_set_state(&lost.state, &Intent::Ready), Err(Refusal::ConnectionLost));
    assert!(decide_set_state(&lost.state, &intent_away("meal")).is_ok());
}

#[test]
fn a_state_set_during_a_contact_becomes_the_next_state() {
    let mut desk = ready_desk().given([(5, voice("1", LegStep::Answered))]);
    let decision = decide_set_state(&desk.state, &intent_away("meal")).unwrap();
    assert_eq!(
        decision,
        Decision {
            event: Some(Event::NextSet { intent: intent_away("meal"), comment: None }),
            pending: true
        }
    );
    desk.when(6, &decision.event.unwrap());
    let again = decide_set_state(&desk.state, &intent_away("meal")).unwrap();
    assert_eq!(again, Decision { event: None, pending: true });
    let back = decide_next_state(&desk.state, &Intent::Ready).unwrap();
    desk.when(7, &back.event.unwrap());
    assert_eq!(desk.state.next(), None);
}
