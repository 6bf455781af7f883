//! What is asked, checked once, in the words of the contract and in those of the engine.
//!
//! Invariant: both wordings mean the same question.

use jiff::tz::TimeZone;
use pegcount_domain::{
    envelope::Position,
    ids::{AgentId, QueueId, SiteId},
    time::{Interval, Micros},
};
use pegcount_engine::KnownAt;
use pegcount_kpi::{Attribution, Dimension, EfficiencyTarget, Query, Variant, query::LAST_MAX};
use pegcount_proto::v1::{self, QueryKpiRequest};

use crate::{
    args::{Length, MomentArgs, RangeArgs, SpanArgs},
    error::CliError,
    figures::{Only, human},
    target, when,
};

/// As of when, and from what was known when, as asked; by default all of the present.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AskedMoment {
    /// The instant to which open work counts.
    pub(crate) as_of: Option<Micros>,
    /// The part of the log that counts.
    pub(crate) known_at: Option<KnownAt>,
}

impl AskedMoment {
    /// Checks the arguments; times are meant in `zone`.
    pub(crate) fn of(args: &MomentArgs, zone: &TimeZone) -> Result<Self, CliError> {
        let instant = |text: &String| when::instant(text, zone);
        let known_at = |text: &String| match text.parse() {
            Ok(position) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(KnownAt::Position(Position(position)))
            }
            _ => instant(text).map(KnownAt::Instant),
        };
        Ok(Self {
            as_of: args.as_of.as_ref().map(instant).transpose()?,
            known_at: args.known_at.as_ref().map(known_at).transpose()?,
        })
    }
}

/// A question about figures.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    site: SiteId,
    from: Micros,
    to: Micros,
    by: Vec<Dimension>,
    attribution: Attribution,
    /// The zone that dates, hours and days are meant in.
    pub(crate) zone: TimeZone,
    zone_name: String,
    queues: Vec<QueueId>,
    agents: Vec<AgentId>,
    /// Only these columns; none: all.
    columns: Vec<String>,
    /// A window that moves on with time, in place of `from` and `to`.
    last: Option<Micros>,
    /// Reckon everything by this formula version.
    formula: Option<u8>,
    mean_of_days: bool,
    efficiency_target: Option<u32>,
}

impl Question {
    /// The same question by a formula version; none: by those in force.
    pub(crate) fn under(self, formula: Option<u8>) -> Self {
        Self { formula, ..self }
    }

    /// Whose figures.
    pub(crate) fn site(&self) -> &SiteId {
        &self.site
    }

    /// The queues and agents that it is limited to.
    pub(crate) fn only(&self) -> Only {
        Only {
            queues: self.queues.iter().map(ToString::to_string).collect(),
            agents: self.agents.iter().map(ToString::to_string).collect(),
        }
    }

    /// Checks the arguments. Without `--from` it is today; without `--to` the range ends with `--from`'s local day.
    pub(crate) fn of(args: &RangeArgs) -> Result<Self, CliError> {
        let missing = || CliError::Argument("--site is missing: say whose figures".to_owned());
        Self::new(args.site.as_deref().ok_or_else(missing)?, &args.span, &args.by)
    }

    /// The same question of the columns that were asked for by name.
    pub(crate) fn of_columns(self, asked: &[String]) -> Self {
        Self { columns: known_columns(asked), ..self }
    }

    /// Checks the arguments of a question cut by `by`.
    pub(crate) fn new(site: &str, args: &SpanArgs, by: &[Dimension]) -> Result<Self, CliError> {
        let zone = when::zone(&args.time_zone)?;
        let beyond = || CliError::Argument("the range lies outside what a calendar can hold".to_owned());
        let from = match &args.from {
            Some(text) => when::instant(text, &zone)?,
            None => when::day_of(pegcount_clock::system_now(), &zone).ok_or_else(beyond)?.0,
        };
        let to = match &args.to {
            Some(text) => when::instant(text, &zone)?,
            None => when::day_of(from, &zone).ok_or_else(beyond)?.1,
        };
        let last = args.last.map(length).transpose()?;
        match last {
            Some(_) => check_window(by)?,
            None => check(from, to, &zone)?,
        }
        let queues = args.queue.iter().map(|text| target::name("--queue", text).map(QueueId));
        let agents = args.agent.iter().map(|text| target::name("--agent", text).map(AgentId));
        Ok(Self {
            site: target::site(site)?,
            from,
            to,
            by: by.to_vec(),
            attribution: args.attribution,
            zone,
            zone_name: args.time_zone.clone(),
            queues: queues.collect::<Result<_, _>>()?,
            agents: agents.collect::<Result<_, _>>()?,
            columns: Vec::new(),
            last,
            formula: None,
            mean_of_days: args.mean_of_days,
            efficiency_target: args.efficiency_target,
        })
    }

    /// The site, the range and the filters, for the eye.
    pub(crate) fn words(&self) -> String {
        let (from, to) = (when::short(self.from, &self.zone), when::short(self.to, &self.zone));
        let queues = self.queues.iter().map(|queue| format!("queue {queue}"));
        let agents = self.agents.iter().map(|agent| format!("agent {agent}"));
        let visits = format!("counts at their visit's {}", self.attribution);
        let visits = (self.attribution != Attribution::Event).then_some(visits);
        let range = match self.last {
            Some(last) => format!("the last {}", human::spoken(last.0)),
            None => format!("{from} to {to}"),
        };
        let mean = self.mean_of_days.then(|| "ratios are means of days".to_owned());
        let target = self
            .efficiency_target
            .map(|milli| format!("efficiency target {}.{:03} per hour", milli / 1_000, milli % 1_000));
        let range = [self.site.to_string(), range];
        let formula = self.formula.map(|number| format!("by formula version {number}"));
        range
            .into_iter()
            .chain(formula)
            .chain(queues)
            .chain(agents)
            .chain(visits)
            .chain(mean)
            .chain(target)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The names of the dimensions that are not times, in the order asked.
    pub(crate) fn dimensions(&self) -> Vec<&'static str> {
        self.by.iter().filter(|by| !by.is_time()).map(|by| by.word()).collect()
    }

    /// For a server.
    pub(crate) fn on_wire(&self, asked: AskedMoment) -> QueryKpiRequest {
        use v1::query_kpi_request::KnownAt as Said;
        QueryKpiRequest {
            site: self.site.to_string(),
            from_us: if self.last.is_some() { 0 } else { self.from.0 },
            to_us: if self.last.is_some() { 0 } else { self.to.0 },
            by: self.by.iter().map(|by| wire_dimension(*by).into()).collect(),
            attribution: match self.attribution {
                Attribution::Event => v1::Attribution::Event,
                Attribution::Start => v1::Attribution::Start,
                Attribution::End => v1::Attribution::End,
            }
            .into(),
            time_zone: self.zone_name.clone(),
            as_of_us: asked.as_of.map(|at| at.0),
            queues: self.queues.iter().map(ToString::to_string).collect(),
            agents: self.agents.iter().map(ToString::to_string).collect(),
            formula_version: self.formula.map_or(0, u32::from),
            min_position: 0,
            known_at: asked.known_at.map(|known_at| match known_at {
                KnownAt::Instant(at) => Said::KnownAtUs(at.0),
                KnownAt::Position(position) => Said::KnownAtPosition(position.0),
            }),
            columns: self.columns.clone(),
            last_us: self.last.map(|last| last.0),
            mean_of_days: self.mean_of_days,
            efficiency_target_milli: self.efficiency_target,
        }
    }

    /// For an engine.
    pub(crate) fn for_engine(&self, as_of: Micros) -> Query {
        Query {
            by: self.by.clone(),
            attribution: self.attribution,
            time_zone: self.zone.clone(),
            queues: self.queues.clone(),
            agents: self.agents.clone(),
            columns: self.columns.clone(),
            last: self.last,
            formula_version: self.formula,
            variant: Variant {
                mean_of_days: self.mean_of_days,
                efficiency_target: self
                    .efficiency_target
                    .map(|milli| EfficiencyTarget::above_milli(milli.into())),
            },
            ..Query::new(self.site.clone(), self.from, self.to, as_of)
        }
    }
}

/// A dimension in the contract's words.
pub(crate) fn wire_dimension(dimension: Dimension) -> v1::Dimension {
    match dimension {
        Dimension::Interval15 => v1::Dimension::Interval15,
        Dimension::Interval30 => v1::Dimension::Interval30,
        Dimension::Hour => v1::Dimension::Hour,
        Dimension::Day => v1::Dimension::Day,
        Dimension::Queue => v1::Dimension::Queue,
        Dimension::Agent => v1::Dimension::Agent,
        Dimension::Team => v1::Dimension::Team,
        Dimension::Channel => v1::Dimension::Channel,
        Dimension::Direction => v1::Dimension::Direction,
        Dimension::Entry => v1::Dimension::Entry,
        Dimension::Reason => v1::Dimension::Reason,
        Dimension::Cause => v1::Dimension::Cause,
        Dimension::Priority => v1::Dimension::Priority,
        Dimension::Week => v1::Dimension::Week,
        Dimension::Month => v1::Dimension::Month,
        Dimension::Kind => v1::Dimension::Kind,
        Dimension::Category => v1::Dimension::Category,
        Dimension::Group => v1::Dimension::Group,
        Dimension::Tier => v1::Dimension::Tier,
        Dimension::Region => v1::Dimension::Region,
    }
}

/// The columns that were asked for by name, as the engine names them; none, so all, if any is none: whoever shows them
/// says so then.
fn known_columns(asked: &[String]) -> Vec<String> {
    let find = |name: &String| {
        let is_it = |column: &&pegcount_kpi::Column| {
            column.name == name || Some(column.name) == name.strip_suffix("_s")
        };
        pegcount_kpi::describe().iter().find(is_it).map(|column| column.name.to_owned())
    };
    asked.iter().map(find).collect::<Option<_>>().unwrap_or_default()
}

fn length(Length(length): Length) -> Result<Micros, CliError> {
    let micros = i64::try_from(length.as_micros()).map(Micros).ok();
    micros.filter(|length| *length > Micros::ZERO && *length <= LAST_MAX).ok_or_else(|| {
        CliError::Argument("--last is a length of time above 0 and up to 31 days (744h)".to_owned())
    })
}

/// A window moves on, and times do not.
fn check_window(by: &[Dimension]) -> Result<(), CliError> {
    let Some(time) = by.iter().find(|by| by.is_time()) else { return Ok(()) };
    Err(CliError::Argument(format!(
        "--last is one window that moves on with time: it cannot be cut by {time}; leave that out of --by, or say --from and --to"
    )))
}

/// Says in local time what the engine would say in microseconds.
fn check(from: Micros, to: Micros, zone: &TimeZone) -> Result<(), CliError> {
    for (argument, at) in [("--from", from), ("--to", to)] {
        let nearest = Interval::containing(at).start();
        if nearest != at {
            return Err(CliError::Argument(format!(
                "{argument} is {}, and figures are cut every 15 minutes; the nearest before is {}",
                when::rfc3339(at, zone),
                when::rfc3339(nearest, zone),
            )));
        }
    }
    if to <= from {
        let (from, to) = (when::rfc3339(from, zone), when::rfc3339(to, zone));
        return Err(CliError::Argument(format!("--to ({to}) does not lie after --from ({from})")));
    }
    Ok(())
}
