//! A day's sums and its judgement in plain words, for whoever asks why.
//!
//! Not for figures. Invariant: a day that is not compliant names every allowance that it went beyond, with actual and limit.

use pegcount_domain::{
    target::{Comparison, TARGET_UNIT},
    time::Micros,
};

use crate::{
    cells::Detail,
    day::{
        judge::{Broken, DayVerdict, Judge, MEASURED_MIN, MonthVerdict, is_agent_day},
        ledger::Day,
    },
    reference::EfficiencyTarget,
};

/// A duration as `h:mm:ss`, with its fraction if it has one.
fn clock(micros: i64) -> String {
    let seconds = micros / Micros::SECOND.0;
    let fraction = micros % Micros::SECOND.0;
    let whole = format!("{}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if fraction == 0 { whole } else { format!("{whole}.{fraction:06}").trim_end_matches('0').to_owned() }
}

fn sums(days: &[Day]) -> String {
    let sum = |of: &dyn Fn(&Day) -> i64| days.iter().map(of).sum::<i64>();
    let away = |day: &Day| day.absences.iter().map(|absence| absence.to.minus(absence.from).0).sum();
    format!(
        "signed in {}, available {}, away {}; inbound contacts: {}; sign-ins: {}",
        clock(sum(&Day::signed_in)),
        clock(sum(&|day| day.available)),
        clock(sum(&away)),
        sum(&|day| day.inbound),
        sum(&|day| day.sign_ins)
    )
}

fn efficiency(measured: bool, over_target: bool, target: EfficiencyTarget) -> String {
    let EfficiencyTarget { millionths, comparison } = target;
    let wanted = format!("{}.{:06}", millionths / TARGET_UNIT, (millionths % TARGET_UNIT).abs());
    let wanted = wanted.trim_end_matches('0').trim_end_matches('.');
    let than = match comparison {
        Comparison::Above => "more than",
        Comparison::AtLeast => "at least",
        Comparison::AtMost => "at most",
        Comparison::Below => "less than",
    };
    match (measured, over_target) {
        (false, _) => format!("efficiency: not measured, available for less than {}", clock(MEASURED_MIN)),
        (true, true) => format!("efficiency: {than} {wanted} inbound contacts per hour available"),
        (true, false) => format!("efficiency: not {than} {wanted} inbound contacts per hour available"),
    }
}

/// A day and what it comes to. `reason` tells the text of a reason.
pub(crate) fn of_day(
    judge: &Judge<'_>,
    day: &Day,
    verdict: DayVerdict,
    reason: impl Fn(Detail) -> String,
) -> Vec<String> {
    let mut words = vec![sums(std::slice::from_ref(day))];
    let mut broken: Vec<String> =
        judge.broken(day, verdict.team).map(|broken| of_broken(judge, broken, &reason)).collect();
    broken.sort_unstable();
    if !broken.is_empty() {
        words.extend(broken.into_iter().map(|broken| format!("not allowed: {broken}")));
    } else if judge.allowance(day, verdict.team).is_some() {
        words.push("within every allowance".to_owned());
    } else {
        words.push("within every allowance: none was defined".to_owned());
    }
    let target = judge.target_of(verdict.team, day.span.start);
    words.push(efficiency(verdict.measured, verdict.over_target, target));
    words
}

/// A month and what it comes to.
pub(crate) fn of_month(judge: &Judge<'_>, days: &[Day], verdict: MonthVerdict) -> Vec<String> {
    let days: Vec<Day> = days.iter().filter(|day| is_agent_day(day)).cloned().collect();
    let start = days.first().map_or(Micros::ZERO, |day| day.span.start);
    let target = judge.target_of(verdict.team, start);
    let days_in_words = format!("{} days with signed-in time: {}", days.len(), sums(&days));
    vec![days_in_words, efficiency(verdict.measured, verdict.over_target, target)]
}

fn of_broken(judge: &Judge<'_>, broken: Broken, reason: &impl Fn(Detail) -> String) -> String {
    let calendar = judge.reference.calendar();
    match broken {
        Broken::Total(actual, limit) => {
            format!("away {} altogether; the limit is {}", clock(actual), clock(limit))
        }
        Broken::Longest(why, actual, limit) => {
            format!("away {} at once for {}; the limit is {}", clock(actual), reason(why), clock(limit))
        }
        Broken::ReasonTotal(why, actual, limit) => {
            format!("away {} for {}; the limit is {}", clock(actual), reason(why), clock(limit))
        }
        Broken::ReasonCount(why, actual, limit) => {
            format!("away {actual} times for {}; the limit is {limit}", reason(why))
        }
        Broken::MealCount(actual, limit) => format!("{actual} meals; the limit is {limit}"),
        Broken::MealLongest(actual, limit) => {
            format!("a meal of {}; the limit is {}", clock(actual), clock(limit))
        }
        Broken::MealHours(from, to) => {
            let (from, to) = (calendar.shown(from), calendar.shown(to));
            format!("a meal out of hours, from {from} to {to}")
        }
        Broken::SignIns(actual, limit) => format!("{actual} sign-ins; the limit is {limit}"),
    }
}
