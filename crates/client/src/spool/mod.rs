//! The spool of one source: facts on disk from before they are sent until the server has them, and a while longer.
//!
//! ```text
//! <spool_dir>/<site>/<source>/lock                     held while the source is open
//!                            /state                    see `state`
//!                            /0000000001-<epoch uuid>/ one counter
//!                                   00000000000000000001.seg, 00000000000000004097.seg, ...
//! ```
//!
//! Invariant: within an epoch a seq is given to one fact only, and never again.

mod epoch;
mod error;
mod reader;
mod record;
mod segment;
mod state;

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
};

use pegcount_domain::{
    envelope::SourceSeq,
    ids::{Epoch, SiteId, SourceId},
    time::Micros,
};
use pegcount_proto::v1;
use prost::Message;

pub use error::SpoolError;
pub(crate) use reader::{Limits, Next};

use crate::{boot::Boot, config::SpoolDurability, limits::FACT_BYTES_MAX};
use epoch::EpochSpool;
use record::Record;
use state::State;

/// How a spool is to behave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) durability: SpoolDurability,
    pub(crate) spool_bytes_max: u64,
    pub(crate) keep_acknowledged_bytes_max: u64,
    pub(crate) segment_bytes: u64,
}

impl Settings {
    fn durable(self) -> bool {
        self.durability == SpoolDurability::PowerLoss
    }
}

/// The spool of one source.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    settings: Settings,
    boot: Boot,
    state: State,
    counter: EpochSpool,
    recorded: u64,
    poisoned: bool,
    lock: File,
}

impl Drop for Spool {
    fn drop(&mut self) {
        // A program that is just being started has all of this one's files for a moment, and closing one of two does not
        // unlock: whoever opened the spool then would be refused.
        let _ = self.lock.unlock();
    }
}

/// Whether another process, or another part of this one, has the spool.
#[derive(Debug)]
pub(crate) enum Opened {
    Spool(Box<Spool>),
    Locked(PathBuf),
}

impl Spool {
    /// Opens the spool of a source, or makes one.
    pub(crate) fn open(
        spool_dir: &Path,
        site: &SiteId,
        source: &SourceId,
        settings: Settings,
    ) -> Result<Opened, SpoolError> {
        let folder = spool_dir.join(file_name(site.as_str())).join(file_name(source.0.as_str()));
        fs::create_dir_all(&folder).map_err(SpoolError::io("create", &folder))?;
        let lock_path = folder.join("lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(SpoolError::io("open", &lock_path))?;
        if lock.try_lock().is_err() {
            return Ok(Opened::Locked(folder));
        }
        let state = State::load(&folder);
        let mut counter = EpochSpool::open(&folder, settings)?;
        if state.epoch == counter.epoch().0.to_be_bytes() {
            counter.acknowledge(state.acknowledged)?;
        }
        let recorded = counter.pending();
        let boot = Boot::new();
        let spool = Self { folder, settings, boot, state, counter, recorded, poisoned: false, lock };
        Ok(Opened::Spool(Box::new(spool)))
    }

    /// Writes facts down, each with its time; all or none. Says the number of the last.
    pub(crate) fn append(&mut self, facts: Vec<(v1::fact::Fact, Micros)>) -> Result<SourceSeq, SpoolError> {
        if self.poisoned {
            return Err(SpoolError::Poisoned);
        }
        let mut bytes = Vec::with_capacity(128 * facts.len());
        let mut seq = self.counter.next_seq();
        for (fact, at) in facts {
            let fact = v1::Fact { seq, source_time_us: at.0, fact: Some(fact) }.encode_to_vec();
            if fact.len() > FACT_BYTES_MAX {
                return Err(SpoolError::TooLarge { bytes: fact.len() });
            }
            record::write(&mut bytes, Record { seq, boot: self.boot, fact: &fact });
            seq += 1;
        }
        let waiting = self.counter.unacknowledged_bytes();
        if waiting > self.settings.spool_bytes_max {
            return Err(SpoolError::Full { bytes: waiting, limit: self.settings.spool_bytes_max });
        }
        let count = seq - self.counter.next_seq();
        self.counter.append(&bytes, seq).inspect_err(|error| {
            self.poisoned = matches!(error, SpoolError::Poisoned);
        })?;
        self.recorded += count;
        Ok(SourceSeq { epoch: self.counter.epoch(), seq: seq - 1 })
    }

    /// What to send from `from` on; none if there is nothing yet.
    pub(crate) fn read(&mut self, from: u64, limits: Limits) -> Result<Option<Next>, SpoolError> {
        self.counter.read(from, limits)
    }

    /// The server has all up to `seq`.
    pub(crate) fn acknowledge(&mut self, seq: u64) -> Result<(), SpoolError> {
        self.counter.acknowledge(seq)
    }

    /// The server says, on welcoming us, that it has all up to `committed`. If that is more than this counter ever
    /// sent, the counter has lost its end: the facts recorded since go on under a new epoch. True if they do.
    pub(crate) fn welcomed(&mut self, committed: u64, sent: u64) -> Result<bool, SpoolError> {
        let known = self.counter.last_at_open().max(sent);
        if committed <= known {
            self.counter.resume_after(committed)?;
            return Ok(false);
        }
        tracing::warn!(committed, known, "the spool has lost its last facts: a new epoch begins");
        self.counter = self.counter.replace(known, self.settings)?;
        self.save()?;
        Ok(true)
    }

    pub(crate) fn incarnation(&self) -> &[u8] {
        &self.state.incarnation
    }

    /// Remembers which log this was.
    pub(crate) fn set_incarnation(&mut self, incarnation: &[u8]) -> Result<(), SpoolError> {
        if self.state.incarnation == incarnation {
            return Ok(());
        }
        self.state.incarnation = incarnation.to_vec();
        self.save()
    }

    /// Remembers the offset of this boot, unless it is what we know already, to the millisecond.
    pub(crate) fn set_offset(&mut self, offset: Micros) -> Result<(), SpoolError> {
        let known = self.state.offset_us(self.boot);
        if known.is_some_and(|known| known.abs_diff(offset.0) < 1_000) {
            return Ok(());
        }
        self.state.set_offset_us(self.boot, offset.0);
        self.save()
    }

    /// The offset of a boot, if it was measured.
    pub(crate) fn offset_us(&self, boot: Boot) -> Option<i64> {
        self.state.offset_us(boot)
    }

    /// Writes down what is remembered beside the facts.
    pub(crate) fn save(&mut self) -> Result<(), SpoolError> {
        self.state.acknowledged = self.counter.acknowledged();
        self.state.epoch = self.counter.epoch().0.to_be_bytes().to_vec();
        self.state.save(&self.folder, self.settings.durable())
    }

    pub(crate) fn boot(&self) -> Boot {
        self.boot
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.counter.epoch()
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.counter.acknowledged()
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.counter.next_seq()
    }

    /// Facts recorded since opening, and those found then.
    pub(crate) fn recorded(&self) -> u64 {
        self.recorded
    }

    /// Facts not acknowledged.
    pub(crate) fn pending(&self) -> u64 {
        self.counter.pending()
    }
}

/// A name as a file name that no other name has.
fn file_name(name: &str) -> String {
    let mut file_name = String::with_capacity(name.len());
    for byte in name.bytes() {
        let plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_')
            || (byte == b'.' && !file_name.is_empty());
        if plain {
            file_name.push(char::from(byte));
        } else {
            file_name.push('%');
            file_name.extend(
                [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')),
            );
        }
    }
    file_name
}

#[cfg(test)]
mod tests;
