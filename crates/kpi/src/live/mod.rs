//! Figures kept up to date for whoever watches: what is open, unit by unit, and tables that change by differences.
//!
//! - [`follower`]: one site followed: which units changed, and what that adds to the tables
//! - [`parts`]: what one open unit adds at an instant, and what of it grows by itself
//! - [`deltas`]: differences of amounts; [`board`]: a query's table, changed by them; [`change`]: what to tell a watcher
//!
//! An amount that grows is kept as a line over time, so that a clock that merely runs changes nothing. Invariant: a board
//! shows at its instant what [`Kpi::query`](crate::Kpi::query) answers as of that instant.

pub(crate) mod board;
mod change;
pub(crate) mod deltas;
mod follower;
mod parts;

pub use board::Board;
pub use change::{Change, LiveRow, RowId};
pub use deltas::Deltas;
pub use follower::Follower;
