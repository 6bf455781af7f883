//! Why a command on a ticket was refused: what, where, the limit, what was found, what to do.

use std::fmt;

use crate::{
    envelope::Version,
    ticketing::{
        kinds::Evidence,
        state::Change,
        transition::Why,
        words::{Action, Field, LinkKind, Status, VisitStep, WayKind},
    },
    time::Shown,
};

/// Something without which there is no resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A field.
    Field(Field),
    /// An attribute.
    Attribute(String),
    /// Evidence.
    Evidence {
        /// Its kind.
        kind: String,
        /// How many there must be.
        needed: u32,
        /// How many there are.
        found: u32,
    },
}

impl Missing {
    pub(super) fn evidence<N: fmt::Display>(needed: &Evidence<N>, found: u32) -> Self {
        Self::Evidence { kind: needed.kind.to_string(), needed: needed.count, found }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => f.write_str(field.word()),
            Self::Attribute(name) => write!(f, "attribute {name}"),
            Self::Evidence { kind, needed, found } => write!(f, "evidence {kind} ({found} of {needed})"),
        }
    }
}

/// Why a command was refused. Names in it are those of the command and of the ticket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketRefusal {
    /// The table does not allow it.
    #[error("cannot {} a ticket that is {}: {why}", .action.word(), .status.word())]
    NotAllowed {
        /// What was asked for.
        action: Action,
        /// Where the ticket stands.
        status: Status,
        /// What stands against it.
        why: Why,
    },
    /// Decided on what is not so any more.
    #[error(
        "the command expects version {}, and the ticket is at version {} now: {}; read it again and decide anew",
        .expected.0, .actual.0, since(*.expected, .changes)
    )]
    Stale {
        /// What the command was decided on.
        expected: Version,
        /// What the ticket is at.
        actual: Version,
        /// Who did what since, the latest last; the earliest are left out if there were many.
        changes: Vec<Change<String>>,
    },
    /// A version that was never told.
    #[error(
        "the command expects version {}, and the ticket is only at version {}: read it again (the answer may come from a \
         copy that is behind)", .expected.0, .actual.0
    )]
    Ahead {
        /// What the command expects.
        expected: Version,
        /// What the ticket is at.
        actual: Version,
    },
    /// Its kind needs more.
    #[error("a ticket of kind {kind} cannot be resolved without: {}; add what is missing", listed(.missing))]
    Incomplete {
        /// The kind.
        kind: String,
        /// What is missing.
        missing: Vec<Missing>,
    },
    /// A command lacks something, or has something that does not belong there.
    #[error("{field} {reason}")]
    Field {
        /// The command's field.
        field: &'static str,
        /// What is wrong with it, and what to say instead.
        reason: String,
    },
    /// Its kind is not settled so.
    #[error("a ticket of kind {kind} is not settled {}; it may be settled {}", .way.word(), words(.may))]
    WayNotAllowed {
        /// The kind.
        kind: String,
        /// The way asked for.
        way: WayKind,
        /// The ways of the kind.
        may: Vec<WayKind>,
    },
    /// Nobody has approved it.
    #[error(
        "no approval was given since the ticket was opened or reopened{}; ask for one, or settle it otherwise",
        who_was_asked(.asked.as_ref())
    )]
    NotApproved {
        /// Who was asked, and whether the answer was no.
        asked: Option<(String, bool)>,
    },
    /// One at a time.
    #[error("{approver} has been asked already and has not answered; wait for the answer")]
    ApprovalPending {
        /// Who.
        approver: String,
    },
    /// Not an approver.
    #[error("{approver} does not approve tickets of kind {kind}; these do: {}", .may.join(", "))]
    NoApprover {
        /// Who was to.
        approver: String,
        /// The kind.
        kind: String,
        /// Who does.
        may: Vec<String>,
    },
    /// Nothing to answer.
    #[error("{approver} was not asked for an approval, or has answered; {}", who_is_asked(.pending.as_ref()))]
    NotAsked {
        /// Who answers.
        approver: String,
        /// Whose answer is awaited.
        pending: Option<String>,
    },
    /// Steps of a visit have an order.
    #[error("a visit {} cannot become {}: {}", visited(*.at), .step.word(), before(*.step))]
    VisitOrder {
        /// The step asked for.
        step: VisitStep,
        /// How far the visit is; none: there is no visit.
        at: Option<VisitStep>,
    },
    /// The requester has not accepted it.
    #[error(
        "the requester of a ticket of kind {kind} has to accept what was done before it is closed; confirm that first"
    )]
    NotConfirmed {
        /// The kind.
        kind: String,
    },
    /// A slip is owed.
    #[error("visit {visit} is {}, and its slip has to be filed before the ticket is closed", .at.word())]
    SlipOwed {
        /// Which visit.
        visit: u32,
        /// How far it is.
        at: VisitStep,
    },
    /// A level was skipped and not told.
    #[error("{} were skipped and have to be told before the ticket is closed", .levels.join(", "))]
    SkippedUntold {
        /// Which.
        levels: Vec<String>,
    },
    /// No such level.
    #[error("{level} is no level that a ticket of kind {kind} is escalated to; the levels are {}", all(.levels))]
    NoLevel {
        /// What was asked for.
        level: String,
        /// The kind.
        kind: String,
        /// The levels, the lowest first.
        levels: Vec<String>,
    },
    /// It is there already.
    #[error("the ticket is before level {at} of {} already; there is nothing above {to} to escalate to", .levels.len())]
    NotHigher {
        /// Where it is, from 1.
        at: u8,
        /// What was asked for.
        to: String,
        /// The levels, the lowest first.
        levels: Vec<String>,
    },
    /// Only in an emergency.
    #[error(
        "escalating to {to} skips {}; say that it is an emergency, or escalate to {} first",
        .skipped.join(", "), .skipped.first().map_or("", String::as_str)
    )]
    SkipsLevels {
        /// What was asked for.
        to: String,
        /// The levels in between.
        skipped: Vec<String>,
    },
    /// A ticket is nothing to itself.
    #[error("a ticket cannot be {} itself ({ticket}); name another one", .what)]
    Itself {
        /// Which.
        ticket: String,
        /// What it was to be.
        what: &'static str,
    },
    /// One parent.
    #[error("ticket {child} is a part of {parent} already; unlink them first")]
    HasParent {
        /// Which.
        child: String,
        /// Its parent.
        parent: String,
    },
    /// They are tied in another way.
    #[error("ticket {other} is tied to this one as {} already; unlink them first", .how.word())]
    LinkedOtherwise {
        /// Which.
        other: String,
        /// How.
        how: LinkKind,
    },
    /// Over a limit.
    #[error("the ticket has {count} {what}; the limit is {limit}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many it would have.
        count: usize,
        /// How many it may have.
        limit: usize,
    },
    /// It concerns the other ticket of two.
    #[error("the other ticket, {ticket}: {refusal}")]
    Other {
        /// Which.
        ticket: String,
        /// Why.
        refusal: Box<TicketRefusal>,
    },
}

fn since(expected: Version, changes: &[Change<String>]) -> String {
    let told = |change: &Change<String>| {
        let fields = change.fields.to_string();
        let fields = if fields.is_empty() { fields } else { format!(" ({fields})") };
        format!(
            "version {} by {} at {}: {}{fields}",
            change.version.0,
            change.by,
            Shown(change.at),
            change.what.word()
        )
    };
    let first = changes.first().map_or(0, |change| change.version.0);
    let left_out = first.saturating_sub(expected.0.saturating_add(1));
    let mut told: Vec<_> = changes.iter().map(told).collect();
    if left_out > 0 {
        told.insert(0, format!("{left_out} earlier ones"));
    }
    told.join("; ")
}

fn listed(missing: &[Missing]) -> String {
    missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn words(ways: &[WayKind]) -> String {
    ways.iter().map(|way| way.word()).collect::<Vec<_>>().join(", ")
}

fn all(levels: &[String]) -> String {
    if levels.is_empty() { "none: define them first".to_owned() } else { levels.join(", ") }
}

fn who_was_asked(asked: Option<&(String, bool)>) -> String {
    match asked {
        None => String::new(),
        Some((who, true)) => format!(" ({who} refused)"),
        Some((who, false)) => format!(" ({who} has not answered)"),
    }
}

fn who_is_asked(pending: Option<&String>) -> String {
    pending.map_or_else(|| "nobody was asked".to_owned(), |who| format!("{who} was"))
}

fn visited(at: Option<VisitStep>) -> &'static str {
    at.map_or("that nobody requested", VisitStep::word)
}

fn before(step: VisitStep) -> String {
    let needed = super::visit::needed_before(step);
    needed.map_or_else(
        || "it is requested already".to_owned(),
        |needed| format!("{} comes before that", needed.word()),
    )
}
