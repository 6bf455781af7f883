//! `pegcount token`.

use std::time::Duration;

use pegcount_domain::ids::AgentId;
use pegcount_server::{Principal, Sites, tokens};

use crate::{args::TokenArgs, error::CliError, output, target};

const SECONDS_PER_DAY: u64 = 24 * 3600;

/// Prints a token and nothing else.
pub(crate) fn run(args: &TokenArgs) -> Result<(), CliError> {
    if !args.data_dir.is_dir() {
        return Err(CliError::NoFolder { dir: args.data_dir.clone() });
    }
    let sites = match args.site.as_str() {
        "*" => Sites::All,
        one => Sites::One(target::site(one)?),
    };
    let agent = args.agent.as_deref().map(|text| target::name("--agent", text).map(AgentId)).transpose()?;
    let principal = Principal::new(target::name("--subject", &args.subject)?, args.role, sites, agent)?;
    let valid_for = Duration::from_secs(u64::from(args.days) * SECONDS_PER_DAY);
    output::line(tokens::mint(&args.data_dir, &principal, valid_for)?)
}
