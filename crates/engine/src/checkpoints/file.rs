//! One checkpoint as a file: a head, the boards, and the figures part by part.
//!
//! ```text
//! magic 8 │ block: head │ block: boards │ block: part │ block: part │ … │ block: the last part
//!
//! block = stored bytes u32 │ bytes u32 │ CRC32C u32 of the rest │ what is stored (zstd)             little-endian
//! ```
//!
//! Not durable on purpose: a file that a power cut leaves short is no checkpoint, and the start is slower. Invariant: what
//! is read back was written whole, by the same code, for this log.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Write},
    num::NonZero,
    path::{Path, PathBuf},
};

use bincode::{
    config::{Configuration, standard},
    serde::{decode_from_slice, encode_to_vec},
};
use parking_lot::Mutex;
use pegcount_domain::{envelope::Position, ids::Incarnation, time::Micros};
use pegcount_kpi::{Kpi, Part, PartError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{boards::Boards, figures::Figures};

/// The code that folds; see build.rs.
pub(super) const FOLDING: &str = env!("PEGCOUNT_FOLDING");
const MAGIC: [u8; 8] = *b"pegckpt1";
const FORM: Configuration = standard();
/// Written often, and kept for days at most.
const ZSTD_LEVEL: i32 = 1;
/// No part comes near it (bytes); a length beyond is damage.
const BLOCK_BYTES_MAX: u32 = 1 << 30;
/// Parts are read by so many threads.
const READERS_MAX: usize = 4;

/// What a checkpoint says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) folding: String,
    pub(super) incarnation: Incarnation,
    pub(super) position: Position,
    /// When the event at the position was recorded; none at the log's beginning. Tells another history from this one.
    pub(super) recorded_at: Option<Micros>,
    /// Of all fingerprints.
    pub(super) seed: u64,
}

/// Why a file is no checkpoint to go on from.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    #[error("it is damaged: {0}")]
    Undecodable(#[from] bincode::error::DecodeError),
    #[error("it is damaged: {0}")]
    Part(#[from] PartError),
    #[error("other code made it")]
    OtherCode,
    #[error("it belongs to another incarnation of the log (it was restored since, or the file is foreign)")]
    OtherIncarnation,
    #[error("it stands at position {at}, and the log ends at {end}")]
    Beyond { at: Position, end: Position },
    #[error("the log's event at position {0} is another")]
    OtherHistory(Position),
}

/// Why none was written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwritten {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Part(#[from] PartError),
    #[error(transparent)]
    Unencodable(#[from] bincode::error::EncodeError),
    #[error("it was stopped")]
    Stopped,
}

/// Folds as they were at a checkpoint.
pub(super) struct Restored {
    pub(super) head: Head,
    pub(super) figures: Figures,
    /// None if nobody wanted them.
    pub(super) boards: Option<Boards>,
}

/// Writes a checkpoint aside, and names it when it is whole; gives its length, bytes.
pub(super) fn write(
    path: &Path,
    head: &Head,
    boards: &Boards,
    kpi: &Kpi,
    stopped: impl Fn() -> bool,
) -> Result<u64, Unwritten> {
    let draft = draft_of(path);
    let written = write_to(&draft, head, boards, kpi, stopped);
    match written {
        Ok(bytes) => {
            std::fs::rename(&draft, path)?;
            Ok(bytes)
        }
        Err(error) => {
            let _ = std::fs::remove_file(&draft);
            Err(error)
        }
    }
}

/// What a checkpoint is called while it is being written.
pub(super) fn draft_of(path: &Path) -> PathBuf {
    path.with_extension("new")
}

fn write_to(
    path: &Path,
    head: &Head,
    boards: &Boards,
    kpi: &Kpi,
    stopped: impl Fn() -> bool,
) -> Result<u64, Unwritten> {
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(&MAGIC)?;
    write_block(&mut file, &encode_to_vec(head, FORM)?)?;
    write_block(&mut file, &encode_to_vec(boards, FORM)?)?;
    kpi.parts(|part| {
        if stopped() {
            return Err(Unwritten::Stopped);
        }
        Ok(write_block(&mut file, &part)?)
    })?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    Ok(file.metadata()?.len())
}

fn write_block(file: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let stored = zstd::bulk::compress(bytes, ZSTD_LEVEL)?;
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(io::Error::other);
    let (stored_length, length) = (length(&stored)?, length(bytes)?);
    file.write_all(&stored_length.to_le_bytes())?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(&checksum(stored_length, length, &stored).to_le_bytes())?;
    file.write_all(&stored)
}

/// Of a block: its lengths and what is stored.
fn checksum(stored_length: u32, length: u32, stored: &[u8]) -> u32 {
    let lengths = crc32c::crc32c_append(crc32c::crc32c(&stored_length.to_le_bytes()), &length.to_le_bytes());
    crc32c::crc32c_append(lengths, stored)
}

/// A block as it is stored, checked.
struct Stored {
    bytes: Vec<u8>,
    length: u32,
}

impl Stored {
    /// The next block; none at the end of the file.
    fn next(file: &mut impl Read) -> Result<Option<Self>, Unusable> {
        let mut first = [0; 4];
        if file.read(&mut first[..1])? == 0 {
            return Ok(None);
        }
        file.read_exact(&mut first[1..])?;
        let mut word = || {
            let mut word = [0; 4];
            file.read_exact(&mut word).map(|()| u32::from_le_bytes(word))
        };
        let (stored, length, crc) = (u32::from_le_bytes(first), word()?, word()?);
        if stored > BLOCK_BYTES_MAX || length > BLOCK_BYTES_MAX {
            return Err(Unusable::Damaged("a length cannot be"));
        }
        let mut bytes = Vec::new();
        file.take(stored.into()).read_to_end(&mut bytes)?;
        if checksum(stored, length, &bytes) != crc {
            return Err(Unusable::Damaged("a checksum is wrong"));
        }
        Ok(Some(Self { bytes, length }))
    }

    fn open(&self) -> Result<Vec<u8>, Unusable> {
        Ok(zstd::bulk::decompress(&self.bytes, usize::try_from(self.length).unwrap_or(usize::MAX))?)
    }
}

fn decoded<T: DeserializeOwned>(block: Option<Stored>) -> Result<T, Unusable> {
    let block = block.ok_or(Unusable::Damaged("it ends too early"))?;
    Ok(decode_from_slice(&block.open()?, FORM)?.0)
}

fn begin(path: &Path) -> Result<(BufReader<File>, Head), Unusable> {
    let mut file = BufReader::with_capacity(1 << 20, File::open(path)?);
    let mut magic = [0; MAGIC.len()];
    file.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(Unusable::Damaged("it does not begin as a checkpoint does"));
    }
    let head = Stored::next(&mut file)?;
    Ok((file, decoded(head)?))
}

/// What a file says of itself.
pub(super) fn head(path: &Path) -> Result<Head, Unusable> {
    Ok(begin(path)?.1)
}

/// Reads a checkpoint, the figures' parts on several threads.
pub(super) fn read(path: &Path, with_boards: bool) -> Result<Restored, Unusable> {
    let (mut file, head) = begin(path)?;
    let boards = Stored::next(&mut file)?;
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(READERS_MAX);
    let file = Mutex::new((file, 0_usize));
    let (boards, read) = std::thread::scope(|scope| {
        let boards = with_boards.then(|| scope.spawn(|| decoded(boards)));
        let readers: Vec<_> = (0..threads).map(|_| scope.spawn(|| read_parts(&file))).collect();
        let joined = readers
            .into_iter()
            .map(|reader| reader.join().unwrap_or(Err(Unusable::Damaged("reading it panicked"))));
        let read: Result<Vec<_>, Unusable> = joined.collect();
        (boards.map(|boards| boards.join().unwrap_or(Err(Unusable::Damaged("reading it panicked")))), read)
    });
    let boards = boards.transpose()?;
    let mut parts: Vec<(usize, Part)> = read?.into_iter().flatten().collect();
    parts.sort_unstable_by_key(|(number, _)| *number);
    let kpi = Kpi::assembled(parts.into_iter().map(|(_, part)| part))?;
    if kpi.position() != head.position {
        return Err(Unusable::Damaged("its figures stand elsewhere than it says"));
    }
    let figures = Figures::restored(kpi, head.seed);
    Ok(Restored { head, figures, boards })
}

/// Takes parts until there are no more, or one of them is damaged.
fn read_parts(file: &Mutex<(BufReader<File>, usize)>) -> Result<Vec<(usize, Part)>, Unusable> {
    let mut parts = Vec::new();
    loop {
        let (number, block) = {
            let (file, number) = &mut *file.lock();
            *number += 1;
            (*number, Stored::next(file)?)
        };
        let Some(block) = block else { return Ok(parts) };
        parts.push((number, Part::read(&block.open()?)?));
    }
}
