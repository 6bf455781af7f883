//! What a ticket is, as one small number: kind, category, customer tier, region, channel.
//!
//! These hold for the whole ticket (KPIS.md §3), so all its rows share them; one number for all five keeps the rows of every other
//! sheet as small as they are. Invariant: whatever a ticket was as of any instant has its number before anybody folds it.

use pegcount_domain::{
    event::Channel,
    ids::Key,
    ticketing::{FieldValue, TicketEvent},
};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    names::{Id, Names},
    ticket::TicketFact,
};

/// What a ticket is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Class {
    pub(crate) kind: Id,
    pub(crate) category: Id,
    pub(crate) tier: Id,
    pub(crate) region: Id,
    pub(crate) channel: Id,
}

impl Class {
    fn take(&mut self, set: &[FieldValue<Id>]) {
        for value in set {
            match value {
                FieldValue::Category(category) => self.category = category.0,
                FieldValue::Tier(tier) => self.tier = *tier,
                FieldValue::Region(region) => self.region = *region,
                FieldValue::Channel(channel) => self.channel = *channel,
                _ => {}
            }
        }
    }
}

/// A class's number, and its channel's code if that is a contact's medium.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) number: Id,
    pub(crate) channel: u8,
}

/// In [`crate::cells::Dims::channel`]: the channel is a name of its own, that of the class.
pub(crate) const CHANNEL_NAMED: u8 = u8::MAX;

/// The classes of one site; number 0 is none.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Classes {
    list: Vec<Class>,
    numbers: FxHashMap<Class, Id>,
    /// The channels that are media of contacts, with their codes.
    media: Vec<(Id, u8)>,
}

impl Classes {
    /// Learns which names are media of contacts.
    pub(crate) fn know_media(&mut self, names: &mut Names, key_of: impl Fn(&str) -> Key) {
        let media = Channel::ALL.iter().map(|channel| {
            let id = names.learn(key_of(channel.word()), channel.word());
            (id, channel.code())
        });
        self.media = media.collect();
    }

    /// The class with a number.
    pub(crate) fn get(&self, number: Id) -> Class {
        let place = usize::try_from(number.0).ok().and_then(|number| number.checked_sub(1));
        place.and_then(|place| self.list.get(place)).copied().unwrap_or_default()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// All of them, in the order of their numbers, from 1.
    pub(crate) fn all(&self) -> &[Class] {
        &self.list
    }

    /// Gives every class a number that a ticket with these facts has been in, as of any instant.
    pub(crate) fn learn<'f>(&mut self, facts: impl Iterator<Item = &'f TicketFact>) {
        states(facts, |class| {
            self.number(class);
        });
    }

    /// The number of a class, given now if it has none.
    pub(crate) fn number(&mut self, class: Class) -> Id {
        if let Some(known) = self.numbers.get(&class) {
            return *known;
        }
        // There are far fewer classes than names.
        let Ok(number) = u32::try_from(self.list.len() + 1) else { return Id::NONE };
        self.list.push(class);
        self.numbers.insert(class, Id(number));
        Id(number)
    }

    /// What a ticket with these facts is.
    pub(crate) fn of<'f>(&self, facts: impl Iterator<Item = &'f TicketFact>) -> Place {
        let mut last = None;
        states(facts, |class| last = Some(class));
        last.map_or_else(Place::default, |class| Place {
            number: self.numbers.get(&class).copied().unwrap_or(Id::NONE),
            channel: self.channel(class.channel),
        })
    }

    fn channel(&self, name: Id) -> u8 {
        if name == Id::NONE {
            return 0;
        }
        let medium = self.media.iter().find(|(medium, _)| *medium == name);
        medium.map_or(CHANNEL_NAMED, |(_, code)| *code)
    }
}

/// Tells what a ticket was after each of its facts that says anything of it.
fn states<'f>(facts: impl Iterator<Item = &'f TicketFact>, mut tell: impl FnMut(Class)) {
    let mut class: Option<Class> = None;
    for fact in facts {
        match (&fact.event, &mut class) {
            (TicketEvent::Opened(opening), None) => {
                let mut first = Class { kind: opening.kind.0, ..Class::default() };
                first.take(&opening.set);
                class = Some(first);
                tell(first);
            }
            (TicketEvent::Classified { set } | TicketEvent::Edited { set }, Some(class)) => {
                class.take(set);
                tell(*class);
            }
            // What is over stays what it was.
            (TicketEvent::Cancelled { .. } | TicketEvent::Merged { .. }, Some(_)) => return,
            _ => {}
        }
    }
}
