//! An engine on a folder of its own and a clock set by hand, and short words for facts.

pub mod tickets;

use std::sync::Arc;

use pegcount_clock::Clock;
use pegcount_domain::{
    ids::{AgentId, CommandId, Epoch, Name, SiteId, SourceId},
    time::Micros,
};
use pegcount_engine::{Engine, EngineOptions, FactBatch, SourceAck, SourceHello, SourceSession};
use pegcount_proto::v1::{self, AgentFact, ContactFact, Fact, Nothing, agent_fact, contact_fact, fact};
use tempfile::TempDir;

/// 2026-03-02 08:00 UTC, a Monday.
pub const MORNING: Micros = Micros(1_772_438_400_000_000);

pub struct Place {
    pub engine: Arc<Engine>,
    pub clock: Clock,
    pub dir: TempDir,
}

pub fn site() -> SiteId {
    SiteId::new("north").unwrap()
}

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub fn agent(text: &str) -> AgentId {
    AgentId::new(text).unwrap()
}

pub fn command(number: u128) -> CommandId {
    CommandId(number)
}

pub async fn open_at(dir: TempDir, clock: Clock) -> Place {
    let options = EngineOptions { clock: clock.clone(), ..EngineOptions::folder(dir.path()) };
    let engine = Engine::open(options).await.unwrap();
    Place { engine, clock, dir }
}

pub async fn place() -> Place {
    open_at(tempfile::tempdir().unwrap(), Clock::manual(MORNING)).await
}

impl Place {
    /// Closes the engine and opens its folder again, as a restart does.
    pub async fn restarted(self) -> Self {
        self.engine.close().await.unwrap();
        let Self { engine, clock, dir } = self;
        drop(engine);
        open_at(dir, clock).await
    }

    pub fn hello(&self, source: &str) -> SourceHello {
        SourceHello {
            site: site(),
            source: SourceId(name(source)),
            epoch: Epoch(7),
            incarnation: None,
            boot: "boot-1".to_owned(),
            client_time: None,
            agent: None,
            actor: name(source),
            only_agent: None,
        }
    }

    pub fn session(&self, source: &str) -> SourceSession {
        self.engine.open_source(self.hello(source)).unwrap().0
    }

    /// Waits until everything durable has been folded.
    pub async fn settled(&self) {
        self.engine.caught_up(self.engine.end()).await.unwrap();
    }

    /// Lets time pass in steps until `done` holds; fails after `limit` of its time. A busy machine may take a while of its
    /// own for it: then time stands still.
    pub async fn until(&self, limit: Micros, mut done: impl AsyncFnMut() -> bool) {
        let end = self.clock.now().plus(limit);
        let patience = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
        while !done().await {
            if self.clock.now() < end {
                self.clock.set(self.clock.now().plus(Micros(250_000)));
            } else {
                assert!(tokio::time::Instant::now() < patience, "it did not happen within {limit}");
            }
            tokio::task::yield_now().await;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
}

pub fn agent_fact(agent: &str, action: agent_fact::Action) -> fact::Fact {
    fact::Fact::Agent(AgentFact { agent: agent.to_owned(), action: Some(action) })
}

pub fn contact_fact(contact: &str, action: contact_fact::Action) -> fact::Fact {
    fact::Fact::Contact(ContactFact { contact: contact.to_owned(), action: Some(action) })
}

pub fn signed_in(agent: &str) -> fact::Fact {
    agent_fact(agent, agent_fact::Action::SignedIn(Nothing {}))
}

pub fn ready(agent: &str) -> fact::Fact {
    agent_fact(agent, agent_fact::Action::Ready(Nothing {}))
}

pub fn started(contact: &str, caller: &str) -> fact::Fact {
    let started =
        v1::ContactStarted { channel: 1, direction: 1, caller: caller.to_owned(), ..Default::default() };
    contact_fact(contact, contact_fact::Action::Started(started))
}

/// Numbers facts from `first_seq`, all at `at`.
pub fn batch(first_seq: u64, at: Micros, facts: Vec<fact::Fact>) -> FactBatch {
    let facts = facts
        .into_iter()
        .zip(first_seq..)
        .map(|(fact, seq)| Fact { seq, source_time_us: at.0, fact: Some(fact) })
        .collect();
    FactBatch { facts, clock_offset: None }
}

pub async fn send(
    session: &SourceSession,
    batch: FactBatch,
) -> Result<SourceAck, pegcount_engine::EngineError> {
    session.submit(batch).await?.durable().await
}
