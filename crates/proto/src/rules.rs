//! Formulas, targets and calendars to and from stored payloads.
//!
//! Invariant: what is written reads back the same; a code that no program has written reads as nothing.

use pegcount_domain::{
    calendar::{CalendarDefinition, Date, MakeUpDay, Weekday, Window},
    formula::{
        AbandonForm, Forms, FormulaDefinition, HandleTimeForm, Identity, OccupancyForm, Repeats,
        ResolutionForm, Rules, ServiceLevelForm, TransferRule,
    },
    target::TargetDefinition,
    time::Micros,
};

use crate::{names::NameList, stored};

pub(crate) fn formula_message(formula: &FormulaDefinition, names: &mut NameList) -> stored::FormulaDefined {
    stored::FormulaDefined {
        name_name: names.optional(formula.name.as_ref()),
        name_notes: names.optional(formula.notes.as_ref()),
        ..nameless(formula)
    }
}

/// A formula version without its name and notes.
pub fn nameless<N>(formula: &FormulaDefinition<N>) -> stored::FormulaDefined {
    let (rules, forms) = (&formula.rules, &formula.forms);
    stored::FormulaDefined {
        number: formula.number.into(),
        name_name: 0,
        name_notes: 0,
        threshold_us: rules.threshold.0,
        short_us: rules.short.0,
        rings_us: rules.rings.0,
        short_handle_us: rules.short_handle.0,
        attempt_window_us: rules.attempt_window.0,
        fcr_window_us: rules.fcr_window.0,
        fcr_identity: rules.fcr_identity.code().into(),
        fcr_repeats: rules.fcr_repeats.code().into(),
        fcr_transfer: rules.fcr_transfer.code().into(),
        repeat_window_us: rules.repeat_window.0,
        aht: forms.aht.code().into(),
        abandon_rate: forms.abandon_rate.code().into(),
        service_level: forms.service_level.code().into(),
        occupancy: forms.occupancy.code().into(),
        fcr: forms.fcr.code().into(),
        valid_from_us: formula.valid_from.0,
    }
}

/// The formula version that a message says, without its name and notes; none: a code is unknown.
pub fn formula_of<N>(m: &stored::FormulaDefined) -> Option<FormulaDefinition<N>> {
    Some(FormulaDefinition {
        number: u8::try_from(m.number).ok().filter(|number| *number > 0)?,
        name: None,
        notes: None,
        rules: Rules {
            threshold: Micros(m.threshold_us),
            short: Micros(m.short_us),
            rings: Micros(m.rings_us),
            short_handle: Micros(m.short_handle_us),
            attempt_window: Micros(m.attempt_window_us),
            fcr_window: Micros(m.fcr_window_us),
            fcr_identity: Identity::from_code(m.fcr_identity)?,
            fcr_repeats: Repeats::from_code(m.fcr_repeats)?,
            fcr_transfer: TransferRule::from_code(m.fcr_transfer)?,
            repeat_window: Micros(m.repeat_window_us),
        },
        forms: Forms {
            aht: HandleTimeForm::from_code(m.aht)?,
            abandon_rate: AbandonForm::from_code(m.abandon_rate)?,
            service_level: ServiceLevelForm::from_code(m.service_level)?,
            occupancy: OccupancyForm::from_code(m.occupancy)?,
            fcr: ResolutionForm::from_code(m.fcr)?,
        },
        valid_from: Micros(m.valid_from_us),
    })
}

pub(crate) fn target_message(target: &TargetDefinition, names: &mut NameList) -> stored::TargetDefined {
    let (_, scope, whose) = target.scope.parts();
    stored::TargetDefined {
        name_target: names.ordinal(&target.target),
        column: target.column.as_str().to_owned(),
        scope: scope.into(),
        name_scope: names.optional(whose),
        comparison: target.comparison.code().into(),
        value: target.value,
        valid_from_us: target.valid_from.0,
    }
}

pub(crate) fn calendar_message(
    calendar: &CalendarDefinition,
    names: &mut NameList,
) -> stored::CalendarDefined {
    let window = |window: &Window| stored::CalendarWindow {
        day: window.day.code().into(),
        from: window.from.into(),
        to: window.to.into(),
    };
    let make_up =
        |day: &MakeUpDay| stored::CalendarMakeUpDay { date: day.date.0, like: day.like.code().into() };
    let (name_calendar, name_time_zone) =
        (names.ordinal(&calendar.calendar), names.ordinal(&calendar.time_zone));
    let holidays = calendar.holidays.iter().map(|day| stored::CalendarHoliday {
        date: day.date.0,
        name_name: names.optional(day.name.as_ref()),
    });
    let holidays = holidays.collect();
    stored::CalendarDefined {
        name_calendar,
        name_time_zone,
        windows: calendar.windows.iter().map(window).collect(),
        holidays,
        make_up_days: calendar.make_up_days.iter().map(make_up).collect(),
        valid_from_us: calendar.valid_from.0,
    }
}

pub(crate) fn window_of(m: &stored::CalendarWindow) -> Option<Window> {
    let minute = |minute| u16::try_from(minute).ok();
    Some(Window { day: Weekday::from_code(m.day)?, from: minute(m.from)?, to: minute(m.to)? })
}

pub(crate) fn make_up_day_of(m: stored::CalendarMakeUpDay) -> Option<MakeUpDay> {
    Some(MakeUpDay { date: Date(m.date), like: Weekday::from_code(m.like)? })
}
