//! The agent's unit: clock, leg times, handles and counts of one agent (KPIS.md §3).
//!
//! A unit keeps its facts in time order, in chapters cut at *quiet points*, where no leg and no after-call work is
//! open. What lies before the last quiet point stands in the cells; what lies after it is folded when somebody
//! reads. Legs that nobody is known to have handled form units of their own, without a clock.
//!
//! - [`unit`]: the history, its chapters ([`chapter`]), and which part stands in the cells; [`revise`]: changes of the past
//! - [`fold`]: the pure function from a chapter's start and facts to contributions
//! - [`session`], [`step`]: the rules of the live machine, within a fold
//! - [`leg`]: one leg within a fold; [`authority`]: whom to believe where two report it
//! - [`slots`]: slots beyond the first; [`standing`]: the state at an instant
//! - [`clock`]: the one state that the clock counts; [`emit`]: spans and amounts into contributions
//!
//! Invariant: what a fold gives depends on the facts and the reference data alone, not on their order of arrival.

pub(crate) mod authority;
pub(crate) mod chapter;
pub(crate) mod clock;
pub(crate) mod emit;
pub(crate) mod fold;
pub(crate) mod leg;
pub(crate) mod revise;
mod session;
mod slots;
pub(crate) mod standing;
mod step;
pub(crate) mod unit;
