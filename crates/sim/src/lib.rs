//! A simulated contact centre: seeded, in virtual time, with a real little call distributor in the middle.
//!
//! Nothing about waiting is drawn: arrivals, patience and handling are, and waits, abandons and occupancy arise from
//! them. [`Centre`] is the pure core: it knows no clock and no network, and emits facts with the instants at which
//! they happen. [`run`] releases them through the client SDK when a clock reaches those instants: one softphone source
//! for each agent, one exchange source for all contacts.
//!
//! Invariant: the same [`Scenario`] gives the same facts, always.

mod centre;
mod draw;
mod plan;
mod profile;
mod report;
mod runner;

pub use centre::{Centre, Emission, Emitted, Scenario, TicketAction, TicketStep};
pub use report::{QueueCounts, SimReport};
pub use runner::{SimConfig, SimError, run};
