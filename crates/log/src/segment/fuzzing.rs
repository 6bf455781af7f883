//! The parts of segments and stubs, for [`crate::fuzzing`].

use pegcount_domain::{envelope::Position, time::Micros};

use super::{
    block::{Block, BlockBuilder},
    directory::{BlockAt, Directory, TAIL_BYTES, Tail},
    entry::{CounterRun, StreamRun},
    filter::{FILTER_BLOCK_BYTES, Sought},
    read::frame_lines,
};
use crate::{
    fuzzing::{Decoder, Outcome, comes_back},
    keys::Key,
};

pub(crate) fn decoders() -> Vec<Decoder> {
    vec![
        Decoder { name: "segment_tail", samples: tails, read: read_tail, checksummed: true },
        Decoder { name: "segment_directory", samples: directories, read: read_directory, checksummed: false },
        Decoder { name: "segment_index", samples: blocks, read: read_block, checksummed: false },
        Decoder {
            name: "segment_frame_table",
            samples: tables,
            read: |bytes| Ok(Some(format!("{} lines", frame_lines(bytes).count()))),
            checksummed: false,
        },
        Decoder {
            name: "segment_filter",
            samples: || vec![vec![0xA5; 3 * FILTER_BLOCK_BYTES]],
            read: read_filter,
            checksummed: false,
        },
    ]
}

/// A tail, and then the length of the file that it ends.
fn tails() -> Vec<Vec<u8>> {
    let tail = Tail { offset: 1_000, bytes: 68, crc: 9 };
    vec![[tail.to_bytes(), 1_100_u64.to_le_bytes().to_vec()].concat()]
}

fn read_tail(bytes: &[u8]) -> Outcome {
    let Some((tail, rest)) = bytes.split_first_chunk::<TAIL_BYTES>() else { return Ok(None) };
    let Ok(length) = rest.try_into().map(u64::from_le_bytes) else { return Ok(None) };
    let Ok(tail) = Tail::read(tail, length) else { return Ok(None) };
    let again = tail.to_bytes();
    comes_back(&tail, again.first_chunk().and_then(|bytes| Tail::read(bytes, length).ok()).as_ref())
}

/// A directory's offset, and then the directory.
fn directories() -> Vec<Vec<u8>> {
    let block = |offset, first| BlockAt { offset, bytes: 10, crc: 7, first };
    let segment = Directory {
        first: Position(5),
        last: Position(9),
        last_recorded_at: Micros(-3),
        events: 5,
        frames: 2,
        streams: 1,
        counters: 0,
        filter_blocks: 1,
        sections: [vec![block(100, 5)], vec![block(110, 1), block(120, 8)], vec![], vec![block(130, 0)]],
    };
    vec![[140_u64.to_le_bytes().to_vec(), segment.to_bytes()].concat()]
}

fn read_directory(bytes: &[u8]) -> Outcome {
    let Some((offset, bytes)) = bytes.split_first_chunk::<8>() else { return Ok(None) };
    let offset = u64::from_le_bytes(*offset);
    let Some(directory) = Directory::read(bytes, offset) else { return Ok(None) };
    comes_back(&directory, Directory::read(&directory.to_bytes(), offset).as_ref())
}

fn blocks() -> Vec<Vec<u8>> {
    let mut builder = BlockBuilder::default();
    let stream = StreamRun { first: 7, last: 4_000, frames: vec![0, 3, 4, 900] };
    let mut counter = CounterRun::default();
    (11..40).for_each(|seq| counter.push((seq, seq + 1), 9));
    builder.push(3, |data| stream.put(data));
    builder.push(Key::MAX, |data| counter.put(data));
    builder.finish().into_iter().map(|(_, bytes)| bytes).collect()
}

fn read_block(bytes: &[u8]) -> Outcome {
    let Some(block) = Block::new(bytes) else { return Ok(None) };
    let mut words = String::new();
    for index in 0..block.len() {
        let Some(key) = block.key(index) else { return Err(format!("entry {index} has no fingerprint")) };
        let entries = block.entries_of(key);
        if entries.end > block.len() {
            return Err(format!("{entries:?} of {} entries are those of one name", block.len()));
        }
        let Some(data) = block.data(index) else { continue };
        words.push_str(&read_runs(data)?);
    }
    Ok(Some(words))
}

fn read_runs(data: &[u8]) -> Result<String, String> {
    let mut words = String::new();
    if let Some(run) = StreamRun::read(data) {
        if StreamRun::versions(data) != Some((run.first, run.last)) {
            return Err(format!("{run:?} has other versions when only those are read"));
        }
        let mut again = Vec::new();
        run.put(&mut again);
        words.extend(comes_back(&run, StreamRun::read(&again).as_ref())?);
    }
    if let Some(run) = CounterRun::read(data) {
        if CounterRun::seqs(data) != Some((run.first, run.last)) {
            return Err(format!("{run:?} has other seqs when only those are read"));
        }
        let mut again = Vec::new();
        run.put(&mut again);
        words.extend(comes_back(&run, CounterRun::read(&again).as_ref())?);
    }
    Ok(words)
}

fn tables() -> Vec<Vec<u8>> {
    let line = |first: u64, offset: u64| [first.to_le_bytes(), offset.to_le_bytes()].concat();
    vec![[line(1, 64), vec![100, 0, 0, 0], line(9, 164), vec![70, 0, 0, 0]].concat()]
}

/// A fingerprint, the number of blocks, the number of the first one that is there, and then blocks.
fn read_filter(bytes: &[u8]) -> Outcome {
    let Some((key, rest)) = bytes.split_first_chunk() else { return Ok(None) };
    let Some((blocks, rest)) = rest.split_first_chunk() else { return Ok(None) };
    let Some((first, rest)) = rest.split_first_chunk() else { return Ok(None) };
    let (key, blocks, first) =
        (Key::from_le_bytes(*key), u32::from_le_bytes(*blocks), u32::from_le_bytes(*first));
    let sought = Sought::of(key);
    let block = sought.block(blocks);
    if blocks > 0 && block >= blocks {
        return Err(format!("block {block} of {blocks}"));
    }
    Ok(Some(format!("{}", sought.may_be_in(blocks, rest, first))))
}
