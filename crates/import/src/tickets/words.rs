//! The words that a map is written in: what a column holds, and what a row says happened.
//!
//! Invariant: a word is said once here, and every refusal lists what would do.

/// Makes an enum with a word for each value.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$line:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) enum $name { $($(#[$line])* $variant,)+ }

        impl $name {
            /// All of them.
            pub(super) const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its word in a map.
            pub(super) const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The one of this word.
            pub(super) fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }

            /// All words, for refusals.
            pub(super) fn words() -> String {
                let words: Vec<&str> = Self::ALL.iter().map(|one| one.word()).collect();
                words.join(", ")
            }
        }
    };
}

words! {
    /// What a column holds, beside the ticket, what happened, and when.
    Holds {
        /// Who did it.
        Agent = "agent",
        /// The group that it belongs to.
        Group = "group",
        /// The ticket's kind.
        Kind = "kind",
        /// What it is about.
        Category = "category",
        /// More exactly.
        Topic = "topic",
        /// How bad: minor, normal, major, critical.
        Severity = "severity",
        /// How soon: not urgent, urgent.
        Urgency = "urgency",
        /// Whether there is anything to be done: valid, invalid.
        Validity = "validity",
        /// The customer's tier.
        Tier = "tier",
        /// Where, or which asset.
        Place = "place",
        /// In which region.
        Region = "region",
        /// How it came in.
        Channel = "channel",
        /// The customer's number or address, PLAIN: exchanged for a surrogate.
        Customer = "customer",
        /// A code for what happened: why it waits, why it was reopened.
        Reason = "reason",
        /// The ticket in which it goes on.
        MergedInto = "merged_into",
        /// Whether it has been reopened.
        Reopened = "reopened",
        /// Whether the deadline was met.
        DeadlineMet = "deadline_met",
    }
}

words! {
    /// What a row says happened.
    What {
        /// The ticket was opened.
        Opened = "opened",
        /// The row's agent took it.
        Accepted = "accepted",
        /// It was said what it is about.
        Classified = "classified",
        /// Something else became known of it.
        Edited = "edited",
        /// Somebody was sent: the row's group and agent.
        Dispatched = "dispatched",
        /// Whoever was sent is there.
        Arrived = "arrived",
        /// Work began.
        WorkStarted = "work_started",
        /// It waits.
        Held = "held",
        /// It goes on.
        Resumed = "resumed",
        /// It was settled.
        Resolved = "resolved",
        /// The requester accepted what was done.
        Confirmed = "confirmed",
        /// It was not settled after all.
        Reopened = "reopened",
        /// It was put away.
        Closed = "closed",
        /// It was no valid matter.
        Cancelled = "cancelled",
        /// It goes on in another ticket.
        Merged = "merged",
        /// It came before a higher level.
        Escalated = "escalated",
        /// It was given to the row's agent, group or both.
        Reassigned = "reassigned",
        /// The customer was told how things stand.
        Informed = "informed",
        /// It was found out what is behind it.
        Investigated = "investigated",
        /// The same matter was reported again.
        Repeated = "repeated",
        /// Nothing but what its columns say.
        Nothing = "nothing",
    }
}

impl Holds {
    /// A yes or a no.
    pub(super) const fn is_flag(self) -> bool {
        matches!(self, Self::Reopened | Self::DeadlineMet)
    }
}
