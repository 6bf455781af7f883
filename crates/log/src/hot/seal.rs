//! Seals the hot database into a segment while writing goes on: the five steps of FORMAT.md, on a thread of its own.
//!
//! Not for deciding anything: frames move byte by byte. Invariant: after every step the folder opens with all that was
//! acknowledged; a frame can be read from its segment before its database goes.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use pegcount_domain::{envelope::Position, ids::Incarnation};

use super::{
    archives::Archives,
    bell::{Bell, Call, DropAsked},
    database::Database,
    dropping,
    durable::Durable,
    folder::{failed, sync_dir},
    manifest::Manifest,
    open::{damaged, missing, unread, unreadable},
    options::SledOptions,
    panic_text,
    store::{Gate, Held, SledStore},
};
use crate::{
    api::{LogError, Sealed},
    content::Fingerprints,
    frame::Frame,
    keys::LogKey,
    segment::{Named, Segment, SegmentWriter, Shelf, Shelved, segment_path},
};

const SEAL_SECONDS: &str = "pegcount_log_seal_seconds";
const SEALED_BYTES: &str = "pegcount_log_sealed_bytes";
const SEGMENTS: &str = "pegcount_log_segments";

/// The moments between two steps. Tests stop or look at the folder there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// The next database is there.
    DatabaseMade,
    /// The manifest names two databases.
    TwoNamed,
    /// Groups go to the next database.
    Switched,
    /// Some of the segment's frames are written.
    PartlyWritten,
    /// The segment is written under its name aside.
    Written,
    /// It has its name.
    Renamed,
    /// The manifest names the segment.
    SegmentNamed,
    /// The old database is given up.
    Done,
    /// Dropping history: FORMAT tells programs that know of no stub to leave the folder alone.
    FeatureSet,
    /// The archive has its name.
    Archived,
    /// The stub is written under its name aside.
    StubWritten,
    /// The stub has its name.
    StubRenamed,
    /// The manifest names the stub in the place of segments.
    StubNamed,
    /// The segments are gone.
    Dropped,
}

/// What is called at each moment; an error stops the sealing, or the drop, there.
pub(super) type Probe = Arc<dyn Fn(Moment) -> io::Result<()> + Send + Sync>;

pub(super) struct Sealer {
    pub(super) options: SledOptions,
    pub(super) incarnation: Incarnation,
    pub(super) store: Arc<SledStore>,
    pub(super) shelf: Arc<Shelf>,
    pub(super) durable: Arc<Durable>,
    pub(super) gate: Arc<Gate>,
    pub(super) bell: Arc<Bell>,
    pub(super) manifest: Manifest,
    pub(super) archives: Arc<Archives>,
    pub(super) key: LogKey,
    /// The highest number that a stub or an archive has had, failed attempts included.
    pub(super) last_drop: u64,
    pub(super) said: Fingerprints,
    pub(super) probe: Option<Probe>,
}

impl Sealer {
    /// Runs until the log closes. Begins with the sealing that was cut short, if one was.
    pub(super) fn run(mut self) {
        metrics::describe_histogram!(SEAL_SECONDS, metrics::Unit::Seconds, "how long a sealing took");
        metrics::describe_counter!(SEALED_BYTES, metrics::Unit::Bytes, "bytes of segments that were written");
        metrics::describe_gauge!(SEGMENTS, "segments that the log has");
        dropping::describe_metrics();
        let mut stopped = self.store.sealing().is_some() && self.contained(false).is_err();
        self.unite();
        loop {
            match self.bell.wait() {
                // After a failure only who asks makes it try again: the disk will not mend itself group by group.
                Call::Full if stopped => {}
                Call::Full => stopped = self.contained(false).is_err(),
                Call::Asked(answer) => {
                    let sealed = self.contained(true);
                    stopped = sealed.is_err();
                    // Whoever asked may have gone.
                    let _ = answer.send(sealed);
                }
                Call::Drop(DropAsked { up_to, archive, answer }) => {
                    let _ = answer.send(self.drop_history(up_to, &archive));
                }
                Call::Close => return,
            }
        }
    }

    /// sled panics on some of its own errors.
    fn contained(&mut self, all: bool) -> Result<Option<Sealed>, LogError> {
        let done = catch_unwind(AssertUnwindSafe(|| self.seal(all)));
        let done = done.unwrap_or_else(|panic| {
            let error = io::Error::other(format!("it panicked: {}", panic_text(&*panic)));
            Err(failed("seal", &self.options.dir)(error))
        });
        done.inspect_err(|error| {
            tracing::error!(%error, "sealing has failed; appends go on, and the next start seals again");
            self.durable.sealing_failed(&error.to_string());
        })
    }

    /// Seals what was being sealed and, if it is full or `all` is wanted, the hot database.
    fn seal(&mut self, all: bool) -> Result<Option<Sealed>, LogError> {
        let mut sealed = match self.store.sealing() {
            Some((database, end)) => self.finish(database, end)?,
            None => None,
        };
        let full_bytes = self.options.seal_bytes.max(1);
        while !self.bell.is_closing()
            && let Some((first, hot)) = self.store.hot()
            && (all || hot.frame_bytes() >= full_bytes)
            && self.gate.lock().end >= first
        {
            self.begin(&hot)?;
            let Some((database, end)) = self.store.sealing() else { break };
            drop(hot);
            sealed = self.finish(database, end)?;
            if all {
                break;
            }
        }
        Ok(sealed)
    }

    /// Steps 1 and 2: groups go to another database.
    fn begin(&mut self, hot: &Database) -> Result<(), LogError> {
        let number = hot.number() + 1;
        let database = Database::open(&self.options, number, self.durable.end())?;
        self.reached(Moment::DatabaseMade)?;
        let mut manifest = self.manifest.clone();
        (manifest.sealing, manifest.hot) = (Some(hot.number()), number);
        manifest.write(&self.options.dir)?;
        self.manifest = manifest;
        self.reached(Moment::TwoNamed)?;
        let gate = self.gate.lock();
        if gate.failed {
            let error = io::Error::other("a group has failed, so nobody knows where the database ends");
            return Err(failed("seal", hot.dir())(error));
        }
        self.store.switch(Arc::new(database), gate.end.next());
        self.durable.switch();
        drop(gate);
        self.reached(Moment::Switched)
    }

    /// Steps 3 to 5: the frames of `database`, which end before `end`, move into a segment. None if the log closes
    /// before that is done.
    fn finish(&mut self, (first, database): Held, end: Position) -> Result<Option<Sealed>, LogError> {
        let started = Instant::now();
        let dir = &self.options.dir;
        let path = segment_path(dir, database.number());
        let aside = path.with_extension("new");
        let bell = Arc::clone(&self.bell);
        let go_on = || !bell.is_closing();
        let Some(named) = self.write(&database, &aside, first, end)? else { return Ok(None) };
        self.reached(Moment::Written)?;
        Segment::open_at(aside.clone(), named, self.incarnation)?.check(go_on)?;
        if self.bell.is_closing() {
            return Ok(None);
        }
        fs::rename(&aside, &path).map_err(failed("rename", &aside))?;
        let dir = &self.options.dir;
        sync_dir(dir)?;
        self.reached(Moment::Renamed)?;
        let segment = Shelved::new(Segment::open(dir, named, self.incarnation)?)?;
        let mut manifest = self.manifest.clone();
        manifest.history.segments.push(named);
        manifest.sealing = None;
        manifest.write(dir)?;
        self.manifest = manifest;
        self.reached(Moment::SegmentNamed)?;
        self.shelf.add(segment);
        self.store.drop_sealing();
        self.durable.drop_sealing();
        drop(database);
        self.unite();
        self.reached(Moment::Done)?;
        Ok(Some(self.told(named, started.elapsed())))
    }

    /// Writes the segment aside, synced; none if the log closes before.
    fn write(
        &mut self,
        database: &Database,
        aside: &Path,
        first: Position,
        end: Position,
    ) -> Result<Option<Named>, LogError> {
        let write = || failed("write", aside);
        let number = database.number();
        let mut writer = SegmentWriter::new(aside, number, first, self.incarnation).map_err(write())?;
        let mut next = first;
        for entry in database.frames() {
            if self.bell.is_closing() {
                return Ok(None);
            }
            let (_, bytes) = entry.map_err(|error| unread(database.dir(), next, error))?;
            let frame = Frame::decode(&bytes).map_err(|error| unreadable(database.dir(), next, error))?;
            if frame.first() != next {
                return Err(missing(database.dir(), next));
            }
            next = frame.last().next();
            writer.push(&frame, &bytes, &self.durable.names, &mut self.said).map_err(write())?;
            if frame.first() == first {
                self.reached(Moment::PartlyWritten)?;
            }
        }
        if next != end {
            let what = format!("it ends before {next}, and the next database begins at {end}");
            return Err(damaged(database.dir(), next, what));
        }
        writer.finish().map(Some).map_err(write())
    }

    /// New names are then asked for once, not segment by segment. Damage in an index costs only that: who needs the index
    /// is told of it.
    fn unite(&self) {
        if let Err(error) = self.shelf.unite(|| !self.bell.is_closing()) {
            tracing::warn!(%error, "segments are asked one by one, because an index of one cannot be read");
        }
    }

    /// Tells how many segments there are.
    pub(super) fn count_segments(&self) {
        let segments = u32::try_from(self.shelf.count()).unwrap_or(u32::MAX);
        metrics::gauge!(SEGMENTS).set(f64::from(segments));
    }

    fn told(&self, named: Named, took: Duration) -> Sealed {
        let sealed = Sealed { first: named.first, last: named.last, bytes: named.bytes };
        metrics::histogram!(SEAL_SECONDS).record(took);
        metrics::counter!(SEALED_BYTES).increment(named.bytes);
        self.count_segments();
        tracing::info!(
            segment = named.number,
            first = named.first.0,
            last = named.last.0,
            bytes = named.bytes,
            seconds = took.as_secs_f64(),
            "sealed history into a segment"
        );
        sealed
    }

    pub(super) fn reached(&self, moment: Moment) -> Result<(), LogError> {
        let Some(probe) = &self.probe else { return Ok(()) };
        probe(moment).map_err(failed("seal", &self.options.dir))
    }
}
