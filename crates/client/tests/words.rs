//! The ergonomic front says what the field says: every word becomes the fact that the contract means by it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::{Fake, config, local};
use pegcount_client::{Exchange, Softphone, Start};
use pegcount_clock::Clock;
use pegcount_domain::{
    event::{Channel, Direction, Event, LegRef, LegStep, Party, QueueExit, TransferKind},
    ids::{
        AgentId, ContactId, EntryId, LegId, PhoneKey, QueueId, ReasonCode, SurveyId, TopicId, VisitId,
        WrapUpCode,
    },
};
use pegcount_proto::check_fact;
use tempfile::TempDir;

fn leg() -> LegRef {
    LegRef {
        contact: ContactId::new("c1").unwrap(),
        leg: LegId::new("l1").unwrap(),
        agent: Some(AgentId::new("anna").unwrap()),
        visit: Some(VisitId::new("v1").unwrap()),
        queue: Some(QueueId::new("service").unwrap()),
        channel: Some(Channel::Voice),
        direction: Some(Direction::Inbound),
    }
}

/// The events that the server's edge makes of what a source said.
fn events(fake: &Fake) -> Vec<Event> {
    fake.with(|log| log.kept.iter().map(|kept| check_fact(kept.fact.fact.as_ref()).unwrap().event).collect())
}

#[tokio::test]
async fn a_softphone_speaks_of_its_agent_and_its_legs() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    let server = fake.serve(local()).await;
    let phone =
        Softphone::open(config(&server.endpoint(), spool.path(), "phone"), AgentId::new("anna").unwrap())
            .unwrap();
    let reason = ReasonCode::new("meal").unwrap();
    phone.sign_in().unwrap();
    phone.ready().unwrap();
    phone.outbound_assigned(&leg().contact, &leg().leg).unwrap();
    phone.key(&PhoneKey::new("mute").unwrap()).unwrap();
    let call = phone.leg(leg());
    let steps = [
        call.offered(),
        call.ringing(),
        call.answered(),
        call.held(),
        call.retrieved(),
        call.consulting(),
        call.transferred_to(QueueId::new("sales").unwrap(), TransferKind::Warm, Some(reason.clone())),
        call.ended_with_after_call(Party::Agent),
        call.after_call_started(),
        call.after_call_ended(),
        call.dialing(),
        call.missed(),
        call.rejected(),
        call.customer_gone(),
        call.failed(),
        call.ended(Party::Customer),
    ];
    assert!(steps.iter().all(Result::is_ok));
    phone.not_ready(&reason).unwrap();
    phone.sign_out().unwrap();
    phone.source().flush().await.unwrap();
    phone.close().await;

    let step = |step| Event::Leg { leg: leg(), step };
    let transferred = LegStep::Transferred {
        kind: TransferKind::Warm,
        reason: Some(reason.clone()),
        to_queue: Some(QueueId::new("sales").unwrap()),
        to_agent: None,
    };
    let expected = [
        Event::SignedIn,
        Event::Ready,
        Event::OutboundAssigned { contact: leg().contact, leg: leg().leg },
        Event::KeyPressed { key: PhoneKey::new("mute").unwrap() },
        step(LegStep::Offered),
        step(LegStep::Ringing),
        step(LegStep::Answered),
        step(LegStep::Held),
        step(LegStep::Retrieved),
        step(LegStep::Consulting),
        step(transferred),
        step(LegStep::Ended { by: Some(Party::Agent), after_call_expected: true }),
        step(LegStep::AfterCallStarted),
        step(LegStep::AfterCallEnded),
        step(LegStep::Dialing),
        step(LegStep::Missed),
        step(LegStep::Rejected),
        step(LegStep::CustomerGone),
        step(LegStep::Failed),
        step(LegStep::Ended { by: Some(Party::Customer), after_call_expected: false }),
        Event::NotReady { reason },
        Event::SignedOut,
    ];
    assert_eq!(events(&fake), expected);
}

#[tokio::test]
async fn an_exchange_speaks_of_contacts() {
    let (fake, spool) = (Fake::new(Clock::system()), TempDir::new().unwrap());
    let server = fake.serve(local()).await;
    let exchange = Exchange::open(config(&server.endpoint(), spool.path(), "exchange")).unwrap();
    let (contact, visit) = (leg().contact, VisitId::new("v1").unwrap());
    let (queue, topic) = (QueueId::new("service").unwrap(), TopicId::new("bill").unwrap());
    let (code, survey) = (WrapUpCode::new("solved").unwrap(), SurveyId::new("after").unwrap());
    let start = Start {
        channel: Channel::Voice,
        direction: Direction::Inbound,
        entry: Some(EntryId::new("10000").unwrap()),
        caller: Some("+49301234567".into()),
        journey: None,
        callback: false,
        priority: 0,
    };
    exchange.started(&contact, &start).unwrap();
    exchange.identified(&contact, None, Some(&topic)).unwrap();
    exchange.queue_entered(&contact, &visit, &queue).unwrap();
    exchange.leg(&leg(), &LegStep::Ringing).unwrap();
    exchange.queue_left(&contact, &visit, QueueExit::Abandoned, true).unwrap();
    exchange.wrapped_up(&contact, &code, Some(&topic), Some(false)).unwrap();
    exchange.ended(&contact, Party::Customer, false).unwrap();
    exchange.survey_answered(&contact, &survey, 2).unwrap();
    exchange.source().flush().await.unwrap();
    exchange.close().await;

    let expected = [
        Event::ContactStarted {
            channel: Channel::Voice,
            direction: Direction::Inbound,
            entry: start.entry,
            customer: None,
            journey: None,
            callback: false,
            priority: 0,
        },
        Event::ContactIdentified { customer: None, topic: Some(topic.clone()) },
        Event::QueueEntered { visit: visit.clone(), queue, priority: 0 },
        Event::Leg { leg: leg(), step: LegStep::Ringing },
        Event::QueueLeft { visit, exit: QueueExit::Abandoned, ringing: true },
        Event::WrappedUp { code, topic: Some(topic), resolved: Some(false) },
        Event::ContactEnded { by: Some(Party::Customer), self_served: false },
        Event::SurveyAnswered { survey, score: 2 },
    ];
    assert_eq!(events(&fake), expected);
    let caller = fake.with(|log| check_fact(log.kept[0].fact.fact.as_ref()).unwrap().caller);
    assert_eq!(caller, start.caller);
}
