//! The KPIs of KPIS.md §4: sums of measures over sums of measures, as data.
//!
//! Of a KPI with variants each has a column; the plain column stands for the one that the formula version says
//! ([`Formula::under`]). Invariant: a ratio is taken at the very end, of pooled sums, and one without a denominator is
//! absent.

use std::sync::LazyLock;

use pegcount_domain::{
    formula::{AbandonForm, Forms, HandleTimeForm, ResolutionForm, ServiceLevelForm},
    time::Micros,
};

use crate::{
    cells::Detail,
    histogram,
    measure::{Measure, Unit},
    query::{Column, Role, Term, Value},
};

/// The version by which a site counts that has defined none.
pub use pegcount_domain::formula::FORMULA_BUILT_IN;

/// The gauges, which stand after the measures of queue visits: of visits, then of agents by state.
pub(crate) const GAUGES: [Column; 9] = [
    gauge("waiting", Unit::Count, "Visits that wait at the instant."),
    gauge("longest_waiting", Unit::Duration, "How long the longest of them has waited by then."),
    gauge("agents_signed_in", Unit::Count, "Agents that are signed in at the instant."),
    gauge("agents_occupied", Unit::Count, "Of these, those in a contact or after-call work."),
    gauge("agents_lost", Unit::Count, "Of these, those whose connection is lost."),
    gauge("agents_ringing", Unit::Count, "Of these, those whose device rings."),
    gauge("agents_dialing", Unit::Count, "Of these, those who dial."),
    gauge("agents_away", Unit::Count, "Of these, those who are away."),
    gauge("agents_ready", Unit::Count, "Of these, those who are ready."),
];

const fn gauge(name: &'static str, unit: Unit, meaning: &'static str) -> Column {
    Column { name, unit, gauge: true, formula: None, meaning: Some(meaning) }
}

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

/// They stay outside every ratio (KPIS.md §3).
const ELSEWHERE: &[Measure] = &[M::FlowOutAnsweredElsewhere, M::FlowOutAbandonedElsewhere];
const ANSWERED_ABANDONED_FLOWN_OUT: &[Measure] = &[
    M::Answered,
    M::Abandoned,
    M::FlowOutOverflow,
    M::FlowOutTimeout,
    M::FlowOutClosed,
    M::FlowOutFull,
    M::FlowOutJoinEmpty,
    M::FlowOutLeaveEmpty,
    M::FlowOutTransferred,
    M::FlowOutSystem,
];

const ANSWERED_FLOWN_OUT: &[Measure] = &[
    M::Answered,
    M::FlowOutOverflow,
    M::FlowOutTimeout,
    M::FlowOutClosed,
    M::FlowOutFull,
    M::FlowOutJoinEmpty,
    M::FlowOutLeaveEmpty,
    M::FlowOutTransferred,
    M::FlowOutSystem,
];

/// All of them, in the order of the columns.
pub(crate) static FORMULAS: &[Formula] = &[
    ratio(
        "aht",
        Unit::Duration,
        "(handle_talk + handle_hold + handle_acw) / handled",
        &[M::HandleTalk, M::HandleHold, M::HandleAcw],
        &[M::Handled],
    ),
    ratio("aht_talk", Unit::Duration, "handle_talk / handled", &[M::HandleTalk], &[M::Handled]),
    ratio(
        "aht_journey",
        Unit::Duration,
        "contacts_handle_time / contacts_handled: all legs of a contact together",
        &[M::ContactsHandleTime],
        &[M::ContactsHandled],
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
    Formula {
        name: "abandon_rate_waiting",
        unit: Unit::Ratio,
        words: "(abandoned - abandoned_ringing) / ended, flow-outs elsewhere left out",
        scale: 1,
        plus: &[M::Abandoned],
        minus: &[M::AbandonedRinging],
        over: &[M::Ended],
        over_minus: ELSEWHERE,
    },
    Formula {
        name: "abandon_rate_ringing",
        unit: Unit::Ratio,
        words: "abandoned_ringing / ended, flow-outs elsewhere left out",
        scale: 1,
        plus: &[M::AbandonedRinging],
        minus: &[],
        over: &[M::Ended],
        over_minus: ELSEWHERE,
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
    Formula {
        name: "service_level_ignore_abandons",
        unit: Unit::Ratio,
        words: "answered_within / (ended - abandoned_within), flow-outs elsewhere left out",
        scale: 1,
        plus: &[M::AnsweredWithin],
        minus: &[],
        over: &[M::Ended],
        over_minus: &[M::AbandonedWithin, M::FlowOutAnsweredElsewhere, M::FlowOutAbandonedElsewhere],
    },
    Formula {
        name: "service_level_abandons_positive",
        unit: Unit::Ratio,
        words: "(answered_within + abandoned_within) / ended, flow-outs elsewhere left out",
        scale: 1,
        plus: &[M::AnsweredWithin, M::AbandonedWithin],
        minus: &[],
        over: &[M::Ended],
        over_minus: ELSEWHERE,
    },
    Formula {
        name: "service_level_abandons_negative",
        unit: Unit::Ratio,
        words: "answered_within / ended, flow-outs elsewhere left out",
        scale: 1,
        plus: &[M::AnsweredWithin],
        minus: &[],
        over: &[M::Ended],
        over_minus: ELSEWHERE,
    },
    ratio(
        "service_level_answered_only",
        Unit::Ratio,
        "answered_within / answered",
        &[M::AnsweredWithin],
        &[M::Answered],
    ),
    ratio(
        "service_level_answered_and_abandoned",
        Unit::Ratio,
        "answered_within / (answered + abandoned)",
        &[M::AnsweredWithin],
        &[M::Answered, M::Abandoned],
    ),
    Formula {
        name: "service_level_without_short",
        unit: Unit::Ratio,
        words: "answered_within / (answered + abandoned - abandoned_short)",
        scale: 1,
        plus: &[M::AnsweredWithin],
        minus: &[],
        over: &[M::Answered, M::Abandoned],
        over_minus: &[M::AbandonedShort],
    },
    ratio(
        "service_level_with_flow_out",
        Unit::Ratio,
        "answered_within / (answered + abandoned + flow_out), flow-outs elsewhere left out",
        &[M::AnsweredWithin],
        ANSWERED_ABANDONED_FLOWN_OUT,
    ),
    Formula {
        name: "service_level_with_flow_out_without_short",
        unit: Unit::Ratio,
        words: "answered_within / (answered + abandoned + flow_out - abandoned_short), flow-outs elsewhere left out",
        scale: 1,
        plus: &[M::AnsweredWithin],
        minus: &[],
        over: ANSWERED_ABANDONED_FLOWN_OUT,
        over_minus: &[M::AbandonedShort],
    },
    ratio(
        "service_level_with_flow_out_without_abandoned",
        Unit::Ratio,
        "answered_within / (answered + flow_out), flow-outs elsewhere left out",
        &[M::AnsweredWithin],
        ANSWERED_FLOWN_OUT,
    ),
    ratio(
        "occupancy",
        Unit::Ratio,
        "occupied_clock / (occupied_clock + ready_clock + ringing_clock + dialing_clock)",
        &[M::OccupiedClock],
        &[M::OccupiedClock, M::ReadyClock, M::RingingClock, M::DialingClock],
    ),
    ratio(
        "occupancy_slots",
        Unit::Ratio,
        "(occupied_clock + extra_slots_busy_time) / (occupied_clock + ready_clock + ringing_clock + dialing_clock + extra_slots_time)",
        &[M::OccupiedClock, M::ExtraSlotsBusyTime],
        &[M::OccupiedClock, M::ReadyClock, M::RingingClock, M::DialingClock, M::ExtraSlotsTime],
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
        name: "contacts_per_hour_inbound",
        unit: Unit::Ratio,
        words: "handled_inbound / hours(signed_in_clock - away_clock - lost_clock)",
        scale: 3_600_000_000,
        plus: &[M::HandledInbound],
        minus: &[],
        over: &[M::SignedInClock],
        over_minus: &[M::AwayClock, M::LostClock],
    },
    Formula {
        name: "callbacks_per_hour",
        unit: Unit::Ratio,
        words: "callbacks_made / hours(callback_time)",
        scale: 3_600_000_000,
        plus: &[M::CallbacksMade],
        minus: &[],
        over: &[M::CallbackTime],
        over_minus: &[],
    },
    ratio(
        "outbound_connect_rate",
        Unit::Ratio,
        "outbound_connected / outbound_dials",
        &[M::OutboundConnected],
        &[M::OutboundDials],
    ),
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
    ratio(
        "transfer_rate_cold",
        Unit::Ratio,
        "transfers_out_cold / handled",
        &[M::TransfersOutCold],
        &[M::Handled],
    ),
    ratio(
        "transfer_rate_warm",
        Unit::Ratio,
        "transfers_out_warm / handled",
        &[M::TransfersOutWarm],
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
    ratio(
        "efficiency_share",
        Unit::Ratio,
        "agent_days_over_target / agent_days_measured",
        &[M::AgentDaysOverTarget],
        &[M::AgentDaysMeasured],
    ),
    ratio(
        "efficiency_share_by_month",
        Unit::Ratio,
        "agent_months_over_target / agent_months_measured",
        &[M::AgentMonthsOverTarget],
        &[M::AgentMonthsMeasured],
    ),
    ratio(
        "away_compliance",
        Unit::Ratio,
        "agent_days_compliant / agent_days",
        &[M::AgentDaysCompliant],
        &[M::AgentDays],
    ),
    ratio("reopen_rate", Unit::Ratio, "reopened / resolved", &[M::TicketsReopened], &[M::TicketsResolved]),
];

impl Formula {
    pub(crate) const fn unit(&self) -> Unit {
        self.unit
    }

    /// What its column stands for where these forms hold: itself, or the variant that they say.
    pub(crate) fn under(&'static self, forms: Forms) -> &'static Self {
        let variant = match self.name {
            "aht" => handle_time(forms.aht),
            "abandon_rate" => abandon_rate(forms.abandon_rate),
            "service_level" => service_level(forms.service_level),
            "fcr_rate" if forms.fcr == ResolutionForm::Repeat => "fcr_repeat_form",
            "fcr_final_share" if forms.fcr == ResolutionForm::Repeat => "repeat_final_share",
            _ => return self,
        };
        FORMULAS.iter().find(|formula| formula.name == variant).unwrap_or(self)
    }

    /// What stands above and below the line; none if one of its measures cannot exist.
    pub(crate) fn parts(&self, amount: impl Fn(Measure) -> Option<i64>) -> Option<(i64, i64)> {
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
        let above = sum(self.plus, self.minus)?.saturating_mul(self.scale);
        Some((above, sum(self.over, self.over_minus)?))
    }

    /// Its value over measures that `amount` tells; absent if one of them cannot exist or nothing stands below.
    pub(crate) fn value(&self, amount: impl Fn(Measure) -> Option<i64>) -> Value {
        match self.parts(amount) {
            Some((numerator, denominator)) if denominator != 0 => Value::Ratio { numerator, denominator },
            _ => Value::Absent,
        }
    }
}

const fn handle_time(form: HandleTimeForm) -> &'static str {
    match form {
        HandleTimeForm::Leg => "aht",
        HandleTimeForm::Journey => "aht_journey",
        HandleTimeForm::Talk => "aht_talk",
    }
}

const fn abandon_rate(form: AbandonForm) -> &'static str {
    match form {
        AbandonForm::WithoutShort => "abandon_rate",
        AbandonForm::Raw => "abandon_rate_raw",
        AbandonForm::Waiting => "abandon_rate_waiting",
        AbandonForm::Ringing => "abandon_rate_ringing",
    }
}

const fn service_level(form: ServiceLevelForm) -> &'static str {
    match form {
        ServiceLevelForm::Standard => "service_level",
        ServiceLevelForm::IgnoreAbandons => "service_level_ignore_abandons",
        ServiceLevelForm::AbandonsPositive => "service_level_abandons_positive",
        ServiceLevelForm::AbandonsNegative => "service_level_abandons_negative",
        ServiceLevelForm::AnsweredOnly => "service_level_answered_only",
        ServiceLevelForm::AnsweredAndAbandoned => "service_level_answered_and_abandoned",
        ServiceLevelForm::WithoutShort => "service_level_without_short",
        ServiceLevelForm::WithFlowOut => "service_level_with_flow_out",
        ServiceLevelForm::WithFlowOutWithoutShort => "service_level_with_flow_out_without_short",
        ServiceLevelForm::WithFlowOutWithoutAbandoned => "service_level_with_flow_out_without_abandoned",
    }
}

/// A percentile of waits.
pub(crate) struct Percentile {
    name: &'static str,
    words: &'static str,
    /// Of the answered (0) or of the abandoned (1).
    whose: usize,
    percent: i64,
}

const fn percentile(name: &'static str, words: &'static str, whose: usize, percent: i64) -> Percentile {
    Percentile { name, words, whose, percent }
}

/// All of them, in the order of the columns.
pub(crate) static PERCENTILES: &[Percentile] = &[
    percentile("asa_p50", "median wait of the answered, by nearest rank, within 2 %", 0, 50),
    percentile("asa_p90", "90th percentile of the waits of the answered, by nearest rank, within 2 %", 0, 90),
    percentile("abandon_wait_p50", "median wait of the abandoned, by nearest rank, within 2 %", 1, 50),
    percentile(
        "abandon_wait_p90",
        "90th percentile of the waits of the abandoned, by nearest rank, within 2 %",
        1,
        90,
    ),
];

impl Percentile {
    fn measure(&self) -> &'static [Measure] {
        if self.whose == 0 { &[M::WaitsAnswered] } else { &[M::WaitsAbandoned] }
    }

    /// Its value of histograms whose buckets are in order; none if nothing was counted.
    pub(crate) fn of(&self, waits: &[Vec<(Detail, i64)>; 2]) -> Option<Micros> {
        histogram::percentile(waits.get(self.whose)?, self.percent)
    }
}

/// What a column is made of.
#[derive(Clone, Copy)]
pub(crate) enum Means {
    Measure(Measure),
    Formula(&'static Formula),
    Percentile(&'static Percentile),
}

/// The column of this name and what it is made of where these forms hold; none for a gauge or no column at all.
pub(crate) fn means(name: &str, forms: Forms) -> Option<(Column, Means)> {
    let mut column = *describe().iter().find(|column| column.name == name)?;
    let measure = Measure::ALL.iter().find(|measure| measure.name() == name).copied().map(Means::Measure);
    let formula = FORMULAS.iter().find(|formula| formula.name == name).map(|formula| formula.under(forms));
    column.formula = formula.map_or(column.formula, |formula| Some(formula.words));
    let formula = formula.map(Means::Formula);
    let percentile = PERCENTILES.iter().find(|percentile| percentile.name == name).map(Means::Percentile);
    Some((column, measure.or(formula).or(percentile)?))
}

impl Means {
    /// Its measures, with what `amount` tells of each.
    pub(crate) fn terms(&self, amount: impl Fn(Measure) -> i64) -> Vec<Term> {
        let term = |role: Role, measure: &Measure| Term {
            measure: *measure,
            role,
            amount: amount(*measure),
            items: 0,
        };
        match self {
            Self::Measure(measure) => vec![term(Role::Itself, measure)],
            Self::Percentile(percentile) => {
                percentile.measure().iter().map(|measure| term(Role::Itself, measure)).collect()
            }
            Self::Formula(formula) => {
                let parts = [
                    (Role::Plus, formula.plus),
                    (Role::Minus, formula.minus),
                    (Role::Over, formula.over),
                    (Role::OverMinus, formula.over_minus),
                ];
                let terms = parts.iter().flat_map(|(role, measures)| measures.iter().map(|m| term(*role, m)));
                terms.collect()
            }
        }
    }

    /// Its value, by the measures' amounts, or by the waits by length.
    pub(crate) fn value(
        &self,
        amount: impl Fn(Measure) -> i64,
        waits: impl FnOnce() -> Vec<(Detail, i64)>,
    ) -> Value {
        match self {
            Self::Measure(measure) => Value::Amount(amount(*measure)),
            Self::Formula(formula) => formula.value(|measure| Some(amount(measure))),
            Self::Percentile(percentile) => {
                let wait = histogram::percentile(&waits(), percentile.percent);
                wait.map_or(Value::Absent, |wait| Value::Amount(wait.0))
            }
        }
    }
}

/// The same columns where ratios are the mean of days: those of ratios say so.
pub fn describe_means() -> &'static [Column] {
    static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
        let is_ratio = |column: &Column| FORMULAS.iter().any(|formula| formula.name == column.name);
        let mean = |column: &Column| {
            let words = column.formula.filter(|_| is_ratio(column));
            // Once for the life of the program.
            let words = words.map(|words| &*format!("mean of the local days' values of: {words}").leak());
            Column { formula: words.or(column.formula), ..*column }
        };
        describe().iter().map(mean).collect()
    });
    &COLUMNS
}

/// Every column of every table, in order: the measures (gauges after those of queue visits), then the KPIs.
pub fn describe() -> &'static [Column] {
    static COLUMNS: LazyLock<Vec<Column>> = LazyLock::new(|| {
        let measure = |m: &Measure| Column {
            name: m.name(),
            unit: m.unit(),
            gauge: false,
            formula: None,
            meaning: Some(m.meaning()),
        };
        let visits = crate::measure::Sheet::Visit.measures();
        let others = Measure::ALL.iter().skip(visits.len()).filter(|measure| measure.sheet().is_shown());
        let kpis = FORMULAS.iter().map(|formula| Column {
            name: formula.name,
            unit: formula.unit,
            gauge: false,
            formula: Some(formula.words),
            meaning: None,
        });
        let percentiles = PERCENTILES.iter().map(|percentile| Column {
            name: percentile.name,
            unit: Unit::Duration,
            gauge: false,
            formula: Some(percentile.words),
            meaning: None,
        });
        let measures = visits.iter().map(measure).chain(GAUGES).chain(others.map(measure));
        measures.chain(kpis).chain(percentiles).collect()
    });
    &COLUMNS
}
