//! Facts come in: counted once, corrected in time, refused one by one, never lost.
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

use pegcount_clock::Clock;
use pegcount_domain::{envelope::Position, event::Event, ids::Incarnation, time::Micros};
use pegcount_engine::EngineError;
use pegcount_log::{AppendError, Filter};
use pegcount_proto::v1::{self, agent_fact};
use support::{MORNING, agent_fact, batch, contact_fact, place, ready, send, signed_in, started};

#[tokio::test]
async fn a_batch_is_acknowledged_with_its_last_seq_and_can_be_read() {
    let place = place().await;
    let session = place.session("phone-7");
    let ack = send(&session, batch(1, MORNING, vec![signed_in("7"), ready("7")])).await.unwrap();
    assert_eq!((ack.last_committed_seq, ack.position, ack.repeats), (2, Position(2), 0));
    let page = place.engine.read_log(Position(1), 10, &Filter::default()).await.unwrap();
    let events: Vec<_> = page.events.iter().map(|event| event.event.clone()).collect();
    assert_eq!(events, [Event::SignedIn, Event::Ready]);
    assert_eq!(page.events[1].version.0, 2);
    assert_eq!(page.next, Position(3));
}

#[tokio::test]
async fn the_same_batch_twice_counts_once_and_a_longer_one_adds_only_what_is_new() {
    let place = place().await;
    let session = place.session("phone-7");
    send(&session, batch(1, MORNING, vec![signed_in("7")])).await.unwrap();
    let again = send(&session, batch(1, MORNING, vec![signed_in("7"), ready("7")])).await.unwrap();
    assert_eq!((again.last_committed_seq, again.repeats), (2, 1));
    assert_eq!(place.engine.end(), Position(2));
}

#[tokio::test]
async fn a_repeat_that_says_something_else_is_refused() {
    let place = place().await;
    let session = place.session("phone-7");
    send(&session, batch(1, MORNING, vec![signed_in("7")])).await.unwrap();
    let other = send(&session, batch(1, MORNING, vec![ready("7")])).await.unwrap_err();
    assert!(matches!(other, EngineError::Append(AppendError::ContentDiffers { seq: 1, .. })), "{other}");
}

#[tokio::test]
async fn a_gap_is_refused_and_names_what_comes_next_until_it_is_skipped_with_a_reason() {
    let place = place().await;
    let session = place.session("phone-7");
    let gap = send(&session, batch(3, MORNING, vec![ready("7")])).await.unwrap_err();
    assert!(matches!(gap, EngineError::Append(AppendError::Gap { offered: 3, next: 1, .. })), "{gap}");
    session.skip(1, 2, "spool lost").await.unwrap().durable().await.unwrap();
    let ack = send(&session, batch(3, MORNING, vec![ready("7")])).await.unwrap();
    assert_eq!(ack.last_committed_seq, 3);
}

#[tokio::test]
async fn seqs_that_are_not_dense_or_begin_at_zero_are_refused_whole() {
    let place = place().await;
    let session = place.session("phone-7");
    let zero = send(&session, batch(0, MORNING, vec![ready("7")])).await.unwrap_err();
    assert!(zero.to_string().contains("seqs count from 1"), "{zero}");
    let mut holes = batch(1, MORNING, vec![signed_in("7"), ready("7")]);
    holes.facts[1].seq = 5;
    let holes = send(&session, holes).await.unwrap_err();
    assert!(holes.to_string().contains("has seq 5 where 2 comes next"), "{holes}");
}

#[tokio::test]
async fn a_malformed_fact_is_refused_alone_and_uses_up_its_seq() {
    let place = place().await;
    let session = place.session("phone-7");
    let unknown = v1::QueueLeft { visit: "1".into(), exit: 99, ringing: false };
    let facts = vec![
        signed_in("7"),
        signed_in(""),
        contact_fact("c1", v1::contact_fact::Action::QueueLeft(unknown)),
        ready("7"),
    ];
    let ack = send(&session, batch(1, MORNING, facts)).await.unwrap();
    assert_eq!(ack.last_committed_seq, 4);
    let refused: Vec<_> = ack.refusals.iter().map(|r| (r.seq, r.error.to_string())).collect();
    assert_eq!(refused[0], (2, "agent.agent is empty; give 1 to 128 bytes of text".to_owned()));
    assert_eq!(refused[1].0, 3);
    place.settled().await;
    assert_eq!(place.engine.agents(&support::site(), true).len(), 1, "the good ones count");
}

#[tokio::test]
async fn a_clock_an_hour_ahead_and_one_an_hour_slow_are_both_corrected() {
    let place = place().await;
    for (source, drift) in [("fast", Micros::HOUR), ("slow", Micros(-Micros::HOUR.0))] {
        let mut hello = place.hello(source);
        hello.client_time = Some(MORNING.plus(drift));
        let (session, welcome) = place.engine.open_source(hello).unwrap();
        assert_eq!(welcome.server_time, MORNING);
        let ack = send(&session, batch(1, MORNING.plus(drift), vec![signed_in(source)])).await.unwrap();
        let page = place.engine.read_log(ack.position, 1, &Filter::default()).await.unwrap();
        assert_eq!(page.events[0].occurred_at, MORNING, "{source}");
        assert_eq!(page.events[0].source_time, MORNING.plus(drift), "the raw time is kept");
    }
}

#[tokio::test]
async fn a_time_still_in_the_future_counts_as_now_and_one_before_1980_is_refused() {
    let place = place().await;
    let session = place.session("phone-7");
    let ack = send(&session, batch(1, MORNING.plus(Micros::HOUR), vec![signed_in("7")])).await.unwrap();
    let page = place.engine.read_log(ack.position, 1, &Filter::default()).await.unwrap();
    assert_eq!((page.events[0].occurred_at, page.events[0].clamped), (MORNING, true));
    assert_eq!(page.events[0].source_time, MORNING.plus(Micros::HOUR), "the source's own time is kept");
    let ack = send(&session, batch(2, Micros(5), vec![ready("7")])).await.unwrap();
    assert_eq!(ack.refusals[0].error.field, "source_time_us");
}

#[tokio::test]
async fn the_newest_connection_of_a_source_fences_the_older_one() {
    let place = place().await;
    let old = place.session("phone-7");
    let new = place.session("phone-7");
    let fenced = send(&old, batch(1, MORNING, vec![signed_in("7")])).await.unwrap_err();
    assert!(matches!(fenced, EngineError::Fenced { .. }), "{fenced}");
    send(&new, batch(1, MORNING, vec![signed_in("7")])).await.unwrap();
}

#[tokio::test]
async fn a_source_stays_with_the_principal_that_used_it_first_even_over_a_restart() {
    let place = place().await;
    send(&place.session("phone-7"), batch(1, MORNING, vec![signed_in("7")])).await.unwrap();
    let place = place.restarted().await;
    let mut stranger = place.hello("phone-7");
    stranger.actor = support::name("somebody else");
    let taken = place.engine.open_source(stranger).err().expect("it is not theirs");
    assert!(taken.to_string().contains("belongs to phone-7"), "{taken}");
    let (_, welcome) = place.engine.open_source(place.hello("phone-7")).unwrap();
    assert_eq!(welcome.last_committed_seq, 1, "the counter goes on");
}

#[tokio::test]
async fn another_incarnation_than_the_one_last_spoken_to_is_said() {
    let place = place().await;
    let mut hello = place.hello("phone-7");
    hello.incarnation = Some(Incarnation(1));
    assert!(place.engine.open_source(hello.clone()).unwrap().1.incarnation_changed);
    hello.incarnation = Some(place.engine.incarnation());
    assert!(!place.engine.open_source(hello).unwrap().1.incarnation_changed);
}

#[tokio::test]
async fn an_agents_own_token_speaks_for_that_agent_only() {
    let place = place().await;
    let mut hello = place.hello("phone-7");
    hello.only_agent = Some(support::agent("7"));
    let (session, _) = place.engine.open_source(hello).unwrap();
    let facts = vec![signed_in("7"), signed_in("8"), started("c1", "")];
    let ack = send(&session, batch(1, MORNING, facts)).await.unwrap();
    let refused: Vec<_> = ack.refusals.iter().map(|refusal| refusal.seq).collect();
    assert_eq!(refused, [2, 3]);
}

#[tokio::test]
async fn no_personal_value_reaches_the_disk() {
    let place = place().await;
    let session = place.session("pbx");
    send(&session, batch(1, MORNING, vec![started("c1", "+4930555MARKED")])).await.unwrap();
    let broken = v1::ContactStarted { channel: 77, caller: "+4930555MARKED".into(), ..Default::default() };
    let broken = contact_fact("c2", v1::contact_fact::Action::Started(broken));
    let ack = send(&session, batch(2, MORNING, vec![broken])).await.unwrap();
    assert_eq!(ack.refusals.len(), 1);
    place.engine.close().await.unwrap();
    let mut files = 0;
    let mut folders = vec![place.dir.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(6).any(|window| window == b"MARKED"), "{}", path.display());
        }
    }
    assert!(files > 2, "log and vault have files");
}

#[tokio::test]
async fn the_same_caller_is_the_same_customer_over_contacts_and_restarts() {
    let place = place().await;
    let session = place.session("pbx");
    send(&session, batch(1, MORNING, vec![started("c1", "555 1"), started("c2", "555 2")])).await.unwrap();
    drop(session);
    let place = place.restarted().await;
    let session = place.session("pbx");
    send(&session, batch(3, MORNING, vec![started("c3", "555 1")])).await.unwrap();
    place.settled().await;
    let mut customers = Vec::new();
    for contact in ["c1", "c2", "c3"] {
        let contact = pegcount_domain::ids::ContactId::new(contact).unwrap();
        customers.push(place.engine.contact(&support::site(), &contact).await.unwrap().state.customer);
    }
    assert!(customers[0].is_some());
    assert_eq!(customers[0], customers[2]);
    assert_ne!(customers[0], customers[1]);
}

#[tokio::test]
async fn a_contact_that_has_left_memory_is_read_as_it_was() {
    /// More than stay in memory once they have ended.
    const OTHERS: u64 = 10_100;
    let place = place().await;
    let session = place.session("pbx");
    let entered = v1::QueueEntered { visit: "1".to_owned(), queue: "service".to_owned(), priority: 0 };
    let ended = || v1::contact_fact::Action::Ended(v1::ContactEnded { by: 2, self_served: false });
    let facts = vec![
        started("first", "555 1"),
        contact_fact("first", v1::contact_fact::Action::QueueEntered(entered)),
        contact_fact("first", ended()),
    ];
    let mut seq = send(&session, batch(1, MORNING, facts)).await.unwrap().last_committed_seq;
    place.settled().await;
    let contact = |id: &str| pegcount_domain::ids::ContactId::new(id).unwrap();
    let before = place.engine.contact(&support::site(), &contact("first")).await.unwrap();
    for hundreds in 0..OTHERS / 100 {
        let others = (0..100).map(|number| contact_fact(&format!("o{hundreds}-{number}"), ended()));
        seq = send(&session, batch(seq + 1, MORNING, others.collect())).await.unwrap().last_committed_seq;
    }
    place.settled().await;
    let after = place.engine.contact(&support::site(), &contact("first")).await.unwrap();
    assert_eq!(format!("{:?}", after.state), format!("{:?}", before.state));
    assert_eq!((after.version, after.anomalies), (before.version, before.anomalies));
    assert!(after.position >= before.position);
    let unknown = place.engine.contact(&support::site(), &contact("nobody")).await;
    assert!(matches!(unknown, Err(EngineError::NotFound { .. })));
}

#[tokio::test]
async fn a_scaled_clock_gives_the_time_of_day() {
    let dir = tempfile::tempdir().unwrap();
    let place = support::open_at(dir, Clock::scaled(MORNING, 1_000.0)).await;
    let session = place.session("phone-7");
    let ack = send(
        &session,
        batch(1, MORNING, vec![agent_fact("7", agent_fact::Action::SignedIn(v1::Nothing {}))]),
    )
    .await
    .unwrap();
    let page = place.engine.read_log(ack.position, 1, &Filter::default()).await.unwrap();
    assert!(page.events[0].recorded_at >= MORNING);
    assert!(
        page.events[0].recorded_at < MORNING.plus(Micros(24 * Micros::HOUR.0)),
        "not the machine's own time"
    );
}
