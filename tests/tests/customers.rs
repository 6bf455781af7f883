//! Customers as a data steward meets them: the real server, the real vault, every byte of the folder.
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

use pegcount_proto::v1;
use pegcount_tests::{Output, Server, run, run_with};
use serde_json::Value;

/// Personal values, each with a word that stands nowhere else.
const NUMBER: &str = "+49 30 4455667788";
const MAIL: &str = "quercus.marker@example.org";
/// Somebody else's.
const OTHER_MAIL: &str = "other.quercus@example.org";
const NAME: &str = "Zephyrine Quercus-Marker";
const PLACE: &str = "17 Obsidian Lane";
const NOTE: &str = "keeps a thylacine in the shed";
/// What must be found in no byte.
const MARKS: [&str; 7] =
    ["4455667788", "quercus.marker", "Zephyrine", "Quercus-Marker", "Obsidian", "thylacine", "quercus"];

struct Office {
    server: Server,
    data: PathBuf,
    dir: tempfile::TempDir,
}

fn office() -> Office {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    Office { server, data, dir }
}

impl Office {
    /// The arguments that make somebody of this role ask the server.
    fn target(&self, name: &str, role: &str) -> Vec<String> {
        let data = self.data.display().to_string();
        let file = self.dir.path().join(format!("{name}.token"));
        let words = ["token", "--data-dir", &data, "--subject", name, "--role", role, "--site", "north"];
        fs::write(&file, run(words).success()).unwrap();
        vec![
            "--server".into(),
            self.server.url().to_owned(),
            "--token-file".into(),
            file.display().to_string(),
        ]
    }

    fn customer(&self, who: (&str, &str), words: &[&str], input: &str) -> Output {
        let common = ["--site".to_owned(), "north".to_owned()];
        let words = ["customer"].iter().chain(words).map(|word| (*word).to_owned());
        run_with(words.chain(common).chain(self.target(who.0, who.1)), input)
    }

    fn ticket(&self, words: &[&str], input: &str) -> String {
        self.ticket_as(("root", "administrator"), words, input).success()
    }

    fn ticket_as(&self, who: (&str, &str), words: &[&str], input: &str) -> Output {
        let words = ["ticket"].iter().chain(words).chain(&["--site", "north"]).map(|word| (*word).to_owned());
        run_with(words.chain(self.target(who.0, who.1)), input)
    }

    /// One whose opening names a caller, and about which something was written.
    async fn import_a_ticket(&self, api: &pegcount_client::Api) {
        use v1::{ticket_command_request as asked, timed_ticket_fact::Fact};
        let opened = v1::NewTicket { kind: "repair".into(), caller: OTHER_MAIL.into(), ..Default::default() };
        let noted = asked::Note { public: false, text: NOTE.into() };
        let fact = |fact| v1::TimedTicketFact {
            occurred_at_us: 1_772_355_600_000_000,
            agent: "anna".into(),
            fact: Some(fact),
        };
        let facts = vec![fact(Fact::Opened(opened)), fact(Fact::Noted(noted))];
        let records = vec![v1::TicketRecord { ticket: "T-9".into(), facts }];
        let request = v1::ImportTicketsRequest { site: "north".into(), source: "desk".into(), records };
        let answers = api.ingest().import_tickets(tokio_stream::iter([request])).await.unwrap();
        let answer = answers.into_inner().message().await.unwrap().unwrap();
        assert_eq!((answer.added, answer.sealed), (1, 1), "{answer:?}");
    }

    fn steward(&self, words: &[&str], input: &str) -> String {
        self.customer(STEWARD, words, input).success()
    }

    /// Seals everything that is known of her; gives her surrogate and the references.
    fn keep(&self) -> (String, Vec<String>) {
        let file =
            format!("known by: {NUMBER}\nknown by: {MAIL}\nname: {NAME}\nplace: {PLACE}\ntext: {NOTE}\n");
        let kept: Value = serde_json::from_str(&self.steward(&["keep", "-", "--json"], &file)).unwrap();
        let references = kept["references"].as_array().unwrap().iter();
        (
            kept["customer"].as_str().unwrap().to_owned(),
            references.map(|one| one.as_str().unwrap().to_owned()).collect(),
        )
    }
}

const STEWARD: (&str, &str) = ("steward", "data_steward");
const BOB: (&str, &str) = ("bob", "ticket_owner");

/// Every file below a folder, but those of a name.
fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// The files below a folder that hold one of these, and how many bytes were searched.
fn holders(dir: &Path, needles: &[&[u8]]) -> (Vec<PathBuf>, usize) {
    let mut all = Vec::new();
    files(dir, &mut all);
    let mut searched = 0;
    all.retain(|path| {
        let bytes = fs::read(path).unwrap();
        searched += bytes.len();
        needles.iter().any(|needle| bytes.windows(needle.len()).any(|window| window == *needle))
    });
    (all, searched)
}

fn marks() -> Vec<&'static [u8]> {
    MARKS.iter().map(|mark| mark.as_bytes()).collect()
}

#[test]
fn a_steward_finds_keeps_reads_grants_and_erases() {
    let office = office();
    assert!(
        office
            .customer(STEWARD, &["find", "-"], NUMBER)
            .failure()
            .contains("there is no customer known by this")
    );
    let (ann, references) = office.keep();
    assert_eq!(references.len(), 3);
    let found: Value = serde_json::from_str(&office.steward(&["find", "-", "--json"], MAIL)).unwrap();
    assert_eq!(
        (found["customer"].as_str(), found["values"].as_array().unwrap().len()),
        (Some(ann.as_str()), 3)
    );
    let read = office.steward(&["read", &ann, "--purpose", "complaint"], "");
    assert_eq!(read, format!("name: {NAME}\nplace: {PLACE}\ntext: {NOTE}\n"));
    assert_eq!(
        office.steward(&["read", &ann, "--kind", "place", "--purpose", "visit"], ""),
        format!("place: {PLACE}\n")
    );

    let words = ["read", ann.as_str(), references[0].as_str(), "--purpose", "visit"];
    assert!(
        office.customer(BOB, &words, "").failure().contains("bob has no access to this customer's file now")
    );
    office.steward(&["grant", &ann, "--to", "bob", "--purpose", "visit", "--for", "8h"], "");
    assert_eq!(office.customer(BOB, &words, "").success(), format!("name: {NAME}\n"));
    let shown = office.steward(&["show", &ann], "");
    assert!(
        shown.contains("bob may read it for visit until ") && shown.contains("it was read 3 times"),
        "{shown}"
    );
    office.steward(&["revoke", &ann, "--from", "bob"], "");
    assert!(office.customer(BOB, &words, "").failure().contains("no access"));
    assert!(
        office
            .customer(BOB, &["erase", &ann, "--reason", "x", "--yes"], "")
            .failure()
            .contains("needs one of the roles data_steward")
    );
    assert!(
        office
            .customer(("root", "administrator"), &["show", &ann], "")
            .failure()
            .contains("the role administrator")
    );

    assert!(
        office
            .customer(STEWARD, &["erase", &ann, "--reason", "asked_for"], "")
            .failure()
            .contains("say --yes")
    );
    let told = office.steward(&["erase", &ann, "--reason", "asked_for", "--yes"], "");
    assert!(told.starts_with(&format!("{ann} is erased, for good (position ")), "{told}");
    let refused = office.customer(STEWARD, &["read", &ann, "--purpose", "complaint"], "").failure();
    assert!(refused.contains("the customer was erased at ") && refused.contains(" by steward"), "{refused}");
    assert!(office.customer(STEWARD, &["find", "-"], NUMBER).failure().contains("NotFound"));
    assert!(office.steward(&["show", &ann], "").contains(", erased at "));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_the_folder_a_dump_a_backup_a_trace_or_a_metric_is_personal() {
    let office = office();
    // Through every door by which a person comes in: a call, an identification, a ticket, an import, a malformed fact, a file.
    let token = pegcount_client::Token::new(office.server.token());
    let api = pegcount_client::connect(office.server.url(), &token, None);
    let api = api.await.unwrap();
    let fact = |seq, contact: &str, action| v1::Fact {
        seq,
        source_time_us: 1_772_355_600_000_000,
        fact: Some(v1::fact::Fact::Contact(v1::ContactFact {
            contact: contact.into(),
            action: Some(action),
        })),
    };
    let started = |caller: &str| {
        v1::contact_fact::Action::Started(v1::ContactStarted {
            channel: 1,
            direction: 1,
            caller: caller.into(),
            ..Default::default()
        })
    };
    let identified = v1::contact_fact::Action::Identified(v1::ContactIdentified {
        caller: OTHER_MAIL.into(),
        ..Default::default()
    });
    // The channel is missing: refused, and quarantined.
    let broken = v1::ContactStarted { caller: NUMBER.into(), ..Default::default() };
    let facts = vec![
        fact(1, "c1", started(NUMBER)),
        fact(2, "c1", identified),
        fact(3, "c2", v1::contact_fact::Action::Started(broken)),
    ];
    let source = v1::Source { site: "north".into(), source: "pbx".into(), epoch: vec![7; 16].into() };
    let submit = v1::SubmitFactsRequest {
        source: Some(source),
        batch: Some(v1::FactBatch { facts, ..Default::default() }),
        ..Default::default()
    };
    let answer = api.ingest().submit_facts(submit).await.unwrap().into_inner();
    assert_eq!(answer.ack.unwrap().refusals.len(), 1);
    // What is written about tickets: with a customer and without, in every command that has a place for it.
    office.ticket(&["open", "T-1", "--kind", "complaint", "--caller", NUMBER, "--description", "-"], NOTE);
    office.ticket(&["open", "T-2", "--kind", "repair", "--description", "-"], NOTE);
    office.ticket(&["note", "T-2", "--plain", "-"], NOTE);
    office.ticket(&["split", "T-1", "--part", "T-3", "--kind", "complaint", "--description", "-"], NOTE);
    office.ticket(&["accept", "T-1", "--owner", "bob"], "");
    office.ticket(&["classify", "T-1", "--category", "pipes"], "");
    office
        .ticket(&["resolve", "T-1", "--way", "declined", "--declined-because", "old", "--plain", "-"], NOTE);
    office.ticket(&["confirm", "T-1", "--plain", "-"], NAME);
    office.ticket(&["cancel", "T-2", "--reason", "prank", "--plain", "-"], PLACE);
    office.import_a_ticket(&api).await;
    let (ann, _) = office.keep();
    office.steward(&["read", &ann, "--purpose", "complaint"], "");
    office.steward(&["timeline", &ann, "--purpose", "complaint"], "");
    let found: Value = serde_json::from_str(&office.steward(&["find", "-", "--json"], NUMBER)).unwrap();
    assert_eq!(found["customer"].as_str(), Some(ann.as_str()), "a call and a file know the same customer");
    // A second customer by a name that is a person's only in the eyes of people.
    let wrong = office.customer(STEWARD, &["keep", "-"], &format!("name {NAME}\n"));
    assert!(!wrong.stderr.contains("Zephyrine"), "{}", wrong.stderr);

    let metrics = office.server.get("/metrics").1;
    let said = office.server.said();
    let backup = office.dir.path().join("vault-backup");
    let mut words = vec!["vault".to_owned(), "backup".into(), backup.display().to_string()];
    words.extend(office.server.target());
    run(&words).success();
    let data = office.data.clone();
    assert_eq!(office.server.terminate(), Some(0));
    let data_text = data.display().to_string();
    let dump = run(["log", "dump", &data_text]).success();
    run(["log", "seal", "--data-dir", &data_text]).success();
    for text in [&metrics, &said, &dump] {
        let mark = MARKS.iter().find(|mark| text.contains(**mark));
        assert_eq!(mark, None);
    }
    assert!(
        dump.contains("customer.read") && dump.contains(&ann) && dump.contains("quarantine.refused"),
        "{dump}"
    );
    for dir in [&data, &backup] {
        let (found, searched) = holders(dir, &marks());
        assert!(found.is_empty(), "{found:?}");
        assert!(searched > 1_000, "{searched} bytes in {}", dir.display());
    }
}

#[test]
fn an_erased_customer_is_in_no_byte_of_the_folder_nor_of_a_restored_backup() {
    let office = office();
    let (ann, references) = office.keep();
    let slot = fs::read(office.data.join("vault/keys")).unwrap()[4_096 + 16..4_096 + 88].to_vec();
    let hash = fs::read(office.data.join("vault/surrogates")).unwrap()[20..52].to_vec();
    let secrets: [&[u8]; 2] = [&slot, &hash];
    assert_eq!(holders(&office.data, &secrets).0.len(), 2, "they are what is looked for");
    let backup = office.dir.path().join("vault-backup");
    let mut words = vec!["vault".to_owned(), "backup".into(), backup.display().to_string()];
    words.extend(office.server.target());
    run(&words).success();
    assert!(run(&words).failure().contains("is not empty"));
    office.steward(&["erase", &ann, "--reason", "asked_for", "--yes"], "");
    assert_eq!(holders(&office.data, &secrets).0, Vec::<PathBuf>::new());

    // The log of the day before goes with the vault of the day before: only the ledger knows.
    let restored = office.dir.path().join("restored");
    let ledger = office.data.join("vault/erasures");
    let words = ["vault", "restore", &backup.display().to_string(), &restored.display().to_string()];
    let words =
        words.into_iter().chain(["--erasures"]).map(str::to_owned).chain([ledger.display().to_string()]);
    run(words).success();
    fs::copy(office.data.join("vault/key"), restored.join("vault/key")).unwrap();
    assert!(!holders(&restored, &secrets).0.is_empty(), "until a server has carried it out");
    let office = Office { server: Server::start(&restored), data: restored, dir: office.dir };
    assert_eq!(holders(&office.data, &secrets).0, Vec::<PathBuf>::new());
    let words = ["read", ann.as_str(), references[0].as_str(), "--purpose", "complaint"];
    assert!(office.customer(STEWARD, &words, "").failure().contains("error: "));
    assert!(office.customer(STEWARD, &["find", "-"], NUMBER).failure().contains("NotFound"));
}

#[test]
fn a_server_finds_its_master_key_where_it_is_told_to_and_not_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let (data, key) = (dir.path().join("data"), dir.path().join("master"));
    let key_text = key.display().to_string();
    let server = Server::start_with(&data, 0, &["--vault-key", &key_text]);
    assert_eq!(server.terminate(), Some(0));
    assert!(key.is_file() && !data.join("vault/key").exists());
    let data_text = data.display().to_string();
    let error = run(["log", "seal", "--data-dir", &data_text]);
    assert_eq!(error.code, Some(0), "sealing the log needs no vault: {}", error.stderr);
    let server = Server::start_with(&data, 0, &["--vault-key", &key_text]);
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn what_was_written_about_a_split_s_part_is_sealed_under_the_key_of_its_customer() {
    let office = office();
    let written = |ticket: &str| office.ticket_as(STEWARD, &["read", ticket, "--purpose", "complaint"], "");
    office.ticket(&["open", "T-1", "--kind", "complaint", "--caller", NUMBER], "");
    office.ticket(&["open", "T-2", "--kind", "repair"], "");
    let command = uuid_words();
    let split = |whole: &'static str, part: &'static str| {
        let words = ["split", whole, "--part", part, "--kind", "complaint", "--description", "-"];
        words.into_iter().chain(command.iter().map(String::as_str)).map(str::to_owned).collect::<Vec<_>>()
    };
    let words = split("T-1", "T-1a");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    office.ticket(&words, NOTE);
    assert!(written("T-1a").success().trim_end().ends_with(&format!(": {NOTE}")));
    assert!(written("T-1").success().is_empty(), "it is the part's alone");
    // The same command once more changes nothing, and seals nothing.
    let sealed = || {
        let files = fs::read_dir(office.data.join("vault")).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>()
    };
    let before = sealed();
    office.ticket(&words, PLACE);
    assert_eq!(sealed(), before);
    assert_eq!(written("T-1a").success().lines().count(), 1);
    // A part of a ticket that nobody is known to have reported has a key of its own.
    office.ticket(&["split", "T-2", "--part", "T-2a", "--kind", "repair", "--description", "-"], PLACE);
    assert!(written("T-2a").success().contains(PLACE));
    let again = ["split", "T-2", "--part", "T-2a", "--kind", "repair", "--description", "-"];
    let again = office.ticket_as(("root", "administrator"), &again, NOTE).failure();
    assert!(again.contains("T-2a exists already"), "{again}");
    // It goes with the customer.
    let found: Value = serde_json::from_str(&office.steward(&["find", "-", "--json"], NUMBER)).unwrap();
    office.steward(&["erase", found["customer"].as_str().unwrap(), "--reason", "asked_for", "--yes"], "");
    assert!(written("T-1a").failure().contains("erased"));
    assert!(written("T-2a").success().contains(PLACE));
}

/// The arguments that make a command the same one each time.
fn uuid_words() -> [String; 2] {
    ["--command-id".to_owned(), "5f0c3c1e-7f0a-4a52-9f0e-6a2f1f0f8d11".to_owned()]
}

#[test]
fn what_was_written_about_a_ticket_is_read_by_those_who_may_and_goes_with_the_customer() {
    let office = office();
    let written = |ticket: &str, words: &[&str]| {
        let words: Vec<&str> =
            ["read", ticket, "--purpose", "complaint"].iter().chain(words).copied().collect();
        office.ticket_as(STEWARD, &words, "")
    };
    office.ticket(&["open", "T-1", "--kind", "complaint", "--caller", NUMBER, "--description", "-"], NOTE);
    office.ticket(&["open", "T-2", "--kind", "repair", "--description", "-"], PLACE);
    office.ticket(&["note", "T-1", "--text", "archive-7"], "");
    assert!(written("T-1", &[]).success().trim_end().ends_with(&format!(": {NOTE}")));
    assert!(written("T-2", &[]).success().contains(PLACE), "it has a key of its own");
    let strange = written("T-2", &["s_0"]).failure();
    assert!(strange.contains("s_0, which is no text of ticket T-2"), "{strange}");
    let both = office.ticket_as(
        ("root", "administrator"),
        &["note", "T-1", "--text", "archive-8", "--plain", "-"],
        NOTE,
    );
    assert!(both.failure().contains("give one of both"));
    let no_place = office.ticket_as(
        ("root", "administrator"),
        &["accept", "T-1", "--owner", "bob", "--plain", "-"],
        NOTE,
    );
    assert!(no_place.failure().contains("text belongs to note, cancel, confirm"));

    // Whoever answers for the open ticket may read; others may not.
    let words = ["read", "T-1", "--purpose", "complaint"];
    let refused = office.ticket_as(BOB, &words, "").failure();
    assert!(refused.contains("bob has no access to this customer's file now"), "{refused}");
    office.ticket(&["accept", "T-1", "--owner", "bob"], "");
    assert!(office.ticket_as(BOB, &words, "").success().contains(NOTE));
    assert!(
        office.ticket_as(("root", "administrator"), &words, "").failure().contains("the role administrator")
    );
    let found: Value = serde_json::from_str(&office.steward(&["find", "-", "--json"], NUMBER)).unwrap();
    let ann = found["customer"].as_str().unwrap();
    assert_eq!(found["reads"], 2, "each look is on record: {found}");

    // A ticket that gets its customer later loses with her what was written before.
    office.ticket(&["edit", "T-2", "--customer", ann], "");
    office.steward(&["erase", ann, "--reason", "asked_for", "--yes"], "");
    for ticket in ["T-1", "T-2"] {
        assert!(written(ticket, &[]).failure().contains("erased"), "{ticket}");
    }
}
