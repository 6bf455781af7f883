//! Readers of other systems' records.
//!
//! A reader turns rows into [`ContactRecord`]s, or into [`pegcount_domain::ticketing::TicketRecord`]s: the facts of one contact or ticket, under an id that the record itself gives, so
//! that reading the same rows again, in whatever order, names the same ones. Not for storing them: whoever does
//! appends each record to its own stream only if that stream does not exist yet.
//!
//! Invariant: a row that cannot be read is reported with its line and its reason, and never keeps the others out.

pub mod bank;
mod lines;
mod record;
pub mod tickets;

pub use record::ContactRecord;
