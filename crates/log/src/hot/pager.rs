//! Makes pages beside everything else, on a thread of its own: it follows what becomes durable, gives a draft that is
//! whole to its segment, and makes the pages of segments that have none.
//!
//! Nobody tells it anything and nobody waits for it: it looks now and then how far the log has come, so the committer pays
//! nothing for it. Not for reading streams. Invariant: frames go into a draft in the order of the log, each into that of
//! its own database; a draft becomes a segment's file only if it has taken in all of that segment.

mod bell;

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use pegcount_domain::{envelope::Position, ids::Incarnation};
use rustc_hash::FxHashMap;

use super::{
    durable::Durable,
    open::missing,
    options::SledOptions,
    panic_text,
    store::{SledStore, Store},
};
use crate::{
    api::LogError,
    frame::Frame,
    limits::READ_AHEAD_FRAMES,
    pages::{self, Binder, Draft, Drafts, PAGES_REBUILT, draft_path, ignored},
    segment::{Shelf, Shelved, with_frames},
};

pub(super) use bell::PagerBell;

/// Frames that it takes in of what is new before it sees to older ones.
const NEW_FRAMES_PER_TURN: usize = 64;
/// So often the pages of one segment are made again.
const TRIES_MAX: u32 = 3;

pub(super) struct Pager {
    options: SledOptions,
    incarnation: Incarnation,
    store: Arc<SledStore>,
    shelf: Arc<Shelf>,
    durable: Arc<Durable>,
    drafts: Arc<Drafts>,
    bell: Arc<PagerBell>,
    /// The first position that has not been taken in; none after a failure.
    next: Option<Position>,
    rebuild: Option<Rebuild>,
    /// How often the pages of segments were begun again: those that keep going wrong are left to the next start.
    tries: FxHashMap<u64, u32>,
}

/// The pages of a segment that are being made again.
struct Rebuild {
    segment: Shelved,
    draft: Draft,
}

impl Pager {
    /// Begins with the first position that is in a database.
    pub(super) fn new(
        options: SledOptions,
        incarnation: Incarnation,
        store: Arc<SledStore>,
        durable: Arc<Durable>,
        drafts: Arc<Drafts>,
        bell: Arc<PagerBell>,
    ) -> Self {
        let shelf = Arc::clone(&durable.shelf);
        let next = Some(shelf.end().next());
        let (rebuild, tries) = (None, FxHashMap::default());
        Self { options, incarnation, store, shelf, durable, drafts, bell, next, rebuild, tries }
    }

    /// Runs until the log closes.
    pub(super) fn run(mut self) {
        pages::describe();
        let done = catch_unwind(AssertUnwindSafe(|| self.work()));
        // Without a pager nothing is finished any more; what is in no file goes.
        self.drafts.set(Vec::new());
        if let Err(panic) = done {
            ignored(&self.options.dir, &format!("making pages panicked: {}", panic_text(&*panic)));
        }
    }

    fn work(&mut self) {
        loop {
            let asked = self.bell.take_asked();
            let mut busy = self.follow();
            busy |= self.give_to_segments();
            busy |= self.rebuild_some();
            for answer in asked {
                if busy {
                    self.bell.ask(answer);
                } else {
                    // Whoever asked may have gone.
                    let _ = answer.send(());
                }
            }
            if !self.bell.goes_on(busy) {
                return;
            }
        }
    }

    /// Takes in some of what has become durable; false if there was nothing.
    fn follow(&mut self) -> bool {
        let end = self.durable.end();
        let Some(begin) = self.next.filter(|next| *next <= end) else { return false };
        match self.take_in(begin, end) {
            Ok(()) => {}
            // What was dropped before it was taken in needs no pages.
            Err(LogError::Dropped { first, .. }) => self.next = Some(first),
            Err(error) => {
                ignored(&self.options.dir, &error.to_string());
                self.next = None;
            }
        }
        true
    }

    fn take_in(&mut self, mut next: Position, end: Position) -> Result<(), LogError> {
        let mut taken = 0;
        while next <= end && taken < NEW_FRAMES_PER_TURN {
            let before = next;
            self.shelf.check_kept(next)?;
            let frames: Vec<Arc<Frame>> = match self.durable.recent(next) {
                Some(frame) => vec![frame],
                None => self.store.load(next, READ_AHEAD_FRAMES)?.into_iter().map(Arc::new).collect(),
            };
            // What is being committed is there and must not be seen.
            for frame in frames.iter().take_while(|frame| frame.last() <= end) {
                self.draft_for(frame.first())?.push(frame);
                next = frame.last().next();
                taken += 1;
            }
            if next == before {
                return Err(missing(&self.options.dir, next));
            }
            self.next = Some(next);
        }
        Ok(())
    }

    /// The draft of the database that holds, or held, `position`, which is durable.
    fn draft_for(&self, position: Position) -> Result<Arc<Draft>, LogError> {
        let number = self.store.number_of(position)?;
        let drafts = self.drafts.all();
        if let Some(draft) = drafts.last().filter(|draft| draft.number() == number) {
            return Ok(Arc::clone(draft));
        }
        // No frame of the database before follows.
        if let Some(before) = drafts.last() {
            before.end();
        }
        let draft = self.draft(number, position)?;
        let draft = Arc::new(draft);
        self.drafts.set(drafts.iter().cloned().chain([Arc::clone(&draft)]).collect());
        Ok(draft)
    }

    fn draft(&self, number: u64, first: Position) -> Result<Draft, LogError> {
        let path = draft_path(&self.options.dir, number);
        // One draft that follows, and one that is made again.
        let memory = usize::try_from(self.options.page_memory_bytes / 2).unwrap_or(usize::MAX);
        let (names, rule) = (self.durable.names.clone(), self.options.page_rule);
        let made = Binder::new(path.clone(), names, rule, memory);
        let made = made.and_then(|binder| Draft::new(number, first, binder));
        made.map_err(super::failed("make pages in", &path))
    }

    /// Drafts of databases that have become segments are finished; true if there was one.
    fn give_to_segments(&mut self) -> bool {
        let drafts = self.drafts.all();
        // The databases before the segments: what is in neither has been dropped.
        let databases = self.store.numbers();
        let all = self.shelf.all();
        let segments = with_frames(&all);
        let mut kept = Vec::new();
        let newest = drafts.last().map(|draft| draft.number());
        for draft in drafts.iter() {
            let segment = segments.iter().find(|segment| segment.named().number == draft.number());
            let is_newest = newest == Some(draft.number()) && self.next.is_some();
            match segment {
                Some(segment) if draft.last() == segment.named().last => {
                    draft.end();
                    let file = draft.finish(&self.options.dir, &segment.named(), self.incarnation);
                    if let Some(file) = file {
                        segment.set_pages(file);
                    }
                }
                // It has not come to its end yet, or its segment is still being written.
                Some(_) if is_newest => kept.push(Arc::clone(draft)),
                None if databases.contains(&draft.number()) => kept.push(Arc::clone(draft)),
                // Another one is made of it; or its segment has been dropped.
                Some(_) | None => {}
            }
        }
        let some = kept.len() < drafts.len();
        if some {
            self.drafts.set(kept);
        }
        some
    }

    /// Goes on making the pages of a segment that has none; false if every segment has its pages.
    fn rebuild_some(&mut self) -> bool {
        let Some(rebuild) = self.rebuild.take().or_else(|| self.begin_rebuild()) else { return false };
        let number = rebuild.segment.named().number;
        match self.rebuilt(&rebuild) {
            Ok(true) => metrics::counter!(PAGES_REBUILT).increment(1),
            Ok(false) => self.rebuild = Some(rebuild),
            Err(error) => {
                ignored(&draft_path(&self.options.dir, number), &error.to_string());
            }
        }
        true
    }

    fn begin_rebuild(&mut self) -> Option<Rebuild> {
        let drafts = self.drafts.all();
        let is_drafted = |number| drafts.iter().any(|draft| draft.number() == number);
        let all = self.shelf.all();
        // The newest are read most.
        let segment = with_frames(&all).iter().rev().find(|segment| {
            let number = segment.named().number;
            segment.pages().is_none()
                && !is_drafted(number)
                && self.tries.get(&number).is_none_or(|tries| *tries < TRIES_MAX)
        })?;
        let named = segment.named();
        *self.tries.entry(named.number).or_default() += 1;
        match self.draft(named.number, named.first) {
            Ok(draft) => Some(Rebuild { segment: segment.clone(), draft }),
            Err(error) => {
                ignored(&draft_path(&self.options.dir, named.number), &error.to_string());
                None
            }
        }
    }

    /// Takes in some of the segment's frames; true once its pages are finished.
    fn rebuilt(&self, rebuild: &Rebuild) -> Result<bool, LogError> {
        let Rebuild { segment, draft } = rebuild;
        let named = segment.named();
        let next = draft.last().next();
        if next <= named.last {
            let frames = self.shelf.frames_from(next, READ_AHEAD_FRAMES)?;
            frames
                .iter()
                .flatten()
                .take_while(|frame| frame.last() <= named.last)
                .for_each(|frame| draft.push(frame));
            let came_on = draft.last() >= next;
            return if came_on { Ok(false) } else { Err(missing(&self.options.dir, next)) };
        }
        draft.end();
        let file = draft.finish(&self.options.dir, &named, self.incarnation);
        let failed = || io::Error::other("the file of pages could not be finished");
        let file = file.ok_or_else(|| super::failed("make pages in", &self.options.dir)(failed()))?;
        segment.set_pages(file);
        Ok(true)
    }
}
