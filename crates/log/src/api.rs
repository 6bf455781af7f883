//! The contract of the log. Every implementation passes the same conformance suite.
//!
//! ```text
//! position   1     2     3     4     5     6     7        dense over the whole log
//!          ┌─────┬─────┬─────┐┌─────┬─────┬─────┬─────┐
//!          │ a/1 │ b/1 │ a/2 ││ c/1 │ a/3 │ b/2 │ c/2 │ …  stream/version: dense within the stream
//!          └─────┴─────┴─────┘└─────┴─────┴─────┴─────┘
//!           frame 1..=3        frame 4..=7               a frame is what one sled key holds
//!
//! │ segment 1            │ segment 2            │ hot         │
//! │ frame frame … frame  │ frame frame … frame  │ frame frame …   the newest frames lie in a database; a full one is
//! └──────────────────────┴──────────────────────┴────────────     sealed into a segment, an immutable file
//! ```
//!
//! Nobody sees from outside where a frame lies: sealing changes no position, no version and no answer.
//!
//! Whole segments can be dropped from the front. What stays of them is an archive of what folds made of them, every
//! stream's head and every counter's mark:
//!
//! ```text
//! │ dropped ……………………… │ segment 2            │ hot         │
//! └── heads, marks ─────┴▲─────────────────────┴────────────
//!                        first()                       archive at first() - 1 or later: folds go on after it
//! ```
//!
//! Promises:
//!
//! - Appends to one stream are totally ordered. `expected` is decided against the pending head of the forming group;
//!   readers, folds and replies see only what is durable.
//! - An append of several events, to several streams too, is all or nothing.
//! - What was acknowledged survives as [`Durability`] says; by default, power loss.
//! - A reader sees a prefix. A subscription gives first history, then what comes, with no gap and no repeat.
//! - A source's facts count once: repeats are dropped, a repeat with other content is refused, a seq beyond the next
//!   is refused.
//! - After an I/O error the log is poisoned: reads go on, appends are refused until it is opened again.
//! - Dropping history changes what can be read, and nothing else: expected versions, versions, repeats and marks are as
//!   if all were there. Who asks for what is gone is told so ([`LogError::Dropped`]), and never given something else.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::Stream;
use pegcount_domain::{
    envelope::{Position, StreamName, Version},
    event::EventType,
    ids::{CommandId, Epoch, Incarnation, Name},
    time::Micros,
};
use smallvec::SmallVec;

pub use crate::error::{AppendError, LogError};
use crate::{
    consumers::{Consumer, ConsumerError, ConsumerHello, Consumers, consume},
    deliver::{Deliveries, deliveries},
    filter::Filter,
    frame::Frame,
    query::{ReadPage, ReadQuery, read_page},
    retention::{Archive, Dropped},
    stream::{Direction, StreamPage},
};

/// An event to be appended. Position, version and `recorded_at` are the log's to give.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its stream.
    pub stream: StreamName,
    /// Its type.
    pub event_type: EventType,
    /// The version of the type's payload.
    pub schema_version: u16,
    /// When it happened, by the corrected clock. A time after `recorded_at` is kept, but read back as `recorded_at`
    /// and marked as clamped.
    pub occurred_at: Micros,
    /// When it happened, by the source's own clock.
    pub source_time: Micros,
    /// Who says so.
    pub actor: Name,
    /// On whose behalf.
    pub on_behalf_of: Option<Name>,
    /// The command that it carries out.
    pub command_id: Option<CommandId>,
    /// Correlates over streams.
    pub correlation: Option<u128>,
    /// What caused it.
    pub causation: Option<Position>,
    /// The names that the payload's ordinals mean: 1 is the first.
    pub names: SmallVec<[Name; 6]>,
    /// The encoded payload.
    pub payload: SmallVec<[u8; 32]>,
}

/// What must hold of a stream for an append to be accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expected {
    /// Anything.
    #[default]
    Any,
    /// The stream does not exist yet.
    NoStream,
    /// The stream's last version is this.
    Version(Version),
}

/// Where a batch stands in its source's counter. Its events are numbered one by one from `first_seq`, in their
/// order; an event that covers several seqs (`quarantine.skipped`) says so in `Append::skip_to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceBatch {
    /// The counter's epoch.
    pub epoch: Epoch,
    /// The seq of the first event.
    pub first_seq: u64,
}

/// One append: all or nothing.
#[derive(Clone, Debug)]
pub struct Append {
    /// Names the source in every event's envelope.
    pub source: Name,
    /// Set when the source keeps a counter: then the append is exactly-once by (site, source, epoch, seq), the site
    /// being that of its events; events of several sites are refused with [`AppendError::SeveralSites`].
    pub batch: Option<SourceBatch>,
    /// If set, the (only) event records a gap: seqs `first_seq..=skip_to` are used up by it.
    pub skip_to: Option<u64>,
    /// What must hold, per stream; streams not named are [`Expected::Any`]. Not looked at when every event is a
    /// repeat: then there is nothing left to decide.
    pub expected: SmallVec<[(StreamName, Expected); 1]>,
    /// The events, in order.
    pub events: Vec<NewEvent>,
}

/// An append is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The position of the last event that this append wrote; the log's end if it wrote none (all were repeats).
    pub last: Position,
    /// How many events it wrote.
    pub written: usize,
    /// How many were repeats and were dropped.
    pub repeats: usize,
    /// For a source with a counter: its highest contiguous durable seq.
    pub last_seq: Option<u64>,
}

/// What an acknowledgement promises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Survives power loss: the data has been handed to the disk with fdatasync. Does not promise anything about a
    /// disk that lies about its cache.
    #[default]
    PowerLoss,
    /// Survives the end of the process, not of the machine: the last moments before a power loss can be missing.
    /// For tests and simulations.
    ProcessCrash,
}

/// Where a source's counter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceMark {
    /// The highest contiguous durable seq; 0 if none.
    pub last_seq: u64,
}

/// The answer to an append that was handed in; resolves when its group is durable or refused.
pub struct PendingAppend(tokio::sync::oneshot::Receiver<Result<Appended, AppendError>>);

impl PendingAppend {
    /// For implementations: the answer will come over `receiver`.
    pub fn new(receiver: tokio::sync::oneshot::Receiver<Result<Appended, AppendError>>) -> Self {
        Self(receiver)
    }
}

impl Future for PendingAppend {
    type Output = Result<Appended, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(AppendError::Closed)))
    }
}

/// Frames in order, without end: first history, then what comes.
pub type Subscription = Pin<Box<dyn Stream<Item = Result<Arc<Frame>, LogError>> + Send>>;

/// Figures about the log itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStatus {
    /// The first position that can be read; what lies before it has been dropped.
    pub first: Position,
    /// The last durable position.
    pub end: Position,
    /// Where its archives stand, the oldest first; none if nothing was dropped.
    pub archives: Vec<Position>,
    /// The incarnation.
    pub incarnation: Incarnation,
    /// Bytes on disk; 0 for a log in memory.
    pub disk_bytes: u64,
    /// How many segments hold its history (those that were dropped are none); 0 for a log in memory.
    pub segments: usize,
    /// The last position that is, or was, in a segment.
    pub sealed_end: Position,
    /// Set while the last sealing has failed: appends go on, but what follows stays unsealed.
    pub sealing_failure: Option<Arc<str>>,
    /// Set once an I/O error has poisoned the log.
    pub poisoned: Option<Arc<str>>,
    /// How long it took to open; zero for a log in memory.
    pub opened_in: Duration,
}

/// A part of history that was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The position of its first event.
    pub first: Position,
    /// The position of its last event.
    pub last: Position,
    /// The segment's length, bytes.
    pub bytes: u64,
}

/// The event log.
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// The log's incarnation.
    fn incarnation(&self) -> Incarnation;

    /// The position of the last durable event; [`Position::START`] if there is none.
    fn end(&self) -> Position;

    /// The first position that can be read: 1 if nothing has been dropped, also in an empty log; the end plus one if all
    /// has been.
    fn first(&self) -> Position;

    /// Hands an append in. Appends are decided in the order in which their `submit` calls complete; waits while the
    /// queue is full, so backpressure reaches whoever calls. Errors that need no decision come at once.
    async fn submit(&self, append: Append) -> Result<PendingAppend, AppendError>;

    /// Hands an append in and waits until it is durable.
    async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.submit(append).await?.await
    }

    /// The last durable version of a stream; `Version(0)` if it does not exist. May read a few blocks from disk, hardly
    /// ever more than some 100 µs; errors are those of the disk, and damage.
    fn version(&self, stream: &StreamName) -> Result<Version, LogError>;

    /// Where the counter of a site's source durably stands; `None` for an epoch never seen. As [`Self::version`].
    fn source_mark(&self, site: &Name, source: &Name, epoch: Epoch) -> Result<Option<SourceMark>, LogError>;

    /// A page of one stream's events: at most `limit` of them, from version `from` on (forward) or back (backward: any
    /// version beyond the last means the last), of at most [`STREAM_PAGE_FRAMES`] frames. Empty if there are none.
    ///
    /// [`STREAM_PAGE_FRAMES`]: crate::limits::STREAM_PAGE_FRAMES
    async fn read_stream(
        &self,
        stream: &StreamName,
        from: Version,
        direction: Direction,
        limit: usize,
    ) -> Result<StreamPage, LogError>;

    /// A page of the log's events that pass a filter, forward or backward: at most as many as the query says, and of at
    /// most [`READ_PAGE_FRAMES`] frames, wanted or not. A page may so be empty though there is more: read on from its
    /// `next`.
    ///
    /// Errors: [`LogError::OutOfRange`] forward from beyond the end plus one, [`LogError::Dropped`] forward from below
    /// [`Self::first`]. Backward, beyond the end means the end, and what has been dropped lies before the first event.
    ///
    /// [`READ_PAGE_FRAMES`]: crate::limits::READ_PAGE_FRAMES
    async fn read_page(&self, query: &ReadQuery) -> Result<ReadPage, LogError> {
        read_page(self, query).await
    }

    /// The frame that holds `from`, or none if `from` is the end plus one. Its first events may lie before `from`. Below
    /// [`Self::first`]: [`LogError::Dropped`].
    async fn read(&self, from: Position) -> Result<Option<Arc<Frame>>, LogError>;

    /// Frames from the one that holds `from` on (trimmed so that no event lies before `from`), then live ones.
    /// Frames are shared: the tail is decoded once for all subscribers. Who starts below [`Self::first`], or has fallen
    /// behind what was dropped since, gets [`LogError::Dropped`] and nothing after it.
    fn subscribe(&self, from: Position) -> Subscription;

    /// As [`Self::subscribe`], but only the events that pass `filter`. Frames with none are not handed out; how far it has
    /// come is told all the same, as soon as there is nothing more to look at.
    fn subscribe_to(&self, from: Position, filter: Filter) -> Deliveries {
        deliveries(self.subscribe(from), filter)
    }

    /// The named consumers: who there is, how far each has confirmed.
    fn consumers(&self) -> &Arc<Consumers>;

    /// Connects a named consumer: what passes its filter comes from after what it has confirmed on, first history, then
    /// what comes; what it does not confirm comes again when it connects the next time. Of several connections of a
    /// name only the newest goes on.
    ///
    /// Errors: the name is somebody else's, or one too many; a new one begins beyond the end plus one, or cannot be
    /// written; what would come next has been dropped ([`LogError::Dropped`]: who can do without it deletes the consumer
    /// and begins anew); the file of all names is damaged.
    async fn consume(&self, hello: ConsumerHello) -> Result<Consumer, ConsumerError> {
        consume(self, hello).await
    }

    /// The segments that can be read, the oldest first: what [`Self::drop_history`] can drop.
    fn sealed(&self) -> Vec<Sealed>;

    /// Drops every whole segment that ends at or before `up_to`; `archive` is durable before anything goes, and stays.
    /// If no segment does, nothing is written. Positions, versions, marks and what repeats are compared with stay as they
    /// were. One drop at a time, beside appends and reads.
    ///
    /// Errors: [`LogError::ArchiveMisplaced`], if `archive` stands before what would go or beyond the end; those of the
    /// disk, and damage: then nothing has been dropped, or (after a failure at the very end) all of it.
    async fn drop_history(&self, up_to: Position, archive: Archive) -> Result<Dropped, LogError>;

    /// The newest archive, or the newest one that stands at `at_most` or before; none if there is none. Checked: damage
    /// is an error. Of earlier archives those are kept that what is left goes on from, up to [`ARCHIVES_MAX`].
    ///
    /// [`ARCHIVES_MAX`]: crate::limits::ARCHIVES_MAX
    async fn archive(&self, at_most: Option<Position>) -> Result<Option<Archive>, LogError>;

    /// Figures about the log.
    fn status(&self) -> LogStatus;

    /// Finishes what was handed in, then refuses further appends with [`AppendError::Closed`].
    async fn close(&self) -> Result<(), LogError>;
}
