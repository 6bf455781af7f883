//! The table of a leg's transitions.
//!
//! [`transition`] is all of it: the machine asks nothing else, and ARCHITECTURE.md shows what is printed from here. Two
//! reporters may tell of the same leg, so a step that is already so changes nothing and is not marked.
//!
//! Invariant: every (phase, step) has an answer, and an end always ends: no report leaves a leg stuck.

use crate::agent::{
    anomaly::Anomaly,
    slot::{Phase, StepKind},
};

/// What a step does to a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// The phase afterwards; none: it stays as it was.
    pub to: Option<Phase>,
    /// Set if the step was not expected.
    pub mark: Option<Anomaly>,
}

const fn go(to: Phase) -> Move {
    Move { to: Some(to), mark: None }
}

const fn odd(to: Phase, mark: Anomaly) -> Move {
    Move { to: Some(to), mark: Some(mark) }
}

const fn stay(mark: Anomaly) -> Move {
    Move { to: None, mark: Some(mark) }
}

const SAME: Move = Move { to: None, mark: None };

/// The table: what `step` does to a leg in phase `from`; none: a leg that nobody has reported yet.
pub const fn transition(from: Option<Phase>, step: StepKind) -> Move {
    match from {
        None => from_unknown(step),
        Some(phase) if phase.is_offer() => from_offer(phase, step),
        Some(phase) if phase.is_conversation() => from_conversation(phase, step),
        Some(phase @ (Phase::AfterCall | Phase::Suspended)) => from_work(phase, step),
        Some(phase) => from_over(phase, step),
    }
}

/// Where a step leads if nothing speaks against it; none for a transfer, which moves nothing by itself.
const fn aim(step: StepKind) -> Option<Phase> {
    Some(match step {
        StepKind::Offered => Phase::Offered,
        StepKind::Ringing => Phase::Ringing,
        StepKind::Dialing => Phase::Dialing,
        StepKind::Answered | StepKind::Retrieved => Phase::Talking,
        StepKind::Held => Phase::Held,
        StepKind::Consulting => Phase::Consulting,
        StepKind::Conferenced => Phase::Conferenced,
        StepKind::Interrupted => Phase::Interrupted,
        StepKind::Transferred => return None,
        StepKind::Missed => Phase::Missed,
        StepKind::Rejected => Phase::Rejected,
        StepKind::CustomerGone => Phase::CustomerGone,
        StepKind::Failed => Phase::Failed,
        StepKind::Ended | StepKind::AfterCallEnded => Phase::Ended,
        StepKind::EndedIntoWork | StepKind::AfterCallStarted => Phase::AfterCall,
    })
}

const fn from_unknown(step: StepKind) -> Move {
    use Anomaly::{AnswerMissing, LegUnknown, OfferMissing};
    let Some(to) = aim(step) else { return stay(LegUnknown) };
    match step {
        // Many exchanges report nothing before the answer.
        StepKind::Offered | StepKind::Ringing | StepKind::Dialing | StepKind::Answered => go(to),
        StepKind::Missed | StepKind::Rejected | StepKind::CustomerGone | StepKind::Failed => {
            odd(to, OfferMissing)
        }
        _ => odd(to, AnswerMissing),
    }
}

const fn from_offer(phase: Phase, step: StepKind) -> Move {
    let Some(to) = aim(step) else { return stay(Anomaly::AnswerMissing) };
    match (phase, step) {
        (Phase::Offered, StepKind::Offered)
        // Two reporters need not agree on which came first, and a far end that rings is still being dialled.
        | (Phase::Ringing, StepKind::Offered | StepKind::Ringing)
        | (Phase::Dialing, StepKind::Offered | StepKind::Ringing | StepKind::Dialing) => SAME,
        (Phase::Ringing, StepKind::Dialing) => odd(to, Anomaly::StepTooLate),
        (Phase::Dialing, StepKind::Missed | StepKind::Rejected | StepKind::CustomerGone) => {
            odd(to, Anomaly::OfferMissing)
        }
        (
            _,
            StepKind::Ringing
            | StepKind::Dialing
            | StepKind::Answered
            | StepKind::Missed
            | StepKind::Rejected
            | StepKind::CustomerGone
            | StepKind::Failed,
        )
        // Hanging up before the far end answers is how most dialling ends.
        | (Phase::Dialing, StepKind::Ended | StepKind::EndedIntoWork) => go(to),
        _ => odd(to, Anomaly::AnswerMissing),
    }
}

const fn from_conversation(phase: Phase, step: StepKind) -> Move {
    use Anomaly::{AnsweredAlready, EndMissing, StepTooLate};
    let Some(to) = aim(step) else { return SAME };
    match step {
        StepKind::Offered | StepKind::Ringing | StepKind::Dialing => stay(StepTooLate),
        StepKind::Answered if matches!(phase, Phase::Talking) => SAME,
        StepKind::Answered => stay(AnsweredAlready),
        // The exchange says that it is over; a state that nothing ends would be worse than a marked end.
        StepKind::Missed | StepKind::Rejected | StepKind::CustomerGone | StepKind::Failed => {
            odd(Phase::Ended, AnsweredAlready)
        }
        StepKind::AfterCallStarted | StepKind::AfterCallEnded => odd(to, EndMissing),
        _ if phase as u8 == to as u8 => SAME,
        _ => go(to),
    }
}

const fn from_work(phase: Phase, step: StepKind) -> Move {
    use Anomaly::EndedAlready;
    match step {
        StepKind::Ended | StepKind::EndedIntoWork => SAME,
        StepKind::AfterCallStarted if matches!(phase, Phase::AfterCall) => SAME,
        StepKind::AfterCallStarted => go(Phase::AfterCall),
        StepKind::AfterCallEnded => go(Phase::Ended),
        StepKind::Answered
        | StepKind::Retrieved
        | StepKind::Held
        | StepKind::Consulting
        | StepKind::Conferenced
        | StepKind::Interrupted => Move { to: aim(step), mark: Some(EndedAlready) },
        _ => stay(EndedAlready),
    }
}

const fn from_over(phase: Phase, step: StepKind) -> Move {
    use Anomaly::{AfterCallUnexpected, AnswerMissing, EndedAlready, EndedOtherwise};
    let Some(to) = aim(step) else { return stay(EndedAlready) };
    let talked = matches!(phase, Phase::Ended);
    match step {
        // A leg offered again after it came to nothing; the customer still waits in the same visit.
        StepKind::Offered | StepKind::Ringing | StepKind::Dialing if !talked => go(to),
        StepKind::Missed | StepKind::Rejected | StepKind::CustomerGone | StepKind::Failed => {
            if phase as u8 == to as u8 { SAME } else { stay(EndedOtherwise) }
        }
        // Work that a timer or a newer contact has ended is reported as ended by the softphone too.
        StepKind::Ended | StepKind::AfterCallEnded => SAME,
        StepKind::EndedIntoWork if talked => SAME,
        StepKind::AfterCallStarted if talked => odd(to, AfterCallUnexpected),
        StepKind::AfterCallStarted | StepKind::EndedIntoWork => odd(to, AnswerMissing),
        _ => odd(to, EndedAlready),
    }
}
