//! The order of a site visit's steps (PRODUCT.md row 9): requested, appointment agreed, approved, arrived, slip signed, slip filed.

use crate::ticketing::words::VisitStep;

/// The steps after which `step` may come; `None` among them: with no visit before. An appointment may be agreed anew until
/// whoever comes is there, and must then be approved anew; a visit may be requested anew at any time, as the next one.
pub const fn may_follow(before: Option<VisitStep>, step: VisitStep) -> bool {
    use VisitStep::{AppointmentAgreed, Approved, Arrived, Requested, SlipFiled, SlipSigned};
    match step {
        Requested => !matches!(before, Some(Requested)),
        AppointmentAgreed => matches!(before, Some(Requested | AppointmentAgreed | Approved)),
        Approved => matches!(before, Some(AppointmentAgreed)),
        Arrived => matches!(before, Some(Approved)),
        SlipSigned => matches!(before, Some(Arrived)),
        SlipFiled => matches!(before, Some(SlipSigned)),
    }
}

/// The step that has to come before `step`; none: nothing has to.
pub const fn needed_before(step: VisitStep) -> Option<VisitStep> {
    match step {
        VisitStep::Requested => None,
        VisitStep::AppointmentAgreed => Some(VisitStep::Requested),
        VisitStep::Approved => Some(VisitStep::AppointmentAgreed),
        VisitStep::Arrived => Some(VisitStep::Approved),
        VisitStep::SlipSigned => Some(VisitStep::Arrived),
        VisitStep::SlipFiled => Some(VisitStep::SlipSigned),
    }
}
