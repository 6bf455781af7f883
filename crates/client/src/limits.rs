//! The limits of the SDK, each with its unit, in one place.

use std::time::Duration;

/// The largest encoded fact, bytes. A fact is names and numbers; what is larger is a mistake.
pub const FACT_BYTES_MAX: usize = 64 * 1024;

/// A batch stops growing here, bytes of encoded facts. The server's own limit on a message lies above.
pub const BATCH_BYTES_MAX: usize = 512 * 1024;

/// Batches that may be on their way without an acknowledgement.
pub const IN_FLIGHT_BATCHES_MAX: usize = 8;

/// A batch never holds more facts, whatever the server allows.
pub(crate) const BATCH_FACTS_MAX: usize = 4096;

/// Refusals that the status remembers; older ones are only counted.
pub const REFUSALS_KEPT_MAX: usize = 64;

/// How long acknowledged facts are kept, in case the server comes back from a backup (and as far as
/// `SourceConfig::keep_acknowledged_bytes_max` allows).
pub const KEEP_ACKNOWLEDGED: Duration = Duration::from_hours(24);

/// Boots whose clock offset the spool remembers.
pub(crate) const BOOTS_KEPT_MAX: usize = 16;

/// Measurements of the clock that are compared.
pub(crate) const OFFSET_SAMPLES_MAX: usize = 8;

/// An answer that takes longer than this is not waited for, real time.
pub(crate) const ANSWER_WAIT_MAX: Duration = Duration::from_secs(30);

/// How long a closing connection waits for its last acknowledgements, real time.
pub(crate) const CLOSE_WAIT_MAX: Duration = Duration::from_secs(2);

/// First pause before connecting again, real time.
pub(crate) const BACKOFF_MIN: Duration = Duration::from_millis(50);

/// Longest pause before connecting again, real time.
pub(crate) const BACKOFF_MAX: Duration = Duration::from_secs(10);

const _: () = assert!(FACT_BYTES_MAX < BATCH_BYTES_MAX, "every fact fits a batch");
