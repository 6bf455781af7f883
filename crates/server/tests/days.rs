//! A site's zone, allowances and who is believed, defined over the wire; agent-days asked for and explained; odd facts listed.
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
use pegcount_proto::v1::{self, definition::Definition as Defined, leg::Step};
use pegcount_server::Role;
use support::{Desk, Line, MORNING, agent_fact, contact_fact, desk, ready, signed_in, submit};
use tonic::Code;

type Kpis = v1::kpi_service_client::KpiServiceClient<Line>;

const HOUR: i64 = Micros::HOUR.0;

async fn kpis(desk: &Desk, role: Role) -> Kpis {
    let (channel, bearer) = desk.line_of(role).await;
    v1::kpi_service_client::KpiServiceClient::with_interceptor(channel, bearer)
}

async fn definitions(desk: &Desk) -> v1::definition_service_client::DefinitionServiceClient<Line> {
    let (channel, bearer) = desk.line_of(Role::Administrator).await;
    v1::definition_service_client::DefinitionServiceClient::with_interceptor(channel, bearer)
}

fn define(definitions: Vec<Defined>) -> v1::DefineRequest {
    let one = |definition| v1::Definition { valid_from_us: 0, definition: Some(definition) };
    v1::DefineRequest { site: "north".into(), definitions: definitions.into_iter().map(one).collect() }
}

fn zone(name: &str) -> Defined {
    Defined::Site(v1::SiteDefinition { time_zone: name.into() })
}

fn allowance() -> Defined {
    let meals = v1::MealAllowance { reasons: vec!["meal".into()], count: Some(1), ..Default::default() };
    Defined::Allowance(v1::AllowanceDefinition {
        total_us: Some(HOUR / 2),
        meals: Some(meals),
        ..Default::default()
    })
}

async fn tell(desk: &Desk, name: &str, facts: Vec<v1::Fact>) {
    desk.ingest(Role::Connector).await.submit_facts(submit(name, facts)).await.unwrap();
    desk.engine.caught_up(desk.engine.end()).await.unwrap();
}

/// ann is there for four hours, one of them at meal.
async fn a_shift(desk: &Desk) {
    use v1::agent_fact::Action;
    let at = |hours: i64| MORNING.plus(Micros(hours * HOUR));
    let away = Action::NotReady(v1::NotReady { reason: "meal".into() });
    let facts = vec![
        signed_in(1, at(0), "ann"),
        ready(2, at(0), "ann"),
        agent_fact(3, at(1), "ann", away),
        ready(4, at(2), "ann"),
        agent_fact(5, at(4), "ann", Action::SignedOut(v1::Nothing {})),
    ];
    desk.clock.set(at(5));
    tell(desk, "gateway", facts).await;
    desk.clock.set(at(40));
}

/// 2026-03-02 in Berlin.
fn day() -> v1::QueryKpiRequest {
    v1::QueryKpiRequest {
        site: "north".into(),
        from_us: MORNING.0 - 9 * HOUR,
        to_us: MORNING.0 + 15 * HOUR,
        ..Default::default()
    }
}

fn value<'t>(table: &'t v1::KpiTable, column: &str) -> &'t v1::KpiValue {
    let index = table.columns.iter().position(|known| known.name == column).unwrap();
    &table.rows[0].values[index]
}

#[tokio::test]
async fn a_zone_and_an_allowance_are_defined_listed_and_judge_a_day_that_explains_itself() {
    let desk = desk().await;
    let mut definitions = definitions(&desk).await;
    let refused = definitions.define(define(vec![allowance(), zone("Mars/Base")])).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let said = "definitions[1].site.time_zone is \"Mars/Base\", which the time zone database does not know";
    assert!(refused.message().starts_with(said), "{refused}");
    let authority = Defined::Authority(v1::AuthorityDefinition { softphone: vec![5], exchange: vec![] });
    let all = define(vec![zone("Europe/Berlin"), allowance(), authority]);
    assert_eq!(definitions.define(all.clone()).await.unwrap().into_inner().written, 3);
    assert_eq!(definitions.define(all.clone()).await.unwrap().into_inner().written, 0);
    let list = v1::ListDefinitionsRequest { site: "north".into() };
    let listed = definitions.list_definitions(list).await.unwrap().into_inner().definitions;
    assert_eq!(listed, all.definitions);

    a_shift(&desk).await;
    let mut kpis = kpis(&desk, Role::Analyst).await;
    let table = kpis.query_kpi(day()).await.unwrap().into_inner();
    let counts = ["agent_days", "agent_days_compliant", "agent_days_measured", "agent_days_over_target"];
    assert_eq!(counts.map(|column| value(&table, column).amount), [1, 0, 1, 0]);
    let before = v1::QueryKpiRequest { as_of_us: Some(day().to_us - 1), ..day() };
    let before = kpis.query_kpi(before).await.unwrap().into_inner();
    assert_eq!(value(&before, "agent_days").amount, 0, "the day has not ended");
    let explain =
        v1::ExplainKpiRequest { query: Some(day()), column: "away_compliance".into(), ..Default::default() };
    let explained = kpis.explain_kpi(explain).await.unwrap().into_inner();
    let notes = &explained.items[0].notes;
    assert_eq!(notes[1], "not allowed: away 1:00:00 altogether; the limit is 0:30:00");
    assert_eq!(explained.items[0].event_count, 5);
}

#[tokio::test]
async fn a_query_may_force_a_target_and_take_the_mean_of_days() {
    let desk = desk().await;
    a_shift(&desk).await;
    let mut kpis = kpis(&desk, Role::Analyst).await;
    // Without a definition the site's days are UTC's.
    let asked = v1::QueryKpiRequest { from_us: day().from_us + HOUR, to_us: day().to_us + HOUR, ..day() };
    let mean = v1::QueryKpiRequest { mean_of_days: true, efficiency_target_milli: Some(0), ..asked.clone() };
    let table = kpis.query_kpi(mean.clone()).await.unwrap().into_inner();
    let share = table.columns.iter().find(|column| column.name == "efficiency_share").unwrap();
    assert!(share.formula.starts_with("mean of the local days' values of: "), "{}", share.formula);
    assert_eq!(value(&table, "efficiency_share").amount, 0, "no contact at all is not more than none");
    let hourly = v1::QueryKpiRequest { by: vec![v1::Dimension::Hour.into()], ..mean };
    let refused = kpis.query_kpi(hourly).await.unwrap_err();
    assert!(refused.message().contains("the mean of days cannot be cut by `hour`"), "{refused}");
}

#[tokio::test]
async fn reports_that_differ_are_listed_with_their_events() {
    let desk = desk().await;
    a_shift(&desk).await;
    let mut kpis = kpis(&desk, Role::KpiDesk).await;
    let all = v1::ListAnomaliesRequest { site: "north".into(), ..Default::default() };
    assert_eq!(kpis.list_anomalies(all.clone()).await.unwrap().into_inner().count, 0);
    // The softphone says that ann hung up, the exchange that the customer did.
    let leg = |by: v1::Party, answered: bool| v1::Leg {
        contact: "c".into(),
        leg: "1".into(),
        agent: "ann".into(),
        channel: v1::Channel::Voice.into(),
        direction: v1::Direction::Inbound.into(),
        step: Some(if answered {
            Step::Answered(v1::Nothing {})
        } else {
            Step::Ended(v1::LegEnded { by: by.into(), after_call_expected: false })
        }),
        ..Default::default()
    };
    let at = |minutes: i64| MORNING.plus(Micros(6 * HOUR + minutes * Micros::MINUTE.0));
    let phone = |seq, minutes, answered| {
        let action = v1::agent_fact::Action::Leg(leg(v1::Party::Agent, answered));
        agent_fact(seq, at(minutes), "ann", action)
    };
    let exchange = |seq, minutes, answered| {
        let action = v1::contact_fact::Action::Leg(leg(v1::Party::Customer, answered));
        contact_fact(seq, at(minutes), "c", action)
    };
    tell(&desk, "phone", vec![phone(1, 0, true), phone(2, 5, false)]).await;
    tell(&desk, "pbx", vec![exchange(1, 0, true), exchange(2, 5, false)]).await;
    let listed = kpis.list_anomalies(all.clone()).await.unwrap().into_inner();
    let differing: Vec<_> = listed.anomalies.iter().filter(|odd| odd.kind == "reports_differ").collect();
    let [odd] = differing.as_slice() else { panic!("{listed:?}") };
    let event = odd.event.as_ref().unwrap();
    assert_eq!((event.stream.as_str(), event.source.as_str()), ("north/agent/ann", "phone"));
    assert_eq!(event.r#type, "leg ended");
    let only = v1::ListAnomaliesRequest { kind: "reports_differ".into(), page_size: 1, ..all.clone() };
    assert_eq!(kpis.list_anomalies(only).await.unwrap().into_inner().count, 1);
    let wrong = v1::ListAnomaliesRequest { kind: "strange".into(), ..all.clone() };
    let refused = kpis.list_anomalies(wrong).await.unwrap_err();
    assert!(refused.message().starts_with("kind is `strange`, which is not one of "), "{refused}");
    let mut agent = self::kpis(&desk, Role::Agent).await;
    assert_eq!(agent.list_anomalies(all).await.unwrap_err().code(), Code::PermissionDenied);
}
