//! Calendars and instants for tests, written as people say them.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use pegcount_domain::{
    allowance::ZoneName,
    calendar::{Date, Weekday},
    time::Micros,
    working::{Hours, WeekWindow, WorkingRules},
};

/// `2026-10-01T09:00+08:00` as an instant.
pub fn at(text: &str) -> Micros {
    Micros(text.parse::<jiff::Timestamp>().unwrap_or_else(|e| panic!("{text}: {e}")).as_microsecond())
}

pub fn hours(hours: i64) -> Micros {
    Micros(hours * Micros::HOUR.0)
}

pub fn minutes(minutes: i64) -> Micros {
    Micros(minutes * Micros::MINUTE.0)
}

/// `9:00-12:30`.
pub fn window(text: &str) -> Hours {
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':').unwrap();
        hour.parse::<u16>().unwrap() * 60 + minute.parse::<u16>().unwrap()
    };
    let (from, to) = text.split_once('-').unwrap();
    Hours::new(minute(from), minute(to))
}

/// The same windows on some days of the week.
pub fn week(days: &[Weekday], windows: &[&str]) -> Vec<WeekWindow> {
    let on = |day: &Weekday| {
        let day = *day;
        windows.iter().map(move |text| WeekWindow { day, hours: window(text) })
    };
    days.iter().flat_map(on).collect()
}

pub const MONDAY_TO_FRIDAY: &[Weekday] =
    &[Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

pub fn rules(zone: &str, week: Vec<WeekWindow>) -> WorkingRules {
    WorkingRules {
        time_zone: ZoneName::new(zone),
        week,
        holidays: Vec::new(),
        make_up_days: Vec::new(),
        valid_from: Micros::ZERO,
    }
}

/// Monday to Friday, 9 to 12 and 13 to 18, in Shanghai.
pub fn office() -> WorkingRules {
    rules("Asia/Shanghai", week(MONDAY_TO_FRIDAY, &["9:00-12:00", "13:00-18:00"]))
}

/// `2026-11-28`, whether there is such a day or not.
pub fn date(text: &str) -> Date {
    Date(text.replace('-', "").parse().unwrap())
}

/// Random numbers from a seed (`SplitMix64`).
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to `below`, which is left out.
    pub fn below(&mut self, below: u64) -> u64 {
        self.roll() % below
    }

    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(u64::try_from(to - from).unwrap())).unwrap()
    }

    pub fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }
}

/// The seeds to try: that of the environment's variable alone if it is set, else `count` from `first` on.
pub fn seeds(variable: &str, first: u64, count: u64) -> Vec<u64> {
    match std::env::var(variable) {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (first..first + count).collect(),
    }
}
