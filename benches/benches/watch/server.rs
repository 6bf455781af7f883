//! The server as a process of its own: this program, started once more.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use pegcount_benches::{Outcome, serve::Pegcount};

/// Says that a process is the server, and where its data lies.
const FOLDER: &str = "PEGCOUNT_BENCH_SERVE";

pub(crate) fn is_asked_for() -> bool {
    std::env::var_os(FOLDER).is_some()
}

/// Serves until it is killed.
pub(crate) fn run() -> Outcome<()> {
    let dir = std::env::var_os(FOLDER).ok_or("no folder")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let pegcount = Pegcount::start(Path::new(&dir)).await?;
        println!("{} {}", pegcount.endpoint, pegcount.token);
        std::future::pending().await
    })
}

/// The server's process; killed when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) endpoint: String,
    pub(crate) token: String,
}

impl Process {
    pub(crate) fn start(dir: &Path) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.env(FOLDER, dir).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let (endpoint, token) = line.trim().split_once(' ').ok_or("the server did not start")?;
        Ok(Self { child, endpoint: endpoint.to_owned(), token: token.to_owned() })
    }

    /// What it has used of the processors.
    pub(crate) fn processor_seconds(&self) -> f64 {
        pegcount_benches::measure::processor_seconds_of(self.child.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Gone already is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
