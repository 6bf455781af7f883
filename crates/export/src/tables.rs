//! What is exported: each table's columns, declared once. Files, dictionary and checks all come from here.
//!
//! Invariant: within a major [`crate::SCHEMA_VERSION`] columns are only added, at the end of a table's measures.

use pegcount_kpi::{DayTable, Dimension, Measure, Unit, describe};

use crate::cell::{Column, Kind};

/// A table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Each queue and channel, by quarter of an hour.
    QueueInterval,
    /// Each agent, by quarter of an hour.
    AgentInterval,
    /// What agents did from when to when.
    AgentStateSpan,
    /// Stays in queues.
    Visit,
    /// Agents' parts in contacts.
    Leg,
    /// What happened to tickets.
    Ticket,
    /// Targets and promises that were due.
    TicketTarget,
    /// The day as a whole: the site, its queues, teams and agents.
    DailySummary,
    /// What a revision changes of the one before it, and why.
    Correction,
    /// What was defined at the site.
    Definition,
}

/// Where KPIs are defined.
const KPIS: &str = "docs/KPIS.md";

impl Table {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 10] = [
        Self::QueueInterval,
        Self::AgentInterval,
        Self::AgentStateSpan,
        Self::Visit,
        Self::Leg,
        Self::Ticket,
        Self::TicketTarget,
        Self::DailySummary,
        Self::Correction,
        Self::Definition,
    ];

    /// Its name, which its files bear.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueueInterval => "queue_interval",
            Self::AgentInterval => "agent_interval",
            Self::AgentStateSpan => "agent_state_span",
            Self::Visit => "visit",
            Self::Leg => "leg",
            Self::Ticket => "ticket",
            Self::TicketTarget => "ticket_target",
            Self::DailySummary => "daily_summary",
            Self::Correction => "correction",
            Self::Definition => "definition",
        }
    }

    /// What a row is, and the order of rows.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::QueueInterval => {
                "One queue and channel in one quarter of an hour in which something happened; by interval_start, queue, channel."
            }
            Self::AgentInterval => {
                "One agent, in the team of that time, in one quarter of an hour; by interval_start, agent, team."
            }
            Self::AgentStateSpan => {
                "One span of an agent's clock, or one count beside it; measures are what of it lies in the day; by agent, began, ended."
            }
            Self::Visit => {
                "One stay of a contact in a queue, as far as it counts in the day; by contact, began. Without a queue: a contact that a machine served."
            }
            Self::Leg => {
                "One agent's part in a contact, as far as it counts in the day; by agent, `began_at`."
            }
            Self::Ticket => {
                "What happened to one ticket in the day, one row for each agent, team, queue and group that it is credited to; by ticket, `began_at`."
            }
            Self::TicketTarget => "One target or promise that was due in the day; by ticket, `began_at`.",
            Self::DailySummary => {
                "The whole day of the site, a queue, a team or an agent; by level, then name. Sums of measures over rows of one level are the site's."
            }
            Self::Correction => {
                "One figure in which this revision differs from the one that it replaces; empty in a first revision."
            }
            Self::Definition => {
                "One definition of the site, as the event that wrote it; in the order of `pegcount definitions`."
            }
        }
    }

    /// The unit-by-unit table behind it, if it is one.
    pub(crate) const fn told(self) -> Option<DayTable> {
        Some(match self {
            Self::AgentStateSpan => DayTable::Spans,
            Self::Visit => DayTable::Visits,
            Self::Leg => DayTable::Legs,
            Self::Ticket => DayTable::Tickets,
            Self::TicketTarget => DayTable::Targets,
            _ => return None,
        })
    }

    /// What an interval's rows are cut by, apart from time.
    pub(crate) const fn cut(self) -> &'static [Dimension] {
        match self {
            Self::QueueInterval => &[Dimension::Queue, Dimension::Channel],
            Self::AgentInterval => &[Dimension::Agent, Dimension::Team],
            _ => &[],
        }
    }

    /// Its measures, in the order of their columns.
    pub(crate) fn measures(self) -> Vec<Measure> {
        let all = || Measure::ALL.iter().copied().filter(|one| !one.dimensions().is_empty());
        match self {
            Self::QueueInterval | Self::AgentInterval => {
                let can = |one: &Measure| self.cut().iter().all(|cut| one.dimensions().contains(cut));
                all().filter(|one| !matures(*one)).filter(can).collect()
            }
            Self::DailySummary => all().filter(|one| !matures(*one)).collect(),
            _ => self.told().map(DayTable::measures).unwrap_or_default(),
        }
    }

    /// The column by whose values the measures of its rows are compared with the live query.
    pub(crate) const fn compared_by(self) -> Option<Dimension> {
        match self {
            Self::QueueInterval | Self::Visit => Some(Dimension::Queue),
            Self::AgentInterval | Self::AgentStateSpan | Self::Leg => Some(Dimension::Agent),
            Self::Ticket | Self::TicketTarget => Some(Dimension::Group),
            Self::DailySummary | Self::Correction | Self::Definition => None,
        }
    }

    /// How many columns before the measures tell its rows apart.
    pub(crate) fn key_columns(self) -> usize {
        self.columns().iter().take_while(|column| column.measure.is_none()).count()
    }

    /// All its columns.
    pub fn columns(self) -> Vec<Column> {
        let mut columns = vec![text("site", "The site."), plain("date", Kind::Date, "The site's local day.")];
        match self {
            Self::QueueInterval | Self::AgentInterval => {
                columns.push(plain("interval_start", Kind::Instant, "The start of the quarter of an hour."));
                columns.push(text("interval_local", "The same by the site's clock, with its offset."));
                columns.extend(self.cut().iter().map(|cut| dimension(*cut)));
            }
            Self::AgentStateSpan => {
                let state = "What the agent was: occupied, lost, ringing, dialing, away, ready, unsigned; none for counts and extra slots.";
                columns.extend([dimension(Dimension::Agent), dimension(Dimension::Team)]);
                columns.extend([text("state", state), text("reason", "Why the agent was away.")]);
                columns.extend(began_ended());
            }
            Self::Visit | Self::Leg | Self::Ticket | Self::TicketTarget => {
                let told = self.told().map_or(&[][..], DayTable::keys);
                columns.push(unit(self));
                columns.extend(told.iter().map(|cut| dimension(*cut)));
                if self == Self::Leg {
                    columns.push(text("reason", "Why the contact was passed on."));
                }
                columns.extend(began_ended());
            }
            Self::DailySummary => {
                columns.push(text("level", "What the row is about: `agent`, `queue`, `site`, `team`."));
                columns.push(text(
                    "name",
                    "The agent's, queue's or team's name; none for the site, or for nobody's.",
                ));
            }
            Self::Correction => return columns.into_iter().chain(of_corrections()).collect(),
            Self::Definition => return columns.into_iter().chain(of_definitions()).collect(),
        }
        columns.extend(self.measures().into_iter().map(measure));
        if self == Self::DailySummary {
            columns.extend(kpis());
        }
        columns
    }
}

/// What is known only when a waiting time is over. It is left out of a day's tables: there it would change for weeks.
fn matures(measure: Measure) -> bool {
    use Measure as M;
    matches!(
        measure,
        M::FcrEligible
            | M::FcrHeld
            | M::FcrFinal
            | M::FcrFailed
            | M::FcrUnidentified
            | M::RepeatEligible
            | M::RepeatNone
            | M::RepeatFinal
    )
}

/// The KPIs of a day's summary: name of the query's column.
pub(crate) fn kpi_names() -> impl Iterator<Item = &'static pegcount_kpi::Column> {
    let matures = |name: &str| name.starts_with("fcr") || name == "repeat_final_share";
    describe().iter().filter(move |column| column.formula.is_some() && !matures(column.name))
}

fn kpis() -> impl Iterator<Item = Column> {
    kpi_names().map(|column| {
        let (name, unit) = match column.unit {
            Unit::Duration => (format!("{}_s", column.name), "seconds"),
            Unit::Count => (column.name.to_owned(), "count"),
            Unit::Ratio => (column.name.to_owned(), "ratio"),
        };
        let meaning = column.formula.unwrap_or_default().to_owned();
        Column { name, kind: Kind::Real, unit, meaning, source: "docs/KPIS.md §4", measure: None }
    })
}

fn measure(measure: Measure) -> Column {
    let (name, unit) = match measure.unit() {
        Unit::Duration => (format!("{}_us", measure.name()), "microseconds"),
        _ => (measure.name().to_owned(), "count"),
    };
    let meaning = measure.meaning().to_owned();
    Column { name, kind: Kind::Int, unit, meaning, source: "docs/KPIS.md §3", measure: Some(measure) }
}

fn plain(name: &str, kind: Kind, meaning: &str) -> Column {
    Column { name: name.to_owned(), kind, unit: "", meaning: meaning.to_owned(), source: KPIS, measure: None }
}

fn text(name: &str, meaning: &str) -> Column {
    plain(name, Kind::Text, meaning)
}

fn unit(table: Table) -> Column {
    let (name, meaning) = match table {
        Table::Ticket | Table::TicketTarget => {
            ("ticket", "The log position of the ticket's first event: a surrogate.")
        }
        Table::Leg => ("leg", "The log position of the leg's first event: a surrogate."),
        _ => ("contact", "The log position of the contact's first event: a surrogate."),
    };
    plain(name, Kind::Int, meaning)
}

fn began_ended() -> [Column; 2] {
    [
        plain("began_at", Kind::Instant, "When the first of it began; it may lie before the day."),
        plain("ended_at", Kind::Instant, "When the last of it ended, or the day's end if it went on."),
    ]
}

fn dimension(cut: Dimension) -> Column {
    let meaning = match cut {
        Dimension::Queue => "The queue; none if it is no queue's.",
        Dimension::Agent => "The agent; none if it is nobody's.",
        Dimension::Team => "The team that the agent was in at the time.",
        Dimension::Channel => "The medium.",
        Dimension::Direction => "Who began: `inbound`, `outbound`, `internal`.",
        Dimension::Entry => "The hotline or address that was dialled.",
        Dimension::Priority => "The visit's priority; 0 is ordinary.",
        Dimension::Kind => "The ticket's kind.",
        Dimension::Category => "What the ticket is about.",
        Dimension::Group => "The group that owned the ticket at the time.",
        Dimension::Tier => "The tier of the ticket's customer.",
        Dimension::Region => "The ticket's region.",
        _ => "",
    };
    text(cut.word(), meaning)
}

fn of_corrections() -> [Column; 8] {
    [
        text(
            "table",
            "The table in which the figure stands: `queue_interval`, `agent_interval` or `daily_summary`.",
        ),
        text("key", "Its row: the values of the columns that tell rows apart, separated by ` | `."),
        text("column", "Its column; `*` where the whole row is new or gone and every measure in it is 0."),
        plain("before", Kind::Real, "What the revision before says; none if it has no such row."),
        plain("after", Kind::Real, "What this one says; none if it has no such row."),
        plain("difference", Kind::Real, "After less before, a missing one taken as 0."),
        text(
            "causes",
            "Log positions of the events recorded since that changed this measure then, separated by spaces; at most 16.",
        ),
        text(
            "cause",
            "`facts` that came late or were amended; `formula` if the formula version is another; else `history`: what was known of the day became more otherwise.",
        ),
    ]
}

fn of_definitions() -> [Column; 2] {
    [text("kind", "What is defined: the event's type."), text("definition", "The definition as JSON.")]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_table_has_two_columns_of_one_name() {
        for table in Table::ALL {
            let columns = table.columns();
            let names: BTreeSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            assert_eq!(names.len(), columns.len(), "{}", table.name());
        }
    }
}
