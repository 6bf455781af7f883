//! Figures: how fast they fold, how soon they are there again after a kill, what a question about the past costs, and
//! what they take of memory. A log of calls is filled, folded by a process of its own that makes a checkpoint, goes on and
//! is killed (SIGKILL); fresh processes start from what it left.
//!
//! `cargo bench -p pegcount-benches --bench figures`; `PEGCOUNT_BENCH_EVENTS` sets the log's size (default 10,000,000).
//!
//! - [`history`]: the log, and the process that is killed
//! - [`start`]: processes that start after it; what was known then
//! - [`folding`]: folds from the log and of decoded events; a late fact
//! - [`memory`]: what an agent and an open contact take
#![allow(clippy::print_stdout, reason = "a benchmark prints its table, and its processes talk by it")]

mod folding;
mod history;
mod memory;
mod start;

use pegcount_benches::{
    Outcome,
    measure::{Others, number},
    role::Role,
    table,
};

const EVENTS_DEFAULT: u64 = 10_000_000;

fn main() -> Outcome<()> {
    if let Some(role) = Role::mine()? {
        return match role.word.as_str() {
            "go-on" => history::go_on(&role.dir, role.number, role.stage),
            "start" => start::start(&role.dir),
            "known" => start::known(&role.dir),
            "fold" => folding::from_log(&role.dir),
            "agents" => memory::agents(&role.dir, role.number),
            "contacts" => memory::contacts(&role.dir, role.number),
            "hold" => memory::hold(&role.dir),
            other => Err(format!("there is no role {other}").into()),
        };
    }
    let others = Others::begin();
    let events = number("PEGCOUNT_BENCH_EVENTS", EVENTS_DEFAULT);
    let dir = tempfile::tempdir()?;
    let rounds = history::fill(dir.path(), events)?;
    let mut lines = folding::lines(dir.path())?;
    lines.extend(start::lines(dir.path(), rounds)?);
    lines.extend(folding::late_facts()?);
    lines.extend(memory::lines()?);
    table::print(&format!("Figures of {events} events ({})", others.share()), &lines);
    Ok(())
}
