//! The ticket service: commands, roles, lists, watches; and many clients at once.
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

use std::collections::HashMap;

use pegcount_domain::time::Micros;
use pegcount_proto::v1::{
    self,
    ticket_command_request::{Accept, Approver, Close, Command, Note, Promise, Reopen, Resolve},
};
use pegcount_server::Role;
use support::{Desk, Line, MORNING, desk, uuid};
use tonic::Code;

type Tickets = v1::ticket_service_client::TicketServiceClient<Line>;

async fn tickets(desk: &Desk, role: Role) -> Tickets {
    let (channel, bearer) = desk.line_of(role).await;
    v1::ticket_service_client::TicketServiceClient::with_interceptor(channel, bearer)
}

fn opening(ticket: &str, id: u8) -> v1::OpenTicketRequest {
    let ticket = v1::NewTicket {
        ticket: ticket.into(),
        kind: "repair".into(),
        caller: "+86 10 5555".into(),
        ..Default::default()
    };
    v1::OpenTicketRequest { site: "north".into(), ticket: Some(ticket), command_id: uuid(id) }
}

fn asked(ticket: &str, id: u8, expected_version: u64, command: Command) -> v1::TicketCommandRequest {
    v1::TicketCommandRequest {
        site: "north".into(),
        ticket: ticket.into(),
        expected_version,
        command_id: uuid(id),
        text: String::new(),
        command: Some(command),
    }
}

fn accept(owner: &str) -> Command {
    Command::Accept(Accept { owner: owner.into() })
}

fn classify(category: &str) -> Command {
    Command::Classify(v1::TicketFacts { category: category.into(), ..Default::default() })
}

fn resolve() -> Command {
    let way = v1::TicketWay { kind: v1::TicketWayKind::Alone.into(), ..Default::default() };
    Command::Resolve(Resolve { way: Some(way), ..Default::default() })
}

fn close() -> Command {
    Command::Close(Close::default())
}

fn get(ticket: &str) -> v1::GetTicketRequest {
    v1::GetTicketRequest { site: "north".into(), ticket: ticket.into() }
}

#[tokio::test]
async fn a_ticket_goes_its_way_and_steps_that_do_not_fit_are_refused_with_the_reason() {
    let desk = desk().await;
    let mut tickets = tickets(&desk, Role::TicketOwner).await;
    let opened = tickets.open_ticket(opening("T-1", 1)).await.unwrap().into_inner();
    assert_eq!(
        tickets.open_ticket(opening("T-1", 1)).await.unwrap().into_inner(),
        opened,
        "the same command"
    );
    assert_eq!(tickets.open_ticket(opening("T-1", 2)).await.unwrap_err().code(), Code::AlreadyExists);
    let early = tickets.command_ticket(asked("T-1", 3, 0, close())).await.unwrap_err();
    assert_eq!(early.code(), Code::FailedPrecondition);
    assert!(early.message().contains("it is not resolved: resolve it first"), "{early}");
    tickets.command_ticket(asked("T-1", 4, 1, accept("7"))).await.unwrap();
    let stale = tickets.command_ticket(asked("T-1", 5, 1, classify("pipes"))).await.unwrap_err();
    assert_eq!(stale.code(), Code::Aborted);
    assert!(stale.message().contains("version 2 by ticket_owner of the test at"), "{stale}");
    tickets.command_ticket(asked("T-1", 6, 2, classify("pipes"))).await.unwrap();
    let no_way = Command::Resolve(Resolve::default());
    let no_way = tickets.command_ticket(asked("T-1", 7, 0, no_way)).await.unwrap_err();
    assert_eq!(
        (no_way.code(), no_way.message()),
        (Code::InvalidArgument, "resolve.way is missing; say how it was settled")
    );
    assert_eq!(tickets.command_ticket(asked("T-1", 8, 3, resolve())).await.unwrap().into_inner().version, 4);
    let reopen = Reopen { reason: "leaks again".into(), rework: true, ..Default::default() };
    tickets.command_ticket(asked("T-1", 9, 4, Command::Reopen(reopen))).await.unwrap();
    let nothing = v1::TicketCommandRequest { command: None, ..asked("T-1", 10, 0, close()) };
    assert_eq!(tickets.command_ticket(nothing).await.unwrap_err().code(), Code::InvalidArgument);

    let ticket = tickets.get_ticket(get("T-1")).await.unwrap().into_inner();
    assert_eq!((ticket.status(), ticket.reopened, ticket.reworked), (v1::TicketStatus::Classified, 1, 1));
    let facts = ticket.facts.unwrap();
    assert_eq!(facts.category, "pipes");
    assert!(!facts.customer.is_empty() && !facts.customer.contains("5555"), "a surrogate");
    let targets: Vec<_> = ticket.deadlines.iter().map(v1::TicketDeadline::target).collect();
    assert_eq!(
        targets,
        [v1::TicketTarget::FirstResponse, v1::TicketTarget::Investigate],
        "the standard policies"
    );
}

#[tokio::test]
async fn a_history_tells_who_did_what_and_holds_no_plain_customer() {
    let desk = desk().await;
    let mut tickets = tickets(&desk, Role::TicketOwner).await;
    tickets.open_ticket(opening("T-1", 1)).await.unwrap();
    tickets.command_ticket(asked("T-1", 2, 0, accept("7"))).await.unwrap();
    let note = Note { public: true, text: "s_1".into() };
    tickets.command_ticket(asked("T-1", 3, 0, Command::Note(note))).await.unwrap();
    let promise = Promise { target: v1::TicketTarget::Resolve.into(), due_us: MORNING.0, by_customer: true };
    tickets.command_ticket(asked("T-1", 4, 0, Command::Promise(promise))).await.unwrap();
    let history = tickets.get_ticket_history(get("T-1")).await.unwrap().into_inner();
    let said = |event: &v1::TicketEvent| {
        let details = event.details.iter().map(|detail| format!("{}={}", detail.name, detail.value));
        format!("{} {} {}", event.version, event.r#type, details.collect::<Vec<_>>().join(" "))
    };
    let told: Vec<_> = history.events.iter().map(said).collect();
    assert!(told[0].starts_with("1 ticket.opened") && told[0].contains("kind=repair"), "{}", told[0]);
    assert_eq!(told[1], "2 ticket.accepted owner=7");
    assert_eq!(told[2], "3 ticket.noted text=s_1 visibility=public");
    assert_eq!(told[3], "4 ticket.promised by=the customer due=2026-03-02T08:00:00Z target=resolve");
    assert!(history.events.iter().all(|event| event.by == "ticket_owner of the test"));
    assert!(!format!("{history:?}").contains("5555"));
    assert!(
        history.moments.iter().any(|moment| moment.step == "changed" && moment.why == "said by the customer")
    );
}

#[tokio::test]
async fn an_agent_works_on_tickets_that_it_took_or_nobody_owns_and_learns_nothing_of_others() {
    let desk = desk().await;
    let mut owner = tickets(&desk, Role::TicketOwner).await;
    for (ticket, agent, id) in [("mine", "7", 1), ("theirs", "8", 2), ("new", "", 3)] {
        owner.open_ticket(opening(ticket, id)).await.unwrap();
        if !agent.is_empty() {
            owner.command_ticket(asked(ticket, 10 + id, 0, accept(agent))).await.unwrap();
            owner.command_ticket(asked(ticket, 20 + id, 0, classify("pipes"))).await.unwrap();
        }
    }
    let mut agent = tickets(&desk, Role::Agent).await;
    assert_eq!(agent.get_ticket(get("mine")).await.unwrap().into_inner().owner, "7");
    for hidden in ["theirs", "absent"] {
        assert_eq!(agent.get_ticket(get(hidden)).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(agent.get_ticket_history(get(hidden)).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(
            agent.command_ticket(asked(hidden, 30, 0, resolve())).await.unwrap_err().code(),
            Code::NotFound
        );
    }
    let everything = v1::ListTicketsRequest { site: "north".into(), ..Default::default() };
    let listed = agent.list_tickets(everything).await.unwrap().into_inner();
    let ids: Vec<_> = listed.tickets.iter().map(|ticket| ticket.ticket.as_str()).collect();
    assert_eq!(ids, ["mine", "new"]);
    agent.command_ticket(asked("mine", 31, 0, resolve())).await.unwrap();
    let resolved = agent.get_ticket(get("mine")).await.unwrap().into_inner();
    assert_eq!(resolved.resolved_by, "7", "the token stands for the agent that it does not name");
    let for_other = agent.command_ticket(asked("new", 32, 0, accept("8"))).await.unwrap_err();
    assert_eq!(for_other.code(), Code::PermissionDenied);
    agent.command_ticket(asked("new", 33, 0, accept(""))).await.unwrap();
    let approve = Command::Approve(Approver { approver: "head".into() });
    let approve = agent.command_ticket(asked("new", 34, 0, approve)).await.unwrap_err();
    assert_eq!(approve.code(), Code::PermissionDenied, "nobody approves in another's name");
}

#[tokio::test]
async fn who_may_only_read_changes_nothing() {
    let desk = desk().await;
    tickets(&desk, Role::TicketOwner).await.open_ticket(opening("T-1", 1)).await.unwrap();
    let mut reader = tickets(&desk, Role::QualityInspector).await;
    assert!(reader.get_ticket(get("T-1")).await.is_ok());
    let refused = reader.command_ticket(asked("T-1", 2, 0, accept("7"))).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let mut analyst = tickets(&desk, Role::Analyst).await;
    assert_eq!(analyst.get_ticket(get("T-1")).await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn two_tickets_are_merged_split_and_linked_through_the_service() {
    let desk = desk().await;
    let mut tickets = tickets(&desk, Role::TicketOwner).await;
    for (ticket, id) in [("a", 1), ("b", 2), ("c", 3)] {
        tickets.open_ticket(opening(ticket, id)).await.unwrap();
    }
    let at = |ticket: &str, expected_version| Some(v1::TicketAt { ticket: ticket.into(), expected_version });
    let link = |how: v1::TicketLinkKind, id| v1::LinkTicketsRequest {
        site: "north".into(),
        one: at("a", 1),
        other: at("b", 1),
        how: how.into(),
        command_id: uuid(id),
    };
    let made = tickets.link_tickets(link(v1::TicketLinkKind::SplitFrom, 10)).await.unwrap_err();
    assert_eq!(made.code(), Code::InvalidArgument);
    tickets.link_tickets(link(v1::TicketLinkKind::Parent, 11)).await.unwrap();
    let part = v1::NewTicket { ticket: "a1".into(), kind: "fault".into(), ..Default::default() };
    let split = v1::SplitTicketRequest {
        site: "north".into(),
        whole: at("a", 2),
        part: Some(part),
        command_id: uuid(12),
    };
    tickets.split_ticket(split).await.unwrap();
    let merge = |expected_version, id| v1::MergeTicketsRequest {
        site: "north".into(),
        secondary: at("c", 0),
        primary: at("a", expected_version),
        command_id: uuid(id),
    };
    let stale = tickets.merge_tickets(merge(1, 13)).await.unwrap_err();
    assert_eq!(stale.code(), Code::Aborted);
    assert!(stale.message().contains("the other ticket, a"), "{stale}");
    tickets.merge_tickets(merge(3, 14)).await.unwrap();
    let a = tickets.get_ticket(get("a")).await.unwrap().into_inner();
    let links: Vec<_> = a.links.iter().map(|link| (link.ticket.as_str(), link.how())).collect();
    assert_eq!(links, [("b", v1::TicketLinkKind::Parent), ("a1", v1::TicketLinkKind::SplitInto)]);
    let c = tickets.get_ticket(get("c")).await.unwrap().into_inner();
    assert_eq!((c.status(), c.merged_into.as_str()), (v1::TicketStatus::Merged, "a"));
}

#[tokio::test]
async fn a_list_is_paged_by_a_token_that_goes_with_its_question() {
    let desk = desk().await;
    let mut tickets = tickets(&desk, Role::TicketOwner).await;
    for id in 1..=7 {
        tickets.open_ticket(opening(&format!("t{id}"), id)).await.unwrap();
    }
    tickets.command_ticket(asked("t3", 20, 0, accept("7"))).await.unwrap();
    let filter = v1::TicketFilter { open: true, unowned: true, ..Default::default() };
    let list = |page_token: bytes::Bytes| v1::ListTicketsRequest {
        site: "north".into(),
        filter: Some(filter.clone()),
        order: v1::TicketOrder::Newest.into(),
        page_size: 4,
        page_token,
    };
    let first = tickets.list_tickets(list(bytes::Bytes::new())).await.unwrap().into_inner();
    let second = tickets.list_tickets(list(first.next_page_token.clone())).await.unwrap().into_inner();
    assert!(second.next_page_token.is_empty());
    let ids: Vec<_> =
        first.tickets.iter().chain(&second.tickets).map(|ticket| ticket.ticket.clone()).collect();
    assert_eq!(ids, ["t7", "t6", "t5", "t4", "t2", "t1"]);
    let other = v1::ListTicketsRequest { order: v1::TicketOrder::Due.into(), ..list(first.next_page_token) };
    assert_eq!(tickets.list_tickets(other).await.unwrap_err().code(), Code::InvalidArgument);
    let unknown = v1::TicketFilter { statuses: vec![99], ..Default::default() };
    let unknown = v1::ListTicketsRequest { filter: Some(unknown), ..list(bytes::Bytes::new()) };
    let unknown = tickets.list_tickets(unknown).await.unwrap_err();
    assert_eq!(unknown.message(), "filter.statuses is 99, which this server does not know");
}

#[tokio::test]
async fn mine_due_within_30_minutes_is_watched_by_events_and_by_time() {
    let desk = desk().await;
    let mut owner = tickets(&desk, Role::TicketOwner).await;
    owner.open_ticket(opening("T-1", 1)).await.unwrap();
    owner.command_ticket(asked("T-1", 2, 0, accept("7"))).await.unwrap();
    let due = MORNING.plus(Micros::HOUR).0;
    let promise = Promise { target: v1::TicketTarget::Resolve.into(), due_us: due, by_customer: false };
    owner.command_ticket(asked("T-1", 3, 0, Command::Promise(promise))).await.unwrap();
    let mut agent = tickets(&desk, Role::Agent).await;
    let filter = v1::TicketFilter {
        owners: vec!["7".into()],
        due_within_us: Some(30 * Micros::MINUTE.0),
        ..Default::default()
    };
    let watch = v1::WatchTicketsRequest { site: "north".into(), filter: Some(filter) };
    let mut updates = agent.watch_tickets(watch).await.unwrap().into_inner();
    let first = updates.message().await.unwrap().unwrap();
    assert!(first.whole && first.tickets.is_empty());
    desk.clock.set(MORNING.plus(Micros(31 * Micros::MINUTE.0)));
    let near = updates.message().await.unwrap().unwrap();
    assert_eq!(near.tickets.iter().map(|ticket| ticket.ticket.as_str()).collect::<Vec<_>>(), ["T-1"]);
    owner.command_ticket(asked("T-1", 4, 0, classify("pipes"))).await.unwrap();
    assert_eq!(
        updates.message().await.unwrap().unwrap().tickets[0].facts.as_ref().unwrap().category,
        "pipes"
    );
    owner.command_ticket(asked("T-1", 5, 0, resolve())).await.unwrap();
    assert_eq!(updates.message().await.unwrap().unwrap().gone, ["T-1"]);
}

/// Numbers that only look random; a run is repeated by its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn id(&mut self) -> bytes::Bytes {
        let halves = [self.below(1 << 31), self.0];
        halves.iter().flat_map(|half| half.to_be_bytes()).collect::<Vec<_>>().into()
    }
}

const CLIENTS: u64 = 64;
const TICKETS: u64 = 1_000;
const EDITS: u64 = 40;

/// A ticket as any client knows it; half of the time one of twenty that everybody wants.
fn some_ticket(dice: &mut Dice) -> String {
    let among = if dice.below(2) == 0 { 20 } else { TICKETS };
    format!("t{}", dice.below(among))
}

/// What a client has done: edits that were carried out, by ticket, and conflicts that it was told of.
type Doings = (HashMap<String, u64>, u64);

/// Adds 1 to a counter of some tickets, each time by the version that it has read.
async fn edit_at_random(mut tickets: Tickets, mut dice: Dice) -> Doings {
    let (mut done, mut conflicts) = (HashMap::new(), 0);
    for _ in 0..EDITS {
        let id = some_ticket(&mut dice);
        let read = tickets.get_ticket(get(&id)).await.unwrap().into_inner();
        let count =
            read.facts.unwrap().attributes.get("count").map_or(0, |count| count.parse::<u64>().unwrap());
        let attributes = HashMap::from([("count".to_owned(), (count + 1).to_string())]);
        let edit = Command::Edit(v1::TicketFacts { attributes, ..Default::default() });
        let request = v1::TicketCommandRequest { command_id: dice.id(), ..asked(&id, 0, read.version, edit) };
        match tickets.command_ticket(request).await {
            Ok(_) => *done.entry(id).or_default() += 1,
            Err(status) => {
                assert_eq!(status.code(), Code::Aborted, "{status}");
                assert!(status.message().contains("edit (attribute)"), "says who did what: {status}");
                conflicts += 1;
            }
        }
    }
    (done, conflicts)
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_clients_edit_a_thousand_tickets_at_random_and_no_update_is_lost() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_127);
    println!("SEED={seed}");
    let desk = desk().await;
    let client = tickets(&desk, Role::TicketOwner).await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let mut client = client.clone();
        tasks.spawn(async move {
            let mut dice = Dice(seed ^ (number + 1) << 40);
            for ticket in (number..TICKETS).step_by(usize::try_from(CLIENTS).unwrap()) {
                let request =
                    v1::OpenTicketRequest { command_id: dice.id(), ..opening(&format!("t{ticket}"), 0) };
                client.open_ticket(request).await.unwrap();
            }
        });
    }
    while let Some(opened) = tasks.join_next().await {
        opened.unwrap();
    }
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        tasks.spawn(edit_at_random(client.clone(), Dice(seed.wrapping_add(number * 7_919))));
    }
    let (mut done, mut conflicts) = (HashMap::<String, u64>::new(), 0);
    while let Some(doings) = tasks.join_next().await {
        let (theirs, told) = doings.unwrap();
        for (ticket, count) in theirs {
            *done.entry(ticket).or_default() += count;
        }
        conflicts += told;
    }
    let mut reader = client;
    let mut counted = 0;
    for (ticket, edits) in &done {
        let read = reader.get_ticket(get(ticket)).await.unwrap().into_inner();
        let count =
            read.facts.unwrap().attributes.get("count").map_or(0, |count| count.parse::<u64>().unwrap());
        assert_eq!((count, read.version), (*edits, 1 + edits), "{ticket}");
        counted += count;
    }
    assert_eq!(counted + conflicts, CLIENTS * EDITS, "every edit was carried out, or its conflict told");
    assert!(conflicts > 0, "nobody met anybody");
}
