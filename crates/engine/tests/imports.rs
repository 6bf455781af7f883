//! Records of other systems: in once, whoever brings them and in whatever order.
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

use pegcount_domain::{
    envelope::Position,
    event::{Channel, Direction, Event, QueueExit},
    ids::{ContactId, QueueId, SourceId, VisitId},
    time::Micros,
};
use pegcount_engine::{Correction, ImportRecord, Imported};
use support::{MORNING, Place, command, name, place, site};

fn record(contact: &str, facts: usize) -> ImportRecord {
    let visit = || VisitId(name("1"));
    let all = vec![
        Event::ContactStarted {
            channel: Channel::Voice,
            direction: Direction::Inbound,
            entry: None,
            customer: None,
            journey: None,
            callback: false,
            priority: 0,
        },
        Event::QueueEntered { visit: visit(), queue: QueueId(name("PS")), priority: 0 },
        Event::QueueLeft { visit: visit(), exit: QueueExit::Abandoned, ringing: false },
    ];
    ImportRecord {
        contact: ContactId(name(contact)),
        caller: Some("555".to_owned()),
        facts: all.into_iter().take(facts).map(|event| (MORNING, event)).collect(),
    }
}

async fn import(place: &Place, records: Vec<ImportRecord>) -> Imported {
    place.engine.import(&site(), &SourceId(name("bank")), &name("importer"), records).await.unwrap()
}

#[tokio::test]
async fn a_second_import_adds_nothing_in_whatever_order() {
    let place = place().await;
    let first = import(&place, vec![record("a", 3), record("b", 3)]).await;
    assert_eq!((first.added, first.events), (2, 6));
    let second = import(&place, vec![record("b", 3), record("a", 3)]).await;
    assert_eq!((second.added, second.present, second.events), (0, 2, 0));
}

#[tokio::test]
async fn a_record_that_grew_is_appended_from_where_it_stood() {
    let place = place().await;
    import(&place, vec![record("a", 2)]).await;
    let grown = import(&place, vec![record("a", 3)]).await;
    assert_eq!((grown.added, grown.grown, grown.events), (0, 1, 1));
    let shorter = import(&place, vec![record("a", 1)]).await;
    assert_eq!((shorter.present, shorter.events), (1, 0));
}

#[tokio::test]
async fn a_record_that_grew_after_a_correction_loses_nothing() {
    let place = place().await;
    import(&place, vec![record("a", 2)]).await;
    let annul = Correction::Annul;
    place.engine.correct(&site(), Position(2), annul, "wrong", &name("lead"), command(1)).await.unwrap();
    let grown = import(&place, vec![record("a", 3)]).await;
    assert_eq!((grown.grown, grown.events), (1, 1), "the correction is no fact of the record");
    let again = import(&place, vec![record("a", 3)]).await;
    assert_eq!((again.present, again.events), (1, 0));
}

#[tokio::test]
async fn the_same_record_twice_in_one_request_goes_in_once() {
    let place = place().await;
    let done = import(&place, vec![record("a", 3), record("a", 3)]).await;
    assert_eq!((done.added, done.present, done.events), (1, 1, 3));
}

#[tokio::test]
async fn a_record_that_is_wrong_is_refused_and_the_rest_goes_in() {
    let place = place().await;
    let mut early = record("old", 3);
    early.facts[0].0 = Micros(0);
    let done = import(&place, vec![record("empty", 0), early, record("a", 3)]).await;
    assert_eq!(done.added, 1);
    let refused: Vec<_> = done.refusals.iter().map(|(contact, _)| contact.as_str()).collect();
    assert_eq!(refused, ["empty", "old"]);
}
