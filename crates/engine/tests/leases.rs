//! A dead softphone is noticed, no state stays stuck, and a short absence leaves no trace.
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

use pegcount_domain::{agent::Session, envelope::Position, event::EventType, time::Micros};
use pegcount_engine::SourceSession;
use pegcount_log::Filter;
use support::{MORNING, Place, agent, batch, place, ready, send, signed_in, site};

fn softphone(place: &Place, boot: &str) -> SourceSession {
    let mut hello = place.hello("phone-7");
    hello.agent = Some(agent("7"));
    hello.boot = boot.to_owned();
    place.engine.open_source(hello).unwrap().0
}

async fn on_duty() -> (Place, SourceSession) {
    let place = place().await;
    let session = softphone(&place, "boot-1");
    send(&session, batch(1, MORNING, vec![signed_in("7"), ready("7")])).await.unwrap();
    place.settled().await;
    place.engine.run_processes();
    (place, session)
}

fn session_of(place: &Place) -> Session {
    place.engine.agent(&site(), &agent("7")).unwrap().state.session()
}

fn is_lost(place: &Place) -> bool {
    matches!(session_of(place), Session::Lost { .. })
}

#[tokio::test]
async fn a_softphone_that_is_not_heard_for_ten_seconds_has_lost_its_connection_from_its_last_word_on() {
    let (place, _session) = on_duty().await;
    place.until(Micros::from_secs(20), async || is_lost(&place)).await;
    let view = place.engine.agent(&site(), &agent("7")).unwrap();
    assert_eq!(view.state.session_since(), MORNING);
    assert!(place.clock.now() >= MORNING.plus(Micros::from_secs(10)));
}

#[tokio::test]
async fn a_softphone_that_beats_is_never_lost() {
    let (place, session) = on_duty().await;
    let end = place.clock.now().plus(Micros::from_secs(60));
    place
        .until(Micros::from_secs(90), async || {
            session.heartbeat().unwrap();
            assert!(!is_lost(&place));
            place.clock.now() >= end
        })
        .await;
}

#[tokio::test]
async fn the_same_boot_that_returns_within_the_grace_was_never_gone() {
    let (place, _session) = on_duty().await;
    place.until(Micros::from_secs(20), async || is_lost(&place)).await;
    let session = softphone(&place, "boot-1");
    place
        .until(Micros::from_secs(20), async || {
            session.heartbeat().unwrap();
            session_of(&place) == Session::SignedIn
        })
        .await;
    let view = place.engine.agent(&site(), &agent("7")).unwrap();
    assert_eq!(view.state.session_since(), MORNING, "signed in all along");
    assert!(view.anomalies.is_empty());
}

#[tokio::test]
async fn another_boot_ends_the_loss_but_does_not_undo_it() {
    let (place, _session) = on_duty().await;
    place.until(Micros::from_secs(20), async || is_lost(&place)).await;
    let session = softphone(&place, "boot-2");
    place
        .until(Micros::from_secs(20), async || {
            session.heartbeat().unwrap();
            session_of(&place) == Session::SignedIn
        })
        .await;
    assert!(place.engine.agent(&site(), &agent("7")).unwrap().state.session_since() > MORNING);
}

#[tokio::test]
async fn a_restart_loses_nobody_who_speaks_soon_and_everybody_who_stays_silent() {
    let (place, session) = on_duty().await;
    drop(session);
    let place = place.restarted().await;
    place.clock.set(MORNING.plus(Micros::HOUR));
    place.engine.run_processes();
    assert!(!is_lost(&place), "the grace starts when the server is ready");
    place.until(Micros::from_secs(20), async || is_lost(&place)).await;
}

#[tokio::test]
async fn after_the_grace_the_agent_counts_as_signed_out() {
    let (place, _session) = on_duty().await;
    place.until(Micros::from_secs(20), async || is_lost(&place)).await;
    place.clock.set(MORNING.plus(Micros(16 * Micros::MINUTE.0)));
    assert_eq!(session_of(&place), Session::SignedOut);
}

#[tokio::test]
async fn a_long_spool_that_comes_with_the_return_does_not_keep_the_agent_lost() {
    let (place, _session) = on_duty().await;
    place.until(Micros::from_secs(20), async || is_lost(&place)).await;
    let session = softphone(&place, "boot-1");
    let spooled = (0..100).map(|_| ready("7")).collect();
    send(&session, batch(3, MORNING.plus(Micros::SECOND), spooled)).await.unwrap();
    place
        .until(Micros::from_secs(20), async || {
            session.heartbeat().unwrap();
            session_of(&place) == Session::SignedIn
        })
        .await;
    assert_eq!(place.engine.agent(&site(), &agent("7")).unwrap().state.session_since(), MORNING);
}

#[tokio::test]
async fn a_loss_from_before_a_restart_is_not_undone_by_whoever_comes_late() {
    let (place, session) = on_duty().await;
    drop(session);
    place.until(Micros::from_secs(20), async || is_lost(&place)).await;
    let place = place.restarted().await;
    place.clock.set(MORNING.plus(Micros(14 * Micros::MINUTE.0)));
    place.engine.run_processes();
    place.clock.set(MORNING.plus(Micros(28 * Micros::MINUTE.0)));
    let session = softphone(&place, "boot-2");
    let restored =
        Filter { types: [EventType::CONNECTION_RESTORED].into_iter().collect(), ..Filter::default() };
    place
        .until(Micros::from_secs(20), async || {
            session.heartbeat().unwrap();
            !place.engine.read_log(Position(1), 10, &restored).await.unwrap().events.is_empty()
        })
        .await;
    assert_eq!(session_of(&place), Session::SignedOut, "the grace had ended before");
}
