//! Watches share one table for each query; each watcher goes at its own pace and comes back where it was.
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

use std::{collections::BTreeMap, sync::Arc};

use pegcount_domain::time::Micros;
use pegcount_engine::{KpiWatch, WatchUpdate};
use pegcount_kpi::{
    Dimension, Query, Row,
    live::{LiveRow, RowId},
};
use support::{MORNING, Place, agent_fact, batch, place, ready, send, signed_in, site};

fn minutes(minutes: i64) -> Micros {
    Micros(minutes * Micros::MINUTE.0)
}

/// The day by agent.
fn day() -> Query {
    let to = MORNING.plus(minutes(8 * 60));
    Query { by: vec![Dimension::Interval15, Dimension::Agent], ..Query::new(site(), MORNING, to, MORNING) }
}

/// What a watcher has laid over each other.
#[derive(Default)]
struct Watched {
    rows: BTreeMap<RowId, (Micros, LiveRow)>,
    as_of: Micros,
    position: u64,
    token: Vec<u8>,
}

impl Watched {
    fn take(&mut self, update: &WatchUpdate) {
        let change = &update.change;
        if change.snapshot {
            self.rows.clear();
        }
        for span in &change.replaced {
            self.rows.retain(|(from, ..), _| *from < span.start || span.end <= *from);
        }
        change.removed.iter().for_each(|gone| drop(self.rows.remove(gone)));
        for live in &change.rows {
            let id = (live.row.from, live.row.to, live.row.keys.clone());
            self.rows.insert(id, (change.as_of, live.clone()));
        }
        (self.as_of, self.position) = (change.as_of, change.position.0);
        self.token.clone_from(&update.resume_token);
    }

    fn rows(&self) -> Vec<Row> {
        let rows = self.rows.values().map(|(told_at, live)| live.after(self.as_of.minus(*told_at)));
        rows.filter(|row| !LiveRow::is_empty(row)).collect()
    }

    /// Takes updates until one is about all of the log.
    async fn follow(&mut self, place: &Place, watch: &mut KpiWatch) -> Arc<WatchUpdate> {
        loop {
            let update = watch.next().await.unwrap();
            self.take(&update);
            if self.position >= place.engine.end().0 {
                return update;
            }
        }
    }

    fn assert_is_the_answer(&self, place: &Place, query: &Query) {
        let table = place.engine.query(&Query { as_of: self.as_of, ..query.clone() }).unwrap();
        assert_eq!(table.position.0, self.position);
        let mut rows = self.rows();
        rows.sort_by(|a, b| (a.from, &a.keys).cmp(&(b.from, &b.keys)));
        assert_eq!(rows, table.rows);
    }
}

async fn sign_in(place: &Place, agent: &str, at: Micros) {
    let session = place.session(agent);
    send(&session, batch(1, at, vec![signed_in(agent), ready(agent)])).await.unwrap();
    place.settled().await;
}

fn away(agent: &str) -> pegcount_proto::v1::fact::Fact {
    let reason = pegcount_proto::v1::NotReady { reason: "meal".into() };
    agent_fact(agent, pegcount_proto::v1::agent_fact::Action::NotReady(reason))
}

#[tokio::test]
async fn watchers_of_one_query_are_told_the_very_same_update() {
    let place = place().await;
    sign_in(&place, "ann", MORNING).await;
    let mut watches: Vec<KpiWatch> = (0..20).map(|_| place.engine.watch(&day(), 50, &[])).collect();
    for watch in &mut watches {
        assert!(watch.next().await.unwrap().change.snapshot);
    }
    sign_in(&place, "bob", MORNING).await;
    let mut told = Vec::new();
    for watch in &mut watches {
        let update = Watched::default().follow(&place, watch).await;
        assert!(!update.change.snapshot);
        told.push(update);
    }
    assert!(told.iter().all(|update| Arc::ptr_eq(update, &told[0])), "one update for all");
    assert_eq!(told[0].change.rows.len(), 1, "and nothing but what has changed");
}

#[tokio::test]
async fn one_who_does_not_read_holds_nobody_back_and_is_told_later_what_it_came_to() {
    let place = place().await;
    sign_in(&place, "ann", MORNING).await;
    let (mut quick, mut slow) = (place.engine.watch(&day(), 50, &[]), place.engine.watch(&day(), 50, &[]));
    let (mut seen, mut late) = (Watched::default(), Watched::default());
    late.take(&slow.next().await.unwrap());
    for number in 0..30 {
        sign_in(&place, &format!("agent {number}"), MORNING).await;
        seen.follow(&place, &mut quick).await;
    }
    seen.assert_is_the_answer(&place, &day());
    let update = slow.next().await.unwrap();
    assert!(!update.change.snapshot);
    assert_eq!(update.change.rows.len(), 30, "thirty changes in one");
    late.take(&update);
    late.assert_is_the_answer(&place, &day());
}

#[tokio::test]
async fn a_question_that_is_asked_again_and_again_is_answered_as_if_it_were_asked_once() {
    let place = place().await;
    let windowed = Query { last: Some(minutes(30)), by: vec![Dimension::Agent], ..day() };
    for number in 0..6 {
        sign_in(&place, &format!("agent {number}"), MORNING.plus(minutes(7 * number))).await;
        place.clock.set(MORNING.plus(minutes(7 * number + 1)).plus(Micros(number)));
        for asked in [&day(), &windowed] {
            let table = place.engine.query_now(asked.clone()).await.unwrap();
            let once = place.engine.query(&Query { as_of: table.as_of, ..asked.clone() }).unwrap();
            assert_eq!(table, once, "asked for the {}. time, window {:?}", number + 1, asked.last);
            assert!(!table.rows.is_empty());
        }
    }
}

#[tokio::test]
async fn a_watch_that_broke_goes_on_where_it_was() {
    let place = place().await;
    sign_in(&place, "ann", MORNING).await;
    sign_in(&place, "bob", MORNING).await;
    let mut watched = Watched::default();
    watched.take(&place.engine.watch(&day(), 50, &[]).next().await.unwrap());
    sign_in(&place, "cay", MORNING).await;
    place.settled().await;
    let mut again = place.engine.watch(&day(), 50, &watched.token);
    let update = watched.follow(&place, &mut again).await;
    assert!(!update.change.snapshot);
    assert_eq!(update.change.rows.len(), 1, "only what has changed since");
    watched.assert_is_the_answer(&place, &day());
}

#[tokio::test]
async fn a_watch_goes_on_after_a_restart_with_the_spans_that_have_changed() {
    let place = place().await;
    sign_in(&place, "ann", MORNING).await;
    let session = place.session("desk");
    send(&session, batch(1, MORNING, vec![signed_in("bob")])).await.unwrap();
    drop(session);
    place.settled().await;
    place.clock.set(MORNING.plus(minutes(20)));
    let mut watched = Watched::default();
    watched.take(&place.engine.watch(&day(), 50, &[]).next().await.unwrap());
    assert_eq!(watched.rows.len(), 4, "two agents in two intervals");
    let place = place.restarted().await;
    place.clock.set(MORNING.plus(minutes(31)));
    sign_in(&place, "cay", MORNING.plus(minutes(30))).await;
    place.settled().await;
    let mut again = place.engine.watch(&day(), 50, &watched.token);
    let update = watched.follow(&place, &mut again).await;
    assert!(!update.change.snapshot, "the token says what is known");
    let first = MORNING.plus(minutes(15));
    assert!(update.change.rows.iter().all(|live| live.row.from >= first), "the first interval stands");
    watched.assert_is_the_answer(&place, &day());
}

#[tokio::test]
async fn a_token_of_another_question_or_made_up_gives_a_snapshot() {
    let place = place().await;
    sign_in(&place, "ann", MORNING).await;
    let token = place.engine.watch(&day(), 0, &[]).next().await.unwrap().resume_token.clone();
    let other = Query { by: vec![Dimension::Agent], ..day() };
    assert!(place.engine.watch(&other, 0, &token).next().await.unwrap().change.snapshot);
    let mut far = token.clone();
    // The table is another, and the position lies beyond the end.
    far[32..].fill(0x7F);
    for forged in [b"made up".to_vec(), vec![0xFF; 64], far] {
        let update = place.engine.watch(&day(), 0, &forged).next().await.unwrap();
        assert!(update.change.snapshot, "{forged:?}");
        assert_eq!(update.change.rows.len(), 1);
    }
}

#[tokio::test]
async fn an_instant_that_changes_figures_without_an_event_wakes_the_watchers() {
    let place = place().await;
    sign_in(&place, "ann", MORNING).await;
    let mut watch = place.engine.watch(&day(), 50, &[]);
    let mut watched = Watched::default();
    watched.take(&watch.next().await.unwrap());
    // The next interval begins: a row of it comes to be.
    place.clock.set(MORNING.plus(minutes(15)));
    watched.take(&watch.next().await.unwrap());
    assert!(watched.as_of >= MORNING.plus(minutes(15)));
    watched.assert_is_the_answer(&place, &day());
}

#[tokio::test]
async fn a_window_moves_on_and_forgets_what_slides_out_of_it() {
    let place = place().await;
    let session = place.session("ann");
    send(&session, batch(1, MORNING, vec![signed_in("ann"), away("ann")])).await.unwrap();
    place.settled().await;
    place.clock.set(MORNING.plus(minutes(1)));
    let columns = vec!["sign_ins".to_owned(), "away_count".to_owned()];
    let last = Some(minutes(2));
    let query = Query {
        last,
        columns,
        by: vec![Dimension::Agent],
        ..Query::new(site(), Micros::ZERO, Micros::ZERO, MORNING)
    };
    let mut watch = place.engine.watch(&query, 50, &[]);
    let update = watch.next().await.unwrap();
    assert_eq!(update.change.rows.len(), 1);
    place.clock.set(MORNING.plus(minutes(2)).plus(Micros(1)));
    let update = watch.next().await.unwrap();
    assert_eq!((update.change.rows.len(), update.change.removed.len()), (0, 1));
}

#[tokio::test]
async fn a_thousand_watchers_of_mixed_queries_all_see_what_is_so() {
    let place = place().await;
    let agents: Vec<String> = (0..20).map(|number| format!("agent {number}")).collect();
    for agent in &agents {
        sign_in(&place, agent, MORNING).await;
    }
    let queries: Vec<Query> = agents
        .iter()
        .map(|agent| Query { agents: vec![support::agent(agent)], ..day() })
        .chain([day(), Query { by: vec![], ..day() }, Query { by: vec![Dimension::Agent], ..day() }])
        .collect();
    let mut all: Vec<(usize, KpiWatch, Watched)> = (0..1_000)
        .map(|number| number % queries.len())
        .map(|index| (index, place.engine.watch(&queries[index], 50, &[]), Watched::default()))
        .collect();
    for (_, watch, watched) in &mut all {
        watched.take(&watch.next().await.unwrap());
    }
    place.clock.set(MORNING.plus(minutes(1)));
    for agent in &agents {
        let session = place.session(&format!("desk of {agent}"));
        send(&session, batch(1, MORNING.plus(minutes(1)), vec![away(agent)])).await.unwrap();
    }
    place.settled().await;
    for (index, watch, watched) in &mut all {
        watched.follow_until_answer(&place, watch, &queries[*index]).await;
    }
}

impl Watched {
    /// Takes updates until it is the query's answer; a narrow watch hears nothing of what is not its own.
    async fn follow_until_answer(&mut self, place: &Place, watch: &mut KpiWatch, query: &Query) {
        loop {
            let rows = place.engine.query(&Query { as_of: self.as_of, ..query.clone() }).unwrap().rows;
            let mut own = self.rows();
            own.sort_by(|a, b| (a.from, &a.keys).cmp(&(b.from, &b.keys)));
            let own: Vec<Row> = if query.by.is_empty() {
                self.rows.values().map(|(at, live)| live.after(self.as_of.minus(*at))).collect()
            } else {
                own
            };
            if own == rows {
                return;
            }
            let update = watch.next().await.unwrap();
            self.take(&update);
        }
    }
}
