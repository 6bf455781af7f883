//! A leg's step in the words of the domain, as the contract carries it.
//!
//! Invariant: the domain's codes are the contract's numbers, so nothing is translated, only moved.

use pegcount_domain::event::{LegRef, LegStep};
use pegcount_proto::v1::{self, LegEnded, LegTransferred, Nothing, leg::Step};

/// The contract's message for one step of a leg.
pub fn leg_message(leg: &LegRef, step: &LegStep) -> v1::Leg {
    v1::Leg {
        contact: leg.contact.to_string(),
        leg: leg.leg.to_string(),
        agent: text(leg.agent.as_ref()),
        visit: text(leg.visit.as_ref()),
        queue: text(leg.queue.as_ref()),
        channel: leg.channel.map_or(0, |channel| channel.code().into()),
        direction: leg.direction.map_or(0, |direction| direction.code().into()),
        step: Some(step_message(step)),
    }
}

fn step_message(step: &LegStep) -> Step {
    let nothing = Nothing {};
    match step {
        LegStep::Offered => Step::Offered(nothing),
        LegStep::Ringing => Step::Ringing(nothing),
        LegStep::Dialing => Step::Dialing(nothing),
        LegStep::Answered => Step::Answered(nothing),
        LegStep::Held => Step::Held(nothing),
        LegStep::Retrieved => Step::Retrieved(nothing),
        LegStep::Consulting => Step::Consulting(nothing),
        LegStep::Conferenced => Step::Conferenced(nothing),
        LegStep::Interrupted => Step::Interrupted(nothing),
        LegStep::Transferred { kind, reason, to_queue, to_agent } => Step::Transferred(LegTransferred {
            kind: kind.code().into(),
            reason: text(reason.as_ref()),
            to_queue: text(to_queue.as_ref()),
            to_agent: text(to_agent.as_ref()),
        }),
        LegStep::Missed => Step::Missed(nothing),
        LegStep::Rejected => Step::Rejected(nothing),
        LegStep::CustomerGone => Step::CustomerGone(nothing),
        LegStep::Failed => Step::Failed(nothing),
        LegStep::Ended { by, after_call_expected } => Step::Ended(LegEnded {
            by: by.map_or(0, |by| by.code().into()),
            after_call_expected: *after_call_expected,
        }),
        LegStep::AfterCallStarted => Step::AfterCallStarted(nothing),
        LegStep::AfterCallEnded => Step::AfterCallEnded(nothing),
    }
}

/// The text of an id; empty for none.
pub(crate) fn text(id: Option<&impl ToString>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use pegcount_domain::event::{Channel, Direction, Party, TransferKind};
    use pegcount_proto::v1;

    #[test]
    fn the_domains_codes_are_the_contracts_numbers() {
        let code = |code: u8| i32::from(code);
        assert_eq!(code(Channel::Messaging.code()), v1::Channel::Messaging as i32);
        assert_eq!(code(Direction::Internal.code()), v1::Direction::Internal as i32);
        assert_eq!(code(Party::System.code()), v1::Party::System as i32);
        assert_eq!(code(TransferKind::Warm.code()), v1::TransferKind::Warm as i32);
    }
}
