//! Policies as data: for which tickets, what has to happen within what time, and who is told on the way.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{Name, TicketKind},
    ticketing::{Facts, Severity, Status, TargetKind, Ticket, Urgency, Validity},
    time::Micros,
};

/// How much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// A duration on the target's clock.
    Time(Micros),
    /// Until the end of this many working days after the one on which the target begins; 0: of that day. It is turned into
    /// working time when the target begins, so that pauses postpone it.
    WorkingDays(u32),
}

/// By which clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind<N = Name> {
    /// Real time, day and night.
    Calendar,
    /// The working time of a calendar.
    Working(N),
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient<N = Name> {
    /// Who answers for the ticket.
    Owner,
    /// Who received it first.
    Receiver,
    /// The group that it belongs to.
    Group,
    /// A level: team lead, KPI desk, floor manager…
    Level(N),
}

/// When somebody is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertStep<N = Name> {
    /// As soon as so much of the target's time has passed, in thousandths: 800 is a warning, 1,000 when it falls due, 1,500
    /// half as much again after that.
    pub permille: u32,
    /// Who.
    pub recipients: Vec<Recipient<N>>,
    /// Only within the working hours of this calendar: else when they begin next.
    pub working_hours: Option<N>,
}

/// One target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetRule<N = Name> {
    /// What has to happen.
    pub target: TargetKind,
    /// Within what time.
    pub amount: Amount,
    /// By which clock.
    pub clock: ClockKind<N>,
    /// While the ticket stands so, its clock does not run.
    pub pauses: Vec<Status>,
    /// Warnings, at most one of a share.
    pub warnings: Vec<AlertStep<N>>,
    /// The steps of its escalation, likewise.
    pub escalations: Vec<AlertStep<N>>,
}

/// For which tickets; an empty list asks for nothing, and what is not known matches no list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Conditions<N = Name> {
    pub kinds: Vec<TicketKind<N>>,
    pub severities: Vec<Severity>,
    pub urgencies: Vec<Urgency>,
    pub tiers: Vec<N>,
    pub channels: Vec<N>,
    pub validities: Vec<Validity>,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy<N = Name> {
    /// Its name.
    pub name: N,
    /// For which tickets.
    pub when: Conditions<N>,
    /// Targets, at most one of a kind.
    pub targets: Vec<TargetRule<N>>,
}

/// All policies of a site, from an instant on. A target keeps to those in force when it was activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySet<N = Name> {
    /// In the order in which they are asked.
    pub policies: Vec<Policy<N>>,
    /// In force from.
    pub valid_from: Micros,
}

impl<N> Default for Conditions<N> {
    fn default() -> Self {
        Self {
            kinds: Vec::new(),
            severities: Vec::new(),
            urgencies: Vec::new(),
            tiers: Vec::new(),
            channels: Vec::new(),
            validities: Vec::new(),
        }
    }
}

impl<N: Clone + Eq> Conditions<N> {
    /// Whether they hold for a ticket.
    pub fn hold(&self, ticket: &Ticket<N>) -> bool {
        let Facts { severity, urgency, validity, tier, channel, .. } = &ticket.facts;
        among(&self.kinds, Some(&ticket.kind))
            && among(&self.severities, severity.as_ref())
            && among(&self.urgencies, urgency.as_ref())
            && among(&self.tiers, tier.as_ref())
            && among(&self.channels, channel.as_ref())
            && among(&self.validities, validity.as_ref())
    }
}

fn among<T: PartialEq>(list: &[T], value: Option<&T>) -> bool {
    list.is_empty() || value.is_some_and(|value| list.contains(value))
}

/// The most policies of a set.
pub const POLICIES_MAX: usize = 1_000;
/// The most warnings, and the most steps of escalation, of a target.
pub const ALERTS_MAX: usize = 10;
/// The furthest step, in thousandths of a target's time.
pub const PERMILLE_MAX: u32 = 10_000;

impl<N: Clone + Eq> PolicySet<N> {
    /// Whether it can be meant so; else the path of what is wrong in it, and in words what is wrong with that. Whether its
    /// calendars are defined is not looked at: they may be defined later.
    pub fn check(&self) -> Result<(), (String, String)> {
        at_most("policies", self.policies.len(), POLICIES_MAX)?;
        for (place, policy) in self.policies.iter().enumerate() {
            for (index, rule) in policy.targets.iter().enumerate() {
                let path = format!("policies[{place}].targets[{index}]");
                if policy.targets.iter().take(index).any(|known| known.target == rule.target) {
                    let said =
                        format!("is {}, which was said before; say it once in a policy", rule.target.word());
                    return Err((format!("{path}.target"), said));
                }
                rule.check(&path)?;
            }
        }
        Ok(())
    }

    /// The first policy that holds for a ticket and speaks of a target: its place, the rule's place in it, the rule.
    pub fn first(&self, ticket: &Ticket<N>, target: TargetKind) -> Option<(usize, usize, &TargetRule<N>)> {
        let holding = self.policies.iter().enumerate().filter(|(_, policy)| policy.when.hold(ticket));
        let mut speaking = holding.filter_map(|(place, policy)| {
            let index = policy.targets.iter().position(|rule| rule.target == target)?;
            Some((place, index, policy.targets.get(index)?))
        });
        speaking.next()
    }
}

impl<N> PolicySet<N> {
    /// The same set, with what `f` makes of its names.
    pub fn map<M>(&self, f: &mut impl FnMut(&N) -> M) -> PolicySet<M> {
        let policies = self.policies.iter().map(|policy| Policy {
            name: f(&policy.name),
            when: policy.when.map(f),
            targets: policy.targets.iter().map(|rule| rule.map(f)).collect(),
        });
        PolicySet { policies: policies.collect(), valid_from: self.valid_from }
    }
}

impl<N> Conditions<N> {
    fn map<M>(&self, f: &mut impl FnMut(&N) -> M) -> Conditions<M> {
        Conditions {
            kinds: self.kinds.iter().map(|kind| TicketKind(f(&kind.0))).collect(),
            severities: self.severities.clone(),
            urgencies: self.urgencies.clone(),
            tiers: self.tiers.iter().map(&mut *f).collect(),
            channels: self.channels.iter().map(&mut *f).collect(),
            validities: self.validities.clone(),
        }
    }
}

impl<N> AlertStep<N> {
    fn map<M>(&self, f: &mut impl FnMut(&N) -> M) -> AlertStep<M> {
        let recipients = self.recipients.iter().map(|recipient| match recipient {
            Recipient::Owner => Recipient::Owner,
            Recipient::Receiver => Recipient::Receiver,
            Recipient::Group => Recipient::Group,
            Recipient::Level(level) => Recipient::Level(f(level)),
        });
        let recipients = recipients.collect();
        let working_hours = self.working_hours.as_ref().map(&mut *f);
        AlertStep { permille: self.permille, recipients, working_hours }
    }
}

impl<N> TargetRule<N> {
    fn map<M>(&self, f: &mut impl FnMut(&N) -> M) -> TargetRule<M> {
        TargetRule {
            target: self.target,
            amount: self.amount,
            clock: match &self.clock {
                ClockKind::Calendar => ClockKind::Calendar,
                ClockKind::Working(calendar) => ClockKind::Working(f(calendar)),
            },
            pauses: self.pauses.clone(),
            warnings: self.warnings.iter().map(|step| step.map(f)).collect(),
            escalations: self.escalations.iter().map(|step| step.map(f)).collect(),
        }
    }

    fn check(&self, path: &str) -> Result<(), (String, String)> {
        match (self.amount, &self.clock) {
            (Amount::Time(amount), _) if amount < Micros::ZERO => {
                return Err((format!("{path}.amount"), format!("is {amount}; give 0 or more")));
            }
            (Amount::WorkingDays(_), ClockKind::Calendar) => {
                let said =
                    "counts working days by calendar time; name a working calendar, or give a duration";
                return Err((format!("{path}.amount"), said.to_owned()));
            }
            _ => {}
        }
        steps(&format!("{path}.warnings"), &self.warnings)?;
        steps(&format!("{path}.escalations"), &self.escalations)
    }
}

fn steps<N>(path: &str, steps: &[AlertStep<N>]) -> Result<(), (String, String)> {
    at_most(path, steps.len(), ALERTS_MAX)?;
    for (index, step) in steps.iter().enumerate() {
        let field = || format!("{path}[{index}].permille");
        if step.permille > PERMILLE_MAX {
            return Err((field(), format!("is {}; the limit is {PERMILLE_MAX}", step.permille)));
        }
        if steps.iter().take(index).any(|known| known.permille == step.permille) {
            let said =
                format!("is {}, which was said before; say it once, with all its recipients", step.permille);
            return Err((field(), said));
        }
    }
    Ok(())
}

fn at_most(path: &str, count: usize, limit: usize) -> Result<(), (String, String)> {
    if count > limit {
        return Err((path.to_owned(), format!("holds {count}; the limit is {limit}")));
    }
    Ok(())
}
