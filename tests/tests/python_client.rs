//! A softphone that is not written in Rust: the thirty lines of Python against a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

use std::process::Command;

use pegcount_tests::{Server, workspace};

/// Runs a Python with the test's own packages, as `tests/run.sh` has installed them.
fn python(arguments: &[&str], stubs: &str) -> String {
    let interpreter = workspace().join("tests/.venv/bin/python");
    assert!(interpreter.exists(), "{} is not there: run ./tests/run.sh", interpreter.display());
    let mut command = Command::new(interpreter);
    command
        .current_dir(workspace())
        .args(arguments)
        .env("PYTHONPATH", stubs)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    stdout.into_owned()
}

#[test]
fn a_python_softphone_takes_a_call_and_reads_its_own_figure() {
    let dir = tempfile::tempdir().unwrap();
    let stubs = dir.path().display().to_string();
    let (to_stubs, to_services) = (format!("--python_out={stubs}"), format!("--grpc_python_out={stubs}"));
    let files = ["facts", "ingest", "kpi", "tickets"].map(|file| format!("proto/pegcount/v1/{file}.proto"));
    let mut protoc = vec!["-m", "grpc_tools.protoc", "-I", "proto", &to_stubs, &to_services];
    protoc.extend(files.iter().map(String::as_str));
    python(&protoc, &stubs);

    let server = Server::start(&dir.path().join("data"));
    let token = server.token();
    let said = python(&["tests/python/softphone.py", server.address(), &token, "main", "anna"], &stubs);
    assert!(said.contains("acknowledged up to seq 5 at log position"), "{said}");
    assert!(said.contains(", 0 refused"), "{said}");
    assert!(said.contains("handled by anna: 1"), "{said}");
    assert_eq!(server.terminate(), Some(0));
}
