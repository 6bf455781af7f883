//! `pegcount vault`: the vault's own backup, and the master key that it does not hold.
//!
//! Invariant: what is written is for its owner's eyes only, and a backup that is cut short has no `erasures` file.

use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

use indicatif::HumanBytes;
use pegcount_engine::MasterKey;
use pegcount_proto::v1::BackUpVaultRequest;
use tokio_stream::StreamExt;

use crate::{
    args::{VaultBackupArgs, VaultCommand, VaultRestoreArgs},
    error::CliError,
    output,
    target::Target,
};

/// 64 hexadecimal digits.
const KEY_VARIABLE: &str = "PEGCOUNT_VAULT_KEY";
/// The file that has it.
pub(crate) const KEY_FILE_VARIABLE: &str = "PEGCOUNT_VAULT_KEY_FILE";
const LEDGER: &str = "erasures";
/// What a backup has; the ledger comes last.
const FILES: [&str; 4] = ["keys", "sealed", "surrogates", LEDGER];

/// Does what was typed.
pub(crate) async fn run(command: VaultCommand) -> Result<(), CliError> {
    match command {
        VaultCommand::Backup(args) => back_up(&args).await,
        VaultCommand::Restore(args) => restore(&args),
    }
}

/// Where the master key comes from: the environment, `file`, or the vault's folder.
pub(crate) fn master_key(file: Option<&Path>) -> Result<MasterKey, CliError> {
    if let Ok(digits) = env::var(KEY_VARIABLE) {
        let wrong = || CliError::Argument(format!("{KEY_VARIABLE} is not 64 hexadecimal digits"));
        return MasterKey::from_hex(&digits).ok_or_else(wrong);
    }
    let file = file.map(Path::to_owned).or_else(|| env::var_os(KEY_FILE_VARIABLE).map(PathBuf::from));
    Ok(file.map_or(MasterKey::Beside, MasterKey::File))
}

async fn back_up(args: &VaultBackupArgs) -> Result<(), CliError> {
    let api = Target::server(&args.target, "backing the vault up").await?;
    make_empty(&args.to)?;
    let mut parts = api.customers().back_up_vault(BackUpVaultRequest {}).await?.into_inner();
    let mut files: BTreeMap<&str, fs::File> = BTreeMap::new();
    let mut bytes = 0;
    while let Some(part) = parts.next().await {
        let part = part?;
        let unknown = || {
            CliError::Argument(format!(
                "the server sent a file {:?}, which is none of a vault: use a newer program",
                part.file
            ))
        };
        let name = FILES.into_iter().find(|name| *name == part.file).ok_or_else(unknown)?;
        let aside = args.to.join(format!("{name}.new"));
        if !files.contains_key(name) {
            files.insert(name, private_file(&aside)?);
        }
        if let Some(file) = files.get_mut(name) {
            file.write_all(&part.bytes).map_err(failed("write", &aside))?;
        }
        bytes += part.bytes.len();
    }
    if let Some(missing) = FILES.into_iter().find(|name| !files.contains_key(name)) {
        return Err(CliError::Argument(format!(
            "the server sent no file {missing}; the backup is not whole"
        )));
    }
    for name in FILES {
        let (aside, path) = (args.to.join(format!("{name}.new")), args.to.join(name));
        let kept =
            files.get(name).map_or(Ok(()), fs::File::sync_all).and_then(|()| fs::rename(&aside, &path));
        kept.map_err(failed("keep", &path))?;
    }
    let bytes = HumanBytes(u64::try_from(bytes).unwrap_or(u64::MAX));
    output::line(format_args!(
        "{}: the vault, {bytes}, without its master key: back that up apart, once",
        args.to.display()
    ))
}

fn restore(args: &VaultRestoreArgs) -> Result<(), CliError> {
    let vault = args.dir.join("vault");
    for name in FILES {
        let path = args.backup.join(name);
        if !path.is_file() {
            let what = "is no whole backup of a vault: the file is missing";
            return Err(CliError::Argument(format!("{} {what}", path.display())));
        }
    }
    make_empty(&vault)?;
    for name in FILES {
        let from = match &args.erasures {
            Some(newer) if name == LEDGER => newer.clone(),
            _ => args.backup.join(name),
        };
        let to = vault.join(name);
        let bytes = fs::read(&from).map_err(failed("read", &from))?;
        let mut file = private_file(&to)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed("write", &to))?;
    }
    output::line(format_args!(
        "{}: restored; put the master key beside it as `key`, or name it with --vault-key, before the server starts",
        vault.display()
    ))
}

/// Makes a folder for its owner's eyes only, or takes one that is empty.
fn make_empty(dir: &Path) -> Result<(), CliError> {
    if !dir.exists() {
        if let Some(parent) = dir.parent() {
            fs::create_dir_all(parent).map_err(failed("make", parent))?;
        }
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        return builder.create(dir).map_err(failed("make", dir));
    }
    if fs::read_dir(dir).map_err(failed("read", dir))?.next().is_some() {
        return Err(CliError::Argument(format!(
            "{} is not empty: give a folder that is, or a new one",
            dir.display()
        )));
    }
    Ok(())
}

fn private_file(path: &Path) -> Result<fs::File, CliError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(failed("make", path))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> CliError {
    let path = path.to_owned();
    move |source| CliError::File { action, path, source }
}
