//! The log's tools as an operator meets them: the real binary on real folders.
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
    path::{Path, PathBuf},
};

use pegcount_domain::envelope::Position;
use pegcount_log::{Archive, EventLog, SledLog, SledOptions};
use pegcount_tests::{Output, Server, copied, run, workspace};

/// Damages a server's folder.
type Spoil = Box<dyn Fn(&Path)>;

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn import(site: &str, target: &[String]) {
    let file = text(&workspace().join("crates/import/tests/fixtures/bank-small.tsv"));
    let arguments = ["import", "bank", &file, "--site", site, "--time-zone", "Asia/Jerusalem"];
    run(arguments.map(str::to_owned).into_iter().chain(target.iter().cloned())).success();
}

fn folder(data: &Path) -> Vec<String> {
    vec!["--data-dir".into(), text(data)]
}

/// Seals what is not in a segment yet; gives what that says.
fn seal(data: &Path) -> String {
    run(["log", "seal", "--data-dir", &text(data)]).success()
}

/// A server's folder with two segments and a database that holds events.
fn a_log(data: &Path) {
    for site in ["one", "two"] {
        import(site, &folder(data));
        seal(data);
    }
    import("three", &folder(data));
}

fn log(words: &[&str], paths: &[&Path]) -> Output {
    let words = ["log"].iter().chain(words).map(|word| (*word).to_owned());
    run(words.chain(paths.iter().map(|path| text(path))))
}

fn verified(dir: &Path) -> String {
    log(&["verify"], &[dir]).success()
}

/// The damages of a folder, which are named with code 1.
fn damages(dir: &Path) -> Vec<String> {
    let output = log(&["verify"], &[dir]);
    assert_eq!(output.code, Some(1), "{}\n{}", output.stdout, output.stderr);
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    output.stdout.lines().filter_map(|line| line.strip_prefix("damage: ")).map(str::to_owned).collect()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_sound_log_is_called_sound_and_counted_and_left_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    a_log(&data);
    let said = verified(&data);
    let counted = |word: &str| {
        let line = said.lines().find(|line| line.ends_with(word)).unwrap_or_else(|| panic!("{said}"));
        line.split_whitespace().next().unwrap().replace(',', "").parse::<u64>().unwrap()
    };
    assert_eq!((counted("  segments"), counted("  databases")), (2, 1));
    let tail = run(["log", "tail", "--from", "1", "--format", "json", "--data-dir", &text(&data)]).success();
    let events = u64::try_from(tail.lines().count()).unwrap();
    assert_eq!((counted("  events"), counted("  last position")), (events, events));
    let streams: std::collections::HashSet<_> = tail
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["stream"].to_string())
        .collect();
    assert_eq!(counted("  streams"), u64::try_from(streams.len()).unwrap());
    assert!(said.ends_with("sound: nothing is damaged\n"), "{said}");
    let without_time =
        |said: String| said.lines().filter(|line| !line.contains("seconds")).collect::<String>();
    assert_eq!(without_time(verified(&data.join("log"))), without_time(said));
}

#[test]
fn every_kind_of_damage_is_named_with_its_file_and_position() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    a_log(&whole);
    let segment = Path::new("log/segment-000001");
    let length = fs::metadata(whole.join(segment)).unwrap().len();
    let last = usize::try_from(length).unwrap();
    let at = move |at: usize| -> Spoil { Box::new(move |data| flip(&data.join(segment), at)) };
    let cases: Vec<(&str, Spoil, &str, &str)> = vec![
        ("a header", at(20), "segment-000001, position 1", "the header is not that of this segment"),
        ("a frame", at(64 + 40), "segment-000001, position 1", "frame 0 at byte 64: the checksum is"),
        (
            "a directory",
            at(last - 40),
            "segment-000001, position 1",
            "the directory's checksum does not match",
        ),
        ("a tail", at(last - 5), "segment-000001, position 1", "the tail's checksum does not match"),
        (
            "a segment that is gone",
            Box::new(move |data| fs::remove_file(data.join(segment)).unwrap()),
            "segment-000001, position 1",
            "it is missing",
        ),
        (
            "a segment of another log",
            Box::new(move |data| {
                fs::copy(data.join("log/segment-000002"), data.join(segment)).map(drop).unwrap();
            }),
            "segment-000001, position 1",
            "bytes instead of",
        ),
        (
            "FORMAT",
            Box::new(|data| flip(&data.join("log/FORMAT"), 60)),
            "FORMAT, position 1",
            "its checksum does not match",
        ),
        (
            "MANIFEST",
            Box::new(|data| flip(&data.join("log/MANIFEST"), 60)),
            "MANIFEST, position 1",
            "its checksum does not match",
        ),
        (
            "no MANIFEST",
            Box::new(|data| fs::remove_file(data.join("log/MANIFEST")).unwrap()),
            "MANIFEST, position 1",
            "it is missing",
        ),
        (
            "no MARK",
            Box::new(|data| fs::remove_file(data.join("log/MARK")).unwrap()),
            "MARK, position 0",
            "is missing",
        ),
        (
            "no database",
            Box::new(|data| fs::remove_dir_all(data.join("log/hot-000003")).unwrap()),
            "hot-000003, position 1",
            "the database is missing",
        ),
        (
            "an end that was acknowledged and is gone",
            Box::new(|data| {
                fs::remove_dir_all(data.join("log/hot-000003")).unwrap();
                drop(SledLog::open(SledOptions::new(data.join("fresh"))).unwrap());
                fs::rename(data.join("fresh/hot-000001"), data.join("log/hot-000003")).unwrap();
            }),
            "MARK, position ",
            "were acknowledged, but the log ends at",
        ),
    ];
    for (kind, spoil, place, what) in cases {
        let data = dir.path().join("spoilt");
        copied(&whole, &data);
        spoil(&data);
        let damages = damages(&data);
        let named = damages.iter().any(|line| line.contains(place) && line.contains(what));
        assert!(named, "{kind}: {damages:#?}");
        fs::remove_dir_all(&data).unwrap();
    }
    verified(&whole);
}

#[test]
fn no_flipped_byte_of_a_segment_goes_unnoticed() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    a_log(&data);
    let segment = data.join("log/segment-000002");
    let length = usize::try_from(fs::metadata(&segment).unwrap().len()).unwrap();
    for at in (0..length).step_by(length / 40) {
        flip(&segment, at);
        let damages = damages(&data);
        assert!(damages.iter().any(|line| line.contains("segment-000002")), "byte {at}: {damages:?}");
        flip(&segment, at);
    }
    verified(&data);
}

#[test]
fn what_cannot_be_looked_at_is_told_from_damage() {
    let dir = tempfile::tempdir().unwrap();
    let unseen = |path: &Path, words: &str| {
        let output = log(&["verify"], &[path]);
        assert_eq!(output.code, Some(2), "{}\n{}", output.stdout, output.stderr);
        assert!(output.stderr.contains(words), "{}", output.stderr);
    };
    let nowhere: PathBuf = dir.path().join("nowhere");
    unseen(&nowhere, "there is no log at");
    assert!(!nowhere.exists());
    let data = dir.path().join("data");
    let server = Server::start(&data);
    unseen(&data, "take a backup (`pegcount log backup`) and check that");
    assert_eq!(server.terminate(), Some(0));
    verified(&data);
}

#[test]
fn what_is_in_a_log_is_told_as_text_and_as_json() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    a_log(&data);
    let tail = run(["log", "tail", "--from", "1", "--format", "json", "--data-dir", &text(&data)]).success();
    let events: Vec<serde_json::Value> =
        tail.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut streams = std::collections::BTreeMap::<_, u64>::new();
    let mut kinds = serde_json::Map::new();
    for event in &events {
        let stream = event["stream"].as_str().unwrap();
        *streams.entry(stream.to_owned()).or_default() += 1;
        let kind = stream.split('/').nth(1).unwrap().to_owned();
        let count = kinds.get(&kind).map_or(0, |count: &serde_json::Value| count.as_u64().unwrap());
        kinds.insert(kind, (count + 1).into());
    }
    let stat = log(&["stat", "--json", "--kinds"], &[&data]).success();
    let stat: serde_json::Value = serde_json::from_str(&stat).unwrap();
    assert_eq!(stat["end"], events.len());
    assert_eq!(stat["streams"], streams.len());
    assert_eq!(stat["first_recorded_at_us"], events[0]["recorded_at_us"]);
    assert_eq!(stat["last_recorded_at_us"], events[events.len() - 1]["recorded_at_us"]);
    assert_eq!(stat["segments"].as_array().unwrap().len(), 2);
    assert_eq!(
        stat["segments"][1]["last"].as_u64().unwrap() + stat["hot"]["events"].as_u64().unwrap(),
        events.len() as u64
    );
    assert_eq!(stat["events_by_kind"], serde_json::Value::Object(kinds));
    let mut largest: Vec<_> = streams.values().copied().collect();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    let named = stat["largest_streams"].as_array().unwrap();
    assert_eq!(named.len(), 10);
    for (stream, events) in named.iter().zip(largest) {
        assert_eq!(stream["events"], events);
        assert_eq!(streams[stream["stream"].as_str().unwrap()], events);
    }
    let words = log(&["stat"], &[&data]).success();
    assert!(words.contains(stat["incarnation"].as_str().unwrap()), "{words}");

    // While a server has it, what is sealed can be looked at all the same.
    let server = Server::start(&data);
    let words = log(&["stat"], &[&data]).success();
    assert!(words.contains("a server uses it, and only segments were looked at"), "{words}");
    assert_eq!(server.terminate(), Some(0));
}

/// The lines of a folder's or a server's log, from the first event on.
fn tail(target: &[String]) -> Vec<String> {
    let arguments = ["log", "tail", "--from", "1", "--format", "json"].map(str::to_owned);
    let printed = run(arguments.into_iter().chain(target.iter().cloned())).success();
    printed.lines().map(str::to_owned).collect()
}

fn incarnation(dir: &Path) -> String {
    let stat: serde_json::Value = serde_json::from_str(&log(&["stat", "--json"], &[dir]).success()).unwrap();
    stat["incarnation"].as_str().unwrap().to_owned()
}

#[test]
fn a_backup_copies_a_segment_once_and_is_a_log_again_when_restored() {
    let dir = tempfile::tempdir().unwrap();
    let [data, backup, restored] = ["data", "backup", "restored"].map(|name| dir.path().join(name));
    import("one", &folder(&data));
    seal(&data);
    import("two", &folder(&data));
    let said = log(&["backup"], &[&data, &backup]).success();
    assert!(said.contains("1 sealed files copied, 0 there already"), "{said}");
    verified(&backup);
    seal(&data);
    import("three", &folder(&data));
    let said = log(&["backup"], &[&data, &backup]).success();
    assert!(said.contains("1 sealed files copied, 1 there already"), "{said}");
    verified(&backup);
    let tails = fs::read_dir(&backup).unwrap().map(Result::unwrap);
    let tails = tails.filter(|entry| entry.file_name().to_string_lossy().starts_with("tail")).count();
    assert_eq!(tails, 1, "an older tail is left");

    log(&["restore"], &[&backup, &restored]).success();
    verified(&restored);
    assert_ne!(incarnation(&restored), incarnation(&data));
    assert_eq!(incarnation(&backup), incarnation(&data));
    assert_eq!(tail(&folder(&restored)), tail(&folder(&data)));
    let server = Server::start(&restored);
    assert_eq!(tail(&server.target()), tail(&folder(&data)));
    import("four", &server.target());
    assert_eq!(server.terminate(), Some(0));
    verified(&restored);

    // What would mix two logs, or overwrite something, is refused.
    let said = log(&["backup"], &[&restored, &backup]).failure();
    assert!(said.contains("is the backup of another log"), "{said}");
    let said = log(&["restore"], &[&backup, &restored]).failure();
    assert!(said.contains("holds something already"), "{said}");
    let said = log(&["backup"], &[&data, dir.path()]).failure();
    assert!(said.contains("holds something already"), "{said}");
    let said = log(&["restore"], &[&data, &dir.path().join("other")]).failure();
    assert!(said.contains("holds no complete backup"), "{said}");
}

#[test]
fn history_is_sealed_by_hand_once_and_reads_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    import("one", &folder(&data));
    let whole = tail(&folder(&data));
    let end = whole.len();
    let said = seal(&data);
    assert!(said.contains(&format!("sealed positions 1 to {end}: ")), "{said}");
    assert!(said.contains("the log has 1 segments"), "{said}");
    assert!(seal(&data).contains("everything is sealed already; the log has 1 segments"));
    import("two", &folder(&data));
    let said = seal(&data);
    assert!(said.contains(&format!("sealed positions {} to {}: ", end + 1, 2 * end)), "{said}");
    verified(&data);
    assert_eq!(tail(&folder(&data))[..end], whole);

    // A server seals by itself; who would do it beside it is sent to it.
    let server = Server::start_with(&data, 0, &["--seal-size", "4KiB"]);
    let arguments = ["log", "seal", "--data-dir", &text(&data)];
    let said = run(arguments).failure();
    assert!(said.contains(&format!("a server at {} uses", server.url())), "{said}");
    let sealed_by_itself = || {
        let stat = log(&["stat", "--json"], &[&data]).success();
        serde_json::from_str::<serde_json::Value>(&stat).unwrap()["segments"].as_array().unwrap().len() > 2
    };
    let mut sites = 0;
    while !sealed_by_itself() {
        sites += 1;
        assert!(sites < 50, "nothing is sealed");
        import(&format!("site-{sites}"), &server.target());
    }
    let all = tail(&server.target());
    assert_eq!(server.terminate(), Some(0));
    verified(&data);
    assert_eq!(tail(&folder(&data)), all);
    let nowhere = dir.path().join("nowhere");
    let said = run(["log", "seal", "--data-dir", &text(&nowhere)]).failure();
    assert!(said.contains("there is no Pegcount folder at"), "{said}");
    assert!(!nowhere.exists());
}

#[test]
fn a_server_tells_what_it_has_opened_and_how_long_that_took() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    a_log(&data);
    let end = tail(&folder(&data)).len();
    let server = Server::start(&data);
    let said = server.opened();
    assert!(said.contains(&format!("{end} events in 2 segments and the store; opened in ")), "{said}");
    let (code, metrics) = server.get("/metrics");
    assert_eq!(code, 200);
    let figure = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{metrics}")).parse::<f64>().unwrap()
    };
    assert!(figure("pegcount_log_open_seconds") > 0.0, "{metrics}");
    assert!((figure("pegcount_log_segments") - 2.0).abs() < f64::EPSILON, "{metrics}");
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_backup_is_taken_from_a_server_that_speaks_tls_by_who_trusts_it() {
    let dir = tempfile::tempdir().unwrap();
    let [data, backup, restored] = ["data", "backup", "restored"].map(|name| dir.path().join(name));
    a_log(&data);
    let whole = tail(&folder(&data));
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| text(&dir.path().join(name)));
    fs::write(&cert, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let server = Server::start_with(&data, 0, &["--tls-cert", &cert, "--tls-key", &key]);
    let said = log(&["backup"], &[&data, &backup]).failure();
    assert!(said.contains("speaks TLS; give the certificate of who signed"), "{said}");
    let said = log(&["backup", "--tls-ca", &cert], &[&data, &backup]).success();
    assert!(said.contains("2 sealed files copied, 0 there already"), "{said}");
    verified(&backup);
    // The same by its address, as from a script that names it.
    let said = log(&["backup", "--tls-ca", &cert, "--server", server.url()], &[&data, &backup]).success();
    assert!(said.contains("0 sealed files copied, 2 there already"), "{said}");
    assert_eq!(server.terminate(), Some(0));
    log(&["restore"], &[&backup, &restored]).success();
    verified(&restored);
    assert_eq!(tail(&folder(&restored)), whole);
}

#[test]
fn damage_in_a_backup_is_found_and_not_restored() {
    let dir = tempfile::tempdir().unwrap();
    let [data, backup, restored] = ["data", "backup", "restored"].map(|name| dir.path().join(name));
    a_log(&data);
    log(&["backup"], &[&data, &backup]).success();
    flip(&backup.join("segment-000002"), 100);
    let found = damages(&backup);
    assert!(
        found.iter().any(|line| line.contains("segment-000002") && line.contains("frame 0 at byte 64")),
        "{found:?}"
    );
    let said = log(&["restore"], &[&backup, &restored]).failure();
    assert!(said.contains("damage in"), "{said}");
    assert!(!restored.join("log").exists(), "a log was made of damage");
    flip(&backup.join("segment-000002"), 100);
    flip(&backup.join("BACKUP"), 60);
    assert!(damages(&backup)[0].contains("BACKUP, position 1: its checksum does not match"));
}

#[test]
fn a_log_is_restored_as_it_was_at_a_position_or_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let [data, backup] = ["data", "backup"].map(|name| dir.path().join(name));
    a_log(&data);
    let whole = tail(&folder(&data));
    log(&["backup"], &[&data, &backup]).success();
    let stat: serde_json::Value =
        serde_json::from_str(&log(&["stat", "--json"], &[&data]).success()).unwrap();
    let sealed = stat["segments"][0]["last"].as_u64().unwrap();
    let end = u64::try_from(whole.len()).unwrap();
    // At the end, within the tail, at a segment's end and beside it, within a segment, at the first.
    for position in [end, end - 7, sealed + 1, sealed, sealed - 1, 20, 1] {
        let restored = dir.path().join(format!("at-{position}"));
        let said = log(&["restore", "--to-position", &position.to_string()], &[&backup, &restored]).success();
        assert!(said.contains(&format!("up to position {position},")), "{said}");
        verified(&restored);
        let kept = usize::try_from(position).unwrap();
        assert_eq!(tail(&folder(&restored)), whole[..kept], "to position {position}");
    }
    let recorded_at = |line: &String| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["recorded_at_us"].as_i64().unwrap()
    };
    for index in [0, 30, whole.len() / 2, whole.len() - 1] {
        let at = recorded_at(&whole[index]);
        let restored = dir.path().join(format!("by-{index}"));
        let time = jiff::Timestamp::from_microsecond(at).unwrap().to_string();
        log(&["restore", "--to-time", &time], &[&backup, &restored]).success();
        verified(&restored);
        let kept = whole.iter().take_while(|line| recorded_at(line) <= at).count();
        assert_eq!(tail(&folder(&restored)), whole[..kept], "to {time}");
    }
    let nowhere = dir.path().join("nowhere");
    let said = log(&["restore", "--to-position", &(end + 1).to_string()], &[&backup, &nowhere]).failure();
    assert!(said.contains(&format!("ends at position {end}, before {}", end + 1)), "{said}");
    let said = log(&["restore", "--to-time", "1999-01-01"], &[&backup, &nowhere]).failure();
    assert!(said.contains("nothing that was recorded by then"), "{said}");
}

#[test]
fn a_backup_of_a_log_that_is_written_to_holds_all_that_was_acknowledged_before_it_began() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let dir = tempfile::tempdir().unwrap();
    let [data, backup, restored] = ["data", "backup", "restored"].map(|name| dir.path().join(name));
    a_log(&data);
    let server = Server::start(&data);
    let target = server.target();
    let stop = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut round = 0;
            while !stop.load(Ordering::Relaxed) {
                round += 1;
                import(&format!("round-{round}"), &target);
            }
        });
        let mut ended = Vec::new();
        for round in 1..=3 {
            let before = tail(&target).len();
            log(&["backup"], &[&data, &backup]).success();
            verified(&backup);
            let restored = dir.path().join(format!("restored-{round}"));
            log(&["restore"], &[&backup, &restored]).success();
            ended.push((before, restored));
        }
        stop.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        ended
    });
    let whole = tail(&target);
    for (before, restored) in ended {
        let held = tail(&folder(&restored));
        assert!(held.len() >= before, "{} of {before} that were acknowledged", held.len());
        assert_eq!(held, whole[..held.len()]);
    }

    // Nobody but an administrator of all sites gets it.
    let token = ["token", "--role", "administrator", "--site", "one", "--subject", "clerk", "--data-dir"];
    let token = run(token.map(str::to_owned).into_iter().chain([text(&data)])).success();
    let file = dir.path().join("token");
    fs::write(&file, token).unwrap();
    let refused = run([
        "log".to_owned(),
        "backup".to_owned(),
        text(&data),
        text(&dir.path().join("other")),
        "--token-file".to_owned(),
        text(&file),
    ]);
    let refused = refused.failure();
    assert!(refused.contains("PermissionDenied"), "{refused}");
    assert_eq!(server.terminate(), Some(0));
    assert!(!restored.exists());
}

#[test]
fn a_log_goes_out_and_in_again_in_either_form_and_stays_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    a_log(&data);
    let whole = tail(&folder(&data));
    let dumped = |dir: &Path, format: &str| log(&["dump", "--format", format], &[dir]).success();
    let lines = |dir: &Path| -> Vec<String> { dumped(dir, "json").lines().map(str::to_owned).collect() };
    let before = lines(&data);
    assert_eq!(before.len(), whole.len() + 2);
    for (format, name) in [("json", "events.ndjson"), ("protobuf", "events.pb")] {
        let (file, loaded) = (dir.path().join(name), dir.path().join(format));
        log(&["dump", "--format", format, "--output"], &[&file, &data]).success();
        let said = log(&["dump", "--format", format, "--output"], &[&file, &data]).failure();
        assert!(said.contains(&format!("make {}", text(&file))), "{said}");
        log(&["load"], &[&file, &loaded]).success();
        verified(&loaded);
        let after = lines(&loaded);
        assert_eq!(after[1..], before[1..], "{format}");
        assert_ne!(after[0], before[0], "the incarnation is another");
        let server = Server::start(&loaded);
        assert_eq!(tail(&server.target()), whole);
        assert_eq!(server.terminate(), Some(0));
    }
    let part = log(&["dump", "--from", "5", "--to", "9"], &[&data]).success();
    assert_eq!(part.lines().skip(1).take(5).collect::<Vec<_>>(), before[5..10]);
}

#[test]
fn a_line_of_a_dump_that_does_not_fit_is_named_and_nothing_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let [data, file, to] = ["data", "dump", "to"].map(|name| dir.path().join(name));
    import("one", &folder(&data));
    let dump = log(&["dump"], &[&data]).success();
    let lines: Vec<&str> = dump.lines().collect();
    let refused = |lines: &[&str], words: &str| {
        fs::write(&file, format!("{}\n", lines.join("\n"))).unwrap();
        let said = log(&["load"], &[&file, &to]).failure();
        assert!(said.contains(words), "{said}");
        assert!(!to.join("log").exists() && !to.join("log.new").exists(), "something was made: {said}");
    };
    let changed = |index: usize, from: &str, to: &str| {
        let line = lines[index].replacen(from, to, 1);
        assert_ne!(line, lines[index]);
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        lines[index] = line;
        lines
    };
    let refuse_changed = |lines: Vec<String>, words: &str| {
        refused(&lines.iter().map(String::as_str).collect::<Vec<_>>(), words);
    };
    refused(&lines[1..], "line 1: it does not begin as a dump");
    refused(&lines[..20], "line 21: the dump is cut short here");
    let hole: Vec<&str> =
        lines.iter().enumerate().filter(|(index, _)| *index != 7).map(|(_, line)| *line).collect();
    refused(&hole, "line 8: it has position 8, but 7 is next");
    refuse_changed(changed(4, "\"version\":", "\"version\":7"), "line 5: stream one/");
    refuse_changed(
        changed(9, "\"kind\":\"contact\"", "\"kind\":\"contract\""),
        "line 10: kind \"contract\" is none",
    );
    refuse_changed(changed(9, "\"payload\":\"", "\"payload\":\"x"), "line 10: payload is not hexadecimal");
    refuse_changed(changed(11, "{", "{,"), "line 12: ");
    refuse_changed(changed(0, "\"pegcount_dump\":1", "\"pegcount_dump\":2"), "use a newer program");
    fs::write(&file, dump).unwrap();
    log(&["load"], &[&file, &to]).success();
    verified(&to);
}

#[test]
fn of_a_log_whose_history_was_dropped_the_tools_say_what_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let [data, backup, again, to] = ["data", "backup", "again", "to"].map(|name| dir.path().join(name));
    a_log(&data);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let opened = SledLog::open(SledOptions::new(data.join("log"))).unwrap();
    let end = opened.end();
    // All but the last segment.
    let up_to = Position(opened.status().sealed_end.0 - 1);
    let archive = Archive { position: end, bytes: vec![7; 1_000] };
    let dropped = runtime.block_on(opened.drop_history(up_to, archive)).unwrap();
    drop(opened);
    let first = dropped.first.0;
    assert!(first > 1 && first < end.0);

    let said = verified(&data);
    assert!(said.contains("  first position") && said.contains("  archives of what was dropped"), "{said}");
    let json: serde_json::Value =
        serde_json::from_str(&log(&["stat", "--json"], &[&data]).success()).unwrap();
    assert_eq!((json["first"].as_u64(), json["end"].as_u64()), (Some(first), Some(end.0)));
    assert_eq!(
        (&json["stub"]["last"], &json["archives"][0]["position"]),
        (&(first - 1).into(), &end.0.into())
    );
    let said = log(&["stat"], &[&data]).success();
    assert!(said.contains("positions up to") && said.contains("at position"), "{said}");

    let said = log(&["backup"], &[&data, &backup]).success();
    assert!(said.contains("where the log begins now") && said.contains("3 sealed files copied"), "{said}");
    verified(&backup);
    log(&["restore"], &[&backup, &again]).success();
    verified(&again);
    let refused = log(&["restore", "--to-position", "1"], &[&backup, &to]);
    assert_eq!(refused.code, Some(1));
    let words = format!("begins at position {first}: what was before had been dropped");
    assert!(refused.stderr.contains(&words), "{}", refused.stderr);
    let refused = log(&["restore", "--to-position", &first.to_string()], &[&backup, &to]);
    assert!(refused.stderr.contains("its oldest one stands at"), "{}", refused.stderr);

    for format in ["json", "protobuf"] {
        let file = dir.path().join(format);
        log(&["dump", "--format", format, "-o", &text(&file)], &[&data]).success();
        let refused = log(&["load"], &[&file, &to]);
        assert_eq!(refused.code, Some(1));
        let words = format!("the log that was dumped begins at position {first}");
        assert!(refused.stderr.contains(&words) && !to.join("log").exists(), "{}", refused.stderr);
    }
    let dumped = fs::read_to_string(dir.path().join("json")).unwrap();
    let header: serde_json::Value = serde_json::from_str(dumped.lines().next().unwrap()).unwrap();
    assert_eq!(header["first"], first);
    assert_eq!(dumped.lines().count() as u64, end.0 - first + 3);
}
