//! The simulator's day over a real server: what a watch has gathered, what a query of the present answers and what a fold of
//! the log's first part answers are the same bytes, and an independent count of the facts agrees.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod real;

use std::{collections::BTreeMap, time::Duration};

use pegcount_client::Api;
use pegcount_domain::{
    ids::SiteId,
    time::{Micros, Span},
};
use pegcount_proto::v1::{
    Dimension, KpiRow, KpiTable, KpiUpdate, QueryKpiRequest, WatchKpiRequest, query_kpi_request::KnownAt,
};
use pegcount_sim::run;
use prost::Message;
use real::Real;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Monday 2023-11-13, 09:00 UTC.
const MORNING: Micros = Micros(1_699_866_000_000_000);
const SPEED: f64 = 600.0;
const SEED: u64 = 11;
/// A watch that is told nothing for so long is told nothing any more.
const TOLD_WITHIN: Duration = Duration::from_secs(30);

const CUTS: [&[Dimension]; 4] = [
    &[Dimension::Queue],
    &[Dimension::Agent],
    &[Dimension::Interval15, Dimension::Queue, Dimension::Direction],
    &[Dimension::Hour, Dimension::Agent, Dimension::Channel],
];

fn asked(by: &[Dimension]) -> QueryKpiRequest {
    QueryKpiRequest {
        site: "main".into(),
        from_us: MORNING.0,
        to_us: MORNING.plus(Micros(12 * Micros::HOUR.0)).0,
        by: by.iter().map(|dimension| (*dimension).into()).collect(),
        ..QueryKpiRequest::default()
    }
}

/// What a watcher knows.
#[derive(Clone, Debug, Default)]
struct Gathered {
    rows: BTreeMap<(i64, Vec<String>), KpiRow>,
    as_of: i64,
    position: u64,
    updates: usize,
}

impl Gathered {
    fn take(&mut self, update: KpiUpdate) {
        if update.snapshot {
            self.rows.clear();
        }
        for row in update.removed {
            self.rows.remove(&(row.from_us, row.keys));
        }
        self.rows.extend(update.rows.into_iter().map(|row| ((row.from_us, row.keys.clone()), row)));
        (self.as_of, self.position) = (update.as_of_us, update.position);
        self.updates += 1;
    }

    fn bytes(&self) -> Vec<u8> {
        bytes(self.rows.values())
    }
}

fn bytes<'a>(rows: impl Iterator<Item = &'a KpiRow>) -> Vec<u8> {
    rows.flat_map(Message::encode_length_delimited_to_vec).collect()
}

/// Watches until it is dropped; tells after each update.
async fn watching(api: &Api, by: &[Dimension]) -> watch::Receiver<Gathered> {
    let request =
        WatchKpiRequest { query: Some(asked(by)), max_per_second: 50, ..WatchKpiRequest::default() };
    let mut updates = api.kpi().watch_kpi(request).await.unwrap().into_inner();
    let (tell, told) = watch::channel(Gathered::default());
    tokio::spawn(async move {
        while let Ok(Some(update)) = updates.message().await {
            tell.send_modify(|gathered| gathered.take(update));
        }
    });
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn live_query_and_watch_are_the_same_bytes_on_the_simulators_day() {
    let real = Real::begin(MORNING, SPEED).await;
    let api = real.api();
    let mut watches = Vec::new();
    for by in CUTS {
        watches.push(watching(&api, by).await);
    }
    let config = real.config(SEED, 60, 400, Micros(Micros::HOUR.0));
    let report = run(config, CancellationToken::new()).await.unwrap();
    assert!(report.total().answered > 50, "seed {SEED}");

    for (by, mut told) in CUTS.into_iter().zip(watches) {
        let gathered = caught_up(&api, by, report.position, &mut told).await;
        assert!(gathered.updates > 5, "the watch followed");
        let known_at = Some(KnownAt::KnownAtPosition(gathered.position));
        let known = QueryKpiRequest { as_of_us: Some(gathered.as_of), known_at, ..asked(by) };
        let known = query(&api, known).await;
        assert!(bytes(known.rows.iter()) == gathered.bytes(), "by {by:?}: {}", differing(&known, &gathered));
        // Who names no instant is answered from what is kept of open work, who names one from a fold of it.
        let now = query(&api, QueryKpiRequest { min_position: report.position, ..asked(by) }).await;
        let known_at = Some(KnownAt::KnownAtPosition(now.position));
        let named = QueryKpiRequest { as_of_us: Some(now.as_of_us), known_at, ..asked(by) };
        let named = query(&api, named).await;
        assert!(bytes(named.rows.iter()) == bytes(now.rows.iter()), "by {by:?}");
    }

    let status = real.engine.audit_now().await.unwrap();
    assert_eq!((status.open, status.left_out), (Vec::new(), 0), "seed {SEED}");
    let range = Span::new(MORNING, MORNING.plus(Micros(12 * Micros::HOUR.0)));
    let done = real.engine.reconcile(&SiteId::new("main").unwrap(), range, &mut |_| {}).await.unwrap();
    assert_eq!((done.differing, done.left_out.len()), (0, 0), "seed {SEED}: {:?}", done.differences);
    assert!(done.agent_lines > 60 && done.queue_lines > 10, "{done:?}");
    real.end().await;
}

/// What has been gathered once it is what a query answers as of the same instant. Events that change nothing of a table are
/// not told, so its own position may stay behind the log's.
async fn caught_up(
    api: &Api,
    by: &[Dimension],
    position: u64,
    told: &mut watch::Receiver<Gathered>,
) -> Gathered {
    loop {
        let gathered = told.borrow_and_update().clone();
        let live = QueryKpiRequest { as_of_us: Some(gathered.as_of), min_position: position, ..asked(by) };
        let live = query(api, live).await;
        if bytes(live.rows.iter()) == gathered.bytes() {
            return gathered;
        }
        let changed = tokio::time::timeout(TOLD_WITHIN, told.changed()).await;
        assert!(changed.is_ok(), "by {by:?}: {}", differing(&live, &gathered));
        changed.unwrap().unwrap();
    }
}

async fn query(api: &Api, request: QueryKpiRequest) -> KpiTable {
    api.kpi().query_kpi(request).await.unwrap().into_inner()
}

/// The first difference, in words.
fn differing(table: &KpiTable, gathered: &Gathered) -> String {
    let asked: BTreeMap<_, _> = table.rows.iter().map(|row| ((row.from_us, row.keys.clone()), row)).collect();
    for (key, row) in &asked {
        let Some(known) = gathered.rows.get(key) else { return format!("{key:?} is missing in the watch") };
        for ((column, one), other) in table.columns.iter().zip(&row.values).zip(&known.values) {
            if one != other {
                return format!("{key:?} {}: {one:?} asked, {other:?} watched", column.name);
            }
        }
    }
    let surplus = gathered.rows.keys().find(|key| !asked.contains_key(*key));
    format!("{surplus:?} is in the watch alone")
}
