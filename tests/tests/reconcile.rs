//! A wrong figure sets off the alarm, from the metric to the exit code of `pegcount reconcile`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
};

use pegcount_domain::{
    ids::{Name, SiteId},
    time::{Interval, Micros},
};
use pegcount_engine::{Engine, EngineOptions};
use pegcount_kpi::Measure;
use pegcount_server::{Running, ServerOptions, start};
use pegcount_tests::{Output, run, workspace};
use tracing_subscriber::fmt::MakeWriter;

/// 1999-03-03 09:00 in Jerusalem.
const QUARTER: Micros = Micros(920_444_400_000_000);

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn imported(data: &Path) {
    let file = workspace().join("crates/import/tests/fixtures/bank-small.tsv").display().to_string();
    let arguments =
        ["import", "bank", &file, "--site", "bank", "--time-zone", "Asia/Jerusalem", "--data-dir"];
    run(arguments.map(str::to_owned).into_iter().chain([data.display().to_string()])).success();
}

/// The two days of the records, from wherever `target` says. On a thread of its own, since the server may be this process.
async fn reconcile(target: Vec<String>) -> Output {
    let range = ["reconcile", "--site", "bank", "--from", "1999-03-03", "--to", "1999-03-05", "--time-zone"];
    let arguments: Vec<String> =
        range.into_iter().chain(["Asia/Jerusalem"]).map(str::to_owned).chain(target).collect();
    tokio::task::spawn_blocking(move || run(arguments)).await.unwrap()
}

async fn served(data: &Path) -> (Arc<Engine>, Running) {
    let engine = Engine::open(EngineOptions::folder(data)).await.unwrap();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let running = start(engine.clone(), ServerOptions::new(listen, data)).await.unwrap();
    (engine, running)
}

async fn get(addr: SocketAddr, path: &'static str) -> String {
    let get = move || {
        let mut stream = TcpStream::connect(addr).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    tokio::task::spawn_blocking(get).await.unwrap()
}

fn target(addr: SocketAddr, data: &Path) -> Vec<String> {
    let token = data.join("local-token").display().to_string();
    vec!["--server".into(), format!("http://{addr}"), "--token-file".into(), token]
}

#[tokio::test]
async fn a_wrong_cell_sets_off_metric_message_health_and_exit_code() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    imported(&data);
    let kept = Kept::default();
    let subscriber = tracing_subscriber::fmt().with_writer(kept.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (engine, running) = served(&data).await;

    let well = reconcile(target(running.addr, &data)).await;
    let said = well.success();
    assert!(said.contains("nothing differs of"), "{said}");

    let (site, queue) = (SiteId::new("bank").unwrap(), Name::new("LO").unwrap());
    assert!(engine.corrupt(&site, Measure::Answered, &queue, Interval::containing(QUARTER), 3));
    let mut looks = 0;
    while engine.audit_now().await.unwrap().open.is_empty() {
        looks += 1;
        assert!(looks < 50, "nobody has seen it");
    }
    let metrics = get(running.addr, "/metrics").await;
    assert!(metrics.contains("pegcount_balance_violations_total{kind=\"queue\"} 1\n"), "{metrics}");
    assert!(metrics.contains("pegcount_balance_violations_open 1\n"), "{metrics}");
    let health = get(running.addr, "/healthz").await;
    assert!(health.contains("\"balance_violations\":1"), "{health}");
    let log = kept.text();
    for part in [
        "ERROR",
        "site bank, queue LO, 1999-03-03T07:00:00Z to 1999-03-03T07:15:00Z: answered is",
        "pegcount reconcile --site bank",
    ] {
        assert!(log.contains(part), "without {part:?}:\n{log}");
    }
    let wrong = reconcile(target(running.addr, &data)).await;
    assert_eq!(wrong.code, Some(1));
    for part in ["1999-03-03 09:00–09:15", "queue LO", "answered", "1 number differs of"] {
        assert!(wrong.stdout.contains(part), "without {part:?}:\n{}", wrong.stdout);
    }

    running.shutdown().await.unwrap();
    engine.close().await.unwrap();
    drop(engine);
    let mended = reconcile(vec!["--data-dir".into(), data.display().to_string()]).await;
    assert!(mended.success().contains("nothing differs of"));
}

#[tokio::test]
async fn what_could_not_be_looked_at_is_no_difference() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = reconcile(vec!["--data-dir".into(), dir.path().join("none").display().to_string()]).await;
    assert_eq!(nowhere.code, Some(2));
    assert!(
        nowhere.stderr.contains("nothing was checked: there is no Pegcount folder at"),
        "{}",
        nowhere.stderr
    );
}
