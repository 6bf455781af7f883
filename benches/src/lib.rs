//! What the benchmarks share: a workload of real calls' shape, a client that streams it, a service that throws it
//! away, and a table.
//!
//! Every figure is a ratio of two things measured in one run on one machine; absolute numbers stand beside it.

pub mod empty;
pub mod streaming;
pub mod table;
pub mod workload;
