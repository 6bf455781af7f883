//! The watchers of one query: one table, and each update made once for all that need it.
//!
//! Invariant: an update is made when the table has just got its number, so that it is whole.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use parking_lot::Mutex;
use pegcount_domain::{
    ids::{Incarnation, Key},
    time::Micros,
};
use pegcount_kpi::{
    Kpi, Query, QueryError,
    live::{Board, Change, Deltas, Follower},
};
use rustc_hash::FxHashMap;
use tokio::{sync::watch, time::Instant};

use super::{asked::Asked, question::question, table::Table, token::Token};

/// A table that is asked for anew may keep a processor busy for one part in so many.
const ASKING_SHARE: u32 = 5;
/// A window moves on though nothing happens: so often it is asked for at least.
const WINDOW_TICK: Duration = Duration::from_secs(1);

/// A snapshot or a change.
#[derive(Debug)]
pub struct WatchUpdate {
    /// What to tell.
    pub change: Change,
    /// Give it back to go on from here.
    pub resume_token: Vec<u8>,
    version: u64,
    made_at: Instant,
    encoded: OnceLock<Bytes>,
}

impl WatchUpdate {
    /// The update as bytes, made by whoever asks first: all who are told the same share them.
    pub fn encoded(&self, encode: impl FnOnce(&Self) -> Bytes) -> Bytes {
        self.encoded.get_or_init(|| encode(self)).clone()
    }
}

/// Since when a watcher knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Since {
    /// Nothing.
    Nothing,
    /// A number of this table.
    Version(u64),
    /// What was so at a position and an instant, from another table.
    Moment(u64, Micros),
}

/// All who watch one query.
pub(super) struct Group {
    pub(super) query: Query,
    pub(super) question: Key,
    incarnation: Incarnation,
    /// Tells its numbers from those of another table of the same question.
    id: u64,
    state: Mutex<State>,
    /// The number of the newest update; 0: none yet. None: nothing will be told any more.
    versions: watch::Sender<Option<u64>>,
    /// How many want each pause between updates.
    pauses: Mutex<FxHashMap<Duration, usize>>,
}

struct State {
    table: Table,
    /// When the next update may be made.
    next_at: Instant,
    /// When a table that is asked for anew must be, though nothing has happened.
    tick_at: Option<Instant>,
    /// Something may have changed since the last number.
    pending: bool,
    /// Updates to the present number.
    made: FxHashMap<Since, Arc<WatchUpdate>>,
    error: Option<QueryError>,
    /// Since when nobody has watched or asked.
    idle_since: Instant,
}

/// Says what has changed in a table since a moment; none if that cannot be said.
type SinceMoment<'a> = &'a dyn Fn(&Board) -> Option<Change>;

impl Group {
    pub(super) fn new(query: Query, incarnation: Incarnation) -> Self {
        let question = question(&query);
        let (id, _) = uuid::Uuid::new_v4().as_u64_pair();
        let state = State {
            table: Table::Empty(0),
            next_at: Instant::now(),
            tick_at: None,
            pending: true,
            made: FxHashMap::default(),
            error: None,
            idle_since: Instant::now(),
        };
        let (versions, _) = watch::channel(Some(0));
        let pauses = Mutex::default();
        Self { query, question, incarnation, id, state: Mutex::new(state), versions, pauses }
    }

    /// Tells of each new number.
    pub(super) fn versions(&self) -> watch::Receiver<Option<u64>> {
        self.versions.subscribe()
    }

    /// One more watcher, or one less.
    pub(super) fn count(&self, pause: Duration, joins: bool) {
        let mut pauses = self.pauses.lock();
        let count = pauses.entry(pause).or_default();
        if joins {
            *count += 1;
        } else {
            *count = count.saturating_sub(1);
            pauses.retain(|_, count| *count > 0);
        }
        let is_idle = pauses.is_empty();
        // Never both locks: whoever tells holds the other one.
        drop(pauses);
        if is_idle {
            self.state.lock().idle_since = Instant::now();
        }
    }

    /// Nothing will be told any more: no step is made.
    pub(super) fn stop(&self) {
        self.versions.send_replace(None);
    }

    /// For how long nobody has watched; none if somebody does.
    pub(super) fn idle(&self) -> Option<Duration> {
        self.pause().is_none().then(|| self.state.lock().idle_since.elapsed())
    }

    /// The shortest pause that a watcher wants.
    fn pause(&self) -> Option<Duration> {
        self.pauses.lock().keys().min().copied()
    }

    /// When it wants the next step, if there is something new; `moved`: the log's fold has come further.
    pub(super) fn wants(&self, moved: bool) -> Option<Instant> {
        self.pause()?;
        let state = self.state.lock();
        let news = (moved || state.pending).then_some(state.next_at);
        news.into_iter().chain(state.tick_at).min()
    }

    /// Whether its table is kept by asking.
    fn must_ask(&self, follower: &Follower) -> bool {
        !Board::follows(&self.query) || !follower.is_present()
    }

    /// Whether it has to hear of customers' lines.
    pub(super) fn needs_lines(&self) -> bool {
        match &self.state.lock().table {
            // What it will become is not known yet.
            Table::Empty(_) => true,
            Table::Board(board) => board.needs_lines(),
            Table::Asked(_) => false,
        }
    }

    /// What its query is answered with as of the step that it has just taken in; none if it is not kept by differences.
    pub(super) fn answer(&self) -> Option<pegcount_kpi::Table> {
        let mut state = self.state.lock();
        state.idle_since = Instant::now();
        match &state.table {
            Table::Board(board) if state.error.is_none() => Some(board.table()),
            _ => None,
        }
    }

    /// Takes a step of its site in. What it holds is told when it is due.
    pub(super) fn step(&self, deltas: &Deltas, kpi: &Kpi, follower: &Follower, moved: bool) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        state.pending |= moved;
        let ask = self.must_ask(follower);
        let version = state.table.version();
        match &mut state.table {
            Table::Board(board) if !ask => board.apply(deltas, kpi, follower),
            Table::Asked(_) if ask => {}
            _ if ask => state.table = Table::Asked(Box::new(Asked::new(self.query.clone(), version))),
            _ => match Board::new(self.query.clone(), version) {
                Ok(mut board) => {
                    board.fill(kpi, follower);
                    state.table = Table::Board(Box::new(board));
                }
                Err(error) => state.error = Some(error),
            },
        }
        let now = Instant::now();
        if let Table::Asked(asked) = &mut state.table {
            let is_due = (state.pending && state.next_at <= now) || state.tick_at.is_none_or(|at| at <= now);
            if !is_due {
                return;
            }
            let asked = asked.ask(kpi, follower.as_of());
            let took = now.elapsed();
            state.pending = false;
            state.next_at = now + took * ASKING_SHARE;
            state.tick_at = Some(now + WINDOW_TICK.max(took * ASKING_SHARE));
            if let Err(error) = asked {
                state.error = Some(error);
            }
        } else {
            state.tick_at = None;
        }
    }

    /// Tells what is new, if it is due and there is any.
    pub(super) fn tell(&self) {
        let pause = self.pause().unwrap_or_default();
        let mut state = self.state.lock();
        let now = Instant::now();
        let is_asked = matches!(state.table, Table::Asked(_));
        if state.next_at > now && self.told() != 0 && !is_asked {
            return;
        }
        state.pending &= is_asked;
        state.table.number();
        let version = state.table.version();
        if version == self.told() && state.error.is_none() {
            return;
        }
        state.next_at = state.next_at.max(now + pause);
        state.made.clear();
        if self.told() != 0 && state.error.is_none() {
            // Those who keep up are told the same: it is made before they are woken.
            self.make(&mut state, Since::Version(self.told()), None);
        }
        self.versions.send_replace(Some(version.max(1)));
    }

    fn told(&self) -> u64 {
        self.versions.borrow().unwrap_or_default()
    }

    /// What to tell a watcher who knows `since`; `moment` says what has changed since a moment.
    pub(super) fn update(
        &self,
        since: Since,
        moment: Option<SinceMoment<'_>>,
    ) -> Result<Arc<WatchUpdate>, QueryError> {
        let mut state = self.state.lock();
        if let Some(error) = &state.error {
            return Err(error.clone());
        }
        if let Some(made) = state.made.get(&since) {
            return Ok(Arc::clone(made));
        }
        if state.table.number() {
            state.made.clear();
        }
        Ok(self.make(&mut state, since, moment))
    }

    fn make(&self, state: &mut State, since: Since, moment: Option<SinceMoment<'_>>) -> Arc<WatchUpdate> {
        let change = match since {
            Since::Nothing => None,
            Since::Version(version) => state.table.since(version),
            Since::Moment(..) => match &state.table {
                Table::Board(board) => moment.and_then(|moment| moment(board)),
                _ => None,
            },
        };
        // What a token says is anybody's word: only what many may ask for is kept.
        let kept_as = match (&change, since) {
            (None, _) => Some(Since::Nothing),
            (Some(_), Since::Version(_)) => Some(since),
            (Some(_), _) => None,
        };
        if change.is_none()
            && let Some(made) = state.made.get(&Since::Nothing)
        {
            return Arc::clone(made);
        }
        let change = change.unwrap_or_else(|| state.table.snapshot());
        let version = state.table.version();
        let token = Token {
            incarnation: self.incarnation,
            question: self.question,
            table: self.id,
            version,
            position: change.position,
            as_of: change.as_of,
            older_definitions: change.older_definitions.is_some(),
        };
        let (resume_token, made_at, encoded) = (token.bytes(), Instant::now(), OnceLock::new());
        let update = Arc::new(WatchUpdate { change, resume_token, version, made_at, encoded });
        state.made.extend(kept_as.map(|since| (since, Arc::clone(&update))));
        update
    }

    /// What a token says that this group's watcher knows.
    pub(super) fn since(&self, token: &[u8]) -> Since {
        let token = Token::read(token);
        match token.filter(|token| token.incarnation == self.incarnation && token.question == self.question) {
            None => Since::Nothing,
            Some(token) if token.table == self.id => Since::Version(token.version),
            // Definitions that were left out then may have changed anything since.
            Some(token) if token.older_definitions => Since::Nothing,
            Some(token) => Since::Moment(token.position.0, token.as_of),
        }
    }
}

impl WatchUpdate {
    /// The table's number that it leads to.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    /// When it was made.
    pub(super) fn made_at(&self) -> Instant {
        self.made_at
    }
}
