//! What someone asks for: decided once, refused precisely, the same however often it is asked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    clippy::unused_self,
    clippy::assigning_clones,
    dead_code,
    reason = "tests"
)]

mod support;

use pegcount_domain::{
    agent::{ClockState, Standing},
    envelope::Position,
    event::{Event, Intent},
    ids::ReasonCode,
    time::Micros,
};
use pegcount_engine::{Correction, EngineError};
use pegcount_proto::v1::{self, agent_fact};
use support::{
    MORNING, Place, agent, agent_fact, batch, command, name, place, ready, send, signed_in, site,
    tickets::{open, repair},
};

async fn on_duty() -> Place {
    let place = place().await;
    let session = place.session("phone-7");
    send(&session, batch(1, MORNING, vec![signed_in("7"), ready("7")])).await.unwrap();
    place.settled().await;
    place
}

fn meal() -> Intent {
    Intent::NotReady(ReasonCode(name("meal")))
}

fn answered(contact: &str) -> v1::fact::Fact {
    let leg = v1::Leg {
        contact: contact.to_owned(),
        leg: "1".to_owned(),
        channel: 1,
        direction: 1,
        step: Some(v1::leg::Step::Answered(v1::Nothing {})),
        ..Default::default()
    };
    agent_fact("7", agent_fact::Action::Leg(leg))
}

#[tokio::test]
async fn a_supervisor_sets_an_agent_away_and_is_named_for_it() {
    let place = on_duty().await;
    let done =
        place.engine.set_state(&site(), &agent("7"), meal(), None, &name("lead"), command(1)).await.unwrap();
    assert!(!done.pending);
    let view = place.engine.agent(&site(), &agent("7")).unwrap();
    assert_eq!(view.state.standing(), Some(&Standing::Away(ReasonCode(name("meal")))));
    let page = place.engine.read_log(done.position, 1, &pegcount_log::Filter::default()).await.unwrap();
    assert_eq!(page.events[0].actor.as_str(), "lead");
    assert_eq!(page.events[0].on_behalf_of.as_ref().map(pegcount_domain::ids::Name::as_str), Some("7"));
}

#[tokio::test]
async fn the_same_command_twice_acts_once_and_gives_the_same_answer_even_over_a_restart() {
    let place = on_duty().await;
    let first =
        place.engine.set_state(&site(), &agent("7"), meal(), None, &name("lead"), command(1)).await.unwrap();
    let again =
        place.engine.set_state(&site(), &agent("7"), meal(), None, &name("lead"), command(1)).await.unwrap();
    assert_eq!(first, again);
    let place = place.restarted().await;
    let end = place.engine.end();
    let later =
        place.engine.set_state(&site(), &agent("7"), meal(), None, &name("lead"), command(1)).await.unwrap();
    assert_eq!((later.position, place.engine.end()), (first.position, end));
}

#[tokio::test]
async fn during_a_contact_the_state_becomes_pending() {
    let place = on_duty().await;
    let session = place.session("phone-7");
    send(&session, batch(3, MORNING, vec![answered("c1")])).await.unwrap();
    let done =
        place.engine.set_state(&site(), &agent("7"), meal(), None, &name("lead"), command(1)).await.unwrap();
    assert!(done.pending);
    let view = place.engine.agent(&site(), &agent("7")).unwrap();
    assert_eq!(view.state.clock_state(), Some(&ClockState::Occupied));
    assert_eq!(view.state.next(), Some(&meal()));
}

#[tokio::test]
async fn a_stuck_agent_is_signed_out_and_nobody_unknown_is() {
    let place = on_duty().await;
    place.engine.sign_out_agent(&site(), &agent("7"), None, &name("lead"), command(1)).await.unwrap();
    assert_eq!(place.engine.agents(&site(), true).len(), 0);
    let unknown =
        place.engine.sign_out_agent(&site(), &agent("9"), None, &name("lead"), command(2)).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no agent 9");
    let refused = place
        .engine
        .set_state(&site(), &agent("7"), meal(), None, &name("lead"), command(3))
        .await
        .unwrap_err();
    assert!(matches!(refused, EngineError::Precondition(_)), "{refused}");
}

#[tokio::test]
async fn an_annulled_fact_never_happened_and_an_amended_one_happened_otherwise() {
    let place = place().await;
    let session = place.session("phone-7");
    let away = agent_fact("7", agent_fact::Action::NotReady(v1::NotReady { reason: "meal".into() }));
    send(&session, batch(1, MORNING, vec![signed_in("7"), ready("7"), away])).await.unwrap();
    let engine = &place.engine;
    let lead = name("lead");
    let fact = pegcount_proto::check_fact(Some(&agent_fact(
        "7",
        agent_fact::Action::NotReady(v1::NotReady { reason: "training".into() }),
    )))
    .unwrap();
    let amend = Correction::Amend { occurred_at: None, fact: Some(Box::new(fact)) };
    engine.correct(&site(), Position(3), amend, "wrong key", &lead, command(1)).await.unwrap();
    let standing = |engine: &pegcount_engine::Engine| {
        engine.agent(&site(), &agent("7")).unwrap().state.standing().cloned().unwrap()
    };
    assert_eq!(standing(engine), Standing::Away(ReasonCode(name("training"))));
    engine.correct(&site(), Position(3), Correction::Annul, "never", &lead, command(2)).await.unwrap();
    assert_eq!(standing(engine), Standing::Ready);
    let unknown =
        engine.correct(&site(), Position(99), Correction::Annul, "x", &lead, command(3)).await.unwrap_err();
    assert_eq!(unknown.to_string(), "there is no fact at position 99");
    let correction =
        engine.correct(&site(), Position(4), Correction::Annul, "x", &lead, command(4)).await.unwrap_err();
    assert!(correction.to_string().contains("correction.amended, which is no fact"), "{correction}");
}

#[tokio::test]
async fn a_second_amendment_leaves_standing_what_the_first_one_changed() {
    let place = place().await;
    let session = place.session("phone-7");
    send(&session, batch(1, MORNING, vec![signed_in("7"), ready("7")])).await.unwrap();
    let lead = name("lead");
    let earlier = MORNING.minus(Micros::MINUTE);
    let time_only = Correction::Amend { occurred_at: Some(earlier), fact: None };
    place.engine.correct(&site(), Position(2), time_only, "clock", &lead, command(1)).await.unwrap();
    let away = agent_fact("7", agent_fact::Action::NotReady(v1::NotReady { reason: "meal".into() }));
    let fact = Some(Box::new(pegcount_proto::check_fact(Some(&away)).unwrap()));
    let fact_only = Correction::Amend { occurred_at: None, fact };
    let at = place.engine.correct(&site(), Position(2), fact_only, "key", &lead, command(2)).await.unwrap();
    let page = place.engine.read_log(at, 1, &pegcount_log::Filter::default()).await.unwrap();
    let Event::Amended { occurred_at, .. } = &page.events[0].event else { panic!("an amendment") };
    assert_eq!(*occurred_at, earlier);
    place.engine.correct(&site(), Position(2), Correction::Annul, "never", &lead, command(3)).await.unwrap();
    let twice =
        place.engine.correct(&site(), Position(2), Correction::Annul, "never", &lead, command(4)).await;
    assert!(twice.unwrap_err().to_string().contains("was annulled at position 5"));
}

#[tokio::test]
async fn a_command_id_that_was_used_for_something_else_is_refused() {
    let place = on_duty().await;
    let lead = name("lead");
    open(&place.engine, repair("t1"), 1).await.unwrap();
    let reused =
        place.engine.set_state(&site(), &agent("7"), meal(), None, &lead, command(1)).await.unwrap_err();
    assert!(reused.to_string().contains("was used for north/ticket/t1 already"), "{reused}");
}

#[tokio::test]
async fn a_pending_command_repeated_is_still_pending() {
    let place = on_duty().await;
    let session = place.session("phone-7");
    send(&session, batch(3, MORNING, vec![answered("c1")])).await.unwrap();
    let set =
        async || place.engine.set_state(&site(), &agent("7"), meal(), None, &name("lead"), command(1)).await;
    let (first, again) = (set().await.unwrap(), set().await.unwrap());
    assert!(first.pending);
    assert_eq!(first, again);
}
