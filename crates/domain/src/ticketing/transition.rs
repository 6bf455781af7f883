//! The table of a ticket's transitions.
//!
//! [`transition`] is all of it: decisions and folds ask nothing else about a status, and ARCHITECTURE.md shows what is printed
//! from here. What a step needs beside the status (fields, approvals, the order of a visit) is for [`mod@crate::ticketing::decide`].
//!
//! Invariant: every (status, action) has an answer; from cancelled and merged nothing leads anywhere.

use serde::{Deserialize, Serialize};

use crate::ticketing::words::{Action, Status};

/// What an action does to a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// It stands so afterwards.
    To(Status),
    /// It stands as it did before it was put on hold.
    Back,
    /// It stands as before.
    Stay,
    /// Not allowed.
    No(Why),
}

/// Why an action is not allowed; displays as what stands against it and what to do.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error,
)]
pub enum Why {
    /// Nobody answers for it.
    #[error("nobody has accepted it: accept it first")]
    NotAccepted,
    /// It is not known what it is about.
    #[error("it is not classified: classify it first")]
    NotClassified,
    /// It waits.
    #[error("it is on hold: resume it first")]
    OnHold,
    /// It does not wait.
    #[error("it is not on hold: there is nothing to resume")]
    NotOnHold,
    /// It is settled.
    #[error("it is settled already: reopen it first")]
    Settled,
    /// It is not settled.
    #[error("it is not resolved: resolve it first")]
    NotResolved,
    /// It is open.
    #[error("it is open: there is nothing to reopen")]
    Open,
    /// It is so.
    #[error("it is so already: there is nothing to do")]
    Already,
    /// Nobody was sent.
    #[error("nobody was sent: dispatch it first")]
    NotDispatched,
    /// For good.
    #[error("that is for good: go on in the ticket that it was merged into, or open a new one")]
    Over,
}

impl Why {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::NotAccepted,
        Self::NotClassified,
        Self::OnHold,
        Self::NotOnHold,
        Self::Settled,
        Self::NotResolved,
        Self::Open,
        Self::Already,
        Self::NotDispatched,
        Self::Over,
    ];
}

/// The table: what `action` does to a ticket that stands `from`.
pub const fn transition(from: Status, action: Action) -> Move {
    match from {
        Status::Cancelled | Status::Merged => Move::No(Why::Over),
        Status::Resolved | Status::Closed => from_settled(from, action),
        Status::New => from_new(action),
        Status::OnHold => from_hold(action),
        Status::Accepted | Status::Classified | Status::Dispatched | Status::OnSite | Status::Working => {
            from_open(from, action)
        }
    }
}

/// Where an action leads if nothing speaks against it; none if it leads nowhere by itself. [`Action::Resume`] leads back.
pub const fn aim(action: Action) -> Option<Status> {
    Some(match action {
        Action::Open => Status::New,
        Action::Accept => Status::Accepted,
        // Everything is known again, and nobody is at it.
        Action::Classify | Action::Reopen => Status::Classified,
        Action::Dispatch => Status::Dispatched,
        Action::Arrive => Status::OnSite,
        Action::StartWork => Status::Working,
        Action::Hold => Status::OnHold,
        Action::Resolve => Status::Resolved,
        Action::Close => Status::Closed,
        Action::Cancel => Status::Cancelled,
        Action::Merge => Status::Merged,
        _ => return None,
    })
}

const fn go(action: Action) -> Move {
    match aim(action) {
        Some(to) => Move::To(to),
        None => Move::Stay,
    }
}

const fn from_new(action: Action) -> Move {
    match action {
        Action::Classify
        | Action::Dispatch
        | Action::Arrive
        | Action::StartWork
        | Action::Hold
        | Action::Resolve
        | Action::PlanVisit
        | Action::HandleSlip
        | Action::AskApproval
        | Action::Approve
        | Action::Investigate => Move::No(Why::NotAccepted),
        Action::Resume => Move::No(Why::NotOnHold),
        Action::Confirm | Action::Close => Move::No(Why::NotResolved),
        Action::Reopen => Move::No(Why::Open),
        Action::Open => Move::No(Why::Already),
        _ => go(action),
    }
}

const fn from_open(from: Status, action: Action) -> Move {
    match action {
        Action::Open | Action::Accept => Move::No(Why::Already),
        Action::Classify => match from {
            Status::Accepted => go(action),
            // It is found to be something else; whoever is at it goes on.
            _ => Move::Stay,
        },
        Action::Dispatch | Action::StartWork | Action::Resolve | Action::PlanVisit
            if matches!(from, Status::Accepted) =>
        {
            Move::No(Why::NotClassified)
        }
        Action::Arrive => match from {
            Status::Accepted => Move::No(Why::NotClassified),
            Status::Classified => Move::No(Why::NotDispatched),
            Status::OnSite => Move::No(Why::Already),
            _ => go(action),
        },
        Action::StartWork if matches!(from, Status::Working) => Move::No(Why::Already),
        Action::Resume => Move::No(Why::NotOnHold),
        Action::Confirm | Action::Close => Move::No(Why::NotResolved),
        Action::Reopen => Move::No(Why::Open),
        _ => go(action),
    }
}

const fn from_hold(action: Action) -> Move {
    match action {
        Action::Resume => Move::Back,
        Action::Dispatch | Action::Arrive | Action::StartWork | Action::Resolve => Move::No(Why::OnHold),
        Action::Hold | Action::Open | Action::Accept => Move::No(Why::Already),
        Action::Confirm | Action::Close => Move::No(Why::NotResolved),
        Action::Reopen => Move::No(Why::Open),
        Action::Classify => Move::Stay,
        _ => go(action),
    }
}

const fn from_settled(from: Status, action: Action) -> Move {
    let closed = matches!(from, Status::Closed);
    match action {
        Action::Reopen => go(action),
        Action::Note | Action::Attach | Action::Link | Action::Inform | Action::Repeat | Action::Alert => {
            Move::Stay
        }
        Action::Merge
        | Action::Absorb
        | Action::Close
        | Action::Confirm
        | Action::Reassign
        | Action::HandleSlip
            if !closed =>
        {
            go(action)
        }
        Action::Close | Action::Open | Action::Confirm => Move::No(Why::Already),
        Action::Resolve if !closed => Move::No(Why::Already),
        Action::Resume => Move::No(Why::NotOnHold),
        _ => Move::No(Why::Settled),
    }
}
