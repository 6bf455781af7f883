//! What an exchange or a chat gateway says, in the field's words.
//!
//! [`ContactFacts`] makes the facts and nothing else; [`Exchange`] records them. Invariant: every fact is in the
//! stream of its contact.

use pegcount_domain::{
    envelope::SourceSeq,
    event::{Channel, Direction, LegRef, LegStep, Party, QueueExit},
    ids::{ContactId, EntryId, QueueId, SurveyId, TopicId, VisitId, WrapUpCode},
};
use pegcount_proto::v1::{
    ContactEnded, ContactFact, ContactIdentified, ContactStarted, QueueEntered, QueueLeft, SurveyAnswered,
    WrappedUp, contact_fact::Action, fact::Fact,
};

use crate::{
    config::SourceConfig,
    leg::{leg_message, text},
    source::{OpenError, Source},
    spool::SpoolError,
};

/// How a contact begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The medium.
    pub channel: Channel,
    /// Who began it.
    pub direction: Direction,
    /// The hotline or address that was chosen.
    pub entry: Option<EntryId>,
    /// The customer's number, plain; the server exchanges it for a surrogate before anything is stored.
    pub caller: Option<String>,
    /// The first contact of the journey that it goes on with.
    pub journey: Option<ContactId>,
    /// Our own call-back.
    pub callback: bool,
    /// Higher is served first; 0 is ordinary.
    pub priority: u32,
}

/// Makes the facts of one contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactFacts(pub ContactId);

impl ContactFacts {
    fn fact(&self, action: Action) -> Fact {
        Fact::Contact(ContactFact { contact: self.0.to_string(), action: Some(action) })
    }

    /// The contact began.
    pub fn started(&self, start: &Start) -> Fact {
        self.fact(Action::Started(ContactStarted {
            channel: start.channel.code().into(),
            direction: start.direction.code().into(),
            entry: text(start.entry.as_ref()),
            caller: start.caller.clone().unwrap_or_default(),
            journey: text(start.journey.as_ref()),
            callback: start.callback,
            priority: start.priority,
        }))
    }

    /// The customer (plain, as in [`Start::caller`]) or the topic became known.
    pub fn identified(&self, caller: Option<&str>, topic: Option<&TopicId>) -> Fact {
        let caller = caller.unwrap_or_default().to_owned();
        self.fact(Action::Identified(ContactIdentified { caller, topic: text(topic) }))
    }

    /// A queue visit began.
    pub fn queue_entered(&self, visit: &VisitId, queue: &QueueId, priority: u32) -> Fact {
        let (visit, queue) = (visit.to_string(), queue.to_string());
        self.fact(Action::QueueEntered(QueueEntered { visit, queue, priority }))
    }

    /// A queue visit ended; `ringing` if a device rang when the customer gave up.
    pub fn queue_left(&self, visit: &VisitId, exit: QueueExit, ringing: bool) -> Fact {
        let exit = i32::from(exit.code());
        self.fact(Action::QueueLeft(QueueLeft { visit: visit.to_string(), exit, ringing }))
    }

    /// A step of a leg.
    pub fn leg(&self, leg: &LegRef, step: &LegStep) -> Fact {
        self.fact(Action::Leg(leg_message(leg, step)))
    }

    /// The agent classified the contact.
    pub fn wrapped_up(&self, code: &WrapUpCode, topic: Option<&TopicId>, resolved: Option<bool>) -> Fact {
        self.fact(Action::WrappedUp(WrappedUp { code: code.to_string(), topic: text(topic), resolved }))
    }

    /// The contact is over for everybody.
    pub fn ended(&self, by: Party, self_served: bool) -> Fact {
        self.fact(Action::Ended(ContactEnded { by: by.code().into(), self_served }))
    }

    /// The customer answered a survey, 1 (worst) to 5 (best).
    pub fn survey_answered(&self, survey: &SurveyId, score: u8) -> Fact {
        self.fact(Action::SurveyAnswered(SurveyAnswered { survey: survey.to_string(), score: score.into() }))
    }
}

/// An exchange: many contacts, one source, no lease.
#[derive(Debug)]
pub struct Exchange {
    source: Source,
}

type Recorded = Result<SourceSeq, SpoolError>;

impl Exchange {
    /// Opens the source without a lease.
    pub fn open(config: SourceConfig) -> Result<Self, OpenError> {
        Ok(Self { source: Source::open(SourceConfig { agent: None, ..config })? })
    }

    /// The source underneath: flush, status.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Ends the connection in good order.
    pub async fn close(self) {
        self.source.close().await;
    }

    /// A contact began.
    pub fn started(&self, contact: &ContactId, start: &Start) -> Recorded {
        self.source.record(facts(contact).started(start))
    }

    /// The customer (plain) or the topic became known.
    pub fn identified(&self, contact: &ContactId, caller: Option<&str>, topic: Option<&TopicId>) -> Recorded {
        self.source.record(facts(contact).identified(caller, topic))
    }

    /// A queue visit began.
    pub fn queue_entered(&self, contact: &ContactId, visit: &VisitId, queue: &QueueId) -> Recorded {
        self.source.record(facts(contact).queue_entered(visit, queue, 0))
    }

    /// A queue visit ended; `ringing` if a device rang when the customer gave up.
    pub fn queue_left(
        &self,
        contact: &ContactId,
        visit: &VisitId,
        exit: QueueExit,
        ringing: bool,
    ) -> Recorded {
        self.source.record(facts(contact).queue_left(visit, exit, ringing))
    }

    /// A step of a leg.
    pub fn leg(&self, leg: &LegRef, step: &LegStep) -> Recorded {
        self.source.record(facts(&leg.contact).leg(leg, step))
    }

    /// The agent classified the contact.
    pub fn wrapped_up(
        &self,
        contact: &ContactId,
        code: &WrapUpCode,
        topic: Option<&TopicId>,
        resolved: Option<bool>,
    ) -> Recorded {
        self.source.record(facts(contact).wrapped_up(code, topic, resolved))
    }

    /// The contact is over for everybody.
    pub fn ended(&self, contact: &ContactId, by: Party, self_served: bool) -> Recorded {
        self.source.record(facts(contact).ended(by, self_served))
    }

    /// The customer answered a survey, 1 to 5.
    pub fn survey_answered(&self, contact: &ContactId, survey: &SurveyId, score: u8) -> Recorded {
        self.source.record(facts(contact).survey_answered(survey, score))
    }
}

fn facts(contact: &ContactId) -> ContactFacts {
    ContactFacts(contact.clone())
}
