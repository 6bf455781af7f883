//! The disk: folders and files as recorded, and as they may be found after a power loss.
//!
//! Names: of the changes to one folder since its last sync, the first so many are there: file systems that keep a
//! journal write changes of names in order, and those that do not are not what one puts a log on. Folders are cut
//! apart from each other, and a synced file promises nothing about its own name. Bytes: see [`crate::FileState`].
//!
//! Invariant: what was synced is there, whatever the fate.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::{
    fate::Fate,
    file::{Change, FileState},
    trace::Op,
};

type Node = usize;

#[derive(Debug)]
enum Entry {
    File(FileState),
    Dir(DirState),
}

#[derive(Debug, Default)]
struct DirState {
    synced: BTreeMap<OsString, Node>,
    live: BTreeMap<OsString, Node>,
    /// With the number of the step that made it.
    since: Vec<(usize, Naming)>,
}

#[derive(Clone, Debug)]
enum Naming {
    Set(OsString, Node),
    Unset(OsString),
    Move(OsString, OsString),
}

fn apply(names: &mut BTreeMap<OsString, Node>, naming: &Naming) {
    match naming {
        Naming::Set(name, node) => drop(names.insert(name.clone(), *node)),
        Naming::Unset(name) => drop(names.remove(name)),
        Naming::Move(from, to) => {
            if let Some(node) = names.remove(from) {
                names.insert(to.clone(), node);
            }
        }
    }
}

/// A disk that follows a record, step by step.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    nodes: Vec<Entry>,
    by_inode: HashMap<u64, Node>,
    /// Syncs under way: what they are of, and when they began.
    syncs: HashMap<u64, (Node, usize)>,
    steps: usize,
}

const ROOT: Node = 0;

impl Disk {
    /// The folder as it lies there now, all of it synced.
    pub fn load(root: &Path) -> Self {
        let root = root.canonicalize().expect("the folder is there");
        let mut disk = Self {
            root: root.clone(),
            nodes: Vec::new(),
            by_inode: HashMap::new(),
            syncs: HashMap::new(),
            steps: 0,
        };
        disk.load_entry(&root);
        disk
    }

    fn load_entry(&mut self, path: &Path) -> Node {
        let metadata = fs::metadata(path).expect("the folder can be read");
        let dir = metadata.is_dir();
        let entry = if dir { Entry::Dir(DirState::default()) } else { Entry::File(FileState::default()) };
        let node = self.add(metadata.ino(), entry);
        if dir {
            let mut names = BTreeMap::new();
            for entry in fs::read_dir(path).expect("the folder can be read") {
                let entry = entry.expect("the folder can be read");
                names.insert(entry.file_name(), self.load_entry(&entry.path()));
            }
            *self.dir(node) = DirState { synced: names.clone(), live: names, since: Vec::new() };
        } else {
            let bytes = fs::read(path).expect("the folder can be read");
            self.nodes[node] = Entry::File(FileState::of_synced(bytes));
        }
        node
    }

    fn add(&mut self, inode: u64, entry: Entry) -> Node {
        self.nodes.push(entry);
        // A number that comes again is another file.
        self.by_inode.insert(inode, self.nodes.len() - 1);
        self.nodes.len() - 1
    }

    /// How many steps were taken.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Takes the next step of the record.
    pub fn step(&mut self, op: &Op) {
        let step = self.steps;
        self.steps += 1;
        match op {
            Op::Create { path, inode } => {
                let node = self.add(*inode, Entry::File(FileState::default()));
                self.name(path, |name| Naming::Set(name, node));
            }
            Op::MakeDir { path, inode } => {
                let node = self.add(*inode, Entry::Dir(DirState::default()));
                self.name(path, |name| Naming::Set(name, node));
            }
            Op::Unlink(path) | Op::RemoveDir(path) => self.name(path, Naming::Unset),
            Op::Rename { from, to } => {
                assert_eq!(from.parent(), to.parent(), "there is no model of a move between folders");
                let to = name_of(to);
                self.name(from, |from| Naming::Move(from, to));
            }
            Op::Write { inode, at, bytes } => {
                let change = Change::Write { at: *at, bytes: bytes.clone() };
                self.file(*inode).change(step, change);
            }
            Op::Resize { inode, len } => self.file(*inode).change(step, Change::Resize(*len)),
            Op::SyncBegin { inode, number } => {
                let node = self.by_inode[inode];
                self.syncs.insert(*number, (node, step));
            }
            Op::SyncEnd { number, .. } => self.sync(*number),
            Op::Unmodelled { call, path } => {
                panic!("the log calls {call} on {}: the tests have no model of it", path.display())
            }
        }
    }

    fn sync(&mut self, number: u64) {
        let (node, begun) = self.syncs.remove(&number).expect("a sync begins before it ends");
        match &mut self.nodes[node] {
            Entry::File(file) => file.sync(begun),
            Entry::Dir(dir) => {
                let count = dir.since.partition_point(|(step, _)| *step < begun);
                dir.since.drain(..count).for_each(|(_, naming)| apply(&mut dir.synced, &naming));
            }
        }
    }

    fn name(&mut self, path: &Path, naming: impl FnOnce(OsString) -> Naming) {
        let step = self.steps - 1;
        let naming = naming(name_of(path));
        let parent = self.find(path.parent().expect("below the root"));
        let dir = self.dir(parent);
        apply(&mut dir.live, &naming);
        dir.since.push((step, naming));
    }

    fn find(&mut self, path: &Path) -> Node {
        let below = path.strip_prefix(&self.root).expect("below the root").to_owned();
        below.iter().fold(ROOT, |node, name| self.dir(node).live[name])
    }

    fn dir(&mut self, node: Node) -> &mut DirState {
        match &mut self.nodes[node] {
            Entry::Dir(dir) => dir,
            Entry::File(_) => panic!("a file where the record has a folder"),
        }
    }

    fn file(&mut self, inode: u64) -> &mut FileState {
        match &mut self.nodes[self.by_inode[&inode]] {
            Entry::File(file) => file,
            Entry::Dir(_) => panic!("a folder where the record has a file"),
        }
    }

    /// Writes what `name` in the root, a folder, may be found as after a power loss now. False: not even its name is.
    pub fn leave(&self, name: &str, to: &Path, fate: &mut Fate) -> bool {
        let Some(node) = self.survivors(ROOT, fate).remove(OsStr::new(name)) else { return false };
        self.leave_node(node, to, fate);
        true
    }

    fn leave_node(&self, node: Node, to: &Path, fate: &mut Fate) {
        match &self.nodes[node] {
            Entry::File(file) => file.leave(to, fate).expect("there is room for the disk left behind"),
            Entry::Dir(_) => {
                fs::create_dir(to).expect("there is room for the disk left behind");
                for (name, node) in self.survivors(node, fate) {
                    self.leave_node(node, &to.join(name), fate);
                }
            }
        }
    }

    fn survivors(&self, node: Node, fate: &mut Fate) -> BTreeMap<OsString, Node> {
        let Entry::Dir(dir) = &self.nodes[node] else { panic!("a file where the record has a folder") };
        let mut names = dir.synced.clone();
        let kept = fate.names_kept(dir.since.len());
        dir.since.iter().take(kept).for_each(|(_, naming)| apply(&mut names, naming));
        names
    }

    /// Fails unless the folder on the real disk is what the record makes of it.
    pub fn assert_seen_whole(&self) {
        self.assert_same(ROOT, &self.root);
    }

    fn assert_same(&self, node: Node, path: &Path) {
        match &self.nodes[node] {
            Entry::File(file) => {
                let real = fs::read(path).expect("the load's files can be read");
                assert!(file.live() == real, "{} was changed past the shim", path.display());
            }
            Entry::Dir(dir) => {
                let entries = fs::read_dir(path).expect("the load's folder can be read");
                let mut real: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
                real.sort();
                let seen: Vec<_> = dir.live.keys().cloned().collect();
                assert_eq!(seen, real, "names in {} changed past the shim", path.display());
                dir.live.iter().for_each(|(name, node)| self.assert_same(*node, &path.join(name)));
            }
        }
    }
}

fn name_of(path: &Path) -> OsString {
    path.file_name().expect("a path below the root").to_owned()
}
