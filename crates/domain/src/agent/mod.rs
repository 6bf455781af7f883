//! The agent: a session, an intent, and one slot per leg (KPIS.md §3, §6).
//!
//! A pure state machine over the facts of one agent in time order. Not for figures: the folds take the clock spans
//! that [`AgentState::apply`] gives and count them. Not for who may command what: the server checks roles.
//!
//! Invariant: whatever facts come, in whatever order, at every instant the agent's clock says exactly one thing; a
//! fact that the table does not allow is kept, changes the state in the sanest way, and is marked with an
//! [`Anomaly`].
//!
//! - [`slot`]: one leg, its phases and steps; [`transition`]: the table of which step leads where
//! - [`state`]: what is known of one agent now, and its clock
//! - [`apply`]: takes the next fact in
//! - [`session`]: signing in and out, ready and away, the pending next intent
//! - [`due`]: what ends by itself, and when
//! - [`policy`]: what a site has defined that the machine asks for
//! - [`decide`]: what a supervisor asks for, decided against the state
//! - [`anomaly`]: why a fact was not expected
//! - [`table`]: the transition table, as ARCHITECTURE.md shows it

pub mod anomaly;
pub mod apply;
pub mod decide;
pub mod due;
pub mod policy;
pub mod session;
pub mod slot;
pub mod state;
pub mod table;
pub mod transition;

pub use anomaly::Anomaly;
pub use apply::Applied;
pub use decide::{Decision, Refusal, decide_next_state, decide_set_state, decide_sign_out};
pub use due::Due;
pub use policy::{AfterCallPolicy, Policies, ReservedReasons, SitePolicies};
pub use slot::{Phase, Slot, StepKind};
pub use state::{AgentState, ClockState, Session, Standing};
