//! `ticket`: every command on tickets, and how they are read.
//!
//! - this file: the commands; `said`: what each of them says; `facts`: what is known of a ticket, for those that set it; `pairs`: commands
//!   on two tickets; `lists`: which tickets are wanted; `what_if`: what is tried on the past; `words`: the contract's words as people type them

mod facts;
mod lists;
mod pairs;
mod said;
mod what_if;
mod words;

use clap::{Args, Subcommand};

use super::AtArgs;
pub(crate) use facts::{FactsArgs, NewArgs, OpenArgs};
pub(crate) use lists::{FilterArgs, OrderWord, TicketListArgs, TicketWatchArgs};
pub(crate) use pairs::{LinkArgs, PairArgs, SplitArgs};
pub(crate) use said::*;
pub(crate) use what_if::WhatIfArgs;
pub(crate) use words::*;

/// What to do with tickets.
#[derive(Debug, Subcommand)]
pub(crate) enum TicketVerb {
    /// Open a ticket
    Open(OpenArgs),
    /// Show one ticket with its targets
    Show(OneArgs),
    /// Show all that happened to one ticket
    History(OneArgs),
    /// Read what was written about a ticket. Who read it, and what for, stands in the log
    ///
    /// For whoever answers for the open ticket, data stewards, and those who have a grant on the customer's file.
    Read(ReadTextsArgs),
    /// List tickets by what is known of them
    List(TicketListArgs),
    /// Follow a list of tickets: all of it first, then what changes, by events and by time alone
    Watch(TicketWatchArgs),
    /// Try deadline policies on the past: what they would have seen met and breached, beside what really was. Changes nothing
    WhatIf(WhatIfArgs),
    /// Take a ticket
    Accept(DoArgs<AcceptArgs>),
    /// Say what it is about; the category must be known afterwards
    Classify(DoArgs<FactsArgs>),
    /// Set something else that is known of it
    Edit(DoArgs<FactsArgs>),
    /// Send somebody: a group, an agent, or both
    Dispatch(DoArgs<DispatchArgs>),
    /// Whoever was sent is there
    Arrive(DoArgs<NoArgs>),
    /// Begin to work
    Start(DoArgs<NoArgs>),
    /// Put it on hold
    Hold(DoArgs<ReasonArgs>),
    /// Go on as before
    Resume(DoArgs<NoArgs>),
    /// Settle it
    Resolve(DoArgs<ResolveArgs>),
    /// The requester accepts what was done
    Confirm(DoArgs<ConfirmArgs>),
    /// It was not settled after all
    Reopen(DoArgs<ReopenArgs>),
    /// Put it away
    Close(DoArgs<CloseArgs>),
    /// It is no valid matter; for good
    Cancel(DoArgs<CancelArgs>),
    /// Bring it before a higher level
    Escalate(DoArgs<EscalateArgs>),
    /// A level that was skipped has been told
    TellSkipped(DoArgs<LevelArgs>),
    /// Give it to somebody else
    Reassign(DoArgs<ReassignArgs>),
    /// Write a note
    Note(DoArgs<NoteArgs>),
    /// Attach evidence
    Attach(DoArgs<AttachArgs>),
    /// Cite a knowledge article
    Cite(DoArgs<CiteArgs>),
    /// A contact belongs to it
    AddContact(DoArgs<ContactArgs>),
    /// A step of a site visit
    Visit(DoArgs<VisitArgs>),
    /// Ask for an approval
    AskApproval(DoArgs<ApproverArgs>),
    /// Give an approval that was asked for
    Approve(DoArgs<ApproverArgs>),
    /// Refuse an approval that was asked for
    RefuseApproval(DoArgs<RefuseArgs>),
    /// The customer was told how things stand
    Inform(DoArgs<InContactArgs>),
    /// It was found out what is behind it
    Investigate(DoArgs<NoArgs>),
    /// The same matter was reported again
    Repeat(DoArgs<InContactArgs>),
    /// A time was asked for or promised, or is postponed
    Promise(DoArgs<PromiseArgs>),
    /// Let it go on in another ticket; for good
    Merge(PairArgs),
    /// Make a part of it a ticket of its own
    Split(SplitArgs),
    /// Tie it to another ticket
    Link(LinkArgs),
    /// Untie it from another ticket, from this side
    Unlink(DoArgs<UnlinkArgs>),
}

/// One ticket.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket show T-17 --site main --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct OneArgs {
    /// The ticket
    pub(crate) ticket: String,
    /// The time zone to show times in
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// What was written about a ticket.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket read T-17 --purpose complaint --site main --server http://127.0.0.1:7474 --token-file bob.token")]
pub(crate) struct ReadTextsArgs {
    /// The ticket
    pub(crate) ticket: String,
    /// The references of what to read, as `history` prints them [default: all]
    #[arg(value_name = "REFERENCE")]
    pub(crate) references: Vec<String>,
    /// What for: a code, such as `complaint`
    #[arg(long, value_name = "CODE")]
    pub(crate) purpose: String,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// A command on one ticket.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket VERB T-17 … --expected 4 --site main --server http://127.0.0.1:7474 --token-file pegcount-data/local-token\n\n\
    With --expected it is carried out only if the ticket is at that version; else you are told who did what since.")]
pub(crate) struct DoArgs<A: Args> {
    /// The ticket
    pub(crate) ticket: String,
    #[command(flatten)]
    pub(crate) said: A,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

/// How a command is sent.
#[derive(Debug, Args)]
pub(crate) struct AskArgs {
    /// The version that it was decided on [default: any]
    #[arg(long, value_name = "VERSION", default_value_t = 0, hide_default_value = true)]
    pub(crate) expected: u64,
    /// A UUID: the same command sent twice is carried out once [default: a new one]
    #[arg(long, value_name = "UUID")]
    pub(crate) command_id: Option<uuid::Uuid>,
    /// A file with what was written (-: standard input), for note, cancel, confirm, and resolve in the way declined: the server seals
    /// it, and its reference takes the place of one
    #[arg(long, value_name = "FILE")]
    pub(crate) plain: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// Nothing more.
#[derive(Debug, Args)]
pub(crate) struct NoArgs {}
