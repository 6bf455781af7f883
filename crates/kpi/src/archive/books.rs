//! Cells and what stands beside them; reference data; corrections.

use pegcount_domain::{
    allowance::{AllowanceDefinition, LocalHours, MealAllowance, ReasonAllowance, SiteDefinition, ZoneName},
    authority::{AuthorityDefinition, LegField, Reporter},
    definitions::Definitions,
    envelope::Position,
    event::{AfterCallEnd, AfterCallOnContact, AgentDefinition, Event, QueueDefinition, ReasonDefinition},
    ids::{AgentId, Key, QueueId, ReasonCode, TeamId},
    time::{Interval, Micros},
};
use pegcount_proto::{formula_of, nameless, stored};
use rustc_hash::FxHashMap;

use super::{
    ArchiveError, Counts,
    facts::{dims, dims_of, part},
    key_bytes, key_of,
};
use crate::{
    anomaly::{Anomaly, AnomalyKind},
    books::Books,
    cells::{Attribution, Contribution, Dims},
    contact::fold::Crossing,
    correction::Correction,
    measure::Measure,
};

type Read<T> = Result<T, ArchiveError>;

pub(super) fn archive(books: &Books, figures: &mut stored::SiteFigures) {
    figures.cells = books.cells.tables().map(|table| archived_table(&table)).collect();
    figures.crossings = books.all_crossings().map(archived_crossing).collect();
    figures.maturing = books.all_maturing().map(|(due, one)| archived_maturing(due, one)).collect();
    figures.matured_to = books.matured_to.0;
    figures.last_effect = books.last_effect.0;
    let odd = |(mark, times): (Anomaly, i64)| stored::OddFact {
        position: mark.position.0,
        kind: mark.kind.code(),
        times,
    };
    figures.odd = books.marks().counted().map(odd).collect();
}

pub(super) fn restore(books: &mut Books, figures: &stored::SiteFigures, counts: Counts) -> Read<()> {
    for table in &figures.cells {
        restore_table(books, table, counts)?;
    }
    for crossing in &figures.crossings {
        let dims = dims_of(part(crossing.dims.as_ref())?, counts)?;
        let (interval, entered) = (Interval(crossing.interval), Micros(crossing.entered));
        books.enter_crossings(&[Crossing { interval, dims, entered }], 1);
    }
    for maturing in &figures.maturing {
        let contribution = Contribution {
            measure: measure(&maturing.measure)?,
            attribution: attribution(maturing.attribution)?,
            interval: Interval(maturing.interval),
            dims: dims_of(part(maturing.dims.as_ref())?, counts)?,
            amount: maturing.amount,
        };
        books.put_back_maturing(Micros(maturing.due), contribution);
    }
    for odd in &figures.odd {
        let kind = AnomalyKind::from_code(odd.kind).ok_or(ArchiveError::Wrong("a code is unknown"))?;
        books.mark(&[Anomaly { position: Position(odd.position), kind }], odd.times);
    }
    books.stand_at(Micros(figures.matured_to), Micros(figures.last_effect));
    Ok(())
}

/// A table of cells as they lie.
pub(crate) struct TableRows<'a> {
    /// What each amount of a row is of.
    pub(crate) columns: Vec<(Measure, Attribution)>,
    /// The rows that hold anything.
    pub(crate) rows: Vec<(Interval, Dims, &'a [i64])>,
}

fn archived_table(table: &TableRows<'_>) -> stored::CellTable {
    let mut out = stored::CellTable {
        measures: table.columns.iter().map(|(measure, _)| measure.name().to_owned()).collect(),
        attributions: table.columns.iter().map(|(_, attribution)| attribution_code(*attribution)).collect(),
        ..stored::CellTable::default()
    };
    let mut places: FxHashMap<Dims, u32> = FxHashMap::default();
    for (interval, row_dims, amounts) in &table.rows {
        let place = *places.entry(*row_dims).or_insert_with(|| {
            out.dimensions.push(dims(row_dims));
            u32::try_from(out.dimensions.len() - 1).unwrap_or(u32::MAX)
        });
        out.intervals.push(interval.0);
        out.dims.push(place);
        out.amounts.extend_from_slice(amounts);
    }
    out
}

fn restore_table(books: &mut Books, table: &stored::CellTable, counts: Counts) -> Read<()> {
    let wrong = || ArchiveError::Wrong("a table of cells has too few columns, rows or dimensions");
    let columns = table.measures.iter().zip(&table.attributions);
    let columns = columns.map(|(name, code)| Ok((measure(name)?, attribution(*code)?)));
    let columns: Vec<_> = columns.collect::<Read<_>>()?;
    let dimensions = table.dimensions.iter().map(|dims| dims_of(dims, counts));
    let dimensions: Vec<Dims> = dimensions.collect::<Read<_>>()?;
    let width = columns.len();
    if width == 0
        || table.amounts.len() != width * table.intervals.len()
        || table.dims.len() != table.intervals.len()
    {
        return if table.amounts.is_empty() { Ok(()) } else { Err(wrong()) };
    }
    let rows = table.intervals.iter().zip(&table.dims).zip(table.amounts.chunks_exact(width));
    for ((interval, place), amounts) in rows {
        let place = usize::try_from(*place).unwrap_or(usize::MAX);
        let dims = *dimensions.get(place).ok_or_else(wrong)?;
        for ((measure, attribution), amount) in
            columns.iter().zip(amounts).filter(|(_, amount)| **amount != 0)
        {
            let (measure, attribution, amount) = (*measure, *attribution, *amount);
            let interval = Interval(*interval);
            books.cells.add(&Contribution { measure, attribution, interval, dims, amount }, 1);
        }
    }
    Ok(())
}

fn archived_crossing(crossing: &Crossing) -> stored::Crossing {
    let (interval, entered) = (crossing.interval.0, crossing.entered.0);
    stored::Crossing { interval, dims: Some(dims(&crossing.dims)), entered }
}

fn archived_maturing(due: Micros, one: &Contribution) -> stored::Maturing {
    stored::Maturing {
        due: due.0,
        measure: one.measure.name().to_owned(),
        attribution: attribution_code(one.attribution),
        interval: one.interval.0,
        dims: Some(dims(&one.dims)),
        amount: one.amount,
    }
}

fn attribution_code(attribution: Attribution) -> u32 {
    match attribution {
        Attribution::Event => 0,
        Attribution::Start => 1,
        Attribution::End => 2,
    }
}

fn attribution(code: u32) -> Read<Attribution> {
    match code {
        0 => Ok(Attribution::Event),
        1 => Ok(Attribution::Start),
        2 => Ok(Attribution::End),
        _ => Err(ArchiveError::Wrong("a code is unknown")),
    }
}

fn measure(name: &str) -> Read<Measure> {
    let found = Measure::ALL.iter().find(|measure| measure.name() == name);
    found.copied().ok_or(ArchiveError::Wrong("a measure is unknown"))
}

pub(super) fn archived_correction(one: &Correction) -> stored::Corrected {
    stored::Corrected {
        position: one.position.0,
        recorded_at: one.recorded_at.0,
        interval: one.interval.0,
        measure: one.measure.name().to_owned(),
        difference: one.difference,
    }
}

pub(super) fn restored_correction(one: &stored::Corrected) -> Read<Correction> {
    Ok(Correction {
        position: Position(one.position),
        recorded_at: Micros(one.recorded_at),
        interval: Interval(one.interval),
        measure: measure(&one.measure)?,
        difference: one.difference,
    })
}

pub(super) fn archived_definitions(definitions: &Definitions<Key>) -> Vec<stored::KnownDefinition> {
    let plain = |key: Key, valid_from: Micros| stored::KnownDefinition {
        key: key_bytes(key),
        valid_from: valid_from.0,
        ..stored::KnownDefinition::default()
    };
    let queues = definitions.queues().map(|queue| stored::KnownDefinition {
        queue: Some(stored::KnownQueue {
            threshold: own(queue.threshold),
            short: own(queue.short),
            rings: own(queue.rings),
            after_call_end: queue.after_call_end.code().into(),
            after_call_timer: queue.after_call_timer.0,
            after_call_on_contact: queue.after_call_on_contact.code().into(),
        }),
        ..plain(queue.queue.0, queue.valid_from)
    });
    let reasons = definitions.reasons().map(|reason| stored::KnownDefinition {
        reason: Some(stored::KnownReason {
            productive: reason.productive,
            paid: reason.paid,
            longest: reason.longest.map(|longest| longest.0),
        }),
        ..plain(reason.reason.0, reason.valid_from)
    });
    let agents = definitions.agents().map(|agent| stored::KnownDefinition {
        agent: Some(stored::KnownAgent {
            team: agent.team.map(|team| key_bytes(team.0)).unwrap_or_default(),
            chat_slots: agent.chat_slots,
        }),
        ..plain(agent.agent.0, agent.valid_from)
    });
    let formulas = definitions.formulas().map(|formula| stored::KnownDefinition {
        formula: Some(nameless(formula)),
        valid_from: formula.valid_from.0,
        ..stored::KnownDefinition::default()
    });
    let sites = definitions.sites().map(|site| stored::KnownDefinition {
        valid_from: site.valid_from.0,
        time_zone: Some(site.time_zone.as_str().to_owned()),
        ..stored::KnownDefinition::default()
    });
    let fields = |authority: &AuthorityDefinition, reporter: Reporter| {
        let own = authority.believed.iter().filter(move |(_, believed)| *believed == reporter);
        own.map(|(field, _)| u32::from(field.code())).collect()
    };
    let authorities = definitions.authorities().map(move |authority| stored::KnownDefinition {
        valid_from: authority.valid_from.0,
        authority: Some(stored::KnownAuthority {
            softphone: fields(authority, Reporter::Softphone),
            exchange: fields(authority, Reporter::Exchange),
        }),
        ..stored::KnownDefinition::default()
    });
    let allowances = definitions.allowances().map(|allowance| stored::KnownDefinition {
        key: allowance.team.map(|team| key_bytes(team.0)).unwrap_or_default(),
        valid_from: allowance.valid_from.0,
        allowance: Some(archived_allowance(allowance)),
        ..stored::KnownDefinition::default()
    });
    queues
        .chain(reasons)
        .chain(agents)
        .chain(sites)
        .chain(allowances)
        .chain(authorities)
        .chain(formulas)
        .collect()
}

fn archived_allowance(allowance: &AllowanceDefinition<Key>) -> stored::KnownAllowance {
    let micros = |limit: Option<Micros>| limit.map(|limit| limit.0);
    let reason = |reason: &ReasonAllowance<Key>| stored::KnownReasonAllowed {
        reason: key_bytes(reason.reason.0),
        longest: micros(reason.longest),
        total: micros(reason.total),
        count: reason.count,
    };
    let meals = |meals: &MealAllowance<Key>| stored::KnownMeals {
        reasons: meals.reasons.iter().map(|reason| key_bytes(reason.0)).collect(),
        count: meals.count,
        longest: micros(meals.longest),
        has_hours: meals.hours.is_some(),
        from_minute: meals.hours.map_or(0, |hours| hours.from_minute.into()),
        to_minute: meals.hours.map_or(0, |hours| hours.to_minute.into()),
    };
    stored::KnownAllowance {
        total: micros(allowance.total),
        reasons: allowance.reasons.iter().map(reason).collect(),
        meals: allowance.meals.as_ref().map(meals),
        sign_ins: allowance.sign_ins,
    }
}

fn restored_allowance(
    team: Option<TeamId<Key>>,
    valid_from: Micros,
    known: &stored::KnownAllowance,
) -> Read<AllowanceDefinition<Key>> {
    let minute = |minute: u32| u16::try_from(minute).map_err(|_| ArchiveError::Wrong("a code is unknown"));
    let mut reasons = Vec::with_capacity(known.reasons.len());
    for reason in &known.reasons {
        reasons.push(ReasonAllowance {
            reason: ReasonCode(key_of(&reason.reason)?),
            longest: reason.longest.map(Micros),
            total: reason.total.map(Micros),
            count: reason.count,
        });
    }
    let mut meals = None;
    if let Some(known) = &known.meals {
        let reasons = known.reasons.iter().map(|reason| key_of(reason).map(ReasonCode));
        let hours =
            LocalHours { from_minute: minute(known.from_minute)?, to_minute: minute(known.to_minute)? };
        meals = Some(MealAllowance {
            reasons: reasons.collect::<Read<_>>()?,
            count: known.count,
            longest: known.longest.map(Micros),
            hours: known.has_hours.then_some(hours),
        });
    }
    let (total, sign_ins) = (known.total.map(Micros), known.sign_ins);
    Ok(AllowanceDefinition { team, total, reasons, meals, sign_ins, valid_from })
}

/// A queue's own threshold; 0 where it has none.
fn own(threshold: Option<Micros>) -> i64 {
    threshold.map_or(0, |Micros(own)| own)
}

fn own_of(micros: i64) -> Option<Micros> {
    (micros != 0).then_some(Micros(micros))
}

/// Labels are for people, and figures have none.
pub(super) fn restored_definition(known: &stored::KnownDefinition) -> Read<Event<Key>> {
    if let Some(time_zone) = &known.time_zone {
        let (time_zone, valid_from) = (ZoneName::new(time_zone), Micros(known.valid_from));
        return Ok(Event::SiteDefined(SiteDefinition { time_zone, valid_from }));
    }
    if let Some(authority) = &known.authority {
        let of = |codes: &[u32], reporter: Reporter| {
            let field = |code: &u32| LegField::from_code(*code).map(|field| (field, reporter));
            codes.iter().map(field).collect::<Option<Vec<_>>>()
        };
        let softphone = of(&authority.softphone, Reporter::Softphone);
        let exchange = of(&authority.exchange, Reporter::Exchange);
        let unknown = || ArchiveError::Wrong("a code is unknown");
        let mut believed = softphone.ok_or_else(unknown)?;
        believed.extend(exchange.ok_or_else(unknown)?);
        believed.sort_unstable();
        let valid_from = Micros(known.valid_from);
        return Ok(Event::AuthorityDefined(AuthorityDefinition { believed, valid_from }));
    }
    if let Some(allowance) = &known.allowance {
        let team = if known.key.is_empty() { None } else { Some(TeamId(key_of(&known.key)?)) };
        let valid_from = Micros(known.valid_from);
        return Ok(Event::AllowanceDefined(restored_allowance(team, valid_from, allowance)?));
    }
    let unknown = || ArchiveError::Wrong("a code is unknown");
    if let Some(formula) = &known.formula {
        return Ok(Event::FormulaDefined(Box::new(formula_of(formula).ok_or_else(unknown)?)));
    }
    let (key, valid_from) = (key_of(&known.key)?, Micros(known.valid_from));
    if let Some(queue) = &known.queue {
        return Ok(Event::QueueDefined(QueueDefinition {
            queue: QueueId(key),
            label: None,
            threshold: own_of(queue.threshold),
            short: own_of(queue.short),
            rings: own_of(queue.rings),
            after_call_end: AfterCallEnd::from_code(queue.after_call_end).ok_or_else(unknown)?,
            after_call_timer: Micros(queue.after_call_timer),
            after_call_on_contact: AfterCallOnContact::from_code(queue.after_call_on_contact)
                .ok_or_else(unknown)?,
            valid_from,
        }));
    }
    if let Some(reason) = &known.reason {
        return Ok(Event::ReasonDefined(ReasonDefinition {
            reason: ReasonCode(key),
            label: None,
            productive: reason.productive,
            paid: reason.paid,
            longest: reason.longest.map(Micros),
            valid_from,
        }));
    }
    let agent = part(known.agent.as_ref())?;
    let team = if agent.team.is_empty() { None } else { Some(TeamId(key_of(&agent.team)?)) };
    let chat_slots = agent.chat_slots;
    Ok(Event::AgentDefined(AgentDefinition { agent: AgentId(key), team, chat_slots, valid_from }))
}
