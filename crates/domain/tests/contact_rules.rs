//! The contact's rules, one test each.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use pegcount_domain::{
    agent::{Anomaly, Phase},
    contact::{ContactAnomaly, ContactState},
    event::*,
    ids::*,
    time::Micros,
};
use proptest::prelude::*;

type State = ContactState<&'static str>;

const STARTED: Event<&str> = Event::ContactStarted {
    channel: Channel::Voice,
    direction: Direction::Inbound,
    entry: None,
    customer: Some(CustomerId("c_1")),
    journey: None,
    callback: false,
    priority: 0,
};

fn entered(visit: &'static str) -> Event<&'static str> {
    Event::QueueEntered { visit: VisitId(visit), queue: QueueId("sales"), priority: 0 }
}

fn left(visit: &'static str, exit: QueueExit) -> Event<&'static str> {
    Event::QueueLeft { visit: VisitId(visit), exit, ringing: false }
}

fn step(step: LegStep<&'static str>) -> Event<&'static str> {
    let leg = LegRef {
        contact: ContactId("c"),
        leg: LegId("1"),
        agent: Some(AgentId("7")),
        visit: None,
        queue: None,
        channel: None,
        direction: None,
    };
    Event::Leg { leg, step }
}

/// The state after `events`, one second apart, and what was marked about the last one.
fn given(events: &[Event<&'static str>]) -> (State, Option<ContactAnomaly>) {
    let mut state = State::new(ContactId("c"));
    let mut mark = None;
    for (event, second) in events.iter().zip(1..) {
        mark = state.apply(event, Micros::from_secs(second));
    }
    (state, mark)
}

const ENDED: Event<&str> = Event::ContactEnded { by: Some(Party::Customer), self_served: false };
const OVER: LegStep<&str> = LegStep::Ended { by: Some(Party::Customer), after_call_expected: false };

#[test]
fn a_call_is_answered_out_of_its_queue_and_ends_without_a_mark() {
    let call = [
        STARTED,
        entered("1"),
        step(LegStep::Ringing),
        left("1", QueueExit::Answered),
        step(LegStep::Answered),
        step(OVER),
        ENDED,
    ];
    let (state, mark) = given(&call);
    assert_eq!(mark, None);
    assert!(!state.is_open());
    assert_eq!(state.visits[0].left, Some((Micros::from_secs(4), QueueExit::Answered)));
    assert_eq!(state.legs[0].phase, Phase::Ended);
}

#[test]
fn a_visit_that_was_never_entered_counts_as_entered_when_it_was_left() {
    let (state, mark) = given(&[STARTED, left("1", QueueExit::Abandoned)]);
    assert_eq!(mark, Some(ContactAnomaly::EntryMissing));
    assert_eq!(state.visits[0].entered, Micros::from_secs(2));
}

#[test]
fn a_second_exit_of_a_visit_changes_nothing() {
    let (state, mark) =
        given(&[STARTED, entered("1"), left("1", QueueExit::Answered), left("1", QueueExit::Abandoned)]);
    assert_eq!(mark, Some(ContactAnomaly::LeftAlready));
    assert_eq!(state.visits[0].left, Some((Micros::from_secs(3), QueueExit::Answered)));
}

#[test]
fn an_end_with_somebody_waiting_is_marked() {
    assert_eq!(given(&[STARTED, entered("1"), ENDED]).1, Some(ContactAnomaly::EndedOpen));
    assert_eq!(given(&[STARTED, ENDED, ENDED]).1, Some(ContactAnomaly::EndedAlready));
}

#[test]
fn a_customer_known_at_the_start_stays_known_when_a_later_fact_leaves_it_out() {
    let identified = Event::ContactIdentified { customer: None, topic: Some(TopicId("water")) };
    let (state, mark) = given(&[STARTED, identified]);
    assert_eq!((mark, state.customer, state.topic), (None, Some(CustomerId("c_1")), Some(TopicId("water"))));
}

#[test]
fn a_contact_that_only_softphones_have_reported_is_no_anomaly() {
    let (state, mark) = given(&[step(LegStep::Answered)]);
    assert_eq!(mark, None);
    assert_eq!((state.started, state.legs[0].phase), (Some(Micros::from_secs(1)), Phase::Talking));
}

#[test]
fn a_contact_that_its_exchange_has_never_started_is_marked_once_and_kept() {
    assert_eq!(given(&[entered("1")]).1, Some(ContactAnomaly::StartMissing));
    let (state, mark) = given(&[entered("1"), left("1", QueueExit::Answered)]);
    assert_eq!((state.visits.len(), mark), (1, None));
    assert_eq!(given(&[STARTED, STARTED]).1, Some(ContactAnomaly::StartedAlready));
}

#[test]
fn a_contact_waits_in_several_queues_at_once_and_one_answer_ends_the_others() {
    let both = [STARTED, entered("1"), entered("2"), left("1", QueueExit::Answered)];
    let and = |exit| given(&[both.as_slice(), &[left("2", exit)]].concat()).1;
    assert_eq!(and(QueueExit::AnsweredElsewhere), None);
    assert_eq!(and(QueueExit::Answered), Some(ContactAnomaly::AnsweredTwice));
}

#[test]
fn a_transferred_contact_is_answered_in_one_queue_after_the_other() {
    let call =
        [STARTED, entered("1"), left("1", QueueExit::Answered), entered("2"), left("2", QueueExit::Answered)];
    let (state, mark) = given(&call);
    assert_eq!((state.visits.len(), mark), (2, None));
}

#[test]
fn a_leg_that_ends_without_an_answer_is_marked_and_over() {
    let (state, mark) = given(&[STARTED, step(LegStep::Ringing), step(OVER)]);
    assert_eq!(mark, Some(ContactAnomaly::Leg(Anomaly::AnswerMissing)));
    assert_eq!(state.legs[0].phase, Phase::Ended);
}

#[test]
fn a_leg_that_begins_after_the_contact_is_over_is_marked_and_after_call_work_is_not() {
    assert_eq!(given(&[STARTED, ENDED, step(LegStep::Answered)]).1, Some(ContactAnomaly::EndedAlready));
    let work = LegStep::Ended { by: None, after_call_expected: true };
    let call = [STARTED, step(LegStep::Answered), step(work), ENDED, step(LegStep::AfterCallEnded)];
    assert_eq!(given(&call).1, None);
}

fn fact() -> impl Strategy<Value = Event<&'static str>> {
    let exits = prop::sample::select(QueueExit::ALL);
    let visit = prop::sample::select(vec!["1", "2", "3"]);
    let steps =
        [LegStep::Ringing, LegStep::Answered, LegStep::Held, LegStep::Missed, OVER, LegStep::AfterCallEnded];
    prop_oneof![
        1 => Just(STARTED),
        1 => Just(ENDED),
        3 => visit.clone().prop_map(entered),
        3 => (visit, exits).prop_map(|(visit, exit)| left(visit, exit)),
        3 => prop::sample::select(steps.to_vec()).prop_map(step),
    ]
}

proptest! {
    #[test]
    fn whatever_comes_a_visit_is_entered_once_and_left_at_most_once_and_not_before(
        facts in prop::collection::vec((0..100_i64, fact()), 0..40),
    ) {
        let mut state = State::new(ContactId("c"));
        let mut at = 0;
        for (gap, event) in facts {
            at += gap;
            let before = state.clone();
            state.apply(&event, Micros(at));
            for (was, is) in before.visits.iter().zip(&state.visits) {
                prop_assert_eq!((&was.visit, was.entered), (&is.visit, is.entered));
                prop_assert!(was.left.is_none() || was.left == is.left);
            }
            prop_assert!(before.ended.is_none() || before.ended == state.ended);
        }
        let mut names: Vec<_> = state.visits.iter().map(|visit| visit.visit).collect();
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), state.visits.len());
        prop_assert!(state.visits.iter().all(|visit| visit.left.is_none_or(|(left, _)| left >= visit.entered)));
    }
}
