//! Disks that are full or cannot be written to, and batches that are too large, as the real server meets them: what was
//! acknowledged stays, and the service goes on reading.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{
    fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use pegcount_client::{AgentFacts, Token};
use pegcount_domain::ids::AgentId;
use pegcount_power_tests::shim::{Faults, under_shim};
use pegcount_proto::v1;
use pegcount_tests::{Centre, Output, Server, binary, copied, facts_in, free_port, run, workspace};
use serde_json::Value;

const PHONES: usize = 4;
/// By how much the log may grow before the disk is full: some thousand facts.
const ROOM_BYTES: u64 = 300 * 1024;
/// A disk that takes longer to fill up is never full.
const FULL_WAIT_MAX: Duration = Duration::from_mins(1);
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// Nobody's number, on all Unixes of today.
const NOBODY: u32 = 65_534;

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn import(target: &[String]) -> Output {
    let file = text(&workspace().join("crates/import/tests/fixtures/bank-small.tsv"));
    let arguments = ["import", "bank", &file, "--site", "bank", "--time-zone", "Asia/Jerusalem"];
    run(arguments.map(str::to_owned).into_iter().chain(target.iter().cloned()))
}

fn folder(data: &Path) -> Vec<String> {
    vec!["--data-dir".into(), text(data)]
}

/// Waits until the server says that its log is poisoned; gives what it says.
async fn poisoned(server: &Server) -> Value {
    let wait = async {
        loop {
            let (code, body) = server.get("/healthz");
            if code == 503 {
                return serde_json::from_str(&body).unwrap();
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    };
    tokio::time::timeout(FULL_WAIT_MAX, wait).await.expect("the disk is never full")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_the_service_reads_on_and_with_room_again_everything_goes_in_once() {
    let dir = tempfile::tempdir().unwrap();
    let (data, port) = (dir.path().join("data"), free_port());
    fs::create_dir(&data).unwrap();
    let faults = Faults { room_bytes: Some(ROOM_BYTES), ..Faults::default() };
    let command = under_shim(binary(), &data, &dir.path().join("trace"), &faults);
    let server = Server::start_by(command, &data, port);
    let centre = Centre::open(&server, &dir.path().join("spools"), PHONES);

    // When: the disk is full. Then: the server says so, and why.
    let health = poisoned(&server).await;
    assert!(health["poisoned"].as_str().unwrap().contains("No space left on device"), "{health}");
    let durable = centre.acknowledged();
    assert!(durable.values().any(|seq| *seq > 0), "{durable:?}");
    // It reads on: figures, states, the log itself with all that was acknowledged.
    let target = server.target();
    let ask = |arguments: &[&str]| {
        run(arguments.iter().map(|word| (*word).to_owned()).chain(target.iter().cloned())).success()
    };
    ask(&["kpi", "--site", "main"]);
    assert!(ask(&["agent", "list", "--site", "main"]).contains("agent-0"));
    let log = ask(&["log", "tail", "--from", "1", "--format", "json"]);
    assert_eq!(u64::try_from(log.lines().count()).unwrap(), health["end_position"].as_u64().unwrap());
    // It takes nothing more, and says what to do.
    let refused = import(&target).failure();
    assert!(refused.contains("No space left on device"), "{refused}");
    assert!(refused.contains("mend the disk and open the log again"), "{refused}");
    assert_eq!(server.terminate(), Some(1), "a log that was poisoned is not closed as if nothing had been");

    // What it left is sound and holds what was acknowledged.
    let left = dir.path().join("left");
    copied(&data, &left);
    run(["log", "verify", &text(&left)]).success();
    let stored = facts_in(&left).await;
    centre.recorded(|recorded| {
        for (key, said) in recorded.iter().filter(|((source, seq), _)| *seq <= durable[source]) {
            assert_eq!(stored.get(key), Some(said), "{key:?}");
        }
    });

    // When: there is room again. Then: what the clients have kept goes in, once, and service goes on.
    let server = Server::start_on(&data, port);
    let recorded = centre.closes().await;
    import(&server.target()).success();
    assert_eq!(server.terminate(), Some(0));
    assert!(facts_in(&data).await == recorded, "each fact is there once, as it was recorded");
    run(["log", "verify", &text(&data)]).success();
}

/// A binary that nobody else's permissions keep from anything: as another user if this is the administrator.
fn powerless(dir: &Path) -> Command {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return Command::new(binary());
    }
    // Where everybody may reach it.
    let copy = dir.join("pegcount");
    fs::copy(binary(), &copy).unwrap();
    for path in [dir, &copy] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = Command::new(copy);
    command.uid(NOBODY).gid(NOBODY);
    command
}

/// All files and folders below a folder, with their contents.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            found.extend(contents(&entry));
        } else {
            found.push((entry.clone(), fs::read(&entry).unwrap()));
        }
    }
    found.sort();
    found
}

/// Lets nobody but the administrator write to a folder, or lets its owner again.
fn writable(dir: &Path, yes: bool) {
    let modes = if yes { (0o755, 0o644) } else { (0o555, 0o444) };
    for entry in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            writable(&entry, yes);
        } else {
            fs::set_permissions(&entry, fs::Permissions::from_mode(modes.1)).unwrap();
        }
    }
    fs::set_permissions(dir, fs::Permissions::from_mode(modes.0)).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named_and_left_as_it_is_and_a_backup_in_it_can_be_checked() {
    let dir = tempfile::tempdir().unwrap();
    let [data, backup, new] = ["data", "backup", "none/new"].map(|name| dir.path().join(name));
    import(&folder(&data)).success();
    run(["log", "backup", &text(&data), &text(&backup)]).success();
    fs::create_dir(dir.path().join("none")).unwrap();
    for dir in [&data, &backup, &dir.path().join("none")] {
        writable(dir, false);
    }
    let before = contents(dir.path());

    let ask = |arguments: &[&str]| {
        let output = powerless(dir.path()).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains("panicked"), "{said}");
        (output.status.code(), said)
    };
    let [data_text, backup_text, new_text] = [&data, &backup, &new].map(|path| text(path));
    let serve = |data: &str| ask(&["serve", "--listen", "127.0.0.1:0", "--data-dir", data]);
    for (place, (code, said)) in [
        (&data_text, serve(&data_text)),
        (&new_text, serve(&new_text)),
        (&data_text, ask(&["kpi", "--site", "bank", "--data-dir", &data_text])),
    ] {
        assert_eq!(code, Some(1), "{said}");
        assert!(said.starts_with("error: ") && said.contains(place.as_str()), "{said}");
        assert!(said.contains("Permission denied"), "{said}");
    }
    let (code, said) = ask(&["log", "verify", &data_text]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("nothing was checked: ") && said.contains("Permission denied"), "{said}");
    assert_eq!(ask(&["log", "verify", &backup_text]), (Some(0), String::new()));

    fs::remove_file(dir.path().join("pegcount")).ok();
    assert_eq!(contents(dir.path()), before);
    for dir in [&data, &backup, &dir.path().join("none")] {
        writable(dir, true);
    }
    run(["log", "verify", &data_text]).success();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_too_many_facts_is_refused_whole_and_its_source_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let api = pegcount_client::connect(server.url(), &Token::new(server.token()), None).await.unwrap();
    let agent = AgentFacts(AgentId::new("7").unwrap());
    let fact = |seq: u64| v1::Fact {
        seq,
        source_time_us: jiff::Timestamp::now().as_microsecond(),
        fact: Some(if seq.is_multiple_of(2) { agent.ready() } else { agent.sign_in() }),
    };
    let offer = |facts: u64| v1::SubmitFactsRequest {
        source: Some(v1::Source { site: "main".into(), source: "pbx".into(), epoch: vec![7; 16].into() }),
        batch: Some(v1::FactBatch { facts: (1..=facts).map(fact).collect(), ..v1::FactBatch::default() }),
        ..v1::SubmitFactsRequest::default()
    };
    let refused = api.ingest().submit_facts(offer(1_001)).await.unwrap_err();
    assert!(refused.message().contains("holds 1001 facts; the limit is 1000: send it in parts"), "{refused}");
    api.ingest().submit_facts(offer(1_000)).await.unwrap();
    let log = run(["log", "tail", "--from", "1", "--format", "json"]
        .map(str::to_owned)
        .into_iter()
        .chain(server.target()));
    assert_eq!(log.success().lines().count(), 1_000);
    assert_eq!(server.terminate(), Some(0));
}
