//! The full ticket: its lifecycle and what its kind needs, as pure functions; its times are [`crate::deadlines`]'.
//!
//! Not for who may ask (the server checks roles), and not for idempotence by command id (the engine remembers).
//!
//! Invariants: merged and cancelled are for good; who received a ticket first never changes; a decided event is never marked when
//! it is applied; the version counts every event, and a stale command is told who did what since.
//!
//! - [`words`]: statuses, actions, fields; [`mod@transition`]: the table of which action leads where, and why not; [`table`]: the same
//!   as ARCHITECTURE.md shows it
//! - [`event`]: what happens; [`state`]: what is known of one ticket; `apply`: takes the next event in
//! - [`command`]: what is asked for; [`kinds`]: what a kind needs, as data; [`mod@decide`] and [`pair`]: what comes of a command on
//!   one ticket, and on two; [`visit`]: a site visit's order; [`refusal`]: why not
//! - [`told`]: what another system tells of a ticket

mod apply;
pub mod command;
pub mod decide;
pub mod event;
pub mod kinds;
pub mod pair;
pub mod refusal;
pub mod state;
pub mod table;
pub mod told;
pub mod transition;
pub mod visit;
pub mod words;

pub use command::TicketCommand;
pub use decide::{decide, decide_open};
pub use event::{EscalationCause, FieldValue, Opening, TicketEvent, Way};
pub use kinds::{Evidence, KindRules};
pub use pair::{Pair, Side, decide_link, decide_merge, decide_split};
pub use refusal::{Missing, TicketRefusal};
pub use state::{Approval, Change, Facts, FieldSet, Ticket, Visit};
pub use told::{TicketFact, TicketRecord};
pub use transition::{Move, Why, transition};
pub use words::{
    Action, Field, LinkKind, Promiser, Severity, Status, TargetKind, Urgency, Validity, Visibility,
    VisitStep, WayKind,
};
