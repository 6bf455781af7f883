//! A customer's file: what is sealed for the customer, who may read it and who did, and its end.
//!
//! Nothing here is personal: the file holds references, which the vault unseals while it has the customer's key. Not for who
//! may ask for what (the server checks roles).
//!
//! Invariants: whoever reads sealed values is on record with a purpose before the values are given out; a grant ends by itself; of an
//! erased customer nothing more is kept, read or granted, and what had been stays on record.
//!
//! - [`event`]: what happens; [`file`]: what is known; [`mod@decide`]: what comes of what is asked for, and why not

pub mod decide;
pub mod event;
pub mod file;

pub use decide::{
    CustomerRefusal, Reader, decide_erase, decide_grant, decide_keep, decide_look, decide_read,
    decide_revoke, decide_tier,
};
pub use event::{CustomerEvent, ValueKind};
pub use file::{CustomerFile, Grant, KeptValue};
