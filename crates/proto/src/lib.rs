//! The public contract as Rust types, the stored payloads, and the conversions between both and the domain.
//!
//! Not for rules: a conversion checks form (is it there, is it known, does it fit), never state.

mod checked;
mod decode;
mod encode;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod names;
mod rules;
mod ticket_facts;
mod ticket_records;
mod ticket_rules;
mod tickets;

pub use checked::{
    CALLER_BYTES_MAX, CheckedFact, FactError, PRIORITY_MAX, check_agent_fact, check_contact_fact, check_fact,
};
pub use decode::{DecodeError, decode};
pub use encode::{Encoded, SCHEMA_VERSION, encode};
pub use names::Names;
pub use rules::{formula_of, nameless};
pub use ticket_facts::{check_ticket_facts, ticket_facts};
pub use ticket_records::{TEXT_BYTES_MAX, check_ticket_record, ticket_record};

/// The public contract, generated from `proto/pegcount/v1`.
#[allow(missing_docs, clippy::pedantic, reason = "generated; the .proto files carry the documentation")]
pub mod v1 {
    tonic::include_proto!("pegcount.v1");

    /// The contract's descriptors, for gRPC reflection.
    pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/pegcount.v1.bin"));
}

/// The stored payloads, generated from `proto/pegcount/store/v1`.
#[allow(
    missing_docs,
    clippy::pedantic,
    clippy::large_enum_variant,
    reason = "generated; the .proto files carry the documentation"
)]
pub mod stored {
    include!(concat!(env!("OUT_DIR"), "/pegcount.store.v1.rs"));
}
