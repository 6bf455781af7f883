//! Compiles the contract and the stored payloads with protox, so that no protoc has to be installed.

use std::{env, error::Error, fs, path::PathBuf};

const CONTRACT: [&str; 10] = [
    "agents",
    "contacts",
    "customers",
    "definitions",
    "facts",
    "ingest",
    "kpi",
    "log",
    "tickets",
    "wallboard",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo:rerun-if-changed={}", root.display());

    let contract = CONTRACT.map(|file| format!("pegcount/v1/{file}.proto"));
    let services = protox::compile(&contract, [&root])?;
    fs::write(out.join("pegcount.v1.bin"), protox_bytes(&contract, &root)?)?;
    tonic_prost_build::configure().bytes(".").compile_fds(services)?;

    let stored =
        ["pegcount/store/v1/events.proto", "pegcount/store/v1/dump.proto", "pegcount/store/v1/archive.proto"];
    let stored = protox::compile(stored, [&root])?;
    prost_build::Config::new().bytes(["."]).compile_fds(stored)?;
    Ok(())
}

/// The descriptor set that the reflection service hands out, comments included.
fn protox_bytes(files: &[String], root: &PathBuf) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut compiler = protox::Compiler::new([root])?;
    compiler.include_source_info(true).include_imports(true);
    for file in files {
        compiler.open_file(file)?;
    }
    Ok(compiler.encode_file_descriptor_set())
}
