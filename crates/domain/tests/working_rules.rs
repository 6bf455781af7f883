//! The rules of working time, one test each.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod working_support;

use pegcount_domain::{
    calendar::{CalendarDefinition, MakeUpDay, Weekday, Window},
    ids::Name,
    time::Micros,
    working::{DayChange, DayPlan, Hours, WorkingCalendar, WorkingError, WorkingHistory, WorkingRules},
};
use working_support::*;

fn calendar(rules: WorkingRules) -> WorkingCalendar {
    WorkingCalendar::new(&WorkingHistory::of(rules)).unwrap()
}

fn changed(rules: WorkingRules, changes: &[(&str, DayPlan, &str)]) -> WorkingCalendar {
    let change = |(on, plan, from): &(&str, DayPlan, &str)| DayChange {
        date: date(on),
        plan: plan.clone(),
        valid_from: at(from),
    };
    let changes = changes.iter().map(change).collect();
    WorkingCalendar::new(&WorkingHistory { rules: vec![rules], changes }).unwrap()
}

#[test]
fn a_window_holds_its_first_instant_and_not_the_one_after_its_last() {
    let office = calendar(office());
    let works = |text: &str| office.works_at(at(text)).unwrap();
    assert!(works("2026-11-27T09:00+08:00") && works("2026-11-27T11:59:59.999999+08:00"));
    assert!(!works("2026-11-27T08:59:59.999999+08:00") && !works("2026-11-27T12:00+08:00"));
    assert!(!works("2026-11-28T10:00+08:00"), "a Saturday");
}

#[test]
fn eight_hours_from_friday_afternoon_end_on_monday_afternoon() {
    let office = calendar(office());
    let friday = at("2026-11-27T15:00+08:00");
    assert_eq!(office.after(friday, hours(8)).unwrap(), at("2026-11-30T15:00+08:00"));
    assert_eq!(office.between(friday, at("2026-11-30T15:00+08:00")).unwrap(), hours(8));
    assert_eq!(office.after(at("2026-11-30T15:00+08:00"), Micros(-hours(8).0)).unwrap(), friday);
}

#[test]
fn an_amount_that_is_used_up_as_a_window_ends_ends_with_it_and_not_as_the_next_begins() {
    let office = calendar(office());
    let friday = at("2026-11-27T15:00+08:00");
    assert_eq!(office.after(friday, hours(3)).unwrap(), at("2026-11-27T18:00+08:00"));
    let monday = at("2026-11-30T09:00+08:00");
    assert_eq!(office.after(monday, Micros(-hours(3).0)).unwrap(), at("2026-11-27T15:00+08:00"));
    assert_eq!(office.after(at("2026-11-30T10:00+08:00"), Micros(-hours(1).0)).unwrap(), monday);
    assert_eq!(
        office.after(at("2026-11-28T10:00+08:00"), Micros::ZERO).unwrap(),
        at("2026-11-28T10:00+08:00")
    );
}

#[test]
fn measured_the_other_way_round_it_is_less_than_nothing() {
    let office = calendar(office());
    let (earlier, later) = (at("2026-11-27T09:00+08:00"), at("2026-11-28T00:00+08:00"));
    assert_eq!(office.between(later, earlier).unwrap(), Micros(-hours(8).0));
    assert_eq!(office.between(earlier, earlier).unwrap(), Micros::ZERO);
}

#[test]
fn a_holiday_is_not_worked_and_a_make_up_day_is_worked_like_the_day_that_it_makes_up_for() {
    // Mid-Autumn 2026: Friday 25 September is free, Sunday 20 September was worked for it.
    let mut rules = office();
    rules.holidays = vec![date("2026-09-25")];
    rules.make_up_days = vec![MakeUpDay { date: date("2026-09-20"), like: Weekday::Friday }];
    let office = calendar(rules);
    assert!(!office.works_at(at("2026-09-25T10:00+08:00")).unwrap());
    assert!(office.works_at(at("2026-09-20T10:00+08:00")).unwrap());
    let monday = at("2026-09-14T00:00+08:00");
    assert_eq!(office.between(monday, at("2026-09-28T00:00+08:00")).unwrap(), hours(10 * 8));
}

#[test]
fn of_a_change_a_make_up_day_and_a_holiday_for_one_date_the_first_holds() {
    let mut rules = office();
    rules.holidays = vec![date("2026-11-27"), date("2026-11-28")];
    rules.make_up_days = vec![MakeUpDay { date: date("2026-11-28"), like: Weekday::Friday }];
    let early = vec![window("6:00-7:00")];
    let office = changed(rules, &[("2026-11-27", DayPlan::Hours(early), "2026-01-01T00:00Z")]);
    let day = |from: &str, to: &str| office.between(at(from), at(to)).unwrap();
    assert_eq!(day("2026-11-27T00:00+08:00", "2026-11-28T00:00+08:00"), hours(1));
    assert_eq!(day("2026-11-28T00:00+08:00", "2026-11-29T00:00+08:00"), hours(8));
}

#[test]
fn a_change_counts_from_the_instant_on_from_which_it_is_in_force() {
    let noon = "2026-11-27T11:00+08:00";
    let office = changed(office(), &[("2026-11-27", DayPlan::Closed, noon)]);
    let (from, to) = (at("2026-11-27T00:00+08:00"), at("2026-11-28T00:00+08:00"));
    assert_eq!(office.between(from, to).unwrap(), hours(2), "closed at 11: 9 to 11 stays worked");
}

#[test]
fn a_change_can_be_taken_back_and_holds_over_a_new_definition() {
    let mut later = office();
    later.valid_from = at("2026-11-01T00:00Z");
    let change = |plan, from: &str| DayChange { date: date("2026-11-27"), plan, valid_from: at(from) };
    let mut history = WorkingHistory { rules: vec![office(), later], changes: Vec::new() };
    history.changes.push(change(DayPlan::Closed, "2026-10-01T00:00Z"));
    let day = |history: &WorkingHistory| {
        let office = WorkingCalendar::new(history).unwrap();
        office.between(at("2026-11-27T00:00+08:00"), at("2026-11-28T00:00+08:00")).unwrap()
    };
    assert_eq!(day(&history), Micros::ZERO);
    history.changes.push(change(DayPlan::AsUsual, "2026-11-20T00:00Z"));
    assert_eq!(day(&history), hours(8));
    history.changes.push(change(DayPlan::Like(Weekday::Sunday), "2026-11-21T00:00Z"));
    assert_eq!(day(&history), Micros::ZERO);
}

#[test]
fn a_new_definition_changes_nothing_before_it_is_in_force() {
    let mut short = rules("Asia/Shanghai", week(MONDAY_TO_FRIDAY, &["9:00-10:00"]));
    short.valid_from = at("2026-11-27T09:30+08:00");
    let history = WorkingHistory { rules: vec![short, office()], changes: Vec::new() };
    let office = WorkingCalendar::new(&history).unwrap();
    let week = office.between(at("2026-11-23T00:00+08:00"), at("2026-11-30T00:00+08:00")).unwrap();
    assert_eq!(week, hours(4 * 8 + 1));
}

#[test]
fn before_the_first_definition_nothing_is_working_time() {
    let mut rules = office();
    rules.valid_from = at("2026-11-27T10:00+08:00");
    let office = calendar(rules);
    assert_eq!(office.between(at("2020-01-01T00:00Z"), at("2026-11-27T11:00+08:00")).unwrap(), hours(1));
    assert_eq!(office.opens(at("2026-11-01T00:00Z")).unwrap(), at("2026-11-27T10:00+08:00"));
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins_and_a_day_may_end_at_24() {
    let mut rules = rules("Asia/Shanghai", week(&[Weekday::Friday], &["22:00-6:00"]));
    rules.week.extend(week(&[Weekday::Sunday], &["20:00-24:00"]));
    rules.holidays = vec![date("2026-11-28")];
    let night = calendar(rules);
    assert!(
        night.works_at(at("2026-11-28T05:59+08:00")).unwrap(),
        "Saturday is a holiday, the night is Friday's"
    );
    assert_eq!(night.after(at("2026-11-27T00:00+08:00"), hours(8)).unwrap(), at("2026-11-28T06:00+08:00"));
    assert_eq!(night.after(at("2026-11-28T12:00+08:00"), hours(4)).unwrap(), at("2026-11-30T00:00+08:00"));
}

#[test]
fn windows_that_overlap_or_touch_count_every_instant_once() {
    let windows = week(&[Weekday::Friday], &["9:00-12:00", "11:00-13:00", "13:00-14:00", "9:30-10:00"]);
    let calendar = calendar(rules("Asia/Shanghai", windows));
    let day = calendar.between(at("2026-11-27T00:00+08:00"), at("2026-11-28T00:00+08:00")).unwrap();
    assert_eq!(day, hours(5));
}

#[test]
fn a_day_round_the_clock_has_23_24_or_25_hours_and_lord_howe_s_clocks_jump_by_half_an_hour() {
    let everyday = |zone| calendar(rules(zone, week(Weekday::ALL, &["0:00-24:00"])));
    let new_york = everyday("America/New_York");
    let day = |from: &str, to: &str| new_york.between(at(from), at(to)).unwrap();
    assert_eq!(day("2026-03-08T00:00-05:00", "2026-03-09T00:00-04:00"), hours(23));
    assert_eq!(day("2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00"), hours(25));
    let early = calendar(rules("Australia/Lord_Howe", week(&[Weekday::Sunday], &["0:00-3:00"])));
    let morning = |from: &str, to: &str| early.between(at(from), at(to)).unwrap();
    assert_eq!(morning("2026-10-04T00:00+10:30", "2026-10-04T12:00+11:00"), minutes(150));
    assert_eq!(morning("2026-04-05T00:00+11:00", "2026-04-05T12:00+10:30"), minutes(210));
}

#[test]
fn a_window_in_a_gap_is_gone_and_one_at_its_edge_begins_or_ends_with_the_jump() {
    // On 2026-03-08 in New York the hour from 2 to 3 is left out.
    let windows = ["2:00-3:00", "1:00-2:30", "2:30-4:00"];
    let worked = windows.map(|window| {
        let calendar = calendar(rules("America/New_York", week(&[Weekday::Sunday], &[window])));
        calendar.between(at("2026-03-08T00:00-05:00"), at("2026-03-09T00:00-04:00")).unwrap()
    });
    assert_eq!(worked, [Micros::ZERO, hours(1), hours(1)]);
}

#[test]
fn in_a_fold_a_reading_means_the_first_time_that_it_is_shown_and_neighbours_leave_nothing_out() {
    // On 2026-11-01 in New York the hour from 1 to 2 is shown twice.
    let windows = ["1:00-1:45", "1:45-3:00", "1:00-3:00", "0:00-1:00"];
    let worked = windows.map(|window| {
        let calendar = calendar(rules("America/New_York", week(&[Weekday::Sunday], &[window])));
        calendar.between(at("2026-11-01T00:00-04:00"), at("2026-11-02T00:00-05:00")).unwrap()
    });
    assert_eq!(worked, [minutes(45), minutes(135), hours(3), hours(1)]);
}

#[test]
fn the_day_that_samoa_left_out_is_no_working_time() {
    let apia = calendar(rules("Pacific/Apia", week(Weekday::ALL, &["9:00-17:00"])));
    let days = apia.between(at("2011-12-29T00:00-10:00"), at("2012-01-01T00:00+14:00")).unwrap();
    assert_eq!(days, hours(2 * 8), "29 and 31 December; there was no 30");
}

#[test]
fn a_calendar_that_never_works_says_so_instead_of_searching_for_ever() {
    let never = calendar(rules("Asia/Shanghai", Vec::new()));
    let from = at("2026-11-27T00:00Z");
    for (amount, way) in [(hours(1), "forwards"), (Micros(-hours(1).0), "backwards")] {
        let error = never.after(from, amount).unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, WorkingError::NeverWorks { .. }), "{error:?}");
        assert_eq!(
            text,
            format!(
                "the calendar has no working time for 10 years from 2026-11-27T00:00:00Z on, {way}; 1:00:00 h of working \
                 time were still to be found: give it windows, or use calendar time"
            )
        );
    }
    assert!(matches!(never.opens(from), Err(WorkingError::NeverWorks { .. })));
    assert!(matches!(never.day_end(from, 1), Err(WorkingError::NeverWorks { .. })));
    assert_eq!(never.between(from, at("2027-11-27T00:00Z")).unwrap(), Micros::ZERO);
    assert_eq!(never.after(from, Micros::ZERO).unwrap(), from);
    let empty = WorkingCalendar::new(&WorkingHistory::default()).unwrap();
    assert!(matches!(empty.day_end(from, 0), Err(WorkingError::NeverWorks { .. })));
}

#[test]
fn a_calendar_that_is_worked_out_runs_out_of_time_and_not_of_patience() {
    let mut rules = rules("Asia/Shanghai", Vec::new());
    rules.week = week(&[Weekday::Friday], &["9:00-9:01"]);
    let rare = calendar(rules);
    let from = at("2026-11-27T00:00Z");
    assert!(matches!(rare.after(from, hours(1_000)), Err(WorkingError::OutOfRange { .. })));
    assert!(matches!(rare.after(from, Micros::MAX), Err(WorkingError::OutOfRange { .. })));
    assert!(matches!(rare.after(from, Micros(i64::MIN)), Err(WorkingError::OutOfRange { .. })));
    assert!(matches!(rare.works_at(Micros(-1)), Err(WorkingError::OutOfRange { .. })));
    assert!(matches!(rare.between(from, Micros::MAX), Err(WorkingError::OutOfRange { .. })));
    let end = WorkingCalendar::COVERS.end;
    assert!(rare.between(from, end).is_ok() && end > at("2199-12-31T00:00Z"));
}

#[test]
fn working_days_are_counted_from_the_day_after_and_end_with_their_last_window() {
    let office = calendar(office());
    let friday = at("2026-11-27T10:00+08:00");
    let end = |at, days| office.day_end(at, days).unwrap();
    assert_eq!(end(friday, 0), at("2026-11-27T18:00+08:00"), "the same day");
    assert_eq!(end(friday, 1), at("2026-11-30T18:00+08:00"));
    assert_eq!(end(friday, 3), at("2026-12-02T18:00+08:00"));
    let evening = at("2026-11-27T20:00+08:00");
    assert_eq!(end(evening, 0), at("2026-11-30T18:00+08:00"), "nothing of the day is left");
    assert_eq!(end(evening, 1), at("2026-11-30T18:00+08:00"));
    assert_eq!(end(at("2026-11-28T10:00+08:00"), 1), at("2026-11-30T18:00+08:00"), "Saturday");
    assert_eq!(end(friday, 300), at("2028-01-21T18:00+08:00"));
}

#[test]
fn a_night_s_work_is_still_the_day_on_which_it_began() {
    let night = calendar(rules("Asia/Shanghai", week(Weekday::ALL, &["22:00-6:00"])));
    let small_hours = at("2026-11-27T02:00+08:00");
    assert_eq!(night.day_end(small_hours, 0).unwrap(), at("2026-11-27T06:00+08:00"));
    assert_eq!(night.day_end(small_hours, 1).unwrap(), at("2026-11-28T06:00+08:00"));
    assert_eq!(night.day_end(at("2026-11-27T12:00+08:00"), 0).unwrap(), at("2026-11-28T06:00+08:00"));
}

#[test]
fn what_cannot_be_meant_is_refused_with_the_field_and_what_to_say_instead() {
    let refused = |change: &dyn Fn(&mut WorkingHistory)| {
        let mut history = WorkingHistory::of(office());
        change(&mut history);
        WorkingCalendar::new(&history).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&|history| history.rules[0].time_zone =
            pegcount_domain::allowance::ZoneName::new("Asia/Atlantis")),
        "rules[0].time_zone is \"Asia/Atlantis\", which the time zone database does not know; use a name like \
         Asia/Shanghai"
    );
    assert_eq!(
        refused(&|history| history.rules[0].week[1].hours = Hours::new(540, 540)),
        "rules[0].week[1].hours is from minute 540 to minute 540; give two different minutes since midnight, from 0 to \
         1439 and to 1 to 1440 (all day is 0 to 1440)"
    );
    assert_eq!(
        refused(&|history| history.rules[0].holidays = vec![date("2026-02-29")]),
        "rules[0].holidays[0] is 20260229, which is no date; a date is written yyyymmdd, like 20261001"
    );
    let twice = MakeUpDay { date: date("2026-11-28"), like: Weekday::Friday };
    assert_eq!(
        refused(&|history| history.rules[0].make_up_days = vec![twice, twice]),
        "rules[0].make_up_days[1].date is 2026-11-28, which was said before; say it once"
    );
    assert_eq!(
        refused(&|history| history.rules[0].holidays = vec![date("2026-11-28"); 10_001]),
        "rules[0].holidays holds 10001; the limit is 10000"
    );
    let odd =
        |hours| DayChange { date: date("2026-11-28"), plan: DayPlan::Hours(hours), valid_from: Micros::ZERO };
    assert!(
        refused(&|history| history.changes.push(odd(vec![Hours::new(1440, 1)])))
            .starts_with("changes[0].plan[0]")
    );
}

#[test]
fn a_definition_of_the_log_is_taken_over_as_it_stands() {
    let defined = CalendarDefinition {
        calendar: Name::fixed("office"),
        time_zone: Name::fixed("Asia/Shanghai"),
        windows: vec![Window { day: Weekday::Friday, from: 540, to: 1_440 }],
        holidays: Vec::new(),
        make_up_days: vec![MakeUpDay { date: date("2026-11-28"), like: Weekday::Friday }],
        valid_from: Micros(7),
    };
    let office = calendar(WorkingRules::from(&defined));
    let days = office.between(at("2026-11-27T00:00+08:00"), at("2026-11-30T00:00+08:00")).unwrap();
    assert_eq!(days, hours(2 * 15));
}
