//! Dropping history: who may, what is refused, and what is said of it afterwards.
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
use pegcount_proto::v1::{self, DropHistoryRequest};
use pegcount_server::Role;
use support::{Desk, Line, MORNING, abandoned_call, batch, desk_sealing_at, source};
use tonic::Code;

const DAY: Micros = Micros(24 * Micros::HOUR.0);

type Log = v1::log_service_client::LogServiceClient<Line>;

async fn log_of(desk: &Desk, token: String) -> Log {
    let (channel, bearer) = desk.line(Some(token)).await;
    v1::log_service_client::LogServiceClient::with_interceptor(channel, bearer)
}

async fn everywhere(desk: &Desk, role: Role) -> Log {
    log_of(desk, desk.token(role, "*", None)).await
}

/// A call a day that gives up, for `days` days; then what is full is sealed.
async fn days(desk: &Desk, days: i64) {
    let mut ingest = desk.ingest(Role::Connector).await;
    for day in 0..days {
        let at = MORNING.plus(Micros(day * DAY.0));
        desk.clock.set(at.plus(Micros::HOUR));
        let calls = (0..4).flat_map(|call| {
            let seq = u64::try_from((day * 4 + call) * 4 + 1).unwrap();
            abandoned_call(seq, at, &format!("c{day}-{call}"))
        });
        let facts = Some(batch(calls.collect()));
        let request =
            v1::SubmitFactsRequest { source: Some(source("pbx")), batch: facts, ..Default::default() };
        ingest.submit_facts(request).await.unwrap();
    }
    for _ in 0..10_000 {
        if desk.engine.log_status().0.segments > 2 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    panic!("nothing is sealed: {:?}", desk.engine.log_status());
}

fn keeping(keep_days: u32) -> DropHistoryRequest {
    DropHistoryRequest { keep_days, ..Default::default() }
}

#[tokio::test]
async fn an_administrator_of_all_sites_drops_history_and_reads_what_is_left() {
    let desk = desk_sealing_at(4_096).await;
    days(&desk, 90).await;
    let mut log = everywhere(&desk, Role::Administrator).await;
    let told = DropHistoryRequest { only_tell: true, ..keeping(40) };
    let told = log.drop_history(told).await.unwrap().into_inner();
    let before = log.get_log_status(v1::GetLogStatusRequest {}).await.unwrap().into_inner();
    assert_eq!((before.first_position, before.archive_positions.len()), (1, 0), "only told");
    let done = log.drop_history(keeping(40)).await.unwrap().into_inner();
    assert_eq!(done, told);
    assert!(done.events > 0 && done.bytes > 0 && done.segments > 0, "{done:?}");
    let closed_before = Micros(done.closed_before_us.unwrap());
    assert!(closed_before < MORNING.plus(Micros(50 * DAY.0)), "{closed_before}");
    let after = log.get_log_status(v1::GetLogStatusRequest {}).await.unwrap().into_inner();
    assert_eq!((after.first_position, after.archive_positions.len()), (done.first_position, 1));

    let gone = log.read_log(v1::ReadLogRequest { from_position: 1, ..Default::default() }).await.unwrap_err();
    assert_eq!(gone.code(), Code::OutOfRange);
    assert!(gone.message().contains(&format!("begins at {}", done.first_position)), "{gone}");
    let asked =
        v1::ReadLogRequest { from_position: done.first_position, limit: 10_000, ..Default::default() };
    let left = log.read_log(asked).await.unwrap().into_inner().events;
    let said: Vec<_> = left.iter().filter(|event| event.r#type.starts_with("history.")).collect();
    let types: Vec<_> = said.iter().map(|event| event.r#type.as_str()).collect();
    assert_eq!(types, ["history.closed", "history.dropped"]);
    assert!(said[1].body_json.contains(&format!("\"up_to\":{}", done.first_position - 1)), "{said:?}");
}

#[tokio::test]
async fn nobody_else_may_and_nothing_young_goes() {
    let desk = desk_sealing_at(4_096).await;
    days(&desk, 60).await;
    for role in [Role::KpiDesk, Role::Connector, Role::FloorManager] {
        let refused = everywhere(&desk, role).await.drop_history(keeping(40)).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "{role:?}");
    }
    let mut of_one_site = log_of(&desk, desk.token(Role::Administrator, "north", None)).await;
    let refused = of_one_site.drop_history(keeping(40)).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().contains("the token is good for north only"), "{refused}");
    let mut log = everywhere(&desk, Role::Administrator).await;
    let refused = log.drop_history(DropHistoryRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("say what is to be kept"), "{refused}");
    let refused = log.drop_history(keeping(39)).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("at least 40 days"), "{refused}");
    let nothing = log.drop_history(keeping(60)).await.unwrap().into_inner();
    assert_eq!((nothing.first_position, nothing.segments, nothing.closed_before_us), (1, 0, None));
}
