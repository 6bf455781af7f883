//! One counter of a source and its files.
//!
//! Invariant: `acknowledged < next_seq`; the last file is never removed, since its name keeps the counter.

use std::{
    collections::VecDeque,
    fs::{self, File},
    path::{Path, PathBuf},
    time::SystemTime,
};

use pegcount_domain::ids::Epoch;
use uuid::Uuid;

use super::{
    Settings,
    error::SpoolError,
    reader::{Limits, Next, Reader},
    segment::{Segment, sync_folder},
};
use crate::limits::KEEP_ACKNOWLEDGED;

#[derive(Debug)]
pub(super) struct EpochSpool {
    epoch: Epoch,
    ordinal: u64,
    folder: PathBuf,
    settings: Settings,
    /// All but the last are full.
    full: VecDeque<Segment>,
    active: Segment,
    file: File,
    reader: Reader,
    acknowledged: u64,
    next_seq: u64,
    last_at_open: u64,
}

impl EpochSpool {
    /// Opens the newest counter in `folder`, or makes the first one.
    pub(super) fn open(folder: &Path, settings: Settings) -> Result<Self, SpoolError> {
        let mut found = list(folder)?;
        let newest = found.pop();
        for (_, _, old) in found {
            discard(&old);
        }
        let Some((ordinal, epoch, path)) = newest else { return Self::create(folder, 1, &[], 1, settings) };
        let mut segments: VecDeque<_> = Segment::list(&path)?.into();
        let Some(last) = segments.pop_back() else {
            tracing::warn!(folder = %path.display(), "the spool has lost its counter: a new epoch begins");
            let fresh = Self::create(folder, ordinal + 1, &[], 1, settings)?;
            discard(&path);
            return Ok(fresh);
        };
        let (active, file, next_seq) = last.reopen(&path)?;
        let first = segments.front().map_or(active.first, |segment| segment.first);
        Ok(Self {
            epoch,
            ordinal,
            folder: path,
            settings,
            full: segments,
            active,
            file,
            reader: Reader::default(),
            acknowledged: first - 1,
            next_seq,
            last_at_open: next_seq - 1,
        })
    }

    /// Makes a new counter that begins with the records in `bytes`. It appears under its name only when it is whole.
    fn create(
        folder: &Path,
        ordinal: u64,
        bytes: &[u8],
        next_seq: u64,
        settings: Settings,
    ) -> Result<Self, SpoolError> {
        let uuid = Uuid::new_v4();
        let aside = folder.join("making");
        remove_folder(&aside)?;
        fs::create_dir(&aside).map_err(SpoolError::io("create", &aside))?;
        let (mut active, mut file) = Segment::create(&aside, 1, settings.durable())?;
        active.append(&aside, &mut file, bytes, settings.durable())?;
        let path = folder.join(format!("{ordinal:010}-{uuid}"));
        fs::rename(&aside, &path).map_err(SpoolError::io("rename", &aside))?;
        if settings.durable() {
            sync_folder(folder)?;
        }
        Ok(Self {
            epoch: Epoch(uuid.as_u128()),
            ordinal,
            folder: path,
            settings,
            full: VecDeque::new(),
            active,
            file,
            reader: Reader::default(),
            acknowledged: 0,
            next_seq,
            last_at_open: 0,
        })
    }

    /// A new counter with the facts after `known`; this one's folder is of no more use afterwards, and removed.
    pub(super) fn replace(&mut self, known: u64, settings: Settings) -> Result<Self, SpoolError> {
        let (mut bytes, mut seq, mut from) = (Vec::new(), 1, known + 1);
        while let Some(next) = self.read(from, Limits { facts: usize::MAX, bytes: usize::MAX })? {
            match next {
                Next::Gap { to, .. } => from = to + 1,
                Next::Facts { boot, facts } => {
                    for fact in &facts {
                        let fact = renumbered(fact, seq);
                        super::record::write(&mut bytes, super::Record { seq, boot, fact: &fact });
                        seq += 1;
                        from += 1;
                    }
                }
            }
        }
        let parent = self.folder.parent().unwrap_or(&self.folder).to_owned();
        let fresh = Self::create(&parent, self.ordinal + 1, &bytes, seq, settings)?;
        discard(&self.folder);
        Ok(fresh)
    }

    /// Appends encoded records; `next_seq` is the seq after the last of them.
    pub(super) fn append(&mut self, bytes: &[u8], next_seq: u64) -> Result<(), SpoolError> {
        if self.active.bytes >= self.settings.segment_bytes {
            let (fresh, file) = Segment::create(&self.folder, self.next_seq, self.settings.durable())?;
            self.full.push_back(std::mem::replace(&mut self.active, fresh));
            self.file = file;
        }
        self.active.append(&self.folder, &mut self.file, bytes, self.settings.durable())?;
        self.next_seq = next_seq;
        Ok(())
    }

    /// What stands from `from` on.
    pub(super) fn read(&mut self, from: u64, limits: Limits) -> Result<Option<Next>, SpoolError> {
        if from >= self.next_seq {
            return Ok(None);
        }
        let (mut holder, mut end) = (None, self.next_seq);
        for segment in self.full.iter().chain([&self.active]).rev() {
            if segment.first <= from {
                holder = Some(segment);
                break;
            }
            end = segment.first;
        }
        match holder {
            Some(segment) if segment.first == self.active.first => {
                self.reader.read(&self.file, segment, end, from, limits).map(Some)
            }
            Some(segment) => {
                let path = segment.path(&self.folder);
                let file = File::open(&path).map_err(SpoolError::io("open", &path))?;
                self.reader.read(&file, segment, end, from, limits).map(Some)
            }
            None => Ok(Some(Next::Gap { to: end - 1, reason: "no longer in the spool".to_owned() })),
        }
    }

    /// All up to `seq` is at the server: files that hold nothing else go, as far as the settings say.
    pub(super) fn acknowledge(&mut self, seq: u64) -> Result<(), SpoolError> {
        self.acknowledged = self.acknowledged.max(seq.min(self.next_seq - 1));
        loop {
            let after = self.full.get(1).unwrap_or(&self.active).first;
            let Some(oldest) = self.full.front() else { return Ok(()) };
            let kept = self.total_bytes() - self.unacknowledged_bytes();
            let path = oldest.path(&self.folder);
            let wanted = kept <= self.settings.keep_acknowledged_bytes_max && !is_old(&path);
            if after > self.acknowledged + 1 || wanted {
                return Ok(());
            }
            fs::remove_file(&path).map_err(SpoolError::io("remove", &path))?;
            self.full.pop_front();
        }
    }

    /// The server has all up to `committed` and no more, whatever it said before.
    pub(super) fn resume_after(&mut self, committed: u64) -> Result<(), SpoolError> {
        self.acknowledged = self.acknowledged.min(committed);
        self.acknowledge(committed)
    }

    /// What the files that hold anything unacknowledged weigh.
    pub(super) fn unacknowledged_bytes(&self) -> u64 {
        if self.acknowledged + 1 == self.next_seq {
            return 0;
        }
        let mut bytes = self.active.bytes;
        let mut after = self.active.first;
        for segment in self.full.iter().rev() {
            if after <= self.acknowledged + 1 {
                break;
            }
            bytes += segment.bytes;
            after = segment.first;
        }
        bytes
    }

    fn total_bytes(&self) -> u64 {
        self.full.iter().chain([&self.active]).map(|segment| segment.bytes).sum()
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    pub(super) fn pending(&self) -> u64 {
        self.next_seq - 1 - self.acknowledged
    }

    pub(super) fn last_at_open(&self) -> u64 {
        self.last_at_open
    }
}

/// The counters in a folder, the newest last.
fn list(folder: &Path) -> Result<Vec<(u64, Epoch, PathBuf)>, SpoolError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(SpoolError::io("list", folder))? {
        let entry = entry.map_err(SpoolError::io("list", folder))?;
        let name = entry.file_name();
        let parts = name.to_str().and_then(|name| name.split_once('-'));
        let named =
            parts.and_then(|(ordinal, uuid)| Some((ordinal.parse().ok()?, Uuid::parse_str(uuid).ok()?)));
        if let Some((ordinal, uuid)) = named {
            found.push((ordinal, Epoch(uuid.as_u128()), entry.path()));
        }
    }
    found.sort_by_key(|(ordinal, ..)| *ordinal);
    Ok(found)
}

/// Removes an older counter. If that fails it only takes room: the newest counts, and the next opening tries again.
fn discard(path: &Path) {
    if let Err(error) = remove_folder(path) {
        tracing::warn!(folder = %path.display(), ?error, "could not remove an older counter of the spool");
    }
}

fn remove_folder(path: &Path) -> Result<(), SpoolError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SpoolError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn is_old(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    modified.elapsed().is_ok_and(|age| age >= KEEP_ACKNOWLEDGED)
}

/// The same fact under another number.
fn renumbered(fact: &[u8], seq: u64) -> Vec<u8> {
    use pegcount_proto::v1::Fact;
    use prost::Message;

    // What passed its CRC decodes: it is what we wrote. Were it not so, the server would refuse the empty fact.
    let fact = Fact::decode(fact).unwrap_or_default();
    Fact { seq, ..fact }.encode_to_vec()
}
