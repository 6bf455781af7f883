//! Wires the log to the folds, decides commands, holds leases. The clock is a port.
//!
//! The path of a fact, by file: [`ingest`] takes it in (who, well formed?), `source` places it in its source's
//! counter, the log makes it durable, `follow` hands each durable frame to the folds (`figures` for KPIs, `boards`
//! for agents, contacts, tickets and customers' files as they are now), and `watch` wakes whoever looks. `audit` counts the facts once more by
//! other means and checks the figures.
//!
//! Invariant: everything here but the log and the vault can be thrown away and is rebuilt by folding the log.

mod alerts;
mod archive;
mod audit;
mod boards;
mod checkpoints;
mod commands;
mod consumers;
mod contacts;
mod corrections;
mod customers;
mod daily;
mod definitions;
mod engine;
mod error;
mod explain;
mod figures;
mod folds;
mod follow;
mod imports;
mod ingest;
mod known;
mod leases;
pub mod options;
mod pipeline;
mod progress;
mod reading;
mod recorded;
mod refold;
mod retention;
mod source;
mod texts;
mod ticket_imports;
mod tickets;
mod timeline;
mod watch;

pub use audit::{AuditStatus, ReconcileProgress, Reconciled, Violation};
pub use boards::{
    AgentView, ContactView, CustomerView, MarkedContactFact, MarkedFact, STANDARD as STANDARD_CALENDAR,
    TicketCursor, TicketFilter, TicketOrder, TicketView,
};
pub use checkpoints::Checkpointing;
pub use commands::Carried;
pub use consumers::LogConsumer;
pub use contacts::OPEN_CONTACTS_MAX;
pub use corrections::Correction;
pub use customers::{ReadValue, ValuesToKeep, VaultCopy};
pub use daily::Standing;
pub use definitions::Defined;
pub use engine::Engine;
pub use error::EngineError;
pub use explain::{Explained, told_events};
pub use figures::Figures;
pub use folds::FOLDS_MAX;
pub use imports::{ImportRecord, Imported};
pub use ingest::{FactBatch, PendingAck, Refusal, SourceAck};
pub use known::{KnownAt, Moment};
pub use options::{EngineOptions, LogStore};
pub use pegcount_audit::{Difference, Kind};
pub use pegcount_vault::{MasterKey, VaultError};
pub use progress::{Purpose, Recomputation};
pub use reading::{LogPage, ReadEvent};
pub use retention::{RETENTION_MIN, Retained, Retention};
pub use source::{SourceHello, SourceSession, SourceWelcome};
pub use ticket_imports::ImportedTickets;
pub use tickets::{
    Fates, OneTicket, OpenTicket, REPLAYED_ROWS_MAX, ReplayStep, ReplayedTarget, ReplayedTicket, TicketAsker,
    TicketHistory, TicketPage, TicketReplay, TicketStep, TicketUpdate, TicketWatch, WATCHED_TICKETS_MAX,
    WhatIf,
};
pub use timeline::{TIMELINE_PAGE_MAX, Timeline, TimelineEntry, TimelinePage, TimelinePlace};
pub use watch::{KpiWatch, WatchUpdate};
