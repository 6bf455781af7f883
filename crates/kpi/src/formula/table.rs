//! The KPIs themselves, in the order of their columns.
//!
//! Invariant: a name stands once, and the words say what the arrays say.

use super::Formula;
use crate::measure::{Measure, Measure as M, Unit};

pub(super) const fn ratio(
    name: &'static str,
    unit: Unit,
    words: &'static str,
    plus: &'static [Measure],
    over: &'static [Measure],
) -> Formula {
    Formula { name, unit, words, scale: 1, plus, minus: &[], over, over_minus: &[] }
}

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
pub(super) static FORMULAS: &[Formula] = &[
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
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The measures that words name; `flow_out` is short for those of every way out.
    fn named(words: &str) -> BTreeSet<&'static str> {
        let mut named = BTreeSet::new();
        for word in words.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            let of_flow = |m: &&M| word == "flow_out" && ANSWERED_FLOWN_OUT.contains(m) && **m != M::Answered;
            let own = M::ALL.iter().filter(|m| m.name() == word || of_flow(m));
            named.extend(own.map(|m| m.name()));
        }
        named
    }

    #[test]
    fn the_words_of_a_ratio_name_the_measures_above_and_below_its_line() {
        let mut names = BTreeSet::new();
        for formula in FORMULAS.iter().chain(crate::formula::tickets::TICKETS) {
            assert!(names.insert(formula.name), "{} stands twice", formula.name);
            let (above, below) = formula.words.split_once(" / ").unwrap_or((formula.words, ""));
            let made_of = |plus: &[M], minus: &[M]| -> BTreeSet<&str> {
                plus.iter().chain(minus).map(|measure| measure.name()).collect()
            };
            let mut denominator = named(below);
            // Taken away from all that ended; where the ways out are summed, they are not among them.
            if below.contains("ended") && below.contains("flow-outs elsewhere left out") {
                denominator.extend(ELSEWHERE.iter().map(|measure| measure.name()));
            }
            assert_eq!(named(above), made_of(formula.plus, formula.minus), "{} above", formula.name);
            assert_eq!(denominator, made_of(formula.over, formula.over_minus), "{} below", formula.name);
        }
    }
}
