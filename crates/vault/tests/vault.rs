//! What the vault promises.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{collections::BTreeSet, fs, path::Path};

use pegcount_domain::ids::{CustomerId, SiteId};
use pegcount_vault::{Vault, VaultError};
use tempfile::TempDir;

const HEADER_BYTES: usize = 20;
const RECORD_BYTES: usize = 52;

fn site(name: &str) -> SiteId {
    SiteId::new(name).unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Opens the vault, asks it for `values`, and closes it again.
fn asked(dir: &Path, values: &[&str]) -> Vec<CustomerId> {
    Vault::open(dir).unwrap().surrogates(&site("s"), values).unwrap()
}

fn surrogates_file(dir: &Path) -> Vec<u8> {
    fs::read(dir.join("surrogates")).unwrap()
}

#[test]
fn a_customer_has_one_surrogate_for_ever() {
    let dir = folder();
    let first = asked(dir.path(), &["100", "200", "100"]);
    assert_eq!(first[0], first[2]);
    assert_ne!(first[0], first[1]);
    assert_eq!(asked(dir.path(), &["200", "300", "100"])[..1], first[1..2]);
    let vault = Vault::open(dir.path()).unwrap();
    assert_eq!(vault.surrogate(&site("s"), "100").unwrap(), first[0]);
    assert_eq!(vault.len(), 3);
}

#[test]
fn a_surrogate_is_a_name_that_says_nothing() {
    let dir = folder();
    let surrogate = asked(dir.path(), &["100"]).remove(0);
    let text = surrogate.as_str();
    assert_eq!(text.len(), 28);
    assert!(text.starts_with("c_"));
    assert!(text[2..].bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
    assert_ne!(asked(folder().path(), &["100"])[0], surrogate, "random, not derived from the value");
}

#[test]
fn one_number_is_two_customers_at_two_sites() {
    let dir = folder();
    let vault = Vault::open(dir.path()).unwrap();
    let of = |name, value| vault.surrogate(&site(name), value).unwrap();
    assert_ne!(of("north", "12345"), of("south", "12345"));
    assert_ne!(of("ab", "c00"), of("a", "bc00"), "site and value do not run together");
}

#[test]
fn a_number_written_in_two_ways_is_one_customer() {
    let dir = folder();
    let names = asked(dir.path(), &["+49 (30) 123-456", "+4930123456"]);
    assert_eq!(names[0], names[1]);
}

#[test]
fn a_blank_value_is_refused_with_its_place_and_nothing_is_kept() {
    let dir = folder();
    let vault = Vault::open(dir.path()).unwrap();
    let error = vault.surrogates(&site("s"), &["100", "  "]).unwrap_err();
    assert!(matches!(error, VaultError::Blank { index: 1 }));
    assert!(vault.is_empty());
}

#[test]
fn no_plain_value_ever_reaches_the_disk() {
    let dir = folder();
    let values = ["+4930555123456", "ann.marie@example.org", "CUSTOMER-777-XYZ"];
    asked(dir.path(), &values);
    let mut searched = 0;
    for entry in fs::read_dir(dir.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        searched += bytes.len();
        for needle in values.iter().flat_map(|value| [value, &value[3..11]]) {
            let found = bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
            assert!(!found, "{needle}");
        }
    }
    assert!(searched > values.len() * RECORD_BYTES);
}

#[cfg(unix)]
#[test]
fn the_key_is_for_its_owners_eyes_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder();
    asked(dir.path(), &["100"]);
    let mode = fs::metadata(dir.path().join("key")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[test]
fn many_at_once_get_the_same_surrogate_for_the_same_customer() {
    let dir = folder();
    let vault = Vault::open(dir.path()).unwrap();
    let values: Vec<String> = (0..40).map(|value| format!("{:05}", value % 20)).collect();
    let mut answers: Vec<Vec<CustomerId>> = std::thread::scope(|scope| {
        let together = || vault.surrogates(&site("s"), &values).unwrap();
        let singly = || values.iter().map(|value| vault.surrogate(&site("s"), value).unwrap()).collect();
        let threads =
            [scope.spawn(together), scope.spawn(singly), scope.spawn(together), scope.spawn(singly)];
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].iter().collect::<BTreeSet<_>>().len(), 20);
    drop(vault);
    let bytes = surrogates_file(dir.path());
    let chunks = bytes[HEADER_BYTES..].chunks(RECORD_BYTES);
    let records = chunks.filter(|chunk| !chunk.starts_with(b"PEGVBAT1")).count();
    assert_eq!(records, 20, "each was written once");
}

#[test]
fn what_a_crash_left_half_written_is_cut_and_what_was_given_stays() {
    let dir = folder();
    let names = asked(dir.path(), &["100", "200"]);
    let whole = surrogates_file(dir.path());
    let path = dir.path().join("surrogates");
    for tail in [vec![7; 51], vec![0; 52], vec![9; 104], vec![0; 4096]] {
        fs::write(&path, [whole.clone(), tail].concat()).unwrap();
        assert_eq!(asked(dir.path(), &["100", "200"]), names);
        assert_eq!(surrogates_file(dir.path()), whole);
    }
}

#[test]
fn after_a_cut_new_ones_are_kept_behind_the_good_ones() {
    let dir = folder();
    let names = asked(dir.path(), &["100"]);
    let path = dir.path().join("surrogates");
    fs::write(&path, [surrogates_file(dir.path()), vec![7; 30]].concat()).unwrap();
    let more = asked(dir.path(), &["200"]);
    assert_eq!(asked(dir.path(), &["100", "200"]), [names, more].concat());
}

#[test]
fn damage_in_the_middle_is_named_and_nothing_is_changed() {
    let dir = folder();
    asked(dir.path(), &["100"]);
    asked(dir.path(), &["200", "300"]);
    asked(dir.path(), &["400"]);
    let good = surrogates_file(dir.path());
    // The head of the batch in the middle, and both of its records.
    for (chunk, offset) in [(0, 20), (1, 72), (2, 72), (3, 72)] {
        let mut bytes = good.clone();
        bytes[HEADER_BYTES + chunk * RECORD_BYTES + 5] ^= 1;
        fs::write(dir.path().join("surrogates"), &bytes).unwrap();
        let error = Vault::open(dir.path()).err().unwrap();
        assert!(matches!(error, VaultError::Damaged { offset: found, .. } if found == offset), "{error}");
        assert_eq!(surrogates_file(dir.path()), bytes);
    }
}

#[test]
fn a_last_batch_with_any_page_unwritten_is_cut_whole() {
    let dir = folder();
    let names = asked(dir.path(), &["100", "200"]);
    let before = surrogates_file(dir.path());
    let values: Vec<_> = (0..400).map(|value| format!("more{value}")).collect();
    let values: Vec<_> = values.iter().map(String::as_str).collect();
    asked(dir.path(), &values);
    let whole = surrogates_file(dir.path());
    for page in (0..whole.len()).step_by(4_096) {
        let mut bytes = whole.clone();
        let end = bytes.len().min(page + 4_096);
        bytes[page.max(before.len())..end].fill(0);
        fs::write(dir.path().join("surrogates"), &bytes).unwrap();
        assert_eq!(asked(dir.path(), &["100", "200"]), names, "the page at {page}");
        assert_eq!(surrogates_file(dir.path()), before, "the page at {page}");
    }
}

#[test]
fn a_file_from_before_there_were_batches_is_written_anew_and_goes_on() {
    let dir = folder();
    let mut names = asked(dir.path(), &["100"]);
    names.extend(asked(dir.path(), &["200"]));
    let new = surrogates_file(dir.path());
    let mut old = new.clone();
    old[..8].copy_from_slice(b"PEGVSUR1");
    let crc = crc32c::crc32c(&old[..16]);
    old[16..20].copy_from_slice(&crc.to_le_bytes());
    fs::write(dir.path().join("surrogates"), [old, vec![7; 30]].concat()).unwrap();
    assert_eq!(asked(dir.path(), &["100", "200"]), names);
    assert_eq!(surrogates_file(dir.path()), new);
}

#[test]
fn a_digest_is_the_same_after_a_restart_and_another_in_another_vault() {
    let (dir, other) = (folder(), folder());
    let digest = |dir: &Path, bytes: &[u8]| Vault::open(dir).unwrap().digest(bytes);
    let first = digest(dir.path(), b"a fact");
    assert_eq!(digest(dir.path(), b"a fact"), first);
    assert_ne!(digest(dir.path(), b"another"), first);
    assert_ne!(digest(other.path(), b"a fact"), first);
    assert!(Vault::open(dir.path()).unwrap().is_empty(), "nothing is kept");
}

#[test]
fn a_key_that_is_gone_damaged_newer_or_another_vaults_is_named() {
    let dir = folder();
    asked(dir.path(), &["100"]);
    let key = dir.path().join("key");
    let good = fs::read(&key).unwrap();
    let error_with = |bytes: &[u8]| {
        fs::write(&key, bytes).unwrap();
        Vault::open(dir.path()).err().unwrap()
    };
    let mut flipped = good.clone();
    flipped[20] ^= 1;
    assert!(matches!(error_with(&flipped), VaultError::Damaged { .. }));
    assert!(matches!(error_with(&good[..30]), VaultError::Damaged { .. }));
    assert!(matches!(error_with(&[b"PEGVKEY2", &good[8..]].concat()), VaultError::NewerFormat { .. }));
    let other = folder();
    asked(other.path(), &[]);
    let others = fs::read(other.path().join("key")).unwrap();
    assert!(matches!(error_with(&others), VaultError::OtherKey { .. }));
    fs::remove_file(&key).unwrap();
    assert!(matches!(Vault::open(dir.path()), Err(VaultError::KeyMissing { records: 1, .. })));
    fs::write(&key, &good).unwrap();
    assert_eq!(Vault::open(dir.path()).unwrap().len(), 1);
}

#[test]
fn a_start_cut_short_before_the_key_was_made_begins_anew() {
    let dir = folder();
    asked(dir.path(), &[]);
    // What comes after the key was not made either.
    for name in ["key", "keys", "sealed", "erasures"] {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    fs::write(dir.path().join("key.new"), b"half").unwrap();
    assert_eq!(asked(dir.path(), &["100"]).len(), 1);
    assert_eq!(Vault::open(dir.path()).unwrap().len(), 1);
}

#[test]
fn surrogates_that_are_gone_are_not_made_anew_in_silence() {
    let dir = folder();
    asked(dir.path(), &["100"]);
    fs::remove_file(dir.path().join("surrogates")).unwrap();
    assert!(matches!(Vault::open(dir.path()), Err(VaultError::Damaged { .. })));
}

#[test]
fn a_vault_in_use_is_refused_and_says_what_to_do() {
    let dir = folder();
    let first = Vault::open(dir.path()).unwrap();
    let error = Vault::open(dir.path()).err().unwrap();
    assert!(matches!(error, VaultError::Locked { .. }));
    assert!(error.to_string().contains("in use by another process"));
    drop(first);
    assert!(Vault::open(dir.path()).is_ok());
}
