//! An explanation as JSON.
//!
//! Invariant: counts are whole numbers, durations decimal seconds, times RFC 3339; what is absent is `null`.

use jiff::tz::TimeZone;
use pegcount_domain::time::Micros;
use pegcount_proto::v1::{ExplainKpiResponse, KpiEvent, KpiItem, KpiTerm, Unit};
use serde_json::{Value, json};

use crate::{
    figures::{exact, wire_cell, wire_columns},
    kpi::question::Question,
    output, when,
};

/// The whole report.
pub(super) fn report(answer: &ExplainKpiResponse, question: &Question) -> String {
    format!("{:#}", object(answer, &question.zone))
}

fn object(answer: &ExplainKpiResponse, zone: &TimeZone) -> Value {
    let column = answer.column.clone().unwrap_or_default();
    let shown = wire_columns(std::slice::from_ref(&column)).into_iter().next();
    let value = shown.and_then(|shown| wire_cell(&shown, answer.value.unwrap_or_default()).exact(shown.unit));
    let unit_of = |measure: &str| {
        answer.terms.iter().find(|term| term.measure == measure).map_or(Unit::Count, KpiTerm::unit)
    };
    json!({
        "column": column.name,
        "unit": word(column.unit()),
        "value": value.map_or(Value::Null, exact::json),
        "formula": column.formula,
        "formula_version": answer.formula_version,
        "formula_versions": answer.formula_versions,
        "older_definitions": (answer.older_definitions != 0).then_some(answer.older_definitions),
        "terms": answer.terms.iter().map(term).collect::<Vec<_>>(),
        "items": answer.items.iter().map(|one| item(one, unit_of(&one.measure), zone)).collect::<Vec<_>>(),
        "item_count": answer.item_count,
        "as_of": when::rfc3339(Micros(answer.as_of_us), zone),
        "position": answer.position,
        "incarnation": output::hex(&answer.incarnation),
        "moved_on": answer.moved_on,
    })
}

fn term(term: &KpiTerm) -> Value {
    json!({
        "measure": term.measure,
        "unit": word(term.unit()),
        "role": term.role().as_str_name().trim_start_matches("TERM_ROLE_").to_lowercase(),
        "amount": amount(term.unit(), term.amount),
        "items": term.item_count,
    })
}

fn item(item: &KpiItem, unit: Unit, zone: &TimeZone) -> Value {
    let named = |name: &String| if name.is_empty() { Value::Null } else { Value::from(name.as_str()) };
    json!({
        "measure": item.measure,
        "amount": amount(unit, item.amount),
        "from": when::rfc3339(Micros(item.from_us), zone),
        "to": when::rfc3339(Micros(item.to_us), zone),
        "agent": named(&item.agent),
        "queue": named(&item.queue),
        "formula_version": (item.formula_version != 0).then_some(item.formula_version),
        "events": item.events.iter().map(|one| event(one, zone)).collect::<Vec<_>>(),
        "event_count": item.event_count,
        "notes": item.notes,
    })
}

fn event(event: &KpiEvent, zone: &TimeZone) -> Value {
    json!({
        "position": event.position,
        "stream": event.stream,
        "type": event.r#type,
        "occurred_at": when::rfc3339(Micros(event.occurred_at_us), zone),
        "recorded_at": when::rfc3339(Micros(event.recorded_at_us), zone),
        "source": event.source,
        "actor": event.actor,
    })
}

fn word(unit: Unit) -> &'static str {
    match unit {
        Unit::Microseconds => "s",
        Unit::Ratio => "ratio",
        Unit::Count | Unit::Unspecified => "count",
    }
}

fn amount(unit: Unit, amount: i64) -> Value {
    if unit == Unit::Microseconds { exact::json(exact::seconds(amount)) } else { Value::from(amount) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::samples::one_call;

    #[test]
    fn amounts_are_seconds_or_counts_and_the_items_sum_to_the_terms() {
        let read = object(&one_call(), &TimeZone::get("Asia/Jerusalem").unwrap());
        assert_eq!((read["value"].as_f64(), read["unit"].as_str()), (Some(310.0), Some("s")));
        assert_eq!(
            read["terms"][3],
            json!({"measure": "handled", "unit": "count", "role": "over", "amount": 1, "items": 1})
        );
        let talk = &read["items"][1];
        assert_eq!(talk["from"], "1999-02-01T09:10:20+02:00");
        assert_eq!((talk["amount"].as_i64(), talk["queue"].is_null()), (Some(270), true));
        assert_eq!(talk["events"][0]["type"], "leg answered");
    }
}
