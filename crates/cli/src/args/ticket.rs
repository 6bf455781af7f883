//! `ticket`: every command on tickets, and how they are read.

use clap::{Args, Subcommand, ValueEnum};

use super::{Format, Length, TargetArgs};

/// A word of the contract as people type it: `on site` is `on-site`.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
        pub(crate) enum $name { $($(#[$vdoc])* $variant,)+ }

        impl $name {
            /// The number of the contract's value.
            pub(crate) fn number(self) -> i32 {
                1 + i32::try_from(Self::value_variants().iter().position(|one| *one == self).unwrap_or_default())
                    .unwrap_or_default()
            }
        }
    )+};
}

words! {
    /// Where a ticket stands.
    StatusWord {
        /// Nobody has taken it
        New,
        /// Somebody answers for it
        Accepted,
        /// It is known what it is about
        Classified,
        /// Somebody was sent
        Dispatched,
        /// Whoever was sent is there
        OnSite,
        /// It is worked on
        Working,
        /// Nothing can be done for now
        OnHold,
        /// The matter is settled
        Resolved,
        /// Settled and put away
        Closed,
        /// It was no valid matter
        Cancelled,
        /// It goes on in another ticket
        Merged,
    }
    /// How bad.
    SeverityWord {
        /// Hardly
        Minor,
        /// As usual
        Normal,
        /// Bad
        Major,
        /// As bad as can be
        Critical,
    }
    /// How soon.
    UrgencyWord {
        /// It can wait for its turn
        NotUrgent,
        /// At once
        Urgent,
    }
    /// Whether there is anything to be done.
    ValidityWord {
        /// There is
        Valid,
        /// There is not
        Invalid,
    }
    /// How a matter was settled.
    WayWord {
        /// By its owner alone
        Alone,
        /// With other departments (--with)
        WithOthers,
        /// With the approval that was given
        WithApproval,
        /// Not: declined (--declined-because, --alternative)
        Declined,
    }
    /// A step of a site visit.
    StepWord {
        /// Somebody is to come
        Requested,
        /// When, is agreed (--appointment)
        AppointmentAgreed,
        /// It may take place
        Approved,
        /// Whoever was sent is there
        Arrived,
        /// The customer has signed the slip (--slip)
        SlipSigned,
        /// The slip is filed
        SlipFiled,
    }
    /// What has to happen within some time.
    TargetWord {
        /// Somebody takes it
        Accept,
        /// The customer has a first answer
        FirstResponse,
        /// The customer is told again
        NextUpdate,
        /// It is known what is behind it
        Investigate,
        /// An approval is given or refused
        Approve,
        /// Somebody is sent
        Dispatch,
        /// Whoever was sent is there
        Arrive,
        /// It is settled
        Resolve,
        /// It is explained why it is invalid
        Explain,
    }
    /// What another ticket is to this one.
    LinkWord {
        /// It has to do with it
        Related,
        /// This one is a part of it
        Parent,
        /// It is a part of this one
        Child,
    }
}

/// What to do with tickets.
#[derive(Debug, Subcommand)]
pub(crate) enum TicketVerb {
    /// Open a ticket
    Open(OpenArgs),
    /// Show one ticket with its targets
    Show(OneArgs),
    /// Show all that happened to one ticket
    History(OneArgs),
    /// List tickets by what is known of them
    List(TicketListArgs),
    /// Follow a list of tickets: all of it first, then what changes, by events and by time alone
    Watch(TicketWatchArgs),
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

/// Which site, and where.
#[derive(Debug, Args)]
pub(crate) struct AtArgs {
    /// The site
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
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
    #[command(flatten)]
    pub(crate) at: AtArgs,
}

/// Nothing more.
#[derive(Debug, Args)]
pub(crate) struct NoArgs {}

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

macro_rules! said {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $of:ty,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Args)]
        pub(crate) struct $name { $($(#[$fdoc])* #[arg(long)] pub(crate) $field: $of,)+ }
    )+};
}

said! {
    /// See `accept`.
    AcceptArgs {
        /// Who answers for it from now on [default: the agent whose token asks]
        owner: Option<String>,
    }
    /// See `dispatch`.
    DispatchArgs {
        /// This group
        group: Option<String>,
        /// This agent
        to: Option<String>,
    }
    /// See `hold`.
    ReasonArgs {
        /// For what, a code
        reason: String,
    }
    /// See `resolve`.
    ResolveArgs {
        /// How it was settled
        way: WayWord,
        /// A department that helped; may be given several times
        with: Vec<String>,
        /// Why it was declined, a code
        declined_because: Option<String>,
        /// What was offered instead, a reference to a sealed value
        alternative: Option<String>,
        /// Who did it [default: the agent whose token asks]
        agent: Option<String>,
        /// A code for it
        reason: Option<String>,
    }
    /// See `confirm`.
    ConfirmArgs {
        /// The proof, a reference to a sealed value
        proof: Option<String>,
    }
    /// See `reopen`.
    ReopenArgs {
        /// Why, a code
        reason: String,
        /// The work has to be done again
        rework: bool,
        /// Who asks for it [default: the agent whose token asks]
        agent: Option<String>,
    }
    /// See `close`.
    CloseArgs {
        /// Who does it [default: the agent whose token asks]
        agent: Option<String>,
        /// A code for it
        reason: Option<String>,
    }
    /// See `cancel`.
    CancelArgs {
        /// Why, a code
        reason: String,
        /// How that was explained, a reference to a sealed value
        explanation: String,
    }
    /// See `escalate`.
    EscalateArgs {
        /// To which level [default: the next]
        to: Option<String>,
        /// Why, a code
        reason: String,
        /// An emergency: levels may be skipped, and are told afterwards
        emergency: bool,
    }
    /// See `tell-skipped`.
    LevelArgs {
        /// Which level
        level: String,
    }
    /// See `reassign`.
    ReassignArgs {
        /// To this agent
        owner: Option<String>,
        /// To this group
        group: Option<String>,
        /// Why, a code
        reason: String,
    }
    /// See `note`.
    NoteArgs {
        /// What it says, a reference to a sealed value
        text: String,
        /// The customer may read it too
        public: bool,
    }
    /// See `attach`.
    AttachArgs {
        /// What it is: photo, recording, form…
        kind: String,
        /// Where it lies
        reference: String,
    }
    /// See `cite`.
    CiteArgs {
        /// Which article
        article: String,
        /// Whether it helped: true or false [default: not known]
        helped: Option<bool>,
    }
    /// See `add-contact`.
    ContactArgs {
        /// Which contact
        contact: String,
    }
    /// See `visit`.
    VisitArgs {
        /// Which step
        step: StepWord,
        /// The agreed time: 2026-03-01T09:30, in --time-zone, or RFC 3339
        appointment: Option<String>,
        /// The slip, a reference to a sealed value
        slip: Option<String>,
        /// The zone that the time is meant in [default: UTC]
        time_zone: Option<String>,
    }
    /// See `ask-approval` and `approve`.
    ApproverArgs {
        /// Whose approval
        approver: String,
    }
    /// See `refuse-approval`.
    RefuseArgs {
        /// Whose approval
        approver: String,
        /// Why, a code
        reason: String,
    }
    /// See `inform` and `repeat`.
    InContactArgs {
        /// In which contact
        contact: Option<String>,
    }
    /// See `promise`.
    PromiseArgs {
        /// For what
        of: TargetWord,
        /// By when: 2026-03-01T09:30, in --time-zone, or RFC 3339
        due: String,
        /// The customer asked for it; else an agent promised it
        by_customer: bool,
        /// The zone that the time is meant in [default: UTC]
        time_zone: Option<String>,
    }
    /// See `unlink`.
    UnlinkArgs {
        /// From which ticket
        from: String,
    }
}

/// Two tickets.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket merge T-18 --into T-17 --site main --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct PairArgs {
    /// The ticket that goes on in another one
    pub(crate) ticket: String,
    /// The one that it goes on in
    #[arg(long, value_name = "TICKET")]
    pub(crate) into: String,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

/// See `split`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket split T-17 --part T-17b --kind fault --site main --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct SplitArgs {
    /// The ticket
    pub(crate) ticket: String,
    /// The id of what becomes a ticket of its own
    #[arg(long, value_name = "TICKET")]
    pub(crate) part: String,
    #[command(flatten)]
    pub(crate) new: NewArgs,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

/// See `link`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket link T-17 --to T-3 --how parent --site main --server http://127.0.0.1:7474 --token-file pegcount-data/local-token")]
pub(crate) struct LinkArgs {
    /// The ticket
    pub(crate) ticket: String,
    /// The other one
    #[arg(long, value_name = "TICKET")]
    pub(crate) to: String,
    /// What the other one is to it
    #[arg(long, value_name = "HOW")]
    pub(crate) how: LinkWord,
    #[command(flatten)]
    pub(crate) ask: AskArgs,
}

/// Which tickets.
#[derive(Debug, Args)]
pub(crate) struct FilterArgs {
    /// Those that stand so; this and what follows may be given several times
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Vec<StatusWord>,
    /// Those on which somebody has to act
    #[arg(long)]
    pub(crate) open: bool,
    /// Of this kind
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Vec<String>,
    /// Of this category
    #[arg(long, value_name = "CATEGORY")]
    pub(crate) category: Vec<String>,
    /// As bad as this
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) severity: Vec<SeverityWord>,
    /// As urgent as this
    #[arg(long, value_name = "URGENCY")]
    pub(crate) urgency: Vec<UrgencyWord>,
    /// This agent answers for it
    #[arg(long, value_name = "AGENT")]
    pub(crate) owner: Vec<String>,
    /// Nobody does
    #[arg(long)]
    pub(crate) unowned: bool,
    /// Of this group
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Vec<String>,
    /// Of customers of this tier
    #[arg(long, value_name = "TIER")]
    pub(crate) tier: Vec<String>,
    /// In this region
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Vec<String>,
    /// That came in so
    #[arg(long, value_name = "CHANNEL")]
    pub(crate) channel: Vec<String>,
    /// Of this customer: a surrogate
    #[arg(long, value_name = "SURROGATE")]
    pub(crate) customer: Option<String>,
    /// With a target that is due within this time, or overdue: 30m, 2h
    #[arg(long, value_name = "LENGTH")]
    pub(crate) due_within: Option<Length>,
    /// With a target that was missed or is overdue (true), or none such (false)
    #[arg(long, value_name = "BOOL")]
    pub(crate) breached: Option<bool>,
}

/// In what order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderWord {
    /// As they were opened
    #[default]
    Oldest,
    /// The last one opened first
    Newest,
    /// Those with a target that runs, the earliest due first
    Due,
}

/// See `list`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket list --open --owner anna --due-within 30m --order due --site main --server http://127.0.0.1:7474 \
    --token-file pegcount-data/local-token")]
pub(crate) struct TicketListArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// In what order
    #[arg(long, value_enum, default_value_t)]
    pub(crate) order: OrderWord,
    /// The most that are listed
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
    /// The time zone to show times in
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// The site
    #[arg(long, value_name = "SITE")]
    pub(crate) site: String,
    /// How to write them
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    pub(crate) format: Format,
    /// Write JSON, a line for each
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
}

/// See `watch`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  \
    pegcount ticket watch --open --owner anna --due-within 30m --site main --server http://127.0.0.1:7474 \
    --token-file pegcount-data/local-token")]
pub(crate) struct TicketWatchArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// The time zone to show times in
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    #[command(flatten)]
    pub(crate) at: AtArgs,
}
