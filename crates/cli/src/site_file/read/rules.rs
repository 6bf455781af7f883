//! Formula versions, targets and working calendars.

use std::collections::BTreeSet;

use pegcount_domain::{
    calendar::{CalendarDefinition, DAY_MINUTES, Holiday, MakeUpDay, Weekday, Window},
    formula::{
        AbandonForm, Forms, FormulaDefinition, HandleTimeForm, Identity, OccupancyForm, Repeats,
        ResolutionForm, Rules, ServiceLevelForm, TransferRule,
    },
    target::{ColumnName, Comparison, TARGET_UNIT, TargetDefinition, TargetScope},
    time::Micros,
};
use pegcount_kpi::Unit;
use toml::Spanned;

use super::{Read, Reader};
use crate::{
    site_file::{Amount, CalendarEntry, FormulaEntry, TargetEntry, Text, WindowEntry, text},
    when,
};

impl Reader<'_> {
    pub(super) fn formula(&self, entry: &FormulaEntry) -> Read<FormulaDefinition> {
        let number = *entry.number.get_ref();
        if number == 0 {
            return Err(self.wrong("formula: number", &entry.number, "is 0; give 1 to 255"));
        }
        let at = |key: &str| format!("formula {number}: {key}");
        let (rules, forms) = (Rules::default(), Forms::default());
        let length = |key: &str, given: &Option<Text>, default: Micros| {
            self.length(&at(key), given.as_ref()).map(|given| given.unwrap_or(default))
        };
        macro_rules! word {
            ($key:ident, $of:ident, $default:expr) => {
                self.word_or($default, &at(stringify!($key)), entry.$key.as_ref(), $of::from_word)?
            };
        }
        Ok(FormulaDefinition {
            number,
            name: self.label(&at("name"), entry.name.as_ref())?,
            notes: self.label(&at("notes"), entry.notes.as_ref())?,
            rules: Rules {
                threshold: length("threshold", &entry.threshold, rules.threshold)?,
                short: length("short", &entry.short, rules.short)?,
                rings: length("rings", &entry.rings, rules.rings)?,
                short_handle: length("short_handle", &entry.short_handle, rules.short_handle)?,
                attempt_window: length("attempt_window", &entry.attempt_window, rules.attempt_window)?,
                fcr_window: length("fcr_window", &entry.fcr_window, rules.fcr_window)?,
                fcr_identity: word!(fcr_identity, Identity, rules.fcr_identity),
                fcr_repeats: word!(fcr_repeats, Repeats, rules.fcr_repeats),
                fcr_transfer: word!(fcr_transfer, TransferRule, rules.fcr_transfer),
                repeat_window: length("repeat_window", &entry.repeat_window, rules.repeat_window)?,
            },
            forms: Forms {
                aht: word!(aht, HandleTimeForm, forms.aht),
                abandon_rate: word!(abandon_rate, AbandonForm, forms.abandon_rate),
                service_level: word!(service_level, ServiceLevelForm, forms.service_level),
                occupancy: word!(occupancy, OccupancyForm, forms.occupancy),
                fcr: word!(fcr, ResolutionForm, forms.fcr),
            },
            valid_from: self.since(&at("valid_from"), entry.valid_from.as_ref())?,
        })
    }

    pub(super) fn target(&self, entry: &TargetEntry) -> Read<TargetDefinition> {
        let id = self.name("target", &entry.target)?;
        let at = |key: &str| format!("target {id}: {key}");
        let column = entry.column.get_ref();
        let known = pegcount_kpi::describe().iter().find(|known| known.name == column);
        let known = known.ok_or_else(|| {
            let reason =
                format!("is `{column}`, which is no column; `pegcount kpi --columns help` lists them");
            self.wrong(&at("column"), &entry.column, reason)
        })?;
        let value = match (&entry.value, entry.retired) {
            (Some(value), false) => Some(self.amount(&at("value"), value, known.unit)?),
            (None, true) => None,
            _ => {
                let reason = "is needed, unless the target is `retired = true` from then on";
                return Err(self.wrong(&at("value"), &entry.target, reason));
            }
        };
        let of = self.label(&at("of"), entry.of.as_ref())?;
        let scope = match (entry.scope.get_ref().as_str(), of) {
            ("site", None) => TargetScope::Site,
            ("team", of) => TargetScope::Team(of),
            ("queue", of) => TargetScope::Queue(of),
            ("agent", of) => TargetScope::Agent(of),
            (word, _) => {
                let reason = format!("is `{word}`; it is site (without `of`), team, queue or agent");
                return Err(self.wrong(&at("scope"), &entry.scope, reason));
            }
        };
        Ok(TargetDefinition {
            column: ColumnName::new(known.name),
            scope,
            comparison: self.word(&at("comparison"), &entry.comparison, Comparison::from_word)?,
            value,
            valid_from: self.since(&at("valid_from"), entry.valid_from.as_ref())?,
            target: id,
        })
    }

    /// In millionths of the column's unit.
    fn amount(&self, key: &str, at: &Spanned<Amount>, unit: Unit) -> Read<i64> {
        let read = match at.get_ref() {
            Amount::Whole(whole) => whole.checked_mul(TARGET_UNIT),
            Amount::Decimal(decimal) => millionths(&decimal.to_string()),
            Amount::Text(text) => match text.trim().strip_suffix('%') {
                Some(percent) if unit == Unit::Ratio => {
                    millionths(percent.trim()).filter(|value| value % 100 == 0).map(|value| value / 100)
                }
                None if unit == Unit::Duration => text::length(text).map(|length| length.0),
                _ => None,
            },
        };
        read.ok_or_else(|| {
            let example = match unit {
                Unit::Ratio => "a share such as 0.98 or \"98 %\", or a number an hour such as 20",
                Unit::Duration => "a length such as \"30s\", or seconds",
                Unit::Count => "a number",
            };
            self.wrong(key, at, format!("is not understood; write {example}, with at most 6 decimals"))
        })
    }

    pub(super) fn calendar(&self, entry: &CalendarEntry) -> Read<CalendarDefinition> {
        let id = self.name("calendar", &entry.calendar)?;
        let at = |key: &str| format!("calendar {id}: {key}");
        when::zone(entry.time_zone.get_ref())
            .map_err(|error| self.wrong(&at("time_zone"), &entry.time_zone, error.to_string()))?;
        let mut windows = BTreeSet::new();
        for window in &entry.windows {
            let (from, to) = (
                self.minute(&at("windows.from"), &window.from)?,
                self.minute(&at("windows.to"), &window.to)?,
            );
            self.check_hours(&at("windows"), window, from, to)?;
            for day in &window.days {
                windows.insert(Window {
                    day: self.word(&at("windows.days"), day, Weekday::from_word)?,
                    from,
                    to,
                });
            }
        }
        let mut taken = BTreeSet::new();
        let mut day = |key: &str, date: &Text| {
            let read = self.date(&at(key), date)?;
            if taken.insert(read) {
                return Ok(read);
            }
            Err(self.wrong(&at(key), date, format!("is {read} once more; a day stands once in a calendar")))
        };
        let mut holidays = Vec::new();
        for holiday in &entry.holidays {
            let name = self.label(&at("holidays.name"), holiday.name.as_ref())?;
            holidays.push(Holiday { date: day("holidays.date", &holiday.date)?, name });
        }
        let mut make_up_days = Vec::new();
        for made_up in &entry.make_up_days {
            let like = self.word(&at("make_up_days.like"), &made_up.like, Weekday::from_word)?;
            make_up_days.push(MakeUpDay { date: day("make_up_days.date", &made_up.date)?, like });
        }
        holidays.sort_unstable();
        make_up_days.sort_unstable();
        Ok(CalendarDefinition {
            time_zone: self.name(&at("time_zone"), &entry.time_zone)?,
            windows: windows.into_iter().collect(),
            holidays,
            make_up_days,
            valid_from: self.since(&at("valid_from"), entry.valid_from.as_ref())?,
            calendar: id,
        })
    }

    /// Hours that end before they begin go on past midnight; those that end as they begin may mean nothing or a day.
    fn check_hours(&self, key: &str, window: &WindowEntry, from: u16, to: u16) -> Read<()> {
        if from == DAY_MINUTES {
            let reason = "is 24:00; hours that begin at midnight belong to the day that begins: write 00:00";
            return Err(self.wrong(&format!("{key}.from"), &window.from, reason));
        }
        if from == to || to == 0 {
            let reason = format!(
                "is {}; it must not be {}, nor 00:00: write 24:00",
                window.to.get_ref(),
                window.from.get_ref()
            );
            return Err(self.wrong(&format!("{key}.to"), &window.to, reason));
        }
        Ok(())
    }

    pub(super) fn date(&self, key: &str, at: &Text) -> Read<pegcount_domain::calendar::Date> {
        let refuse = || self.wrong(key, at, format!("is `{}`; write a day such as 2026-10-01", at.get_ref()));
        text::date(at.get_ref()).ok_or_else(refuse)
    }

    pub(super) fn minute(&self, key: &str, at: &Text) -> Read<u16> {
        let refuse =
            || self.wrong(key, at, format!("is `{}`; write a time such as 08:30, up to 24:00", at.get_ref()));
        text::minute(at.get_ref()).ok_or_else(refuse)
    }
}

/// A decimal in millionths, exactly; none if it has more digits than that, or is no decimal.
fn millionths(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let negative = whole.starts_with('-');
    if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<6}").parse().ok()?;
    let fraction = if negative { -fraction } else { fraction };
    whole.checked_mul(TARGET_UNIT)?.checked_add(fraction)
}
