//! The filter over all segments changes no answer, and saves asking.

use super::{Given, INCARNATION, answer_alike, given, segments, stream, stub, write};
use crate::{
    keys::LogKey,
    segment::{Memory, Segment, Shelf, Shelved, segment_path},
};
use std::fs;

const ROOMY: Memory = Memory { filters: u64::MAX, blocks: 1_000_000 };

fn add(shelf: &Shelf, dir: &std::path::Path, segment: &Segment) {
    shelf.add(Shelved::new(Segment::open(dir, segment.named(), INCARNATION).unwrap()).unwrap());
}

#[test]
fn the_filter_over_all_segments_changes_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::random().unwrap();
    let names = key.names();
    // Made at the fourth, added to at the fifth, made anew at the last, which has more names than all before.
    let (parts, versions) = segments(dir.path(), &key, &[300, 200, 300, 200, 100, 3_000]);
    let (one_by_one, united) = (Shelf::new(ROOMY), Shelf::new(ROOMY));
    let keys: Vec<_> = (0..4_000).chain([u64::MAX]).map(|number| names.stream(&stream(number))).collect();
    for part in &parts {
        add(&one_by_one, dir.path(), part);
        add(&united, dir.path(), part);
        // Before it is covered, and after.
        for _ in 0..2 {
            answer_alike(&united, &one_by_one, &names, &versions);
            assert_eq!(united.versions(&keys).unwrap(), one_by_one.versions(&keys).unwrap());
            united.unite(|| true).unwrap();
        }
    }
    let dropped = stub(dir.path(), 1, &[&parts[0], &parts[1], &parts[2]]);
    united.replace_front(Shelved::new(Segment::open(dir.path(), dropped, INCARNATION).unwrap()).unwrap());
    answer_alike(&united, &one_by_one, &names, &versions);
    assert_eq!(united.versions(&keys).unwrap(), one_by_one.versions(&keys).unwrap());
}

#[test]
fn a_name_that_no_segment_has_is_asked_of_one_filter_alone() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::random().unwrap();
    let (parts, versions) = segments(dir.path(), &key, &[100; 5]);
    // Room for the filter over all, and for none of the others.
    let shelf = Shelf::new(Memory { filters: 6_500, blocks: 0 });
    for part in &parts {
        add(&shelf, dir.path(), part);
    }
    let new: Vec<_> = (1_000_000..1_001_000).map(|number| key.names().stream(&stream(number))).collect();
    // Given up half way, it covers nothing.
    shelf.unite(|| false).unwrap();
    shelf.unite(|| true).unwrap();
    for number in 1..=5 {
        fs::remove_file(segment_path(dir.path(), number)).unwrap();
    }
    let unasked = new.iter().filter(|key| shelf.version(**key).is_ok()).count();
    assert!(unasked > 950, "{unasked} of 1,000 names were in none for certain");
    assert!(versions.keys().all(|number| shelf.version(key.names().stream(&stream(*number))).is_err()));
}

#[test]
fn without_room_for_it_segments_are_asked_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let key = LogKey::random().unwrap();
    let (parts, versions) = segments(dir.path(), &key, &[100; 5]);
    let (tight, roomy) = (Shelf::new(Memory { filters: 1_000, blocks: 0 }), Shelf::new(ROOMY));
    for part in &parts {
        add(&tight, dir.path(), part);
        add(&roomy, dir.path(), part);
    }
    tight.unite(|| true).unwrap();
    answer_alike(&tight, &roomy, &key.names(), &versions);
    // What comes after is no different.
    let (first, later) = (roomy.end().0 + 1, 50);
    let more: Given = given(first, later, &versions, &key);
    let named = write(dir.path(), 6, &more);
    for shelf in [&tight, &roomy] {
        shelf.add(Shelved::new(Segment::open(dir.path(), named, INCARNATION).unwrap()).unwrap());
        shelf.unite(|| true).unwrap();
    }
    answer_alike(&tight, &roomy, &key.names(), &more.versions);
}
