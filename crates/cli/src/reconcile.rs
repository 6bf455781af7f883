//! `pegcount reconcile`: the figures of a range against the log, on a server or a folder.
//!
//! Invariant: it ends well only if something was compared, or there was nothing to compare, and nothing differs; what was
//! not compared is named.

use std::{fmt::Write as _, io::Write as _};

use comfy_table::{Cell as Field, CellAlignment};
use jiff::tz::TimeZone;
use pegcount_client::Api;
use pegcount_domain::{
    ids::SiteId,
    time::{Interval, Micros, Span},
};
use pegcount_engine::{Engine, ReconcileProgress};
use pegcount_proto::v1::{ReconcileDifference, ReconcileKind, ReconcileRequest, ReconcileSummary, Unit};
use pegcount_server::wire;
use serde_json::json;

use crate::{
    args::{ReconcileArgs, ReportFormat},
    error::CliError,
    figures::{exact, human},
    output,
    progress::Bar,
    target::{self, Missing, Target},
    when,
};

/// What came of it.
struct Outcome {
    differences: Vec<ReconcileDifference>,
    summary: ReconcileSummary,
}

/// A range of a site.
struct Asked {
    site: SiteId,
    range: Span,
    zone: TimeZone,
}

/// Compares, prints, and ends with an error if anything differs.
pub(crate) async fn run(args: ReconcileArgs) -> Result<(), CliError> {
    let cannot = |error: CliError| CliError::CannotReconcile(Box::new(error));
    let asked = Asked::of(&args).map_err(cannot)?;
    let outcome = asked.outcome(&args).await.map_err(cannot)?;
    match args.format {
        ReportFormat::Table => output::line(asked.report(&outcome))?,
        ReportFormat::Json => asked.write_json(&outcome)?,
    }
    match outcome.summary.differing {
        0 => Ok(()),
        count => Err(CliError::FiguresDiffer { count }),
    }
}

impl Asked {
    fn of(args: &ReconcileArgs) -> Result<Self, CliError> {
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
        for (argument, at) in [("--from", from), ("--to", to)] {
            let nearest = Interval::containing(at).start();
            if nearest != at {
                let (at, nearest) = (when::rfc3339(at, &zone), when::rfc3339(nearest, &zone));
                return Err(CliError::Argument(format!(
                    "{argument} is {at}, and figures are cut every 15 minutes; the nearest before is {nearest}"
                )));
            }
        }
        if to <= from {
            let (from, to) = (when::rfc3339(from, &zone), when::rfc3339(to, &zone));
            return Err(CliError::Argument(format!("--to ({to}) does not lie after --from ({from})")));
        }
        Ok(Self { site: target::site(&args.site)?, range: Span { start: from, end: to }, zone })
    }

    async fn outcome(&self, args: &ReconcileArgs) -> Result<Outcome, CliError> {
        match Target::open(&args.target, Missing::Refuse).await? {
            Target::Server(api) => self.of_server(&api).await,
            Target::Folder(engine) => {
                let outcome = self.of_folder(&engine).await;
                engine.close().await?;
                outcome
            }
        }
    }

    async fn of_server(&self, api: &Api) -> Result<Outcome, CliError> {
        let (from_us, to_us) = (self.range.start.0, self.range.end.0);
        let request = ReconcileRequest { site: self.site.to_string(), from_us, to_us };
        let mut updates = api.kpi().reconcile(request).await?.into_inner();
        let (bar, mut differences) = (bar(), Vec::new());
        while let Some(update) = updates.message().await? {
            set(&bar, update.events_read, update.events_total);
            differences.extend(update.differences);
            if let Some(summary) = update.summary {
                return Ok(Outcome { differences, summary });
            }
        }
        let message = "the stream ended before its summary: ask again".to_owned();
        Err(CliError::Refused { code: tonic::Code::DataLoss, message })
    }

    async fn of_folder(&self, engine: &std::sync::Arc<Engine>) -> Result<Outcome, CliError> {
        let bar = bar();
        let mut tell = |now: ReconcileProgress| set(&bar, now.read, now.of);
        let done = engine.reconcile(&self.site, self.range, &mut tell).await?;
        let differences = done.differences.iter().map(wire::difference).collect();
        Ok(Outcome { differences, summary: wire::reconciled(&done) })
    }

    /// For the eye: what differs, then what was compared, then what was not.
    fn report(&self, outcome: &Outcome) -> String {
        let mut text = String::new();
        if !outcome.differences.is_empty() {
            let _ = writeln!(text, "{}", self.table(&outcome.differences));
        }
        let summary = &outcome.summary;
        let told = u64::try_from(outcome.differences.len()).unwrap_or(u64::MAX);
        if summary.differing > told {
            let _ = writeln!(text, "and {} more", human::number(summary.differing - told));
        }
        let found = match summary.differing {
            0 => "nothing differs".to_owned(),
            1 => "1 number differs".to_owned(),
            many => format!("{} numbers differ", human::number(many)),
        };
        let (from, to) = (when::short(self.range.start, &self.zone), when::short(self.range.end, &self.zone));
        let compared = match summary.numbers {
            0 => "nothing to compare: no visit, and nobody signed in".to_owned(),
            numbers => format!(
                "{found} of {} compared ({} of queues and {} of agents, by interval)",
                human::number(numbers),
                human::number(summary.queue_lines),
                human::number(summary.agent_lines),
            ),
        };
        let position = summary.position;
        let _ = write!(text, "{}, {from} to {to}: {compared}, at log position {position}", self.site);
        for remark in self.remarks(summary) {
            let _ = write!(text, "\n{remark}");
        }
        text
    }

    /// What was not compared, and why.
    fn remarks(&self, summary: &ReconcileSummary) -> Vec<String> {
        let mut remarks = Vec::new();
        match summary.compared_from_us.map(Micros) {
            Some(from) if from >= self.range.end => remarks.push(
                "not compared: history of the whole range is closed; its figures stand, and the facts behind them are gone or count no more"
                    .to_owned(),
            ),
            Some(from) => remarks.push(format!(
                "not compared: what lies before {}; that history is closed: its figures stand, and the facts behind them are gone or count no more",
                when::short(from, &self.zone)
            )),
            None => {}
        }
        let late = |who: &String| {
            format!("not compared: {who}; facts came too late for so long a log, ask for a shorter range")
        };
        remarks.extend(summary.left_out.iter().map(late));
        remarks
    }

    fn table(&self, differences: &[ReconcileDifference]) -> String {
        let mut table = output::plain_table();
        table.set_header(["interval", "of", "what", "figures", "facts"]);
        let right = |text: String| Field::new(text).set_alignment(CellAlignment::Right);
        for one in differences {
            let (from, to) = (Micros(one.from_us), Micros(one.to_us));
            let zone = &self.zone;
            table.add_row([
                Field::new(format!(
                    "{} {}–{}",
                    when::date(from, zone),
                    when::minute(from, zone),
                    when::minute(to, zone)
                )),
                Field::new(who(one)),
                Field::new(what(one)),
                right(shown(one, one.stated)),
                right(shown(one, one.counted)),
            ]);
        }
        output::shown(table)
    }

    /// A line for each difference, and one for the whole.
    fn write_json(&self, outcome: &Outcome) -> Result<(), CliError> {
        let mut out = output::out();
        for one in &outcome.differences {
            let value = json!({
                "from": when::rfc3339(Micros(one.from_us), &self.zone),
                "to": when::rfc3339(Micros(one.to_us), &self.zone),
                "kind": kind(one),
                "who": one.who,
                "column": one.column,
                "figures": written(one, one.stated),
                "facts": written(one, one.counted),
            });
            writeln!(out, "{value}")?;
        }
        let summary = &outcome.summary;
        let value = json!({
            "differing": summary.differing,
            "numbers": summary.numbers,
            "queue_lines": summary.queue_lines,
            "agent_lines": summary.agent_lines,
            "compared_from": summary.compared_from_us.map(|at| when::rfc3339(Micros(at), &self.zone)),
            "left_out": summary.left_out,
            "as_of": when::rfc3339(Micros(summary.as_of_us), &self.zone),
            "position": summary.position,
        });
        writeln!(out, "{value}")?;
        Ok(())
    }
}

fn kind(one: &ReconcileDifference) -> &'static str {
    match one.kind() {
        ReconcileKind::Queue => "queue",
        ReconcileKind::Agent => "agent",
        ReconcileKind::Balance => "balance",
        ReconcileKind::AgentClock => "agent_clock",
        ReconcileKind::Unspecified => "unknown",
    }
}

fn who(one: &ReconcileDifference) -> String {
    let is_agent = matches!(one.kind(), ReconcileKind::Agent | ReconcileKind::AgentClock);
    let of = if is_agent { "agent" } else { "queue" };
    if one.who.is_empty() { format!("no {of}") } else { format!("{of} {}", one.who) }
}

/// The column; of an identity, both sides.
fn what(one: &ReconcileDifference) -> String {
    match one.kind() {
        ReconcileKind::Balance => format!("{} = ended + waiting_at_end", one.column),
        ReconcileKind::AgentClock => format!("{} = sum of its states", one.column),
        _ => one.column.clone(),
    }
}

fn shown(one: &ReconcileDifference, amount: i64) -> String {
    match one.unit() {
        Unit::Microseconds => format!("{} s", exact::seconds(amount)),
        _ => human::grouped(amount),
    }
}

/// Counts as they are, times as exact seconds.
fn written(one: &ReconcileDifference, amount: i64) -> serde_json::Value {
    match one.unit() {
        Unit::Microseconds => exact::json(exact::seconds(amount)),
        _ => amount.into(),
    }
}

/// A bar over the log's events.
fn bar() -> Bar {
    Bar::new(
        "counting the log's facts {bar:40} {percent:>3} % · {human_pos} of {human_len} events · {eta} left",
    )
}

fn set(bar: &Bar, read: u64, of: u64) {
    bar.0.set_length(of);
    bar.0.set_position(read);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        let range = Span { start: Micros(917_827_200_000_000), end: Micros(917_913_600_000_000) };
        Asked { site: SiteId::new("bank").unwrap(), range, zone: TimeZone::UTC }
    }

    fn outcome(differing: bool, compared_from: Option<i64>) -> Outcome {
        let difference = ReconcileDifference {
            from_us: 917_853_300_000_000,
            to_us: 917_854_200_000_000,
            kind: ReconcileKind::Agent.into(),
            who: "ann".into(),
            column: "signed_in_clock".into(),
            unit: Unit::Microseconds.into(),
            stated: 900_000_001,
            counted: 900_000_000,
        };
        let summary = ReconcileSummary {
            position: 1_234,
            compared_from_us: compared_from,
            queue_lines: 10,
            agent_lines: 20,
            numbers: 180,
            differing: differing.into(),
            ..Default::default()
        };
        Outcome { differences: differing.then_some(difference).into_iter().collect(), summary }
    }

    #[test]
    fn what_differs_is_told_with_both_numbers_to_the_microsecond() {
        let shown = asked().report(&outcome(true, None));
        for part in [
            "1999-02-01 07:15–07:30",
            "agent ann",
            "signed_in_clock",
            "900.000001 s",
            "1 number differs of 180",
        ] {
            assert!(shown.contains(part), "without {part:?}:\n{shown}");
        }
    }

    #[test]
    fn what_was_compared_is_told_and_what_was_not() {
        let shown = asked().report(&outcome(false, Some(917_913_600_000_000)));
        for part in [
            "nothing differs of 180 compared (10 of queues and 20 of agents",
            "history of the whole range is closed",
        ] {
            assert!(shown.contains(part), "without {part:?}:\n{shown}");
        }
    }

    #[test]
    fn where_there_is_nothing_it_does_not_say_that_nothing_differs() {
        let empty = Outcome { differences: Vec::new(), summary: ReconcileSummary::default() };
        let shown = asked().report(&empty);
        assert!(
            shown.ends_with(": nothing to compare: no visit, and nobody signed in, at log position 0"),
            "{shown}"
        );
    }
}
