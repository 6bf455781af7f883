//! Contacts that last for days: an e-mail conversation with several agents, and chats beside each other.
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
    event::{AgentDefinition, Channel, Direction, Event, LegStep, QueueExit, TransferKind},
    ids::{AgentId, EntryId, Key},
    time::Micros,
};
use pegcount_kpi::{Attribution, Dimension, Kpi, Query, Value};
use support::{Centre, amount, column, ended, secs, t, value};

fn started(centre: &mut Centre, contact: &str, at: &str, channel: Channel) {
    let entry = Some(EntryId(centre.key("mailbox")));
    let event = Event::ContactStarted {
        channel,
        direction: Direction::Inbound,
        entry,
        customer: None,
        journey: None,
        callback: false,
        priority: 0,
    };
    centre.contact(contact, at, event);
}

fn step(centre: &mut Centre, agent: &str, at: &str, contact: &str, channel: Channel, step: LegStep<Key>) {
    let mut leg = centre.leg(agent, contact, "mail");
    leg.channel = Some(channel);
    centre.record(StreamKind::Contact, contact, t(at), Event::Leg { leg, step });
}

/// An e-mail conversation of five days: it waits over a night, ann has it for two days, bob for two more, with a transfer and
/// holds between.
fn five_days() -> Centre {
    let mut centre = Centre::new();
    for (agent, from) in [("ann", "32"), ("bob", "56")] {
        centre.sign_in(agent, from);
        centre.ready(agent, from);
    }
    started(&mut centre, "mail 1", "10", Channel::Email);
    centre.enter("mail 1", "10", "v1", "mail");
    centre.leave("mail 1", "33", "v1", QueueExit::Answered);
    step(&mut centre, "ann", "33", "mail 1", Channel::Email, LegStep::Answered);
    step(&mut centre, "ann", "40", "mail 1", Channel::Email, LegStep::Held);
    step(&mut centre, "ann", "56", "mail 1", Channel::Email, LegStep::Retrieved);
    let passed_on =
        LegStep::Transferred { kind: TransferKind::Warm, reason: None, to_queue: None, to_agent: None };
    step(&mut centre, "ann", "60", "mail 1", Channel::Email, passed_on);
    step(&mut centre, "ann", "60", "mail 1", Channel::Email, ended());
    centre.enter("mail 1", "60", "v2", "mail");
    centre.leave("mail 1", "61", "v2", QueueExit::Answered);
    step(&mut centre, "bob", "61", "mail 1", Channel::Email, LegStep::Answered);
    centre
}

fn finish(centre: &mut Centre) {
    step(centre, "bob", "130", "mail 1", Channel::Email, ended());
    centre.end("mail 1", "130");
    centre.sign_out("ann", "110");
    centre.sign_out("bob", "140");
}

fn hours(hours: i64) -> i64 {
    secs(hours * 3_600)
}

#[test]
fn an_e_mail_of_five_days_counts_in_each_interval_for_each_agent_and_its_handle_where_it_ends() {
    let mut centre = five_days();
    // While it is open, everything up to the instant counts.
    assert_eq!(centre.amount_as_of("0", "144", "20", "waiting"), 1);
    assert_eq!(centre.amount_as_of("0", "144", "20", "longest_waiting"), hours(10));
    assert_eq!(centre.amount_as_of("0", "144", "100", "talk_time"), hours(7 + 4 + 39));
    assert_eq!(centre.amount_as_of("0", "144", "100", "handled"), 1, "ann's leg is complete");
    finish(&mut centre);
    let talk = centre.ask("0", "144", &[Dimension::Day, Dimension::Agent]);
    let of = |agent: &str, name: &str| -> Vec<i64> {
        let own =
            talk.rows.iter().filter(|row| row.keys[0].as_ref().is_some_and(|key| key.as_str() == agent));
        own.map(|row| amount(row, name) / hours(1)).collect()
    };
    assert_eq!(
        of("ann", "talk_time"),
        [7, 4, 0, 0, 0],
        "33-40 and 56-60; the contact is credited to her when it ends"
    );
    assert_eq!(of("ann", "hold_time"), [8, 8, 0, 0, 0], "cut at midnight");
    assert_eq!(of("bob", "talk_time"), [11, 24, 24, 10]);
    let handles = centre.ask("0", "144", &[Dimension::Day]);
    assert_eq!(column(&handles, "handled"), [0, 0, 1, 0, 0, 1]);
    assert_eq!(column(&handles, "handle_hold"), [0, 0, hours(16), 0, 0, 0]);
    assert_eq!(column(&handles, "offered"), [1, 0, 1, 0, 0, 0]);
    assert_eq!(column(&handles, "wait_answered"), [0, hours(23), hours(1), 0, 0, 0]);
    assert_eq!(column(&handles, "waiting"), [1, 0, 0, 0, 0, 0]);
    let whole = centre.ask("0", "144", &[]);
    let journey = value(&whole.rows[0], "aht_journey");
    assert_eq!(journey, Value::Ratio { numerator: hours(7 + 16 + 4 + 69), denominator: 1 });
    let start = Query { attribution: Attribution::Start, ..centre.query("0", "144", &[Dimension::Day]) };
    assert_eq!(column(&centre.kpi.query(&start).unwrap(), "handled"), [0, 1, 1, 0, 0, 0]);
}

#[test]
fn every_slice_of_five_days_sums_to_the_whole_at_any_instant_and_after_an_archive() {
    let mut centre = five_days();
    finish(&mut centre);
    let restored = Kpi::restored(&centre.kpi.archived()).unwrap();
    for as_of in ["12", "36", "47:59:59.999999", "48", "60", "61", "100", "130", "145"] {
        let asked = Query { as_of: t(as_of), ..centre.query("0", "144", &[]) };
        let whole = centre.kpi.query(&asked).unwrap();
        for by in [Dimension::Interval15, Dimension::Hour, Dimension::Day] {
            let parts = centre.kpi.query(&Query { by: vec![by], ..asked.clone() }).unwrap();
            for name in
                ["talk_time", "hold_time", "occupied_clock", "handled", "handle_talk", "wait_answered"]
            {
                let sum: i64 = column(&parts, name).iter().sum();
                assert_eq!(sum, amount(&whole.rows[0], name), "{name} by {by} as of {as_of}");
            }
        }
        assert_eq!(restored.query(&asked).unwrap().rows, whole.rows, "{as_of}");
    }
}

fn slots(centre: &mut Centre, agent: &str, chat_slots: u32, valid_from: Micros) {
    let agent = AgentId(centre.key(agent));
    let event = Event::AgentDefined(AgentDefinition { agent, team: None, chat_slots, valid_from });
    centre.record(StreamKind::Definition, "all", t("0"), event);
}

#[test]
fn slot_occupancy_counts_chats_beside_each_other_and_a_call_fills_an_agent() {
    let mut centre = Centre::new();
    slots(&mut centre, "ann", 3, Micros(0));
    slots(&mut centre, "ann", 2, t("13"));
    centre.sign_in("ann", "9");
    centre.ready("ann", "9");
    // One chat from 9 to 11, another from 10 to 11; a call from 12 to 13; three chats for two slots from 13 to 14.
    for (contact, from, to) in
        [("a", "9", "11"), ("b", "10", "11"), ("d", "13", "14"), ("e", "13", "14"), ("f", "13", "14")]
    {
        step(&mut centre, "ann", from, contact, Channel::Chat, LegStep::Answered);
        step(&mut centre, "ann", to, contact, Channel::Chat, ended());
    }
    centre.talk("ann", "c", "sales", "12", "13");
    centre.sign_out("ann", "14");
    let hourly = centre.ask("9", "14", &[Dimension::Hour]);
    let extra: Vec<_> = column(&hourly, "extra_slots_busy_time").iter().map(|time| time / hours(1)).collect();
    assert_eq!(extra, [0, 1, 0, 2, 1]);
    let there: Vec<_> = column(&hourly, "extra_slots_time").iter().map(|time| time / hours(1)).collect();
    assert_eq!(there, [2, 2, 2, 2, 1]);
    let share = |row: usize| match value(&hourly.rows[row], "occupancy_slots") {
        Value::Ratio { numerator, denominator } => (numerator / hours(1), denominator / hours(1)),
        _ => (0, 0),
    };
    assert_eq!((0..5).map(share).collect::<Vec<_>>(), [(1, 3), (2, 3), (0, 3), (3, 3), (2, 2)]);
}

#[test]
fn agents_by_state_are_what_they_are_at_the_instant_and_at_an_intervals_end() {
    let mut centre = Centre::new();
    centre.team("ann", "red", Micros(0));
    centre.team("ann", "blue", t("10"));
    for agent in ["ann", "bob"] {
        centre.sign_in(agent, "9");
        centre.ready(agent, "9");
    }
    centre.talk("ann", "c", "sales", "9:50", "10:05");
    centre.away("bob", "10", "meal");
    let states = |as_of: &str, from: &str, to: &str, by: &[Dimension]| {
        let asked = Query { as_of: t(as_of), ..centre.query(from, to, by) };
        let table = centre.kpi.query(&asked).unwrap();
        let names = ["agents_signed_in", "agents_occupied", "agents_away", "agents_ready"];
        table.rows.iter().map(|row| names.map(|name| amount(row, name))).collect::<Vec<_>>()
    };
    assert_eq!(states("9:55", "9", "10", &[]), [[2, 1, 0, 1]], "now");
    // At 10:00 sharp bob has gone away; the interval that ends then still had him ready.
    assert_eq!(states("12", "9:45", "10", &[]), [[2, 1, 0, 1]]);
    assert_eq!(states("10", "10", "11", &[]), [[2, 1, 1, 0]]);
    assert_eq!(states("12", "10", "10:15", &[]), [[2, 0, 1, 1]]);
    assert_eq!(states("12", "9", "10", &[Dimension::Team]), [[1, 0, 0, 1], [1, 1, 0, 0]], "none, red");
    assert_eq!(states("12", "10", "10:15", &[Dimension::Team]), [[1, 0, 1, 0], [1, 0, 0, 1]], "none, blue");
    assert_eq!(states("8", "9", "10", &[]), [[0, 0, 0, 0]]);
}

#[test]
fn call_backs_count_for_who_made_them() {
    let mut centre = Centre::new();
    centre.sign_in("ann", "9");
    centre.ready("ann", "9");
    let event = Event::ContactStarted {
        channel: Channel::Voice,
        direction: Direction::Outbound,
        entry: None,
        customer: None,
        journey: None,
        callback: true,
        priority: 0,
    };
    centre.contact("back", "10", event);
    centre.talk("ann", "back", "sales", "10", "10:12");
    centre.end("back", "10:12");
    centre.talk("ann", "c", "sales", "10:20", "10:30");
    centre.end("c", "10:30");
    let table = centre.ask("9", "12", &[Dimension::Agent]);
    assert_eq!(column(&table, "callbacks_made"), [1]);
    assert_eq!(column(&table, "callback_time"), [secs(720)]);
    let per_hour = value(&table.rows[0], "callbacks_per_hour");
    assert_eq!(per_hour, Value::Ratio { numerator: hours(1), denominator: secs(720) });
}
