//! NATS JetStream: one stream on file, `sync_interval: always`, so that an acknowledgement means that the message is
//! synced; many publishes in flight over a few connections.

use std::{fs, process::Command};

use async_nats::jetstream::{self, Context, context::ContextBuilder, stream};

use super::{
    StoredCalls,
    process::{Process, benches, free_port, program},
};
use crate::{Outcome, single::AGENTS, writer::Writer};

/// Its settings, for the table.
pub const SETTINGS: &str = "JetStream 2.15 (file, sync_interval: always)";
const CONNECTIONS: usize = 4;

/// Starts a fresh server; none if it is not installed.
pub fn start() -> Outcome<Option<Process>> {
    let Some(server) = program(benches().join(".venv/bin/nats-server")) else { return Ok(None) };
    let dir = tempfile::tempdir()?;
    let port = free_port()?;
    let config = dir.path().join("nats.conf");
    let store = dir.path().join("store");
    let settings = format!(
        "listen: \"127.0.0.1:{port}\"\njetstream {{\n  store_dir: \"{}\"\n  sync_interval: always\n}}\n",
        store.display()
    );
    fs::write(&config, settings)?;
    Process::start(Command::new(server).arg("-c").arg(config), port, dir).map(Some)
}

/// One publish in flight.
pub struct Publishes {
    context: Context,
    calls: StoredCalls,
}

impl Publishes {
    /// Makes the stream, and `in_flight` writers over a few connections.
    pub async fn connect(port: u16, in_flight: usize) -> Outcome<Vec<Self>> {
        let mut contexts = Vec::new();
        for _ in 0..CONNECTIONS {
            let client = async_nats::connect(format!("nats://127.0.0.1:{port}")).await?;
            contexts.push(ContextBuilder::new().max_ack_inflight(in_flight).build(client));
        }
        if let Some(context) = contexts.first() {
            let config = stream::Config {
                name: "events".to_owned(),
                subjects: vec!["events.>".to_owned()],
                storage: jetstream::stream::StorageType::File,
                ..Default::default()
            };
            context.create_stream(config).await?;
        }
        let writers = contexts.iter().cycle().take(in_flight).zip(2_000..);
        Ok(writers
            .map(|(context, number)| Self {
                context: context.clone(),
                calls: StoredCalls::new(number, AGENTS),
            })
            .collect())
    }
}

impl Writer for Publishes {
    async fn write(&mut self, count: usize) -> Outcome<()> {
        for event in self.calls.batch(count) {
            let subject = format!("events.{}", event.stream);
            self.context.publish(subject, event.payload.into()).await?.await?;
        }
        Ok(())
    }
}
