//! A narrow door to what reads page tokens, for tests that feed it bytes that nobody wrote.
//!
//! Not for programs: it is compiled with the feature `fuzzing` only, and may change with every commit. Invariant: bytes are read as a
//! service reads them.

pub use crate::services::timeline_fuzzing::{timeline_token, timeline_token_samples};
