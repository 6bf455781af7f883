//! Where a command works: a running server, or a folder that no server uses.
//!
//! Invariant: a folder is opened by one process at a time; who meets the lock is told which server to ask.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use pegcount_client::{Api, CaCertificate, Token};
use pegcount_domain::ids::{Name, SiteId};
use pegcount_engine::{Engine, EngineError, EngineOptions};
use pegcount_log::LogError;
use pegcount_server::tokens::LOCAL_TOKEN_FILE;
use tonic::codegen::Bytes;

use crate::{
    address,
    args::{DATA_DIR_DEFAULT, TargetArgs},
    error::CliError,
    vault,
};

/// A server or a folder, open.
pub(crate) enum Target {
    /// A running server.
    Server(Api),
    /// A folder. Nothing acts by itself on it: leases belong to servers.
    Folder(Arc<Engine>),
}

/// What to do about a folder that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Make it.
    Make,
    /// Refuse: there is nothing to read.
    Refuse,
}

impl Target {
    /// Opens what the arguments name.
    pub(crate) async fn open(args: &TargetArgs, missing: Missing) -> Result<Self, CliError> {
        match &args.server {
            Some(url) => Ok(Self::Server(connect(url, args).await?)),
            None => Ok(Self::Folder(open_folder(&data_dir(args), missing).await?)),
        }
    }

    /// Opens the server that the arguments name; `what` cannot be done without one.
    pub(crate) async fn server(args: &TargetArgs, what: &'static str) -> Result<Api, CliError> {
        if let Some(url) = &args.server {
            return connect(url, args).await;
        }
        let dir = data_dir(args);
        let hint = address::posted(&dir).map_or_else(String::new, |url| {
            let token = dir.join(LOCAL_TOKEN_FILE);
            format!(". On {} one may run: --server {url} --token-file {}", dir.display(), token.display())
        });
        Err(CliError::NeedsServer { what, hint })
    }

    /// Closes what was opened.
    pub(crate) async fn close(self) -> Result<(), CliError> {
        match self {
            Self::Server(_) => Ok(()),
            Self::Folder(engine) => Ok(engine.close().await?),
        }
    }
}

/// All of a list that a server gives in pages: `page` asks for the one of a token, and gives the token of the next.
pub(crate) async fn pages<T>(
    mut page: impl AsyncFnMut(Bytes) -> Result<(Vec<T>, Bytes), CliError>,
) -> Result<Vec<T>, CliError> {
    let (mut list, mut token) = (Vec::new(), Bytes::new());
    loop {
        let (part, next) = page(token).await?;
        list.extend(part);
        if next.is_empty() {
            return Ok(list);
        }
        token = next;
    }
}

/// The folder that the arguments name, or the usual one.
pub(crate) fn data_dir(args: &TargetArgs) -> PathBuf {
    args.data_dir.clone().unwrap_or_else(|| PathBuf::from(DATA_DIR_DEFAULT))
}

/// Checks a site's name.
pub(crate) fn site(text: &str) -> Result<SiteId, CliError> {
    name("--site", text).map(SiteId)
}

/// Checks a name given with `argument`.
pub(crate) fn name(argument: &'static str, text: &str) -> Result<Name, CliError> {
    Name::new(text).map_err(|source| CliError::Name { argument, source })
}

/// Connects to the server at `url` with the token that the arguments name.
pub(crate) async fn connect(url: &str, args: &TargetArgs) -> Result<Api, CliError> {
    let token = match (&args.token_file, &args.token) {
        (Some(path), _) => read(path)?,
        (None, Some(token)) => token.clone(),
        (None, None) => return Err(CliError::NoToken),
    };
    let ca = args.tls_ca.as_deref().map(read).transpose()?.map(CaCertificate::from_pem);
    Ok(pegcount_client::connect(url, &Token::new(token), ca.as_ref()).await?)
}

/// Opens a folder.
pub(crate) async fn open_folder(dir: &Path, missing: Missing) -> Result<Arc<Engine>, CliError> {
    if missing == Missing::Refuse && !dir.join("log").is_dir() {
        return Err(CliError::NoFolder { dir: dir.to_owned() });
    }
    let options = EngineOptions { master_key: vault::master_key(None)?, ..EngineOptions::folder(dir) };
    Engine::open(options).await.map_err(|error| locked(error, dir))
}

/// If it is a lock that another process holds, and a server has said where it listens, says so.
pub(crate) fn locked(error: EngineError, dir: &Path) -> CliError {
    match (&error, address::posted(dir)) {
        (EngineError::Log(LogError::Locked { .. }), Some(address)) => {
            CliError::FolderServed { dir: dir.to_owned(), address, token_file: dir.join(LOCAL_TOKEN_FILE) }
        }
        _ => error.into(),
    }
}

fn read(path: impl AsRef<Path>) -> Result<String, CliError> {
    let path = path.as_ref();
    fs::read_to_string(path).map_err(|source: io::Error| CliError::File {
        action: "read",
        path: path.to_owned(),
        source,
    })
}
