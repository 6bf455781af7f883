//! `pegcount anomalies`: facts that the rules do not allow, and reports in which softphone and exchange differ.
//!
//! Invariant: a server and a folder give the same list in the same order.

use jiff::tz::TimeZone;
use pegcount_domain::time::Micros;
use pegcount_kpi::AnomalyKind;
use pegcount_proto::v1::{KpiAnomaly, ListAnomaliesRequest};
use pegcount_server::wire;
use serde_json::{Value, json};

use crate::{
    args::AnomaliesArgs,
    error::CliError,
    figures::human,
    output,
    target::{self, Missing, Target, pages},
    when,
};

/// Prints the list.
pub(crate) async fn run(args: AnomaliesArgs) -> Result<(), CliError> {
    let zone = when::zone(&args.time_zone)?;
    let site = target::site(&args.site)?;
    let kind = args.kind.clone().unwrap_or_default();
    if !kind.is_empty() && !AnomalyKind::words().contains(&kind.as_str()) {
        let known = AnomalyKind::words().join(", ");
        return Err(CliError::Argument(format!("--kind is `{kind}`, which is not one of {known}")));
    }
    let list = match Target::open(&args.target, Missing::Refuse).await? {
        Target::Server(api) => {
            let site = site.to_string();
            pages(async |page_token| {
                let request = ListAnomaliesRequest {
                    site: site.clone(),
                    kind: kind.clone(),
                    page_token,
                    ..Default::default()
                };
                let page = api.kpi().list_anomalies(request).await?.into_inner();
                Ok((page.anomalies, page.next_page_token))
            })
            .await?
        }
        Target::Folder(engine) => {
            let (mut all, _) = engine.anomalies(&site).await?;
            all.retain(|one| kind.is_empty() || one.kind.word() == kind);
            let events = engine.events_of(all.iter().map(|one| one.position)).await;
            engine.close().await?;
            let events = events?;
            all.iter().map(|one| wire::anomaly(one, events.get(&one.position))).collect()
        }
    };
    let records = list.iter().map(|one| fields(one, &zone));
    let objects = list.iter().map(|one| object(one, &zone));
    output::list(args.format, || table(&list, &zone), &HEAD, records, objects)
}

const HEAD: [&str; 7] = ["position", "occurred_at", "stream", "event", "source", "kind", "reason"];

fn object(one: &KpiAnomaly, zone: &TimeZone) -> Value {
    let [_, occurred_at, stream, event, source, kind, reason] = fields(one, zone);
    json!({
        "position": position(one),
        "occurred_at": occurred_at,
        "stream": stream,
        "event": event,
        "source": source,
        "kind": kind,
        "reason": reason,
    })
}

fn position(one: &KpiAnomaly) -> u64 {
    one.event.as_ref().map_or(0, |event| event.position)
}

/// What has been dropped has a position only.
fn fields(one: &KpiAnomaly, zone: &TimeZone) -> [String; 7] {
    let event = one.event.clone().unwrap_or_default();
    let is_there = !event.stream.is_empty();
    let time = when::rfc3339(Micros(event.occurred_at_us), zone);
    [
        event.position.to_string(),
        if is_there { time } else { String::new() },
        event.stream,
        event.r#type,
        event.source,
        one.kind.clone(),
        one.reason.clone(),
    ]
}

fn table(list: &[KpiAnomaly], zone: &TimeZone) -> String {
    let mut table = output::plain_table();
    table.set_header(["position", "occurred", "stream", "event", "source", "why"]);
    for one in list {
        let [position, _, stream, event, source, _, reason] = fields(one, zone);
        let at = one.event.as_ref().filter(|event| !event.stream.is_empty());
        let at = at.map_or_else(String::new, |event| when::short(Micros(event.occurred_at_us), zone));
        table.add_row([format!("#{position}"), at, stream, event, source, reason]);
    }
    let facts = if list.len() == 1 { "odd fact" } else { "odd facts" };
    format!("{}\n{} {facts}", output::shown(table), human::number(list.len()))
}

#[cfg(test)]
mod tests {
    use pegcount_proto::v1::KpiEvent;

    use super::*;

    #[test]
    fn an_odd_fact_is_shown_with_its_place_and_why_and_a_dropped_one_by_its_position() {
        let there = KpiEvent {
            position: 42,
            stream: "main/agent/ann".into(),
            r#type: "leg ended".into(),
            occurred_at_us: 917_853_300_000_000,
            recorded_at_us: 917_853_300_000_001,
            source: "phone".into(),
            actor: "phone".into(),
        };
        let odd = |event: KpiEvent| KpiAnomaly {
            event: Some(event),
            kind: AnomalyKind::ReportsDiffer.word().to_owned(),
            reason: AnomalyKind::ReportsDiffer.to_string(),
        };
        let list = [odd(there), odd(KpiEvent { position: 7, ..Default::default() })];
        let shown = table(&list, &TimeZone::get("Asia/Jerusalem").unwrap());
        for part in
            ["#42", "main/agent/ann", "leg ended", "softphone and exchange differ", "#7", "2 odd facts"]
        {
            assert!(shown.contains(part), "without {part:?}:\n{shown}");
        }
        assert_eq!(fields(&list[1], &TimeZone::UTC)[1], "", "no time is known of what has been dropped");
    }
}
