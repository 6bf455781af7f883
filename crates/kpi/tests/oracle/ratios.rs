//! The ratios of docs/KPIS.md §4, written down once more.
//!
//! Invariant: a ratio is a sum over a sum; without anything below it, or without one of its parts, it is absent.

use pegcount_domain::formula::{Forms, ResolutionForm};
use pegcount_kpi::Value;

/// Plus and minus above, plus and minus below.
pub struct Ratio {
    name: &'static str,
    /// The upper sum is taken so many times.
    times: i64,
    above: &'static [(i64, &'static str)],
    below: &'static [(i64, &'static str)],
}

const HOUR: i64 = 3_600_000_000;

/// Visits that ended, those that ended elsewhere left out.
const ENDED: [(i64, &str); 3] =
    [(1, "ended"), (-1, "flow_out_answered_elsewhere"), (-1, "flow_out_abandoned_elsewhere")];

const fn ratio(
    name: &'static str,
    above: &'static [(i64, &'static str)],
    below: &'static [(i64, &'static str)],
) -> Ratio {
    Ratio { name, times: 1, above, below }
}

const RATIOS: [Ratio; 60] = [
    ratio("aht", &[(1, "handle_talk"), (1, "handle_hold"), (1, "handle_acw")], &[(1, "handled")]),
    ratio("aht_talk", &[(1, "handle_talk")], &[(1, "handled")]),
    ratio("aht_journey", &[(1, "contacts_handle_time")], &[(1, "contacts_handled")]),
    ratio("after_call_average", &[(1, "handle_acw")], &[(1, "handled")]),
    ratio("hold_average", &[(1, "handle_hold")], &[(1, "holds")]),
    ratio(
        "abandon_rate",
        &[(1, "abandoned"), (-1, "abandoned_short")],
        &[ENDED[0], ENDED[1], ENDED[2], (-1, "abandoned_short")],
    ),
    ratio("abandon_rate_raw", &[(1, "abandoned")], &ENDED),
    ratio("abandon_rate_waiting", &[(1, "abandoned"), (-1, "abandoned_ringing")], &ENDED),
    ratio("abandon_rate_ringing", &[(1, "abandoned_ringing")], &ENDED),
    ratio("asa", &[(1, "wait_answered")], &[(1, "answered")]),
    ratio(
        "service_level",
        &[(1, "answered_within")],
        &[
            (1, "answered_within"),
            (1, "abandoned_within"),
            (-1, "abandoned_short_within"),
            (1, "reached_unanswered"),
        ],
    ),
    ratio(
        "service_level_ignore_abandons",
        &[(1, "answered_within")],
        &[ENDED[0], ENDED[1], ENDED[2], (-1, "abandoned_within")],
    ),
    ratio("service_level_abandons_positive", &[(1, "answered_within"), (1, "abandoned_within")], &ENDED),
    ratio("service_level_abandons_negative", &[(1, "answered_within")], &ENDED),
    ratio("service_level_answered_only", &[(1, "answered_within")], &[(1, "answered")]),
    ratio(
        "service_level_answered_and_abandoned",
        &[(1, "answered_within")],
        &[(1, "answered"), (1, "abandoned")],
    ),
    ratio(
        "service_level_without_short",
        &[(1, "answered_within")],
        &[(1, "answered"), (1, "abandoned"), (-1, "abandoned_short")],
    ),
    // Whatever ended neither elsewhere nor by taking a call-back was answered, abandoned or flowed out.
    ratio(
        "service_level_with_flow_out",
        &[(1, "answered_within")],
        &[ENDED[0], ENDED[1], ENDED[2], (-1, "callback_taken")],
    ),
    ratio(
        "service_level_with_flow_out_without_short",
        &[(1, "answered_within")],
        &[ENDED[0], ENDED[1], ENDED[2], (-1, "callback_taken"), (-1, "abandoned_short")],
    ),
    ratio(
        "service_level_with_flow_out_without_abandoned",
        &[(1, "answered_within")],
        &[ENDED[0], ENDED[1], ENDED[2], (-1, "callback_taken"), (-1, "abandoned")],
    ),
    ratio(
        "occupancy",
        &[(1, "occupied_clock")],
        &[(1, "occupied_clock"), (1, "ready_clock"), (1, "ringing_clock"), (1, "dialing_clock")],
    ),
    ratio("utilisation", &[(1, "occupied_clock")], &[(1, "signed_in_clock")]),
    Ratio {
        name: "contacts_per_hour",
        times: HOUR,
        above: &[(1, "handled")],
        below: &[(1, "signed_in_clock"), (-1, "away_clock"), (-1, "lost_clock")],
    },
    Ratio {
        name: "contacts_per_hour_inbound",
        times: HOUR,
        above: &[(1, "handled_inbound")],
        below: &[(1, "signed_in_clock"), (-1, "away_clock"), (-1, "lost_clock")],
    },
    ratio(
        "occupancy_slots",
        &[(1, "occupied_clock"), (1, "extra_slots_busy_time")],
        &[
            (1, "occupied_clock"),
            (1, "ready_clock"),
            (1, "ringing_clock"),
            (1, "dialing_clock"),
            (1, "extra_slots_time"),
        ],
    ),
    Ratio {
        name: "callbacks_per_hour",
        times: HOUR,
        above: &[(1, "callbacks_made")],
        below: &[(1, "callback_time")],
    },
    ratio("outbound_connect_rate", &[(1, "outbound_connected")], &[(1, "outbound_dials")]),
    ratio("efficiency_share", &[(1, "agent_days_over_target")], &[(1, "agent_days_measured")]),
    ratio("efficiency_share_by_month", &[(1, "agent_months_over_target")], &[(1, "agent_months_measured")]),
    ratio("away_compliance", &[(1, "agent_days_compliant")], &[(1, "agent_days")]),
    ratio("connect_rate", &[(1, "answered")], &ENDED),
    ratio("first_attempt_connect_rate", &[(1, "first_attempts_answered")], &[(1, "first_attempts")]),
    ratio("transfer_rate", &[(1, "transfers_out_cold"), (1, "transfers_out_warm")], &[(1, "handled")]),
    ratio("transfer_rate_cold", &[(1, "transfers_out_cold")], &[(1, "handled")]),
    ratio("transfer_rate_warm", &[(1, "transfers_out_warm")], &[(1, "handled")]),
    ratio("rona_rate", &[(1, "offers_missed")], &[(1, "offers")]),
    ratio("prompt_answer_rate", &[(1, "answered_within_rings")], &[(1, "answered")]),
    ratio("agent_ends_first_rate", &[(1, "ended_by_agent")], &[(1, "handled")]),
    ratio("fcr_rate", &[(1, "fcr_held")], &[(1, "fcr_eligible")]),
    ratio("fcr_final_share", &[(1, "fcr_final")], &[(1, "fcr_eligible")]),
    ratio("fcr_repeat_form", &[(1, "repeat_none")], &[(1, "repeat_eligible")]),
    ratio("repeat_final_share", &[(1, "repeat_final")], &[(1, "repeat_eligible")]),
    ratio("reopen_rate", &[(1, "reopened")], &[(1, "resolved")]),
    ratio("rework_rate", &[(1, "reworked")], &[(1, "resolved")]),
    ratio("completion_rate", &[(1, "opened_valid_resolved")], &[(1, "opened_valid")]),
    ratio("target_compliance", &[(1, "target_met")], &[(1, "target_met"), (1, "target_breached")]),
    ratio(
        "target_compliance_first_response",
        &[(1, "target_met_first_response")],
        &[(1, "target_met_first_response"), (1, "target_breached_first_response")],
    ),
    ratio(
        "target_compliance_accept",
        &[(1, "target_met_accept")],
        &[(1, "target_met_accept"), (1, "target_breached_accept")],
    ),
    ratio(
        "target_compliance_next_update",
        &[(1, "target_met_next_update")],
        &[(1, "target_met_next_update"), (1, "target_breached_next_update")],
    ),
    ratio(
        "target_compliance_investigate",
        &[(1, "target_met_investigate")],
        &[(1, "target_met_investigate"), (1, "target_breached_investigate")],
    ),
    ratio(
        "target_compliance_approve",
        &[(1, "target_met_approve")],
        &[(1, "target_met_approve"), (1, "target_breached_approve")],
    ),
    ratio(
        "target_compliance_dispatch",
        &[(1, "target_met_dispatch")],
        &[(1, "target_met_dispatch"), (1, "target_breached_dispatch")],
    ),
    ratio(
        "target_compliance_explain",
        &[(1, "target_met_explain")],
        &[(1, "target_met_explain"), (1, "target_breached_explain")],
    ),
    ratio(
        "timeliness",
        &[(1, "target_met_resolve")],
        &[(1, "target_met_resolve"), (1, "target_breached_resolve")],
    ),
    ratio(
        "timeliness_arrive",
        &[(1, "target_met_arrive")],
        &[(1, "target_met_arrive"), (1, "target_breached_arrive")],
    ),
    ratio("repeat_complaint_rate", &[(1, "complaints_repeated")], &[(1, "complaints_closed")]),
    ratio("first_response_mean", &[(1, "first_response")], &[(1, "first_responses")]),
    ratio("first_response_mean_working", &[(1, "first_response_working")], &[(1, "first_responses")]),
    ratio("resolution_mean", &[(1, "resolution")], &[(1, "resolved")]),
    ratio("resolution_mean_working", &[(1, "resolution_working")], &[(1, "resolved")]),
];

/// Whether a column is one of them.
pub fn is_ratio(column: &str) -> bool {
    RATIOS.iter().any(|ratio| ratio.name == column)
}

/// The ratio that a column stands for where these forms hold; none for a measure.
pub fn of(column: &str, forms: Forms) -> Option<&'static Ratio> {
    static ALL: [Ratio; RATIOS.len()] = RATIOS;
    let variant = |form: &str, usual: &str| {
        if form == usual { column.to_owned() } else { format!("{column}_{form}") }
    };
    let name = match (column, forms.fcr) {
        ("aht", _) => variant(forms.aht.word(), "leg"),
        ("abandon_rate", _) => variant(forms.abandon_rate.word(), "without_short"),
        ("service_level", _) => variant(forms.service_level.word(), "standard"),
        ("fcr_rate", ResolutionForm::Repeat) => "fcr_repeat_form".to_owned(),
        ("fcr_final_share", ResolutionForm::Repeat) => "repeat_final_share".to_owned(),
        (other, _) => return ALL.iter().find(|ratio| ratio.name == other),
    };
    ALL.iter().find(|ratio| ratio.name == name)
}

impl Ratio {
    pub fn value(&self, amount: impl Fn(&'static str) -> Option<i64>) -> Value {
        let sum = |parts: &[(i64, &'static str)]| -> Option<i64> {
            parts.iter().map(|(sign, column)| amount(column).map(|amount| sign * amount)).sum()
        };
        match (sum(self.above), sum(self.below)) {
            (Some(above), Some(below)) if below != 0 => {
                Value::Ratio { numerator: above * self.times, denominator: below }
            }
            _ => Value::Absent,
        }
    }
}
