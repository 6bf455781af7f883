//! The KPIs of tickets, in the order of their columns.
//!
//! Invariant: as of all others ([`super::table`]).

use super::{Formula, table::ratio};
use crate::measure::{Measure as M, Unit};

/// All of them, after those of [`super::table`].
pub(super) static TICKETS: &[Formula] = &[
    ratio("reopen_rate", Unit::Ratio, "reopened / resolved", &[M::TicketsReopened], &[M::TicketsResolved]),
    ratio("rework_rate", Unit::Ratio, "reworked / resolved", &[M::TicketsReworked], &[M::TicketsResolved]),
    ratio(
        "completion_rate",
        Unit::Ratio,
        "opened_valid_resolved / opened_valid",
        &[M::OpenedValidResolved],
        &[M::OpenedValid],
    ),
    ratio(
        "target_compliance",
        Unit::Ratio,
        "target_met / (target_met + target_breached)",
        &[M::TargetMet],
        &[M::TargetMet, M::TargetBreached],
    ),
    ratio(
        "target_compliance_first_response",
        Unit::Ratio,
        "target_met_first_response / (target_met_first_response + target_breached_first_response)",
        &[M::TargetMetFirstResponse],
        &[M::TargetMetFirstResponse, M::TargetBreachedFirstResponse],
    ),
    ratio(
        "target_compliance_accept",
        Unit::Ratio,
        "target_met_accept / (target_met_accept + target_breached_accept)",
        &[M::TargetMetAccept],
        &[M::TargetMetAccept, M::TargetBreachedAccept],
    ),
    ratio(
        "target_compliance_next_update",
        Unit::Ratio,
        "target_met_next_update / (target_met_next_update + target_breached_next_update)",
        &[M::TargetMetNextUpdate],
        &[M::TargetMetNextUpdate, M::TargetBreachedNextUpdate],
    ),
    ratio(
        "target_compliance_investigate",
        Unit::Ratio,
        "target_met_investigate / (target_met_investigate + target_breached_investigate)",
        &[M::TargetMetInvestigate],
        &[M::TargetMetInvestigate, M::TargetBreachedInvestigate],
    ),
    ratio(
        "target_compliance_approve",
        Unit::Ratio,
        "target_met_approve / (target_met_approve + target_breached_approve)",
        &[M::TargetMetApprove],
        &[M::TargetMetApprove, M::TargetBreachedApprove],
    ),
    ratio(
        "target_compliance_dispatch",
        Unit::Ratio,
        "target_met_dispatch / (target_met_dispatch + target_breached_dispatch)",
        &[M::TargetMetDispatch],
        &[M::TargetMetDispatch, M::TargetBreachedDispatch],
    ),
    ratio(
        "target_compliance_explain",
        Unit::Ratio,
        "target_met_explain / (target_met_explain + target_breached_explain)",
        &[M::TargetMetExplain],
        &[M::TargetMetExplain, M::TargetBreachedExplain],
    ),
    ratio(
        "timeliness",
        Unit::Ratio,
        "target_met_resolve / (target_met_resolve + target_breached_resolve)",
        &[M::TargetMetResolve],
        &[M::TargetMetResolve, M::TargetBreachedResolve],
    ),
    ratio(
        "timeliness_arrive",
        Unit::Ratio,
        "target_met_arrive / (target_met_arrive + target_breached_arrive)",
        &[M::TargetMetArrive],
        &[M::TargetMetArrive, M::TargetBreachedArrive],
    ),
    ratio(
        "repeat_complaint_rate",
        Unit::Ratio,
        "complaints_repeated / complaints_closed",
        &[M::ComplaintsRepeated],
        &[M::ComplaintsClosed],
    ),
    ratio(
        "first_response_mean",
        Unit::Duration,
        "first_response / first_responses",
        &[M::FirstResponse],
        &[M::FirstResponses],
    ),
    ratio(
        "first_response_mean_working",
        Unit::Duration,
        "first_response_working / first_responses",
        &[M::FirstResponseWorking],
        &[M::FirstResponses],
    ),
    ratio(
        "resolution_mean",
        Unit::Duration,
        "resolution / resolved",
        &[M::Resolution],
        &[M::TicketsResolved],
    ),
    ratio(
        "resolution_mean_working",
        Unit::Duration,
        "resolution_working / resolved",
        &[M::ResolutionWorking],
        &[M::TicketsResolved],
    ),
];
