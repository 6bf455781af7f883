//! What is refused of an append before anything is decided: emptiness, size, a skip that makes no sense,
//! a counted batch of several sites.
//!
//! Not for what depends on the log's state. Invariant: what passes fits into one group, and each event into a frame.

use crate::{
    api::{Append, AppendError},
    frame::{event_bytes, widen},
    limits::{APPEND_BYTES_MAX, APPEND_EVENTS_MAX, EVENT_BYTES_MAX},
};

/// The last seq that there can be.
pub(crate) const SEQ_MAX: u64 = u64::MAX / 2;

/// Checks `append` by itself; gives an upper bound of its bytes in a frame.
pub(crate) fn bytes_of(append: &Append) -> Result<usize, AppendError> {
    if append.events.is_empty() {
        return Err(AppendError::Empty);
    }
    within("events", append.events.len(), APPEND_EVENTS_MAX)?;
    let mut bytes = 0;
    for event in &append.events {
        let event_bytes = event_bytes(event, &append.source);
        within("bytes", event_bytes, EVENT_BYTES_MAX)?;
        bytes += event_bytes;
    }
    within("bytes", bytes, APPEND_BYTES_MAX)?;
    seqs_make_sense(append)?;
    one_site_per_counter(append)?;
    Ok(bytes)
}

fn seqs_make_sense(append: &Append) -> Result<(), AppendError> {
    let Some(to) = append.skip_to else { return Ok(()) };
    let first = append.batch.map_or(0, |batch| batch.first_seq);
    if first == 0 || to < first || to > SEQ_MAX || append.events.len() != 1 {
        let (origin, events) = (append.source.clone(), append.events.len());
        return Err(AppendError::BadSkip { origin, first, to, events });
    }
    Ok(())
}

/// A counter is a site's: opening the log counts every event at its own site.
fn one_site_per_counter(append: &Append) -> Result<(), AppendError> {
    let (Some(_), Some(first)) = (append.batch, append.events.first()) else { return Ok(()) };
    let (origin, site) = (append.source.clone(), &first.stream.site);
    match append.events.iter().find(|event| event.stream.site != *site) {
        Some(event) => {
            Err(AppendError::SeveralSites { origin, site: site.clone(), other: event.stream.site.clone() })
        }
        None => Ok(()),
    }
}

fn within(unit: &'static str, actual: usize, limit: usize) -> Result<(), AppendError> {
    if actual > limit { Err(AppendError::TooLarge { unit, actual, limit }) } else { Ok(()) }
}

/// The first and the last seq that the append's event number `index` uses up.
pub(crate) fn seqs(append: &Append, first_seq: u64, index: usize) -> (u64, u64) {
    let first = first_seq.saturating_add(widen(index));
    (first, append.skip_to.unwrap_or(first))
}
