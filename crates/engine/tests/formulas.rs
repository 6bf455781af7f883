//! Formula versions: forced over the past, by the same fold as what was known then; and definitions that reach far back,
//! taken in in the background.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    clippy::unused_self,
    dead_code,
    reason = "tests"
)]

mod support;

use pegcount_domain::{
    envelope::Position,
    event::{AfterCallEnd, Event, QueueDefinition},
    formula::{AbandonForm, FormulaDefinition},
    ids::QueueId,
    time::Micros,
};
use pegcount_engine::{EngineError, Purpose};
use pegcount_kpi::{Attribution, Dimension, ExplainQuery, Query, QueryError, Table, Value};
use pegcount_proto::v1::{self, contact_fact::Action};
use support::{MORNING, Place, batch, contact_fact, name, place, send, site, started};

fn at(minutes: i64) -> Micros {
    MORNING.plus(Micros(minutes * Micros::MINUTE.0))
}

fn hour(formula_version: Option<u8>) -> Query {
    Query {
        site: site(),
        from: MORNING,
        to: at(60),
        by: vec![Dimension::Queue],
        attribution: Attribution::Event,
        time_zone: jiff::tz::TimeZone::UTC,
        as_of: at(60),
        queues: Vec::new(),
        agents: Vec::new(),
        columns: Vec::new(),
        last: None,
        formula_version,
        variant: pegcount_kpi::Variant::default(),
    }
}

fn value(table: &Table, column: &str) -> Value {
    let index = table.columns.iter().position(|known| known.name == column).unwrap();
    table.rows[0].values[index]
}

fn amount(table: &Table, column: &str) -> i64 {
    match value(table, column) {
        Value::Amount(amount) => amount,
        other => panic!("{other:?}"),
    }
}

/// Calls that give up after so many seconds each, one a minute.
async fn abandoned(place: &Place, waits: &[i64]) {
    let session = place.session("pbx");
    for (number, wait) in (1u64..).zip(waits) {
        let contact = format!("c{number}");
        let fact = |action| contact_fact(&contact, action);
        let minute = at(i64::try_from(number).unwrap());
        let enter = v1::QueueEntered { visit: "1".into(), queue: "sales".into(), priority: 0 };
        let leave =
            v1::QueueLeft { visit: "1".into(), exit: v1::QueueExit::Abandoned.into(), ringing: false };
        let begin = vec![started(&contact, ""), fact(Action::QueueEntered(enter))];
        let end = vec![fact(Action::QueueLeft(leave)), fact(Action::Ended(v1::ContactEnded::default()))];
        send(&session, batch(number * 4 - 3, minute, begin)).await.unwrap();
        send(&session, batch(number * 4 - 1, minute.plus(Micros::from_secs(*wait)), end)).await.unwrap();
    }
    place.settled().await;
}

/// Version `number`: short abandons up to so many seconds, from a minute on.
fn short(number: u8, seconds: i64, from: Micros) -> FormulaDefinition {
    let mut formula = FormulaDefinition { number, valid_from: from, ..FormulaDefinition::built_in() };
    formula.rules.short = Micros::from_secs(seconds);
    formula
}

async fn define(place: &Place, formula: FormulaDefinition) -> Result<(usize, Position), EngineError> {
    place.engine.define(&site(), &name("desk"), vec![Event::FormulaDefined(Box::new(formula))]).await
}

#[tokio::test]
async fn a_forced_version_counts_all_of_the_past_and_what_comes_after_the_first_question_too() {
    let place = place().await;
    place.clock.set(at(60));
    abandoned(&place, &[3, 7, 9]).await;
    define(&place, short(2, 8, at(24 * 60))).await.unwrap();
    let short_of = async |version| {
        let table = place.engine.query_at(hour(version), None).await.unwrap();
        (amount(&table, "abandoned_short"), table.formula_version, table.formula_versions.to_vec())
    };
    assert_eq!(short_of(None).await, (1, 1, vec![1]));
    assert_eq!(short_of(Some(2)).await, (2, 2, vec![2]));
    assert_eq!(short_of(Some(1)).await, (1, 1, vec![1]));
}

#[tokio::test]
async fn a_checkpoint_is_reckoned_by_another_version_and_what_came_after_it_too() {
    let place = place().await;
    place.clock.set(at(60));
    abandoned(&place, &[3, 7, 9]).await;
    define(&place, short(2, 8, at(24 * 60))).await.unwrap();
    define(&place, short(3, 10, at(48 * 60))).await.unwrap();
    let saved = place.engine.checkpoint().await.unwrap();
    assert!(saved.is_some());
    let session = place.session("later");
    let fact = |action| contact_fact("later", action);
    let enter = v1::QueueEntered { visit: "1".into(), queue: "sales".into(), priority: 0 };
    let leave = v1::QueueLeft { visit: "1".into(), exit: v1::QueueExit::Abandoned.into(), ringing: false };
    let facts = vec![started("later", ""), fact(Action::QueueEntered(enter))];
    send(&session, batch(1, at(30), facts)).await.unwrap();
    let facts = vec![fact(Action::QueueLeft(leave)), fact(Action::Ended(v1::ContactEnded::default()))];
    send(&session, batch(3, at(30).plus(Micros::from_secs(6)), facts)).await.unwrap();
    place.settled().await;
    for (version, abandoned_short) in [(1, 1), (2, 3), (3, 4)] {
        let table = place.engine.query_at(hour(Some(version)), None).await.unwrap();
        let counted = (amount(&table, "abandoned"), amount(&table, "abandoned_short"));
        assert_eq!(
            (counted, table.position),
            ((4, abandoned_short), place.engine.end()),
            "version {version}"
        );
    }
    let then = place.engine.query_at(hour(Some(3)), saved).await.unwrap();
    assert_eq!((amount(&then, "abandoned_short"), Some(then.position)), (3, saved));
}

#[tokio::test]
async fn a_kept_fold_goes_on_with_what_has_come_since() {
    let place = place().await;
    place.clock.set(at(60));
    abandoned(&place, &[7]).await;
    define(&place, short(2, 8, at(24 * 60))).await.unwrap();
    let first = place.engine.query_at(hour(Some(2)), None).await.unwrap();
    assert_eq!(amount(&first, "abandoned_short"), 1);
    let session = place.session("late");
    let fact = |action| contact_fact("late", action);
    let enter = v1::QueueEntered { visit: "1".into(), queue: "sales".into(), priority: 0 };
    let leave = v1::QueueLeft { visit: "1".into(), exit: v1::QueueExit::Abandoned.into(), ringing: false };
    let facts = vec![started("late", ""), fact(Action::QueueEntered(enter))];
    send(&session, batch(1, at(30), facts)).await.unwrap();
    let facts = vec![fact(Action::QueueLeft(leave)), fact(Action::Ended(v1::ContactEnded::default()))];
    send(&session, batch(3, at(30).plus(Micros::from_secs(6)), facts)).await.unwrap();
    place.settled().await;
    let second = place.engine.query_at(hour(Some(2)), None).await.unwrap();
    assert_eq!((amount(&second, "abandoned_short"), second.position), (2, place.engine.end()));
    // What was known then, by that version, though it came to be known later.
    let before = place.engine.query_at(hour(Some(2)), Some(first.position)).await.unwrap();
    assert_eq!(amount(&before, "abandoned_short"), 1);
    let unknown_yet = place.engine.query_at(hour(Some(2)), Some(Position(4))).await.unwrap();
    assert_eq!((amount(&unknown_yet, "abandoned_short"), unknown_yet.formula_version), (1, 2));
}

#[tokio::test]
async fn what_began_before_a_change_is_counted_by_the_version_before_and_the_row_says_both() {
    let place = place().await;
    place.clock.set(at(60));
    abandoned(&place, &[7, 7, 7]).await;
    define(&place, short(2, 8, at(3))).await.unwrap();
    let table = place.engine.query_at(hour(None), None).await.unwrap();
    assert_eq!(amount(&table, "abandoned_short"), 1, "only the third entered from minute 3 on");
    assert_eq!(table.rows[0].versions.to_vec(), [1, 2]);
    assert_eq!((table.formula_version, table.formula_versions.to_vec()), (1, vec![1, 2]));
    let asked = ExplainQuery {
        query: Query { by: Vec::new(), ..hour(None) },
        cell: Vec::new(),
        column: "abandoned".into(),
        skip: 0,
        limit: 10,
    };
    let explained = place.engine.explain(asked, None).await.unwrap().explanation;
    let versions: Vec<_> = explained.items.iter().map(|item| item.formula_version).collect();
    assert_eq!(versions, [Some(1), Some(1), Some(2)]);
    assert_eq!(explained.formula_versions.to_vec(), [1, 2]);
}

#[tokio::test]
async fn a_version_that_only_divides_otherwise_needs_no_fold() {
    let place = place().await;
    place.clock.set(at(60));
    abandoned(&place, &[3, 7]).await;
    let mut raw = FormulaDefinition { number: 2, valid_from: at(24 * 60), ..FormulaDefinition::built_in() };
    raw.forms.abandon_rate = AbandonForm::Raw;
    define(&place, raw).await.unwrap();
    // The present fold itself answers, at once and without waiting for anything.
    let table = place.engine.query(&hour(Some(2))).unwrap();
    assert_eq!(value(&table, "abandon_rate"), Value::Ratio { numerator: 2, denominator: 2 });
    assert_eq!(value(&table, "abandon_rate"), value(&table, "abandon_rate_raw"));
    let plain = place.engine.query(&hour(None)).unwrap();
    assert_eq!(value(&plain, "abandon_rate"), Value::Ratio { numerator: 1, denominator: 1 });
}

#[tokio::test]
async fn a_version_never_changes_and_one_that_is_not_there_is_named_with_those_that_are() {
    let place = place().await;
    place.clock.set(at(60));
    abandoned(&place, &[7]).await;
    define(&place, short(2, 8, at(10))).await.unwrap();
    assert_eq!(define(&place, short(2, 8, at(10))).await.unwrap().0, 0, "the same again is nothing new");
    define(&place, short(2, 8, at(50))).await.unwrap();
    let refused = define(&place, short(2, 9, at(20))).await.unwrap_err().to_string();
    assert!(
        refused.starts_with(
            "formula version 2 stands for something else: its short is 8000000us, not 9000000us"
        ),
        "{refused}"
    );
    let built_in = define(&place, short(1, 9, at(20))).await.unwrap_err().to_string();
    assert!(built_in.starts_with("formula version 1 stands for something else"), "{built_in}");
    let unknown = place.engine.query_at(hour(Some(7)), None).await.unwrap_err();
    assert!(matches!(unknown, EngineError::Query(QueryError::UnknownFormula { .. })), "{unknown}");
    assert_eq!(
        unknown.to_string(),
        "there is no formula version 7 at north; there are 1, 2: define it, or ask for one of these"
    );
}

#[tokio::test]
async fn a_timer_belongs_to_after_call_work_that_ends_by_it_and_to_nothing_else() {
    let place = place().await;
    let by_agent = QueueDefinition::default_for(QueueId::new("sales").unwrap());
    let timed = QueueDefinition { after_call_timer: Micros::MINUTE, ..by_agent.clone() };
    let by_timer = QueueDefinition { after_call_end: AfterCallEnd::ByTimer, ..by_agent };
    for queue in [timed, by_timer] {
        let refused = place.engine.define(&site(), &name("lead"), vec![Event::QueueDefined(queue)]).await;
        let told = "definitions[0] (queue sales): after_call_timer belongs to after-call work that ends by_timer, and to \
                    nothing else: say both or neither";
        assert_eq!(refused.unwrap_err().to_string(), told);
    }
}

#[tokio::test]
async fn definitions_that_reach_far_back_are_taken_in_in_the_background_and_meanwhile_the_older_ones_stand() {
    let place = place().await;
    place.clock.set(at(60));
    abandoned(&place, &[25, 25, 25]).await;
    // So few facts are taken in at once by a server; here none may be.
    place.engine.run_processes();
    place.engine.touch_at_once(0);
    let before = place.engine.query(&hour(None)).unwrap();
    assert_eq!((amount(&before, "reached_unanswered"), before.older_definitions), (3, None));
    let queue = QueueDefinition {
        threshold: Some(Micros::from_secs(30)),
        ..QueueDefinition::default_for(QueueId(name("sales")))
    };
    let (_, defined) =
        place.engine.define(&site(), &name("desk"), vec![Event::QueueDefined(queue)]).await.unwrap();
    // Whatever is answered stands on all of the old or on all of the new ones, and says which.
    let table = loop {
        let table = place.engine.query(&hour(None)).unwrap();
        match table.older_definitions {
            Some(since) => assert_eq!((amount(&table, "reached_unanswered"), since), (3, defined)),
            None => break table,
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(amount(&table, "reached_unanswered"), 0);
    assert!(place.engine.recomputations().iter().all(|one| one.purpose != Purpose::Definitions));
    // A start comes to the same.
    let place = place.restarted().await;
    let again = place.engine.query(&hour(None)).unwrap();
    assert_eq!(Table { position: again.position, ..table }, again);
}
