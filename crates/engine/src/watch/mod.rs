//! Watching figures: a snapshot, then only the rows that changed, at most so many times a second.
//!
//! - [`hub`]: one task brings the tables of all watched queries up to date, step by step
//! - [`group`]: the watchers of one query share its table, and every update that is made of it
//! - [`subscriber`]: one watcher, at its own pace; [`token`]: where it was, for when it comes back
//! - [`table`]: how a table is kept; [`asked`]: one that is asked for anew instead of changed by differences;
//!   [`question`]: what tells one from another
//! - [`present`]: questions that are asked once, answered from what is kept for watchers
//!
//! Invariant: the snapshot and all changes after it, laid over each other, with what runs in them carried on to the last
//! update's instant, equal the query's answer at that instant and position.

mod asked;
mod group;
mod hub;
mod present;
mod question;
mod subscriber;
mod table;
mod token;

pub use group::WatchUpdate;
pub(crate) use hub::Hub;
pub use subscriber::KpiWatch;
