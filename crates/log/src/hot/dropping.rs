//! Drops whole segments from the front while reading and writing go on: the steps of FORMAT.md, on the sealer's thread.
//!
//! Not for what an archive holds. Invariant: after every step the folder opens with everything that is not dropped, and
//! the segments go only once the archive and the stub that stand for them are durable and named.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Instant,
};

use pegcount_domain::envelope::Position;

use super::{
    archives::write_archive,
    folder::{failed, sync_dir, write_format},
    manifest::{History, Manifest},
    panic_text,
    seal::{Moment, Sealer},
};
use crate::{
    api::LogError,
    retention::{Archive, Dropped, check_place, keep_useful},
    segment::{Segment, Shelved, stub_path, write_stub},
};

const DROPPED_EVENTS: &str = "pegcount_log_dropped_events";
const DROPPED_BYTES: &str = "pegcount_log_dropped_bytes";

pub(super) fn describe_metrics() {
    metrics::describe_counter!(DROPPED_EVENTS, "events that were dropped from the log");
    metrics::describe_counter!(DROPPED_BYTES, metrics::Unit::Bytes, "bytes of segments that were dropped");
}

impl Sealer {
    /// Drops every segment that ends at or before `up_to`.
    pub(super) fn drop_history(&mut self, up_to: Position, archive: &Archive) -> Result<Dropped, LogError> {
        let done = catch_unwind(AssertUnwindSafe(|| self.try_drop(up_to, archive)));
        let done = done.unwrap_or_else(|panic| {
            let error = io::Error::other(format!("it panicked: {}", panic_text(&*panic)));
            Err(failed("drop history of", &self.options.dir)(error))
        });
        done.inspect_err(|error| tracing::error!(%error, "dropping history has failed"))
    }

    fn try_drop(&mut self, up_to: Position, archive: &Archive) -> Result<Dropped, LogError> {
        let started = Instant::now();
        let history = &self.manifest.history;
        let count = history.segments.partition_point(|segment| segment.last <= up_to);
        let Some(last) = count.checked_sub(1).and_then(|index| history.segments.get(index)).copied() else {
            return Ok(Dropped::nothing(history.first()));
        };
        check_place(archive.position, last.last, self.durable.end())?;
        let bytes = history.segments.iter().take(count).map(|segment| segment.bytes).sum();
        let events = last.last.next().0 - history.first().0;
        let dropped = Dropped { first: last.last.next(), events, bytes, segments: count };

        self.last_drop += 1;
        let dir = &self.options.dir;
        if history.stub.is_none() {
            write_format(dir, self.incarnation, &self.key, true)?;
        }
        self.reached(Moment::FeatureSet)?;
        let named = write_archive(dir, self.last_drop, archive)?;
        self.reached(Moment::Archived)?;
        let stub = self.stub(last.last)?;
        let mut manifest = self.manifest.clone();
        let History { stub: old, archives, segments } = &mut manifest.history;
        *old = Some(stub.segment().named());
        archives.push(named);
        keep_useful(archives, dropped.first, |archive| archive.position);
        segments.drain(..count);
        manifest.write(dir)?;
        self.reached_with(manifest, stub)?;
        metrics::counter!(DROPPED_EVENTS).increment(events);
        metrics::counter!(DROPPED_BYTES).increment(bytes);
        tracing::info!(
            first = dropped.first.0,
            events,
            bytes,
            archive = archive.position.0,
            seconds = started.elapsed().as_secs_f64(),
            "dropped history"
        );
        Ok(dropped)
    }

    /// Makes the stub of everything up to `last`: written aside, read again whole, renamed, the folder synced.
    fn stub(&self, last: Position) -> Result<Shelved, LogError> {
        let dir = &self.options.dir;
        let path = stub_path(dir, self.last_drop);
        let aside = path.with_extension("new");
        let bell = Arc::clone(&self.bell);
        let go_on = move || !bell.is_closing();
        let closing = || failed("drop history of", dir)(io::Error::other("the log is being closed"));
        let all = self.shelf.all();
        let parts: Vec<&Segment> =
            all.iter().map(|shelved| &**shelved.segment()).filter(|segment| segment.last() <= last).collect();
        let named = write_stub(&aside, self.last_drop, &parts, self.incarnation, &go_on)?;
        let named = named.ok_or_else(closing)?;
        self.reached(Moment::StubWritten)?;
        Segment::open_at(aside.clone(), named, self.incarnation)?.check(&go_on)?;
        if !go_on() {
            return Err(closing());
        }
        fs::rename(&aside, &path).map_err(failed("rename", &aside))?;
        sync_dir(dir)?;
        self.reached(Moment::StubRenamed)?;
        Shelved::new(Segment::open(dir, named, self.incarnation)?)
    }

    /// The manifest on disk is `manifest` now: from here on nothing below the first position is read.
    fn reached_with(&mut self, manifest: Manifest, stub: Shelved) -> Result<(), LogError> {
        self.manifest = manifest;
        let probed = self.reached(Moment::StubNamed);
        self.shelf.replace_front(stub);
        self.archives.replace(&self.manifest.history.archives);
        self.count_segments();
        probed.and_then(|()| self.reached(Moment::Dropped))
    }
}
