//! Boards kept up to date by differences: snapshot and changes laid over each other are the query's answer at the last
//! change's instant, whatever happened in between, and however late the watcher is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod oracle;
mod support;

use std::collections::BTreeMap;

use oracle::{
    compare::{SITES, apply, names, questions, range, seeds, some},
    story::{Arrival, Dice, tell},
};
use pegcount_domain::{
    envelope::{Position, Recorded},
    event::{Event, LegStep},
    ids::PhoneKey,
    time::Micros,
};
use pegcount_kpi::{
    Dimension, Kpi, Query, Row,
    live::{Board, Change, Follower, LiveRow, RowId},
};
use support::{Centre, amount, t};

/// What a watcher has laid over each other.
#[derive(Clone, Default)]
struct Watched {
    rows: BTreeMap<RowId, (Micros, LiveRow)>,
    as_of: Micros,
    position: Position,
}

impl Watched {
    fn take(&mut self, change: &Change) {
        if change.snapshot {
            self.rows.clear();
        }
        for span in &change.replaced {
            self.rows.retain(|(from, ..), _| *from < span.start || span.end <= *from);
        }
        for gone in &change.removed {
            self.rows.remove(gone);
        }
        for live in &change.rows {
            let id = (live.row.from, live.row.to, live.row.keys.clone());
            self.rows.insert(id, (change.as_of, live.clone()));
        }
        (self.as_of, self.position) = (change.as_of, change.position);
    }

    /// The rows as of the last change.
    fn rows(&self, query: &Query) -> Vec<Row> {
        let mut rows: Vec<Row> =
            self.rows.values().map(|(told_at, live)| live.after(self.as_of.minus(*told_at))).collect();
        rows.retain(|row| query.by.is_empty() || !LiveRow::is_empty(row));
        rows.sort_by(|a, b| (a.from, &a.keys).cmp(&(b.from, &b.keys)));
        rows
    }
}

/// A board and who watches it.
struct Watch {
    query: Query,
    board: Board,
    /// Each with the number that it knows.
    watchers: Vec<(Option<u64>, Watched)>,
}

impl Watch {
    fn new(query: Query) -> Self {
        let board = Board::new(query.clone(), 0).unwrap();
        Self { query, board, watchers: vec![(None, Watched::default()); 2] }
    }

    /// Tells one of the watchers what is new, and compares.
    fn tell(&mut self, kpi: &Kpi, index: usize, what: &str) {
        self.board.number();
        let (known, watched) = &mut self.watchers[index];
        let change = known.and_then(|version| self.board.since(version));
        let change = change.unwrap_or_else(|| self.board.snapshot());
        watched.take(&change);
        *known = Some(self.board.version());
        let asked = Query { as_of: watched.as_of, ..self.query.clone() };
        let table = kpi.query(&asked).unwrap();
        assert_eq!(table.position, watched.position, "{what}");
        assert_same(&watched.rows(&self.query), &table.rows, what);
        assert_eq!(self.board.table(), table, "{what}");
    }
}

fn assert_same(watched: &[Row], asked: &[Row], what: &str) {
    for (told, row) in watched.iter().zip(asked) {
        assert_eq!((told.from, told.to, &told.keys), (row.from, row.to, &row.keys), "{what}");
        for (column, (told, value)) in
            pegcount_kpi::describe().iter().zip(told.values.iter().zip(&row.values))
        {
            assert_eq!(told, value, "{what}: {} of {:?} {:?}", column.name, row.from, row.keys);
        }
    }
    assert_eq!(watched.len(), asked.len(), "{what}");
}

/// Follows a story, step by step at random, with two watchers of each of some queries.
fn follow(seed: u64, size: i64, arrival: Arrival) {
    let history = tell(seed, size, arrival);
    let names = names();
    let mut dice = Dice(seed ^ 0x77);
    for site in SITES {
        let mut kpi = some(seed);
        let (from, to) = range(&history);
        let mut all = questions(site, (from, to), from, dice.roll());
        all.extend(questions(site, (from, to), from, dice.roll()).drain(12..));
        let all = all.into_iter().filter(Board::follows);
        let mut watches: Vec<Watch> = all.filter(|_| dice.chance(25)).map(Watch::new).collect();
        let mut follower = Follower::new(
            watches.first().map_or_else(
                || support::query(site, from, to, &[], from).site,
                |watch| watch.query.site.clone(),
            ),
            from,
        );
        let mut now = from;
        for (index, recorded) in history.iter().enumerate() {
            apply(&mut kpi, recorded, &names);
            if !dice.chance(15) {
                continue;
            }
            let next = history
                .get(index + 1)
                .map_or(recorded.recorded_at.plus(Micros::HOUR), |next| next.recorded_at);
            now = now
                .max(Micros(recorded.recorded_at.0 + dice.below((next.0 - recorded.recorded_at.0).max(1))));
            step(&mut kpi, &mut follower, &mut watches, now);
            for watch in &mut watches {
                for index in 0..2 {
                    if follower.is_present() && dice.chance(if index == 0 { 50 } else { 10 }) {
                        let by = &watch.query.by;
                        let what = format!(
                            "seed {seed} {arrival:?} {site} {by:?} {} as of {}",
                            watch.query.attribution,
                            follower.as_of()
                        );
                        watch.tell(&kpi, index, &what);
                    }
                }
            }
        }
        // With no event any more: timers, thresholds, intervals, waiting times of first-contact resolution.
        for _ in 0..20 {
            let quick = dice.chance(50);
            let next = follower
                .next_change()
                .filter(|_| quick)
                .unwrap_or_else(|| now.plus(Micros(dice.below(9 * 24 * 3_600_000_000))));
            now = now.max(next);
            step(&mut kpi, &mut follower, &mut watches, now);
            for watch in &mut watches {
                let what = format!("seed {seed} {arrival:?} {site} {:?} at rest as of {now}", watch.query.by);
                watch.tell(&kpi, 0, &what);
            }
        }
    }
}

fn step(kpi: &mut Kpi, follower: &mut Follower, watches: &mut [Watch], now: Micros) {
    follower.take(kpi);
    let deltas = follower.step(kpi, now);
    if follower.is_present() {
        for watch in watches.iter_mut() {
            watch.board.apply(&deltas, kpi, follower);
        }
    }
    let dice = &mut Dice(now.0.cast_unsigned());
    for watch in watches.iter() {
        if dice.chance(20) {
            assert_present(kpi, follower, &watch.query, dice);
        }
    }
}

/// What is kept of open work answers as folding it does, whichever columns are asked for; and a column is the same whatever
/// others stand beside it.
fn assert_present(kpi: &Kpi, follower: &Follower, query: &Query, dice: &mut Dice) {
    let whole = Query { as_of: follower.as_of(), ..query.clone() };
    // Who asks for the backlog by its name gets rows for it alone, which a table of all columns does not have.
    let names: Vec<String> = pegcount_kpi::describe()
        .iter()
        .filter(|column| column.name != "backlog" && dice.chance(8))
        .map(|column| column.name.to_owned())
        .collect();
    let what = format!("{:?} {} as of {}: {names:?}", query.by, query.attribution, whole.as_of);
    let all = kpi.query(&whole).unwrap();
    assert_eq!(kpi.query_present(&whole, follower).unwrap(), all, "{what}");
    let some = Query { columns: names.clone(), ..whole };
    let answer = kpi.query(&some).unwrap();
    assert_eq!(kpi.query_present(&some, follower).unwrap(), answer, "{what}");
    if names.is_empty() {
        return;
    }
    for row in &answer.rows {
        let is_it = |other: &&Row| (other.from, &other.keys) == (row.from, &row.keys);
        let full = all.rows.iter().find(is_it).expect("a row of some columns is one of all");
        for (column, value) in answer.columns.iter().zip(&row.values) {
            let place = all.columns.iter().position(|other| other.name == column.name).unwrap();
            assert_eq!(Some(value), full.values.get(place), "{what}: {} of {:?}", column.name, row.keys);
        }
    }
}

/// Asks what nobody watches, again and again: a step for it leaves out what none of the questions needs.
fn ask(seed: u64, size: i64, arrival: Arrival) {
    let history = tell(seed, size, arrival);
    let names = names();
    let mut dice = Dice(seed ^ 0x55);
    for site in SITES {
        let mut kpi = some(seed);
        let (from, to) = range(&history);
        let mut queries = questions(site, (from, to), from, dice.roll());
        queries.retain(Board::follows);
        let columns = ["offered", "service_level", "asa_p90", "waiting"].map(str::to_owned).to_vec();
        let plain = Query { columns, ..dice.pick(&queries) };
        let (mut kept, mut is_kept) = (Board::new(plain.clone(), 0).unwrap(), false);
        assert!(!kept.needs_lines(), "seed {seed}: no line is in {:?}", plain.columns);
        let mut follower = Follower::new(queries[0].site.clone(), from);
        for recorded in &history {
            apply(&mut kpi, recorded, &names);
            if !dice.chance(12) {
                continue;
            }
            let now = follower.as_of().max(recorded.recorded_at);
            let columns =
                [&["offered", "service_level", "asa_p90", "waiting"][..], &["fcr_rate", "handled"], &[]];
            let asked = |dice: &mut Dice| Query {
                columns: dice.pick(&columns).iter().map(|name| (*name).to_owned()).collect(),
                ..dice.pick(&queries)
            };
            let together = [asked(&mut dice), asked(&mut dice)];
            follower.take(&mut kpi);
            let deltas = match dice.below(3) {
                0 => Some(follower.step(&kpi, now)),
                1 if !follower.needs_lines(&kpi, &together) => Some(follower.step_without_lines(&kpi, now)),
                _ => {
                    follower.step_for(&kpi, now, &together);
                    None
                }
            };
            // A table without lines that is kept as long as steps tell differences, and is filled anew when they do again.
            let deltas = deltas.filter(|_| follower.is_present());
            match &deltas {
                Some(deltas) if is_kept => kept.apply(deltas, &kpi, &follower),
                Some(_) => kept.fill(&kpi, &follower),
                None => {}
            }
            is_kept = deltas.is_some();
            if is_kept {
                let query = Query { as_of: follower.as_of(), ..plain.clone() };
                assert_eq!(kept.table(), kpi.query(&query).unwrap(), "seed {seed} {arrival:?} {site}, kept");
            }
            // The last one has not been told of before the step.
            for query in together.into_iter().chain([asked(&mut dice)]) {
                let query = Query { as_of: follower.as_of(), ..query };
                let what = format!("seed {seed} {arrival:?} {site} {:?} {:?}", query.by, query.columns);
                let answer = kpi.query_present(&query, &follower).unwrap();
                assert_eq!(answer, kpi.query(&query).unwrap(), "{what} as of {}", query.as_of);
            }
        }
    }
}

#[test]
fn a_question_is_answered_the_same_whatever_the_steps_before_it_left_out() {
    seeds(54_000, 12).for_each(|seed| ask(seed, 6, Arrival::InOrder));
    seeds(55_000, 6).for_each(|seed| ask(seed, 6, Arrival::ALittleLate));
    seeds(56_000, 6).for_each(|seed| ask(seed, 6, Arrival::Anyhow));
}

#[test]
fn changes_laid_over_a_snapshot_are_the_answer_when_facts_come_in_order() {
    seeds(50_000, 8).for_each(|seed| follow(seed, 6, Arrival::InOrder));
}

#[test]
fn changes_laid_over_a_snapshot_are_the_answer_when_facts_come_late() {
    seeds(51_000, 8).for_each(|seed| follow(seed, 6, Arrival::ALittleLate));
    seeds(52_000, 8).for_each(|seed| follow(seed, 6, Arrival::Anyhow));
}

/// A new process at the end of this part of a history, and its boards.
fn begun(history: &[Recorded], queries: &[Query], now: Micros) -> (Kpi, Follower, Vec<Board>) {
    let (mut kpi, names) = (some(history.len().try_into().unwrap()), names());
    for recorded in history {
        apply(&mut kpi, recorded, &names);
    }
    let mut follower = Follower::new(queries[0].site.clone(), now);
    follower.take(&mut kpi);
    let deltas = follower.step(&kpi, now);
    let board = |query: &Query| {
        let mut board = Board::new(query.clone(), 0).unwrap();
        board.apply(&deltas, &kpi, &follower);
        board.number();
        board
    };
    let boards = queries.iter().map(board).collect();
    (kpi, follower, boards)
}

#[test]
fn a_watcher_who_comes_back_to_a_new_process_is_told_what_has_changed_since() {
    let (mut told_less, mut asked) = (0, 0);
    for seed in seeds(53_000, 20) {
        let mut dice = Dice(seed ^ 0x99);
        let arrival = dice.pick(&[Arrival::InOrder, Arrival::ALittleLate, Arrival::Anyhow]);
        let history = tell(seed, 8, arrival);
        let mut queries = questions("north", range(&history), history[0].occurred_at, dice.roll());
        queries.retain(Board::follows);
        queries.retain(|query| query.attribution == pegcount_kpi::Attribution::Event || dice.chance(20));
        let mut below = |n: usize| usize::try_from(dice.below(i64::try_from(n).unwrap())).unwrap();
        let first = 1 + below(history.len() - 1);
        let second = (first + below(20)).min(history.len());
        let at = |cut: usize| history[cut - 1].recorded_at.plus(Micros(17));
        let later = at(second).plus(Micros(dice.below(3_600_000_000)));
        let (_, _, before) = begun(&history[..first], &queries, at(first));
        let (kpi, follower, after) = begun(&history[..second], &queries, later);
        for ((query, before), after) in queries.iter().zip(&before).zip(&after) {
            let mut watched = Watched::default();
            watched.take(&before.snapshot());
            let change = after.since_moment(&kpi, &follower, watched.position, watched.as_of);
            told_less += i32::from(change.as_ref().is_some_and(|change| change.rows.len() < after.len()));
            asked += 1;
            watched.take(&change.unwrap_or_else(|| after.snapshot()));
            let asked = Query { as_of: watched.as_of, ..query.clone() };
            let by = &query.by;
            let what =
                format!("seed {seed} {arrival:?} {by:?} {} from {first} to {second}", query.attribution);
            assert_same(&watched.rows(query), &kpi.query(&asked).unwrap().rows, &what);
        }
    }
    assert!(told_less * 20 > asked, "only {told_less} of {asked} were told less than all rows");
}

/// A story with a watch of its own.
struct Live {
    centre: Centre,
    follower: Follower,
    board: Board,
}

impl Live {
    fn watch(centre: Centre, query: Query, now: &str) -> Self {
        let follower = Follower::new(query.site.clone(), t(now));
        let mut live = Self { centre, follower, board: Board::new(query, 0).unwrap() };
        live.at(now);
        live
    }

    /// What is new at an instant; none: nothing is.
    fn at(&mut self, now: &str) -> Option<Change> {
        let before = self.board.version();
        self.follower.take(&mut self.centre.kpi);
        let deltas = self.follower.step(&self.centre.kpi, t(now));
        self.board.apply(&deltas, &self.centre.kpi, &self.follower);
        self.board.number().then(|| self.board.since(before).unwrap_or_else(|| self.board.snapshot()))
    }
}

#[test]
fn a_clock_that_merely_runs_changes_nothing_and_is_told_with_its_rate() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00");
    centre.ready("ann", "9:00");
    centre.sign_in("bob", "9:00");
    centre.ready("bob", "9:01");
    let query = centre.query("9", "10", &[Dimension::Hour]);
    let mut live = Live::watch(centre, query, "9:05");
    let told = live.board.snapshot().rows.remove(0);
    let column = |name: &str| pegcount_kpi::describe().iter().position(|column| column.name == name).unwrap();
    let ready = told.running.iter().find(|running| running.column == column("ready_clock")).unwrap();
    assert_eq!(ready.rates, (2, 0), "two are ready");
    let used = told.running.iter().find(|running| running.column == column("utilisation")).unwrap();
    assert_eq!(used.rates, (0, 2));
    assert_eq!(live.at("9:05:30"), None);
    assert_eq!(live.at("9:14:59"), None);
    let later = told.after(t("9:14").minus(t("9:05")));
    assert_eq!(
        amount(&later, "ready_clock"),
        amount(
            &live
                .centre
                .kpi
                .query(&Query { as_of: t("9:14"), ..live.centre.query("9", "10", &[Dimension::Hour]) })
                .unwrap()
                .rows[0],
            "ready_clock"
        )
    );
    live.centre.away("bob", "9:14:59", "meal");
    assert_eq!(live.at("9:15").unwrap().rows.len(), 1);
}

#[test]
fn an_event_changes_only_the_rows_that_it_is_about() {
    let mut centre = Centre::new();
    for agent in ["ann", "bob", "cay"] {
        centre.sign_in(agent, "9:00");
        centre.ready(agent, "9:00");
    }
    let query = centre.query("9", "10", &[Dimension::Agent]);
    let mut live = Live::watch(centre, query, "9:05");
    live.centre.phone("bob", "9:06", "c", "sales", LegStep::Ringing);
    let change = live.at("9:06:01").unwrap();
    let told: Vec<String> =
        change.rows.iter().map(|live| live.row.keys[0].as_ref().unwrap().to_string()).collect();
    assert_eq!(told, ["bob"]);
    assert!(!change.snapshot);
}

#[test]
fn a_visit_that_reaches_its_threshold_and_a_timer_change_rows_with_no_event() {
    let mut centre = Centre::new();
    centre.enter("c", "9:00:00", "v", "sales");
    let query = centre.query("9", "10", &[Dimension::Queue]);
    let mut live = Live::watch(centre, query, "9:00:01");
    assert_eq!(live.follower.next_change(), Some(t("9:00:20.000001")));
    assert_eq!(live.at("9:00:20"), None);
    let change = live.at("9:00:20.000001").unwrap();
    assert_eq!(amount(&change.rows[0].row, "reached_unanswered"), 1);
}

#[test]
fn a_row_that_is_no_more_is_told_so() {
    let mut centre = Centre::new();
    centre.enter("c", "9:10", "v", "sales");
    let by = [Dimension::Interval15, Dimension::Queue];
    let query = Query { attribution: pegcount_kpi::Attribution::Start, ..centre.query("9", "10", &by) };
    let mut live = Live::watch(centre, query, "9:20");
    assert_eq!(live.board.snapshot().rows.len(), 2, "where it entered, and where it waits");
    live.centre.leave("c", "9:21", "v", pegcount_domain::event::QueueExit::Abandoned);
    let change = live.at("9:22").unwrap();
    let gone: Vec<Micros> = change.removed.iter().map(|(from, ..)| *from).collect();
    assert_eq!(gone, [t("9:15")]);
}

#[test]
fn only_the_columns_asked_for_are_told() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00");
    let columns = vec!["handled".to_owned(), "occupancy".to_owned()];
    let query = Query { columns, ..centre.query("9", "10", &[Dimension::Agent]) };
    let mut live = Live::watch(centre, query.clone(), "9:05");
    let told = live.board.snapshot();
    assert_eq!(told.columns.iter().map(|column| column.name).collect::<Vec<_>>(), ["handled", "occupancy"]);
    let key = live.centre.key("mute");
    live.centre.agent("ann", "9:06", Event::KeyPressed { key: PhoneKey(key) });
    assert_eq!(live.at("9:07"), None, "a key is not among them");
    assert_eq!(live.centre.kpi.query(&Query { as_of: t("9:07"), ..query }).unwrap().columns.len(), 2);
}
