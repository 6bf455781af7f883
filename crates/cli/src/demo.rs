//! TMP
use crate::{args::DemoArgs, error::CliError};
pub(crate) async fn run(_args: DemoArgs) -> Result<(), CliError> { Ok(()) }
