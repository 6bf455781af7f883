//! The targets of a ticket in time: by when what has to happen, who is told on the way, and what became of it.
//!
//! Policies are data, the first that matches holds, each target for itself. A time that the customer asked for or an agent
//! promised outranks them. Not for sending anything: [`due`] says what has come due, the engine appends an event for it and acts.
//!
//! Invariants:
//! - The time on a target's clock is what its calendar counts between its activation and now, less what it was paused.
//! - What came due is told exactly once: after its event is applied, [`due`] does not say it again.
//! - [`next_due`] is the first instant at which [`due`] says something, so a scheduler may sleep until then.
//! - A target that was missed stays missed, whatever is promised or changed afterwards.
//!
//! - [`policy`]: policies as data; [`standard`]: the set that ships (PRODUCT.md row 10)
//! - [`world`]: policies and calendars as they came into force; [`making`]: made of a site's definitions
//! - [`clock`]: one target's clock; [`track`]: all targets of a ticket, event by event; [`history`]: what happened to
//!   them, and why; [`replay`]: what would have happened to them in another world
//! - [`alert`]: what has come due, and what comes due next

pub mod alert;
pub mod clock;
pub mod history;
pub mod making;
pub mod policy;
pub mod replay;
pub mod standard;
pub mod track;
pub mod world;

pub use alert::{Due, Duty, due, next_due};
pub use clock::{Outcome, Promise, RuleRef, Stand, TargetClock};
pub use history::{ChangeCause, Happened, Moment, Step, TargetHistory, targets};
pub use policy::{AlertStep, Amount, ClockKind, Conditions, Policy, PolicySet, Recipient, TargetRule};
pub use replay::{Compared, Course, Fate, Replay};
pub use track::Deadlines;
pub use world::{DeadlineError, World};
