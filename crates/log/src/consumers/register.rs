//! Who there is, who is connected, what is confirmed.
//!
//! Not for reading the log. Invariant: of several connections of a name only the newest may confirm, and confirmed
//! positions never go back within an incarnation.

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use pegcount_domain::{
    envelope::Position,
    ids::{Incarnation, Name},
    time::Micros,
};
use tokio::sync::watch;

use super::{
    ConsumerError, ConsumerHello, ConsumerName, ConsumerStatus, Found,
    connection::Confirmer,
    keeper::Keeper,
    record::{self, CONSUMERS_FILE, Record},
};
use crate::{api::LogError, clock::Clock, limits::CONSUMERS_MAX};

/// The named consumers of a log.
pub struct Consumers {
    state: Mutex<State>,
    keeper: Keeper,
    incarnation: Incarnation,
    end: watch::Receiver<Position>,
    clock: Clock,
    damaged: Option<(PathBuf, Arc<str>)>,
    read_only: bool,
}

/// What changes.
pub(super) struct State {
    entries: BTreeMap<ConsumerName, Entry>,
    /// Counts changes that belong in the file, and how many of them are in it.
    pub(super) changes: u64,
    pub(super) written: u64,
    /// How many connections there were: no two have the same number, not even of a name that was deleted in between.
    connections: u64,
    pub(super) closed: bool,
}

struct Entry {
    record: Record,
    /// The number of the newest connection.
    newest: watch::Sender<u64>,
    connected: bool,
}

impl State {
    pub(super) fn records(&self) -> impl Iterator<Item = (&ConsumerName, &Record)> {
        self.entries.iter().map(|(name, entry)| (name, &entry.record))
    }
}

impl Consumers {
    /// Of a log that keeps nothing.
    pub(crate) fn in_memory(incarnation: Incarnation, end: watch::Receiver<Position>, clock: Clock) -> Self {
        Self::new(None, BTreeMap::new(), incarnation, end, clock)
    }

    /// What the log's folder says. A damaged file is named to whoever wants to use it; the log goes on without.
    ///
    /// Errors: those of the disk, if positions had to be set back to the end of a restored log.
    pub(crate) fn open(
        dir: &Path,
        read_only: bool,
        incarnation: Incarnation,
        end: watch::Receiver<Position>,
        clock: Clock,
    ) -> Result<Self, LogError> {
        let path = dir.join(CONSUMERS_FILE);
        let records = match fs::read_to_string(&path) {
            Ok(text) => record::parse(&text).map_err(Arc::from),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(record::Records::new()),
            Err(error) => Err(error.to_string().into()),
        };
        let (records, damaged) = match records {
            Ok(records) => (records, None),
            Err(what) => {
                tracing::error!(path = %path.display(), %what, "named consumers cannot be used");
                (record::Records::new(), Some((path, what)))
            }
        };
        let mut consumers = Self::new(Some(dir.to_owned()), records, incarnation, end, clock);
        (consumers.damaged, consumers.read_only) = (damaged, read_only);
        if read_only {
            consumers.state.get_mut().closed = true;
        } else {
            // Before anything is appended: later the end would be another one.
            consumers.set_back();
            consumers.keeper.write(&consumers.state)?;
        }
        Ok(consumers)
    }

    fn new(
        dir: Option<PathBuf>,
        records: record::Records,
        incarnation: Incarnation,
        end: watch::Receiver<Position>,
        clock: Clock,
    ) -> Self {
        let entry = |record| Entry { record, newest: watch::Sender::new(0), connected: false };
        let entries = records.into_iter().map(|(name, record)| (name, entry(record))).collect();
        let state = Mutex::new(State { entries, changes: 0, written: 0, connections: 0, closed: false });
        Self { state, keeper: Keeper::new(dir), incarnation, end, clock, damaged: None, read_only: false }
    }

    /// What was confirmed in another incarnation counts up to the end that was restored.
    fn set_back(&self) {
        let (state, end) = (&mut *self.state.lock(), *self.end.borrow());
        for (name, Entry { record, .. }) in &mut state.entries {
            if record.confirmed > end {
                tracing::warn!(consumer = %name, confirmed = record.confirmed.0, end = end.0, "the log was restored to before what a consumer has confirmed");
                record.confirmed = end;
                state.changes += 1;
            }
        }
    }

    /// Writes confirms until the log closes. Blocks: for a thread of its own.
    pub(crate) fn keep(&self) {
        self.keeper.run(&self.state);
    }

    /// Nobody can connect or confirm any more, and [`Self::keep`] ends once everything is written.
    pub(crate) fn close(&self) {
        let state = &mut *self.state.lock();
        state.closed = true;
        self.keeper.wake();
    }

    /// Makes a connection the newest one of its name; older ones are fenced off. A new name is durable when this returns.
    /// `first` is the first position that can be read. Blocks.
    pub(super) fn connect(
        self: &Arc<Self>,
        hello: &ConsumerHello,
        first: Position,
    ) -> Result<Confirmer, ConsumerError> {
        self.usable()?;
        let confirmer = {
            let state = &mut *self.state.lock();
            self.open_for_changes(state)?;
            let found = self.find(state, hello, first)?;
            state.connections += 1;
            let mine = state.connections;
            let entry = state.entries.get_mut(&hello.name).ok_or_else(|| unknown(&hello.name))?;
            entry.newest.send_replace(mine);
            entry.connected = true;
            let (newest, confirmed) = (entry.newest.subscribe(), entry.record.confirmed);
            Confirmer::new(Arc::clone(self), hello.name.clone(), mine, newest, found, confirmed)
        };
        // Not only for who brought the name: who came second must not be told more than is durable either.
        if let Err(error) = self.keeper.write(&self.state)
            && confirmer.found() == Found::New
        {
            self.state.lock().entries.remove(&hello.name);
            return Err(error.into());
        }
        Ok(confirmer)
    }

    /// What is known of who says hello; a name that is new is added.
    fn find(
        &self,
        state: &mut State,
        hello: &ConsumerHello,
        first: Position,
    ) -> Result<Found, ConsumerError> {
        let kept = |asked: Position| {
            if asked < first { Err(LogError::Dropped { asked, first }) } else { Ok(()) }
        };
        if let Some(Entry { record, .. }) = state.entries.get(&hello.name) {
            if record.owner != hello.owner {
                return Err(ConsumerError::Taken { name: hello.name.clone(), owner: record.owner.clone() });
            }
            kept(record.confirmed.next())?;
            return Ok(if record.incarnation == self.incarnation { Found::Kept } else { Found::Restored });
        }
        if state.entries.len() >= CONSUMERS_MAX {
            return Err(ConsumerError::TooMany { name: hello.name.clone() });
        }
        let next = self.end.borrow().next();
        let start = hello.start.unwrap_or(next).max(Position(1));
        if start > next {
            return Err(LogError::OutOfRange { asked: start, next }.into());
        }
        kept(start)?;
        let record = Record {
            owner: hello.owner.clone(),
            confirmed: Position(start.0 - 1),
            made_at: (self.clock)(),
            confirmed_at: None,
            incarnation: self.incarnation,
        };
        let entry = Entry { record, newest: watch::Sender::new(0), connected: false };
        state.entries.insert(hello.name.clone(), entry);
        state.changes += 1;
        Ok(Found::New)
    }

    /// All consumers with how far they are behind, in the order of their names.
    pub fn list(&self) -> Result<Vec<ConsumerStatus>, ConsumerError> {
        self.usable()?;
        let (end, now) = (*self.end.borrow(), (self.clock)());
        let state = self.state.lock();
        let status = |(name, entry): (&ConsumerName, &Entry)| {
            let record = &entry.record;
            ConsumerStatus {
                name: name.clone(),
                owner: record.owner.clone(),
                confirmed: record.confirmed,
                confirmed_at: record.confirmed_at,
                since_confirm: now.minus(record.confirmed_at.unwrap_or(record.made_at)).max(Micros::ZERO),
                behind: end.0.saturating_sub(record.confirmed.0),
                connected: entry.connected,
            }
        };
        Ok(state.entries.iter().map(status).collect())
    }

    /// Forgets a consumer, durably; who is connected under the name is told. `owner`: only if it is theirs. Blocks.
    pub fn delete(&self, name: &ConsumerName, owner: Option<&Name>) -> Result<(), ConsumerError> {
        self.usable()?;
        {
            let state = &mut *self.state.lock();
            self.open_for_changes(state)?;
            let entry = state.entries.get(name).ok_or_else(|| unknown(name))?;
            if owner.is_some_and(|owner| *owner != entry.record.owner) {
                return Err(ConsumerError::Taken { name: name.clone(), owner: entry.record.owner.clone() });
            }
            state.entries.remove(name);
            state.changes += 1;
        }
        Ok(self.keeper.write(&self.state)?)
    }

    fn open_for_changes(&self, state: &State) -> Result<(), ConsumerError> {
        match state.closed {
            true if self.read_only => Err(ConsumerError::ReadOnly),
            true => Err(ConsumerError::Closed),
            false => Ok(()),
        }
    }

    fn usable(&self) -> Result<(), ConsumerError> {
        match &self.damaged {
            Some((path, what)) => Err(ConsumerError::Damaged { path: path.clone(), what: Arc::clone(what) }),
            None => Ok(()),
        }
    }

    /// Everything up to `upto` is confirmed by connection `mine`, or was not wanted.
    pub(super) fn advance(
        &self,
        name: &ConsumerName,
        mine: u64,
        upto: Position,
        said: bool,
    ) -> Result<(), ConsumerError> {
        let state = &mut *self.state.lock();
        self.open_for_changes(state)?;
        let entry = state.entries.get_mut(name).ok_or_else(|| deleted(name))?;
        if *entry.newest.borrow() != mine {
            return Err(ConsumerError::Fenced { name: name.clone() });
        }
        if said {
            entry.record.confirmed_at = Some((self.clock)());
            entry.record.incarnation = self.incarnation;
        }
        entry.record.confirmed = entry.record.confirmed.max(upto);
        state.changes += 1;
        self.keeper.wake();
        Ok(())
    }

    /// The position up to which everything is confirmed; none if the name has gone.
    pub(super) fn confirmed(&self, name: &ConsumerName) -> Option<Position> {
        self.state.lock().entries.get(name).map(|entry| entry.record.confirmed)
    }

    /// Connection `mine` has ended.
    pub(super) fn disconnected(&self, name: &ConsumerName, mine: u64) {
        if let Some(entry) = self.state.lock().entries.get_mut(name) {
            entry.connected &= *entry.newest.borrow() != mine;
        }
    }
}

pub(super) fn deleted(name: &ConsumerName) -> ConsumerError {
    ConsumerError::Deleted { name: name.clone() }
}

fn unknown(name: &ConsumerName) -> ConsumerError {
    ConsumerError::Unknown { name: name.clone() }
}
