//! Ticket histories of other systems: CSV (RFC 4180), one thing that happened in a row, in whatever order, by a map that says what the
//! columns and the values mean.
//!
//! - [`map`]: what a MAP.toml says, checked; `words`: the words it is written in
//! - `row`: one row, checked field by field; `when`: its time
//! - `sort`: rows brought together by ticket, in bounded memory
//! - `history`: the rows of one ticket become what happened to it
//! - [`reader`]: a file in, records out; [`report`]: what was read, kept, left out
//!
//! Invariant: rows of one ticket at one instant come in the order in which the map lists what they say, so that the order of lines plays
//! no part; a row that is there twice counts once.

mod history;
pub mod map;
pub mod reader;
pub mod report;
mod row;
mod sort;
mod when;
mod words;

pub use map::{MapError, TicketMap};
pub use reader::{TicketReader, TicketsError};
pub use report::{BrokenRow, TicketsReport};
