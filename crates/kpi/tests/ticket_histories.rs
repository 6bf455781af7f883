//! Tickets whose facts come late, are amended, are read again after a restart: nothing shows of it but corrections.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod support;
mod ticket_support;

use pegcount_domain::{
    envelope::{Position, Recorded, StreamKind},
    event::Event,
    ids::{Name, SiteId},
    ticketing::TargetKind,
};
use pegcount_kpi::{Dimension, ExplainQuery, InUse, Kpi, Part, Query, Table, describe};
use support::{Centre, SEED, amount, key, t};
use ticket_support::{Opens, repair};

fn north() -> SiteId {
    SiteId(Name::fixed("north"))
}

/// Everything that can be asked about tickets, as of some instants.
fn questions(centre: &Centre) -> Vec<Query> {
    let cuts: [&[Dimension]; 4] = [
        &[Dimension::Hour, Dimension::Agent, Dimension::Team],
        &[Dimension::Day, Dimension::Category, Dimension::Group],
        &[Dimension::Week, Dimension::Kind, Dimension::Channel],
        &[Dimension::Month, Dimension::Region, Dimension::Tier, Dimension::Queue],
    ];
    let at = ["9:30", "12", "12:00:00.000001", "36", "240"];
    let asked = at.into_iter().flat_map(|as_of| cuts.map(|by| (as_of, by)));
    asked.map(|(as_of, by)| Query { as_of: t(as_of), ..centre.query("0", "240", by) }).collect()
}

fn answers(kpi: &Kpi, questions: &[Query]) -> Vec<Table> {
    let plain = |table: Table| Table { position: Position::START, ..table };
    questions.iter().map(|query| plain(kpi.query(query).unwrap())).collect()
}

/// A few tickets with all that can happen to them.
fn story() -> Centre {
    let mut centre = Centre::new();
    centre.team("bob", "day", t("0"));
    centre.policy(t("0"), &[(TargetKind::Resolve, 4), (TargetKind::FirstResponse, 1)]);
    let opens = Opens { category: "water", group: "desk", channel: "phone", ..repair("ann") };
    centre.open("one", "8", opens);
    centre.accept("one", "8:10", "bob");
    centre.inform("one", "8:40");
    centre.promise("one", "8:50", TargetKind::Resolve, "11");
    centre.resolve("one", "10", "bob");
    centre.close("one", "10:30", "bob");
    centre.open("two", "8:05", Opens { kind: "complaint", region: "east", tier: "A", ..repair("eve") });
    centre.hold("two", "9");
    centre.repeat("two", "9:20");
    centre.resume("two", "34");
    centre.category("two", "35", "noise");
    centre.resolve("two", "40", "eve");
    centre.reopen("two", "60", true);
    centre.open("three", "9", repair("ann"));
    centre.merge("three", "9:15", "two");
    centre
}

/// The same facts as they were recorded.
fn recorded() -> Vec<Recorded> {
    story().told
}

fn fold(facts: &[Recorded]) -> Kpi {
    fold_into(Kpi::new(), facts)
}

fn fold_into(mut kpi: Kpi, facts: &[Recorded]) -> Kpi {
    kpi.set_seed(SEED);
    kpi.set_in_use(InUse::NOTHING);
    let names = story().names;
    for fact in facts {
        kpi.apply(fact);
        for key in kpi.missing_names() {
            if let Some(name) = names.get(&key) {
                kpi.name(key, name);
            }
        }
    }
    kpi
}

#[test]
fn whatever_the_order_of_arrival_the_figures_are_the_same() {
    let facts = recorded();
    let centre = story();
    let questions = questions(&centre);
    let expected = answers(&centre.kpi, &questions);
    // given every cyclic order of arrival, and the reverse
    for begin in 0..facts.len() {
        let mut turned = facts.clone();
        turned.rotate_left(begin);
        if begin % 2 == 1 {
            turned.reverse();
        }
        for (position, fact) in (1u64..).zip(&mut turned) {
            fact.position = Position(position);
        }
        assert_eq!(answers(&fold(&turned), &questions), expected, "turned by {begin}");
    }
}

#[test]
fn figures_go_on_after_a_restart_in_the_middle_of_any_ticket() {
    let facts = recorded();
    let centre = story();
    let questions = questions(&centre);
    let expected = answers(&centre.kpi, &questions);
    for cut in 0..facts.len() {
        let first = fold(&facts[..cut]);
        // from a checkpoint
        let mut parts = Vec::new();
        first
            .parts(|bytes| {
                parts.push(Part::read(&bytes)?);
                Ok::<_, pegcount_kpi::PartError>(())
            })
            .unwrap();
        let again = fold_into(Kpi::assembled(parts).unwrap(), &facts[cut..]);
        assert_eq!(answers(&again, &questions), expected, "restarted after {cut}");
        // from an archive
        let restored = fold_into(Kpi::restored(&first.archived()).unwrap(), &facts[cut..]);
        assert_eq!(answers(&restored, &questions), expected, "restored after {cut}");
    }
}

#[test]
fn an_amended_opening_moves_the_whole_ticket_and_is_a_correction_of_nothing_that_sums() {
    let mut centre = story();
    let opened = 3;
    let before = centre.amount("8", "8:15", "opened");
    centre.recorded_at = Some(t("50"));
    let event = centre.opening(Opens { kind: "fault", category: "power", ..repair("eve") });
    let amended = Event::Amended {
        target: opened,
        reason: key("wrong"),
        occurred_at: t("8"),
        event: Box::new(Event::Ticket(event)),
    };
    centre.record(StreamKind::Ticket, "one", t("50"), amended);
    assert_eq!(centre.amount("8", "8:15", "opened"), before);
    let table = centre.ask("8", "48", &[Dimension::Kind]);
    let resolved: Vec<_> = table
        .rows
        .iter()
        .filter(|row| amount(row, "resolved") > 0)
        .map(|row| row.keys[0].as_ref().map(ToString::to_string))
        .collect();
    assert_eq!(resolved, [Some("complaint".to_owned()), Some("fault".to_owned())]);
    let moved = centre.kpi.corrections(&north());
    assert!(moved.iter().all(|one| one.measure.name() != "resolved"), "{moved:?}");
}

#[test]
fn a_late_resolution_corrects_the_breach_that_it_was_not() {
    // given a ticket that nobody is known to have resolved in time
    let mut centre = Centre::new();
    centre.policy(t("0"), &[(TargetKind::Resolve, 4)]);
    centre.open("one", "8", repair("ann"));
    assert_eq!(centre.amount_as_of("12", "13", "20", "target_breached"), 1);
    // when it is told the next day that it was
    centre.recorded_at = Some(t("30"));
    centre.resolve("one", "11", "ann");
    // then
    assert_eq!(centre.amount_as_of("12", "13", "20", "target_breached"), 0);
    assert_eq!(centre.amount_as_of("12", "13", "20", "target_met"), 1);
    let told: Vec<_> = centre
        .kpi
        .corrections(&north())
        .iter()
        .filter(|one| one.interval.start() == t("12"))
        .map(|one| (one.measure.name(), one.difference))
        .collect();
    for expected in [("target_met", 1), ("target_breached", -1), ("target_met_resolve", 1)] {
        assert!(told.contains(&expected), "{told:?}");
    }
    assert!(told.iter().all(|(name, _)| *name != "backlog_change"), "{told:?}");
}

#[test]
fn the_parts_of_any_time_sum_to_the_whole() {
    let centre = story();
    let whole = &centre.ask("0", "240", &[]).rows[0];
    for by in [Dimension::Interval15, Dimension::Hour, Dimension::Day, Dimension::Week, Dimension::Month] {
        let parts = centre.ask("0", "240", &[by, Dimension::Agent, Dimension::Category]);
        for (index, column) in describe().iter().enumerate() {
            let pegcount_kpi::Value::Amount(expected) = whole.values[index] else { continue };
            if column.gauge {
                continue;
            }
            let sum: Option<i64> = parts
                .rows
                .iter()
                .map(|row| match row.values[index] {
                    pegcount_kpi::Value::Amount(amount) => Some(amount),
                    _ => None,
                })
                .sum();
            // What tickets alone have no dimension of is absent.
            assert!(sum.is_none_or(|sum| sum == expected), "{} by {by}", column.name);
        }
    }
    assert_eq!(amount(whole, "target_met") + amount(whole, "target_breached"), 5);
}

#[test]
fn a_figure_names_the_facts_behind_it_and_what_the_ticket_is() {
    let centre = story();
    let asked = |column: &str| ExplainQuery {
        query: centre.query("0", "240", &[]),
        cell: vec![(Dimension::Category, Some(Name::fixed("water")))],
        column: column.to_owned(),
        skip: 0,
        limit: 100,
    };
    let explained = centre.kpi.explain(&asked("timeliness")).unwrap();
    let [item] = &explained.items[..] else { panic!("{explained:?}") };
    assert_eq!(item.measure.name(), "target_met_resolve");
    // From its opening to its resolution.
    assert_eq!((item.from, item.to), (t("8"), t("10")));
    assert_eq!(item.events.len(), 2);
    assert_eq!(item.notes, ["kind `repair`, category `water`, group `desk`, channel `phone`"]);
    assert!(centre.kpi.explain(&asked("backlog")).is_err());
}

#[test]
fn after_history_is_closed_the_figures_of_tickets_stand() {
    let mut centre = story();
    let questions: Vec<Query> =
        questions(&centre).into_iter().filter(|query| query.as_of == t("240")).collect();
    let expected = answers(&centre.kpi, &questions);
    let before = t("220");
    centre.record(StreamKind::Definition, "all", t("239"), Event::HistoryClosed { before });
    assert_eq!(answers(&centre.kpi, &questions), expected);
    // What is open goes on.
    centre.resolve("two", "239:30", "eve");
    assert_eq!(centre.amount("239", "240", "resolved"), 1);
}
