//! `pegcount demo`.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::Length;

/// How the demo is to be.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  pegcount demo\n  pegcount demo --speed 300 --agents 100 --seed 7\n  \
                        pegcount demo --data-dir ./demo-data --for 2m\n\n\
                        Ctrl-C ends it and says what was kept where.")]
pub(crate) struct DemoArgs {
    /// Keep the log in this folder, and go on with what is there; else in a fresh folder
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// How many simulated seconds pass in a real one
    #[arg(long, value_name = "FACTOR", default_value_t = 60.0, value_parser = speed)]
    pub(crate) speed: f64,
    /// How many agents the centre has
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) agents: u32,
    /// How many calls come in a simulated hour at the busiest time; else six for each agent
    #[arg(long, value_name = "N")]
    pub(crate) calls_per_hour: Option<u32>,
    /// The same seed gives the same arrivals, patience and handling times
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Where the page and the gRPC services listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// End by itself after so much real time (90s, 5m, 2h)
    #[arg(long = "for", value_name = "LENGTH")]
    pub(crate) length: Option<Length>,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if (0.1..=3600.0).contains(&speed) => Ok(speed),
        _ => Err("give a number from 0.1 to 3600".to_owned()),
    }
}
