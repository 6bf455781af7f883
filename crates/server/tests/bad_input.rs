//! Bad input gets a precise answer each, loses nothing acknowledged, and breaks nothing.
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

use pegcount_domain::{envelope::Position, time::Micros};
use pegcount_log::Filter;
use pegcount_proto::v1::{self, stream_facts_request::Message};
use pegcount_server::Role;
use support::{
    Desk, MORNING, Wire, agent_fact, batch, contact_fact, desk, hello, ready, signed_in, source, submit, uuid,
};
use tonic::{Code, Status};
use tonic_types::StatusExt;

async fn refused(desk: &Desk, request: v1::SubmitFactsRequest) -> Status {
    desk.ingest(Role::Connector).await.submit_facts(request).await.unwrap_err()
}

async fn refusals(desk: &Desk, facts: Vec<v1::Fact>) -> Vec<v1::Refusal> {
    let mut client = desk.ingest(Role::Connector).await;
    let answer = client.submit_facts(submit("pbx", facts)).await.unwrap().into_inner();
    answer.ack.unwrap().refusals
}

#[tokio::test]
async fn an_empty_id_is_refused_by_itself_and_the_rest_goes_in() {
    let desk = desk().await;
    let refusals =
        refusals(&desk, vec![signed_in(1, MORNING, "7"), signed_in(2, MORNING, ""), ready(3, MORNING, "7")])
            .await;
    assert_eq!(refusals.len(), 1);
    assert_eq!((refusals[0].seq, refusals[0].field.as_str()), (2, "agent.agent"));
    assert_eq!(refusals[0].reason, "is empty; give 1 to 128 bytes of text");
    assert_eq!(desk.engine.end(), Position(3), "the refused one is kept in quarantine");
}

#[tokio::test]
async fn an_unknown_enum_value_is_refused_with_the_value() {
    let desk = desk().await;
    let left = v1::QueueLeft { visit: "1".into(), exit: 99, ringing: false };
    let fact = contact_fact(1, MORNING, "c1", v1::contact_fact::Action::QueueLeft(left));
    let refusals = refusals(&desk, vec![fact]).await;
    assert_eq!(refusals[0].field, "contact.queue_left.exit");
    assert!(refusals[0].reason.contains("unknown value 99"), "{}", refusals[0].reason);
}

#[tokio::test]
async fn a_source_without_site_name_or_epoch_is_refused_with_the_field() {
    let desk = desk().await;
    for (source, field) in [
        (v1::Source { site: String::new(), ..source("pbx") }, "source.site"),
        (v1::Source { source: String::new(), ..source("pbx") }, "source.source"),
        (v1::Source { epoch: bytes::Bytes::from_static(b"abc"), ..source("pbx") }, "source.epoch"),
    ] {
        let request = v1::SubmitFactsRequest {
            source: Some(source),
            ..submit("pbx", vec![signed_in(1, MORNING, "7")])
        };
        let status = refused(&desk, request).await;
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, field);
    }
}

#[tokio::test]
async fn a_message_of_2_mib_is_told_its_size_and_the_limit_and_the_connection_goes_on() {
    let desk = desk().await;
    let big = "x".repeat(2 * 1024 * 1024);
    let key = v1::agent_fact::Action::KeyPressed(v1::KeyPressed { key: big });
    let mut client = desk.ingest(Role::Connector).await;

    let unary =
        client.submit_facts(submit("pbx", vec![agent_fact(1, MORNING, "7", key.clone())])).await.unwrap_err();
    assert_eq!(unary.code(), Code::ResourceExhausted, "{unary}");
    assert!(unary.message().contains("the limit is 1048576: send it in parts"), "{unary}");

    let (mut wire, _) = Wire::connect(&mut client, hello("pbx")).await;
    wire.say(Message::Batch(batch(vec![signed_in(1, MORNING, "7")]))).await;
    wire.acked(1).await.unwrap();
    wire.say(Message::Batch(batch(vec![agent_fact(2, MORNING, "7", key)]))).await;
    let end = wire.end().await.unwrap();
    assert_eq!(end.code(), Code::ResourceExhausted, "{end}");
    assert!(end.message().contains("bytes; the limit is 1048576"), "{end}");

    client.submit_facts(submit("pbx", vec![ready(2, MORNING, "7")])).await.unwrap();
}

#[tokio::test]
async fn a_gap_in_the_counter_is_refused_and_says_what_comes_next_until_it_is_skipped() {
    let desk = desk().await;
    let mut client = desk.ingest(Role::Connector).await;
    client.submit_facts(submit("pbx", vec![signed_in(1, MORNING, "7")])).await.unwrap();
    let gap = refused(&desk, submit("pbx", vec![ready(5, MORNING, "7")])).await;
    assert_eq!(gap.code(), Code::FailedPrecondition);
    let details = gap.get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["next"], "2");

    let skip = v1::Skip { from_seq: 2, to_seq: 4, reason: "spool lost".into() };
    let request = v1::SubmitFactsRequest { skip: Some(skip), ..submit("pbx", vec![ready(5, MORNING, "7")]) };
    let ack = client.submit_facts(request).await.unwrap().into_inner().ack.unwrap();
    assert_eq!(ack.last_committed_seq, 5);
}

#[tokio::test]
async fn a_repeat_counts_once_and_one_with_other_content_is_refused() {
    let desk = desk().await;
    let mut client = desk.ingest(Role::Connector).await;
    client.submit_facts(submit("pbx", vec![signed_in(1, MORNING, "7")])).await.unwrap();
    let again =
        client.submit_facts(submit("pbx", vec![signed_in(1, MORNING, "7")])).await.unwrap().into_inner();
    assert_eq!(again.ack.unwrap().repeats, 1);
    let other = refused(&desk, submit("pbx", vec![ready(1, MORNING, "7")])).await;
    assert_eq!(other.code(), Code::AlreadyExists);
    assert!(other.message().contains("needs a new epoch"), "{other}");
    assert_eq!(desk.engine.end(), Position(1));
}

#[tokio::test]
async fn a_lost_counter_that_starts_again_is_told_to_begin_a_new_epoch() {
    let desk = desk().await;
    let mut client = desk.ingest(Role::Connector).await;
    client
        .submit_facts(submit("pbx", vec![signed_in(1, MORNING, "7"), ready(2, MORNING, "7")]))
        .await
        .unwrap();
    let lost = refused(&desk, submit("pbx", vec![signed_in(1, MORNING.plus(Micros::HOUR), "8")])).await;
    assert_eq!(lost.code(), Code::AlreadyExists);
    let anew = v1::Source { epoch: uuid(2), ..source("pbx") };
    let request =
        v1::SubmitFactsRequest { source: Some(anew), ..submit("pbx", vec![signed_in(1, MORNING, "8")]) };
    assert_eq!(client.submit_facts(request).await.unwrap().into_inner().ack.unwrap().last_committed_seq, 1);
}

#[tokio::test]
async fn seqs_count_from_one_and_go_up_by_one() {
    let desk = desk().await;
    let zero = refused(&desk, submit("pbx", vec![signed_in(0, MORNING, "7")])).await;
    assert_eq!(zero.code(), Code::InvalidArgument);
    assert!(zero.message().contains("seqs count from 1"), "{zero}");
    let disordered =
        refused(&desk, submit("pbx", vec![signed_in(2, MORNING, "7"), ready(1, MORNING, "7")])).await;
    assert!(disordered.message().contains("has seq 1 where 3 comes next"), "{disordered}");
    let nothing = refused(&desk, v1::SubmitFactsRequest { batch: None, ..submit("pbx", vec![]) }).await;
    assert_eq!(nothing.code(), Code::InvalidArgument);
}

/// When the fact of a client whose clock stands at `shown` happened and what the client's clock said.
async fn stored_time_of(shown: Micros) -> (Micros, Micros) {
    let desk = desk().await;
    let mut client = desk.ingest(Role::Connector).await;
    let hello = v1::Hello { client_time_us: shown.0, ..hello("phone") };
    let (mut wire, _) = Wire::connect(&mut client, hello).await;
    wire.say(Message::Batch(batch(vec![signed_in(1, shown.minus(Micros::MINUTE), "7")]))).await;
    wire.acked(1).await.unwrap();
    let page = desk.engine.read_log(Position(1), 1, &Filter::default()).await.unwrap();
    (page.events[0].occurred_at, page.events[0].source_time)
}

#[tokio::test]
async fn a_clock_an_hour_ahead_and_one_an_hour_slow_are_both_corrected_and_kept_as_they_were() {
    let a_minute_ago = MORNING.minus(Micros::MINUTE);
    for shown in [MORNING.plus(Micros::HOUR), MORNING.minus(Micros::HOUR)] {
        let (occurred, said) = stored_time_of(shown).await;
        assert_eq!(occurred, a_minute_ago);
        assert_eq!(said, shown.minus(Micros::MINUTE));
    }
}

#[tokio::test]
async fn a_stream_must_begin_with_hello_and_say_it_once() {
    let desk = desk().await;
    let mut client = desk.ingest(Role::Connector).await;
    let mut wire = Wire::open(&mut client).await;
    wire.say(Message::Batch(batch(vec![signed_in(1, MORNING, "7")]))).await;
    let end = wire.end().await.unwrap();
    assert_eq!(end.code(), Code::InvalidArgument);
    assert!(end.message().contains("hello is missing"), "{end}");

    let (mut wire, _) = Wire::connect(&mut client, hello("pbx")).await;
    wire.say(Message::Hello(hello("pbx"))).await;
    assert_eq!(wire.end().await.unwrap().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_command_without_a_uuid_and_a_range_off_the_grid_name_their_fields() {
    let desk = desk().await;
    let (channel, bearer) = desk.line_of(Role::TeamLead).await;
    let mut agents =
        v1::agent_service_client::AgentServiceClient::with_interceptor(channel.clone(), bearer.clone());
    let request = v1::SetStateRequest {
        site: "north".into(),
        agent: "7".into(),
        state: Some(v1::Intent { ready: true, ..Default::default() }),
        ..Default::default()
    };
    let status = agents.set_state(request).await.unwrap_err();
    assert_eq!(status.message(), "command_id has 0 bytes; a UUID has 16");

    let mut kpis = v1::kpi_service_client::KpiServiceClient::with_interceptor(channel, bearer);
    let quarter = 900_000_000;
    let cases = [
        (1, quarter, "", "from_us"),
        (quarter, quarter, "", "to_us"),
        (0, 20 * 366 * 24 * 4 * quarter, "", "to_us"),
        (0, quarter, "Mars/Base", "time_zone"),
    ];
    for (from_us, to_us, zone, field) in cases {
        let request = v1::QueryKpiRequest {
            site: "north".into(),
            from_us,
            to_us,
            time_zone: zone.into(),
            ..Default::default()
        };
        let status = kpis.query_kpi(request).await.unwrap_err();
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, field, "{status}");
    }
    let by = vec![v1::Dimension::Interval15.into(), v1::Dimension::Agent.into()];
    let years = v1::QueryKpiRequest {
        site: "north".into(),
        to_us: 3_600 * 24 * 4 * quarter,
        by,
        ..Default::default()
    };
    let status = kpis.query_kpi(years).await.unwrap_err();
    assert!(status.message().contains("cuts the range into 345600 pieces; the limit is 20000"), "{status}");
}
