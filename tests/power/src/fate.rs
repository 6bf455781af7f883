//! What a power loss does to what is not synced: by a seed, so that it can be had again.
//!
//! Invariant: it is asked only about what is not synced.

use std::collections::HashSet;

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// How a disk treats what it had not been told to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// All of it is gone.
    Nothing,
    /// All of it is there.
    Everything,
    /// The first writes are there, one is torn, the rest is gone.
    InOrder,
    /// Each write is there, gone or torn.
    Reordered,
    /// Every sector decides for itself.
    Sectors,
}

/// One power loss.
#[derive(Debug)]
pub struct Fate {
    random: StdRng,
    style: Style,
    sector_bytes: u64,
}

/// What becomes of one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFate {
    /// It reached the disk.
    Kept,
    /// It did not.
    Dropped,
    /// Some of its sectors did.
    Torn,
}

impl Fate {
    /// The power loss of this seed.
    pub fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let styles = [Style::Nothing, Style::Everything, Style::InOrder, Style::Reordered, Style::Sectors];
        let style = styles[random.random_range(0..styles.len())];
        let sector_bytes = if random.random() { 512 } else { 4_096 };
        Self { random, style, sector_bytes }
    }

    /// What is written whole or not.
    pub fn sector_bytes(&self) -> u64 {
        self.sector_bytes
    }

    /// How many of a folder's `count` changes of names are there: they stay in their order.
    pub fn names_kept(&mut self, count: usize) -> usize {
        match self.style {
            Style::Nothing => 0,
            Style::Everything => count,
            _ if self.random.random() => self.random.random_range(0..=count),
            _ => [0, count][self.random.random_range(0..2)],
        }
    }

    /// How many of a file's `count` changes have their effect on its length.
    pub fn lengths_kept(&mut self, count: usize) -> usize {
        self.names_kept(count)
    }

    /// What becomes of each of a file's `count` writes.
    pub fn writes(&mut self, count: usize) -> Vec<WriteFate> {
        use WriteFate::{Dropped, Kept, Torn};
        let torn = self.random.random_range(0..=count);
        let random = &mut self.random;
        let one = |at: usize| match self.style {
            Style::Nothing => Dropped,
            Style::Everything => Kept,
            Style::InOrder if at == torn => Torn,
            Style::InOrder => [Dropped, Kept][usize::from(at < torn)],
            Style::Reordered => [Dropped, Kept, Torn][random.random_range(0..3)],
            Style::Sectors => Torn,
        };
        (0..count).map(one).collect()
    }

    /// Which of the sectors `from..to` of a torn write reached the disk.
    pub fn sectors(&mut self, from: u64, to: u64) -> HashSet<u64> {
        // Also tears near the beginning or the end alone, which chance by sector would hardly give.
        let random = &mut self.random;
        match random.random_range(0..3) {
            0 => (from..to).filter(|_| random.random()).collect(),
            1 => (from..random.random_range(from..=to)).collect(),
            _ => (random.random_range(from..=to)..to).collect(),
        }
    }
}
