//! The KPIs of KPIS.md §4: sums of measures over sums of measures, as data.
//!
//! Invariant: a ratio is taken at the very end, of pooled sums, and one without a denominator is absent.

use std::sync::LazyLock;

use crate::{
    measure::{Measure, Unit},
    query::{Column, Value},
};

/// The version of the formulas below.
pub const FORMULA_VERSION: u32 = 1;

/// The gauges, which stand after the measures of queue visits.
pub(crate) const GAUGES: [Column; 2] = [
    Column { name: "waiting", unit: Unit::Count, gauge: true, formula: None },
    Column { name: "longest_waiting", unit: Unit::Duration, gauge: true, formula: None },
];

/// One KPI.
pub(crate) struct Formula {
    name: &'static str,
    unit: Unit,
    words: &'static str,
    /// The numerator is multiplied by this.
    scale: i64,
    plus: &'static [Measure],
    minus: &'static [Measure],
    over: &'static [Measure],
    over_minus: &'static [Measure],
}

const fn ratio(
    name: &'static str,
    unit: Unit,
    words: &'static str,
    plus: &'static [Measure],
    over: &'static [Measure],
) -> Formula {
    Formula { name, unit, words, scale: 1, plus, minus: &[], over, over_minus: &[] }
}

use Measure as M;

/// All of them, in the order of the columns.
pub(crate) static FORMULAS: &[Formula] = &[
    ratio(
        "aht",
        Unit::Duration,
        "(handle_talk + handle_hold + handle_acw) / handled",
        &[M::HandleTalk, M::HandleHold, M::HandleAcw],
        &[M::Handled],
    ),
    ratio("after_call_average", Unit::Duration, "handle_acw / handled", &[M::HandleAcw], &[M::Handled]),
    ratio("hold_average", Unit::Duration, "handle_hold / holds", &[M::HandleHold], &[M::Holds]),
    Formula {
        name: "abandon_rate",
        unit: Unit::Ratio,
        words: "(abandoned - abandoned_short) / (ended - abandoned_short), flow-outs elsewhere left out",
        scale: 1,
        plus: &[M::Abandoned],
        minus: &[M::AbandonedShort],
        over: &[M::Ended],
        over_minus: &[M::AbandonedShort, M::FlowOutAnsweredElsewhere, M::FlowOutAbandonedElsewhere],
    },
    Formula {
        name: "abandon_rate_raw",
        unit: Unit::Ratio,
        words: "abandoned / ended, flow-outs elsewhere left out",
        scale: 1,
        plus: &[M::Abandoned],
        minus: &[],
        over: &[M::Ended],
        over_minus: &[M::FlowOutAnsweredElsewhere, M::FlowOutAbandonedElsewhere],
    },
    ratio("asa", Unit::Duration, "wait_answered / answered", &[M::WaitAnswered], &[M::Answered]),
    Formula {
        name: "service_level",
        unit: Unit::Ratio,
        words: "answered_within / (answered_within + abandoned_within - abandoned_short_within + reached_unanswered)",
        scale: 1,
        plus: &[M::AnsweredWithin],
        minus: &[],
        over: &[M::AnsweredWithin, M::AbandonedWithin, M::ReachedUnanswered],
        over_minus: &[M::AbandonedShortWithin],
    },
    ratio(
        "occupancy",
        Unit::Ratio,
        "occupied_clock / (occupied_clock + ready_clock + ringing_clock + dialing_clock)",
        &[M::OccupiedClock],
        &[M::OccupiedClock, M::ReadyClock, M::RingingClock, M::DialingClock],
    ),
    ratio(
        "utilisation",
        Unit::Ratio,
        "occupied_clock / signed_in_clock",
        &[M::OccupiedClock],
        &[M::SignedInClock],
    ),
    Formula {
        name: "contacts_per_hour",
        unit: Unit::Ratio,
        words: "handled / hours(signed_in_clock - away_clock - lost_clock)",
        scale: 3_600_000_000,
        plus: &[M::Handled],
        minus: &[],
        over: &[M::SignedInClock],
        over_minus: &[M::AwayClock, M::LostClock],
    },
    Formula {
        name: "connect_rate",
        unit: Unit::Ratio,
        words: "answered / ended, flow-outs elsewhere left out",
        scale: 1,
        plus: &[M::Answered],
        minus: &[],
        over: &[M::Ended],
        over_minus: &[M::FlowOutAnsweredElsewhere, M::FlowOutAbandonedElsewhere],
    },
    ratio(
        "first_attempt_connect_rate",
        Unit::Ratio,
        "first_attempts_answered / first_attempts",
        &[M::FirstAttemptsAnswered],
        &[M::FirstAttempts],
    ),
    ratio(
        "transfer_rate",
        Unit::Ratio,
        "(transfers_out_cold + transfers_out_warm) / handled",
        &[M::TransfersOutCold, M::TransfersOutWarm],
        &[M::Handled],
    ),
    ratio("rona_rate", Unit::Ratio, "offers_missed / offers", &[M::OffersMissed], &[M::Offers]),
    ratio(
        "prompt_answer_rate",
        Unit::Ratio,
        "answered_within_rings / answered",
        &[M::AnsweredWithinRings],
        &[M::Answered],
    ),
    ratio(
        "agent_ends_first_rate",
        Unit::Ratio,
        "ended_by_agent / handled",
        &[M::EndedByAgent],
        &[M::Handled],
    ),
    ratio("fcr_rate", Unit::Ratio, "fcr_held / fcr_eligible", &[M::FcrHeld], &[M::FcrEligible]),
    ratio("fcr_final_share", Unit::Ratio, "fcr_final / fcr_eligible", &[M::FcrFinal], &[M::FcrEligible]),
    ratio(
        "fcr_repeat_form",
        Unit::Ratio,
        "repeat_none / repeat_eligible",
        &[M::RepeatNone],
        &[M::RepeatEligible],
    ),
    ratio(
        "repeat_final_share",
        Unit::Ratio,
        "repeat_final / repeat_eligible",
        &[M::RepeatFinal],
        &[M::RepeatEligible],
    ),
    ratio("reopen_rate", Unit::Ratio, "reopened / resolved", &[M::TicketsReopened], &[M::TicketsResolved]),
];

impl Formula {
    /// Its value over measures that `amount` tells; absent if one of them cannot exist or nothing stands below.
    pub(crate) fn value(&self, amount: impl Fn(Measure) -> Option<i64>) -> Value {
        let sum = |plus: &[Measure], minus: &[Measure]| {
            let mut total = 0i64;
            for measure in plus {
                total = total.saturating_add(amount(*measure)?);
            }
            for measure in minus {
                total = total.saturating_sub(amount(*measure)?);
            }
            Some(total)
        };
        match (sum(self.plus, self.minus), sum(self.over, self.over_minus)) {
            (Some(numerator), Some(denominator)) if denominator != 0 => {
                Value::Ratio { numerator: numerator.saturating_mul(self.scale), denominator }
            }
            _ => Value::Absent,
        }
    }
}

/// Every column of every table, in order: the measures (gauges after those of queue visits), then the KPIs.
pub fn describe() -> &'static [Column] {
    static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
        let measure = |m: &Measure| Column { name: m.name(), unit: m.unit(), gauge: false, formula: None };
        let visits = crate::measure::Sheet::Visit.measures();
        let others = Measure::ALL.iter().skip(visits.len());
        let kpis = FORMULAS.iter().map(|formula| Column {
            name: formula.name,
            unit: formula.unit,
            gauge: false,
            formula: Some(formula.words),
        });
        visits.iter().map(measure).chain(GAUGES).chain(others.map(measure)).chain(kpis).collect()
    });
    &COLUMNS
}
