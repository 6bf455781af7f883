//! Which of the domain's kinds of step a fact is.

use pegcount_domain::agent::StepKind;

use crate::fact::Step;

/// The kind; an assignment is no step of the table and is taken before.
pub(super) fn kind_of(step: Step) -> StepKind {
    match step {
        Step::Offered => StepKind::Offered,
        Step::Ringing => StepKind::Ringing,
        Step::Dialing => StepKind::Dialing,
        Step::Answered => StepKind::Answered,
        Step::Held => StepKind::Held,
        Step::Retrieved => StepKind::Retrieved,
        Step::Consulting => StepKind::Consulting,
        Step::Conferenced => StepKind::Conferenced,
        Step::Interrupted => StepKind::Interrupted,
        Step::Missed => StepKind::Missed,
        Step::Rejected => StepKind::Rejected,
        Step::CustomerGone => StepKind::CustomerGone,
        Step::Failed => StepKind::Failed,
        Step::AfterCallStarted => StepKind::AfterCallStarted,
        Step::AfterCallEnded => StepKind::AfterCallEnded,
        Step::Assigned | Step::Transferred { .. } => StepKind::Transferred,
        Step::Ended { after_call: true, .. } => StepKind::EndedIntoWork,
        Step::Ended { after_call: false, .. } => StepKind::Ended,
    }
}
