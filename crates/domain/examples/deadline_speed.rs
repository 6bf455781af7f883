//! What the targets of open tickets cost: to ask when something comes due next, what has come due, and to take an event in.
//!
//! `cargo run --release -p pegcount-domain --example deadline_speed`

use std::{error::Error, hint::black_box, time::Instant};

use pegcount_domain::{
    allowance::ZoneName,
    calendar::Weekday,
    deadlines::{Deadlines, TargetClock, World, due, next_due, standard::standard},
    ids::{AgentId, Name, TicketKind},
    ticketing::{Opening, Ticket, TicketEvent},
    time::Micros,
    working::{Hours, WeekWindow, WorkingCalendar, WorkingHistory, WorkingRules},
};

const TICKETS: u32 = 200_000;
/// 2026-11-27 10:00 in Shanghai.
const START: i64 = 1_795_744_800_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let hours = [Hours::new(540, 720), Hours::new(780, 1_080)];
    let on = |day: &Weekday| hours.map(|hours| WeekWindow { day: *day, hours });
    let calendar = WorkingCalendar::new(&WorkingHistory::of(WorkingRules {
        time_zone: ZoneName::new("Asia/Shanghai"),
        week: Weekday::ALL.iter().take(5).flat_map(on).collect(),
        holidays: Vec::new(),
        make_up_days: Vec::new(),
        valid_from: Micros::ZERO,
    }))?;
    let office = Name::fixed("office");
    let mut world = World::default();
    world.define_policies(standard(&office));
    world.define_calendar(office, calendar);
    let by = Name::fixed("ann");
    let at = |number: u32| Micros(START + i64::from(number) * Micros::SECOND.0);
    let opened = TicketEvent::Opened(Box::new(Opening {
        receiver: Some(AgentId(by.clone())),
        ..Opening::of(TicketKind(Name::fixed("repair")))
    }));
    let accepted = TicketEvent::Accepted { owner: AgentId(by.clone()) };
    let began = Instant::now();
    let mut tickets = Vec::new();
    for number in 0..TICKETS {
        let mut ticket = Ticket::opened(&opened, at(number), &by).ok_or("it was not opened")?;
        let mut deadlines = Deadlines::default();
        deadlines.apply(&ticket, &opened, at(number), &world, &mut |_, _| {});
        ticket.apply(&accepted, at(number + 60), &by);
        deadlines.apply(&ticket, &accepted, at(number + 60), &world, &mut |_, _| {});
        tickets.push((ticket, deadlines));
    }
    rate("events taken in (two a ticket)", began, 2 * TICKETS);
    let began = Instant::now();
    for (ticket, deadlines) in &tickets {
        black_box(next_due(ticket, deadlines, &world));
    }
    rate("next_due", began, TICKETS);
    let began = Instant::now();
    let now = Micros(START + 10 * Micros::HOUR.0);
    let found: usize =
        tickets.iter().map(|(ticket, deadlines)| due(ticket, deadlines, &world, now).len()).sum();
    rate(&format!("due, {found} found"), began, TICKETS);
    let sizes = (size_of::<Ticket>(), size_of::<Deadlines>(), size_of::<TargetClock>());
    println!(
        "a ticket has {} bytes, its deadlines {}, each clock {} beside what they point to",
        sizes.0, sizes.1, sizes.2
    );
    Ok(())
}

fn rate(what: &str, began: Instant, count: u32) {
    println!("{what}: {:.0} a second", f64::from(count) / began.elapsed().as_secs_f64());
}
