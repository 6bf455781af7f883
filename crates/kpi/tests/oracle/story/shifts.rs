//! Definitions, some of them late and reaching back, and the agents' days.

use pegcount_domain::{
    envelope::StreamKind,
    event::{AfterCallEnd, AfterCallOnContact, AgentDefinition, Event, Intent, QueueDefinition},
    formula::{
        AbandonForm, Forms, FormulaDefinition, HandleTimeForm, Identity, Repeats, ResolutionForm, Rules,
        ServiceLevelForm, TransferRule,
    },
    ids::{AgentId, Key, PhoneKey, QueueId, ReasonCode, TeamId},
    time::Micros,
};

use super::{AGENTS, Draft, QUEUES, Teller, key};

impl Teller {
    pub(super) fn definitions(&mut self) {
        let from = |teller: &mut Self, hours: i64| teller.start + hours * 9000 + teller.dice.below(9000);
        for queue in QUEUES {
            for from in [0, from(self, 0)] {
                if self.dice.chance(60) {
                    let definition = self.queue_definition(queue, from);
                    self.define(Event::QueueDefined(definition));
                }
            }
        }
        for agent in AGENTS {
            for from in [0, from(self, 0), from(self, 1)] {
                while self.dice.chance(40) {
                    let team = self.dice.pick(&[Some("team 0"), Some("team 1"), None]);
                    let definition = AgentDefinition {
                        agent: AgentId(key(agent)),
                        team: team.map(|team| TeamId(key(team))),
                        chat_slots: 1 + u32::try_from(self.days.below(3)).unwrap(),
                        valid_from: Micros::from_secs(from),
                    };
                    self.define(Event::AgentDefined(definition));
                }
            }
        }
    }

    /// At the start, or in the middle of it all for what has been already.
    pub(super) fn define(&mut self, event: Event<Key>) {
        let late = self.dice.chance(30);
        let at = self.start + if late { self.dice.below(6 * 3600) } else { 0 };
        self.put(StreamKind::Definition, "all", at, event);
    }

    fn queue_definition(&mut self, queue: &str, from: i64) -> QueueDefinition<Key> {
        use AfterCallEnd::{ByAgent, ByTimer};
        QueueDefinition {
            threshold: self.own(&[10, 20, 60]),
            short: self.own(&[2, 5, 30]),
            rings: self.own(&[5, 15]),
            after_call_end: self.dice.pick(&[ByAgent, ByTimer, ByTimer, AfterCallEnd::None]),
            after_call_timer: Micros::from_secs(self.dice.pick(&[20, 45])),
            after_call_on_contact: self.dice.pick(&[AfterCallOnContact::Ends, AfterCallOnContact::Suspends]),
            valid_from: Micros::from_secs(from),
            ..QueueDefinition::default_for(QueueId(key(queue)))
        }
    }

    /// A queue's own threshold, or none.
    fn own(&mut self, seconds: &[i64]) -> Option<Micros> {
        let own = Micros::from_secs(self.dice.pick(seconds));
        self.formulas.chance(70).then_some(own)
    }

    /// Up to four comings into force of up to three versions, some of them late; a version's content stays.
    pub(super) fn formulas(&mut self) {
        let contents: Vec<FormulaDefinition<Key>> = (2..=4).map(|number| self.formula(number)).collect();
        for _ in 0..self.formulas.below(5) {
            let mut formula = self.formulas.pick(&contents);
            if self.formulas.chance(15) {
                formula = FormulaDefinition::built_in();
            }
            formula.valid_from = match self.formulas.below(4) {
                0 => Micros(i64::MIN),
                _ => Micros::from_secs(self.start - 3600 + self.formulas.below(7 * 3600)),
            };
            let late = self.formulas.chance(40);
            let at = self.start + if late { self.formulas.below(6 * 3600) } else { 0 };
            let event = Event::FormulaDefined(Box::new(formula));
            let (site, id) = (self.site, "all".to_owned());
            self.drafts.push(Draft { site, kind: StreamKind::Definition, id, at, event });
        }
    }

    fn formula(&mut self, number: u8) -> FormulaDefinition<Key> {
        let dice = &mut self.formulas;
        let mut of = |seconds: &[i64]| Micros::from_secs(dice.pick(seconds));
        let rules = Rules {
            threshold: of(&[15, 20, 45]),
            short: of(&[1, 5, 20]),
            rings: of(&[4, 10, 15]),
            short_handle: of(&[5, 10, 90]),
            attempt_window: of(&[300, 1800, 7200]),
            fcr_window: of(&[3600, 7 * 86_400, 9 * 86_400]),
            repeat_window: of(&[1800, 7 * 86_400]),
            ..Rules::default()
        };
        let rules = Rules {
            fcr_identity: dice.pick(Identity::ALL),
            fcr_repeats: dice.pick(Repeats::ALL),
            fcr_transfer: dice.pick(TransferRule::ALL),
            ..if dice.chance(25) { Rules::default() } else { rules }
        };
        let forms = Forms {
            aht: dice.pick(HandleTimeForm::ALL),
            abandon_rate: dice.pick(AbandonForm::ALL),
            service_level: dice.pick(ServiceLevelForm::ALL),
            fcr: dice.pick(ResolutionForm::ALL),
            ..Forms::default()
        };
        FormulaDefinition { number, rules, forms, ..FormulaDefinition::built_in() }
    }

    pub(super) fn shift(&mut self, agent: &str) {
        let mut at = self.start + self.dice.below(1200);
        if self.dice.chance(90) {
            self.put(StreamKind::Agent, agent, at, Event::SignedIn);
        }
        let until = self.start + 4 * 3600;
        while at < until {
            at += 1 + self.dice.below(1500);
            let event = self.press(agent, at);
            self.put(StreamKind::Agent, agent, at, event);
        }
        let at = until + self.dice.below(1800);
        self.put(StreamKind::Agent, agent, at, Event::SignedOut);
    }

    fn press(&mut self, agent: &str, at: i64) -> Event<Key> {
        let reason = ReasonCode(key(self.dice.pick(&["meal", "rest"])));
        let intents = [Intent::Ready, Intent::NotReady(reason), Intent::SignedOut];
        match self.dice.below(20) {
            0..5 => Event::NotReady { reason },
            11 => Event::KeyPressed { key: PhoneKey(key("mute")) },
            12 => {
                let last_heard = Micros::from_secs(at - 10);
                let back = at + self.dice.below(2000);
                self.put(StreamKind::Agent, agent, back, Event::ConnectionRestored);
                Event::ConnectionLost { last_heard }
            }
            13 => Event::SignedOut,
            14 | 15 => Event::SignedIn,
            16 => Event::StateSet { intent: self.dice.pick(&intents), comment: None },
            17 => Event::NextSet { intent: self.dice.pick(&intents), comment: None },
            _ => Event::Ready,
        }
    }
}
