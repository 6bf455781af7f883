//! A formula with its numbers in it: `(handle_talk 4m30s + handle_acw 40s) / handled 1 = 5m10s`.
//!
//! Invariant: what follows `=` is exact; what had to be rounded follows `≈`.

use pegcount_proto::v1::{ExplainKpiResponse, KpiColumn, KpiTerm, KpiValue, TermRole, Unit};

use crate::figures::{Cell, Unit as Shown, human, wire_cell, wire_columns};

/// The formula in numbers, with the figure at its end.
pub(super) fn in_numbers(answer: &ExplainKpiResponse) -> String {
    let column = answer.column.clone().unwrap_or_default();
    // A percentile is the middle of a bucket, not one of the waits.
    let is_percentile =
        !column.formula.is_empty() && answer.terms.iter().all(|term| term.role() == TermRole::Itself);
    let figure = figure(&column, answer.value.unwrap_or_default(), is_percentile);
    let terms = |plus: TermRole, minus: TermRole| sum(&answer.terms, plus, minus);
    let itself = terms(TermRole::Itself, TermRole::Unspecified);
    let above = terms(TermRole::Plus, TermRole::Minus);
    let below = terms(TermRole::Over, TermRole::OverMinus);
    match answer.terms.first().map(KpiTerm::role) {
        // A measure is its own formula.
        Some(TermRole::Itself) if is_percentile => format!("{} of {itself} {figure}", column.name),
        Some(TermRole::Itself) => format!("{} {figure}", column.name),
        _ => format!("{above} / {below} {figure}"),
    }
}

/// An amount of a unit, for the eye.
pub(super) fn amount(unit: Unit, amount: i64) -> String {
    match unit {
        Unit::Microseconds => human::spoken(amount),
        Unit::Count | Unit::Ratio | Unit::Unspecified => human::grouped(amount),
    }
}

/// `a 1 + b 2 − c 3`, in brackets if it is more than one term.
fn sum(terms: &[KpiTerm], plus: TermRole, minus: TermRole) -> String {
    let wanted: Vec<_> = terms.iter().filter(|term| [plus, minus].contains(&term.role())).collect();
    let term = |(index, term): (usize, &&KpiTerm)| {
        let sign = match (index, term.role() == minus) {
            (0, false) => "",
            (0, true) => "− ",
            (_, false) => " + ",
            (_, true) => " − ",
        };
        format!("{sign}{} {}", term.measure, amount(term.unit(), term.amount))
    };
    let text: String = wanted.iter().enumerate().map(term).collect();
    if wanted.len() > 1 { format!("({text})") } else { text }
}

/// The figure with its sign before it.
fn figure(column: &KpiColumn, value: KpiValue, is_percentile: bool) -> String {
    let shown = wire_columns(std::slice::from_ref(column)).into_iter().next();
    let Some(shown) = shown else { return String::new() };
    match (shown.unit, wire_cell(&shown, value)) {
        (_, Cell::Absent) => format!("= {} (nothing stands below the line)", human::ABSENT),
        (Shown::Duration, Cell::Amount(micros)) if is_percentile => {
            format!("≈ {}", human::spoken(human::to_millis(micros)))
        }
        (Shown::Duration, Cell::Amount(micros)) => format!("= {}", human::spoken(micros)),
        (Shown::Duration, Cell::Ratio { numerator, denominator }) => {
            let (micros, exact) = human::average(numerator, denominator);
            format!("{} {}", if exact { "=" } else { "≈" }, human::spoken(micros))
        }
        (_, cell @ Cell::Ratio { numerator, denominator }) => {
            // One decimal of a per cent, or of a number per hour, is what is shown.
            let exact =
                numerator.checked_mul(1_000).and_then(|scaled| scaled.checked_rem(denominator)) == Some(0);
            let hourly = if human::is_rate(&shown) { " an hour" } else { "" };
            format!("{} {}{hourly}", if exact { "=" } else { "≈" }, human::cell(&shown, cell))
        }
        (_, cell) => format!("= {}", human::cell(&shown, cell)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::samples::one_call;

    #[test]
    fn a_quotient_shows_its_terms_with_their_amounts_and_what_they_come_to() {
        let shown = in_numbers(&one_call());
        assert_eq!(shown, "(handle_talk 4m30s + handle_hold 0s + handle_acw 40s) / handled 1 = 5m10s");
    }

    #[test]
    fn what_is_rounded_says_so_and_what_has_no_denominator_is_absent() {
        let mut answer = one_call();
        answer.value = Some(KpiValue { absent: false, amount: 310_000_000, denominator: 3 });
        assert!(in_numbers(&answer).ends_with("≈ 1m43.333s"), "{}", in_numbers(&answer));
        answer.value = Some(KpiValue { absent: true, ..KpiValue::default() });
        assert!(in_numbers(&answer).ends_with("= – (nothing stands below the line)"));
    }

    #[test]
    fn a_share_subtracts_where_its_formula_does_and_a_measure_is_its_own_formula() {
        let term = |measure: &str, role: TermRole, amount| KpiTerm {
            measure: measure.into(),
            unit: Unit::Count.into(),
            role: role.into(),
            amount,
            item_count: 0,
        };
        let column = |name: &str, unit: Unit, formula: &str| {
            Some(KpiColumn {
                name: name.into(),
                unit: unit.into(),
                gauge: false,
                formula: formula.into(),
                meaning: String::new(),
            })
        };
        let mut answer = ExplainKpiResponse {
            column: column("abandon_rate", Unit::Ratio, "in words"),
            value: Some(KpiValue { absent: false, amount: 2, denominator: 8 }),
            terms: vec![
                term("abandoned", TermRole::Plus, 3),
                term("abandoned_short", TermRole::Minus, 1),
                term("ended", TermRole::Over, 9),
                term("abandoned_short", TermRole::OverMinus, 1),
            ],
            ..Default::default()
        };
        let rate = "(abandoned 3 − abandoned_short 1) / (ended 9 − abandoned_short 1) = 25.0 %";
        assert_eq!(in_numbers(&answer), rate);
        answer.column = column("abandoned", Unit::Count, "");
        answer.value = Some(KpiValue { absent: false, amount: 3, denominator: 0 });
        answer.terms = vec![term("abandoned", TermRole::Itself, 3)];
        assert_eq!(in_numbers(&answer), "abandoned = 3");
    }
}
