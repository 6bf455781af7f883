//! What is known of a ticket, for the commands that set it.

use clap::Args;

use super::{AtArgs, SeverityWord, UrgencyWord, ValidityWord};

/// What is known of a ticket.
#[derive(Debug, Default, Args)]
pub(crate) struct FactsArgs {
    /// What it is about
    #[arg(long, value_name = "CATEGORY")]
    pub(crate) category: Option<String>,
    /// What it is about, more exactly
    #[arg(long, value_name = "TOPIC")]
    pub(crate) topic: Option<String>,
    /// How bad it is
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) severity: Option<SeverityWord>,
    /// How soon something has to be done
    #[arg(long, value_name = "URGENCY")]
    pub(crate) urgency: Option<UrgencyWord>,
    /// Whether there is anything to be done
    #[arg(long, value_name = "VALIDITY")]
    pub(crate) validity: Option<ValidityWord>,
    /// Whose it is: a customer's surrogate, never a number
    #[arg(long, value_name = "SURROGATE")]
    pub(crate) customer: Option<String>,
    /// The customer's tier
    #[arg(long, value_name = "TIER")]
    pub(crate) tier: Option<String>,
    /// Where, or which asset
    #[arg(long, value_name = "PLACE")]
    pub(crate) place: Option<String>,
    /// In which region
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// How it came in: phone, chat, email, letter, counter, patrol…
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: Option<String>,
    /// What the site has defined beside; may be given several times
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = attribute)]
    pub(crate) attributes: Vec<(String, String)>,
}

fn attribute(text: &str) -> Result<(String, String), String> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`; write NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A ticket to open.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// Kind: inquiry, complaint, repair…
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: String,
    /// The contact in which it was reported
    #[arg(long, value_name = "CONTACT")]
    pub(crate) contact: Option<String>,
    /// The queue of that contact
    #[arg(long, value_name = "QUEUE")]
    pub(crate) queue: Option<String>,
    /// The customer's number or address; exchanged for a surrogate before anything is stored
    #[arg(long, value_name = "NUMBER")]
    pub(crate) caller: Option<String>,
    /// The agent who receives it
    #[arg(long, value_name = "AGENT")]
    pub(crate) receiver: Option<String>,
    /// The group that it belongs to
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// A file with what was reported (-: standard input): the server seals it as an internal note
    #[arg(long, value_name = "FILE")]
    pub(crate) description: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub(crate) facts: FactsArgs,
}

/// See `open`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket open T-17 --kind repair --category pipes --caller '+49 30 123456' --site main --server http://127.0.0.1:7474 \
    --token-file pegcount-data/local-token")]
pub(crate) struct OpenArgs {
    /// The ticket's id
    pub(crate) ticket: String,
    #[command(flatten)]
    pub(crate) new: NewArgs,
    /// A UUID: the same command sent twice is carried out once [default: a new one]
    #[arg(long, value_name = "UUID")]
    pub(crate) command_id: Option<uuid::Uuid>,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}
