//! The figures are checked against the facts all the time: a cell that is wrong is told with names, and mended ones are
//! let go; a range can be recounted, live, after a restart and over what was dropped.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    clippy::unused_self,
    dead_code,
    reason = "tests"
)]

mod support;

use pegcount_domain::{
    envelope::Position,
    time::{Interval, Micros, Span},
};
use pegcount_engine::{Correction, FactBatch, Kind, Reconciled, SourceSession};
use pegcount_kpi::Measure;
use pegcount_proto::v1::{self, Nothing, agent_fact, contact_fact::Action};
use support::{
    MORNING, Place, agent_fact as of_agent, batch, command, contact_fact, name, place, ready, send,
    signed_in, site, started,
};

fn at(minutes: i64) -> Micros {
    MORNING.plus(Micros(minutes * Micros::MINUTE.0))
}

fn hours(from: i64, to: i64) -> Span {
    Span::new(at(from * 60), at(to * 60))
}

/// A call that waits and gives up: four facts.
fn abandoned(contact: &str, first_seq: u64, entered: i64, left: i64) -> Vec<FactBatch> {
    let visit = || "1".to_owned();
    let fact = |action| contact_fact(contact, action);
    let enter = v1::QueueEntered { visit: visit(), queue: "sales".into(), priority: 0 };
    let leave = v1::QueueLeft { visit: visit(), exit: v1::QueueExit::Abandoned.into(), ringing: false };
    let begin = vec![started(contact, ""), fact(Action::QueueEntered(enter))];
    let end = vec![fact(Action::QueueLeft(leave)), fact(Action::Ended(v1::ContactEnded::default()))];
    vec![batch(first_seq, at(entered), begin), batch(first_seq + 2, at(left), end)]
}

async fn tell(session: &SourceSession, batches: Vec<FactBatch>) {
    for facts in batches {
        send(session, facts).await.unwrap();
    }
}

/// Two agents and three calls in the hour from 8:00 on; one of the agents stays.
async fn hour() -> Place {
    let place = place().await;
    place.clock.set(at(70));
    let ann = place.session("phone of ann");
    tell(&ann, vec![batch(1, at(0), vec![signed_in("ann")]), batch(2, at(3), vec![ready("ann")])]).await;
    let bob = place.session("phone of bob");
    let out = of_agent("bob", agent_fact::Action::SignedOut(Nothing {}));
    tell(&bob, vec![batch(1, at(10), vec![signed_in("bob")]), batch(2, at(50), vec![out])]).await;
    let pbx = place.session("pbx");
    tell(&pbx, abandoned("c1", 1, 5, 6)).await;
    tell(&pbx, abandoned("c2", 5, 12, 31)).await;
    tell(&pbx, abandoned("c3", 9, 40, 44)).await;
    place.settled().await;
    place
}

async fn reconciled(place: &Place, range: Span) -> Reconciled {
    place.engine.reconcile(&site(), range, &mut |_| {}).await.unwrap()
}

#[tokio::test]
async fn figures_that_are_what_the_facts_say_raise_nothing() {
    let place = hour().await;
    let status = place.engine.audit_now().await.unwrap();
    assert_eq!((status.open, status.left_out), (Vec::new(), 0));
    assert_eq!(status.position, place.engine.end());
    let done = reconciled(&place, hours(0, 2)).await;
    assert_eq!((done.differing, done.compared_from), (0, None));
    // Sales in three quarters of an hour; ann in five, bob in four.
    assert_eq!((done.queue_lines, done.agent_lines), (3, 9), "{done:?}");
}

#[tokio::test]
async fn a_wrong_cell_is_told_once_with_names_and_numbers_until_it_is_mended() {
    let place = hour().await;
    let quarter = Interval::containing(at(40));
    assert!(place.engine.corrupt(&site(), Measure::Offered, &name("sales"), quarter, 1));
    for _ in 0..2 {
        let open = place.engine.audit_now().await.unwrap().open;
        let told: Vec<_> = open.iter().map(|one| (one.difference.kind, one.difference.interval)).collect();
        assert_eq!(told, [(Kind::Queue, quarter), (Kind::Balance, quarter)]);
        assert_eq!(
            open[0].words(),
            "site north, queue sales, 2026-03-02T08:30:00Z to 2026-03-02T08:45:00Z: offered is 2, the facts say 1"
        );
        assert!(!open[0].behind.is_empty(), "the facts behind it are named");
    }
    let done = reconciled(&place, hours(0, 2)).await;
    assert_eq!((done.differing, done.differences.len()), (2, 2));
    assert_eq!((done.differences[0].stated, done.differences[0].counted), (2, 1));
    assert!(place.engine.corrupt(&site(), Measure::Offered, &name("sales"), quarter, -1));
    assert!(place.engine.audit_now().await.unwrap().open.is_empty());
    assert_eq!(reconciled(&place, hours(0, 2)).await.differing, 0);
}

#[tokio::test]
async fn an_agent_whose_clock_does_not_sum_is_told_by_name() {
    let place = hour().await;
    let quarter = Interval::containing(at(15));
    assert!(place.engine.corrupt(&site(), Measure::ReadyClock, &name("ann"), quarter, 7));
    let open = place.engine.audit_now().await.unwrap().open;
    let words: Vec<String> = open.iter().map(ToString::to_string).collect();
    let when = "site north, agent ann, 2026-03-02T08:15:00Z to 2026-03-02T08:30:00Z";
    assert_eq!(
        words,
        [
            format!("{when}: other_states is 900000007 us, the facts say 900000000 us"),
            format!("{when}: signed_in_clock is 900000000 us, the states of the clock sum to 900000007 us"),
        ]
    );
}

#[tokio::test]
async fn a_restart_that_counts_again_from_the_log_mends_it() {
    let place = hour().await;
    let quarter = Interval::containing(at(15));
    assert!(place.engine.corrupt(&site(), Measure::SignIns, &name("bob"), quarter, 1));
    assert_eq!(place.engine.audit_now().await.unwrap().open.len(), 1);
    let place = place.restarted().await;
    assert!(place.engine.audit_now().await.unwrap().open.is_empty());
    assert_eq!(reconciled(&place, hours(0, 2)).await.differing, 0);
}

#[tokio::test]
async fn late_amended_and_annulled_facts_are_counted_too() {
    let place = hour().await;
    place.engine.audit_now().await.unwrap();
    let pbx = place.session("pbx");
    tell(&pbx, abandoned("c4", 13, 1, 58)).await;
    let left = place.engine.end().0 - 1;
    let amend = Correction::Amend { occurred_at: Some(at(20)), fact: None };
    let correct = |position: u64, what, number| {
        let (site, actor) = (site(), name("desk"));
        let engine = std::sync::Arc::clone(&place.engine);
        async move {
            let position = Position(position);
            engine.correct(&site, position, what, "wrong", &actor, command(number)).await.unwrap();
        }
    };
    correct(left, amend, 1).await;
    // The first fact of all is that ann signed in: so she never did.
    correct(1, Correction::Annul, 2).await;
    place.settled().await;
    assert!(place.engine.audit_now().await.unwrap().open.is_empty());
    let done = reconciled(&place, hours(0, 2)).await;
    assert_eq!((done.differing, done.queue_lines, done.agent_lines), (0, 3, 4), "{done:?}");
}

#[tokio::test]
async fn wrong_cells_of_long_ago_are_found_in_turn() {
    let place = hour().await;
    let quarter = Interval::containing(at(40));
    assert!(place.engine.corrupt(&site(), Measure::Ended, &name("sales"), quarter, 1));
    // A week goes by; ann stays signed in all the time.
    place.clock.set(at(7 * 24 * 60));
    let mut looks = 0;
    while place.engine.audit_now().await.unwrap().open.is_empty() {
        looks += 1;
        assert!(looks < 20, "nobody has seen it");
    }
}

#[tokio::test]
async fn a_range_that_cannot_be_asked_for_is_refused_with_the_reason() {
    let place = hour().await;
    let odd = Span::new(at(1), at(60));
    let refused = place.engine.reconcile(&site(), odd, &mut |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("not on the 15-minute grid"), "{refused}");
}

#[tokio::test]
async fn progress_is_told_up_to_the_last_event() {
    let place = hour().await;
    let mut last = None;
    place.engine.reconcile(&site(), hours(0, 2), &mut |now| last = Some(now)).await.unwrap();
    let last = last.unwrap();
    assert_eq!((last.read, last.of), (place.engine.end().0, place.engine.end().0));
}
