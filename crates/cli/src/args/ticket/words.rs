//! The contract's words as people type them.
//!
//! Invariant: they stand in the order of the contract's numbers.

use clap::ValueEnum;

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
