//! Builds shim.c and starts a process under it.
//!
//! Not for what the record means: that is [`crate::trace`]. Invariant: one build per process.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use tempfile::TempDir;

const SOURCE: &str = include_str!("../shim.c");
/// Long enough for the next group to form while one syncs, as it does on a disk.
const SYNC_MICROS: u32 = 300;

/// What the shim does besides recording.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// `fdatasync` of files whose path ends so is left out.
    pub left_out: Option<&'static str>,
    /// By how many bytes files may grow before the disk is full.
    pub room_bytes: Option<u64>,
}

/// The built library.
fn library() -> &'static Path {
    static BUILT: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = BUILT.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a folder for the shim");
        let path = dir.path().join("power-shim.so");
        build(&path);
        (dir, path)
    });
    path
}

fn build(path: &Path) {
    const HERE: bool = cfg!(all(target_os = "linux", target_env = "gnu"));
    assert!(std::hint::black_box(HERE), "power loss is tested on Linux with glibc");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let mut command = Command::new(&compiler);
    command.args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-x", "c", "-o"]).arg(path);
    command.args(["-", "-ldl", "-lpthread"]).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!("cannot run the C compiler {compiler:?}: {error}; install one (Debian: apt-get install gcc), or name it in CC")
    });
    child.stdin.take().expect("piped").write_all(SOURCE.as_bytes()).expect("the compiler reads");
    assert!(child.wait().expect("the compiler ends").success(), "{compiler} cannot build shim.c");
}

/// `program` under the shim, which records what becomes of `root` in `trace`.
pub fn under_shim(program: &Path, root: &Path, trace: &Path, faults: &Faults) -> Command {
    let root = root.canonicalize().expect("the folder is there");
    let mut command = Command::new(program);
    command
        .env("LD_PRELOAD", library())
        .env("POWER_ROOT", root)
        .env("POWER_TRACE", trace)
        .env("POWER_SYNC_MICROS", SYNC_MICROS.to_string());
    if let Some(end) = faults.left_out {
        command.env("POWER_LEAVE_OUT", end);
    }
    if let Some(bytes) = faults.room_bytes {
        command.env("POWER_ROOM_BYTES", bytes.to_string());
    }
    command
}
