//! Agents' days and months, and the site's zones.

use pegcount_domain::{
    allowance::ZoneName,
    time::{Interval, Micros, Span},
};
use pegcount_proto::stored;

use super::{ArchiveError, Counts};
use crate::{
    agent::{
        clock::Reason,
        standing::{Standing, State},
    },
    books::Books,
    cells::Detail,
    day::{
        calendar::Calendar,
        judge::{DayVerdict, MonthVerdict},
        ledger::{Absence, Day, Ledger, Month},
    },
    reference::Reference,
};

type Read<T> = Result<T, ArchiveError>;

pub(super) fn archive_zones(reference: &Reference, figures: &mut stored::SiteFigures) {
    let zone = |(from, name): &(Micros, ZoneName)| stored::KnownZone {
        from: from.0,
        time_zone: name.as_str().to_owned(),
    };
    figures.zones = reference.calendar().zones().map(zone).collect();
    figures.days_fixed_to = reference.days_fixed_to().0;
    figures.has_days = true;
}

pub(super) fn restore_zones(reference: &mut Reference, figures: &stored::SiteFigures) {
    if !figures.has_days {
        return;
    }
    let mut calendar = Calendar::default();
    for zone in &figures.zones {
        calendar.define(Micros(zone.from), &ZoneName::new(&zone.time_zone));
    }
    reference.set_calendar(calendar, Micros(figures.days_fixed_to));
}

/// By their codes in `Carried.clock`.
const STATES: [(State, u32); 6] = [
    (State::Occupied, 2),
    (State::Lost, 3),
    (State::Ringing, 4),
    (State::Dialing, 5),
    (State::Away, 6),
    (State::Ready, 7),
];

pub(super) fn archive_standings(books: &Books, figures: &mut stored::SiteFigures) {
    let standing = |standing: &Standing| stored::KnownStanding {
        interval: standing.interval.0,
        agent: standing.agent.0,
        team: standing.team.0,
        clock: STATES.iter().find(|(state, _)| *state == standing.state).map_or(0, |(_, code)| *code),
    };
    figures.standings = books.all_standings().map(standing).collect();
}

pub(super) fn restore_standings(
    books: &mut Books,
    figures: &stored::SiteFigures,
    counts: Counts,
) -> Read<()> {
    for known in &figures.standings {
        let state = STATES.iter().find(|(_, code)| *code == known.clock);
        let (state, _) = *state.ok_or(ArchiveError::Wrong("a code is unknown"))?;
        let (agent, team) = (counts.name(known.agent)?, counts.name(known.team)?);
        let interval = Interval(known.interval);
        books.enter_standings(&[Standing { interval, agent, team, state }], 1);
    }
    Ok(())
}

pub(super) fn archived_days(ledger: &Ledger) -> Vec<stored::AgentDay> {
    ledger.days.iter().map(archived_day).collect()
}

fn archived_day(day: &Day) -> stored::AgentDay {
    let absence = |absence: &Absence| stored::KnownAbsence {
        from: absence.from.0,
        to: absence.to.0,
        reason: absence.reason.0,
    };
    stored::AgentDay {
        from: day.span.start.0,
        to: day.span.end.0,
        teams: day.teams.iter().map(|(team, _)| team.0).collect(),
        signed_in: day.teams.iter().map(|(_, time)| *time).collect(),
        available: day.available,
        inbound: day.inbound,
        sign_ins: day.sign_ins,
        went: day.went.iter().map(|(reason, _)| reason.0).collect(),
        times: day.went.iter().map(|(_, times)| *times).collect(),
        absences: day.absences.iter().map(absence).collect(),
        entered: day.entered.map(|entered| stored::KnownJudgement {
            team: entered.team.0,
            compliant: entered.compliant,
            measured: entered.measured,
            over_target: entered.over_target,
        }),
    }
}

pub(super) fn archived_months(ledger: &Ledger) -> Vec<stored::AgentMonth> {
    let judgement = |entered: MonthVerdict| stored::KnownJudgement {
        team: entered.team.0,
        compliant: false,
        measured: entered.measured,
        over_target: entered.over_target,
    };
    let month = |month: &Month| stored::AgentMonth {
        from: month.span.start.0,
        to: month.span.end.0,
        entered: month.entered.map(judgement),
    };
    ledger.months.iter().map(month).collect()
}

pub(super) fn ledger_of(unit: &stored::AgentUnit, counts: Counts) -> Read<Ledger> {
    let ledger = Ledger {
        days: unit.days.iter().map(|day| day_of(day, counts)).collect::<Read<_>>()?,
        months: unit.months.iter().map(|month| month_of(month, counts)).collect::<Read<_>>()?,
    };
    let days = ledger.days.windows(2).all(|two| matches!(two, [a, b] if a.span.end <= b.span.start));
    let months = ledger.months.windows(2).all(|two| matches!(two, [a, b] if a.span.end <= b.span.start));
    if days && months { Ok(ledger) } else { Err(ArchiveError::Wrong("an agent's days are out of order")) }
}

fn span(from: i64, to: i64) -> Read<Span> {
    if from < to {
        Ok(Span::new(Micros(from), Micros(to)))
    } else {
        Err(ArchiveError::Wrong("a day ends before it begins"))
    }
}

fn day_of(day: &stored::AgentDay, counts: Counts) -> Read<Day> {
    if day.teams.len() != day.signed_in.len() || day.went.len() != day.times.len() {
        return Err(ArchiveError::Wrong("an agent's day has too few amounts"));
    }
    let reason = |detail: u32| match Reason::of_machine(Detail(detail)) {
        Some(_) => Ok(Detail(detail)),
        None => counts.name(detail).map(|_| Detail(detail)),
    };
    let mut out = Day::new(span(day.from, day.to)?);
    for (team, time) in day.teams.iter().zip(&day.signed_in) {
        out.teams.push((counts.name(*team)?, *time));
    }
    for (why, times) in day.went.iter().zip(&day.times) {
        out.went.push((reason(*why)?, *times));
    }
    for absence in &day.absences {
        let (from, to) = (Micros(absence.from), Micros(absence.to));
        out.absences.push(Absence { from, to, reason: reason(absence.reason)? });
    }
    (out.available, out.inbound, out.sign_ins) = (day.available, day.inbound, day.sign_ins);
    if let Some(entered) = &day.entered {
        let (team, compliant) = (counts.name(entered.team)?, entered.compliant);
        let (measured, over_target) = (entered.measured, entered.over_target);
        out.entered = Some(DayVerdict { team, compliant, measured, over_target });
    }
    Ok(out)
}

fn month_of(month: &stored::AgentMonth, counts: Counts) -> Read<Month> {
    let entered = match &month.entered {
        Some(entered) => Some(MonthVerdict {
            team: counts.name(entered.team)?,
            measured: entered.measured,
            over_target: entered.over_target,
        }),
        None => None,
    };
    Ok(Month { span: span(month.from, month.to)?, entered, stale: false })
}
