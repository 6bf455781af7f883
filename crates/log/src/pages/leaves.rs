//! All pages that a part of the log has of one stream, to be read from.
//!
//! Blocking. Invariant: a page that is given is this stream's and holds exactly the versions that the index says; one that
//! does not is put aside, and its versions are a gap.

use std::{fs::File, sync::Arc};

use pegcount_domain::envelope::{Position, StreamName};

use super::{
    PAGES_READ,
    draft::{Draft, Seen},
    entry::{PageAt, StreamPages},
    file::{PageFile, Wrong, read_page},
};
use crate::{
    frame::{Frame, widen},
    keys::Key,
    segment::BlockCache,
};

/// Where a page is.
enum Spot {
    File(Arc<PageFile>, PageAt),
    Draft(Arc<Draft>, PageAt),
    Open(Arc<Draft>, Vec<u8>),
}

struct Leaf {
    first: u64,
    last: u64,
    spot: Spot,
}

/// The pages of a stream in a part of the log.
pub(crate) struct Leaves {
    first: u64,
    last: u64,
    pages: Vec<Leaf>,
    /// The file that was read last: a stream's pages lie in one.
    file: Option<File>,
}

impl Leaves {
    /// In a segment's file; none if the stream has no page there.
    pub(crate) fn of_file(file: &Arc<PageFile>, key: Key, cache: &BlockCache) -> Option<Self> {
        let StreamPages { first, last, pages } = file.stream(key, cache)?;
        let leaf =
            |at: PageAt| Leaf { first: at.first, last: at.last, spot: Spot::File(Arc::clone(file), at) };
        Some(Self { first, last, pages: pages.into_iter().map(leaf).collect(), file: None })
    }

    /// In drafts; and the first and the last position that they have taken in, if they follow on each other.
    pub(crate) fn of_drafts(drafts: &[Arc<Draft>], key: Key) -> (Option<Self>, Option<(Position, Position)>) {
        let mut all: Option<Self> = None;
        let mut spans = Vec::new();
        for draft in drafts {
            let Seen { now, span } = draft.look(key);
            spans.push(span);
            let Some(now) = now else { continue };
            let known = all.get_or_insert_with(|| Self {
                first: now.written.first,
                last: 0,
                pages: Vec::new(),
                file: None,
            });
            known.last = now.written.last;
            known.pages.extend(now.written.pages.into_iter().map(|at| Leaf {
                first: at.first,
                last: at.last,
                spot: Spot::Draft(Arc::clone(draft), at),
            }));
            known.pages.extend(now.open.map(|(first, bytes)| Leaf {
                first,
                last: now.written.last,
                spot: Spot::Open(Arc::clone(draft), bytes),
            }));
        }
        (all, joined(&spans))
    }

    /// First and last version of the stream in this part of the log, as far as pages know it.
    pub(crate) fn versions(&self) -> (u64, u64) {
        (self.first, self.last)
    }

    /// The page that holds `version` of `stream`, if there is one that can be used.
    pub(crate) fn page(&mut self, stream: &StreamName, version: u64) -> Option<Arc<Frame>> {
        let index = self.pages.partition_point(|leaf| leaf.last < version);
        let leaf = self.pages.get(index).filter(|leaf| leaf.first <= version)?;
        let (first, last) = (leaf.first, leaf.last);
        let read = match &leaf.spot {
            Spot::File(file, at) => kept(&mut self.file, file).and_then(|file| read_page(file, *at)),
            Spot::Draft(draft, at) => draft.read(*at),
            Spot::Open(_, bytes) => Frame::decode_page(bytes).map_err(|error| error.to_string()),
        };
        let right = read.and_then(|page| {
            let held =
                page.versions_of(stream) == Some((first, last)) && widen(page.len()) == last - first + 1;
            if held { Ok(page) } else { Err("a page holds other events than its index says".to_owned()) }
        });
        match right {
            Ok(page) => {
                metrics::counter!(PAGES_READ).increment(1);
                Some(Arc::new(page))
            }
            Err(what) => {
                match self.pages.remove(index).spot {
                    Spot::File(file, _) => file.spoil(&what),
                    Spot::Draft(draft, _) | Spot::Open(draft, _) => draft.spoil(&what),
                }
                None
            }
        }
    }

    /// The versions around `version`, which no page holds: from the end of the page before to the beginning of the next,
    /// both left out.
    pub(crate) fn gap(&self, version: u64) -> (u64, u64) {
        let index = self.pages.partition_point(|leaf| leaf.last < version);
        let before = index.checked_sub(1).and_then(|index| self.pages.get(index));
        let after = self.pages.get(index);
        (before.map_or(0, |leaf| leaf.last), after.map_or(u64::MAX, |leaf| leaf.first))
    }
}

/// The span of spans that follow on each other; none if one is missing.
fn joined(spans: &[Option<(Position, Position)>]) -> Option<(Position, Position)> {
    let (first, rest) = spans.split_first()?;
    rest.iter().try_fold((*first)?, |(first, last), next| {
        let (begin, end) = (*next)?;
        (begin == last.next()).then_some((first, end))
    })
}

fn kept<'a>(slot: &'a mut Option<File>, file: &PageFile) -> Result<&'a File, Wrong> {
    match slot {
        Some(file) => Ok(file),
        None => Ok(slot.insert(file.file()?)),
    }
}
