//! The words of tickets, each with a code that is stored.

use crate::coded::coded;

coded! {
    /// Where a ticket stands. Cancelled and merged are for good.
    Status {
        /// Nobody has taken it.
        New = 1 "new",
        /// Somebody answers for it.
        Accepted = 2 "accepted",
        /// It is known what it is about.
        Classified = 3 "classified",
        /// Somebody was sent.
        Dispatched = 4 "dispatched",
        /// Whoever was sent is there.
        OnSite = 5 "on site",
        /// It is worked on.
        Working = 6 "working",
        /// Nothing can be done for now, for a reason.
        OnHold = 7 "on hold",
        /// The matter is settled, in one of four ways.
        Resolved = 8 "resolved",
        /// Settled and put away.
        Closed = 9 "closed",
        /// It was no valid matter.
        Cancelled = 10 "cancelled",
        /// It goes on in another ticket.
        Merged = 11 "merged",
    }
}

impl Status {
    /// Whether somebody has to act.
    pub const fn is_open(self) -> bool {
        !self.is_settled() && !self.is_over()
    }

    /// Whether it was settled and may be reopened.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Resolved | Self::Closed)
    }

    /// Whether it stays so for good.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Cancelled | Self::Merged)
    }
}

coded! {
    /// What is done to a ticket: a row of the transition table.
    Action {
        /// Takes it.
        Accept = 1 "accept",
        /// Says what it is about.
        Classify = 2 "classify",
        /// Sends somebody.
        Dispatch = 3 "dispatch",
        /// Is there.
        Arrive = 4 "arrive",
        /// Begins to work.
        StartWork = 5 "start work",
        /// Nothing can be done for now.
        Hold = 6 "hold",
        /// Goes on.
        Resume = 7 "resume",
        /// Settles it.
        Resolve = 8 "resolve",
        /// The requester accepts what was done.
        Confirm = 9 "confirm",
        /// It was not settled after all.
        Reopen = 10 "reopen",
        /// Puts it away.
        Close = 11 "close",
        /// It is no valid matter.
        Cancel = 12 "cancel",
        /// It goes on in another ticket.
        Merge = 13 "merge",
        /// Another ticket goes on in it.
        Absorb = 14 "absorb",
        /// Brings it before a higher level.
        Escalate = 15 "escalate",
        /// Gives it to somebody else.
        Reassign = 16 "reassign",
        /// Makes a part of it another ticket.
        Split = 17 "split",
        /// Ties it to another ticket, or unties it.
        Link = 18 "link",
        /// Changes what is known of it.
        Edit = 19 "edit",
        /// Writes a note.
        Note = 20 "note",
        /// Attaches evidence, an article, a contact.
        Attach = 21 "attach",
        /// A step of a site visit before the arrival.
        PlanVisit = 22 "plan a visit",
        /// The slip of a site visit is signed or filed.
        HandleSlip = 23 "handle a slip",
        /// Asks for an approval.
        AskApproval = 24 "ask for approval",
        /// Gives or refuses one.
        Approve = 25 "approve",
        /// Tells the customer how things stand.
        Inform = 26 "inform",
        /// Has found out what is behind it.
        Investigate = 27 "investigate",
        /// The same matter is reported again.
        Repeat = 28 "repeat",
        /// Promises a time, postpones it, or notes the one that was asked for.
        Promise = 29 "promise",
        /// Tells whoever has to know, because something came due.
        Alert = 30 "alert",
        /// Opens it.
        Open = 31 "open",
    }
}

coded! {
    /// How bad it is.
    Severity {
        /// Hardly.
        Minor = 1 "minor",
        /// As usual.
        Normal = 2 "normal",
        /// Bad.
        Major = 3 "major",
        /// As bad as can be.
        Critical = 4 "critical",
    }
}

coded! {
    /// How soon something has to be done.
    Urgency {
        /// It can wait for its turn.
        NotUrgent = 1 "not urgent",
        /// At once.
        Urgent = 2 "urgent",
    }
}

coded! {
    /// Whether there is anything to be done about it.
    Validity {
        /// There is.
        Valid = 1 "valid",
        /// There is not; that has to be explained.
        Invalid = 2 "invalid",
    }
}

coded! {
    /// Who may read a note.
    Visibility {
        /// The customer too.
        Public = 1 "public",
        /// Nobody outside.
        Internal = 2 "internal",
    }
}

coded! {
    /// The steps of a site visit, in their order.
    VisitStep {
        /// Somebody is to come.
        Requested = 1 "requested",
        /// When, is agreed with the customer.
        AppointmentAgreed = 2 "appointment agreed",
        /// It may take place.
        Approved = 3 "approved",
        /// Whoever was sent is there.
        Arrived = 4 "arrived",
        /// The customer has signed the slip.
        SlipSigned = 5 "slip signed",
        /// The slip is filed.
        SlipFiled = 6 "slip filed",
    }
}

coded! {
    /// What another ticket is to this one.
    LinkKind {
        /// It has to do with it.
        Related = 1 "related",
        /// This one is a part of it.
        Parent = 2 "parent",
        /// It is a part of this one.
        Child = 3 "child",
        /// This one was split off it.
        SplitFrom = 4 "split from",
        /// It was split off this one.
        SplitInto = 5 "split into",
    }
}

impl LinkKind {
    /// What this ticket is to the other one.
    pub const fn inverse(self) -> Self {
        match self {
            Self::Related => Self::Related,
            Self::Parent => Self::Child,
            Self::Child => Self::Parent,
            Self::SplitFrom => Self::SplitInto,
            Self::SplitInto => Self::SplitFrom,
        }
    }
}

coded! {
    /// What is known of a ticket, field by field.
    Field {
        /// What it is about.
        Category = 1 "category",
        /// More exactly.
        Topic = 2 "topic",
        /// How bad.
        Severity = 3 "severity",
        /// How soon.
        Urgency = 4 "urgency",
        /// Whether there is anything to be done.
        Validity = 5 "validity",
        /// Whose.
        Customer = 6 "customer",
        /// The customer's tier.
        Tier = 7 "tier",
        /// Where, or which asset.
        Place = 8 "place",
        /// In which region.
        Region = 9 "region",
        /// How it came in.
        Channel = 10 "channel",
        /// What a site has defined beside.
        Attribute = 11 "attribute",
    }
}

coded! {
    /// How a matter is settled.
    WayKind {
        /// Alone.
        Alone = 1 "alone",
        /// With other departments.
        WithOthers = 2 "with other departments",
        /// With an approval.
        WithApproval = 3 "with approval",
        /// Declined, with a reason and an alternative.
        Declined = 4 "declined",
    }
}

coded! {
    /// What has to happen within some time.
    TargetKind {
        /// Somebody takes it.
        Accept = 1 "accept",
        /// The customer has a first answer.
        FirstResponse = 2 "first response",
        /// The customer is told again how things stand.
        NextUpdate = 3 "next update",
        /// It is known what is behind it.
        Investigate = 4 "investigate",
        /// An approval that was asked for is given or refused.
        Approve = 5 "approve",
        /// Somebody is sent.
        Dispatch = 6 "dispatch",
        /// Whoever was sent is there.
        Arrive = 7 "arrive",
        /// It is settled.
        Resolve = 8 "resolve",
        /// It is explained why it is no valid matter.
        Explain = 9 "explain",
    }
}

coded! {
    /// Whose word a promised time is.
    Promiser {
        /// The customer asked for it.
        Customer = 1 "the customer",
        /// An agent promised it.
        Agent = 2 "an agent",
    }
}
