//! What tools merge of the indexes of a log's parts: where each stream (or counter) begins and ends in each of them.
//!
//! Invariant: that of [`Merge`].

use crate::segment::{Merge as MergeOf, MergePart};

/// First and last version, or seq.
pub(super) type Span = (u64, u64);
/// The entries of one part, sorted by fingerprint.
pub(super) type Spans<'a> = MergePart<'a, Span>;
/// All parts side by side.
pub(super) type Merge<'a> = MergeOf<'a, Span>;
