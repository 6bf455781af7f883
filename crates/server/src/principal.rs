//! Who speaks: a name, a role, the sites it may speak for, and for an agent which one it is.
//!
//! Not for what a role may do: that is `access`. Invariant: a principal of the role `agent` names its agent and one
//! site; no other role names an agent.

use std::fmt;

use pegcount_domain::ids::{AgentId, Name, SiteId};

macro_rules! roles {
    ($($(#[$doc:meta])* $variant:ident $word:literal,)+) => {
        /// What a principal is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Role { $($(#[$doc])* $variant,)+ }

        impl Role {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word in a token.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

roles! {
    /// Handles contacts; sees and changes what is its own.
    Agent "agent",
    /// Leads a team.
    TeamLead "team_lead",
    /// Watches all queues and agents.
    KpiDesk "kpi_desk",
    /// Answers for the floor.
    FloorManager "floor_manager",
    /// Inspects and trains.
    QualityInspector "quality_inspector",
    /// Owns, dispatches or works on tickets.
    TicketOwner "ticket_owner",
    /// Calls customers back.
    CallBackAgent "call_back_agent",
    /// Keeps personal data.
    DataSteward "data_steward",
    /// Reads figures.
    Analyst "analyst",
    /// Reports facts: a softphone gateway, an exchange, an importer.
    Connector "connector",
    /// Configures.
    Administrator "administrator",
}

impl Role {
    /// The role of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.word() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The sites that a principal may speak for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sites {
    /// Every one (`*` in a token).
    All,
    /// This one.
    One(SiteId),
}

impl Sites {
    /// Whether `site` is among them.
    pub fn hold(&self, site: &SiteId) -> bool {
        match self {
            Self::All => true,
            Self::One(own) => own == site,
        }
    }
}

impl fmt::Display for Sites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::One(site) => site.fmt(f),
        }
    }
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    name: Name,
    role: Role,
    sites: Sites,
    agent: Option<AgentId>,
}

/// Why there can be no such principal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrincipalError {
    /// An agent of nowhere, or of everywhere.
    #[error("the role agent needs an agent and one site; give both")]
    AgentIncomplete,
    /// An agent's name on another role.
    #[error("the role {role} speaks for no agent; leave the agent out, or use the role agent")]
    AgentNotAllowed {
        /// The role.
        role: Role,
    },
}

impl Principal {
    /// A principal. Errors: an agent without its id or with all sites; another role with an agent's id.
    pub fn new(name: Name, role: Role, sites: Sites, agent: Option<AgentId>) -> Result<Self, PrincipalError> {
        match (role, &sites, &agent) {
            (Role::Agent, Sites::One(_), Some(_)) => {}
            (Role::Agent, ..) => return Err(PrincipalError::AgentIncomplete),
            (_, _, Some(_)) => return Err(PrincipalError::AgentNotAllowed { role }),
            _ => {}
        }
        Ok(Self { name, role, sites, agent })
    }

    /// Its name: the actor of the events that it causes.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What it is.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Where it may speak.
    pub fn sites(&self) -> &Sites {
        &self.sites
    }

    /// For the role agent: which one it is.
    pub fn agent(&self) -> Option<&AgentId> {
        self.agent.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn principal(role: Role, sites: Sites, agent: Option<&'static str>) -> Result<Principal, PrincipalError> {
        Principal::new(Name::fixed("p"), role, sites, agent.map(|agent| AgentId(Name::fixed(agent))))
    }

    #[test]
    fn an_agent_has_one_site_and_an_id_and_nobody_else_has_an_agents_id() {
        let north = || Sites::One(SiteId(Name::fixed("north")));
        assert!(principal(Role::Agent, north(), Some("7")).is_ok());
        assert_eq!(principal(Role::Agent, north(), None), Err(PrincipalError::AgentIncomplete));
        assert_eq!(principal(Role::Agent, Sites::All, Some("7")), Err(PrincipalError::AgentIncomplete));
        let role = Role::Analyst;
        assert_eq!(principal(role, north(), Some("7")), Err(PrincipalError::AgentNotAllowed { role }));
    }

    #[test]
    fn every_role_is_found_by_its_word() {
        for role in Role::ALL {
            assert_eq!(Role::from_word(role.word()), Some(*role));
        }
        assert_eq!(Role::from_word("king"), None);
    }
}
