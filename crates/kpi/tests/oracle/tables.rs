//! What was counted, as the rows of a query.
//!
//! Invariant: each base interval lies in one bucket; a row is the sum of what its filters let through, and a column
//! that cannot be cut or filtered that way is absent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use pegcount_domain::{
    event::{Channel, Direction},
    formula::Forms,
    ids::Key,
    time::{Interval, Micros},
};
use pegcount_kpi::{Dimension, Query, Value};

use super::{About, Counted, Oracle, Why, ratios};

/// From, keys.
pub type RowKey = (Micros, Vec<Option<String>>);
/// Column, amount: what is not 0.
pub type Amounts = BTreeMap<&'static str, i64>;
pub type Rows = BTreeMap<RowKey, Amounts>;

/// What a query cuts its range into, and what it may show.
pub struct Cut<'a> {
    query: &'a Query,
    keys: Vec<Dimension>,
    /// From and to, in order.
    pub buckets: Vec<(Micros, Micros)>,
}

impl<'a> Cut<'a> {
    pub fn of(query: &'a Query) -> Self {
        let keys = query.by.iter().copied().filter(|dimension| !dimension.is_time()).collect();
        Self { query, keys, buckets: buckets(query) }
    }

    /// Whether the rows can have a column of these dimensions.
    fn can(&self, dimensions: &[Dimension]) -> bool {
        let needs = |filtered: bool, by| !filtered || dimensions.contains(&by);
        self.keys.iter().all(|key| dimensions.contains(key))
            && needs(!self.query.queues.is_empty(), Dimension::Queue)
            && needs(!self.query.agents.is_empty(), Dimension::Agent)
    }

    /// Where something counts and with how much: in a window at its very instant, a span with what lies inside.
    fn part(&self, counted: &Counted) -> (Micros, i64) {
        if self.query.last.is_none() {
            return (counted.interval.start(), counted.amount);
        }
        if !counted.is_span {
            return (counted.at, counted.amount);
        }
        let (from, to) = self.buckets[0];
        let (begin, end) = (counted.at.max(from), Micros(counted.at.0 + counted.amount).min(to));
        (begin, (end.0 - begin.0).max(0))
    }

    /// When a wait counts.
    fn instant(&self, at: Micros) -> Micros {
        if self.query.last.is_some() { at } else { Interval::containing(at).start() }
    }

    fn bucket(&self, at: Micros) -> Option<Micros> {
        let after = self.buckets.partition_point(|(from, _)| *from <= at);
        let (from, to) = *self.buckets.get(after.checked_sub(1)?)?;
        (at < to).then_some(from)
    }

    /// Whether the filters let it through.
    fn lets(&self, about: &About, names: &dyn Fn(Key) -> String) -> bool {
        let among = |wanted: &[String], key: Option<Key>| {
            wanted.is_empty() || key.is_some_and(|key| wanted.contains(&names(key)))
        };
        let queues: Vec<_> = self.query.queues.iter().map(ToString::to_string).collect();
        let agents: Vec<_> = self.query.agents.iter().map(ToString::to_string).collect();
        among(&queues, about.queue) && among(&agents, about.agent)
    }

    fn keys(&self, about: &About, names: &dyn Fn(Key) -> String) -> Vec<Option<String>> {
        let word = |dimension: &Dimension| match dimension {
            Dimension::Agent => about.agent.map(names),
            Dimension::Team => about.team.map(names),
            Dimension::Queue => about.queue.map(names),
            Dimension::Entry => about.entry.map(names),
            Dimension::Kind => about.class.and_then(|class| class.kind).map(names),
            Dimension::Category => about.class.and_then(|class| class.category).map(names),
            Dimension::Tier => about.class.and_then(|class| class.tier).map(names),
            Dimension::Region => about.class.and_then(|class| class.region).map(names),
            Dimension::Group => about.class.and_then(|class| class.group).map(names),
            Dimension::Channel if about.class.is_some() => {
                about.class.and_then(|class| class.channel).map(names)
            }
            Dimension::Channel => Channel::from_code(about.channel.into()).map(|c| c.word().to_owned()),
            Dimension::Direction => Direction::from_code(about.direction.into()).map(|d| d.word().to_owned()),
            Dimension::Priority => Some(about.priority.to_string()),
            Dimension::Reason | Dimension::Cause => match about.why {
                Why::Unsaid => None,
                Why::Reason(reason) => Some(names(reason)),
                Why::Word(word) => Some(word.to_owned()),
            },
            other => panic!("{other} is a time"),
        };
        self.keys.iter().map(word).collect()
    }

    /// What a cell of a row with these amounts shows.
    pub fn value(&self, column: &'static str, amounts: &Amounts, forms: Forms) -> Value {
        let amount = |column: &'static str| {
            self.can(dimensions(column)).then(|| amounts.get(column).copied().unwrap_or(0))
        };
        match ratios::of(column, forms) {
            Some(ratio) => ratio.value(amount),
            None => amount(column).map_or(Value::Absent, Value::Amount),
        }
    }
}

/// What tickets took, after the waits of the answered and of the others.
const TOOK: [&str; 4] = ["first_response", "first_response_working", "resolution", "resolution_working"];

/// Percentiles: of which lengths, which.
pub const PERCENTILES: [(&str, usize, usize); 12] = [
    ("asa_p50", 0, 50),
    ("asa_p90", 0, 90),
    ("abandon_wait_p50", 1, 50),
    ("abandon_wait_p90", 1, 90),
    ("first_response_p50", 2, 50),
    ("first_response_p90", 2, 90),
    ("first_response_p50_working", 3, 50),
    ("first_response_p90_working", 3, 90),
    ("resolution_p50", 4, 50),
    ("resolution_p90", 4, 90),
    ("resolution_p50_working", 5, 50),
    ("resolution_p90_working", 5, 90),
];

/// Waits of the answered and of the others, then what tickets took, by row.
pub type LengthsByRow = BTreeMap<RowKey, [Vec<i64>; 6]>;

impl Oracle {
    /// The lengths behind the percentiles of a query's rows, sorted.
    pub fn lengths_by_row(&self, cut: &Cut, names: &dyn Fn(Key) -> String) -> LengthsByRow {
        let mut rows = LengthsByRow::new();
        for (place, column) in (2..).zip(TOOK).filter(|(_, column)| cut.can(dimensions(column))) {
            let took = self.counted.iter().filter(|counted| counted.column == column);
            for took in took.filter(|took| cut.lets(&took.about, names)) {
                if let Some(bucket) = cut.bucket(cut.instant(took.at)) {
                    let row = rows.entry((bucket, cut.keys(&took.about, names))).or_default();
                    row[place].push(took.amount);
                }
            }
        }
        let asks = cut.can(dimensions("answered"));
        let ours = self.waited.iter().filter(|one| asks && one.attribution == cut.query.attribution);
        for waited in ours.filter(|waited| cut.lets(&waited.about, names)) {
            if let Some(bucket) = cut.bucket(cut.instant(waited.at)) {
                let row = rows.entry((bucket, cut.keys(&waited.about, names))).or_default();
                row[usize::from(!waited.answered)].push(waited.wait);
            }
        }
        rows.values_mut().flatten().for_each(|waits| waits.sort_unstable());
        rows
    }
}

/// Whether a percentile is the wait of nearest rank, within 2 %.
pub fn is_percentile(told: Value, waits: &[i64], percent: usize) -> bool {
    let rank = (waits.len() * percent).div_ceil(100).max(1);
    match (told, waits.get(rank - 1)) {
        (Value::Absent, None) => true,
        (Value::Amount(told), Some(wait)) => (told - wait).abs() * 50 <= *wait,
        _ => false,
    }
}

/// The same value, whatever a quotient was reduced by.
pub fn same(told: Value, expected: Value) -> bool {
    match (told, expected) {
        (Value::Ratio { numerator: a, denominator: b }, Value::Ratio { numerator: c, denominator: d }) => {
            i128::from(a) * i128::from(d) == i128::from(c) * i128::from(b)
        }
        (told, expected) => told == expected,
    }
}

impl Oracle {
    /// The formula versions behind each row's amounts.
    pub fn versions_by_row(
        &self,
        cut: &Cut,
        names: &dyn Fn(Key) -> String,
    ) -> BTreeMap<RowKey, BTreeSet<u8>> {
        let mut rows: BTreeMap<RowKey, BTreeSet<u8>> = BTreeMap::new();
        for counted in self.counted.iter().filter(|counted| cut.can(dimensions(counted.column))) {
            let ours = counted.attribution.is_none_or(|own| own == cut.query.attribution);
            let (version, about) = (counted.about.version, &counted.about);
            let (at, amount) = cut.part(counted);
            if let (Some(bucket), true) = (cut.bucket(at), ours && amount != 0)
                && version > 0
                && cut.lets(about, names)
            {
                rows.entry((bucket, cut.keys(about, names))).or_default().insert(version);
            }
        }
        rows
    }
}

impl Oracle {
    /// The rows of a query, gauges included: what is not 0.
    pub fn rows(&self, cut: &Cut, names: &dyn Fn(Key) -> String) -> Rows {
        let mut rows = Rows::new();
        let above = self.above(cut.query.variant.efficiency_target);
        let counted = self.counted.iter().chain(&above);
        for counted in counted.filter(|counted| cut.can(dimensions(counted.column))) {
            let ours = counted.attribution.is_none_or(|own| own == cut.query.attribution);
            let (at, amount) = cut.part(counted);
            if let (Some(bucket), true) = (cut.bucket(at), ours && amount != 0)
                && cut.lets(&counted.about, names)
            {
                let key = (bucket, cut.keys(&counted.about, names));
                *rows.entry(key).or_default().entry(counted.column).or_default() += amount;
            }
        }
        if cut.can(dimensions("waiting")) {
            self.gauges(cut, names, &mut rows);
        }
        if cut.can(dimensions("agents_ready")) {
            self.agents_by_state(cut, names, &mut rows);
        }
        for row in rows.values_mut() {
            row.retain(|_, amount| *amount != 0);
        }
        rows.retain(|_, row| !row.is_empty());
        if cut.can(dimensions("backlog")) {
            self.open_tickets(cut, names, &mut rows);
        }
        rows
    }

    /// Tickets that are open before a bucket's end, or at the instant asked about.
    fn open_tickets(&self, cut: &Cut, names: &dyn Fn(Key) -> String, rows: &mut Rows) {
        for ticket in self.backlog.iter().filter(|ticket| cut.lets(&ticket.about, names)) {
            for (from, to) in &cut.buckets {
                let is_open = if *to <= self.as_of {
                    ticket.from < *to && ticket.to >= *to
                } else {
                    *from <= self.as_of && ticket.to == Micros::MAX
                };
                let row = (*from, cut.keys(&ticket.about, names));
                // Open tickets alone make a row only where tickets are asked for.
                if is_open
                    && (cut.query.by.is_empty()
                        || cut.keys.iter().any(|by| by.is_of_tickets())
                        || rows.contains_key(&row))
                {
                    *rows.entry(row).or_default().entry("backlog").or_default() += 1;
                }
            }
        }
    }

    /// The state before a bucket's end, or at the instant asked about.
    fn agents_by_state(&self, cut: &Cut, names: &dyn Fn(Key) -> String, rows: &mut Rows) {
        for (from, to) in &cut.buckets {
            if *from > self.as_of {
                continue;
            }
            let over = *to <= self.as_of;
            for (agent, changes) in &self.clocks {
                let state =
                    changes.iter().rev().find(|(at, _)| if over { at < to } else { *at <= self.as_of });
                let column = match state {
                    Some((_, Some(column))) => *column,
                    _ => continue,
                };
                let at = if over { to.minus(Micros(1)) } else { self.as_of };
                let team = self.team(Some(*agent), at);
                let about = About { agent: Some(*agent), team, ..About::default() };
                if cut.lets(&about, names) {
                    let row = rows.entry((*from, cut.keys(&about, names))).or_default();
                    *row.entry(column).or_default() += 1;
                    *row.entry("agents_signed_in").or_default() += 1;
                }
            }
        }
    }

    /// Gauges stand for the bucket's end, or for the instant asked about.
    fn gauges(&self, cut: &Cut, names: &dyn Fn(Key) -> String, rows: &mut Rows) {
        for waits in self.waits.iter().filter(|waits| cut.lets(&waits.about, names)) {
            for (from, to) in &cut.buckets {
                let at = if *to <= self.as_of { *to } else { self.as_of };
                let waited = if *to <= self.as_of {
                    waits.entered < *to && waits.left >= *to
                } else {
                    *from <= self.as_of && waits.left == Micros::MAX
                };
                if waited {
                    let row = rows.entry((*from, cut.keys(&waits.about, names))).or_default();
                    *row.entry("waiting").or_default() += 1;
                    let longest = row.entry("longest_waiting").or_default();
                    *longest = (*longest).max(at.0 - waits.entered.0);
                }
            }
        }
    }
}

/// The base intervals of the range, joined where the local clock shows the same half hour, hour or day. An hour that
/// stands twice is two; a day is one whatever happens in it.
fn buckets(query: &Query) -> Vec<(Micros, Micros)> {
    if let Some(last) = query.last {
        return vec![(Micros(query.as_of.0 - last.0), query.as_of)];
    }
    let finest = query.by.iter().copied().filter(|dimension| dimension.is_time()).min();
    let shows = |at: Micros| {
        let Some(finest) = finest else { return String::new() };
        if finest == Dimension::Interval15 {
            return at.0.to_string();
        }
        let local = Timestamp::from_microsecond(at.0).unwrap().to_zoned(query.time_zone.clone());
        let half = local.minute() / 30;
        match finest {
            Dimension::Interval30 => format!("{} {} {half} {}", local.date(), local.hour(), local.offset()),
            Dimension::Hour => format!("{} {} {}", local.date(), local.hour(), local.offset()),
            Dimension::Day => local.date().to_string(),
            Dimension::Week => {
                let week = local.date().iso_week_date();
                format!("{} {}", week.year(), week.week())
            }
            _ => format!("{} {}", local.year(), local.month()),
        }
    };
    let mut buckets: Vec<(Micros, Micros)> = Vec::new();
    let mut last = None;
    let mut at = query.from;
    while at < query.to {
        let face = shows(at);
        let end = at.plus(Interval::LENGTH);
        match buckets.last_mut() {
            Some(bucket) if last.as_ref() == Some(&face) => bucket.1 = end,
            _ => buckets.push((at, end)),
        }
        last = Some(face);
        at = end;
    }
    buckets
}

/// What a column can be cut by, apart from time.
pub fn dimensions(column: &str) -> &'static [Dimension] {
    use Dimension::{
        Agent, Category, Cause, Channel, Direction, Entry, Group, Kind, Priority, Queue, Reason, Region,
        Team, Tier,
    };
    const VISIT: &[Dimension] = &[Queue, Entry, Channel, Direction, Priority];
    match column {
        ticket if super::desk::is_of_ticket(ticket) => {
            &[Agent, Team, Queue, Group, Kind, Category, Tier, Region, Channel]
        }
        "away_clock" | "away_count" => &[Agent, Team, Reason],
        "transfers_out_cold" | "transfers_out_warm" => &[Agent, Team, Queue, Channel, Direction, Reason],
        "fcr_failed" => &[Agent, Team, Queue, Channel, Cause],
        "contacts_handled" | "contacts_handle_time" | "callbacks_made" | "callback_time" => {
            &[Agent, Team, Queue, Channel]
        }
        "sign_ins" | "phone_keys" | "extra_slots_time" | "extra_slots_busy_time" => &[Agent, Team],
        gauge if gauge.starts_with("agents_") => &[Agent, Team],
        day if day.starts_with("agent_days") || day.starts_with("agent_months") => &[Agent, Team],
        clock if clock.ends_with("_clock") => &[Agent, Team],
        line if line.starts_with("fcr_") || line.starts_with("repeat_") => &[Agent, Team, Queue, Channel],
        visit if VISIT_COLUMNS.contains(&visit) || visit.starts_with("flow_out") => VISIT,
        _ => &[Agent, Team, Queue, Channel, Direction],
    }
}

const VISIT_COLUMNS: [&str; 22] = [
    "waiting",
    "longest_waiting",
    "offered",
    "ended",
    "answered",
    "abandoned",
    "abandoned_short",
    "abandoned_ringing",
    "callback_taken",
    "wait_answered",
    "wait_abandoned",
    "answered_within",
    "abandoned_within",
    "abandoned_short_within",
    "callback_within",
    "reached_unanswered",
    "answered_within_rings",
    "self_served",
    "first_attempts",
    "first_attempts_answered",
    "attempts_unknown",
    "flow_out_within",
];
