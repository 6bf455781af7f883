//! A real `pegcount serve` as a process of its own.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use crate::binary::{clean, pegcount};

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    url: String,
    opened: String,
    data_dir: PathBuf,
    /// What it has written to standard error so far.
    said: Arc<Mutex<String>>,
}

impl Server {
    /// Starts a server on `data_dir`, on a free port, and waits until it listens.
    pub fn start(data_dir: &Path) -> Self {
        Self::start_on(data_dir, 0)
    }

    /// Starts a server on `data_dir` and `port`, and waits until it listens.
    pub fn start_on(data_dir: &Path, port: u16) -> Self {
        Self::start_with(data_dir, port, &[])
    }

    /// Starts a server with more arguments, and waits until it listens.
    pub fn start_with(data_dir: &Path, port: u16, more: &[&str]) -> Self {
        Self::run_with(pegcount(), data_dir, port, more)
    }

    /// Starts a server by a command that runs the binary in a way of its own, and waits until it listens.
    pub fn start_by(command: Command, data_dir: &Path, port: u16) -> Self {
        Self::run_with(clean(command), data_dir, port, &[])
    }

    fn run_with(mut command: Command, data_dir: &Path, port: u16, more: &[&str]) -> Self {
        command.arg("serve").arg("--data-dir").arg(data_dir).arg("--listen").arg(format!("127.0.0.1:{port}"));
        command.args(more);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let stdout = child.stdout.take().expect("standard output is piped");
        let mut lines = BufReader::new(stdout).lines();
        let url = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
        let Some(url) = url else {
            let output = child.wait_with_output().expect("it has ended");
            panic!("the server did not start: {}", String::from_utf8_lossy(&output.stderr));
        };
        let opened = lines.next().and_then(Result::ok).expect("it says what it has opened");
        // Nobody must be left to fill a pipe that is not read: the server would block.
        let stderr = child.stderr.take().expect("standard error is piped");
        std::thread::spawn(move || lines.for_each(drop));
        let said = Arc::new(Mutex::new(String::new()));
        let hears = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                hears.lock().expect("nobody panics with it").push_str(&line);
            }
        });
        Self { child, url, opened, data_dir: data_dir.to_owned(), said }
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it has said of the folder that it opened.
    pub fn opened(&self) -> &str {
        &self.opened
    }

    /// What it has written to standard error so far: its log.
    pub fn said(&self) -> String {
        self.said.lock().expect("nobody panics with it").clone()
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").expect("plain text on loopback")
    }

    /// What a GET of `path` gives: the status code and the body.
    pub fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address()).expect("it listens");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address());
        stream.write_all(request.as_bytes()).expect("it takes a request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers in text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status code");
        (code, body.to_owned())
    }

    /// The file of the administrator's token.
    pub fn token_file(&self) -> PathBuf {
        self.data_dir.join("local-token")
    }

    /// The administrator's token.
    pub fn token(&self) -> String {
        std::fs::read_to_string(self.token_file()).expect("a local token")
    }

    /// The arguments that make a command ask this server.
    pub fn target(&self) -> [String; 4] {
        let token = self.token_file().display().to_string();
        ["--server".into(), self.url.clone(), "--token-file".into(), token]
    }

    /// The power goes, as far as the process can tell: SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it has ended");
    }

    /// Asks it to end (SIGTERM) and waits; returns its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("it has ended").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody uses at the moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has one").port()
}
