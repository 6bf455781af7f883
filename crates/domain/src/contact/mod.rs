//! The contact: queue visits, legs, and what is known of the customer and the matter.
//!
//! A pure state machine over the facts of one contact in time order. Not for figures: the folds count. Not for the
//! agents' clocks: those are [`crate::agent`]'s.
//!
//! Invariant: whatever facts come, each visit is entered once and left at most once, and what was not expected is
//! marked with a [`ContactAnomaly`].

mod anomaly;
mod state;

pub use anomaly::ContactAnomaly;
pub use state::{ContactLeg, ContactState, ContactVisit};
