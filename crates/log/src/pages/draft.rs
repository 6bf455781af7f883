//! The pages of a database that still grows: they are read while more come in.
//!
//! Its file lies beside the log's parts under a name that nothing keeps: it goes with the draft, unless the draft became the
//! file of a segment. Invariant: of every stream that is seen here, all versions up to the last one seen lie in frames
//! up to the position that is seen with it.

use std::{
    fs::{self, File},
    io,
    path::Path,
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};
use pegcount_domain::{envelope::Position, ids::Incarnation};

use super::{
    Binder,
    binder::Now,
    entry::PageAt,
    file::{PageFile, Wrong, read_page},
    ignored, pages_path,
    rule::PageRule,
};
use crate::{frame::Frame, keys::Key, segment::Named};

/// What a draft knows of a stream.
pub(crate) struct Seen {
    pub(super) now: Option<Now>,
    /// The positions that it has taken in; none if it has given up.
    pub(crate) span: Option<(Position, Position)>,
}

struct State {
    /// None once it has failed.
    binder: Option<Binder>,
    last: Position,
    finished: bool,
}

/// Pages of a database.
pub(crate) struct Draft {
    number: u64,
    first: Position,
    state: RwLock<State>,
    reader: Mutex<File>,
}

impl Draft {
    /// Begins with the database's first position.
    pub(crate) fn new(number: u64, first: Position, binder: Binder) -> io::Result<Self> {
        let reader = Mutex::new(File::open(binder.path())?);
        let last = Position(first.0.saturating_sub(1));
        let state = RwLock::new(State { binder: Some(binder), last, finished: false });
        Ok(Self { number, first, state, reader })
    }

    /// The number of its database.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The last position that it has taken in.
    pub(crate) fn last(&self) -> Position {
        self.state.read().last
    }

    /// Bytes on disk.
    pub(crate) fn disk_bytes(&self) -> u64 {
        let state = self.state.read();
        if state.finished { 0 } else { state.binder.as_ref().map_or(0, Binder::disk_bytes) }
    }

    /// Takes in the database's next frame.
    pub(crate) fn push(&self, frame: &Frame) {
        let mut state = self.state.write();
        let pushed = state.binder.as_mut().map(|binder| binder.push(frame));
        state.last = frame.last();
        Self::give_up_on(&mut state, pushed);
    }

    /// No frame follows.
    pub(crate) fn end(&self) {
        let mut more = true;
        // A few pages at a time, so that no reader waits long.
        while more {
            let mut state = self.state.write();
            let ended = state.binder.as_mut().map(Binder::end);
            more = matches!(ended, Some(Ok(true)));
            Self::give_up_on(&mut state, ended.map(|ended| ended.map(drop)));
        }
    }

    /// Becomes the file of its database's segment; none if that fails.
    pub(crate) fn finish(&self, dir: &Path, named: &Named, incarnation: Incarnation) -> Option<PageFile> {
        let mut state = self.state.write();
        let binder = state.binder.as_mut()?;
        let path = pages_path(dir, named.number);
        let finished = binder.finish(named, incarnation).and_then(|()| fs::rename(binder.path(), &path));
        if let Err(error) = finished {
            Self::give_up_on(&mut state, Some(Err(error)));
            return None;
        }
        state.finished = true;
        PageFile::open(dir, named, incarnation)
    }

    /// After a failure it says nothing any more.
    fn give_up_on(state: &mut State, done: Option<io::Result<()>>) {
        if let Some(Err(error)) = done
            && let Some(binder) = state.binder.take()
        {
            ignored(binder.path(), &error.to_string());
            remove(binder.path());
        }
    }

    pub(crate) fn look(&self, key: Key) -> Seen {
        let state = self.state.read();
        let Some(binder) = &state.binder else { return Seen { now: None, span: None } };
        Seen { now: binder.now(key), span: Some((self.first, state.last)) }
    }

    pub(super) fn read(&self, at: PageAt) -> Result<Frame, Wrong> {
        read_page(&self.reader.lock(), at)
    }

    /// A page cannot be read: it says nothing any more.
    pub(super) fn spoil(&self, what: &str) {
        Self::give_up_on(&mut self.state.write(), Some(Err(io::Error::other(what.to_owned()))));
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        if let Some(binder) = state.binder.as_ref().filter(|_| !state.finished) {
            remove(binder.path());
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!(path = %path.display(), %error, "a draft of pages stays; the next start removes it");
    }
}

/// The drafts of the databases, and of segments whose file is not finished; in order.
#[derive(Default)]
pub(crate) struct Drafts {
    all: RwLock<Arc<[Arc<Draft>]>>,
    rule: PageRule,
}

impl Drafts {
    /// None yet, of pages by this rule.
    pub(crate) fn new(rule: PageRule) -> Self {
        Self { all: RwLock::default(), rule }
    }

    pub(crate) fn rule(&self) -> PageRule {
        self.rule
    }

    pub(crate) fn all(&self) -> Arc<[Arc<Draft>]> {
        Arc::clone(&self.all.read())
    }

    pub(crate) fn set(&self, drafts: Vec<Arc<Draft>>) {
        *self.all.write() = drafts.into();
    }

    /// Bytes on disk.
    pub(crate) fn disk_bytes(&self) -> u64 {
        self.all().iter().map(|draft| draft.disk_bytes()).sum()
    }
}
