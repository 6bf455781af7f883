//! A site's agents as they were at one look, and which of that is new to whom.
//!
//! Each picture has a number. Whoever was told one picture is told of a later one only what has changed since, by the
//! numbers alone. Invariant: the rows that a watcher is told, laid over what it was told before, are the picture's.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use pegcount_domain::{envelope::Position, ids::AgentId};
use prost::Message;

/// Who has gone is remembered over so many pictures; whoever was away for longer is told everything.
const GONE_KEPT: u64 = 240;

/// The agents at one look.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture {
    number: u64,
    position: Position,
    rows: BTreeMap<AgentId, Row>,
    /// Who was there before, and the picture in which they were missing first.
    gone: BTreeMap<AgentId, u64>,
}

#[derive(Clone, Debug)]
struct Row {
    changed: u64,
    state: Bytes,
}

/// An `AgentsUpdate` on the wire, its agents encoded already.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AgentsBytes {
    #[prost(bool, tag = "1")]
    pub(super) snapshot: bool,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub(super) agents: Vec<Bytes>,
    #[prost(string, repeated, tag = "3")]
    pub(super) gone: Vec<String>,
    #[prost(uint64, tag = "4")]
    pub(super) position: u64,
}

impl Picture {
    /// Its number; 0: nobody has looked yet.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next one: `now` is who is there, encoded. None if it would show the same.
    pub(super) fn next(&self, now: Vec<(AgentId, Bytes)>, position: Position) -> Option<Self> {
        let number = self.number + 1;
        let mut gone = self.gone.clone();
        gone.retain(|_, since| *since + GONE_KEPT > number);
        let mut rows = BTreeMap::new();
        let mut moved = self.number == 0;
        for (agent, state) in now {
            gone.remove(&agent);
            let row = match self.rows.get(&agent) {
                Some(same) if same.state == state => same.clone(),
                _ => {
                    moved = true;
                    Row { changed: number, state }
                }
            };
            rows.insert(agent, row);
        }
        for agent in self.rows.keys().filter(|agent| !rows.contains_key(*agent)) {
            moved = true;
            gone.insert(agent.clone(), number);
        }
        moved.then_some(Self { number, position, rows, gone })
    }

    /// What is new to who was told the picture of number `told`; of one agent only, if `own` is given.
    pub(super) fn since(&self, told: u64, own: Option<&AgentId>) -> AgentsBytes {
        let snapshot = told == 0 || told + GONE_KEPT <= self.number;
        let seen = |agent: &AgentId| own.is_none_or(|own| own == agent);
        let rows = self.rows.iter().filter(|(agent, row)| seen(agent) && (snapshot || row.changed > told));
        let gone = self.gone.iter().filter(|(agent, since)| !snapshot && seen(agent) && **since > told);
        AgentsBytes {
            snapshot,
            agents: rows.map(|(_, row)| row.state.clone()).collect(),
            gone: gone.map(|(agent, _)| agent.to_string()).collect(),
            position: self.position.0,
        }
    }
}

/// A picture that many may hold.
pub(super) type Shared = Arc<Picture>;

#[cfg(test)]
mod tests {
    use pegcount_domain::ids::Name;

    use super::*;

    fn agent(id: &'static str) -> AgentId {
        AgentId(Name::fixed(id))
    }

    fn seen(rows: &[(&'static str, &'static str)]) -> Vec<(AgentId, Bytes)> {
        rows.iter().map(|(id, state)| (agent(id), Bytes::from_static(state.as_bytes()))).collect()
    }

    fn states(update: &AgentsBytes) -> Vec<&str> {
        update.agents.iter().map(|state| std::str::from_utf8(state).unwrap()).collect()
    }

    #[test]
    fn who_knows_a_picture_is_told_what_changed_and_who_went_and_a_newcomer_everything() {
        let first = Picture::default().next(seen(&[("a", "a1"), ("b", "b1")]), Position(1)).unwrap();
        let second = first.next(seen(&[("a", "a2"), ("c", "c1")]), Position(2)).unwrap();
        let change = second.since(first.number(), None);
        assert_eq!((change.snapshot, states(&change)), (false, vec!["a2", "c1"]));
        assert_eq!(change.gone, ["b"]);
        let all = second.since(0, None);
        assert_eq!((all.snapshot, states(&all), all.gone.len()), (true, vec!["a2", "c1"], 0));
    }

    #[test]
    fn the_same_again_is_no_new_picture_but_an_empty_first_one_is() {
        let empty = Picture::default().next(Vec::new(), Position(1)).unwrap();
        assert!(empty.since(0, None).snapshot);
        assert!(empty.next(Vec::new(), Position(5)).is_none());
    }

    #[test]
    fn who_comes_back_is_not_gone() {
        let first = Picture::default().next(seen(&[("a", "a1")]), Position(1)).unwrap();
        let without = first.next(Vec::new(), Position(2)).unwrap();
        let again = without.next(seen(&[("a", "a1")]), Position(3)).unwrap();
        let change = again.since(first.number(), None);
        assert_eq!((states(&change), change.gone.len()), (vec!["a1"], 0));
    }

    #[test]
    fn an_agent_is_told_of_itself_only() {
        let first = Picture::default().next(seen(&[("a", "a1"), ("b", "b1")]), Position(1)).unwrap();
        let second = first.next(Vec::new(), Position(2)).unwrap();
        assert_eq!(states(&first.since(0, Some(&agent("b")))), ["b1"]);
        assert_eq!(second.since(1, Some(&agent("b"))).gone, ["b"]);
    }

    #[test]
    fn who_was_away_for_too_many_pictures_is_told_everything() {
        let mut picture = Picture::default().next(seen(&[("a", "0")]), Position(1)).unwrap();
        for _ in 0..GONE_KEPT {
            let state = if picture.number() % 2 == 0 { "even" } else { "odd" };
            picture = picture.next(seen(&[("a", state)]), Position(2)).unwrap();
        }
        assert!(picture.since(1, None).snapshot);
        assert!(!picture.since(2, None).snapshot);
    }
}
