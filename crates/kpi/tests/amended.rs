//! Amended and annulled facts: every figure is what it would be had the fact been told so from the beginning.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod support;

use pegcount_domain::{
    envelope::StreamKind,
    event::{Channel, Direction, Event, LegRef, LegStep, QueueDefinition, QueueExit},
    ids::{AgentId, ContactId, Key, LegId, QueueId, VisitId},
    time::{Interval, Micros},
};
use pegcount_kpi::{Dimension, Value};
use support::{Centre, E, amount, ended, secs, t, value};

/// The exchange's word on the one leg of contact `c`; it may leave the agent and the visit out.
fn leg(centre: &mut Centre, agent: Option<&str>, visit: Option<&str>) -> LegRef<Key> {
    LegRef {
        contact: ContactId(centre.key("c")),
        leg: LegId(centre.key("leg")),
        agent: agent.map(|agent| AgentId(centre.key(agent))),
        visit: visit.map(|visit| VisitId(centre.key(visit))),
        queue: Some(QueueId(centre.key("sales"))),
        channel: Some(Channel::Voice),
        direction: Some(Direction::Inbound),
    }
}

fn told(centre: &mut Centre, at: &str, agent: Option<&str>, step: LegStep<Key>) -> u64 {
    let leg = leg(centre, agent, None);
    centre.contact("c", at, Event::Leg { leg, step })
}

fn amend(centre: &mut Centre, target: u64, at: &str, event: E) -> u64 {
    let reason = centre.key("wrong");
    centre.recorded_at = Some(t("11:00"));
    let amended = Event::Amended { target, reason, occurred_at: t(at), event: Box::new(event) };
    let position = centre.contact("c", "11:00", amended);
    centre.recorded_at = None;
    position
}

/// Agents with a handled leg: who, how many, talk.
fn handled(centre: &Centre) -> Vec<(String, i64, i64)> {
    let table = centre.ask("0", "24", &[Dimension::Agent]);
    let named = table.rows.iter().filter(|row| amount(row, "handled") != 0);
    let who = |row: &pegcount_kpi::Row| row.keys[0].as_ref().map_or_else(String::new, ToString::to_string);
    named.map(|row| (who(row), amount(row, "handled"), amount(row, "handle_talk"))).collect()
}

#[test]
fn amending_the_only_fact_that_names_the_agent_takes_the_whole_leg_along() {
    let mut centre = Centre::new();
    let answer = told(&mut centre, "10:00", Some("bob"), LegStep::Answered);
    told(&mut centre, "10:05", None, ended());
    assert_eq!(handled(&centre), [("bob".to_owned(), 1, secs(300))]);
    let leg = leg(&mut centre, Some("ann"), None);
    amend(&mut centre, answer, "10:00", Event::Leg { leg, step: LegStep::Answered });
    assert_eq!(handled(&centre), [("ann".to_owned(), 1, secs(300))]);
}

#[test]
fn annulling_the_only_fact_that_names_the_agent_leaves_the_leg_to_nobody_until_another_fact_names_one() {
    let mut centre = Centre::new();
    told(&mut centre, "10:00", None, LegStep::Answered);
    let end = told(&mut centre, "10:05", Some("bob"), ended());
    assert_eq!(handled(&centre), [("bob".to_owned(), 1, secs(300))]);
    let reason = centre.key("wrong");
    centre.contact("c", "11:00", Event::Annulled { target: end, reason });
    assert_eq!(handled(&centre), []);
    assert_eq!(centre.amount("10", "11", "talk_time"), secs(3600), "nobody's, and still going on");
    told(&mut centre, "10:06", None, ended());
    assert_eq!(handled(&centre), [(String::new(), 1, secs(360))]);
    told(&mut centre, "10:07", Some("ann"), LegStep::AfterCallEnded);
    assert_eq!(handled(&centre), [("ann".to_owned(), 1, secs(360))]);
}

#[test]
fn what_names_no_agent_goes_to_the_agent_who_is_named_first_whichever_fact_came_first() {
    for named_first in [true, false] {
        let mut centre = Centre::new();
        if named_first {
            told(&mut centre, "10:00", Some("ann"), LegStep::Answered);
        }
        told(&mut centre, "10:04", Some("bob"), LegStep::Held);
        told(&mut centre, "10:05", None, ended());
        if !named_first {
            told(&mut centre, "10:00", Some("ann"), LegStep::Answered);
        }
        let talk = centre.ask("10", "11", &[Dimension::Agent]);
        let ann =
            talk.rows.iter().find(|row| row.keys[0].as_ref().is_some_and(|name| name.as_str() == "ann"));
        assert_eq!(amount(ann.unwrap(), "handle_talk"), secs(300));
    }
}

#[test]
fn a_visit_whose_exit_is_never_told_was_answered_when_its_leg_was() {
    let mut centre = Centre::new();
    centre.start("c", "10:00:00", "hotline", "");
    centre.enter("c", "10:00:00", "v", "sales");
    let leg = leg(&mut centre, Some("ann"), Some("v"));
    centre.contact("c", "10:00:12", Event::Leg { leg, step: LegStep::Answered });
    centre.contact("c", "10:03:00", Event::Leg { leg, step: ended() });
    centre.end("c", "10:03:00");
    let row = &centre.ask("10", "11", &[]).rows[0];
    assert_eq!((amount(row, "answered"), amount(row, "abandoned")), (1, 0));
    assert_eq!(amount(row, "wait_answered"), secs(12));
    assert_eq!(centre.amount_as_of("10", "11", "10:00:11", "waiting"), 1);
    assert!(!centre.kpi.anomalies(&centre.query("10", "11", &[]).site).is_empty());
    // The exchange's own word, told late, counts instead.
    centre.leave("c", "10:00:11", "v", QueueExit::Answered);
    assert_eq!(centre.amount("10", "11", "wait_answered"), secs(11));
    assert!(centre.kpi.anomalies(&centre.query("10", "11", &[]).site).is_empty());
}

#[test]
fn work_that_the_end_had_not_announced_belongs_to_the_handle_and_its_interval() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9:00");
    told(&mut centre, "10:10:00", Some("ann"), LegStep::Answered);
    told(&mut centre, "10:14:00", Some("ann"), ended());
    told(&mut centre, "10:16:00", Some("ann"), LegStep::AfterCallStarted);
    told(&mut centre, "10:17:00", Some("ann"), LegStep::AfterCallEnded);
    assert_eq!(centre.amount("10:00", "10:15", "handle_acw"), secs(60));
    assert_eq!(centre.amount("10:15", "10:30", "handle_acw"), 0);
    assert_eq!(centre.amount("10:15", "10:30", "acw_time"), secs(60));
    let row = &centre.ask("10:00", "10:15", &[]).rows[0];
    assert_eq!(value(row, "aht"), Value::Ratio { numerator: secs(300), denominator: 1 });
}

#[test]
fn a_team_or_a_threshold_that_is_defined_late_lists_what_it_corrects() {
    let mut centre = Centre::new();
    centre.enter("c", "10:00:00", "v", "sales");
    centre.leave("c", "10:00:30", "v", QueueExit::Answered);
    centre.end("c", "10:00:30");
    assert_eq!(centre.amount("10", "11", "answered_within"), 0);
    let queue = QueueId(centre.key("sales"));
    let definition = QueueDefinition {
        threshold: Some(Micros::from_secs(60)),
        valid_from: t("9"),
        ..QueueDefinition::default_for(queue)
    };
    let cause = centre.record(StreamKind::Definition, "all", t("12"), Event::QueueDefined(definition));
    assert_eq!(centre.amount("10", "11", "answered_within"), 1);
    let corrections = centre.kpi.corrections(&centre.query("10", "11", &[]).site);
    let within = corrections.iter().find(|c| c.measure.name() == "answered_within").unwrap();
    assert_eq!((within.position.0, within.difference), (cause, 1));
    assert_eq!(within.interval, Interval::containing(t("10")));
}

#[test]
fn a_late_fact_of_an_agent_lists_what_it_corrects_of_the_agents_contacts() {
    let mut centre = Centre::new();
    centre.enter("c", "10:00:00", "v", "sales");
    let leg = leg(&mut centre, Some("ann"), Some("v"));
    centre.contact("c", "10:00:12", Event::Leg { leg, step: LegStep::Ringing });
    centre.recorded_at = Some(t("12"));
    let cause = centre.agent("ann", "10:00:20", Event::Leg { leg, step: LegStep::Answered });
    let corrections = centre.kpi.corrections(&centre.query("10", "11", &[]).site);
    let answered = corrections.iter().find(|c| c.measure.name() == "answered").unwrap();
    assert_eq!((answered.position.0, answered.difference), (cause, 1));
}
