//! A site's day as tables of files: written aside, checked against the live figures, published at once.
//!
//! - [`tables`]: what is exported, column by column, declared once; [`dictionary`]: the same for readers
//! - [`cell`]: columns and values; [`write`](mod@write) and [`read`]: Parquet, CSV, JSON lines, and back
//! - [`day`]: a site's local day; [`rows`]: what stands in the tables, at one position of the log
//! - [`check`]: files read back, summed and compared with the live query; [`differ`]: what a new revision changes, and why
//! - [`folder`]: where days are published; [`manifest`]: what a revision is; [`run`]: all of it, one day at a time
//! - [`published`]: what is there, and whether it still is what was published
//!
//! A schedule calls [`publish`] for one site-day and asks [`published::list`] what is there; nothing here keeps time.
//!
//! Invariant: what is published was read back and equals the live query at the same position; the same position, formula,
//! program and format give the same bytes.

pub mod cell;
mod check;
pub mod day;
pub mod dictionary;
mod differ;
mod error;
mod folder;
pub mod manifest;
pub mod published;
mod read;
mod rows;
mod run;
pub mod tables;
mod write;

pub use error::ExportError;
pub use manifest::Manifest;
pub use run::{Outcome, Progress, Published, Request, publish};
pub use write::Format;

/// Of the tables' columns: within one number before the point, columns are only added.
pub const SCHEMA_VERSION: &str = "1.0";
/// Of the program that writes.
pub const PROGRAM_VERSION: &str = env!("CARGO_PKG_VERSION");
