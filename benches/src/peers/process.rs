//! A peer's process: started with its data in a temporary folder, waited for until it listens, and ended by its own id.

use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::Outcome;

/// How long a peer may take to listen, and to end when it is asked to.
const WAIT: Duration = Duration::from_secs(30);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(20);

/// A running peer. It ends, and its data goes, when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Where it listens on loopback.
    pub port: u16,
    dir: TempDir,
}

impl Process {
    /// Runs `command`, which is to listen on `port` and to keep its data in `dir`; what it says goes to a file there.
    pub fn start(command: &mut Command, port: u16, dir: TempDir) -> Outcome<Self> {
        let said = std::fs::File::create(dir.path().join("said.txt"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(said.try_clone()?)
            .stderr(said)
            .spawn()
            .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let mut process = Self { child, port, dir };
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if let Some(status) = process.child.try_wait()? {
                return Err(process.failed(command, &format!("ended with {status}")).into());
            }
            if started.elapsed() > WAIT {
                return Err(process.failed(command, &format!("does not listen after {WAIT:?}")).into());
            }
            std::thread::sleep(LOOK);
        }
        Ok(process)
    }

    fn failed(&self, command: &Command, what: &str) -> String {
        let said = std::fs::read_to_string(self.dir.path().join("said.txt")).unwrap_or_default();
        format!("{} {what}: {said}", command.get_program().display())
    }

    fn end(&mut self) -> io::Result<()> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-INT", &id]).status()?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > WAIT {
                return self.child.kill().and_then(|()| self.child.wait().map(drop));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing can be done about a process that will not end but to leave it.
        let _ = self.end();
    }
}

/// A port that nobody listens on just now.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The program at `path`, if it is there.
pub fn program(path: impl Into<PathBuf>) -> Option<PathBuf> {
    Some(path.into()).filter(|path| path.is_file())
}

/// The benchmarks' own folder.
pub fn benches() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
