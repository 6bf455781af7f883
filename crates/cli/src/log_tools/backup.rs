//! `pegcount log backup`: a log into a folder of its own, through its server if one runs.
//!
//! Invariant: everything that was acknowledged before the command began is in the backup when it ends.

use std::path::{Path, PathBuf};

use indicatif::HumanBytes;
use pegcount_log::{LogError, tools::Backup};
use pegcount_proto::v1::ReadFramesRequest;
use pegcount_server::tokens::LOCAL_TOKEN_FILE;
use tokio_stream::StreamExt;

use super::bar;
use crate::{
    address,
    args::{BackupArgs, TargetArgs},
    error::CliError,
    figures::human::number,
    output, target,
};

/// Backs up, and says what came of it.
pub(crate) async fn run(args: BackupArgs) -> Result<(), CliError> {
    let bar = bar("copying");
    let mut backup = Backup::begin(&args.dir, &args.to)?;
    if backup.is_running() {
        hot_end(&args, &mut backup).await?;
    }
    let done = backup.finish(&bar)?;
    drop(bar);
    let from = match done.first.0 {
        1 => String::new(),
        first => format!(" from position {}, where the log begins now,", number(first)),
    };
    output::line(format_args!(
        "{}: everything{from} up to position {}, incarnation {:032x}\n{} sealed files copied, {} there already, {} written",
        done.dir.display(),
        number(done.end.0),
        done.incarnation.0,
        number(done.copied),
        number(done.kept),
        HumanBytes(done.written_bytes),
    ))
}

/// Asks the server for what is in no segment yet.
async fn hot_end(args: &BackupArgs, backup: &mut Backup) -> Result<(), CliError> {
    let (url, token_file) = server_of(args)?;
    let target = TargetArgs {
        server: Some(url.clone()),
        token: None,
        token_file: Some(token_file),
        tls_ca: args.tls_ca.clone(),
        data_dir: None,
    };
    let api = target::connect(&url, &target).await?;
    let request = ReadFramesRequest {
        from_position: backup.next().0,
        incarnation: backup.incarnation().0.to_be_bytes().to_vec().into(),
    };
    let mut frames = api.log().read_frames(request).await?.into_inner();
    while let Some(answer) = frames.next().await {
        backup.push(&answer?.frame)?;
    }
    Ok(())
}

/// Where the server of the folder is, and the token for it.
fn server_of(args: &BackupArgs) -> Result<(String, PathBuf), CliError> {
    // DIR may be the log's own folder: then the server's is the one around it.
    let around = [Some(args.dir.as_path()), args.dir.parent()];
    let posted = around.into_iter().flatten().find_map(|dir| Some((dir, address::posted(dir)?)));
    let dir = posted.as_ref().map_or(args.dir.as_path(), |(dir, _)| *dir);
    let token_file = args.token_file.clone().unwrap_or_else(|| dir.join(LOCAL_TOKEN_FILE));
    let url = args.server.as_ref().or(posted.as_ref().map(|(_, url)| url));
    Ok((url.ok_or_else(|| in_use(&args.dir))?.clone(), token_file))
}

fn in_use(dir: &Path) -> CliError {
    pegcount_log::tools::ToolError::from(LogError::Locked { path: dir.to_owned() }).into()
}
