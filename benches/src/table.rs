//! Prints results as a table that can be pasted into `RESULTS.md`.

/// One line of a table.
#[derive(Clone, Debug)]
pub struct Line {
    /// What was measured.
    pub figure: String,
    /// The value, with its unit.
    pub value: String,
    /// What it should at least or at most be; empty if it is only there for comparison.
    pub goal: String,
}

impl Line {
    /// A line for comparison.
    pub fn plain(figure: impl Into<String>, value: impl Into<String>) -> Self {
        Self { figure: figure.into(), value: value.into(), goal: String::new() }
    }

    /// A line with a goal, which is marked as met or not.
    pub fn with_goal(figure: impl Into<String>, value: f64, decimals: usize, goal: f64) -> Self {
        let met = if value >= goal { "met" } else { "NOT MET" };
        Self {
            figure: figure.into(),
            value: format!("{value:.decimals$}"),
            goal: format!("at least {goal}: {met}"),
        }
    }

    /// A line with a limit, which is marked as met or not.
    pub fn with_limit(figure: impl Into<String>, value: f64, decimals: usize, limit: f64) -> Self {
        let met = if value <= limit { "met" } else { "NOT MET" };
        Self {
            figure: figure.into(),
            value: format!("{value:.decimals$}"),
            goal: format!("at most {limit}: {met}"),
        }
    }

    /// A line for what was not measured, and why.
    pub fn missing(figure: impl Into<String>, why: impl Into<String>, goal: impl Into<String>) -> Self {
        Self { figure: figure.into(), value: format!("not measured: {}", why.into()), goal: goal.into() }
    }
}

/// Prints the lines as Markdown.
pub fn print(title: &str, lines: &[Line]) {
    println!("\n### {title}\n\n| figure | value | goal |\n|---|---|---|");
    for Line { figure, value, goal } in lines {
        println!("| {figure} | {value} | {goal} |");
    }
}

/// A rate for people: thousands separated.
pub fn per_second(rate: f64) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "a float saturates; a rate is for people")]
    let digits = (rate.round() as i64).to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + " /s"
}
