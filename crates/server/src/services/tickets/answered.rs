//! A ticket in the contract's words. Codes of the domain's words are the contract's numbers.

use pegcount_domain::{
    deadlines::{Outcome, TargetClock},
    ids::Name,
    ticketing::{Facts, Way},
    time::Micros,
};
use pegcount_engine::TicketView;
use pegcount_proto::v1;

pub(super) fn ticket(view: &TicketView, now: Micros) -> v1::Ticket {
    let state = &view.state;
    let mut clocks: Vec<_> = view.deadlines.clocks().iter().filter(|clock| clock.is_set()).collect();
    clocks.sort_by_key(|clock| clock.kind);
    v1::Ticket {
        site: view.site.to_string(),
        ticket: view.ticket.to_string(),
        version: view.version.0,
        status: state.status.code().into(),
        hold_reason: text(state.hold_reason.as_ref()),
        kind: state.kind.to_string(),
        facts: Some(facts(&state.facts)),
        receiver: text(state.receiver.as_ref()),
        owner: text(state.owner.as_ref()),
        group: text(state.group.as_ref()),
        sent: text(state.sent.as_ref()),
        way: state.way.as_ref().map(way),
        resolved_by: text(state.resolved_by.as_ref()),
        opened_us: state.opened_at.0,
        resolved_us: state.resolved_at.map(|at| at.0),
        closed_us: state.closed_at.map(|at| at.0),
        reopened: state.reopened,
        reworked: state.reworked,
        repeated: state.repeated,
        confirmed: state.confirmed,
        level: state.level.into(),
        untold: texts(&state.untold),
        merged_into: text(state.merged_into.as_ref()),
        links: state
            .links
            .iter()
            .map(|(other, how)| v1::TicketLink { ticket: other.to_string(), how: how.code().into() })
            .collect(),
        contacts: texts(&state.contacts),
        evidence: state.evidence.iter().map(|(kind, count)| (kind.to_string(), *count)).collect(),
        notes: state.notes,
        approval: state.approval.as_ref().map(|approval| v1::TicketApproval {
            approver: approval.approver.to_string(),
            asked_us: approval.asked_at.0,
            given: approval.given,
        }),
        visit: state.visit.map(|visit| v1::TicketVisit {
            number: visit.number,
            step: visit.step.code().into(),
            appointment_us: visit.appointment.map(|at| at.0),
        }),
        deadlines: clocks.into_iter().map(|clock| deadline(clock, now)).collect(),
    }
}

fn text(id: Option<&impl ToString>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}

fn texts(ids: &[impl ToString]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn facts(facts: &Facts) -> v1::TicketFacts {
    let name = |name: &Option<Name>| text(name.as_ref());
    v1::TicketFacts {
        category: text(facts.category.as_ref()),
        topic: text(facts.topic.as_ref()),
        severity: facts.severity.map_or(0, |severity| severity.code().into()),
        urgency: facts.urgency.map_or(0, |urgency| urgency.code().into()),
        validity: facts.validity.map_or(0, |validity| validity.code().into()),
        customer: text(facts.customer.as_ref()),
        tier: name(&facts.tier),
        place: name(&facts.place),
        region: name(&facts.region),
        channel: name(&facts.channel),
        attributes: facts
            .attributes
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .collect(),
    }
}

fn way(way: &Way) -> v1::TicketWay {
    let mut message = v1::TicketWay { kind: way.kind().code().into(), ..v1::TicketWay::default() };
    match way {
        Way::Alone | Way::WithApproval => {}
        Way::WithOthers { groups } => message.groups = texts(groups),
        Way::Declined { reason, alternative } => {
            message.reason = reason.to_string();
            message.alternative = alternative.to_string();
        }
    }
    message
}

fn deadline(clock: &TargetClock, now: Micros) -> v1::TicketDeadline {
    let (fulfilled_us, withdrawn_us) = match clock.outcome {
        Outcome::Active => (None, None),
        Outcome::Fulfilled(at) => (Some(at.0), None),
        Outcome::Withdrawn(at) => (None, Some(at.0)),
    };
    v1::TicketDeadline {
        target: clock.kind.code().into(),
        activated_us: clock.activated_at.0,
        due_us: clock.due.map(|due| due.0),
        promised: clock.promise.is_some(),
        fulfilled_us,
        withdrawn_us,
        breached: clock.is_breached(now),
    }
}
