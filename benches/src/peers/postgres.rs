//! PostgreSQL 15 as an event store: one table, unique (stream, version), one prepared insert. Durable by its defaults
//! (`fsync = on`, `synchronous_commit = on`); nothing else of its settings is changed.

use std::{path::Path, process::Command};

use tokio_postgres::{Client, NoTls, Statement};

use super::{
    StoredCalls,
    process::{Process, free_port, program},
};
use crate::{Outcome, single::AGENTS, writer::Writer};

/// Its settings, for the table.
pub const SETTINGS: &str = "PostgreSQL 15 (fsync=on, synchronous_commit=on)";
/// Debian's folder of its server programs.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
/// It refuses to run as root.
const ACCOUNT: &str = "postgres";

const TABLE: &str = "create table event (
    position bigint generated always as identity,
    stream text not null,
    version bigint not null,
    event_type text not null,
    occurred_at bigint not null,
    payload bytea not null,
    unique (stream, version))";
const ONE: &str =
    "insert into event (stream, version, event_type, occurred_at, payload) values ($1, $2, $3, $4, $5)";
const MANY: &str = "insert into event (stream, version, event_type, occurred_at, payload)
    select * from unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bytea[])";

/// Starts a fresh cluster; none if PostgreSQL is not installed.
pub fn start() -> Outcome<Option<Process>> {
    let programs = Path::new(PROGRAMS);
    let (Some(initdb), Some(postgres)) =
        (program(programs.join("initdb")), program(programs.join("postgres")))
    else {
        return Ok(None);
    };
    let dir = tempfile::tempdir()?;
    let root = id("-u", None)? == 0;
    if root {
        std::os::unix::fs::chown(dir.path(), Some(id("-u", Some(ACCOUNT))?), Some(id("-g", Some(ACCOUNT))?))?;
    }
    let data = dir.path().join("data");
    let made = as_account(&initdb, root)
        .args(["--username=postgres", "--auth=trust", "--no-locale", "--encoding=UTF8", "-D"])
        .arg(&data)
        .output()?;
    if !made.status.success() {
        return Err(format!("initdb: {}", String::from_utf8_lossy(&made.stderr)).into());
    }
    let port = free_port()?;
    let mut command = as_account(&postgres, root);
    command.arg("-D").arg(&data).args([
        "-h",
        "127.0.0.1",
        "-p",
        &port.to_string(),
        "-c",
        "unix_socket_directories=",
    ]);
    Process::start(&mut command, port, dir).map(Some)
}

/// `setpriv` becomes the program, so that the process that was started is the one that is ended.
fn as_account(program: &Path, root: bool) -> Command {
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups"]).arg(program).current_dir("/");
    command
}

fn id(which: &str, account: Option<&str>) -> Outcome<u32> {
    let answer = Command::new("id").arg(which).args(account).output()?;
    Ok(String::from_utf8(answer.stdout)?.trim().parse()?)
}

/// One connection that inserts and commits, one statement at a time.
pub struct Inserts {
    client: Client,
    one: Statement,
    many: Statement,
    calls: StoredCalls,
}

impl Inserts {
    /// `count` connections whose clients are numbered from `first`; the first call of all makes the table.
    pub async fn connect(port: u16, first: usize, count: usize) -> Outcome<Vec<Self>> {
        let mut clients = Vec::new();
        for number in first..first + count {
            let config = format!("host=127.0.0.1 port={port} user=postgres dbname=postgres");
            let (client, connection) = tokio_postgres::connect(&config, NoTls).await?;
            tokio::spawn(connection);
            let exists = client.query_one("select to_regclass('event') is not null", &[]).await?;
            if !exists.get::<_, bool>(0) {
                client.execute(TABLE, &[]).await?;
            }
            let (one, many) = (client.prepare(ONE).await?, client.prepare(MANY).await?);
            clients.push(Self { client, one, many, calls: StoredCalls::new(number, AGENTS) });
        }
        Ok(clients)
    }
}

impl Writer for Inserts {
    async fn write(&mut self, count: usize) -> Outcome<()> {
        let events = self.calls.batch(count);
        if let [event] = events.as_slice() {
            let row: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
                [&event.stream, &event.version, &event.event_type, &event.occurred_at, &event.payload];
            self.client.execute(&self.one, &row).await?;
            return Ok(());
        }
        let streams: Vec<_> = events.iter().map(|event| event.stream.as_str()).collect();
        let versions: Vec<_> = events.iter().map(|event| event.version).collect();
        let types: Vec<_> = events.iter().map(|event| event.event_type).collect();
        let times: Vec<_> = events.iter().map(|event| event.occurred_at).collect();
        let payloads: Vec<_> = events.iter().map(|event| event.payload.as_slice()).collect();
        self.client.execute(&self.many, &[&streams, &versions, &types, &times, &payloads]).await?;
        Ok(())
    }
}
