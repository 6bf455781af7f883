//! Tickets: commands, what is due among a million, lists, working time, and a help desk's history.
//!
//! - `commands`: durable commands of 64 clients, against calls that a service throws away, and against durable facts
//! - `backlog`: a million open tickets with four targets: memory, what is due, lists
//! - `working`: working time over a year's calendar; `history`: a help desk's log, read and imported
//!
//! `cargo bench -p pegcount-benches --bench tickets`; `PEGCOUNT_BENCH_PART=commands` (or another) does one of them,
//! `PEGCOUNT_BENCH_TICKETS` and `PEGCOUNT_BENCH_IMPORTED` say how many tickets there are.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod backlog;
mod commands;
mod history;
mod working;

use pegcount_benches::{
    Outcome,
    measure::Others,
    table::{self, Line},
};

fn main() -> Outcome<()> {
    let part = std::env::var("PEGCOUNT_BENCH_PART").unwrap_or_default();
    let wanted = |name: &str| part.is_empty() || part == name;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // The backlog first: it measures memory, and a heap that was used keeps what it had.
    if wanted("backlog") {
        shown("A backlog of tickets", || runtime.block_on(backlog::measured()))?;
    }
    if wanted("commands") {
        shown("Ticket commands, 64 clients", || runtime.block_on(commands::compared()))?;
    }
    if wanted("history") {
        shown("A help desk's history", || runtime.block_on(history::imported()))?;
    }
    if wanted("working") {
        shown("Working time over a year's calendar", working::measured)?;
    }
    Ok(())
}

fn shown(title: &str, measure: impl FnOnce() -> Outcome<Vec<Line>>) -> Outcome<()> {
    let others = Others::begin();
    let lines = measure()?;
    table::print(&format!("{title} ({})", others.share()), &lines);
    Ok(())
}
