//! The one place that decides who may do what, where.
//!
//! Every service method asks [`Access`] for a [`Caller`] first, and gets the site that it works on from that caller
//! only. Not for what the state of things allows: that is the engine's.
//!
//! Invariant: a [`Caller`] has a good token and a role that may do the [`Action`] it was admitted for.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use pegcount_domain::ids::{AgentId, Name, SiteId};
use tonic::{Status, metadata::MetadataMap};

use crate::{
    fields,
    principal::{Principal, Role, Sites},
    status,
    tokens::{TokenKeys, Verified},
};

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident $words:literal [$($role:ident)+],)+) => {
        /// What can be asked for, with the roles that may.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Action { $($(#[$doc])* $variant,)+ }

        impl Action {
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)+];

            /// In words, for refusals.
            const fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)+ }
            }

            /// Who may.
            const fn roles(self) -> &'static [Role] {
                match self { $(Self::$variant => &[$(Role::$role),+],)+ }
            }
        }
    };
}

actions! {
    /// Facts of one's own sources; an agent's about itself only.
    WriteFacts "sending facts" [Connector Agent Administrator],
    /// Amending and annulling facts.
    CorrectFacts "correcting facts" [TeamLead KpiDesk Connector Administrator],
    /// Whole records of other systems.
    ImportRecords "importing records" [Connector Administrator],
    /// Queues, reasons, agents.
    Define "defining" [Administrator],
    /// What is defined: needed to read any figure.
    ReadDefinitions "reading definitions" [
        Agent TeamLead KpiDesk FloorManager QualityInspector TicketOwner CallBackAgent DataSteward Analyst Connector
        Administrator
    ],
    /// Agents as they are now; an agent itself only.
    ReadAgents "reading agents" [
        Agent TeamLead KpiDesk FloorManager QualityInspector Connector Administrator
    ],
    /// An agent's state; an agent its own only.
    SetState "setting an agent's state" [Agent TeamLead FloorManager Administrator],
    /// Ending a stuck session.
    SignOutAgent "signing an agent out" [TeamLead FloorManager Administrator],
    /// Contacts as they are now; an agent those that it takes part in.
    ReadContacts "reading contacts" [
        Agent TeamLead KpiDesk FloorManager QualityInspector TicketOwner CallBackAgent Connector Administrator
    ],
    /// Opening, resolving, reopening, closing; an agent tickets that it took or resolved.
    WriteTickets "working on tickets" [
        Agent TeamLead TicketOwner CallBackAgent Connector Administrator
    ],
    /// Tickets as they are now; an agent those that it took or resolved.
    ReadTickets "reading tickets" [
        Agent TeamLead KpiDesk FloorManager QualityInspector TicketOwner CallBackAgent Connector Administrator
    ],
    /// Customers by a number or a surrogate: what is sealed, not what it says.
    FindCustomers "finding customers" [Agent TeamLead TicketOwner CallBackAgent DataSteward],
    /// Sealing names, numbers, notes.
    KeepCustomerData "keeping customers' data" [
        Agent TeamLead TicketOwner CallBackAgent DataSteward Connector
    ],
    /// What was sealed: a data steward, and whoever was given access by one.
    ReadCustomerData "reading customers' data" [
        Agent TeamLead QualityInspector TicketOwner CallBackAgent DataSteward
    ],
    /// A customer's tier.
    SetCustomerTier "setting a customer's tier" [TeamLead TicketOwner DataSteward],
    /// Who may read, and erasing.
    GovernCustomerData "granting access to customers' data and erasing it" [DataSteward],
    /// The vault's files, unreadable without the master key.
    BackUpVault "backing the vault up" [Administrator],
    /// Figures; an agent its own rows only.
    ReadKpis "reading figures" [
        Agent TeamLead KpiDesk FloorManager QualityInspector Analyst Administrator
    ],
    /// What changed figures after the fact, and odd facts, over all agents.
    ReadCorrections "reading corrections and odd facts" [
        TeamLead KpiDesk FloorManager QualityInspector Analyst Administrator
    ],
    /// Counting all of a site's facts again, to check its figures.
    Reconcile "checking figures against the log" [KpiDesk FloorManager Analyst Administrator],
    /// The log as it is.
    ReadLog "reading the log" [Administrator KpiDesk Connector],
    /// The log with everything in it, for a backup.
    BackUpLog "backing the log up" [Administrator],
    /// What is old going for good.
    DropHistory "dropping history" [Administrator],
}

/// Decides.
#[derive(Clone)]
pub(crate) struct Access(Arc<TokenKeys>);

/// Somebody with a good token, admitted for one action.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    principal: Principal,
    action: Action,
    expires_at: u64,
}

impl Access {
    pub(crate) fn new(keys: TokenKeys) -> Self {
        Self(Arc::new(keys))
    }

    /// Admits a call by its metadata.
    pub(crate) fn admit(&self, metadata: &MetadataMap, action: Action) -> Result<Caller, Status> {
        let header = metadata.get("authorization").map(|value| value.to_str().unwrap_or_default());
        self.admit_header(header, action)
    }

    /// Admits by the value of an `authorization` header.
    pub(crate) fn admit_header(&self, header: Option<&str>, action: Action) -> Result<Caller, Status> {
        let Verified { principal, expires_at } = self.0.verify_header(header).map_err(|error| {
            metrics::counter!("pegcount_refused_tokens_total").increment(1);
            status::unauthenticated(&error)
        })?;
        if action.roles().contains(&principal.role()) {
            return Ok(Caller { principal, action, expires_at });
        }
        Err(refused(&principal, action))
    }
}

fn refused(principal: &Principal, action: Action) -> Status {
    let roles: Vec<&str> = action.roles().iter().map(|role| role.word()).collect();
    status::denied(
        "ROLE",
        format!(
            "{} needs one of the roles {}; the token of {} has the role {}",
            action.words(),
            roles.join(", "),
            principal.name(),
            principal.role()
        ),
    )
}

impl Caller {
    /// The actor of the events that it causes.
    pub(crate) fn actor(&self) -> &Name {
        self.principal.name()
    }

    /// What it is.
    pub(crate) fn role(&self) -> Role {
        self.principal.role()
    }

    /// Whether its role may do something else too.
    pub(crate) fn may(&self, action: Action) -> bool {
        action.roles().contains(&self.principal.role())
    }

    /// Admitted for another action too. Errors: its role may not.
    pub(crate) fn also(&self, action: Action) -> Result<(), Status> {
        if self.may(action) { Ok(()) } else { Err(refused(&self.principal, action)) }
    }

    /// Whether it may do what others' names protect.
    pub(crate) fn is_administrator(&self) -> bool {
        self.principal.role() == Role::Administrator
    }

    /// Whether it keeps personal data for a living.
    pub(crate) fn is_data_steward(&self) -> bool {
        self.principal.role() == Role::DataSteward
    }

    /// The agent that it is, if it is one: then it gets to see and change nothing else.
    pub(crate) fn own_agent(&self) -> Option<&AgentId> {
        self.principal.agent()
    }

    /// The agent as whom it owns tickets: its own, or of a ticket owner's token the one of its name.
    pub(crate) fn as_owner(&self) -> Option<AgentId> {
        let named = (self.principal.role() == Role::TicketOwner).then(|| AgentId(self.actor().clone()));
        self.own_agent().cloned().or(named)
    }

    /// The only site that it may speak for; none: all.
    pub(crate) fn only_site(&self) -> Option<&SiteId> {
        match self.principal.sites() {
            Sites::All => None,
            Sites::One(site) => Some(site),
        }
    }

    /// The site that a message names, if the caller may speak for it.
    pub(crate) fn site(&self, field: &str, text: &str) -> Result<SiteId, Status> {
        let site = fields::site(field, text)?;
        if self.principal.sites().hold(&site) {
            return Ok(site);
        }
        Err(status::denied(
            "SITE",
            format!(
                "{} at site {site} needs a token for {site} or *; the token of {} is for site {}",
                self.action.words(),
                self.actor(),
                self.principal.sites()
            ),
        ))
    }

    /// Whether it may do this about `agent`: an agent may about itself only.
    pub(crate) fn about_agent(&self, agent: &AgentId) -> Result<(), Status> {
        match self.own_agent() {
            Some(own) if own != agent => Err(status::denied(
                "AGENT",
                format!(
                    "{} of agent {agent} needs a token of that agent, or of another role; the token of {} is agent {own}'s",
                    self.action.words(),
                    self.actor()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Waits until the token has expired: a lasting stream does not outlive it.
    pub(crate) async fn expired(&self) {
        loop {
            let left = Duration::from_secs(self.expires_at)
                .saturating_sub(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
            if left.is_zero() {
                return;
            }
            // The machine's clock may be set meanwhile, so it looks again every hour.
            tokio::time::sleep(left.min(Duration::from_hours(1))).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::Code;

    use super::*;

    fn access() -> (tempfile::TempDir, Access) {
        let dir = tempfile::tempdir().unwrap();
        let keys = TokenKeys::open(dir.path()).unwrap();
        (dir, Access::new(keys))
    }

    fn admit(access: &Access, role: Role, site: &'static str, action: Action) -> Result<Caller, Status> {
        let agent = (role == Role::Agent).then_some(AgentId(Name::fixed("7")));
        let sites = if site == "*" { Sites::All } else { Sites::One(SiteId(Name::fixed(site))) };
        let principal = Principal::new(Name::fixed("p"), role, sites, agent).unwrap();
        let token = access.0.mint(&principal, Duration::from_mins(1)).unwrap();
        access.admit_header(Some(&format!("Bearer {token}")), action)
    }

    #[test]
    fn a_refusal_says_which_roles_may_and_which_the_token_has() {
        let (_dir, access) = access();
        let refused = admit(&access, Role::Analyst, "*", Action::Define).unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert_eq!(
            refused.message(),
            "defining needs one of the roles administrator; the token of p has the role analyst"
        );
    }

    #[test]
    fn a_token_for_one_site_speaks_for_no_other() {
        let (_dir, access) = access();
        let caller = admit(&access, Role::TeamLead, "north", Action::ReadAgents).unwrap();
        assert!(caller.site("site", "north").is_ok());
        let refused = caller.site("site", "south").unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        assert!(refused.message().contains("the token of p is for site north"), "{}", refused.message());
        let everywhere = admit(&access, Role::TeamLead, "*", Action::ReadAgents).unwrap();
        assert!(everywhere.site("site", "south").is_ok());
    }

    #[test]
    fn an_agent_speaks_for_itself_only() {
        let (_dir, access) = access();
        let caller = admit(&access, Role::Agent, "north", Action::SetState).unwrap();
        assert!(caller.about_agent(&AgentId(Name::fixed("7"))).is_ok());
        let refused = caller.about_agent(&AgentId(Name::fixed("8"))).unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }

    #[test]
    fn every_action_admits_exactly_the_roles_of_its_row() {
        let (_dir, access) = access();
        for action in Action::ALL {
            for role in Role::ALL {
                let admitted = admit(&access, *role, "north", *action).is_ok();
                assert_eq!(admitted, action.roles().contains(role), "{role} {action:?}");
            }
        }
    }
}
