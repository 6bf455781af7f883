//! Call records of the "Anonymous Bank" (Technion, Service Engineering laboratory): tab-separated, one call a row,
//! local times.
//!
//! A caller enters the voice menu (vru), then a queue named by `type` unless `q_time` is 0 (straight to an agent, or
//! gone), and ends as AGENT (answered), HANG (gave up) or PHANTOM (no call at all: left out and counted).
//!
//! - [`reader`]: rows in, records out
//! - `row`: one row, checked field by field
//! - `clock`: local times of day to instants, past midnight too
//! - `facts`: what a row says happened
//! - [`report`]: what was read, kept, left out and found odd
//!
//! Invariant: a visit waits exactly `q_time` and a leg lasts exactly from `ser_start` to `ser_exit`: two clocks made the
//! two pairs, and neither is corrected by the other.

mod clock;
mod facts;
pub mod reader;
pub mod report;
mod row;

pub use reader::{BankError, BankReader};
pub use report::{BankReport, BrokenLine, Oddity, RepeatedLine};

/// The columns, in their order.
pub const COLUMNS: [&str; 17] = [
    "vru+line",
    "call_id",
    "customer_id",
    "priority",
    "type",
    "date",
    "vru_entry",
    "vru_exit",
    "vru_time",
    "q_start",
    "q_exit",
    "q_time",
    "outcome",
    "ser_start",
    "ser_exit",
    "ser_time",
    "server",
];
