//! What a signed-in agent and an open contact take of an engine's memory: both folds, leases left out.
//!
//! The difference between a small number and a large one: what the log and its caches hold is in both. Invariant: each
//! number is what Linux tells of a process that has done nothing but start from such a log.

use std::{path::Path, sync::Arc};

use pegcount_benches::{
    Outcome, appending,
    measure::{float, memory_mb},
    role::{self, told_by},
    table::Line,
};
use pegcount_domain::ids::{Epoch, Name};
use pegcount_engine::{Engine, EngineOptions};
use pegcount_log::{EventLog, SledLog, SledOptions};
use pegcount_proto::v1::{Fact, fact};
use tokio::runtime::Runtime;

const AGENT_BYTES_MAX: f64 = 4_096.0;
const CONTACT_BYTES_MAX: f64 = 1_024.0;
/// A few, and many.
const AGENTS: [u64; 2] = [1_000, 11_000];
const CONTACTS: [u64; 2] = [1_000, 101_000];
/// Calls of each agent's shift so far: more would be history, not an agent.
const CALLS: u64 = 6;

pub(crate) fn lines() -> Outcome<Vec<Line>> {
    let each = |word: &str, counts: [u64; 2]| -> Outcome<f64> {
        let mut bytes = [0.0; 2];
        for (bytes, count) in bytes.iter_mut().zip(counts) {
            let dir = tempfile::tempdir()?;
            role::another(word, count, 0, dir.path())?.output()?;
            [*bytes] = told_by("hold", dir.path())?;
        }
        let ([few, many], [less, more]) = (bytes, counts);
        Ok((many - few) / float(more - less))
    };
    Ok(vec![
        Line::with_limit("a signed-in agent, bytes", each("agents", AGENTS)?, 0, AGENT_BYTES_MAX),
        Line::with_limit(
            "an open contact that waits, bytes",
            each("contacts", CONTACTS)?,
            0,
            CONTACT_BYTES_MAX,
        ),
    ])
}

/// So many agents, each with some calls behind it.
pub(crate) fn agents(dir: &Path, count: u64) -> Outcome<()> {
    let name = |number: u64| format!("agent-{number:05}");
    let mut facts: Vec<fact::Fact> =
        (0..count).flat_map(|number| pegcount_benches::workload::sign_in(&name(number))).collect();
    for call in 0..CALLS {
        for number in 0..count {
            let contact = format!("c{number}-{call}");
            facts.extend(pegcount_benches::workload::call(&contact, &name(number), "service"));
        }
    }
    write(dir, facts)
}

/// So many contacts that wait in a queue.
pub(crate) fn contacts(dir: &Path, count: u64) -> Outcome<()> {
    let begins = |number: u64| {
        let call = pegcount_benches::workload::call(&format!("contact-{number:06}"), "nobody", "service");
        call.into_iter().take(2)
    };
    write(dir, (0..count).flat_map(begins).collect())
}

/// Writes the facts, a millisecond apart.
fn write(dir: &Path, facts: Vec<fact::Fact>) -> Outcome<()> {
    let runtime = Runtime::new()?;
    let log = Arc::new(SledLog::open(SledOptions::new(dir.join("log")))?);
    let source = Name::new("pbx")?;
    let at = |seq: u64| 1_736_150_400_000_000 + i64::try_from(seq).unwrap_or(0) * 1_000;
    let facts: Vec<Fact> =
        (1..).zip(facts).map(|(seq, fact)| Fact { seq, source_time_us: at(seq), fact: Some(fact) }).collect();
    let appends = facts.chunks(appending::APPEND_EVENTS);
    let appends =
        appends.map(|facts| appending::append(&source, Epoch(1), facts)).collect::<Outcome<Vec<_>>>()?;
    runtime.block_on(appending::run(&log, vec![appends]))?;
    Ok(runtime.block_on(log.close())?)
}

/// Folds what was written, and tells what memory the process has then, bytes.
pub(crate) fn hold(dir: &Path) -> Outcome<()> {
    let runtime = Runtime::new()?;
    let engine = runtime.block_on(Engine::open(EngineOptions::folder(dir)))?;
    role::tell("hold", &[memory_mb("VmRSS:")? * 1e6])?;
    drop(engine);
    std::process::exit(0)
}
