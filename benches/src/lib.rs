//! What the benchmarks share: workloads of real calls' shape, clients that write them, a service that throws them
//! away, rounds, and a table.
//!
//! Every figure is a ratio of two things measured in one run on one machine; absolute numbers stand beside it.

pub mod appending;
pub mod centre;
pub mod empty;
pub mod histogram;
pub mod measure;
#[cfg(feature = "peers")]
pub mod peers;
pub mod plain;
pub mod role;
pub mod serve;
pub mod single;
pub mod streaming;
pub mod table;
pub mod workload;
pub mod writer;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a benchmark's step gives; any error ends the run.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
