//! A customer's file: sealed values are read by those who may, for a purpose, on record, until the customer is erased.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use pegcount_domain::{
    customer::{
        CustomerEvent, CustomerFile, CustomerRefusal, Reader, ValueKind,
        decide::{GRANT_MAX, GRANTS_MAX, READ_MAX, VALUES_MAX},
        decide_erase, decide_grant, decide_keep, decide_read, decide_revoke, decide_tier,
    },
    envelope::Version,
    ids::{Name, ReasonCode},
    time::Micros,
};

const NOON: Micros = Micros(1_772_366_400_000_000);
const HOUR: Micros = Micros(3_600_000_000);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn reason(text: &str) -> ReasonCode {
    ReasonCode(name(text))
}

/// A file with a name and a note, both sealed by ann.
fn file() -> CustomerFile {
    let mut file = CustomerFile::default();
    let values = [(name("s_1"), ValueKind::Name), (name("s_2"), ValueKind::Text)];
    let event = decide_keep(&file, &values).unwrap().unwrap();
    file.apply(&event, NOON, &name("ann"));
    file
}

fn granted(to: &str, hours: i64) -> CustomerFile {
    let mut file = file();
    let until = Micros(NOON.0 + hours * HOUR.0);
    let event = decide_grant(&file, name(to), reason("call_back"), until, NOON).unwrap().unwrap();
    file.apply(&event, NOON, &name("steward"));
    file
}

fn read(file: &CustomerFile, who: &str, purpose: &str, now: Micros) -> Result<(), CustomerRefusal> {
    let who = name(who);
    let is_steward = who.as_str() == "steward";
    let reader = Reader { name: &who, is_steward, answers_for_ticket: false };
    let event = decide_read(file, reader, &[name("s_2")], &reason(purpose), now)?;
    assert_eq!(event, Some(CustomerEvent::Read { values: vec![name("s_2")], purpose: reason(purpose) }));
    Ok(())
}

#[test]
fn a_data_steward_reads_for_a_purpose_and_others_need_leave() {
    assert_eq!(read(&file(), "steward", "audit", NOON), Ok(()));
    let refused = read(&file(), "bob", "call_back", NOON).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "bob has no access to this customer's file now; ask a data steward for it, with the purpose call_back"
    );
}

#[test]
fn leave_is_for_one_person_one_purpose_and_until_a_time() {
    let file = granted("bob", 2);
    assert_eq!(read(&file, "bob", "call_back", Micros(NOON.0 + 2 * HOUR.0 - 1)), Ok(()));
    let over = read(&file, "bob", "call_back", Micros(NOON.0 + 2 * HOUR.0));
    assert!(matches!(over, Err(CustomerRefusal::NoAccess { .. })));
    assert!(matches!(read(&file, "eve", "call_back", NOON), Err(CustomerRefusal::NoAccess { .. })));
    let refused = read(&file, "bob", "curiosity", NOON).unwrap_err();
    assert!(
        refused.to_string().contains("for call_back until 2026-03-01T14:00:00Z, not for curiosity"),
        "{refused}"
    );
}

#[test]
fn leave_can_be_taken_back_and_renewed_and_what_has_ended_is_forgotten() {
    let mut file = granted("bob", 2);
    let renewed =
        decide_grant(&file, name("bob"), reason("visit"), Micros(NOON.0 + 5 * HOUR.0), NOON).unwrap();
    file.apply(&renewed.unwrap(), NOON, &name("steward"));
    assert_eq!(file.grants.len(), 1);
    assert_eq!(read(&file, "bob", "visit", NOON), Ok(()));
    let revoked = decide_revoke(&file, name("bob"), NOON).unwrap().unwrap();
    file.apply(&revoked, NOON, &name("steward"));
    assert!(matches!(read(&file, "bob", "visit", NOON), Err(CustomerRefusal::NoAccess { .. })));
    assert_eq!(decide_revoke(&file, name("bob"), NOON), Err(CustomerRefusal::NotGranted(name("bob"))));
    let mut file = granted("bob", 2);
    let later = Micros(NOON.0 + 3 * HOUR.0);
    assert!(matches!(decide_revoke(&file, name("bob"), later), Err(CustomerRefusal::NotGranted(_))));
    let next =
        decide_grant(&file, name("eve"), reason("visit"), Micros(later.0 + 1), later).unwrap().unwrap();
    file.apply(&next, later, &name("steward"));
    assert_eq!(file.grants.iter().map(|grant| grant.to.as_str()).collect::<Vec<_>>(), ["eve"]);
}

#[test]
fn leave_begins_before_it_ends_and_lasts_ninety_days_at_most() {
    let file = file();
    let grant = |until| decide_grant(&file, name("bob"), reason("visit"), until, NOON);
    assert_eq!(grant(NOON), Err(CustomerRefusal::Past(NOON)));
    assert!(grant(Micros(NOON.0 + GRANT_MAX.0)).is_ok());
    let refused = grant(Micros(NOON.0 + GRANT_MAX.0 + 1)).unwrap_err();
    assert!(refused.to_string().contains("lasts over 90 days"), "{refused}");
    let mut file = file.clone();
    for number in 0..GRANTS_MAX {
        let to = name(&format!("p{number}"));
        let event = decide_grant(&file, to, reason("visit"), Micros(NOON.0 + HOUR.0), NOON).unwrap().unwrap();
        file.apply(&event, NOON, &name("steward"));
    }
    let one_more = |to: &str| decide_grant(&file, name(to), reason("visit"), Micros(NOON.0 + HOUR.0), NOON);
    assert!(matches!(one_more("bob"), Err(CustomerRefusal::TooMany { actual: 101, limit: 100, .. })));
    assert!(one_more("p7").is_ok(), "renewing takes no room");
}

#[test]
fn only_values_of_the_file_are_read_and_only_so_many() {
    let (file, who) = (file(), name("steward"));
    let read = |values: &[Name]| {
        decide_read(
            &file,
            Reader { name: &who, is_steward: true, answers_for_ticket: false },
            values,
            &reason("audit"),
            NOON,
        )
    };
    assert_eq!(read(&[name("s_1"), name("s_9")]), Err(CustomerRefusal::NotInFile(name("s_9"))));
    assert_eq!(read(&[]), Err(CustomerRefusal::Nothing { limit: READ_MAX }));
    let many = vec![name("s_1"); READ_MAX + 1];
    assert!(matches!(read(&many), Err(CustomerRefusal::TooMany { actual: 101, .. })));
}

#[test]
fn a_file_has_an_end_of_values_and_what_is_so_already_changes_nothing() {
    let mut file = file();
    assert_eq!(decide_keep(&file, &[]), Ok(None));
    let many: Vec<_> =
        (0..VALUES_MAX).map(|number| (name(&format!("s_m{number}")), ValueKind::Text)).collect();
    assert!(matches!(decide_keep(&file, &many), Err(CustomerRefusal::TooMany { actual: 1_002, .. })));
    let tier = decide_tier(&file, name("VIP")).unwrap().unwrap();
    file.apply(&tier, NOON, &name("ann"));
    assert_eq!((decide_tier(&file, name("VIP")), file.tier.clone()), (Ok(None), Some(name("VIP"))));
}

#[test]
fn an_erased_customer_is_read_and_written_no_more_and_stays_on_record() {
    let mut file = granted("bob", 2);
    let erased = decide_erase(&file, reason("asked_for")).unwrap();
    file.apply(&erased, NOON, &name("steward"));
    let refused = read(&file, "steward", "audit", NOON).unwrap_err();
    assert!(refused.to_string().contains("erased at 2026-03-01T12:00:00Z by steward"), "{refused}");
    let is_over = |decided: Result<_, _>| matches!(decided, Err(CustomerRefusal::Erased { .. }));
    assert!(is_over(decide_keep(&file, &[(name("s_3"), ValueKind::Text)])));
    assert!(is_over(decide_tier(&file, name("A"))));
    assert!(is_over(decide_grant(&file, name("bob"), reason("visit"), Micros(NOON.0 + 1), NOON)));
    assert!(is_over(decide_revoke(&file, name("bob"), NOON)));
    assert_eq!(decide_erase(&file, reason("asked_for")), None, "once is enough");
    assert_eq!((file.values.len(), file.grants.len(), file.version), (2, 0, Version(3)));
    file.apply(&CustomerEvent::Erased { reason: reason("again") }, Micros(NOON.0 + 1), &name("eve"));
    assert_eq!(file.erased, Some((NOON, name("steward"))), "the first time stands");
}
