//! The sources: one softphone for each agent, one exchange.
//!
//! Invariant: each source records in the order in which the core emitted.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use pegcount_client::{
    Exchange, Fact, OpenError, Softphone, Source, SourceConfig, SpoolDurability, SpoolError, channel,
};
use pegcount_domain::{
    ids::{Name, SourceId},
    time::Micros,
};
use tokio::time::{Instant, sleep, timeout_at};
use tonic::transport::Channel;

use super::SimConfig;
use crate::plan::agent_id;

/// How many sources share one HTTP/2 connection: servers allow 100 to 200 streams on each.
const SOURCES_PER_CHANNEL: usize = 64;
/// How long to wait before a full spool is tried again, real time.
const FULL_PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Fleet {
    phones: Vec<Softphone>,
    exchange: Arc<Exchange>,
}

impl Fleet {
    pub(super) fn open(config: &SimConfig) -> Result<Self, OpenError> {
        let channels: Vec<Channel> = (0..=config.agents / SOURCES_PER_CHANNEL)
            .map(|_| channel(&config.endpoint, config.tls_ca.as_ref()))
            .collect::<Result<_, _>>()?;
        let source = |name: String, place: usize| SourceConfig {
            endpoint: config.endpoint.clone(),
            tls_ca: config.tls_ca.clone(),
            token: config.token.clone(),
            site: config.site.clone(),
            // Made of an agent's id, which is a name; the prefix keeps it within the limit.
            source: SourceId(Name::new(&name).unwrap_or(Name::fixed("softphone"))),
            agent: None,
            spool_dir: config.spool_dir.clone(),
            clock: config.clock.clone(),
            durability: SpoolDurability::ProcessCrash,
            channel: channels.get(place / SOURCES_PER_CHANNEL).cloned(),
            spool_bytes_max: 64 << 20,
            keep_acknowledged_bytes_max: 0,
            segment_bytes: 1 << 20,
        };
        let exchange = Arc::new(Exchange::open(source("exchange".to_owned(), 0))?);
        let phones = (0..config.agents).map(|agent| {
            let id = agent_id(agent);
            Softphone::open(source(format!("softphone-{id}"), agent), id)
        });
        Ok(Self { phones: phones.collect::<Result<_, _>>()?, exchange })
    }

    pub(super) fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    pub(super) fn batch(&self) -> Batch<'_> {
        Batch { fleet: self, phones: BTreeMap::new(), exchange: Vec::new() }
    }

    /// Waits until everything is acknowledged, at most so long. Says the highest position; 0 if time ran out.
    pub(super) async fn flush(&self, at_most: Duration) -> u64 {
        let deadline = Instant::now() + at_most;
        let mut position = 0;
        for source in self.phones.iter().map(Softphone::source).chain([self.exchange.source()]) {
            match timeout_at(deadline, source.flush()).await {
                Ok(Ok(reached)) => position = reached.0.max(position),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "not every fact of the simulation is acknowledged");
                    return 0;
                }
                Err(_) => {
                    tracing::warn!(
                        "not every fact of the simulation is acknowledged in time; it stays in the spool"
                    );
                    return 0;
                }
            }
        }
        position
    }

    pub(super) async fn close(self) {
        for phone in self.phones {
            phone.close().await;
        }
        // The desk has let go of its share by now; were it not so, dropping would close it all the same.
        if let Some(exchange) = Arc::into_inner(self.exchange) {
            exchange.close().await;
        }
    }
}

/// Facts that are recorded together.
pub(super) struct Batch<'a> {
    fleet: &'a Fleet,
    phones: BTreeMap<usize, Vec<(Fact, Micros)>>,
    exchange: Vec<(Fact, Micros)>,
}

impl Batch<'_> {
    pub(super) fn softphone(&mut self, agent: usize, fact: Fact, at: Micros) {
        self.phones.entry(agent).or_default().push((fact, at));
    }

    pub(super) fn exchange(&mut self, fact: Fact, at: Micros) {
        self.exchange.push((fact, at));
    }

    pub(super) async fn record(self) -> Result<(), SpoolError> {
        if !self.exchange.is_empty() {
            record(self.fleet.exchange.source(), self.exchange).await?;
        }
        for (agent, facts) in self.phones {
            if let Some(phone) = self.fleet.phones.get(agent) {
                record(phone.source(), facts).await?;
            }
        }
        Ok(())
    }
}

/// Waits while the spool is full: a centre without its server stands still.
async fn record(source: &Source, facts: Vec<(Fact, Micros)>) -> Result<(), SpoolError> {
    loop {
        match source.record_all(facts.clone()) {
            Err(SpoolError::Full { .. }) => sleep(FULL_PAUSE).await,
            recorded => return recorded.map(drop),
        }
    }
}
