#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

//! The model of the disk: what a power loss may leave, and what it may not.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use pegcount_power_tests::{disk::Disk, fate::Fate, trace::Op, work_place};

const FILE: u64 = 1_000_001;
const DIR: u64 = 1_000_002;

/// A root with a folder `log` that is made and synced, and what is to happen there.
struct Bench {
    work: tempfile::TempDir,
    disk: Disk,
    syncs: u64,
}

impl Bench {
    fn new() -> Self {
        let work = work_place();
        fs::create_dir_all(work.path().join("root/log")).unwrap();
        fs::write(work.path().join("root/log/old"), "before").unwrap();
        let disk = Disk::load(&work.path().join("root"));
        Self { work, disk, syncs: 0 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.work.path().join("root/log").join(name)
    }

    fn create(&mut self, name: &str) {
        let path = self.path(name);
        self.disk.step(&Op::Create { path, inode: FILE });
    }

    fn write(&mut self, at: u64, bytes: &[u8]) {
        self.disk.step(&Op::Write { inode: FILE, at, bytes: Bytes::copy_from_slice(bytes) });
    }

    fn resize(&mut self, len: u64) {
        self.disk.step(&Op::Resize { inode: FILE, len });
    }

    fn sync(&mut self, inode: u64) {
        self.syncs += 1;
        self.disk.step(&Op::SyncBegin { inode, number: self.syncs });
        self.disk.step(&Op::SyncEnd { inode, number: self.syncs });
    }

    fn log_inode(&self) -> u64 {
        std::os::unix::fs::MetadataExt::ino(&fs::metadata(self.work.path().join("root/log")).unwrap())
    }

    /// What `look` sees of the disk after each of many power losses.
    fn after<T: Ord>(&self, look: impl Fn(&Path) -> T) -> BTreeSet<T> {
        let left = self.work.path().join("left");
        let fates = (0..400).map(|seed| {
            assert!(self.disk.leave("log", &left, &mut Fate::new(seed)));
            let seen = look(&left);
            fs::remove_dir_all(&left).unwrap();
            seen
        });
        fates.collect()
    }

    fn files_after(&self) -> BTreeSet<Option<Vec<u8>>> {
        self.after(|left| fs::read(left.join("file")).ok())
    }
}

/// A synced file of as and bs, with its name.
fn synced_file() -> Bench {
    let mut bench = Bench::new();
    bench.create("file");
    bench.write(0, &[b'a'; 4_096]);
    bench.write(4_096, &[b'b'; 4_096]);
    bench.sync(FILE);
    bench.sync(bench.log_inode());
    bench
}

#[test]
fn what_was_synced_is_there() {
    let seen = synced_file().files_after();
    assert_eq!(seen, [Some([[b'a'; 4_096], [b'b'; 4_096]].concat())].into());
}

#[test]
fn a_synced_file_may_still_have_no_name_and_a_name_no_bytes() {
    let mut bench = Bench::new();
    bench.create("file");
    bench.write(0, b"bytes");
    bench.sync(FILE);
    assert_eq!(bench.files_after(), [None, Some(b"bytes".to_vec())].into());
    let mut bench = Bench::new();
    bench.create("file");
    bench.write(0, b"bytes");
    bench.sync(bench.log_inode());
    let seen = bench.files_after();
    assert_eq!(seen, [b"".to_vec(), vec![0; 5], b"bytes".to_vec()].map(Some).into());
}

#[test]
fn writes_are_lost_torn_and_reordered_by_sectors_alone() {
    let mut bench = synced_file();
    bench.write(1_000, &[b'x'; 6_000]);
    bench.write(6_000, &[b'y'; 2_192]);
    let mut whole = [false; 2];
    let mut reordered = false;
    for bytes in bench.files_after().into_iter().map(Option::unwrap) {
        assert_eq!(bytes.len(), 8_192);
        for (number, sector) in bytes.chunks(512).enumerate() {
            let version = |at: usize, with_y: bool| match (number * 512 + at, with_y) {
                (6_000.., true) => b'y',
                (1_000..7_000, _) => b'x',
                (4_096.., _) => b'b',
                _ => b'a',
            };
            let old = |at: usize| if number * 512 + at < 4_096 { b'a' } else { b'b' };
            let is = |expected: &dyn Fn(usize) -> u8| {
                sector.iter().enumerate().all(|(at, byte)| *byte == expected(at))
            };
            let versions = [is(&old), is(&|at| version(at, false)), is(&|at| version(at, true))];
            assert!(versions.contains(&true), "sector {number} is of no moment");
        }
        whole[0] |= !bytes.contains(&b'x') && !bytes.contains(&b'y');
        whole[1] |= bytes[1_000..6_000].iter().all(|byte| *byte == b'x') && bytes.ends_with(&[b'y'; 2_192]);
        reordered |= bytes.ends_with(&[b'y'; 1_024]) && bytes[1_024..2_048].iter().all(|byte| *byte == b'a');
    }
    assert!(whole[0] && whole[1] && reordered);
}

#[test]
fn a_write_that_comes_while_a_sync_is_under_way_is_not_promised() {
    let mut bench = synced_file();
    bench.write(0, b"1");
    bench.disk.step(&Op::SyncBegin { inode: FILE, number: 90 });
    bench.write(4_096, b"2");
    bench.disk.step(&Op::SyncEnd { inode: FILE, number: 90 });
    let seen = bench.after(|left| {
        let bytes = fs::read(left.join("file")).unwrap();
        (bytes[0], bytes[4_096])
    });
    assert_eq!(seen, [(b'1', b'2'), (b'1', b'b')].into());
}

#[test]
fn a_length_is_lost_with_or_without_the_bytes() {
    let mut bench = synced_file();
    bench.write(8_192, &[b'c'; 100]);
    let seen = bench.after(|left| fs::read(left.join("file")).unwrap().split_off(8_192));
    assert_eq!(seen, [Vec::new(), vec![0; 100], vec![b'c'; 100]].into());
    let mut bench = synced_file();
    bench.resize(4_096);
    bench.write(4_096, &[b'd'; 4_096]);
    let seen = bench.after(|left| {
        let mut tail = fs::read(left.join("file")).unwrap().split_off(4_096);
        tail.dedup();
        String::from_utf8(tail).unwrap()
    });
    // Torn, too: old bytes and new ones never stand together.
    assert!(seen.contains("b") && seen.contains("d") && seen.contains(""));
    assert!(seen.iter().all(|tail| !tail.contains('b') || tail == "b"), "{seen:?}");
}

#[test]
fn names_change_in_order_and_are_kept_once_their_folder_is_synced() {
    let mut bench = Bench::new();
    bench.create("new");
    let (from, to) = (bench.path("new"), bench.path("named"));
    bench.disk.step(&Op::Rename { from, to });
    bench.disk.step(&Op::Unlink(bench.path("old")));
    bench.disk.step(&Op::MakeDir { path: bench.path("dir"), inode: DIR });
    let names = |left: &Path| {
        let names =
            fs::read_dir(left).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.join(" ")
    };
    let seen: Vec<_> = bench.after(names).into_iter().collect();
    assert_eq!(seen, ["dir named", "named", "named old", "new old", "old"]);
    bench.sync(bench.log_inode());
    assert_eq!(bench.after(names), ["dir named".to_owned()].into());
}
