//! Leases: a softphone that is not heard for a while has lost its connection, and no state stays stuck.
//!
//! A lease belongs to the server that holds the connection; after a restart every softphone that the log shows signed
//! in gets a fresh one, so a restart loses nobody. The same boot that returns within the grace annuls the loss; its
//! spooled facts fill the gap. Another boot ends the loss from then on. After the grace the agent counts as signed
//! out by the times alone (`pegcount_domain::agent::due`). After a restart of the server the lost boot is not known, so
//! such a loss ends but is not undone.
//!
//! Invariant: at most one unanswered `connection_lost` per agent (decided with the stream's expected version).

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use pegcount_domain::{
    agent::Session,
    envelope::{Position, StreamKind, StreamName},
    event::Event,
    ids::{AgentId, Name, SiteId},
    time::Micros,
};
use pegcount_log::{Append, AppendError, Expected};
use rustc_hash::FxHashMap;
use smallvec::smallvec;
use tokio::task::JoinHandle;

use crate::{
    boards::OnSoftphone,
    engine::Engine,
    error::EngineError,
    ingest::new_event,
    source::{ENGINE_SOURCE, SourceSession},
};

type Key = (SiteId, AgentId);

/// One softphone's lease.
#[derive(Clone, Debug)]
struct Lease {
    last_heard: Micros,
    /// The boot that was heard last; none before the first word after a restart.
    boot: Option<String>,
    lost: Option<Loss>,
}

/// A connection that was lost.
#[derive(Clone, Debug)]
struct Loss {
    event: Position,
    since: Micros,
    /// The boot that was lost; none if that was before a restart.
    boot: Option<String>,
}

/// All leases of this server.
#[derive(Debug)]
pub(crate) struct Leases {
    length: Micros,
    held: Mutex<FxHashMap<Key, Lease>>,
}

/// What is to be done about a lease.
enum Act {
    Lose { last_heard: Micros, boot: Option<String> },
    Return { loss: Loss, same_boot: bool, heard: Micros },
}

impl Leases {
    pub(crate) fn new(length: Micros) -> Self {
        Self { length, held: Mutex::default() }
    }

    pub(crate) fn length(&self) -> Micros {
        self.length
    }

    /// A word from the softphone of `agent`.
    fn heard(&self, key: &Key, boot: &str, now: Micros) {
        let mut held = self.held.lock();
        if let Some(lease) = held.get_mut(key) {
            lease.last_heard = now;
            if lease.boot.as_deref() != Some(boot) {
                lease.boot = Some(boot.to_owned());
            }
            return;
        }
        held.insert(key.clone(), Lease { last_heard: now, boot: Some(boot.to_owned()), lost: None });
    }

    /// After a restart: a fresh lease for whoever the log shows signed in.
    fn resume(&self, present: Vec<OnSoftphone>, now: Micros) {
        let mut held = self.held.lock();
        for OnSoftphone { site, agent, lost } in present {
            let lost = lost.map(|(event, since)| Loss { event, since, boot: None });
            let lease =
                held.entry((site, agent)).or_insert(Lease { last_heard: now, boot: None, lost: None });
            lease.lost = lease.lost.take().or(lost);
        }
    }

    /// What has come due.
    fn due(&self, now: Micros) -> Vec<(Key, Act)> {
        let held = self.held.lock();
        let due = held.iter().filter_map(|(key, lease)| {
            let silent = now.minus(lease.last_heard) > self.length;
            let act = match &lease.lost {
                None if silent => Act::Lose { last_heard: lease.last_heard, boot: lease.boot.clone() },
                Some(loss) if lease.boot.is_some() && lease.last_heard > loss.since => {
                    // The boot that was lost before a restart is not known: then the loss stands, and ends now.
                    let same_boot = loss.boot == lease.boot;
                    Act::Return { loss: loss.clone(), same_boot, heard: lease.last_heard }
                }
                _ => return None,
            };
            Some((key.clone(), act))
        });
        due.collect()
    }

    fn set_lost(&self, key: &Key, lost: Option<Loss>) {
        if let Some(lease) = self.held.lock().get_mut(key) {
            lease.lost = lost;
        }
    }

    /// Forgets a lease that nobody will miss: its agent is signed out.
    fn drop_lease(&self, key: &Key) {
        self.held.lock().remove(key);
    }
}

impl SourceSession {
    /// Any message is a sign of life.
    pub(crate) fn alive(&self) {
        if let Some(agent) = &self.hello.agent {
            let key = (self.hello.site.clone(), agent.clone());
            self.engine.leases.heard(&key, &self.hello.boot, self.engine.clock.now());
        }
    }
}

/// Looks at all leases four times per lease.
pub(crate) fn spawn(engine: &Arc<Engine>) -> JoinHandle<()> {
    let now = engine.clock.now();
    engine.leases.resume(engine.boards.state().read().on_softphones(now), now);
    let clock = engine.clock.clone();
    let pause = Micros(engine.leases.length.0 / 4);
    let engine: Weak<Engine> = Arc::downgrade(engine);
    tokio::spawn(async move {
        loop {
            clock.sleep(pause).await;
            let Some(engine) = engine.upgrade() else { return };
            for (key, act) in engine.leases.due(clock.now()) {
                if let Err(error) = engine.act(&key, act).await {
                    tracing::warn!(site = %key.0, agent = %key.1, %error, "a lease could not be kept; trying again");
                }
            }
        }
    })
}

impl Engine {
    async fn act(&self, key: &Key, act: Act) -> Result<(), EngineError> {
        match act {
            Act::Lose { last_heard, boot } => self.lose(key, last_heard, boot).await,
            Act::Return { loss, same_boot, heard } => self.take_back(key, &loss, same_boot, heard).await,
        }
    }

    async fn lose(&self, key: &Key, last_heard: Micros, boot: Option<String>) -> Result<(), EngineError> {
        let (site, agent) = key;
        self.caught_up(self.log.end()).await?;
        let view = match self.agent(site, agent) {
            Ok(view) => view,
            Err(EngineError::NotFound { .. }) => {
                self.leases.drop_lease(key);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        if view.state.session() != Session::SignedIn {
            self.leases.drop_lease(key);
            return Ok(());
        }
        let event = Event::ConnectionLost { last_heard };
        if let Some(position) =
            self.append_own(key, &event, last_heard, Expected::Version(view.version)).await?
        {
            tracing::info!(%site, %agent, position = position.0, "connection lost");
            self.leases.set_lost(key, Some(Loss { event: position, since: last_heard, boot }));
        }
        Ok(())
    }

    async fn take_back(
        &self,
        key: &Key,
        loss: &Loss,
        same_boot: bool,
        heard: Micros,
    ) -> Result<(), EngineError> {
        let now = self.clock.now();
        let event = if same_boot && heard.minus(loss.since) <= self.lost_grace {
            Event::Annulled {
                target: loss.event.0,
                reason: Name::fixed("the same boot returned within the grace"),
            }
        } else {
            Event::ConnectionRestored
        };
        if self.append_own(key, &event, now, Expected::Any).await?.is_some() {
            self.leases.set_lost(key, None);
        }
        Ok(())
    }

    /// Appends an event of the engine's own to an agent's stream; none if somebody else was first.
    async fn append_own(
        &self,
        (site, agent): &Key,
        event: &Event,
        at: Micros,
        expected: Expected,
    ) -> Result<Option<Position>, EngineError> {
        let stream = StreamName { site: site.0.clone(), kind: StreamKind::Agent, id: agent.0.clone() };
        let engine = Name::fixed(ENGINE_SOURCE);
        let append = Append {
            source: engine.clone(),
            batch: None,
            skip_to: None,
            expected: smallvec![(stream.clone(), expected)],
            events: vec![new_event(stream, event, at, at, engine)],
        };
        match self.log.append(append).await {
            Ok(done) => Ok(Some(done.last)),
            Err(AppendError::WrongVersion { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
