//! UmaDB: an event store in Rust behind gRPC. It syncs every commit and has no setting to leave that out; group commit
//! by its defaults; appends carry one tag, the stream, and no condition.

use std::process::Command;

use tonic::{
    Request,
    client::Grpc,
    codegen::http::uri::PathAndQuery,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

use super::{
    StoredCalls,
    process::{Process, free_port, program},
};
use crate::{Outcome, single::AGENTS, writer::Writer};

/// Its settings, for the table.
pub const SETTINGS: &str = "UmaDB 0.7 (gRPC, its defaults: every commit synced)";
const APPEND: &str = "/umadb.v1.DCB/Append";

/// What UmaDB's `umadb.v1.Event` says, as far as an append needs it.
#[derive(Clone, PartialEq, prost::Message)]
struct Event {
    /// `event_type` over there.
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, repeated, tag = "2")]
    tags: Vec<String>,
    #[prost(bytes = "vec", tag = "3")]
    data: Vec<u8>,
}

/// `umadb.v1.AppendRequest` without a condition.
#[derive(Clone, PartialEq, prost::Message)]
struct AppendRequest {
    #[prost(message, repeated, tag = "1")]
    events: Vec<Event>,
}

/// `umadb.v1.AppendResponse`.
#[derive(Clone, PartialEq, prost::Message)]
struct AppendResponse {
    #[prost(uint64, tag = "1")]
    position: u64,
}

/// Starts a fresh server; none if it is not installed.
pub fn start() -> Outcome<Option<Process>> {
    // target/<profile>/deps/<benchmark>
    let this = std::env::current_exe()?;
    let target = this.ancestors().nth(3).unwrap_or(&this);
    let Some(server) = program(target.join("peers/bin/umadb")) else { return Ok(None) };
    let dir = tempfile::tempdir()?;
    let port = free_port()?;
    let mut command = Command::new(server);
    command.args(["--listen", &format!("127.0.0.1:{port}"), "--db-path"]).arg(dir.path().join("uma.db"));
    Process::start(&mut command, port, dir).map(Some)
}

/// One client with a connection of its own that waits for every answer.
pub struct Appends {
    grpc: Grpc<Channel>,
    calls: StoredCalls,
}

impl Appends {
    /// `count` clients.
    pub async fn connect(port: u16, count: usize) -> Outcome<Vec<Self>> {
        let mut clients = Vec::new();
        for number in 0..count {
            let channel = Endpoint::new(format!("http://127.0.0.1:{port}"))?.connect().await?;
            let calls = StoredCalls::new(3_000 + number, AGENTS);
            clients.push(Self { grpc: Grpc::new(channel), calls });
        }
        Ok(clients)
    }
}

impl Writer for Appends {
    async fn write(&mut self, count: usize) -> Outcome<()> {
        let event = |event: super::Stored| Event {
            name: event.event_type.to_owned(),
            tags: vec![event.stream],
            data: event.payload,
        };
        let request = AppendRequest { events: self.calls.batch(count).into_iter().map(event).collect() };
        self.grpc.ready().await?;
        let codec: ProstCodec<AppendRequest, AppendResponse> = ProstCodec::default();
        let path = PathAndQuery::from_static(APPEND);
        let answer = self.grpc.unary(Request::new(request), path, codec).await?.into_inner();
        if answer.position == 0 { Err("UmaDB gave no position".into()) } else { Ok(()) }
    }
}
