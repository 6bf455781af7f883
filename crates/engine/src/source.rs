//! Sources: whose they are, and which connection of theirs is the newest.
//!
//! Invariant: a source belongs to the principal that used it first, for good (kept by the log: the actor of its
//! events); of several connections only the newest may append.

use std::sync::Arc;

use parking_lot::Mutex;
use pegcount_domain::{
    ids::{AgentId, Epoch, Incarnation, Name, SiteId, SourceId},
    time::Micros,
};
use rustc_hash::FxHashMap;
use tokio::sync::watch;

use crate::{engine::Engine, error::EngineError};

/// The name of the engine's own source.
pub(crate) const ENGINE_SOURCE: &str = "engine";

/// What a source says first.
#[derive(Clone, Debug)]
pub struct SourceHello {
    /// The site that its facts belong to.
    pub site: SiteId,
    /// Its name.
    pub source: SourceId,
    /// The epoch of its counter.
    pub epoch: Epoch,
    /// The incarnation that it last spoke to.
    pub incarnation: Option<Incarnation>,
    /// The boot of the device.
    pub boot: String,
    /// Its clock now; none: its clock is trusted as it is.
    pub client_time: Option<Micros>,
    /// The agent whose softphone it is, if it is one: then it holds a lease.
    pub agent: Option<AgentId>,
    /// Who speaks.
    pub actor: Name,
    /// If set, only facts about this agent are taken.
    pub only_agent: Option<AgentId>,
}

/// What it is answered.
#[derive(Clone, Copy, Debug)]
pub struct SourceWelcome {
    /// The log's incarnation.
    pub incarnation: Incarnation,
    /// The highest contiguous durable seq; 0 if none.
    pub last_committed_seq: u64,
    /// The server's clock.
    pub server_time: Micros,
    /// The incarnation is not the one that the source last spoke to.
    pub incarnation_changed: bool,
}

/// Owners and newest connections, by (site, source).
#[derive(Debug, Default)]
pub(crate) struct Sources(Mutex<FxHashMap<(SiteId, SourceId), Entry>>);

#[derive(Debug)]
struct Entry {
    owner: Name,
    newest: watch::Sender<u64>,
}

/// A connection's right to append, lost when a newer one comes.
#[derive(Clone, Debug)]
pub(crate) struct Fence {
    mine: u64,
    newest: watch::Receiver<u64>,
}

impl Fence {
    pub(crate) fn holds(&self) -> bool {
        *self.newest.borrow() == self.mine
    }
}

impl Sources {
    /// Makes a connection of `actor` the newest one of the source. `owner_in_log` finds the actor of the source's first
    /// event, if it has any; it is asked once for each source, since a fold may keep it waiting.
    fn take(
        &self,
        hello: &SourceHello,
        owner_in_log: impl FnOnce() -> Option<Name>,
    ) -> Result<Fence, EngineError> {
        let key = (hello.site.clone(), hello.source.clone());
        let known = self.0.lock().contains_key(&key);
        let owner_in_log = if known { None } else { owner_in_log() };
        let mut entries = self.0.lock();
        let entry = entries.entry(key).or_insert_with(|| Entry {
            owner: owner_in_log.unwrap_or_else(|| hello.actor.clone()),
            newest: watch::Sender::new(0),
        });
        if entry.owner != hello.actor || hello.source.0.as_str() == ENGINE_SOURCE {
            return Err(EngineError::SourceTaken {
                origin: hello.source.0.clone(),
                site: hello.site.0.clone(),
                owner: entry.owner.clone(),
            });
        }
        let newest = entry.newest.subscribe();
        let mine = *newest.borrow() + 1;
        entry.newest.send_replace(mine);
        Ok(Fence { mine, newest })
    }
}

/// One connection of a source, through which its facts come in (see [`crate::ingest`]).
pub struct SourceSession {
    pub(crate) engine: Arc<Engine>,
    pub(crate) hello: SourceHello,
    pub(crate) fence: Fence,
    /// The difference of the clocks as measured by the handshake; the source's own measurement is better.
    pub(crate) offset: Micros,
}

impl SourceSession {
    /// Waits until a newer connection of the same source has fenced this one off; [`EngineError::Fenced`].
    pub async fn fenced(&self) -> EngineError {
        let mut newest = self.fence.newest.clone();
        // The sender lives in the engine, which this session keeps alive.
        let _ = newest.wait_for(|newest| *newest != self.fence.mine).await;
        EngineError::Fenced { origin: self.hello.source.0.clone() }
    }
}

impl Engine {
    /// Opens a connection of a source; older ones of the same source are fenced off.
    ///
    /// Errors: [`EngineError::SourceTaken`].
    pub fn open_source(
        self: &Arc<Self>,
        hello: SourceHello,
    ) -> Result<(SourceSession, SourceWelcome), EngineError> {
        let (session, now) = self.take_source(hello)?;
        let hello = &session.hello;
        let incarnation = self.log.incarnation();
        let welcome = SourceWelcome {
            incarnation,
            last_committed_seq: self
                .log
                .source_mark(&hello.site.0, &hello.source.0, hello.epoch)?
                .map_or(0, |mark| mark.last_seq),
            server_time: now,
            incarnation_changed: hello.incarnation.is_some_and(|known| known != incarnation),
        };
        Ok((session, welcome))
    }

    /// The same for one call, which gets no welcome: nothing is looked up in the log.
    ///
    /// Errors: [`EngineError::SourceTaken`].
    pub fn open_source_for_a_call(
        self: &Arc<Self>,
        hello: SourceHello,
    ) -> Result<SourceSession, EngineError> {
        Ok(self.take_source(hello)?.0)
    }

    /// Gives the time at which it became the newest, too.
    fn take_source(self: &Arc<Self>, hello: SourceHello) -> Result<(SourceSession, Micros), EngineError> {
        let owner = || self.boards.state().read().owner_of_source(&hello.site, &hello.source);
        let fence = self.sources.take(&hello, owner)?;
        let now = self.clock.now();
        let offset = hello.client_time.map_or(Micros::ZERO, |client| now.minus(client));
        let session = SourceSession { engine: Arc::clone(self), hello, fence, offset };
        session.alive();
        Ok((session, now))
    }
}
