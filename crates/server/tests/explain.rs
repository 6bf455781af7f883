//! Why a figure is what it is, asked for over the wire.
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
use pegcount_proto::v1::{self, agent_fact::Action, leg::Step};
use pegcount_server::Role;
use support::{Desk, Line, MORNING, abandoned_call, agent_fact, desk, signed_in, submit};
use tonic::{Code, Status};

type Kpis = v1::kpi_service_client::KpiServiceClient<Line>;

async fn kpis(desk: &Desk, role: Role) -> Kpis {
    let (channel, bearer) = desk.line_of(role).await;
    v1::kpi_service_client::KpiServiceClient::with_interceptor(channel, bearer)
}

async fn tell(desk: &Desk, name: &str, facts: Vec<v1::Fact>) -> u64 {
    let answer = desk.ingest(Role::Connector).await.submit_facts(submit(name, facts)).await.unwrap();
    answer.into_inner().ack.unwrap().position
}

fn at(seconds: i64) -> Micros {
    MORNING.plus(Micros::from_secs(seconds))
}

/// A call of an agent: 20 s of talk and, if the agent goes on with it, 10 s of after-call work.
fn handled_call(seq: u64, begin: i64, agent: &str, contact: &str) -> Vec<v1::Fact> {
    let step = |seq: u64, seconds: i64, step: Step| {
        let leg = v1::Leg {
            contact: contact.into(),
            leg: "1".into(),
            queue: "sales".into(),
            channel: v1::Channel::Voice.into(),
            direction: v1::Direction::Inbound.into(),
            step: Some(step),
            ..Default::default()
        };
        agent_fact(seq, at(begin + seconds), agent, Action::Leg(leg))
    };
    let ended = v1::LegEnded { by: v1::Party::Customer.into(), after_call_expected: true };
    vec![
        step(seq, 0, Step::Answered(v1::Nothing {})),
        step(seq + 1, 20, Step::Ended(ended)),
        step(seq + 2, 30, Step::AfterCallEnded(v1::Nothing {})),
    ]
}

fn asked(column: &str) -> v1::ExplainKpiRequest {
    let query = v1::QueryKpiRequest {
        site: "north".into(),
        from_us: MORNING.0,
        to_us: MORNING.plus(Micros::HOUR).0,
        ..Default::default()
    };
    v1::ExplainKpiRequest { query: Some(query), column: column.into(), ..Default::default() }
}

async fn explain(kpis: &mut Kpis, request: v1::ExplainKpiRequest) -> Result<v1::ExplainKpiResponse, Status> {
    kpis.explain_kpi(request).await.map(tonic::Response::into_inner)
}

/// Two calls of agent 7 and one of agent 8, a quarter of an hour ago.
async fn three_calls() -> (Desk, u64) {
    let desk = desk().await;
    desk.clock.set(at(900));
    let mut facts = vec![signed_in(1, MORNING, "7"), signed_in(2, MORNING, "8")];
    for (seq, begin, agent, contact) in [(3, 60, "7", "c1"), (6, 120, "8", "c2"), (9, 180, "7", "c3")] {
        facts.extend(handled_call(seq, begin, agent, contact));
    }
    let position = tell(&desk, "pbx", facts).await;
    desk.engine.caught_up(desk.engine.end()).await.unwrap();
    (desk, position)
}

#[tokio::test]
async fn a_figure_comes_with_its_formula_in_numbers_and_each_item_with_its_events() {
    let (desk, position) = three_calls().await;
    let mut kpis = kpis(&desk, Role::KpiDesk).await;
    let answer = explain(&mut kpis, asked("aht")).await.unwrap();
    let column = answer.column.unwrap();
    assert_eq!(column.formula, "(handle_talk + handle_hold + handle_acw) / handled");
    let value = answer.value.unwrap();
    assert_eq!((value.amount, value.denominator), (90_000_000, 3));
    let terms: Vec<_> =
        answer.terms.iter().map(|t| (t.measure.as_str(), t.role(), t.amount, t.item_count)).collect();
    let expected = [
        ("handle_talk", v1::TermRole::Plus, 60_000_000, 3),
        ("handle_hold", v1::TermRole::Plus, 0, 0),
        ("handle_acw", v1::TermRole::Plus, 30_000_000, 3),
        ("handled", v1::TermRole::Over, 3, 3),
    ];
    assert_eq!(terms, expected);
    for term in &answer.terms {
        let own = answer.items.iter().filter(|item| item.measure == term.measure);
        assert_eq!(own.map(|item| item.amount).sum::<i64>(), term.amount, "{}", term.measure);
    }
    let talk = answer.items.iter().find(|item| item.measure == "handle_talk").unwrap();
    assert_eq!((talk.agent.as_str(), talk.queue.as_str()), ("7", "sales"));
    assert_eq!((talk.from_us, talk.to_us), (at(60).0, at(90).0));
    let events: Vec<_> = talk.events.iter().map(|event| (event.position, event.r#type.as_str())).collect();
    assert_eq!(events, [(3, "leg answered"), (4, "leg ended"), (5, "leg after call ended")]);
    let event = &talk.events[0];
    assert_eq!((event.stream.as_str(), event.occurred_at_us), ("north/agent/7", at(60).0));
    assert_eq!((event.source.as_str(), event.actor.as_str()), ("pbx", "connector of the test"));
    assert!(event.recorded_at_us >= at(900).0);
    assert_eq!((answer.position, answer.item_count, answer.formula_version), (position, 9, 1));
    assert!(answer.next_page_token.is_empty() && !answer.moved_on);
}

#[tokio::test]
async fn pages_belong_together_and_say_when_events_came_in_between() {
    let (desk, _) = three_calls().await;
    let mut kpis = kpis(&desk, Role::KpiDesk).await;
    let whole = explain(&mut kpis, asked("aht")).await.unwrap();
    let mut request = v1::ExplainKpiRequest { page_size: 4, ..asked("aht") };
    let mut items = Vec::new();
    loop {
        let page = explain(&mut kpis, request.clone()).await.unwrap();
        assert_eq!((page.value, page.item_count), (whole.value, 9), "every page tells the whole figure");
        assert!(!page.moved_on);
        items.extend(page.items);
        desk.clock.set(desk.clock.now().plus(Micros::MINUTE));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(items, whole.items);

    let first = explain(&mut kpis, v1::ExplainKpiRequest { page_size: 4, ..asked("aht") }).await.unwrap();
    tell(&desk, "other", vec![signed_in(1, at(900), "9")]).await;
    desk.engine.caught_up(desk.engine.end()).await.unwrap();
    let next = v1::ExplainKpiRequest { page_token: first.next_page_token, page_size: 4, ..asked("aht") };
    let second = explain(&mut kpis, next).await.unwrap();
    assert!(second.moved_on, "{second:?}");
    assert_eq!(second.as_of_us, first.as_of_us, "open work counts to one instant");
    assert_eq!(second.position, first.position + 1);
}

#[tokio::test]
async fn a_token_of_another_question_or_another_log_is_refused() {
    let (desk, _) = three_calls().await;
    let mut kpis = kpis(&desk, Role::KpiDesk).await;
    let first = explain(&mut kpis, v1::ExplainKpiRequest { page_size: 1, ..asked("aht") }).await.unwrap();
    let token = first.next_page_token;
    let other = v1::ExplainKpiRequest { page_token: token.clone(), ..asked("handled") };
    let other = explain(&mut kpis, other).await.unwrap_err();
    assert_eq!(other.code(), Code::InvalidArgument);
    assert!(other.message().starts_with("page_token is of another question"), "{other}");
    let mut foreign = token.to_vec();
    foreign[0] ^= 1;
    let foreign = v1::ExplainKpiRequest { page_token: foreign.into(), ..asked("aht") };
    let foreign = explain(&mut kpis, foreign).await.unwrap_err();
    assert_eq!(foreign.code(), Code::FailedPrecondition);
    assert!(foreign.message().contains("another incarnation of this log"), "{foreign}");
    let cut = v1::ExplainKpiRequest { page_token: token.slice(..30), ..asked("aht") };
    assert_eq!(explain(&mut kpis, cut).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_cell_is_the_row_of_a_table() {
    let (desk, _) = three_calls().await;
    let mut kpis = kpis(&desk, Role::KpiDesk).await;
    let cell = |value: &str| v1::CellValue { dimension: v1::Dimension::Agent.into(), value: value.into() };
    for (value, handled) in [("7", 2), ("8", 1), ("", 0)] {
        let row = v1::ExplainKpiRequest { cell: vec![cell(value)], ..asked("handled") };
        assert_eq!(explain(&mut kpis, row).await.unwrap().value.unwrap().amount, handled, "agent {value:?}");
    }
    let refused = async |change: fn(&mut v1::ExplainKpiRequest)| {
        let mut request = asked("handled");
        change(&mut request);
        let mut kpis = kpis.clone();
        let refused = explain(&mut kpis, request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        refused.message().to_owned()
    };
    let time = refused(|r| r.cell = vec![v1::CellValue { dimension: 3, value: "9".into() }]).await;
    assert_eq!(time, "cell[0].dimension is hour, a time; say it by from_us and to_us");
    let twice = refused(|r| r.cell = vec![v1::CellValue { dimension: 5, value: "a".into() }; 2]).await;
    assert_eq!(twice, "cell[1].dimension is queue, which was said before; say it once");
    let cut = refused(|r| r.query.as_mut().unwrap().by = vec![5]).await;
    assert_eq!(cut, "query.by is not empty; say the row's values in `cell` instead");
    let unknown = refused(|r| r.column = "handles".into()).await;
    assert!(unknown.starts_with("`handles` is no column"), "{unknown}");
    let gauge = refused(|r| r.column = "waiting".into()).await;
    assert!(gauge.starts_with("`waiting` is a value at an instant"), "{gauge}");
    let nothing = refused(|r| r.query = None).await;
    assert_eq!(nothing, "query is missing; it is required");
}

#[tokio::test]
async fn an_agent_explains_its_own_rows_only() {
    let (desk, _) = three_calls().await;
    tell(&desk, "pbx 2", abandoned_call(1, MORNING, "c9")).await;
    let mut kpis = kpis(&desk, Role::Agent).await;
    let own = explain(&mut kpis, asked("handled")).await.unwrap();
    assert_eq!(own.value.unwrap().amount, 2);
    assert!(own.items.iter().all(|item| item.agent == "7"), "{own:?}");
    let mut others = asked("handled");
    others.query.as_mut().unwrap().agents = vec!["8".into()];
    assert_eq!(explain(&mut kpis, others).await.unwrap_err().code(), Code::PermissionDenied);
    let cell = v1::CellValue { dimension: v1::Dimension::Agent.into(), value: "8".into() };
    let row =
        explain(&mut kpis, v1::ExplainKpiRequest { cell: vec![cell], ..asked("handled") }).await.unwrap();
    assert_eq!((row.value.unwrap().amount, row.items.len()), (0, 0), "nothing of another agent");
    let queue = explain(&mut kpis, asked("abandoned")).await.unwrap_err();
    assert_eq!(queue.code(), Code::InvalidArgument, "no queue's figures for an agent");
}
