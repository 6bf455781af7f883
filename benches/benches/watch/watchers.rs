//! Those who watch: streams over a few connections, each noting when which position arrived. Of an update only what is
//! needed for that is decoded.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use pegcount_benches::{Outcome, histogram::Histogram, workload::QUEUES};
use pegcount_proto::v1::{Dimension, QueryKpiRequest, WatchKpiRequest};
use tonic::{
    Request,
    client::Grpc,
    codegen::http::uri::PathAndQuery,
    metadata::MetadataValue,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

use crate::{
    floor::{Batch, agent_name},
    server::Process,
};

const CONNECTIONS: usize = 8;
const QUEUE_COLUMNS: [&str; 8] =
    ["offered", "answered", "abandon_rate", "service_level", "asa", "waiting", "longest_waiting", "handled"];
const AGENT_COLUMNS: [&str; 7] =
    ["handled", "handle_talk", "aht", "contacts_per_hour", "occupancy", "signed_in_clock", "rona_rate"];

/// One kind of watch.
pub(crate) struct Kind {
    name: &'static str,
    pub(crate) words: &'static str,
    /// So many of a thousand watchers.
    share: usize,
}

pub(crate) const KINDS: [Kind; 6] = [
    Kind { name: "queues", words: "the day by queue", share: 300 },
    Kind { name: "site", words: "the day as one row, all columns", share: 100 },
    Kind { name: "intervals", words: "the day by interval and queue", share: 100 },
    Kind { name: "agents", words: "the day by agent", share: 100 },
    Kind { name: "own", words: "the day of one agent", share: 300 },
    Kind { name: "queue", words: "the day of one queue by hour", share: 100 },
];

/// What is looked at in an update (`KpiUpdate`).
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Seen {
    #[prost(uint64, tag = "6")]
    position: u64,
}

/// When which position arrived.
type Arrivals = Arc<Mutex<Vec<(u64, Instant)>>>;

struct Watcher {
    kind: usize,
    /// The agent or the queue that it is about.
    about: usize,
    arrivals: Arrivals,
}

pub(crate) struct Watchers(Vec<Watcher>);

impl Watchers {
    pub(crate) async fn start(server: &Process, count: usize, agents: usize) -> Outcome<Self> {
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            let endpoint = Endpoint::new(server.endpoint.clone())?;
            channels.push(endpoint.initial_connection_window_size(8 << 20).connect().await?);
        }
        let mut all = Vec::new();
        let kinds =
            KINDS.iter().enumerate().flat_map(|(kind, one)| (0..one.share).map(move |about| (kind, about)));
        for (index, (kind, about)) in kinds.cycle().step_by(7).take(count).enumerate() {
            let about = if kind == 4 { about * 31 % agents.max(1) } else { about % QUEUES.len() };
            let arrivals = Arrivals::default();
            let channel = channels.get(index % CONNECTIONS).ok_or("no connection")?.clone();
            let request = WatchKpiRequest { query: Some(query(kind, about)), ..Default::default() };
            tokio::spawn(watch(channel, server.token.clone(), request, Arc::clone(&arrivals)));
            all.push(Watcher { kind, about, arrivals });
        }
        Ok(Self(all))
    }

    /// Waits until everybody has been told something.
    pub(crate) async fn all_begun(&self) -> Outcome<()> {
        let deadline = Instant::now() + Duration::from_mins(2);
        while self.0.iter().any(Watcher::is_empty) {
            if Instant::now() > deadline {
                let silent = self.0.iter().filter(|watcher| watcher.is_empty()).count();
                return Err(format!("{silent} of {} have not been told anything", self.0.len()).into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// What has arrived so far is not measured.
    pub(crate) fn forget(&self) {
        self.0.iter().for_each(|watcher| watcher.lock().clear());
    }

    /// The latencies of each kind, and how many updates arrived.
    pub(crate) fn latencies(&self, batches: &[Batch]) -> (Vec<(&'static str, usize, Histogram)>, usize) {
        let mut kinds: Vec<_> = KINDS.iter().map(|kind| (kind.name, 0, Histogram::default())).collect();
        let mut updates = 0;
        for watcher in &self.0 {
            let arrivals = watcher.lock();
            updates += arrivals.len();
            let Some((_, count, histogram)) = kinds.get_mut(watcher.kind) else { continue };
            *count += 1;
            for batch in batches.iter().filter(|batch| watcher.is_about(batch)) {
                let next = arrivals.partition_point(|(position, _)| *position < batch.position);
                if let Some((_, at)) = arrivals.get(next) {
                    histogram.add(at.saturating_duration_since(batch.at));
                }
            }
        }
        (kinds, updates)
    }
}

impl Watcher {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Instant)>> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Whether a batch changes its figures for certain.
    fn is_about(&self, batch: &Batch) -> bool {
        match self.kind {
            3 => !batch.agents.is_empty(),
            4 => batch.agents.contains(&self.about),
            5 => batch.queues.contains(&self.about),
            _ => !batch.queues.is_empty(),
        }
    }
}

async fn watch(channel: Channel, token: String, request: WatchKpiRequest, arrivals: Arrivals) -> Outcome<()> {
    let mut request = Request::new(request);
    let bearer: MetadataValue<_> = format!("Bearer {token}").parse()?;
    request.metadata_mut().insert("authorization", bearer);
    let mut grpc = Grpc::new(channel).max_decoding_message_size(64 << 20);
    grpc.ready().await?;
    let path = PathAndQuery::from_static("/pegcount.v1.KpiService/WatchKpi");
    let mut updates = grpc
        .server_streaming(request, path, ProstCodec::<WatchKpiRequest, Seen>::default())
        .await?
        .into_inner();
    while let Some(seen) = updates.message().await? {
        let at = Instant::now();
        arrivals.lock().unwrap_or_else(PoisonError::into_inner).push((seen.position, at));
    }
    Ok(())
}

fn query(kind: usize, about: usize) -> QueryKpiRequest {
    let day_us = 24 * 3_600 * 1_000_000;
    let from_us = pegcount_clock::system_now().0.div_euclid(day_us) * day_us;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let by = |by: &[Dimension]| by.iter().map(|by| i32::from(*by)).collect();
    let day =
        QueryKpiRequest { site: "bench".to_owned(), from_us, to_us: from_us + day_us, ..Default::default() };
    match kind {
        0 => QueryKpiRequest { by: by(&[Dimension::Queue]), columns: names(&QUEUE_COLUMNS), ..day },
        1 => day,
        2 => QueryKpiRequest {
            by: by(&[Dimension::Interval15, Dimension::Queue]),
            columns: names(&QUEUE_COLUMNS),
            ..day
        },
        3 => QueryKpiRequest { by: by(&[Dimension::Agent]), columns: names(&AGENT_COLUMNS), ..day },
        4 => QueryKpiRequest { agents: vec![agent_name(about)], columns: names(&AGENT_COLUMNS), ..day },
        _ => QueryKpiRequest {
            by: by(&[Dimension::Hour]),
            queues: names(QUEUES.get(about..=about).unwrap_or_default()),
            columns: names(&QUEUE_COLUMNS),
            ..day
        },
    }
}
