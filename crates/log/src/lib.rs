//! The event log: one trait ([`EventLog`]), one conformance suite, `sled` for the hot end, flat segments for history.
//!
//! Not for rules or figures: a payload is opaque here.

mod api;
mod check;
mod clock;
mod consumers;
mod content;
mod deliver;
mod error;
mod filter;
mod frame;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod hot;
mod keys;
pub mod limits;
mod memory;
mod pages;
mod query;
mod retention;
mod segment;
mod stream;
mod subscribe;
pub mod tools;

pub use api::*;
pub use clock::{Clock, system_clock};
pub use consumers::{
    Confirmer, Consumer, ConsumerError, ConsumerHello, ConsumerName, ConsumerStatus, Consumers, Found,
};
pub use deliver::{Deliveries, Delivery};
pub use filter::Filter;
pub use frame::{Frame, FrameBuilder, FrameError, FrameEvent, Stamp};
pub use hot::{SledLog, SledOptions, blobs_empty};
pub use memory::MemoryLog;
#[doc(hidden)]
pub use pages::PageRule;
pub use query::{ReadPage, ReadQuery};
pub use retention::{Archive, Dropped};
pub use stream::{Direction, StreamPage, StreamPart};
