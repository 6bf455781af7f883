//! What each command on one ticket says.

use clap::Args;

use super::{StepWord, TargetWord, WayWord};

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
        /// How that was explained, a reference to a sealed value; or --plain says it
        explanation: Option<String>,
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
        /// What it says, a reference to a sealed value; or --plain says it
        text: Option<String>,
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
