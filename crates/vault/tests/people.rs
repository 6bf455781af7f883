//! What is sealed can be read by reference, until the customer is erased: then nowhere, and for good.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::{fs, path::Path};

use pegcount_domain::{
    customer::ValueKind,
    ids::{CustomerId, Name, SiteId},
    time::Micros,
};
use pegcount_vault::{MasterKey, VALUE_BYTES_MAX, Vault, VaultError};
use tempfile::TempDir;

const AT: Micros = Micros(1_772_355_600_000_000);

fn site() -> SiteId {
    SiteId::new("s").unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A vault with one customer who has a sealed name and a note.
fn with_ann(dir: &Path) -> (CustomerId, Vec<Name>) {
    let vault = Vault::open(dir).unwrap();
    let ann = vault.surrogate(&site(), "+49 30 123456").unwrap();
    let values = [(ValueKind::Name, "Ann Marie Maker"), (ValueKind::Text, "The boiler hums at night.")];
    let references = vault.seal(&ann, &values).unwrap();
    (ann, references)
}

fn plain(vault: &Vault, reference: &Name) -> String {
    vault.unseal(reference).unwrap().plain
}

/// The bytes of every file of a folder, one after the other.
fn all_bytes(dir: &Path) -> Vec<u8> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| fs::read(path).unwrap()).collect()
}

fn holds(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

/// The wrapped key in the first slot.
fn first_key(dir: &Path) -> Vec<u8> {
    fs::read(dir.join("keys")).unwrap()[4_096 + 16..4_096 + 16 + 72].to_vec()
}

/// The hash of the first surrogate.
fn first_hash(dir: &Path) -> Vec<u8> {
    fs::read(dir.join("surrogates")).unwrap()[20..52].to_vec()
}

#[test]
fn a_sealed_value_is_read_by_its_reference_after_a_restart_too() {
    let dir = folder();
    let (ann, references) = with_ann(dir.path());
    let vault = Vault::open(dir.path()).unwrap();
    let name = vault.unseal(&references[0]).unwrap();
    assert_eq!((name.customer, name.kind, name.plain.as_str()), (ann, ValueKind::Name, "Ann Marie Maker"));
    assert_eq!(plain(&vault, &references[1]), "The boiler hums at night.");
    assert_eq!(vault.sealed(), 2);
    let bytes = all_bytes(dir.path());
    for part in ["Ann Marie", "boiler hums", "123456"] {
        assert!(!holds(&bytes, part.as_bytes()), "{part} lies there plain");
    }
}

#[test]
fn whoever_is_erased_can_be_read_nowhere_and_counts_as_before() {
    let dir = folder();
    let (ann, references) = with_ann(dir.path());
    let (key, hash) = (first_key(dir.path()), first_hash(dir.path()));
    assert!(holds(&all_bytes(dir.path()), &key) && holds(&all_bytes(dir.path()), &hash));
    let vault = Vault::open(dir.path()).unwrap();
    let bob = vault.surrogate(&site(), "bob@example.org").unwrap();
    let note = vault.seal(&bob, &[(ValueKind::Text, "calls back on Monday")]).unwrap();
    assert_eq!(vault.erase(&[ann.clone(), ann.clone()], AT).unwrap(), 1);
    let erased = |vault: &Vault| {
        for reference in &references {
            let error = vault.unseal(reference).err().unwrap();
            assert!(matches!(&error, VaultError::Erased { customer, at: AT } if *customer == ann), "{error}");
        }
        assert_eq!((vault.erased_at(&ann), vault.erased_at(&bob)), (Some(AT), None));
        assert_eq!(vault.find(&site(), "+49 30 123456").unwrap(), None);
        assert_eq!(vault.find(&site(), "bob@example.org").unwrap(), Some(bob.clone()));
        assert_eq!(plain(vault, &note[0]), "calls back on Monday");
    };
    erased(&vault);
    let error = vault.seal(&ann, &[(ValueKind::Text, "more")]).unwrap_err();
    assert!(
        matches!(error, VaultError::Erased { .. }) && error.to_string().contains("2026-03-01"),
        "{error}"
    );
    assert!(matches!(vault.also_known_by(&site(), &ann, &["9"]), Err(VaultError::Erased { .. })));
    assert_eq!(vault.erase(std::slice::from_ref(&ann), Micros(7)).unwrap(), 0, "the first time stands");
    drop(vault);
    let bytes = all_bytes(dir.path());
    assert!(!holds(&bytes, &key) && !holds(&bytes, &hash));
    let vault = Vault::open(dir.path()).unwrap();
    erased(&vault);
    // Who calls again is somebody new.
    assert_ne!(vault.surrogate(&site(), "+49 30 123456").unwrap(), ann);
}

#[test]
fn a_restored_backup_loses_whoever_was_erased_since() {
    let (dir, copies) = (folder(), folder());
    let (ann, references) = with_ann(dir.path());
    let (key, hash) = (first_key(dir.path()), first_hash(dir.path()));
    let backup = copies.path().join("backup");
    let vault = Vault::open(dir.path()).unwrap();
    vault.back_up(&backup).unwrap();
    let error = vault.back_up(&backup).unwrap_err();
    assert!(matches!(error, VaultError::NotEmpty { .. }), "{error}");
    vault.erase(std::slice::from_ref(&ann), AT).unwrap();
    drop(vault);
    let kept = all_bytes(&backup);
    assert!(holds(&kept, &key) && holds(&kept, &hash) && !backup.join("key").exists());
    // The master key comes from its own backup; the ledger is the newest that there is.
    fs::copy(dir.path().join("key"), backup.join("key")).unwrap();
    let without = Vault::open(&backup).unwrap();
    assert_eq!(
        plain(&without, &references[0]),
        "Ann Marie Maker",
        "without the newer ledger it is as it was"
    );
    drop(without);
    fs::copy(dir.path().join("erasures"), backup.join("erasures")).unwrap();
    let restored = Vault::open(&backup).unwrap();
    assert!(matches!(restored.unseal(&references[0]), Err(VaultError::Erased { .. })));
    assert_eq!(restored.find(&site(), "+49 30 123456").unwrap(), None);
    drop(restored);
    let bytes = all_bytes(&backup);
    assert!(!holds(&bytes, &key) && !holds(&bytes, &hash));
}

#[test]
fn an_erasure_that_a_crash_cut_short_is_finished_by_the_next_opening() {
    let dir = folder();
    let (ann, references) = with_ann(dir.path());
    let files = ["keys", "surrogates", "sealed"].map(|name| (name, fs::read(dir.path().join(name)).unwrap()));
    Vault::open(dir.path()).unwrap().erase(&[ann], AT).unwrap();
    // The ledger had it, and one or more of the others did not yet.
    for undone in 1..8_usize {
        for (bit, (name, bytes)) in files.iter().enumerate() {
            if undone & (1 << bit) != 0 {
                fs::write(dir.path().join(name), bytes).unwrap();
            }
        }
        let vault = Vault::open(dir.path()).unwrap();
        assert!(matches!(vault.unseal(&references[0]), Err(VaultError::Erased { .. })), "{undone:03b}");
        assert_eq!(vault.find(&site(), "+49 30 123456").unwrap(), None, "{undone:03b}");
    }
}

#[test]
fn a_customer_is_found_by_every_number_and_address_that_was_said() {
    let dir = folder();
    let vault = Vault::open(dir.path()).unwrap();
    assert_eq!(vault.find(&site(), "100").unwrap(), None);
    assert!(vault.is_empty(), "looking keeps nothing");
    let ann = vault.surrogate(&site(), "100").unwrap();
    let bob = vault.surrogate(&site(), "200").unwrap();
    vault.also_known_by(&site(), &ann, &["ann@example.org", "100", "1 0 0", "ann@example.org"]).unwrap();
    let error = vault.also_known_by(&site(), &ann, &["101", "200"]).unwrap_err();
    assert!(matches!(&error, VaultError::Taken { index: 1, other } if *other == bob), "{error}");
    assert_eq!(vault.find(&site(), "101").unwrap(), None, "all or none");
    let key = first_hash(dir.path());
    drop(vault);
    let vault = Vault::open(dir.path()).unwrap();
    assert_eq!(vault.find(&site(), "ann@example.org").unwrap(), Some(ann.clone()));
    vault.erase(std::slice::from_ref(&ann), AT).unwrap();
    for known in ["100", "ann@example.org"] {
        assert_eq!(vault.find(&site(), known).unwrap(), None);
    }
    assert!(!holds(&all_bytes(dir.path()), &key));
}

#[test]
fn nothing_is_sealed_for_nobody_blank_or_too_long() {
    let dir = folder();
    let (ann, _) = with_ann(dir.path());
    let vault = Vault::open(dir.path()).unwrap();
    let stranger = CustomerId::new(&format!("c_{}", "b".repeat(26))).unwrap();
    let seal =
        |of: &CustomerId, text: &str| vault.seal(of, &[(ValueKind::Text, "ok"), (ValueKind::Text, text)]);
    assert!(matches!(seal(&stranger, "x"), Err(VaultError::UnknownCustomer { .. })));
    assert!(matches!(seal(&CustomerId::new("ann").unwrap(), "x"), Err(VaultError::UnknownCustomer { .. })));
    assert!(matches!(seal(&ann, " \n"), Err(VaultError::Blank { index: 1 })));
    let long = "x".repeat(VALUE_BYTES_MAX + 1);
    let error = seal(&ann, &long).unwrap_err();
    assert!(matches!(error, VaultError::TooLong { index: 1, bytes: 65_537, .. }), "{error}");
    assert_eq!(vault.sealed(), 2, "all or none");
    assert_eq!(plain(&vault, &seal(&ann, &long[1..]).unwrap()[1]), long[1..]);
    for text in ["s_", "s_abc", ann.as_str(), &format!("s_{}", "b".repeat(26))] {
        let error = vault.unseal(&Name::new(text).unwrap()).err().unwrap();
        assert!(matches!(error, VaultError::UnknownReference { .. }), "{error}");
    }
}

#[test]
fn a_value_passes_for_no_other_and_any_changed_byte_is_noticed() {
    let dir = folder();
    let (_, references) = with_ann(dir.path());
    let path = dir.path().join("sealed");
    let good = fs::read(&path).unwrap();
    let vault = Vault::open(dir.path()).unwrap();
    // While it is open: nobody checks an addition's checksum again, but the cipher does.
    for at in (20 + 16)..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        let read = references.iter().filter_map(|reference| vault.unseal(reference).ok());
        assert!(read.count() < 2, "byte {at}");
    }
    drop(vault);
    let mut bytes = good.clone();
    bytes[60] ^= 1;
    fs::write(&path, [bytes, good[20..].to_vec()].concat()).unwrap();
    let error = Vault::open(dir.path()).err().unwrap();
    assert!(matches!(error, VaultError::Damaged { offset: 20, .. }), "{error}");
}

#[test]
fn what_a_crash_left_half_written_is_cut_from_every_file() {
    let dir = folder();
    let (ann, references) = with_ann(dir.path());
    for (name, tails) in [
        ("sealed", vec![vec![0; 5_000], vec![7; 40], b"PVB1\x00\x01".to_vec()]),
        ("keys", vec![vec![0; 128], vec![7; 200], vec![0; 50]]),
        ("erasures", vec![vec![0; 40], b"PVB1".to_vec()]),
    ] {
        let path = dir.path().join(name);
        let good = fs::read(&path).unwrap();
        for tail in tails {
            fs::write(&path, [good.clone(), tail].concat()).unwrap();
            let vault = Vault::open(dir.path()).unwrap();
            assert_eq!(plain(&vault, &references[0]), "Ann Marie Maker", "{name}");
            let more = vault.seal(&ann, &[(ValueKind::Place, "3 Mill Lane")]).unwrap();
            let bob = vault.surrogate(&site(), "bob").unwrap();
            let his = vault.seal(&bob, &[(ValueKind::Name, "Bob")]).unwrap();
            drop(vault);
            let vault = Vault::open(dir.path()).unwrap();
            assert_eq!(
                (plain(&vault, &more[0]), plain(&vault, &his[0])),
                ("3 Mill Lane".into(), "Bob".into())
            );
        }
    }
}

#[test]
fn a_damaged_key_in_the_middle_is_named() {
    let dir = folder();
    with_ann(dir.path());
    let vault = Vault::open(dir.path()).unwrap();
    let bob = vault.surrogate(&site(), "bob").unwrap();
    vault.seal(&bob, &[(ValueKind::Name, "Bob")]).unwrap();
    drop(vault);
    let path = dir.path().join("keys");
    let mut bytes = fs::read(&path).unwrap();
    bytes[4_096 + 20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let error = Vault::open(dir.path()).err().unwrap();
    assert!(matches!(error, VaultError::Damaged { offset: 4_096, .. }), "{error}");
}

#[test]
fn the_master_key_may_lie_elsewhere_or_be_given() {
    let (dir, elsewhere) = (folder(), folder());
    let file = MasterKey::File(elsewhere.path().join("master"));
    let vault = Vault::open_with(dir.path(), &file).unwrap();
    let ann = vault.surrogate(&site(), "100").unwrap();
    let name = vault.seal(&ann, &[(ValueKind::Name, "Ann")]).unwrap();
    drop(vault);
    assert!(!dir.path().join("key").exists());
    assert!(matches!(Vault::open(dir.path()), Err(VaultError::KeyMissing { records: 1, .. })));
    let bytes = fs::read(elsewhere.path().join("master")).unwrap();
    let digits = bytes[8..40].iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits: String = digits.map(|digit| char::from_digit(digit.into(), 16).unwrap()).collect();
    let digits = digits.to_uppercase();
    let given = MasterKey::from_hex(&format!(" {digits}\n")).unwrap();
    assert!(!format!("{given:?}").contains(&digits[..4]), "it is not told by accident");
    let vault = Vault::open_with(dir.path(), &given).unwrap();
    assert_eq!(plain(&vault, &name[0]), "Ann");
    drop(vault);
    let other = MasterKey::from_hex(&"0f".repeat(32)).unwrap();
    assert!(matches!(Vault::open_with(dir.path(), &other), Err(VaultError::OtherKey { .. })));
    for text in ["", "12", &"0g".repeat(32), &digits[1..], &format!("{digits}00")] {
        assert!(MasterKey::from_hex(text).is_none(), "{text}");
    }
    // A new vault with a key that is given writes none down.
    let new = folder();
    let vault = Vault::open_with(new.path(), &given).unwrap();
    vault.surrogate(&site(), "100").unwrap();
    drop(vault);
    let files: Vec<_> = fs::read_dir(new.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!files.iter().any(|name| name == "key"), "{files:?}");
    assert_eq!(Vault::open_with(new.path(), &given).unwrap().len(), 1);
    fs::remove_file(new.path().join("surrogates")).unwrap();
    let lost = Vault::open_with(new.path(), &given).err().unwrap();
    assert!(
        matches!(lost, VaultError::Damaged { .. }),
        "lost surrogates are not made anew in silence: {lost}"
    );
}

#[test]
fn values_of_several_customers_are_sealed_at_once_and_each_goes_with_its_own() {
    let dir = folder();
    let vault = Vault::open(dir.path()).unwrap();
    let numbers: Vec<String> = (0..11).map(|number| format!("+49 30 {number:03}")).collect();
    let people = vault.surrogates(&site(), &numbers).unwrap();
    let texts: Vec<String> = (0..22).map(|number| format!("note {number}")).collect();
    let of = |index: usize| &people[index % people.len()];
    let values: Vec<_> =
        texts.iter().enumerate().map(|(index, text)| (of(index), ValueKind::Text, text.as_str())).collect();
    let references = vault.seal_of_several(&values).unwrap();
    drop(vault);

    let vault = Vault::open(dir.path()).unwrap();
    for (index, reference) in references.iter().enumerate() {
        let found = vault.unseal(reference).unwrap();
        assert_eq!((&found.customer, &found.plain), (of(index), &texts[index]));
    }
    vault.erase(&people[3..4], AT).unwrap();
    for (index, reference) in references.iter().enumerate() {
        assert_eq!(vault.unseal(reference).is_ok(), index % people.len() != 3, "value {index}");
    }
    let strangers = [(&people[3], ValueKind::Text, "x"), (&people[4], ValueKind::Text, "y")];
    assert!(matches!(vault.seal_of_several(&strangers), Err(VaultError::Erased { .. })));
}
