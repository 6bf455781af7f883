//! Reopening: a log that keeps what it is given holds all of it afterwards.

use pegcount_domain::envelope::{Position, Version};
use pegcount_log::{AppendError, Expected};

use super::{
    Subject, all, append, counted, elsewhere, event, events, expecting, mark, mark_at, plain, refused,
    version,
};

pub async fn reopening_keeps_everything(subject: &dyn Subject) {
    let log = subject.open();
    for content in 0..40 {
        append(&*log, plain(vec![event("a", content), event(&format!("s{content}"), 1)])).await;
    }
    let before = all(&*log).await;
    if !subject.keeps() {
        return;
    }
    log.close().await.unwrap();
    drop(log);
    let log = subject.open();
    assert_eq!(log.end(), Position(80));
    assert_eq!(all(&*log).await, before);
    assert_eq!((version(&*log, "a"), version(&*log, "s7")), (40, 1));
}

pub async fn a_source_goes_on_after_reopening(subject: &dyn Subject) {
    if !subject.keeps() {
        return;
    }
    let log = subject.open();
    append(&*log, counted("phone", 1, 1, events("a", 0..5))).await;
    let mut skip = counted("phone", 1, 6, events("lost", 0..1));
    skip.skip_to = Some(8);
    append(&*log, skip.clone()).await;
    drop(log);
    let log = subject.open();
    assert_eq!(mark(&*log, "phone", 1), Some(8));
    assert_eq!(append(&*log, counted("phone", 1, 2, events("a", 1..5))).await.repeats, 4);
    assert_eq!(append(&*log, skip).await.repeats, 1);
    let error = refused(&*log, counted("phone", 1, 2, events("a", 2..3))).await;
    assert!(matches!(error, AppendError::ContentDiffers { seq: 2, .. }), "{error}");
    let error = refused(&*log, counted("phone", 1, 7, events("a", 2..3))).await;
    assert!(matches!(error, AppendError::ContentDiffers { seq: 7, .. }), "{error}");
    assert_eq!(append(&*log, counted("phone", 1, 9, events("a", 9..10))).await.last_seq, Some(9));
}

pub async fn expectations_hold_after_reopening(subject: &dyn Subject) {
    if !subject.keeps() {
        return;
    }
    let log = subject.open();
    append(&*log, plain(events("a", 0..5))).await;
    drop(log);
    let log = subject.open();
    refused(&*log, expecting("a", Expected::NoStream, events("a", 5..6))).await;
    append(&*log, expecting("a", Expected::Version(Version(5)), events("a", 5..6))).await;
    append(&*log, expecting("b", Expected::NoStream, events("b", 5..6))).await;
}

pub async fn the_incarnation_stays(subject: &dyn Subject) {
    let log = subject.open();
    append(&*log, plain(events("a", 0..1))).await;
    let incarnation = log.incarnation();
    assert_eq!(log.status().incarnation, incarnation);
    if !subject.keeps() {
        return;
    }
    drop(log);
    assert_eq!(subject.open().incarnation(), incarnation);
}

pub async fn positions_and_times_go_on_after_reopening(subject: &dyn Subject) {
    if !subject.keeps() {
        return;
    }
    for round in 0..4 {
        let log = subject.open();
        assert_eq!(append(&*log, plain(events("a", 0..3))).await.last, Position(3 * (round + 1)));
        assert!(all(&*log).await.is_sorted_by_key(|event| event.recorded_at));
    }
}

pub async fn sites_count_apart_after_reopening(subject: &dyn Subject) {
    if !subject.keeps() {
        return;
    }
    let log = subject.open();
    append(&*log, counted("phone", 1, 1, events("a", 0..3))).await;
    append(&*log, counted("phone", 1, 1, elsewhere(events("a", 0..1)))).await;
    log.close().await.unwrap();
    drop(log);
    let log = subject.open();
    assert_eq!((mark(&*log, "phone", 1), mark_at(&*log, "elsewhere", "phone", 1)), (Some(3), Some(1)));
    assert_eq!(append(&*log, counted("phone", 1, 2, elsewhere(events("a", 1..2)))).await.written, 1);
}
