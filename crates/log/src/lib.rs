//! The event log: one trait ([`EventLog`]), one conformance suite, `sled` for the hot end.
//!
//! Not for rules or figures: a payload is opaque here.

mod api;
mod frame;

pub use api::*;
pub use frame::{Frame, FrameEvent};
