//! Customers' files: sealed, read on record, erased for good; nothing personal in the log.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    clippy::unused_self,
    clippy::assigning_clones,
    dead_code,
    reason = "tests"
)]

mod support;

use std::{fs, path::Path};

use pegcount_domain::{
    customer::{Reader, ValueKind},
    event::EventType,
    ids::{CustomerId, Name, ReasonCode},
    time::Micros,
};
use pegcount_engine::{Carried, EngineError, ReadValue, ValuesToKeep, VaultError};
use support::{MORNING, Place, batch, command, name, place, send, site, started};

const NAME: &str = "Annemarie Mustermann-Marker";
const NUMBER: &str = "+49 30 9876543210";

fn reason(text: &str) -> ReasonCode {
    ReasonCode(name(text))
}

fn to_keep(values: &[(ValueKind, &str)]) -> ValuesToKeep {
    let values = values.iter().map(|(kind, plain)| (*kind, (*plain).to_owned())).collect();
    ValuesToKeep { values, known_by: Vec::new() }
}

impl Place {
    async fn ann(&self) -> CustomerId {
        self.engine.customer_by(&site(), NUMBER.to_owned()).await.unwrap()
    }

    async fn keep(
        &self,
        of: &CustomerId,
        keep: ValuesToKeep,
        id: u128,
    ) -> Result<(Carried, Vec<Name>), EngineError> {
        self.engine.keep_values(&site(), of, keep, &name("clerk"), command(id)).await
    }

    async fn read(
        &self,
        of: &CustomerId,
        who: &str,
        values: &[Name],
        id: u128,
    ) -> Result<Vec<ReadValue>, EngineError> {
        let who = name(who);
        let reader = Reader { name: &who, is_steward: who.as_str() == "steward", answers_for_ticket: false };
        let (values, purpose) = (values.to_vec(), reason("call_back"));
        self.engine.read_values(&site(), of, values, purpose, reader, command(id)).await
    }

    async fn erase(&self, of: &CustomerId, id: u128) -> Carried {
        let (reason, who) = (reason("asked_for"), name("steward"));
        self.engine.erase_customer(&site(), of, reason, &who, command(id)).await.unwrap()
    }

    async fn types(&self) -> Vec<EventType> {
        let filter = pegcount_log::Filter::default();
        let page =
            self.engine.read_log(pegcount_domain::envelope::Position(1), 1_000, &filter).await.unwrap();
        page.events.iter().map(|event| event.event_type).collect()
    }
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[tokio::test]
async fn a_value_is_read_for_a_purpose_and_stands_in_the_log_before_it_is_given_out() {
    let place = place().await;
    let ann = place.ann().await;
    let (done, references) = place.keep(&ann, to_keep(&[(ValueKind::Name, NAME)]), 1).await.unwrap();
    let refused = place.read(&ann, "bob", &references, 2).await.err().unwrap();
    assert!(
        matches!(&refused, EngineError::Precondition(_)) && refused.to_string().contains("bob has no access")
    );
    assert_eq!(place.engine.end(), done.position, "who was refused read nothing");
    let until = MORNING.plus(Micros(3_600_000_000));
    let grant = (name("bob"), reason("call_back"), until);
    place.engine.grant_access(&site(), &ann, grant, &name("steward"), command(3)).await.unwrap();
    let read = place.read(&ann, "bob", &references, 4).await.unwrap();
    assert_eq!((read[0].kind, read[0].plain.as_str()), (ValueKind::Name, NAME));
    assert_eq!(place.types().await.last(), Some(&EventType::CUSTOMER_READ));
    assert_eq!(place.engine.customer(&site(), &ann).unwrap().file.reads, 1);
    place.clock.set(until);
    assert!(place.read(&ann, "bob", &references, 5).await.is_err(), "it has ended");
    assert!(place.read(&ann, "bob", &references, 4).await.is_err(), "nor by the command that could once");
    assert!(place.read(&ann, "steward", &references, 6).await.is_ok());
}

#[tokio::test]
async fn keeping_twice_under_one_command_seals_once_and_answers_alike_over_a_restart_too() {
    let place = place().await;
    let ann = place.ann().await;
    let values = || to_keep(&[(ValueKind::Name, NAME), (ValueKind::Text, "a note")]);
    let first = place.keep(&ann, values(), 1).await.unwrap();
    assert_eq!(first.1.len(), 2);
    assert_eq!(place.keep(&ann, values(), 1).await.unwrap(), first);
    let other = place.keep(&ann, values(), 2).await.unwrap();
    assert!(other.1.iter().all(|reference| !first.1.contains(reference)));
    let place = place.restarted().await;
    assert_eq!(place.keep(&ann, values(), 1).await.unwrap(), first);
    assert_eq!(place.engine.customer(&site(), &ann).unwrap().file.values.len(), 4);
}

#[tokio::test]
async fn a_customer_of_calls_is_found_by_the_number_and_by_what_was_added() {
    let place = place().await;
    let session = place.session("exchange");
    send(&session, batch(1, MORNING, vec![started("c1", NUMBER)])).await.unwrap();
    place.settled().await;
    let ann = place.engine.find_customer(&site(), "+49309876543210").unwrap();
    assert_eq!((ann.file.version.0, ann.file.values.len()), (0, 0));
    let contact = place.engine.contact(&site(), &pegcount_domain::ids::ContactId(name("c1"))).await.unwrap();
    assert_eq!(contact.state.customer, Some(ann.customer.clone()));
    let known_by = vec!["annemarie@example.org".to_owned()];
    place.keep(&ann.customer, ValuesToKeep { known_by, ..to_keep(&[]) }, 1).await.unwrap();
    let found = place.engine.find_customer(&site(), "annemarie@example.org").unwrap();
    assert_eq!(found.customer, ann.customer);
    let nobody = place.engine.find_customer(&site(), "+49 1").err().unwrap();
    assert!(
        matches!(&nobody, EngineError::NotFound { .. }) && !nobody.to_string().contains("+49"),
        "{nobody}"
    );
    let bob = place.engine.customer_by(&site(), "bob".to_owned()).await.unwrap();
    let taken = ValuesToKeep { known_by: vec!["annemarie@example.org".to_owned()], ..to_keep(&[]) };
    let error = place.keep(&bob, taken, 2).await.unwrap_err();
    assert!(matches!(error, EngineError::Vault(VaultError::Taken { index: 0, .. })), "{error}");
}

#[tokio::test]
async fn an_erased_customer_is_read_by_nobody_and_every_event_stays() {
    let place = place().await;
    let ann = place.ann().await;
    let (_, references) = place.keep(&ann, to_keep(&[(ValueKind::Name, NAME)]), 1).await.unwrap();
    let before = place.engine.end();
    let done = place.erase(&ann, 2).await;
    assert_eq!(done.position, before.next());
    assert_eq!(place.erase(&ann, 2).await, done, "the same command again");
    place.erase(&ann, 3).await;
    assert_eq!(place.engine.end(), done.position, "another one finds it done");
    let place = place.restarted().await;
    let refused = place.read(&ann, "steward", &references, 4).await.err().unwrap();
    assert!(
        refused.to_string().contains("the customer was erased at 2026-03-02T08:00:00Z by steward"),
        "{refused}"
    );
    assert!(place.keep(&ann, to_keep(&[(ValueKind::Text, "x")]), 5).await.is_err());
    assert!(place.engine.find_customer(&site(), NUMBER).is_err());
    assert_ne!(place.ann().await, ann, "who calls again is somebody new");
    let file = place.engine.customer(&site(), &ann).unwrap().file;
    assert_eq!((file.values.len(), file.erased.is_some()), (1, true), "what there was stays on record");
}

#[tokio::test]
async fn a_vault_from_before_the_erasure_is_erased_again_from_the_log() {
    let place = place().await;
    let ann = place.ann().await;
    let (_, references) = place.keep(&ann, to_keep(&[(ValueKind::Name, NAME)]), 1).await.unwrap();
    place.engine.close().await.unwrap();
    let older = tempfile::tempdir().unwrap();
    copy_dir(&place.dir.path().join("vault"), older.path());
    let place = place.restarted().await;
    place.erase(&ann, 2).await;
    place.engine.close().await.unwrap();
    // Ledger and all: only the log knows. So it is after a crash between the event and the vault, too.
    copy_dir(older.path(), &place.dir.path().join("vault"));
    let key = fs::read(older.path().join("keys")).unwrap()[4_096 + 16..4_096 + 88].to_vec();
    let held = |dir: &Path| {
        let bytes = fs::read(dir.join("vault/keys")).unwrap();
        bytes.windows(key.len()).any(|window| window == key)
    };
    assert!(held(place.dir.path()));
    let place = place.restarted().await;
    assert!(!held(place.dir.path()));
    assert!(place.engine.find_customer(&site(), NUMBER).is_err());
    assert!(place.read(&ann, "steward", &references, 3).await.is_err());
}

#[tokio::test]
async fn nobody_is_no_customer_and_a_surrogate_alone_is_enough() {
    let place = place().await;
    let stranger = CustomerId::new(&format!("c_{}", "b".repeat(26))).unwrap();
    for customer in [&stranger, &CustomerId::new("ann").unwrap()] {
        let error = place.keep(customer, to_keep(&[(ValueKind::Text, "x")]), 1).await.unwrap_err();
        assert!(matches!(error, EngineError::NotFound { what: "customer", .. }), "{error}");
        assert!(matches!(place.engine.customer(&site(), customer), Err(EngineError::NotFound { .. })));
    }
    let ann = place.ann().await;
    assert_eq!(place.engine.customer(&site(), &ann).unwrap().file.version.0, 0);
    let tier = |id| {
        let (engine, ann) = (&place.engine, &ann);
        async move { engine.set_tier(&site(), ann, name("VIP"), &name("lead"), command(id)).await }
    };
    let set = tier(1).await.unwrap();
    assert_eq!(
        (tier(2).await.unwrap().version, place.engine.end()),
        (set.version, set.position),
        "it is so already"
    );
}
