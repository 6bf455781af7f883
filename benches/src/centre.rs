//! A simulated centre's facts, as an exchange's gateway would tell them: calls of many agents interleave, and time goes
//! by at the pace of a centre, not at that of this machine. For figures that depend on what lies beside what: bytes on
//! disk, and one agent's day.
//!
//! Invariant: the same number gives the same facts.

use pegcount_domain::ids::{Epoch, Name};
use pegcount_log::Append;
use pegcount_proto::v1::{Fact, fact};
use prost::Message;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    Outcome,
    appending::{APPEND_EVENTS, append},
    workload,
};

/// Agents of one gateway.
pub const AGENTS: usize = 250;
/// How many facts an agent makes a day, its callers' included: eight hours, one in 29 seconds.
pub const FACTS_PER_AGENT_DAY: usize = 1_000;
/// The mean time from one fact of a gateway to the next, microseconds.
const STEP_US: i64 = 8 * 3_600 * 1_000_000 / 250_000;
/// When the simulated centre opened: 2025-01-06, microseconds.
const OPENING_US: i64 = 1_736_150_400_000_000;

/// One gateway of the centre.
#[derive(Debug)]
pub struct Gateway {
    number: usize,
    name: Name,
    epoch: Epoch,
    /// What is still to come of each agent's call.
    agents: Vec<std::vec::IntoIter<fact::Fact>>,
    calls: u64,
    seq: u64,
    now_us: i64,
    step_us: i64,
    random: StdRng,
    fact_bytes: u64,
}

impl Gateway {
    /// Gateway `number`, in its first epoch.
    pub fn new(number: usize) -> Outcome<Self> {
        let sign_in = |agent| workload::sign_in(&agent_name(number, agent)).into_iter();
        Ok(Self {
            number,
            name: Name::new(&format!("gateway-{number}"))?,
            epoch: Epoch(u128::try_from(number)? + 1),
            agents: (0..AGENTS).map(sign_in).collect(),
            calls: 0,
            seq: 0,
            now_us: OPENING_US,
            step_us: STEP_US,
            random: StdRng::seed_from_u64(u64::try_from(number)?),
            fact_bytes: 0,
        })
    }

    /// The same gateway at another pace: the mean time from one fact to the next, microseconds.
    pub fn paced(mut self, step_us: i64) -> Self {
        self.step_us = step_us;
        self
    }

    /// The centre opens on its `day`-th day, counted from 0.
    pub fn open_day(&mut self, day: i64) {
        self.now_us = OPENING_US + day * 24 * 3_600 * 1_000_000;
    }

    /// The same gateway after a restart that lost its counter: a new epoch, so that another process can go on.
    pub fn restarted(mut self, epoch: u128) -> Self {
        self.epoch = Epoch(epoch);
        self.seq = 0;
        self
    }

    /// The next facts as one append.
    pub fn append(&mut self) -> Outcome<Append> {
        let facts: Vec<Fact> = (0..APPEND_EVENTS).map(|_| self.next_fact()).collect();
        self.fact_bytes += facts.iter().map(|fact| fact.encoded_len() as u64).sum::<u64>();
        append(&self.name, self.epoch, &facts)
    }

    /// The length of all its facts so far as they are sent, protobuf, bytes.
    pub fn fact_bytes(&self) -> u64 {
        self.fact_bytes
    }

    fn next_fact(&mut self) -> Fact {
        let agent = self.random.random_range(0..AGENTS);
        let fact = loop {
            let Some(steps) = self.agents.get_mut(agent) else { continue };
            if let Some(fact) = steps.next() {
                break fact;
            }
            self.calls += 1;
            let contact =
                format!("{}-{:06x}-{:010}", self.number, self.random.random_range(0..1 << 24), self.calls);
            let queue = self.random.random_range(0..workload::QUEUES.len());
            let queue = workload::QUEUES.get(queue).copied().unwrap_or_default();
            *steps = workload::call(&contact, &agent_name(self.number, agent), queue).into_iter();
        };
        self.seq += 1;
        self.now_us += self.random.random_range(1..2 * self.step_us);
        Fact { seq: self.seq, source_time_us: self.now_us, fact: Some(fact) }
    }
}

fn agent_name(gateway: usize, agent: usize) -> String {
    format!("agent-{gateway}-{agent:03}")
}
