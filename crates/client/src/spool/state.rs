//! What a source remembers beside its facts: the log's incarnation, how far it was acknowledged, the clock offsets
//! of its boots. Kept in one small file that is replaced whole.
//!
//! Invariant: everything here can be lost without losing or doubling a fact.

use std::{fs, io::Write, path::Path};

use prost::Message;

use super::{error::SpoolError, segment::sync_folder};
use crate::{boot::Boot, limits::BOOTS_KEPT_MAX};

const FILE: &str = "state";

/// What is remembered.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct State {
    /// The log's incarnation, 16 bytes; empty before the first contact.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) incarnation: Vec<u8>,
    /// All up to this seq was acknowledged.
    #[prost(uint64, tag = "2")]
    pub(crate) acknowledged: u64,
    /// The epoch that `acknowledged` speaks of, 16 bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub(crate) epoch: Vec<u8>,
    /// Clock offsets, the newest boot last.
    #[prost(message, repeated, tag = "4")]
    pub(crate) boots: Vec<BootOffset>,
}

/// The clock offset of one boot.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BootOffset {
    /// The boot, 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub(crate) boot: Vec<u8>,
    /// Server clock minus ours, microseconds.
    #[prost(int64, tag = "2")]
    pub(crate) offset_us: i64,
}

impl State {
    /// Reads it; a missing or damaged file is an empty one.
    pub(crate) fn load(folder: &Path) -> Self {
        fs::read(folder.join(FILE))
            .ok()
            .and_then(|bytes| {
                let (crc, body) = bytes.split_first_chunk::<4>()?;
                (crc32c::crc32c(body) == u32::from_le_bytes(*crc)).then(|| Self::decode(body).ok())?
            })
            .unwrap_or_default()
    }

    /// Replaces the file: written aside, synced if `durable`, renamed.
    pub(crate) fn save(&self, folder: &Path, durable: bool) -> Result<(), SpoolError> {
        let body = self.encode_to_vec();
        let (aside, path) = (folder.join("state.new"), folder.join(FILE));
        let mut file = fs::File::create(&aside).map_err(SpoolError::io("create", &aside))?;
        file.write_all(&crc32c::crc32c(&body).to_le_bytes())
            .and_then(|()| file.write_all(&body))
            .and_then(|()| if durable { file.sync_data() } else { Ok(()) })
            .map_err(SpoolError::io("write", &aside))?;
        fs::rename(&aside, &path).map_err(SpoolError::io("rename", &aside))?;
        if durable { sync_folder(folder) } else { Ok(()) }
    }

    /// The offset of `boot`, if it was ever measured.
    pub(crate) fn offset_us(&self, boot: Boot) -> Option<i64> {
        let bytes = boot.0.to_le_bytes();
        self.boots.iter().rev().find(|known| known.boot == bytes).map(|known| known.offset_us)
    }

    /// Notes the offset of `boot`; the oldest boots are forgotten.
    pub(crate) fn set_offset_us(&mut self, boot: Boot, offset_us: i64) {
        let bytes = boot.0.to_le_bytes().to_vec();
        self.boots.retain(|known| known.boot != bytes);
        self.boots.push(BootOffset { boot: bytes, offset_us });
        let surplus = self.boots.len().saturating_sub(BOOTS_KEPT_MAX);
        self.boots.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_counts_as_empty() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = State { acknowledged: 7, ..State::default() };
        state.set_offset_us(Boot(3), -5);
        state.save(folder.path(), true).unwrap();
        assert_eq!(State::load(folder.path()), state);
        assert_eq!(state.offset_us(Boot(3)), Some(-5));
        fs::write(folder.path().join(FILE), b"rubbish").unwrap();
        assert_eq!(State::load(folder.path()), State::default());
    }
}
