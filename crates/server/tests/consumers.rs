//! Named consumers over the wire: at least once, one connection of a name, positions that outlive the server.
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

use std::sync::Arc;

use pegcount_domain::time::Micros;
use pegcount_proto::v1::{self, consume_request::Message, consume_response::Message as Answer};
use pegcount_server::{Role, ServerOptions, start};
use support::{Desk, Line, MORNING, desk, engine_in, loopback, ready, signed_in, submit};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};

type Log = v1::log_service_client::LogServiceClient<Line>;

async fn log_of(desk: &Desk, role: Role) -> Log {
    let (channel, bearer) = desk.line_of(role).await;
    v1::log_service_client::LogServiceClient::with_interceptor(channel, bearer)
}

async fn everywhere(desk: &Desk, role: Role) -> Log {
    let (channel, bearer) = desk.line(Some(desk.token(role, "*", None))).await;
    v1::log_service_client::LogServiceClient::with_interceptor(channel, bearer)
}

async fn tell(desk: &Desk, facts: Vec<v1::Fact>) {
    desk.ingest(Role::Connector).await.submit_facts(submit("pbx", facts)).await.unwrap();
}

/// A consumer's connection.
struct Following {
    say: mpsc::Sender<v1::ConsumeRequest>,
    answers: Streaming<v1::ConsumeResponse>,
}

fn hello(name: &str) -> v1::ConsumerHello {
    v1::ConsumerHello { name: name.into(), from_position: 1, ..Default::default() }
}

impl Following {
    async fn open(log: &mut Log) -> Self {
        let (say, said) = mpsc::channel(16);
        let answers = log.consume(ReceiverStream::new(said)).await.unwrap().into_inner();
        Self { say, answers }
    }

    async fn connect(log: &mut Log, hello: v1::ConsumerHello) -> Result<(Self, v1::ConsumerWelcome), Status> {
        let mut following = Self::open(log).await;
        following.say(Message::Hello(hello)).await;
        match following.hear().await? {
            Answer::Welcome(welcome) => Ok((following, welcome)),
            other @ Answer::Batch(_) => panic!("instead of a welcome: {other:?}"),
        }
    }

    async fn say(&self, message: Message) {
        self.say.send(v1::ConsumeRequest { message: Some(message) }).await.unwrap();
    }

    async fn confirm(&self, position: u64) {
        self.say(Message::Confirm(v1::ConsumerConfirm { position })).await;
    }

    async fn hear(&mut self) -> Result<Answer, Status> {
        Ok(self.answers.message().await?.expect("the stream has ended").message.unwrap())
    }

    async fn batch(&mut self) -> v1::ConsumerBatch {
        match self.hear().await.unwrap() {
            Answer::Batch(batch) => batch,
            other @ Answer::Welcome(_) => panic!("instead of a batch: {other:?}"),
        }
    }

    /// What the stream ends with; batches before it are passed over.
    async fn end(&mut self) -> Option<Status> {
        loop {
            match self.answers.message().await {
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(status) => return Some(status),
            }
        }
    }
}

fn positions(batch: &v1::ConsumerBatch) -> Vec<u64> {
    batch.events.iter().map(|event| event.position).collect()
}

/// Waits until the server has taken a confirm.
async fn confirmed(log: &mut Log, position: u64) -> v1::ConsumerStatus {
    loop {
        let listed = log.list_consumers(v1::ListConsumersRequest {}).await.unwrap().into_inner().consumers;
        if let Some(one) = listed.into_iter().find(|one| one.confirmed_position == position) {
            return one;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_consumer_gets_history_then_what_comes_and_what_it_did_not_confirm_again() {
    let desk = desk().await;
    tell(&desk, vec![signed_in(1, MORNING, "7")]).await;
    let mut log = log_of(&desk, Role::Connector).await;
    let (mut first, welcome) = Following::connect(&mut log, hello("warehouse")).await.unwrap();
    assert!(welcome.created && !welcome.incarnation_changed);
    assert_eq!((welcome.confirmed_position, welcome.end_position), (0, 1));
    let batch = first.batch().await;
    assert_eq!((positions(&batch), batch.last_position, batch.events_behind), (vec![1], 1, 1));
    assert_eq!(batch.events[0].r#type, "agent.signed_in");
    first.confirm(1).await;
    confirmed(&mut log, 1).await;
    tell(&desk, vec![ready(2, MORNING, "7")]).await;
    assert_eq!(positions(&first.batch().await), [2]);
    drop(first);

    let (mut second, welcome) = Following::connect(&mut log, hello("warehouse")).await.unwrap();
    assert_eq!((welcome.created, welcome.confirmed_position), (false, 1));
    assert_eq!(positions(&second.batch().await), [2]);
    // Who has said all is told nothing more.
    let Following { say, mut answers } = second;
    drop(say);
    assert!(answers.message().await.unwrap().is_none());
}

#[tokio::test]
async fn the_newest_connection_fences_the_older_off_and_tells_it() {
    let desk = desk().await;
    tell(&desk, vec![signed_in(1, MORNING, "7")]).await;
    let mut log = log_of(&desk, Role::Connector).await;
    let (mut old, _) = Following::connect(&mut log, hello("warehouse")).await.unwrap();
    let (mut new, _) = Following::connect(&mut log, hello("warehouse")).await.unwrap();
    let fenced = old.end().await.unwrap();
    assert_eq!(fenced.code(), Code::Aborted);
    assert!(fenced.message().contains("has a newer connection; this one is fenced off"), "{fenced}");
    assert_eq!(positions(&new.batch().await), [1]);
}

#[tokio::test]
async fn positions_outlive_the_server_and_another_incarnation_is_told() {
    let mut desk = desk().await;
    tell(&desk, vec![signed_in(1, MORNING, "7"), ready(2, MORNING, "7")]).await;
    let mut log = log_of(&desk, Role::Connector).await;
    let (mut following, welcome) = Following::connect(&mut log, hello("warehouse")).await.unwrap();
    following.batch().await;
    following.confirm(1).await;
    confirmed(&mut log, 1).await;
    desk.shut_down().await.unwrap();
    assert_eq!(following.end().await.unwrap().code(), Code::Unavailable);
    desk.engine.close().await.unwrap();

    let Desk { engine, clock, dir, .. } = desk;
    drop(engine);
    let engine = engine_in(dir.path().to_owned(), clock.clone()).await;
    let running = start(Arc::clone(&engine), ServerOptions::new(loopback(), dir.path())).await.unwrap();
    let desk = Desk { engine, addr: running.addr, running: Some(running), clock, dir };
    let mut log = log_of(&desk, Role::Connector).await;
    let known = v1::ConsumerHello { incarnation: welcome.incarnation, ..hello("warehouse") };
    let (mut following, welcome) = Following::connect(&mut log, known).await.unwrap();
    assert_eq!((welcome.confirmed_position, welcome.incarnation_changed), (1, false));
    assert_eq!(positions(&following.batch().await), [2]);
    let other = v1::ConsumerHello { incarnation: support::uuid(9), ..hello("warehouse") };
    let (_, welcome) = Following::connect(&mut log, other).await.unwrap();
    assert!(welcome.incarnation_changed);
}

#[tokio::test]
async fn only_what_passes_the_filter_comes() {
    let desk = desk().await;
    tell(&desk, vec![signed_in(1, MORNING, "7"), ready(2, MORNING, "7"), signed_in(3, MORNING, "8")]).await;
    let mut log = log_of(&desk, Role::Connector).await;
    let filter = v1::LogFilter { types: vec!["agent.ready".into()], ..Default::default() };
    let asked = v1::ConsumerHello { filter: Some(filter), ..hello("ready") };
    let (mut following, _) = Following::connect(&mut log, asked).await.unwrap();
    let batch = following.batch().await;
    assert_eq!((positions(&batch), batch.last_position), (vec![2], 3));
    following.confirm(2).await;
    let status = confirmed(&mut log, 3).await;
    assert_eq!((status.events_behind, status.connected), (0, true));
}

#[tokio::test]
async fn how_far_behind_a_consumer_is_stands_in_the_status_and_in_the_metrics() {
    let desk = desk().await;
    let mut log = log_of(&desk, Role::Connector).await;
    tell(&desk, vec![signed_in(1, MORNING, "7"), ready(2, MORNING, "7")]).await;
    let (mut following, _) = Following::connect(&mut log, hello("warehouse")).await.unwrap();
    following.batch().await;
    following.confirm(1).await;
    confirmed(&mut log, 1).await;
    desk.clock.set(MORNING.plus(Micros::MINUTE));
    let status = log.get_log_status(v1::GetLogStatusRequest {}).await.unwrap().into_inner();
    let one = &status.consumers[0];
    assert_eq!((one.site.as_str(), one.name.as_str()), ("north", "warehouse"));
    assert_eq!((one.confirmed_position, one.events_behind, one.connected), (1, 1, true));
    assert_eq!((one.confirmed_at_us, one.since_confirm_us), (Some(MORNING.0), Micros::MINUTE.0));
    let metrics = metrics(&desk).await;
    let labels = "{site=\"north\",consumer=\"warehouse\"}";
    for line in ["events_behind", "since_confirm_seconds", "connected"].iter().zip(["1", "60.000000", "1"]) {
        let line = format!("pegcount_consumer_{}{labels} {}\n", line.0, line.1);
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
}

async fn metrics(desk: &Desk) -> String {
    let mut stream = TcpStream::connect(desk.addr).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn names_belong_to_principals_and_sites() {
    let desk = desk().await;
    tell(&desk, vec![signed_in(1, MORNING, "7")]).await;
    let mut log = log_of(&desk, Role::Connector).await;
    let (mut following, _) = Following::connect(&mut log, hello("warehouse")).await.unwrap();
    let mut desk_of_kpis = log_of(&desk, Role::KpiDesk).await;
    let taken = Following::connect(&mut desk_of_kpis, hello("warehouse")).await.err().unwrap();
    assert_eq!(taken.code(), Code::PermissionDenied);
    assert!(taken.message().contains("belongs to connector of the test"), "{taken}");
    let mut analyst = log_of(&desk, Role::Analyst).await;
    let refused = analyst.list_consumers(v1::ListConsumersRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);

    // The same name over all sites is another one, and not seen from one site.
    let mut all = everywhere(&desk, Role::Administrator).await;
    let (_other, welcome) = Following::connect(&mut all, hello("warehouse")).await.unwrap();
    assert!(welcome.created);
    let seen =
        |list: v1::ListConsumersResponse| list.consumers.into_iter().map(|one| one.site).collect::<Vec<_>>();
    let list = v1::ListConsumersRequest {};
    assert_eq!(seen(log.list_consumers(list).await.unwrap().into_inner()), ["north"]);
    assert_eq!(seen(all.list_consumers(list).await.unwrap().into_inner()), ["", "north"]);

    let delete = |site: &str| v1::DeleteConsumerRequest { site: site.into(), name: "warehouse".into() };
    let refused = desk_of_kpis.delete_consumer(delete("north")).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    all.delete_consumer(delete("north")).await.unwrap();
    let deleted = following.end().await.unwrap();
    assert_eq!(deleted.code(), Code::Aborted);
    assert!(deleted.message().contains("was deleted"), "{deleted}");
    assert_eq!(log.delete_consumer(delete("")).await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn what_a_consumer_says_out_of_turn_is_refused() {
    let desk = desk().await;
    tell(&desk, vec![signed_in(1, MORNING, "7")]).await;
    let mut log = log_of(&desk, Role::Connector).await;
    let mut silent = Following::open(&mut log).await;
    silent.confirm(1).await;
    let refused = silent.end().await.unwrap();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().starts_with("hello is missing"), "{refused}");
    let (mut following, _) = Following::connect(&mut log, hello("warehouse")).await.unwrap();
    following.batch().await;
    following.confirm(2).await;
    let refused = following.end().await.unwrap();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused.message().contains("confirms position 2, but this connection was given events up to 1"),
        "{refused}"
    );
    let (mut following, _) = Following::connect(&mut log, hello("warehouse")).await.unwrap();
    following.say(Message::Hello(hello("warehouse"))).await;
    assert!(following.end().await.unwrap().message().starts_with("hello was said before"));
    let beyond = v1::ConsumerHello { from_position: 9, ..hello("new") };
    assert_eq!(Following::connect(&mut log, beyond).await.err().unwrap().code(), Code::OutOfRange);
    let nameless = Following::connect(&mut log, hello("")).await.err().unwrap();
    assert_eq!(nameless.code(), Code::InvalidArgument);
    let elsewhere = v1::LogFilter { site: "south".into(), ..Default::default() };
    let elsewhere = v1::ConsumerHello { filter: Some(elsewhere), ..hello("new") };
    assert_eq!(Following::connect(&mut log, elsewhere).await.err().unwrap().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_consumer_that_does_not_read_holds_no_fact_up() {
    let desk = desk().await;
    let mut log = log_of(&desk, Role::Connector).await;
    let (mut slow, _) = Following::connect(&mut log, hello("slow")).await.unwrap();
    let mut client = desk.ingest(Role::Connector).await;
    for round in 0..300_u64 {
        let facts = (1..=20).map(|n| ready(round * 20 + n, MORNING, &format!("agent {n}"))).collect();
        client.submit_facts(submit("pbx", facts)).await.unwrap();
    }
    let mut next = 1;
    while next <= 6_000 {
        let batch = slow.batch().await;
        assert_eq!(batch.events[0].position, next);
        next = batch.last_position + 1;
    }
    slow.confirm(6_000).await;
    assert_eq!(confirmed(&mut log, 6_000).await.events_behind, 0);
}
