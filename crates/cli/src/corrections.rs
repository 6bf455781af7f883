//! `pegcount corrections`: what changed figures after their interval had closed.
//!
//! Invariant: a server and a folder give the same list in the same order.

use comfy_table::{Cell as Field, CellAlignment};
use jiff::tz::TimeZone;
use pegcount_domain::time::{Micros, Span};
use pegcount_proto::v1::{KpiCorrection, ListCorrectionsRequest, Unit};
use pegcount_server::wire;
use serde_json::{Value, json};

use crate::{
    args::CorrectionsArgs,
    error::CliError,
    figures::{exact, human},
    output,
    target::{self, Missing, Target, pages},
    when,
};

/// Prints the list.
pub(crate) async fn run(args: CorrectionsArgs) -> Result<(), CliError> {
    let zone = when::zone(&args.time_zone)?;
    let site = target::site(&args.site)?;
    let instant = |text: &Option<String>| text.as_ref().map(|text| when::instant(text, &zone)).transpose();
    let (from, to) = (instant(&args.from)?, instant(&args.to)?);
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        let (from, to) = (when::rfc3339(from, &zone), when::rfc3339(to, &zone));
        return Err(CliError::Argument(format!("--to ({to}) does not lie after --from ({from})")));
    }
    let list = match Target::open(&args.target, Missing::Refuse).await? {
        Target::Server(api) => {
            let site = site.to_string();
            let (from_us, to_us) = (from.map(|at| at.0), to.map(|at| at.0));
            pages(async |page_token| {
                let request = ListCorrectionsRequest {
                    site: site.clone(),
                    from_us,
                    to_us,
                    page_token,
                    ..Default::default()
                };
                let page = api.kpi().list_corrections(request).await?.into_inner();
                Ok((page.corrections, page.next_page_token))
            })
            .await?
        }
        Target::Folder(engine) => {
            let range = Span { start: from.unwrap_or(Micros(i64::MIN)), end: to.unwrap_or(Micros::MAX) };
            let (list, _) = engine.kpi_corrections(&site, range).await?;
            let list = list.iter().map(wire::correction).collect();
            engine.close().await?;
            list
        }
    };
    let records = list.iter().map(|one| fields(one, &zone));
    let objects = list.iter().map(|one| object(one, &zone));
    output::list(args.format, || table(&list, &zone), &HEAD, records, objects)
}

const HEAD: [&str; 6] = ["position", "recorded_at", "from", "to", "measure", "difference"];

fn table(list: &[KpiCorrection], zone: &TimeZone) -> String {
    let mut table = output::plain_table();
    table.set_header(["position", "recorded", "interval", "measure", "difference"]);
    for one in list {
        let [from, to, recorded] = [one.from_us, one.to_us, one.recorded_at_us].map(Micros);
        let right = |text: String| Field::new(text).set_alignment(CellAlignment::Right);
        table.add_row([
            right(format!("#{}", one.position)),
            Field::new(when::short(recorded, zone)),
            Field::new(format!("{} {}", when::date(from, zone), span(from, to, zone))),
            Field::new(&one.measure),
            right(signed(one)),
        ]);
    }
    let (count, causes) = (list.len(), causes(list));
    let corrections = if count == 1 { "correction" } else { "corrections" };
    let events = if causes == 1 { "event" } else { "events" };
    let (count, causes) = (human::number(count), human::number(causes));
    format!("{}\n{count} {corrections} by {causes} {events}", output::shown(table))
}

fn span(from: Micros, to: Micros, zone: &TimeZone) -> String {
    format!("{}–{}", when::minute(from, zone), when::minute(to, zone))
}

fn causes(list: &[KpiCorrection]) -> usize {
    let mut positions: Vec<_> = list.iter().map(|one| one.position).collect();
    positions.dedup();
    positions.len()
}

/// `+1`, `-4m30s`.
fn signed(one: &KpiCorrection) -> String {
    let sign = if one.difference > 0 { "+" } else { "" };
    match one.unit() {
        Unit::Microseconds => format!("{sign}{}", human::spoken(one.difference)),
        _ => format!("{sign}{}", human::grouped(one.difference)),
    }
}

/// The exact difference: a count, or seconds under a name that ends in `_s`.
fn difference(one: &KpiCorrection) -> (String, String) {
    match one.unit() {
        Unit::Microseconds => (format!("{}_s", one.measure), exact::seconds(one.difference)),
        _ => (one.measure.clone(), one.difference.to_string()),
    }
}

fn fields(one: &KpiCorrection, zone: &TimeZone) -> [String; 6] {
    let time = |at: i64| when::rfc3339(Micros(at), zone);
    let (measure, difference) = difference(one);
    [
        one.position.to_string(),
        time(one.recorded_at_us),
        time(one.from_us),
        time(one.to_us),
        measure,
        difference,
    ]
}

fn object(one: &KpiCorrection, zone: &TimeZone) -> Value {
    let [_, recorded_at, from, to, measure, difference] = fields(one, zone);
    json!({
        "position": one.position,
        "recorded_at": recorded_at,
        "from": from,
        "to": to,
        "measure": measure,
        "difference": exact::json(difference),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corrected(unit: Unit, measure: &str, difference: i64) -> KpiCorrection {
        KpiCorrection {
            position: 42,
            recorded_at_us: 917_860_000_000_000,
            from_us: 917_853_300_000_000,
            to_us: 917_854_200_000_000,
            measure: measure.into(),
            unit: unit.into(),
            difference,
        }
    }

    #[test]
    fn a_difference_has_a_sign_for_the_eye_and_is_exact_in_files() {
        let zone = TimeZone::get("Asia/Jerusalem").unwrap();
        let list = [
            corrected(Unit::Count, "abandoned", 1),
            corrected(Unit::Microseconds, "wait_abandoned", -1_500_000),
        ];
        let shown = table(&list, &zone);
        for part in ["#42", "1999-02-01 09:15–09:30", "+1\n", "-1.5s\n", "2 corrections by 1 event"] {
            assert!(shown.contains(part), "without {part:?}:\n{shown}");
        }
        let read = object(&list[1], &zone);
        assert_eq!(
            (read["measure"].as_str(), read["difference"].as_f64()),
            (Some("wait_abandoned_s"), Some(-1.5))
        );
        assert_eq!(read["from"], "1999-02-01T09:15:00+02:00");
    }
}
