//! The binary `pegcount`, built as the tests are, and run to its end.

use std::{
    ffi::OsStr,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

/// The workspace's folder.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace")
}

/// A command that runs the binary, without any settings of this machine's user. The first call builds it: cargo hands a
/// test only the binaries of its own package.
pub fn pegcount() -> Command {
    clean(Command::new(binary()))
}

/// Where the binary lies. The first call builds it.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(build)
}

/// A command that runs the binary, without any settings of this machine's user.
pub(crate) fn clean(mut command: Command) -> Command {
    for variable in [
        "PEGCOUNT_SERVER",
        "PEGCOUNT_TOKEN",
        "PEGCOUNT_DATA_DIR",
        "PEGCOUNT_LISTEN",
        "PEGCOUNT_VAULT_KEY",
        "PEGCOUNT_VAULT_KEY_FILE",
    ] {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

fn build() -> PathBuf {
    // …/target/<profile>/deps/<test>: the binary of the same profile lies two folders up.
    let test = std::env::current_exe().expect("this test's own path");
    let profile = test.parent().and_then(Path::parent).expect("a profile's folder");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace()).args(["build", "--quiet", "--locked", "--package", "pegcount-cli"]);
    cargo.arg("--target-dir").arg(profile.parent().expect("the target folder"));
    // What cargo tells this test about itself would make it build again whatever asks for that: `ring`, and all above it.
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_MANIFEST_") || name.starts_with("CARGO_PKG_") {
            cargo.env_remove(&variable);
        }
    }
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo runs").success(), "the binary does not build");
    profile.join(format!("pegcount{}", std::env::consts::EXE_SUFFIX))
}

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Output {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    fn of(output: &std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Its standard output, if it succeeded.
    pub fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self.stdout
    }

    /// Its standard error, if it failed as a command that could not do it: with code 1, in words for people.
    pub fn failure(self) -> String {
        assert_eq!(self.code, Some(1), "{}\n{}", self.stdout, self.stderr);
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self.stderr
    }
}

/// Runs the binary to its end, with this on its standard input.
pub fn run_with(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>, input: &str) -> Output {
    let mut command = pegcount();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let mut stdin = child.stdin.take().expect("standard input is piped");
    // Who ends without reading all of it is none of our affair.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    Output::of(&child.wait_with_output().expect("the binary runs"))
}

/// Runs the binary to its end.
pub fn run(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    Output::of(&pegcount().args(arguments).output().expect("the binary runs"))
}
