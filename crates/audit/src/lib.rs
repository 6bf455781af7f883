//! The auditor: what the events of the log say of visits and signed-in time, counted once more by other means.
//!
//! Figures are checked against it (KPIS.md §3, balance and agent clock), so it shares no code with the folds that make
//! them: this crate knows the domain's events and definitions and nothing of `crates/kpi`. Where those keep units, books
//! and what is settled, the auditor keeps the raw facts of the last time and goes through them from their beginning
//! whenever it is asked. No I/O, no clock.
//!
//! - [`Auditor`]: takes the events of the log in, and counts a range
//! - [`Counts`]: the numbers, of whoever counted; [`differences`] between two
//! - inside: `agent` (sessions) and `leg` (what keeps an agent busy), `contact` (visits), `rank` (the order of facts),
//!   `site` (whose fact it is), `window` (what is let go of)
//!
//! Invariant: what is counted depends on the facts and the instant asked about, never on the order of arrival; what can
//! no longer be counted exactly is said to be in doubt, never guessed.

mod agent;
mod auditor;
mod compare;
mod contact;
mod counts;
mod leg;
mod rank;
mod site;
mod window;

pub use auditor::{Auditor, Counted, Keep, Limits};
pub use compare::{Difference, Kind, compared, differences};
pub use counts::{AGENT_COLUMNS, Counts, OTHER_STATES, QUEUE_COLUMNS, Subject};
