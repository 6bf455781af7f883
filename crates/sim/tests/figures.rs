//! A real server is told what the core did, and its figures are the core's own counts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod real;

use std::collections::BTreeMap;

use pegcount_client::Api;
use pegcount_domain::time::Micros;
use pegcount_proto::v1::{Dimension, KpiTable, ListAgentsRequest, QueryKpiRequest};
use pegcount_sim::{SimReport, run};
use real::Real;
use tokio_util::sync::CancellationToken;

/// Monday 2023-11-13, 09:00 UTC.
const MORNING: Micros = Micros(1_699_866_000_000_000);
const SPEED: f64 = 600.0;

/// The rows of a table by their keys, each with its columns by name; absent values are left out.
fn rows(table: &KpiTable) -> BTreeMap<Vec<String>, BTreeMap<&str, i64>> {
    let values = |row: &pegcount_proto::v1::KpiRow| {
        let named = table.columns.iter().zip(row.values.clone()).filter(|(_, value)| !value.absent);
        named.map(|(column, value)| (column.name.as_str(), value.amount)).collect()
    };
    table.rows.iter().map(|row| (row.keys.clone(), values(row))).collect()
}

async fn query(api: &Api, report: &SimReport, by: &[Dimension]) -> KpiTable {
    let request = QueryKpiRequest {
        site: "main".into(),
        from_us: MORNING.0,
        to_us: MORNING.plus(Micros(12 * Micros::HOUR.0)).0,
        by: by.iter().map(|dimension| (*dimension).into()).collect(),
        min_position: report.position,
        ..QueryKpiRequest::default()
    };
    api.kpi().query_kpi(request).await.unwrap().into_inner()
}

fn compare_queues(report: &SimReport, table: &KpiTable) {
    let rows = rows(table);
    for (queue, counts) in &report.queues {
        let row = &rows[&vec![queue.to_string()]];
        let expected = [
            ("offered", counts.offered),
            ("answered", counts.answered),
            ("abandoned", counts.abandoned),
            ("abandoned_ringing", counts.abandoned_ringing),
            ("callback_taken", counts.callback_taken),
            ("ended", counts.ended()),
        ];
        for (name, count) in expected {
            assert_eq!(row.get(name).copied(), i64::try_from(count).ok(), "{name} of {queue}: {row:?}");
        }
        let lengths = [("wait_answered", counts.wait_answered), ("wait_abandoned", counts.wait_abandoned)];
        for (name, length) in lengths {
            assert_eq!(row.get(name).copied(), Some(length.0), "{name} of {queue}");
        }
    }
}

fn compare_handles(report: &SimReport, table: &KpiTable) {
    let rows = rows(table);
    for (queue, counts) in &report.queues {
        let row = &rows[&vec![queue.to_string(), "inbound".to_owned()]];
        let expected = [
            ("handled", i64::try_from(counts.handled).unwrap()),
            ("handle_talk", counts.handle_talk.0),
            ("handle_hold", counts.handle_hold.0),
            ("handle_acw", counts.handle_acw.0),
        ];
        for (name, amount) in expected {
            assert_eq!(row.get(name).copied(), Some(amount), "{name} of {queue}: {row:?}");
        }
    }
}

fn compare_agents(report: &SimReport, table: &KpiTable) {
    let rows = rows(table);
    for (agent, handled) in &report.handled_by_agent {
        let row = &rows[&vec![agent.to_string()]];
        assert_eq!(row["handled"], i64::try_from(*handled).unwrap(), "{agent}");
        let clocks =
            ["occupied_clock", "lost_clock", "ringing_clock", "dialing_clock", "away_clock", "ready_clock"];
        let sum: i64 = clocks.iter().filter_map(|clock| row.get(clock)).sum();
        assert_eq!(sum, row["signed_in_clock"], "the clock of {agent} sums");
        assert_eq!(row.get("unsigned_clock").copied().unwrap_or(0), 0);
        assert_eq!(row.get("lost_clock").copied().unwrap_or(0), 0, "{agent} was never lost");
    }
}

fn compare_totals(report: &SimReport, table: &KpiTable) {
    let rows = rows(table);
    let row = &rows[&Vec::new()];
    let expected = [
        ("offers", report.offers),
        ("offers_missed", report.missed),
        ("offers_rejected", report.rejected),
        ("offers_customer_gone", report.customer_gone),
        ("holds", report.holds),
        ("consults", report.consults),
        ("transfers_out_cold", report.transfers_cold),
        ("transfers_out_warm", report.transfers_warm),
        ("outbound_dials", report.outbound_dials),
        ("outbound_connected", report.outbound_connected),
        ("ended_by_agent", report.ended_by_agent),
        ("sign_ins", report.sign_ins),
        ("self_served", report.self_served),
        ("opened", report.tickets_opened),
        ("resolved", report.tickets_resolved),
    ];
    let wrong: Vec<_> = expected
        .into_iter()
        .filter(|(name, count)| row.get(name).copied() != i64::try_from(*count).ok())
        .map(|(name, count)| format!("{name}: {count} done, {:?} counted", row.get(name)))
        .collect();
    assert_eq!(wrong, Vec::<String>::new(), "{row:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_figures_are_the_cores_counts() {
    let real = Real::begin(MORNING, SPEED).await;
    let config = real.config(7, 80, 600, Micros(30 * Micros::MINUTE.0));
    let report = run(config, CancellationToken::new()).await.unwrap();
    assert!(report.position > 0 && report.total().answered > 100);
    assert_eq!(report.tickets_refused, 0);

    let api = real.api();
    compare_queues(&report, &query(&api, &report, &[Dimension::Queue]).await);
    compare_handles(&report, &query(&api, &report, &[Dimension::Queue, Dimension::Direction]).await);
    compare_agents(&report, &query(&api, &report, &[Dimension::Agent]).await);
    compare_totals(&report, &query(&api, &report, &[]).await);

    let agents =
        api.agents().list_agents(ListAgentsRequest { site: "main".into(), present_only: false }).await;
    let agents = agents.unwrap().into_inner().agents;
    let marks: Vec<_> = agents.iter().flat_map(|agent| &agent.anomalies).collect();
    assert_eq!(marks, Vec::<&pegcount_proto::v1::Anomaly>::new());
    real.end().await;
}
