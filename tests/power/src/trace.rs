//! What shim.c recorded, as it lies in the file.
//!
//! Not for what it does to a disk: that is [`crate::disk`]. Invariant: the order is that of the changes.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::PathBuf};

use bytes::{Buf, Bytes};

/// One recorded step. Inodes are those of the file system: a number may come again once its file is gone.
#[derive(Clone, Debug)]
pub enum Op {
    /// A new file under a new name.
    Create {
        /// Its path.
        path: PathBuf,
        /// Its inode.
        inode: u64,
    },
    /// Bytes written.
    Write {
        /// The file.
        inode: u64,
        /// Where, in bytes from its beginning.
        at: u64,
        /// The bytes.
        bytes: Bytes,
    },
    /// A file got another length.
    Resize {
        /// The file.
        inode: u64,
        /// The length in bytes.
        len: u64,
    },
    /// fsync or fdatasync was called on a file or folder.
    SyncBegin {
        /// The file or folder.
        inode: u64,
        /// Tells syncs apart.
        number: u64,
    },
    /// And returned.
    SyncEnd {
        /// The file or folder.
        inode: u64,
        /// The number of its beginning.
        number: u64,
    },
    /// A file got another name.
    Rename {
        /// The old path.
        from: PathBuf,
        /// The new path.
        to: PathBuf,
    },
    /// A file's name went.
    Unlink(PathBuf),
    /// A new folder.
    MakeDir {
        /// Its path.
        path: PathBuf,
        /// Its inode.
        inode: u64,
    },
    /// An empty folder went.
    RemoveDir(PathBuf),
    /// A call that there is no model of.
    Unmodelled {
        /// Its name.
        call: String,
        /// What it was called on.
        path: PathBuf,
    },
}

/// Parses a whole record.
pub fn parse(mut record: Bytes) -> Vec<Op> {
    let mut ops = Vec::new();
    while !record.is_empty() {
        ops.push(next(&mut record));
    }
    ops
}

fn next(record: &mut Bytes) -> Op {
    let kind = record.get_u32_ne();
    let path_bytes = record.get_u32_ne();
    let (inode, number) = (record.get_u64_ne(), record.get_u64_ne());
    let data_bytes = usize::try_from(record.get_u64_ne()).expect("fits in memory");
    let path = path(&record.split_to(usize::try_from(path_bytes).expect("fits in memory")));
    let data = record.split_to(data_bytes);
    match kind {
        1 => Op::Create { path, inode },
        2 => Op::Write { inode, at: number, bytes: data },
        3 => Op::Resize { inode, len: number },
        4 => Op::SyncBegin { inode, number },
        5 => Op::SyncEnd { inode, number },
        6 => Op::Rename { from: path, to: self::path(&data) },
        7 => Op::Unlink(path),
        8 => Op::MakeDir { path, inode },
        9 => Op::RemoveDir(path),
        10 => Op::Unmodelled { call: String::from_utf8_lossy(&data).into_owned(), path },
        _ => panic!("shim.c records no kind {kind}"),
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}
