//! Deadline policies tried on the past over gRPC: who may, on which tickets, and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

mod support;

use pegcount_domain::time::Micros;
use pegcount_proto::v1::{self, definition::Definition as Defined};
use pegcount_server::Role;
use support::{Desk, Line, MORNING, desk, uuid};
use tonic::Code;

type Definitions = v1::definition_service_client::DefinitionServiceClient<Line>;
type Tickets = v1::ticket_service_client::TicketServiceClient<Line>;

async fn definitions(desk: &Desk, role: Role) -> Definitions {
    let (channel, bearer) = desk.line_of(role).await;
    v1::definition_service_client::DefinitionServiceClient::with_interceptor(channel, bearer)
}

async fn tickets(desk: &Desk, role: Role) -> Tickets {
    let (channel, bearer) = desk.line_of(role).await;
    v1::ticket_service_client::TicketServiceClient::with_interceptor(channel, bearer)
}

async fn open(tickets: &mut Tickets, ticket: &str, receiver: &str, id: u8) {
    let new = v1::NewTicket {
        ticket: ticket.into(),
        kind: "repair".into(),
        receiver: receiver.into(),
        ..Default::default()
    };
    let request = v1::OpenTicketRequest { site: "north".into(), ticket: Some(new), command_id: uuid(id) };
    tickets.open_ticket(request).await.unwrap();
}

fn defined(definition: Defined) -> v1::Definition {
    v1::Definition { valid_from_us: 0, definition: Some(definition) }
}

/// One policy for all: settled within an hour, by a calendar if one is named.
fn policies(calendar: &str) -> v1::Definition {
    let rule = v1::TicketTargetRule {
        target: v1::TicketTarget::Resolve.into(),
        within_us: Some(Micros::HOUR.0),
        calendar: calendar.into(),
        ..Default::default()
    };
    let policy = v1::TicketPolicy { name: "any".into(), targets: vec![rule], ..Default::default() };
    defined(Defined::TicketPolicies(v1::TicketPoliciesDefinition { policies: vec![policy] }))
}

fn asked(tried: Vec<v1::Definition>) -> v1::ReplayTicketPoliciesRequest {
    let day = 24 * Micros::HOUR.0;
    v1::ReplayTicketPoliciesRequest {
        site: "north".into(),
        tried,
        from_us: MORNING.0 - day,
        to_us: MORNING.0 + day,
    }
}

async fn replayed(
    client: &mut Definitions,
    request: v1::ReplayTicketPoliciesRequest,
) -> (Vec<String>, v1::TicketReplaySummary) {
    let mut stream = client.replay_ticket_policies(request).await.unwrap().into_inner();
    let (mut tickets, mut summaries) = (Vec::new(), Vec::new());
    while let Some(part) = stream.message().await.unwrap() {
        assert!(summaries.is_empty(), "nothing comes after the summary");
        tickets.extend(part.tickets.into_iter().map(|one| one.ticket));
        summaries.extend(part.summary);
    }
    (tickets, summaries.pop().expect("a summary at the end"))
}

#[tokio::test]
async fn an_agent_tries_on_the_tickets_that_it_may_see_and_others_on_all() {
    let desk = desk().await;
    let mut owner = tickets(&desk, Role::TicketOwner).await;
    for (ticket, receiver, id) in [("mine", "7", 1), ("new", "", 2)] {
        open(&mut owner, ticket, receiver, id).await;
    }
    open(&mut owner, "theirs", "8", 3).await;
    let accept = v1::ticket_command_request::Accept { owner: "8".into() };
    let accept = v1::TicketCommandRequest {
        site: "north".into(),
        ticket: "theirs".into(),
        command_id: uuid(4),
        command: Some(v1::ticket_command_request::Command::Accept(accept)),
        ..Default::default()
    };
    owner.command_ticket(accept).await.unwrap();
    let mut lead = definitions(&desk, Role::TeamLead).await;
    let (all, summary) = replayed(&mut lead, asked(vec![policies("")])).await;
    assert_eq!(all, ["mine", "new", "theirs"]);
    assert_eq!((summary.tickets, summary.differing), (3, 3));
    let resolve = summary.targets.iter().find(|one| one.target() == v1::TicketTarget::Resolve).unwrap();
    assert_eq!((resolve.was.unwrap().running, resolve.would.unwrap().running), (0, 3));
    let mut agent = definitions(&desk, Role::Agent).await;
    let (own, summary) = replayed(&mut agent, asked(vec![policies("")])).await;
    assert_eq!((own, summary.tickets), (vec!["mine".to_owned(), "new".to_owned()], 2));
    // Opened at an instant that the range does not hold.
    let until = v1::ReplayTicketPoliciesRequest { to_us: MORNING.0, ..asked(vec![policies("")]) };
    assert_eq!(replayed(&mut lead, until).await.1.tickets, 0, "the end is not of the range");
    let nowhere = v1::ReplayTicketPoliciesRequest { site: "south".into(), ..asked(vec![policies("")]) };
    assert_eq!(lead.replay_ticket_policies(nowhere).await.unwrap_err().code(), Code::PermissionDenied);
    let mut analyst = definitions(&desk, Role::Analyst).await;
    let refused = analyst.replay_ticket_policies(asked(vec![policies("")])).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused_and_says_why() {
    let desk = desk().await;
    let mut lead = definitions(&desk, Role::TeamLead).await;
    let mut refused = async |request| {
        let refusal = lead.replay_ticket_policies(request).await.unwrap_err();
        assert_eq!(refusal.code(), Code::InvalidArgument, "{refusal}");
        refusal.message().to_owned()
    };
    let queue = defined(Defined::Queue(v1::QueueDefinition { queue: "sales".into(), ..Default::default() }));
    assert_eq!(
        refused(asked(vec![policies(""), queue])).await,
        "tried[1] is definition.queue, on which no deadline hangs; give ticket policies, calendars and calendar changes"
    );
    assert_eq!(refused(asked(Vec::new())).await, "tried holds no ticket policies; give the set to try");
    assert_eq!(
        refused(asked(vec![policies(""), policies("")])).await,
        "tried[1] is a second set of ticket policies; try one at a time"
    );
    let backwards = v1::ReplayTicketPoliciesRequest { to_us: 5, from_us: 5, ..asked(vec![policies("")]) };
    assert!(refused(backwards).await.starts_with("to_us is "));
    assert_eq!(
        refused(asked(vec![policies("nights")])).await,
        "policies[0].targets[0] (resolve of policy any) counts by calendar nights, which is neither defined nor tried; define it, \
         try it beside, or name another one"
    );
    let mut endless = policies("");
    let Some(Defined::TicketPolicies(set)) = &mut endless.definition else { panic!("{endless:?}") };
    set.policies[0].targets[0].within_us = Some(-1);
    assert!(refused(asked(vec![endless])).await.contains("within_us"));
    let many = vec![policies(""); 4_001];
    assert_eq!(
        refused(asked(many)).await,
        "tried holds 4001; the limit is 4000: leave out what no policy names"
    );
}
