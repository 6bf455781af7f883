//! One task brings the tables of all watched queries up to date, step by step.
//!
//! A step holds the figures for itself only to take over what has been noted; what that means for each table is found
//! while others read too. Invariant: all tables of a site stand at the same position and instant after a step.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, RwLockWriteGuard};
use pegcount_domain::{
    envelope::Position,
    ids::{Key, SiteId},
    time::Micros,
};
use pegcount_kpi::{
    Query, QueryError,
    live::{Board, Follower},
};
use rustc_hash::{FxHashMap, FxHashSet};
use tokio::{sync::Notify, task::JoinHandle, time::Instant};

use super::{
    group::{Group, Since, WatchUpdate},
    question::question,
};
use crate::{engine::Engine, figures::Figures};

/// Between two steps at least this.
const STEP_MIN: Duration = Duration::from_millis(5);
/// A table that nobody watches is kept for those who come back.
const LINGER: Duration = Duration::from_secs(30);
/// At most so many tables that nobody watches are kept.
const LINGERING_MAX: usize = 256;
/// A table of so many rows at most is kept for who asks for it again; a larger one takes longer to keep than to make.
const KEPT_ROWS_MAX: usize = 2_048;

/// All watched queries.
#[derive(Default)]
pub(crate) struct Hub {
    groups: Mutex<FxHashMap<Key, Arc<Group>>>,
    pub(super) sites: Mutex<FxHashMap<SiteId, Followed>>,
    /// Somebody new watches.
    joined: Arc<Notify>,
    closing: AtomicBool,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// A site that is followed.
pub(super) struct Followed {
    pub(super) follower: Follower,
    /// When somebody asked last without watching.
    asked_at: Option<Instant>,
    /// Questions that were asked so, with answers small enough to keep.
    asked: FxHashMap<Key, Instant>,
}

impl Followed {
    fn new(site: SiteId, now: Micros) -> Self {
        Self { follower: Follower::new(site, now), asked_at: None, asked: FxHashMap::default() }
    }

    /// Whether somebody may soon ask again.
    fn lingers(&self) -> bool {
        self.asked_at.is_some_and(|at| at.elapsed() < LINGER)
    }

    /// Whether a question was asked a short time ago.
    fn was_asked(&self, question: Key) -> bool {
        self.asked.get(&question).is_some_and(|at| at.elapsed() < LINGER)
    }

    /// A question was answered with so many rows.
    fn note(&mut self, question: Key, rows: usize) {
        if self.asked.len() >= LINGERING_MAX {
            self.asked.retain(|_, at| at.elapsed() < LINGER);
        }
        if rows <= KEPT_ROWS_MAX && self.asked.len() < LINGERING_MAX {
            self.asked.insert(question, Instant::now());
        }
    }
}

impl Hub {
    /// The group of a query, with one watcher more.
    pub(super) fn join(&self, engine: &Arc<Engine>, query: &Query, pause: Duration) -> Arc<Group> {
        let group = {
            let mut groups = self.groups.lock();
            let new = || Arc::new(Group::new(query.clone(), engine.incarnation()));
            let group = Arc::clone(groups.entry(question(query)).or_insert_with(new));
            group.count(pause, true);
            group
        };
        self.wake(engine);
        self.joined.notify_one();
        group
    }

    /// Sees to it that somebody steps.
    pub(super) fn wake(&self, engine: &Arc<Engine>) {
        let mut task = self.task.lock();
        if task.as_ref().is_none_or(JoinHandle::is_finished) && !self.closing.load(Ordering::Relaxed) {
            *task = Some(tokio::spawn(run(Arc::downgrade(engine))));
        }
    }

    /// Waits for the step that is being made; no other is made after it.
    pub(crate) async fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.joined.notify_one();
        let task = self.task.lock().take();
        if let Some(task) = task {
            // Whether it ended well matters to nobody any more.
            let _ = task.await;
        }
    }

    /// Tells all watchers that no step will be made any more; whoever watches from now on begins anew.
    fn stop(&self, engine: &Engine) {
        for (_, group) in self.groups.lock().drain() {
            group.stop();
        }
        for (_, mut site) in self.sites.lock().drain() {
            site.follower.end(&mut engine.figures.state().write().kpi);
        }
    }

    /// No step is begun after this.
    pub(crate) fn abort(&self) {
        if let Some(task) = self.task.lock().take() {
            task.abort();
        }
    }

    /// What to tell a watcher who knows what was so at a moment.
    pub(super) fn update_since(
        &self,
        engine: &Engine,
        group: &Group,
        since: Since,
        (position, as_of): (Position, Micros),
    ) -> Result<Arc<WatchUpdate>, QueryError> {
        let sites = self.sites.lock();
        let figures = engine.figures.state().read();
        let moment = |board: &Board| {
            let site = sites.get(&group.query.site)?;
            board.since_moment(&figures.kpi, &site.follower, position, as_of)
        };
        group.update(since, Some(&moment))
    }

    /// One step of every site that is watched.
    fn step(&self, engine: &Engine, now: Micros) {
        // While nobody else steps: a table that another step filled would miss what this one takes in.
        let mut sites = self.sites.lock();
        let by_site = self.watched_by_site();
        let is_gone = |(site, followed): (&SiteId, &Followed)| {
            (!by_site.contains_key(site) && !followed.lingers()).then(|| site.clone())
        };
        let gone: Vec<SiteId> = sites.iter().filter_map(is_gone).collect();
        for site in gone {
            if let Some(mut site) = sites.remove(&site) {
                site.follower.end(&mut engine.figures.state().write().kpi);
            }
        }
        for (site, groups) in by_site {
            let followed = sites.entry(site.clone()).or_insert_with(|| Followed::new(site, now));
            step_site(engine, &mut followed.follower, &groups, now, &[], |_, _| ());
        }
    }

    /// Answers a question about the present: its site is brought to `now` for it, with all tables of it that are watched. Who asks the
    /// same again soon is answered from a table that is kept for it, if it is a small one.
    pub(super) fn answer(
        &self,
        engine: &Arc<Engine>,
        query: &Query,
        now: Micros,
    ) -> Result<pegcount_kpi::Table, QueryError> {
        self.wake(engine);
        let mut sites = self.sites.lock();
        let site = &query.site;
        let followed = sites.entry(site.clone()).or_insert_with(|| Followed::new(site.clone(), now));
        followed.asked_at = Some(Instant::now());
        let question = question(query);
        if followed.was_asked(question) && Board::follows(query) {
            let new = || Arc::new(Group::new(query.clone(), engine.incarnation()));
            self.groups.lock().entry(question).or_insert_with(new);
        }
        let groups = self.watched_by_site().remove(site).unwrap_or_default();
        let kept = groups.iter().find(|group| group.question == question);
        let asked = if kept.is_some() { &[] } else { std::slice::from_ref(query) };
        let answer = step_site(engine, &mut followed.follower, &groups, now, asked, |figures, follower| {
            kept.and_then(|kept| kept.answer()).map_or_else(
                || {
                    let asked = Query { as_of: follower.as_of().max(now), ..query.clone() };
                    figures.kpi.query_present(&asked, follower)
                },
                Ok,
            )
        })?;
        followed.note(question, answer.rows.len());
        Ok(answer)
    }

    fn watched_by_site(&self) -> FxHashMap<SiteId, Vec<Arc<Group>>> {
        let mut by_site: FxHashMap<SiteId, Vec<Arc<Group>>> = FxHashMap::default();
        for group in self.watched() {
            by_site.entry(group.query.site.clone()).or_default().push(group);
        }
        by_site
    }

    /// The groups that are watched, or were a short time ago.
    fn watched(&self) -> Vec<Arc<Group>> {
        let mut groups = self.groups.lock();
        let mut idle: Vec<(Duration, Key)> =
            groups.iter().filter_map(|(key, group)| Some((group.idle()?, *key))).collect();
        idle.sort_unstable();
        for (index, (idle, key)) in idle.iter().enumerate() {
            if *idle > LINGER || index >= LINGERING_MAX {
                groups.remove(key);
            }
        }
        groups.values().cloned().collect()
    }

    /// When a table wants the next step, if the fold has moved on or not; and when something changes by itself. None: no
    /// step is to be made any more.
    fn next(&self, moved: bool) -> Option<(Option<Instant>, Option<Micros>)> {
        if self.closing.load(Ordering::Relaxed) {
            return None;
        }
        let groups = self.groups.lock();
        let step = groups.values().filter_map(|group| group.wants(moved)).min();
        let watched: FxHashSet<SiteId> = groups.values().map(|group| group.query.site.clone()).collect();
        drop(groups);
        let sites = self.sites.lock();
        let followed = watched.iter().filter_map(|site| sites.get(site));
        Some((step, followed.filter_map(|site| site.follower.next_change()).min()))
    }
}

fn step_site<T>(
    engine: &Engine,
    follower: &mut Follower,
    groups: &[Arc<Group>],
    now: Micros,
    queries: &[Query],
    then: impl FnOnce(&Figures, &Follower) -> T,
) -> T {
    let mut figures = engine.figures.state().write();
    follower.take(&mut figures.kpi);
    let figures: parking_lot::RwLockReadGuard<'_, Figures> = RwLockWriteGuard::downgrade(figures);
    let before = (follower.position(), follower.next_change());
    if groups.is_empty() {
        follower.step_for(&figures.kpi, now, queries);
    } else {
        let with_lines =
            groups.iter().any(|group| group.needs_lines()) || follower.needs_lines(&figures.kpi, queries);
        let deltas = if with_lines {
            follower.step(&figures.kpi, now)
        } else {
            follower.step_without_lines(&figures.kpi, now)
        };
        let moved = before.0 != follower.position() || before.1.is_some_and(|at| at <= now);
        for group in groups {
            group.step(&deltas, &figures.kpi, follower, moved);
        }
    }
    let answer = then(&figures, follower);
    drop(figures);
    for group in groups {
        group.tell();
    }
    answer
}

/// Steps until the engine is gone, is closed, or folds no more; those who still watch are told.
async fn run(engine: Weak<Engine>) {
    steps(&engine).await;
    if let Some(engine) = engine.upgrade() {
        if !engine.watches.closing.load(Ordering::Relaxed) {
            tracing::error!(
                "watches of figures have stopped: their task failed, or the figures' fold has ended"
            );
        }
        engine.watches.stop(&engine);
    }
}

async fn steps(engine: &Weak<Engine>) {
    let Some(strong) = engine.upgrade() else { return };
    let (mut steps, clock, joined) =
        (strong.figures.steps(), strong.clock.clone(), Arc::clone(&strong.watches.joined));
    drop(strong);
    let (mut last, mut moved) = (Instant::now(), true);
    loop {
        let Some((step, change)) = engine.upgrade().and_then(|engine| engine.watches.next(moved)) else {
            return;
        };
        let due = async {
            match step {
                Some(at) => tokio::time::sleep_until(at.max(last + STEP_MIN)).await,
                None => std::future::pending().await,
            }
        };
        let changes = async {
            match change {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = changes => {}
            () = joined.notified() => {
                if engine.upgrade().is_none_or(|engine| engine.watches.closing.load(Ordering::Relaxed)) {
                    return;
                }
            }
            stepped = steps.changed(), if !moved => {
                if stepped.is_err() {
                    return;
                }
                moved = true;
                continue;
            }
            () = tokio::time::sleep(LINGER) => {}
        }
        steps.borrow_and_update();
        (last, moved) = (Instant::now(), false);
        let Some(worker) = engine.upgrade() else { return };
        let stepped = tokio::task::spawn_blocking(move || {
            let now = worker.clock.now();
            worker.watches.step(&worker, now);
        });
        if stepped.await.is_err() {
            return;
        }
    }
}
