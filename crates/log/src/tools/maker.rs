//! Makes a folder into a log: segments first, then what belongs around them.
//!
//! Not for where the folder stands: it is made aside, and renamed by who asks for it. Invariant: FORMAT comes last, so a
//! folder that is not finished is no log; every segment has been read again whole.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use pegcount_domain::{envelope::Position, ids::Incarnation};

use super::{
    Progress, ToolError,
    place::Part,
    record::{StoredEvent, new_builder},
};
use crate::{
    content::Fingerprints,
    frame::{Frame, FrameBuilder, widen},
    hot::door::{self, History, NamedArchive, failed},
    keys::{LogKey, Names},
    limits::SEAL_BYTES_DEFAULT,
    segment::{HEADER_BYTES, Kind, Named, Segment, SegmentWriter, header, segment_path},
};

/// Copied at once.
const COPY_BYTES: usize = 1024 * 1024;

/// Writes one segment to a file and reads it again.
pub(super) struct PartWriter {
    path: PathBuf,
    writer: SegmentWriter,
    incarnation: Incarnation,
    frame_bytes: u64,
}

impl PartWriter {
    pub(super) fn new(
        path: PathBuf,
        number: u64,
        first: Position,
        incarnation: Incarnation,
    ) -> Result<Self, ToolError> {
        let writer = SegmentWriter::new(&path, number, first, incarnation);
        let writer = writer.map_err(failed("write", &path))?;
        Ok(Self { path, writer, incarnation, frame_bytes: 0 })
    }

    /// Adds the next frame, which `bytes` decode to.
    pub(super) fn push(
        &mut self,
        frame: &Frame,
        bytes: &[u8],
        names: &Names,
        said: &mut Fingerprints,
    ) -> Result<(), ToolError> {
        self.frame_bytes += widen(bytes.len());
        Ok(self.writer.push(frame, bytes, names, said).map_err(failed("write", &self.path))?)
    }

    /// Ends it, synced and checked.
    pub(super) fn finish(self) -> Result<Named, ToolError> {
        let named = self.writer.finish().map_err(failed("write", &self.path))?;
        Segment::open_at(self.path, named, self.incarnation)?.check(|| true)?;
        Ok(named)
    }
}

/// Copies a segment, or the stub, synced and checked; `incarnation` is the one that the copy has.
pub(super) fn copied(
    part: &Part,
    to: &Path,
    incarnation: Incarnation,
    progress: &dyn Progress,
) -> Result<(), ToolError> {
    let Named { kind, number, first, .. } = part.named;
    let mut source = File::open(&part.path).map_err(failed("open", &part.path))?;
    let mut target = File::create(to).map_err(failed("make", to))?;
    let head = header(kind, number, first, incarnation);
    source.seek(SeekFrom::Start(widen(HEADER_BYTES))).map_err(failed("read", &part.path))?;
    target.write_all(&head).map_err(failed("write", to))?;
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let count = source.read(&mut buffer).map_err(failed("read", &part.path))?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        target.write_all(bytes).map_err(failed("write", to))?;
        progress.more(widen(count));
    }
    target.sync_all().map_err(failed("sync", to))?;
    Ok(Segment::open_at(to.to_owned(), part.named, incarnation)?.check(|| true)?)
}

/// A log that is being made.
pub(super) struct Maker {
    dir: PathBuf,
    incarnation: Incarnation,
    key: LogKey,
    names: Names,
    said: Fingerprints,
    builder: FrameBuilder,
    history: History,
    part: Option<PartWriter>,
    number: u64,
}

impl Maker {
    /// Begins in `dir`, which is made and has to be new.
    pub(super) fn new(dir: &Path, key: LogKey) -> Result<Self, ToolError> {
        std::fs::create_dir(dir).map_err(failed("make folder", dir))?;
        Ok(Self {
            dir: dir.to_owned(),
            incarnation: Incarnation(uuid::Uuid::new_v4().as_u128()),
            names: key.names(),
            said: Fingerprints::new(&key),
            key,
            builder: new_builder(dir)?,
            history: History::default(),
            part: None,
            number: 0,
        })
    }

    pub(super) fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Takes a whole segment, or the stub, of another log with the same key.
    pub(super) fn adopt(&mut self, part: &Part, progress: &dyn Progress) -> Result<(), ToolError> {
        copied(part, &part.named.path(&self.dir), self.incarnation, progress)?;
        match part.named.kind {
            Kind::Stub => self.history.stub = Some(part.named),
            Kind::Segment => {
                self.number = part.named.number;
                self.history.segments.push(part.named);
            }
        }
        Ok(())
    }

    /// Takes an archive of the log in `dir`.
    pub(super) fn adopt_archive(&mut self, dir: &Path, archive: NamedArchive) -> Result<(), ToolError> {
        archive.copy(dir, &self.dir)?;
        self.history.archives.push(archive);
        Ok(())
    }

    /// Takes the next frame, which `bytes` decode to.
    pub(super) fn push_frame(&mut self, frame: &Frame, bytes: &[u8]) -> Result<(), ToolError> {
        let part = if let Some(part) = &mut self.part {
            part
        } else {
            self.number += 1;
            let path = segment_path(&self.dir, self.number);
            let part = PartWriter::new(path, self.number, frame.first(), self.incarnation)?;
            self.part.insert(part)
        };
        part.push(frame, bytes, &self.names, &mut self.said)?;
        if part.frame_bytes >= SEAL_BYTES_DEFAULT {
            self.end_part()?;
        }
        Ok(())
    }

    /// Takes the next event, into a frame with its neighbours.
    pub(super) fn push_event(&mut self, event: &StoredEvent) -> Result<(), ToolError> {
        if !self.builder.is_empty() && !self.builder.fits(&event.event, &event.source) {
            self.end_frame()?;
        }
        self.builder.push(&event.event, &event.stamp());
        Ok(())
    }

    fn end_frame(&mut self) -> Result<(), ToolError> {
        let (frame, bytes) = self.builder.finish(false);
        self.push_frame(&frame, &bytes)
    }

    fn end_part(&mut self) -> Result<(), ToolError> {
        if let Some(part) = self.part.take() {
            self.history.segments.push(part.finish()?);
        }
        Ok(())
    }

    /// Ends the log; from now on it exists. Gives its end.
    pub(super) fn finish(mut self) -> Result<Position, ToolError> {
        if !self.builder.is_empty() {
            self.end_frame()?;
        }
        self.end_part()?;
        let end = self.history.end();
        door::make(&self.dir, self.incarnation, &self.key, self.history)?;
        Ok(end)
    }
}

/// Where a log is made: aside, in a server's folder that is new or empty.
pub(super) struct Site {
    to: PathBuf,
}

impl Site {
    /// Errors: the folder holds something.
    pub(super) fn new(to: &Path) -> Result<Self, ToolError> {
        std::fs::create_dir_all(to).map_err(failed("make folder", to))?;
        let mut entries = std::fs::read_dir(to).map_err(failed("list", to))?;
        if entries.next().is_some() {
            return Err(ToolError::NotEmpty { path: to.to_owned() });
        }
        Ok(Self { to: to.to_owned() })
    }

    /// The folder to make it in.
    pub(super) fn aside(&self) -> PathBuf {
        self.to.join("log.new")
    }

    /// The log is finished: gives it its name, durably.
    pub(super) fn finished(&self) -> Result<PathBuf, ToolError> {
        let dir = self.to.join("log");
        std::fs::rename(self.aside(), &dir).map_err(failed("rename", &self.aside()))?;
        door::sync_dir(&self.to)?;
        if let Some(parent) = self.to.canonicalize().ok().as_deref().and_then(Path::parent) {
            door::sync_dir(parent)?;
        }
        Ok(dir)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // What was not finished is nothing; a folder that cannot be removed is empty of anything that counts.
        let _ = std::fs::remove_dir_all(self.aside());
    }
}
