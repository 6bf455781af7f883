//! What was known then, and what changed figures since, asked for over the wire.
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
use pegcount_proto::v1::{self, query_kpi_request::KnownAt};
use pegcount_server::Role;
use support::{Desk, Line, MORNING, abandoned_call, desk, submit};
use tonic::Code;

type Kpis = v1::kpi_service_client::KpiServiceClient<Line>;

async fn kpis(desk: &Desk, role: Role) -> Kpis {
    let (channel, bearer) = desk.line_of(role).await;
    v1::kpi_service_client::KpiServiceClient::with_interceptor(channel, bearer)
}

async fn tell(desk: &Desk, name: &str, facts: Vec<v1::Fact>) -> u64 {
    let answer = desk.ingest(Role::Connector).await.submit_facts(submit(name, facts)).await.unwrap();
    let position = answer.into_inner().ack.unwrap().position;
    desk.engine.caught_up(desk.engine.end()).await.unwrap();
    position
}

fn hour(known_at: Option<KnownAt>) -> v1::QueryKpiRequest {
    v1::QueryKpiRequest {
        site: "north".into(),
        from_us: MORNING.0,
        to_us: MORNING.plus(Micros::HOUR).0,
        known_at,
        ..Default::default()
    }
}

fn abandoned(table: &v1::KpiTable) -> i64 {
    let index = table.columns.iter().position(|column| column.name == "abandoned").unwrap();
    table.rows[0].values[index].amount
}

/// One call on time, and two that are told of three hours late.
async fn late_calls() -> (Desk, u64, u64) {
    let desk = desk().await;
    desk.clock.set(MORNING.plus(Micros::MINUTE));
    let on_time = tell(&desk, "pbx", abandoned_call(1, MORNING, "c1")).await;
    desk.clock.set(MORNING.plus(Micros(3 * Micros::HOUR.0)));
    tell(&desk, "pbx", abandoned_call(5, MORNING, "c2")).await;
    let late = tell(&desk, "pbx", abandoned_call(9, MORNING.plus(Micros(20 * Micros::MINUTE.0)), "c3")).await;
    (desk, on_time, late)
}

#[tokio::test]
async fn a_query_answers_from_what_had_been_recorded_by_then() {
    let (desk, on_time, late) = late_calls().await;
    let mut kpis = kpis(&desk, Role::KpiDesk).await;
    let two_hours = KnownAt::KnownAtUs(MORNING.plus(Micros(2 * Micros::HOUR.0)).0);
    for (known_at, count, position) in [
        (Some(KnownAt::KnownAtPosition(on_time)), 1, on_time),
        (Some(two_hours), 1, on_time),
        (Some(KnownAt::KnownAtPosition(0)), 0, 0),
        (Some(KnownAt::KnownAtPosition(late)), 3, late),
        (None, 3, late),
    ] {
        let table = kpis.query_kpi(hour(known_at)).await.unwrap().into_inner();
        assert_eq!((abandoned(&table), table.position), (count, position), "{known_at:?}");
    }
    let then = kpis.query_kpi(hour(Some(two_hours))).await.unwrap().into_inner();
    assert_eq!(then.as_of_us, MORNING.plus(Micros(2 * Micros::HOUR.0)).0, "open work counts to then");
    let asked = v1::QueryKpiRequest { as_of_us: Some(MORNING.0), ..hour(Some(two_hours)) };
    assert_eq!(
        kpis.query_kpi(asked).await.unwrap().into_inner().as_of_us,
        MORNING.0,
        "unless said otherwise"
    );

    let explained = v1::ExplainKpiRequest {
        query: Some(hour(Some(two_hours))),
        column: "abandoned".into(),
        ..Default::default()
    };
    let explained = kpis.explain_kpi(explained).await.unwrap().into_inner();
    assert_eq!((explained.item_count, explained.position), (1, on_time));

    let beyond = hour(Some(KnownAt::KnownAtPosition(late + 1)));
    assert_eq!(kpis.query_kpi(beyond).await.unwrap_err().code(), Code::OutOfRange);
    let watched = v1::WatchKpiRequest { query: Some(hour(Some(two_hours))), ..Default::default() };
    let refused = kpis.watch_kpi(watched).await.unwrap_err();
    assert!(refused.message().starts_with("query.known_at is set; a watch follows the present"), "{refused}");
}

#[tokio::test]
async fn corrections_come_with_their_cause_in_pages() {
    let (desk, on_time, late) = late_calls().await;
    let mut kpis = kpis(&desk, Role::Analyst).await;
    let all = v1::ListCorrectionsRequest { site: "north".into(), ..Default::default() };
    let whole = kpis.list_corrections(all.clone()).await.unwrap().into_inner();
    assert_eq!(whole.position, late);
    assert!(whole.next_page_token.is_empty());
    let sum = |measure: &str, from: Micros| -> i64 {
        let own = whole.corrections.iter().filter(|one| one.measure == measure && one.from_us == from.0);
        own.map(|one| one.difference).sum()
    };
    let second = MORNING.plus(Micros(15 * Micros::MINUTE.0));
    assert_eq!((sum("abandoned", MORNING), sum("abandoned", second)), (1, 1));
    assert_eq!(sum("wait_abandoned", MORNING), 12_000_000);
    assert!(whole.corrections.iter().all(|one| one.position > on_time && one.difference != 0));
    assert!(whole.corrections.iter().all(|one| one.recorded_at_us >= MORNING.plus(Micros::HOUR).0));

    let mut request = v1::ListCorrectionsRequest { page_size: 2, ..all.clone() };
    let mut pages = Vec::new();
    loop {
        let page = kpis.list_corrections(request.clone()).await.unwrap().into_inner();
        assert!(page.corrections.len() <= 2);
        pages.extend(page.corrections);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(pages, whole.corrections);

    let from = v1::ListCorrectionsRequest { from_us: Some(second.0), ..all.clone() };
    let from = kpis.list_corrections(from).await.unwrap().into_inner().corrections;
    assert!(!from.is_empty() && from.iter().all(|one| one.from_us >= second.0));
    let to = v1::ListCorrectionsRequest { to_us: Some(second.0), ..all };
    let to = kpis.list_corrections(to).await.unwrap().into_inner().corrections;
    assert_eq!(from.len() + to.len(), whole.corrections.len());

    let mut agent = self::kpis(&desk, Role::Agent).await;
    let own = v1::ListCorrectionsRequest { site: "north".into(), ..Default::default() };
    assert_eq!(agent.list_corrections(own).await.unwrap_err().code(), Code::PermissionDenied);
}
