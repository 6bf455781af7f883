//! `pegcount kpi`, `pegcount explain`, `pegcount corrections`, `pegcount reconcile` and `pegcount watch`.

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use pegcount_kpi::{Attribution, Dimension};

use super::{Format, Length, ReportFormat, TargetArgs, Version};

/// Which part of a site's history.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Which figures")]
pub(crate) struct SpanArgs {
    /// Which instant a queue visit's counts belong to: each to its own event, all to the visit's start, or to its end
    #[arg(long, value_parser = attribution(), default_value_t = Attribution::Event)]
    pub(crate) attribution: Attribution,
    /// The IANA time zone of the site: days, hours, and dates given here are meant in it
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// From then on: a local date (its first instant), a local time, or RFC 3339 [default: today]
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: Option<String>,
    /// Up to, and not including, then; a date means its first instant [default: the end of the day in which --from lies]
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,
    /// Instead of --from and --to: so long up to now or --as-of, exact to the microsecond, as `90s`, `30m` or `2h`
    #[arg(long, value_name = "LENGTH", conflicts_with_all = ["from", "to"])]
    pub(crate) last: Option<Length>,
    /// Only this queue; may be given several times
    #[arg(long, value_name = "QUEUE")]
    pub(crate) queue: Vec<String>,
    /// Only this agent; may be given several times
    #[arg(long, value_name = "AGENT")]
    pub(crate) agent: Vec<String>,
    /// Take ratios as the mean of the local days' ratios instead of pooled over the row
    #[arg(long)]
    pub(crate) mean_of_days: bool,
    /// Hold agent-days and agent-months against this target instead of the site's own: more than so many inbound contacts
    /// per hour, with at most three decimals
    #[arg(long, value_name = "PER_HOUR", value_parser = per_hour)]
    pub(crate) efficiency_target: Option<u32>,
}

/// A number with at most three decimals, in thousandths.
fn per_hour(text: &str) -> Result<u32, String> {
    let wrong = || format!("`{text}` is no number with at most three decimals; say one like 20 or 22.5");
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 3 {
        return Err(wrong());
    }
    let whole: u32 = whole.parse().map_err(|_| wrong())?;
    let decimals: u32 = format!("{decimals:0<3}").parse().map_err(|_| wrong())?;
    whole.checked_mul(1_000).and_then(|milli| milli.checked_add(decimals)).ok_or_else(wrong)
}

/// As of when, and from what was known when.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Which figures")]
pub(crate) struct MomentArgs {
    /// Count open work up to this instant [default: now, or the instant that --known-at means]
    #[arg(long, value_name = "WHEN")]
    pub(crate) as_of: Option<String>,
    /// Answer from what had been recorded by this instant, or up to this log position (digits only)
    #[arg(long, value_name = "WHEN|POSITION")]
    pub(crate) known_at: Option<String>,
}

/// What figures of what range.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Which figures")]
pub(crate) struct RangeArgs {
    /// The site
    #[arg(long, value_name = "SITE", required_unless_present = "columns")]
    pub(crate) site: Option<String>,
    /// Cut by these, separated by commas; without it one row for the whole range. Hours, days, weeks (from Monday on) and
    /// months are local; a day has 23, 24 or 25 hours; the team is the one that the agent was in at the time. What tickets
    /// count is cut by kind, category, group, tier and region too
    #[arg(long, value_name = "LIST", value_parser = dimension(), value_delimiter = ',')]
    pub(crate) by: Vec<Dimension>,
    #[command(flatten)]
    pub(crate) span: SpanArgs,
    /// Show these columns, separated by commas, or `all` [default: the usual few in a table, all in CSV and JSON]; `help`
    /// lists them, with what each means
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// How to write them
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// A question about figures, and whom to ask.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount kpi --site bank --from 1999-02-01 --to 1999-02-08 --by queue\n  \
    pegcount kpi --site bank --from 1999-02-01 --by hour,agent --format csv\n  \
    pegcount kpi --site main --last 30m --by queue --columns service_level,asa_p90 --server …\n  \
    pegcount kpi --site main --from 2026-01-01 --to 2026-04-01 --by day --formula v1,v2 --columns service_level\n  \
    pegcount kpi --site main --from 2026-01-01 --to 2026-04-01 --by month,category --columns timeliness,completion_rate\n  \
    pegcount kpi --site main --from 2026-03-01T09:00 --to 2026-03-01T17:00 \\\n      \
    --time-zone Asia/Jerusalem --by interval15 --columns offered,service_level")]
pub(crate) struct KpiArgs {
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    #[command(flatten)]
    pub(crate) moment: MomentArgs,
    /// Reckon everything by this formula version, whatever is in force; of several, separated by commas, all are shown, and
    /// how much the later ones differ from the first
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',', help_heading = "Which figures")]
    pub(crate) formula: Vec<Version>,
    /// Show beside figures whether they meet their targets
    #[arg(long, conflicts_with = "formula", help_heading = "Which figures")]
    pub(crate) targets: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// Which odd facts, and whom to ask.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount anomalies --site main\n  \
    pegcount anomalies --site main --kind reports_differ --format csv --server …")]
pub(crate) struct AnomaliesArgs {
    /// The site
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    /// Only of this kind, such as `reports_differ`: softphone and exchange say different things of one leg
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<String>,
    /// The IANA time zone that times are shown in
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// How to write them
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// Which corrections, and whom to ask.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount corrections --site main --from 2026-03-01 --to 2026-03-08 --time-zone Asia/Jerusalem\n  \
    pegcount corrections --site main --format csv --server …")]
pub(crate) struct CorrectionsArgs {
    /// The site
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    /// Only of intervals from then on: a local date (its first instant), a local time, or RFC 3339
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: Option<String>,
    /// Only of intervals before then
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,
    /// The IANA time zone that times are meant and shown in
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// How to write them
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// Which figures to check against the log.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount reconcile --site bank --from 1999-02-01 --to 1999-02-08 --time-zone Asia/Jerusalem\n  \
    pegcount reconcile --site main --from 2026-03-01 \\\n      \
    --server http://127.0.0.1:7474 --token-file pegcount-data/local-token\n\n\
    Exit codes: 0 nothing differs, 1 something does, 2 nothing could be checked.")]
pub(crate) struct ReconcileArgs {
    /// The site
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    /// From then on: a local date (its first instant), a local time, or RFC 3339 [default: today]
    #[arg(long, value_name = "WHEN")]
    pub(crate) from: Option<String>,
    /// Up to, and not including, then [default: the end of the day in which --from lies]
    #[arg(long, value_name = "WHEN")]
    pub(crate) to: Option<String>,
    /// The IANA time zone that times are meant and shown in
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// How to write what differs
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReportFormat,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// Which figure to explain, and whom to ask.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount explain --site bank --column aht --from 1999-02-01 --agent AGENT04 --time-zone Asia/Jerusalem\n  \
    pegcount explain --site bank --column abandoned --from 1999-02-01 --to 1999-02-08 --cell queue=PS --limit 20\n  \
    pegcount explain --site main --column service_level --queue sales --format json --server …")]
pub(crate) struct ExplainArgs {
    /// The site
    #[arg(long, value_name = "SITE", help_heading = "Which figures")]
    pub(crate) site: String,
    /// The figure: a measure or a KPI, by the name of its column
    #[arg(long, value_name = "COLUMN", help_heading = "Which figures")]
    pub(crate) column: String,
    /// The row, as `dimension=value`; may be given several times. `queue=` is the row of what has no queue
    #[arg(long, value_name = "DIMENSION=VALUE", help_heading = "Which figures")]
    pub(crate) cell: Vec<String>,
    #[command(flatten)]
    pub(crate) span: SpanArgs,
    #[command(flatten)]
    pub(crate) moment: MomentArgs,
    /// Reckon everything by this formula version, whatever is in force
    #[arg(long, value_name = "VERSION", help_heading = "Which figures")]
    pub(crate) formula: Option<Version>,
    /// List at most so many of the spans and counts that the figure is the sum of
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ReportFormat,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// What to watch, and where.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  \
    pegcount watch --site main --by queue \\\n      \
    --server http://127.0.0.1:7474 --token-file pegcount-data/local-token\n  \
    pegcount watch --site main --by agent --columns handled,aht,occupancy --server …")]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) range: RangeArgs,
    /// At most so many updates a second
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub(crate) per_second: u32,
    /// End after so many updates
    #[arg(long, value_name = "N")]
    pub(crate) updates: Option<u64>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

fn dimension() -> impl TypedValueParser<Value = Dimension> {
    PossibleValuesParser::new(Dimension::ALL.map(Dimension::word)).try_map(|word| word.parse::<Dimension>())
}

fn attribution() -> impl TypedValueParser<Value = Attribution> {
    PossibleValuesParser::new(Attribution::ALL.map(Attribution::word))
        .try_map(|word| word.parse::<Attribution>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_told_in_thousandths() {
        assert_eq!(per_hour("20"), Ok(20_000));
        assert_eq!(per_hour("22.5"), Ok(22_500));
        assert_eq!(per_hour("0.125"), Ok(125));
        for wrong in ["", "-1", "1.", ".5", "1.2345", "many", "9999999"] {
            assert!(per_hour(wrong).unwrap_err().contains("at most three decimals"), "{wrong}");
        }
    }
}
