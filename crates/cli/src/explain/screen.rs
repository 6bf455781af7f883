//! An explanation for a terminal: the formula in words and in numbers, the items with their events, the sums.
//!
//! Invariant: if all items are shown, the sums at the bottom are taken from what was shown, not from what was told.

use std::collections::BTreeSet;

use comfy_table::{Cell as Field, CellAlignment};
use jiff::tz::TimeZone;
use pegcount_domain::time::Micros;
use pegcount_proto::v1::{ExplainKpiResponse, KpiEvent, KpiItem, KpiTerm, Unit};

use super::formula;
use crate::{figures::human, output, when};

/// The whole report under a headline.
pub(super) fn report(headline: &str, answer: &ExplainKpiResponse, zone: &TimeZone) -> String {
    let column = answer.column.as_ref();
    let words = column.map(|column| column.formula.as_str()).unwrap_or_default();
    let mut lines = vec![headline.to_owned()];
    let name = column.map_or("", |column| column.name.as_str());
    match column.map(|column| column.meaning.as_str()).unwrap_or_default() {
        "" if words.is_empty() => {}
        "" => lines.push(format!("{name} = {words}")),
        meaning => lines.push(format!("{name}: {meaning}")),
    }
    lines.push(formula::in_numbers(answer));
    lines.push(String::new());
    if answer.items.is_empty() {
        lines.push("nothing counts in it: there is no span and no count".to_owned());
    } else {
        lines.push(output::shown(table(answer, zone)));
        lines.push(String::new());
        lines.extend(sums(answer));
        lines.push(formula::in_numbers(answer));
    }
    lines.push(foot(answer, zone));
    lines.join("\n")
}

fn table(answer: &ExplainKpiResponse, zone: &TimeZone) -> comfy_table::Table {
    let has_agents = answer.items.iter().any(|item| !item.agent.is_empty());
    let has_queues = answer.items.iter().any(|item| !item.queue.is_empty());
    let has_ends = answer.items.iter().any(|item| item.from_us != item.to_us);
    let mut table = output::plain_table();
    let head = ["measure", "amount", "from"].into_iter().chain(has_ends.then_some("to"));
    let head = head.chain(has_agents.then_some("agent")).chain(has_queues.then_some("queue"));
    table.set_header(head.chain(["events"]));
    let mut told = BTreeSet::new();
    for item in &answer.items {
        let amount = formula::amount(unit_of(&answer.terms, &item.measure), item.amount);
        let named = |name: &String| if name.is_empty() { human::ABSENT.to_owned() } else { name.clone() };
        let mut row = vec![
            Field::new(&item.measure),
            Field::new(amount).set_alignment(CellAlignment::Right),
            Field::new(local(item.from_us, zone)),
        ];
        row.extend(has_ends.then(|| Field::new(end(item, zone))));
        row.extend(has_agents.then(|| Field::new(named(&item.agent))));
        row.extend(has_queues.then(|| Field::new(named(&item.queue))));
        row.push(Field::new(events(item, zone, &mut told)));
        table.add_row(row);
    }
    table
}

fn unit_of(terms: &[KpiTerm], measure: &str) -> Unit {
    terms.iter().find(|term| term.measure == measure).map_or(Unit::Count, KpiTerm::unit)
}

/// Date and time of day.
fn local(at: i64, zone: &TimeZone) -> String {
    format!("{} {}", when::date(Micros(at), zone), when::clock_time(Micros(at), zone))
}

/// Where a span ended, without the date if it is the date of its beginning; nothing for a count.
fn end(item: &KpiItem, zone: &TimeZone) -> String {
    let (from, to) = (Micros(item.from_us), Micros(item.to_us));
    if from == to {
        String::new()
    } else if when::date(from, zone) == when::date(to, zone) {
        when::clock_time(to, zone)
    } else {
        local(item.to_us, zone)
    }
}

/// The events behind an item: one a line where they are told for the first time, later by position only.
fn events(item: &KpiItem, zone: &TimeZone, told: &mut BTreeSet<u64>) -> String {
    let left_out = item.event_count.saturating_sub(u64::try_from(item.events.len()).unwrap_or(u64::MAX));
    let is_new = item.events.iter().any(|event| !told.contains(&event.position));
    let mut text: Vec<String> = if is_new {
        event_lines(&item.events, zone)
    } else {
        let positions: Vec<_> = item.events.iter().map(|event| format!("#{}", event.position)).collect();
        vec![positions.join(" ")]
    };
    told.extend(item.events.iter().map(|event| event.position));
    if left_out > 0 {
        text.insert(text.len() / 2, format!("… {left_out} more …"));
    }
    // What a day came to says more than its many events.
    text.splice(0..0, item.notes.iter().cloned());
    text.join("\n")
}

/// `#6 09:10:20 leg answered`, each; where another contact or ticket begins, with its name.
fn event_lines(events: &[KpiEvent], zone: &TimeZone) -> Vec<String> {
    let mut last = "";
    let mut lines = Vec::with_capacity(events.len());
    for event in events {
        let stream = event.stream.split_once('/').map_or("", |(_, stream)| stream);
        // The agent has a column of its own.
        let is_new = stream != last && !stream.starts_with("agent/");
        let about = if is_new { format!(" · {stream}") } else { String::new() };
        let time = when::clock_time(Micros(event.occurred_at_us), zone);
        lines.push(format!("#{} {time} {}{about}", event.position, event.r#type));
        last = stream;
    }
    lines
}

/// What the items come to.
fn sums(answer: &ExplainKpiResponse) -> Vec<String> {
    let shown = u64::try_from(answer.items.len()).unwrap_or(u64::MAX);
    let mut measures: Vec<&KpiTerm> = Vec::new();
    for term in &answer.terms {
        if !measures.iter().any(|known| known.measure == term.measure) {
            measures.push(term);
        }
    }
    let sum = |term: &&KpiTerm| {
        let own = answer.items.iter().filter(|item| item.measure == term.measure);
        let (sum, count) =
            own.fold((0i64, 0u64), |(sum, count), item| (sum.saturating_add(item.amount), count + 1));
        let (sum, count) =
            if shown == answer.item_count { (sum, count) } else { (term.amount, term.item_count) };
        let items = if count == 1 { "item" } else { "items" };
        let (sum, count) = (formula::amount(term.unit(), sum), human::number(count));
        format!("{} {sum} in {count} {items}", term.measure)
    };
    let all: Vec<_> = measures.iter().map(sum).collect();
    let mut lines = vec![format!("sum: {}", all.join(", "))];
    if shown < answer.item_count {
        lines.push(format!(
            "shown are {} of {} items; --limit {} shows all",
            human::number(shown),
            human::number(answer.item_count),
            answer.item_count
        ));
    }
    if answer.moved_on {
        lines.push("events came in while the pages were read, so that items may be missing or stand twice: ask again".to_owned());
    }
    lines
}

fn foot(answer: &ExplainKpiResponse, zone: &TimeZone) -> String {
    let versions: Vec<_> = answer.formula_versions.iter().map(ToString::to_string).collect();
    let counted = if versions.len() > 1 {
        format!(", counted by versions {}", versions.join(", "))
    } else {
        String::new()
    };
    let older = if answer.older_definitions == 0 {
        String::new()
    } else {
        format!(
            "\nit still stands on the definitions from before log position {}; later ones are being taken in",
            answer.older_definitions
        )
    };
    format!(
        "open work counted to {} · log position {} · formulas version {}{counted}{older}",
        when::rfc3339(Micros(answer.as_of_us), zone),
        answer.position,
        answer.formula_version,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::samples::one_call;

    fn shown(answer: &ExplainKpiResponse) -> String {
        report("aht of bank", answer, &TimeZone::get("Asia/Jerusalem").unwrap())
    }

    #[test]
    fn a_report_tells_each_event_once_and_later_by_its_position() {
        let expected = "\
aht of bank
aht = (handle_talk + handle_hold + handle_acw) / handled
(handle_talk 4m30s + handle_hold 0s + handle_acw 40s) / handled 1 = 5m10s

measure       amount   from                  to         agent   events
──────────────────────────────────────────────────────────────────────────────────────────────────
handled            1   1999-02-01 09:10:20   09:15:30   ann     #6 09:10:20 leg answered
                                                                #7 09:14:50 leg ended
                                                                #8 09:15:30 leg after call ended
handle_talk    4m30s   1999-02-01 09:10:20   09:15:30   ann     #6 #7 #8
handle_acw       40s   1999-02-01 09:10:20   09:15:30   ann     #6 #7 #8

sum: handle_talk 4m30s in 1 item, handle_hold 0s in 0 items, handle_acw 40s in 1 item, handled 1 in 1 item
(handle_talk 4m30s + handle_hold 0s + handle_acw 40s) / handled 1 = 5m10s
open work counted to 1999-02-01T10:10:20+02:00 · log position 8 · formulas version 1";
        assert_eq!(shown(&one_call()), expected);
    }

    #[test]
    fn items_that_are_not_shown_are_counted_and_pages_that_do_not_belong_together_are_told() {
        let mut answer = one_call();
        answer.items.truncate(1);
        answer.moved_on = true;
        let report = shown(&answer);
        assert!(report.contains("shown are 1 of 3 items; --limit 3 shows all"), "{report}");
        assert!(report.contains("handle_talk 4m30s in 1 item"), "{report}");
        assert!(report.contains("ask again"), "{report}");
    }

    #[test]
    fn events_that_were_left_out_are_counted_where_they_are_missing() {
        let mut answer = one_call();
        answer.items[0].event_count = 30;
        assert!(shown(&answer).contains("… 27 more …"), "{}", shown(&answer));
    }
}
