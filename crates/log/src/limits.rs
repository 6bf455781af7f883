//! Every limit of the log, with its unit, in one place, and what must hold between them.
//!
//! Invariant: the relations that keep sled's data in the one file that we sync are asserted at compile time.

use std::time::Duration;

/// The most events in a frame.
pub const FRAME_EVENTS_MAX: usize = 512;
/// The longest frame, bytes, header included, before compression.
pub const FRAME_BYTES_MAX: usize = 60 * 1024;
/// The longest event, bytes: its payload and its texts, with what surrounds them.
pub const EVENT_BYTES_MAX: usize = 32 * 1024;
/// The most events in one append.
pub const APPEND_EVENTS_MAX: usize = 4_096;
/// The longest append, bytes, counted as for [`EVENT_BYTES_MAX`].
pub const APPEND_BYTES_MAX: usize = 1024 * 1024;
/// The longest group (what one sync makes durable), bytes, counted as for [`EVENT_BYTES_MAX`].
pub const GROUP_BYTES_MAX: usize = 2 * 1024 * 1024;
/// What may wait to be decided, bytes; `submit` waits beyond it.
pub const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How many of a source's newest seqs are compared by content when they come again.
pub const SOURCE_WINDOW_SEQS: usize = 4_096;
/// The newest frames kept decoded for live subscribers, bytes of memory.
pub const TAIL_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How many frames a subscriber reads at once when it is behind.
pub const READ_AHEAD_FRAMES: usize = 16;
/// The most frames of which one page of a stream holds events.
pub const STREAM_PAGE_FRAMES: usize = 64;
/// The most frames that one page of the log looks at.
pub const READ_PAGE_FRAMES: usize = 128;
/// After so many frames with nothing wanted a filtered subscription says how far it has come.
pub const PROGRESS_FRAMES: usize = 64;
/// The most named consumers of a log.
pub const CONSUMERS_MAX: usize = 256;
/// What consumers confirm is written once in so long.
pub const CONFIRMS_WRITTEN_EVERY: Duration = Duration::from_secs(1);
/// sled's segment and I/O buffer, bytes.
pub const SEGMENT_BYTES: usize = 8 * 1024 * 1024;
/// sled's page cache, bytes, unless the options say otherwise.
pub const CACHE_BYTES_DEFAULT: u64 = 128 * 1024 * 1024;

/// The hot database is sealed once it has so many bytes of frames, unless the options say otherwise.
pub const SEAL_BYTES_DEFAULT: u64 = 128 * 1024 * 1024;
/// Memory for the filters of segments, bytes, unless the options say otherwise: that of some 25 million streams.
pub const FILTER_BYTES_DEFAULT: u64 = 128 * 1024 * 1024;
/// Memory for index blocks of segments, bytes, unless the options say otherwise.
pub const INDEX_CACHE_BYTES_DEFAULT: u64 = 32 * 1024 * 1024;

/// The most archives that are kept, the newest; each serves what was known at its position.
pub const ARCHIVES_MAX: usize = 16;
/// The longest page of a stream's events, bytes, before compression; a longer event has a page of its own.
pub const PAGE_BYTES_MAX: usize = 32 * 1024;
/// Events of a contact, a ticket or the like are copied into pages beyond so many of its stream.
pub const PAGE_SKIPPED_EVENTS: u64 = 16;
/// A page whose events lie in fewer frames is not worth its bytes.
pub const PAGE_FRAMES_MIN: u32 = 8;
/// Memory for pages that are not full, bytes, unless the options say otherwise.
pub const PAGE_MEMORY_BYTES_DEFAULT: u64 = 32 * 1024 * 1024;

// sled puts a page (a leaf of up to 16 frames, a little more while it splits) beside the database, into a file that
// nobody syncs, once it exceeds a quarter of a segment.
const _: () = assert!(32 * FRAME_BYTES_MAX < SEGMENT_BYTES / 4);
// sled rewrites a leaf for every ten frames added to it, so a group takes up to about three times its bytes.
const _: () = assert!(3 * GROUP_BYTES_MAX < SEGMENT_BYTES);
const _: () = assert!(ARCHIVES_MAX >= 1);
const _: () = assert!(APPEND_BYTES_MAX <= GROUP_BYTES_MAX && APPEND_BYTES_MAX <= QUEUE_BYTES_MAX);
const _: () = assert!(PAGE_BYTES_MAX < FRAME_BYTES_MAX);
const _: () = assert!(EVENT_BYTES_MAX <= APPEND_BYTES_MAX && EVENT_BYTES_MAX < FRAME_BYTES_MAX);
