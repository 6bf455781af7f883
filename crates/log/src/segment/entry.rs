//! What the indexes say: of a stream, which versions and frames a segment has of it; of a counter, which seqs and what
//! they said.
//!
//! Invariant: an entry comes back as it was put; whatever the bytes, reading gives an entry or none.

use crate::{
    frame::{
        FrameError,
        varint::{Reader, put_u64},
        widen,
    },
    limits::SOURCE_WINDOW_SEQS,
};

/// The most frames in one entry of a stream; a stream in more has several.
pub(crate) const RUN_FRAMES_MAX: usize = 16_384;

/// A stream's versions in a segment (or in a part of it), with the numbers of the frames that hold them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StreamRun {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) frames: Vec<u32>,
}

impl StreamRun {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_u64(out, self.first);
        put_u64(out, self.last.saturating_sub(self.first));
        put_u64(out, widen(self.frames.len()));
        let mut before = 0;
        for frame in &self.frames {
            put_u64(out, u64::from(frame.saturating_sub(before)));
            before = *frame;
        }
    }

    /// First and last version.
    pub(crate) fn versions(data: &[u8]) -> Option<(u64, u64)> {
        let mut reader = Reader::new(data);
        span(&mut reader).ok()
    }

    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(data);
        let mut read = || {
            let (first, last) = span(&mut reader)?;
            let count = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
            let mut frames = Vec::with_capacity(count.min(RUN_FRAMES_MAX));
            let mut number = 0_u32;
            for _ in 0..count {
                number = number.checked_add(reader.u32()?).ok_or(FrameError::Short)?;
                frames.push(number);
            }
            Ok::<_, FrameError>(Self { first, last, frames })
        };
        read().ok()
    }
}

/// A counter's seqs in a segment, with what the newest of them said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CounterRun {
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// The last seq before those in `contents`.
    pub(crate) before: u64,
    /// Of each event the last seq that it uses up, and its content's fingerprint; the oldest first.
    pub(crate) contents: Vec<(u64, u32)>,
}

impl CounterRun {
    /// The event with this content uses up `seqs`, the next ones.
    pub(crate) fn push(&mut self, seqs: (u64, u64), content: u32) {
        if self.contents.is_empty() {
            self.first = seqs.0;
            self.before = seqs.0.saturating_sub(1);
        }
        self.last = seqs.1;
        self.contents.push((seqs.1, content));
        // Not at every event: removing from the front moves all the others.
        if self.contents.len() > 2 * SOURCE_WINDOW_SEQS {
            self.trim();
        }
    }

    /// Forgets what lies beyond the window.
    pub(crate) fn trim(&mut self) {
        let too_old = self.last.saturating_sub(widen(SOURCE_WINDOW_SEQS));
        let count = self.contents.partition_point(|(last, _)| *last <= too_old);
        if let Some((last, _)) = self.contents.drain(..count).next_back() {
            self.before = last;
        }
    }

    /// Takes over what a later segment has of the same counter. False if that does not go on from here.
    pub(crate) fn extend(&mut self, later: Self) -> bool {
        if self.last.checked_add(1) != Some(later.first) {
            return false;
        }
        self.last = later.last;
        if later.before < later.first {
            self.contents.extend(later.contents);
            self.trim();
        } else {
            // It forgot some of its own: what came before those lies beyond the window.
            (self.before, self.contents) = (later.before, later.contents);
        }
        true
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_u64(out, self.first);
        put_u64(out, self.last.saturating_sub(self.first));
        put_u64(out, self.last.saturating_sub(self.before));
        put_u64(out, widen(self.contents.len()));
        let mut before = self.before;
        for (last, content) in &self.contents {
            put_u64(out, last.saturating_sub(before));
            out.extend_from_slice(&content.to_le_bytes());
            before = *last;
        }
    }

    /// First and last seq.
    pub(crate) fn seqs(data: &[u8]) -> Option<(u64, u64)> {
        let mut reader = Reader::new(data);
        span(&mut reader).ok()
    }

    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(data);
        let mut read = || {
            let (first, last) = span(&mut reader)?;
            let before = last.checked_sub(reader.u64()?).ok_or(FrameError::Short)?;
            let count = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
            let mut contents = Vec::with_capacity(count.min(SOURCE_WINDOW_SEQS));
            let mut seq = before;
            for _ in 0..count {
                seq = seq.checked_add(reader.u64()?).ok_or(FrameError::Short)?;
                let content = reader.bytes(4)?.try_into().map_err(|_| FrameError::Short)?;
                contents.push((seq, u32::from_le_bytes(content)));
            }
            Ok::<_, FrameError>(Self { first, last, before, contents })
        };
        read().ok()
    }
}

fn span(reader: &mut Reader<'_>) -> Result<(u64, u64), FrameError> {
    let first = reader.u64()?;
    Ok((first, first.checked_add(reader.u64()?).ok_or(FrameError::Short)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_comes_back_as_it_was_put() {
        let mut out = Vec::new();
        let run = StreamRun { first: 7, last: 4_000, frames: vec![0, 3, 4, 900] };
        run.put(&mut out);
        assert_eq!(StreamRun::versions(&out), Some((7, 4_000)));
        assert_eq!(StreamRun::read(&out), Some(run));
        assert!((0..out.len()).all(|length| StreamRun::read(&out[..length]).is_none()));
    }

    #[test]
    fn a_counter_of_two_segments_is_as_if_it_were_of_one() {
        for (middle, end) in [(3, 9), (4_000, 4_095), (4_000, 9_000), (9_000, 9_001), (9_000, 20_000)] {
            let run = |first: u64, last: u64| {
                let mut run = CounterRun::default();
                (first..=last).zip(1..).for_each(|(seq, content)| run.push((seq, seq), content));
                run.trim();
                run
            };
            let mut whole = run(1, middle);
            let later = run(middle + 1, end);
            assert!(whole.extend(later));
            let mut expected = run(1, end);
            // The contents of the later part were numbered anew.
            for (seq, content) in &mut expected.contents {
                *content = u32::try_from(if *seq > middle { *seq - middle } else { *seq }).unwrap();
            }
            assert_eq!(whole, expected, "{middle} {end}");
            assert!(!whole.extend(run(end + 2, end + 3)));
        }
        let mut skipped = CounterRun::default();
        skipped.push((1, 3), 7);
        let mut later = CounterRun::default();
        later.push((4, 100_000), 8);
        assert!(skipped.extend(later));
        assert_eq!((skipped.before, skipped.contents), (3, vec![(100_000, 8)]));
    }

    #[test]
    fn a_counter_comes_back_with_its_newest_seqs() {
        let mut run = CounterRun::default();
        for seq in 11..=20_000 {
            run.push((seq, seq), u32::try_from(seq).unwrap());
        }
        run.push((20_001, 20_100), 9);
        run.trim();
        let mut out = Vec::new();
        run.put(&mut out);
        assert_eq!(CounterRun::seqs(&out), Some((11, 20_100)));
        let read = CounterRun::read(&out).unwrap();
        assert_eq!(read, run);
        assert_eq!((read.before, read.contents.len()), (20_100 - 4_096, 4_096 - 100 + 1));
        assert_eq!(read.contents.last(), Some(&(20_100, 9)));
        assert!((0..out.len()).all(|length| CounterRun::read(&out[..length]).is_none()));
    }
}
