//! Formula versions, targets and calendars between the contract and the domain. Checks form only; what is 0 or empty is as
//! in version 1, as the contract says.

use pegcount_domain::{
    calendar::{CalendarDefinition, Date, Holiday, MakeUpDay, Weekday, Window},
    formula::{
        AbandonForm, Forms, FormulaDefinition, HandleTimeForm, Identity, OccupancyForm, Repeats,
        ResolutionForm, Rules, ServiceLevelForm, TransferRule,
    },
    ids::Name,
    target::{ColumnName, Comparison, TargetDefinition, TargetScope},
    time::Micros,
};
use pegcount_proto::v1;
use tonic::Status;

use super::kpi_table::time_zone;
use crate::{fields, status};

/// What a word means; empty: the default.
fn worded<T>(
    field: &str,
    text: &str,
    from_word: fn(&str) -> Result<T, String>,
    default: T,
) -> Result<T, Status> {
    if text.is_empty() {
        return Ok(default);
    }
    from_word(text).map_err(|reason| status::invalid(field, reason))
}

pub(super) fn formula_definition(
    field: &str,
    m: &v1::FormulaDefinition,
    valid_from: Micros,
) -> Result<FormulaDefinition, Status> {
    let at = |name: &str| format!("{field}.{name}");
    let (rules, forms) = (Rules::default(), Forms::default());
    let length = |name: &str, micros: i64, default: Micros| {
        fields::duration(&at(name), micros).map(|given| if given == Micros::ZERO { default } else { given })
    };
    macro_rules! word {
        ($key:ident, $of:ident, $default:expr) => {
            worded(&at(stringify!($key)), &m.$key, $of::from_word, $default)?
        };
    }
    let number = u8::try_from(m.number).ok().filter(|number| *number > 0).ok_or_else(|| {
        status::invalid(&at("number"), format!("is {}; a version's number is 1 to 255", m.number))
    })?;
    Ok(FormulaDefinition {
        number,
        name: fields::optional(&at("name"), &m.name)?,
        notes: fields::optional(&at("notes"), &m.notes)?,
        rules: Rules {
            threshold: length("threshold_us", m.threshold_us, rules.threshold)?,
            short: length("short_us", m.short_us, rules.short)?,
            rings: length("rings_us", m.rings_us, rules.rings)?,
            short_handle: length("short_handle_us", m.short_handle_us, rules.short_handle)?,
            attempt_window: length("attempt_window_us", m.attempt_window_us, rules.attempt_window)?,
            fcr_window: length("fcr_window_us", m.fcr_window_us, rules.fcr_window)?,
            fcr_identity: word!(fcr_identity, Identity, rules.fcr_identity),
            fcr_repeats: word!(fcr_repeats, Repeats, rules.fcr_repeats),
            fcr_transfer: word!(fcr_transfer, TransferRule, rules.fcr_transfer),
            repeat_window: length("repeat_window_us", m.repeat_window_us, rules.repeat_window)?,
        },
        forms: Forms {
            aht: word!(aht, HandleTimeForm, forms.aht),
            abandon_rate: word!(abandon_rate, AbandonForm, forms.abandon_rate),
            service_level: word!(service_level, ServiceLevelForm, forms.service_level),
            occupancy: word!(occupancy, OccupancyForm, forms.occupancy),
            fcr: word!(fcr, ResolutionForm, forms.fcr),
        },
        valid_from,
    })
}

pub(super) fn formula_message(formula: &FormulaDefinition) -> v1::FormulaDefinition {
    let (rules, forms) = (&formula.rules, &formula.forms);
    let text = |name: &Option<Name>| name.as_ref().map(ToString::to_string).unwrap_or_default();
    v1::FormulaDefinition {
        number: formula.number.into(),
        name: text(&formula.name),
        notes: text(&formula.notes),
        threshold_us: rules.threshold.0,
        short_us: rules.short.0,
        rings_us: rules.rings.0,
        short_handle_us: rules.short_handle.0,
        attempt_window_us: rules.attempt_window.0,
        fcr_window_us: rules.fcr_window.0,
        fcr_identity: rules.fcr_identity.word().to_owned(),
        fcr_repeats: rules.fcr_repeats.word().to_owned(),
        fcr_transfer: rules.fcr_transfer.word().to_owned(),
        repeat_window_us: rules.repeat_window.0,
        aht: forms.aht.word().to_owned(),
        abandon_rate: forms.abandon_rate.word().to_owned(),
        service_level: forms.service_level.word().to_owned(),
        occupancy: forms.occupancy.word().to_owned(),
        fcr: forms.fcr.word().to_owned(),
    }
}

pub(super) fn target_definition(
    field: &str,
    m: &v1::TargetDefinition,
    valid_from: Micros,
) -> Result<TargetDefinition, Status> {
    let at = |name: &str| format!("{field}.{name}");
    let unsaid = |field: &str, value: i32| {
        status::invalid(field, format!("is {value}, which is none of the contract's values; say one"))
    };
    let code = |value: i32| u32::try_from(value).unwrap_or(0);
    let of = fields::optional(&at("of"), &m.of)?;
    Ok(TargetDefinition {
        target: fields::name(&at("target"), &m.target)?,
        column: ColumnName::new(fields::name(&at("column"), &m.column)?.as_str()),
        scope: TargetScope::from_parts(code(m.level), of).ok_or_else(|| unsaid(&at("level"), m.level))?,
        comparison: Comparison::from_code(code(m.comparison))
            .ok_or_else(|| unsaid(&at("comparison"), m.comparison))?,
        value: m.value_millionths,
        valid_from,
    })
}

pub(super) fn target_message(target: &TargetDefinition) -> v1::TargetDefinition {
    let (_, level, of) = target.scope.parts();
    v1::TargetDefinition {
        target: target.target.to_string(),
        column: target.column.as_str().to_owned(),
        comparison: target.comparison.code().into(),
        value_millionths: target.value,
        level: level.into(),
        of: of.map(ToString::to_string).unwrap_or_default(),
    }
}

pub(super) fn calendar_definition(
    field: &str,
    m: &v1::CalendarDefinition,
    valid_from: Micros,
) -> Result<CalendarDefinition, Status> {
    let at = |name: &str| format!("{field}.{name}");
    let zone = fields::name(&at("time_zone"), &m.time_zone)?;
    time_zone(zone.as_str()).map_err(|_| {
        let reason =
            format!("is {zone}, which the time zone database does not know; use a name like Asia/Shanghai");
        status::invalid(&at("time_zone"), reason)
    })?;
    let day = |field: String, day: u32| {
        let unknown = || status::invalid(&field, format!("is {day}; a day of the week is 1 (Monday) to 7"));
        Weekday::from_code(day).ok_or_else(unknown)
    };
    let mut calendar = CalendarDefinition {
        calendar: fields::name(&at("calendar"), &m.calendar)?,
        time_zone: zone,
        windows: Vec::new(),
        holidays: Vec::new(),
        make_up_days: Vec::new(),
        valid_from,
    };
    for (index, window) in m.windows.iter().enumerate() {
        let at = |name: &str| at(&format!("windows[{index}].{name}"));
        calendar.windows.push(Window {
            day: day(at("day"), window.day)?,
            from: fields::minute(&at("from_minute"), window.from_minute)?,
            to: fields::minute(&at("to_minute"), window.to_minute)?,
        });
    }
    for (index, holiday) in m.holidays.iter().enumerate() {
        let at = |name: &str| at(&format!("holidays[{index}].{name}"));
        let name = fields::optional(&at("name"), &holiday.name)?;
        calendar.holidays.push(Holiday { date: date(&at("date"), holiday.date)?, name });
    }
    for (index, made_up) in m.make_up_days.iter().enumerate() {
        let at = |name: &str| at(&format!("make_up_days[{index}].{name}"));
        let like = day(at("like"), made_up.like)?;
        calendar.make_up_days.push(MakeUpDay { date: date(&at("date"), made_up.date)?, like });
    }
    calendar.windows.sort_unstable();
    calendar.holidays.sort_unstable();
    calendar.make_up_days.sort_unstable();
    Ok(calendar)
}

pub(super) fn date(field: &str, date: u32) -> Result<Date, Status> {
    let part = |part: u32| i8::try_from(part).unwrap_or(0);
    let year = i16::try_from(date / 10_000).unwrap_or(0);
    let real = jiff::civil::Date::new(year, part(date / 100 % 100), part(date % 100));
    match real {
        Ok(_) if year > 0 => Ok(Date(date)),
        _ => Err(status::invalid(field, format!("is {date}; a date is written yyyymmdd, like 20261001"))),
    }
}

pub(super) fn calendar_message(calendar: &CalendarDefinition) -> v1::CalendarDefinition {
    let window = |window: &Window| v1::CalendarWindow {
        day: window.day.code().into(),
        from_minute: window.from.into(),
        to_minute: window.to.into(),
    };
    let holiday = |holiday: &Holiday| v1::CalendarHoliday {
        date: holiday.date.0,
        name: holiday.name.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let made_up = |day: &MakeUpDay| v1::CalendarMakeUpDay { date: day.date.0, like: day.like.code().into() };
    v1::CalendarDefinition {
        calendar: calendar.calendar.to_string(),
        time_zone: calendar.time_zone.to_string(),
        windows: calendar.windows.iter().map(window).collect(),
        holidays: calendar.holidays.iter().map(holiday).collect(),
        make_up_days: calendar.make_up_days.iter().map(made_up).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_formula_leaves_out_is_as_in_version_1_and_comes_back_as_it_was_given() {
        let given = v1::FormulaDefinition {
            number: 3,
            short_us: 8_000_000,
            service_level: "with_flow_out".into(),
            ..Default::default()
        };
        let formula = formula_definition("d", &given, Micros(7)).unwrap();
        assert_eq!(formula.rules.threshold, Micros::from_secs(20));
        assert_eq!((formula.rules.short, formula.valid_from), (Micros::from_secs(8), Micros(7)));
        assert_eq!(formula.forms.service_level, ServiceLevelForm::WithFlowOut);
        assert_eq!(formula_definition("d", &formula_message(&formula), Micros(7)).unwrap(), formula);
    }

    #[test]
    fn a_wrong_word_is_refused_with_the_words_that_there_are() {
        let wrong = v1::FormulaDefinition { number: 3, fcr: "issues".into(), ..Default::default() };
        let refused = formula_definition("d", &wrong, Micros(0)).unwrap_err();
        assert_eq!(refused.message(), "d.fcr is `issues`; it is one of issue, repeat");
        let unnumbered = formula_definition("d", &v1::FormulaDefinition::default(), Micros(0)).unwrap_err();
        assert_eq!(unnumbered.message(), "d.number is 0; a version's number is 1 to 255");
    }

    #[test]
    fn a_target_says_its_level_and_its_comparison() {
        let given = v1::TargetDefinition {
            target: "efficiency".into(),
            column: "contacts_per_hour".into(),
            comparison: 1,
            value_millionths: Some(20_000_000),
            level: 4,
            of: String::new(),
        };
        let target = target_definition("d", &given, Micros(0)).unwrap();
        assert_eq!(target.scope, TargetScope::Agent(None));
        assert_eq!(target_message(&target), given);
        let refused =
            target_definition("d", &v1::TargetDefinition { level: 0, ..given }, Micros(0)).unwrap_err();
        assert!(refused.message().starts_with("d.level is 0"), "{}", refused.message());
    }

    #[test]
    fn a_calendar_comes_back_and_a_date_that_is_none_is_refused() {
        let given = v1::CalendarDefinition {
            calendar: "office".into(),
            time_zone: "Asia/Shanghai".into(),
            windows: vec![v1::CalendarWindow { day: 1, from_minute: 510, to_minute: 1_080 }],
            holidays: vec![v1::CalendarHoliday { date: 20_261_001, name: "National Day".into() }],
            make_up_days: vec![v1::CalendarMakeUpDay { date: 20_260_927, like: 5 }],
        };
        let calendar = calendar_definition("d", &given, Micros(0)).unwrap();
        assert_eq!(calendar_message(&calendar), given);
        let mut wrong = given;
        wrong.holidays[0].date = 20_260_231;
        let refused = calendar_definition("d", &wrong, Micros(0)).unwrap_err();
        assert!(refused.message().starts_with("d.holidays[0].date is 20260231"), "{}", refused.message());
    }
}
