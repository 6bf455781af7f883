//! What the whole-system tests share: the binary as a user has it, a server as a process, and a place to work in.
//!
//! Not for anything that one crate can test by itself. Invariant: a process that is started here is ended here,
//! whatever becomes of the test.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "helpers of tests: a panic is how a test fails"
)]

mod binary;
mod centre;
mod figures;
mod left;
mod server;

pub use binary::{Output, binary, pegcount, run, run_with, workspace};
pub use centre::{Centre, Facts};
pub use figures::Csv;
pub use left::{copied, facts_in, is_half_sealed};
pub use server::{Server, free_port};

/// The README's Rust examples compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
