//! What someone asks for: decided against the state as it is, appended with the version that was looked at.
//!
//! Not for who may ask: the server checks roles. Invariant: a command id acts once, whoever repeats it and when
//! (for 48 h; after that the expected version protects).

use pegcount_domain::{
    agent::{Decision, decide_next_state, decide_set_state, decide_sign_out},
    envelope::{Position, StreamKind, StreamName, Version},
    event::{Event, Intent},
    ids::{AgentId, CommandId, Name, SiteId},
    time::Micros,
};
use pegcount_log::{Append, AppendError, Expected};
use smallvec::{SmallVec, smallvec};

use crate::{
    boards::{AgentView, Done},
    engine::Engine,
    error::EngineError,
    ingest::new_event,
    options::DECISIONS_MAX,
    source::ENGINE_SOURCE,
};

/// A command has been carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The position of its event; [`Position::START`] if the state was so already.
    pub position: Position,
    /// The stream's version after it.
    pub version: Version,
    /// It takes effect when the present contact is over.
    pub pending: bool,
}

/// What a decision asks to be appended: to one stream or to several, all of it or nothing.
pub(crate) struct Decided {
    /// The first is the stream that the answer speaks of.
    pub(crate) writes: SmallVec<[Write; 1]>,
    pub(crate) pending: bool,
}

/// Events for one stream, decided on a version of it.
pub(crate) struct Write {
    pub(crate) stream: StreamName,
    /// 0: there is no such stream yet.
    pub(crate) version: Version,
    pub(crate) events: Vec<Event>,
}

impl Decided {
    /// For one stream.
    pub(crate) fn on(stream: StreamName, version: Version, events: Vec<Event>) -> Self {
        Self { writes: smallvec![Write { stream, version, events }], pending: false }
    }

    fn says_nothing(&self) -> bool {
        self.writes.iter().all(|write| write.events.is_empty())
    }

    fn version(&self) -> Version {
        self.writes.first().map_or(Version(0), |write| write.version)
    }

    /// The append, with the id at the events of one stream: the first that has any. So the id stands for the version that
    /// the answer tells.
    fn append(&self, asker: &Asker<'_>, now: Micros) -> Append {
        let named = self.writes.iter().position(|write| !write.events.is_empty());
        let mut events = Vec::new();
        for (index, write) in self.writes.iter().enumerate() {
            for event in &write.events {
                let mut new = new_event(write.stream.clone(), event, now, now, asker.actor.clone());
                new.command_id = (Some(index) == named).then_some(asker.command_id);
                new.on_behalf_of.clone_from(&asker.on_behalf_of);
                events.push(new);
            }
        }
        let expected = |write: &Write| (write.stream.clone(), Expected::Version(write.version));
        Append {
            source: Name::fixed(ENGINE_SOURCE),
            batch: None,
            skip_to: None,
            expected: self.writes.iter().map(expected).collect(),
            events,
        }
    }
}

/// Who asks, in whose name, and by which id.
#[derive(Clone, Debug)]
pub(crate) struct Asker<'a> {
    pub(crate) actor: &'a Name,
    pub(crate) on_behalf_of: Option<Name>,
    pub(crate) command_id: CommandId,
}

impl Engine {
    /// One agent as it is now. Errors: [`EngineError::NotFound`].
    pub fn agent(&self, site: &SiteId, agent: &AgentId) -> Result<AgentView, EngineError> {
        let boards = self.boards.state().read();
        let now = self.clock.now();
        boards
            .site(site)
            .and_then(|board| board.agent(site, agent, now, boards.position()))
            .ok_or_else(|| EngineError::NotFound { what: "agent", id: agent.to_string() })
    }

    /// All agents of a site, in the order of their ids.
    pub fn agents(&self, site: &SiteId, present_only: bool) -> Vec<AgentView> {
        let boards = self.boards.state().read();
        let now = self.clock.now();
        let mut agents =
            boards.site(site).map(|board| board.agents(site, now, boards.position())).unwrap_or_default();
        if present_only {
            agents.retain(|agent| agent.state.standing().is_some());
        }
        agents
    }

    /// All sites that any event has named.
    pub fn sites(&self) -> Vec<SiteId> {
        self.boards.state().read().sites()
    }

    /// Sets an agent ready or away; during a contact it becomes the pending next state.
    pub async fn set_state(
        &self,
        site: &SiteId,
        agent: &AgentId,
        intent: Intent,
        comment: Option<Name>,
        actor: &Name,
        command_id: CommandId,
    ) -> Result<Carried, EngineError> {
        self.agent_command(site, agent, comment, actor, command_id, |view| {
            decide_set_state(&view.state, &intent).map_err(refused)
        })
        .await
    }

    /// Sets what an agent becomes when the present contact is over.
    pub async fn set_next_state(
        &self,
        site: &SiteId,
        agent: &AgentId,
        intent: Intent,
        actor: &Name,
        command_id: CommandId,
    ) -> Result<Carried, EngineError> {
        self.agent_command(site, agent, None, actor, command_id, |view| {
            decide_next_state(&view.state, &intent).map_err(refused)
        })
        .await
    }

    /// Signs a stuck agent out at once; open legs and after-call work end.
    pub async fn sign_out_agent(
        &self,
        site: &SiteId,
        agent: &AgentId,
        comment: Option<Name>,
        actor: &Name,
        command_id: CommandId,
    ) -> Result<Carried, EngineError> {
        self.agent_command(site, agent, comment, actor, command_id, |view| Ok(decide_sign_out(&view.state)))
            .await
    }

    async fn agent_command(
        &self,
        site: &SiteId,
        agent: &AgentId,
        said: Option<Name>,
        actor: &Name,
        command_id: CommandId,
        decide: impl Fn(&AgentView) -> Result<Decision, EngineError>,
    ) -> Result<Carried, EngineError> {
        let stream = StreamName { site: site.0.clone(), kind: StreamKind::Agent, id: agent.0.clone() };
        let on_behalf_of = (actor != &agent.0).then(|| agent.0.clone());
        let asker = Asker { actor, on_behalf_of, command_id };
        self.command(std::slice::from_ref(&stream), &asker, || {
            let view = self.agent(site, agent)?;
            let mut decision = decide(&view)?;
            if let Some(Event::StateSet { comment, .. } | Event::NextSet { comment, .. }) =
                &mut decision.event
            {
                comment.clone_from(&said);
            }
            let events = decision.event.into_iter().collect();
            let decided = Decided::on(stream.clone(), view.version, events);
            Ok(Decided { pending: decision.pending, ..decided })
        })
        .await
    }

    /// Decides against the boards, appends with the versions that were looked at, and decides anew when somebody else
    /// was first. Returns when the boards and the figures show it. `streams` are those that the command is about.
    pub(crate) async fn command(
        &self,
        streams: &[StreamName],
        asker: &Asker<'_>,
        decide: impl Fn() -> Result<Decided, EngineError>,
    ) -> Result<Carried, EngineError> {
        for _ in 0..DECISIONS_MAX {
            self.caught_up(self.log.end()).await?;
            if let Some(done) = self.carried_out(asker.command_id, streams)? {
                return Ok(Carried { position: done.position, version: done.version, pending: done.pending });
            }
            let decided = decide()?;
            if decided.says_nothing() {
                let (version, pending) = (decided.version(), decided.pending);
                return Ok(Carried { position: Position::START, version, pending });
            }
            if let Some(carried) = self.append(&decided, asker).await? {
                return Ok(carried);
            }
        }
        let about = streams.first().map(ToString::to_string).unwrap_or_default();
        Err(EngineError::Precondition(format!(
            "{about} changes faster than a command can be decided; tried {DECISIONS_MAX} times: try again"
        )))
    }

    /// As [`Self::command`], of what hangs on the streams' own events alone, all of which the versions guard. So it is decided on the
    /// boards as they stand, without waiting for what others have just written: what was answered stands in them, and if anything of these
    /// streams does not, the append finds another version. Whatever does not come to an append is decided once more, by [`Self::command`].
    pub(crate) async fn guarded_command(
        &self,
        streams: &[StreamName],
        asker: &Asker<'_>,
        decide: impl Fn() -> Result<Decided, EngineError>,
    ) -> Result<Carried, EngineError> {
        let is_new = matches!(self.carried_out(asker.command_id, streams), Ok(None));
        if is_new
            && let Ok(decided) = decide()
            && !decided.says_nothing()
            && let Some(carried) = self.append(&decided, asker).await?
        {
            return Ok(carried);
        }
        self.command(streams, asker, decide).await
    }

    /// Appends what was decided, and waits until boards and figures show it. None: one of the versions is another by now.
    async fn append(&self, decided: &Decided, asker: &Asker<'_>) -> Result<Option<Carried>, EngineError> {
        match self.log.append(decided.append(asker, self.clock.now())).await {
            Ok(done) => {
                self.caught_up(done.last).await?;
                let written = decided.writes.first().map_or(0, |write| write.events.len());
                let version = Version(decided.version().0 + u64::try_from(written).unwrap_or(u64::MAX));
                Ok(Some(Carried { position: done.last, version, pending: decided.pending }))
            }
            Err(AppendError::WrongVersion { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What a command id has done to one of `streams`, within the last 48 h. One that has done something to another
    /// stream is refused: whoever made it up made it up twice.
    pub(crate) fn carried_out(
        &self,
        command: CommandId,
        streams: &[StreamName],
    ) -> Result<Option<Done>, EngineError> {
        match self.boards.state().read().carried_out(command) {
            Some(done) if !streams.contains(&done.stream) => Err(EngineError::Precondition(format!(
                "command id {:032x} was used for {} already: make a new one for {}",
                command.0,
                done.stream,
                streams.first().map(ToString::to_string).unwrap_or_default()
            ))),
            done => Ok(done),
        }
    }
}

/// What somebody asked for, and the state does not allow.
pub(crate) fn refused(refusal: impl std::fmt::Display) -> EngineError {
    EngineError::Precondition(refusal.to_string())
}
