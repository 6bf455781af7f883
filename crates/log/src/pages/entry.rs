//! What an index of pages says of a stream: its versions in this part of the log, and where its pages lie.
//!
//! Invariant: an entry comes back as it was put; whatever the bytes, reading gives an entry or none.

use crate::frame::{
    FrameError,
    varint::{Reader, put_u64},
    widen,
};

/// A page of a stream: the versions that it holds, and where it lies in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageAt {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) offset: u64,
    pub(crate) bytes: u32,
}

/// A stream in a part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StreamPages {
    /// Its first version there that could be paged.
    pub(crate) first: u64,
    /// Its last version there.
    pub(crate) last: u64,
    /// Its pages; versions between them are in frames only.
    pub(crate) pages: Vec<PageAt>,
}

impl StreamPages {
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_u64(out, self.first);
        put_u64(out, self.last.saturating_sub(self.first));
        put_u64(out, widen(self.pages.len()));
        let (mut version, mut offset) = (self.first, 0);
        for page in &self.pages {
            put_u64(out, page.first.saturating_sub(version));
            put_u64(out, page.last.saturating_sub(page.first));
            put_u64(out, page.offset.saturating_sub(offset));
            put_u64(out, page.bytes.into());
            (version, offset) = (page.last, page.offset);
        }
    }

    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(data);
        Self::read_from(&mut reader).ok()
    }

    fn read_from(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        let sum = |a: u64, b: u64| a.checked_add(b).ok_or(FrameError::Short);
        let first = reader.u64()?;
        let last = sum(first, reader.u64()?)?;
        let count = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
        let mut pages = Vec::with_capacity(count.min(reader.left()));
        let (mut version, mut offset) = (first, 0);
        for _ in 0..count {
            let first = sum(version, reader.u64()?)?;
            version = sum(first, reader.u64()?)?;
            offset = sum(offset, reader.u64()?)?;
            pages.push(PageAt { first, last: version, offset, bytes: reader.u32()? });
        }
        Ok(Self { first, last, pages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back_as_it_was_put() {
        let page = |first, last, offset| PageAt { first, last, offset, bytes: 700 };
        let pages = vec![page(9, 20, 0), page(21, 21, 70_000), page(40, 90, 71_000)];
        let entry = StreamPages { first: 7, last: 100, pages };
        let mut out = Vec::new();
        entry.put(&mut out);
        assert_eq!(StreamPages::read(&out), Some(entry));
        assert!((0..out.len()).all(|length| StreamPages::read(&out[..length]).is_none()));
    }
}
