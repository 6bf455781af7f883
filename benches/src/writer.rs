//! Writers that wait for each answer, many at once: the shape in which single calls, SQL and other databases are
//! compared.

use std::time::{Duration, Instant};

use tokio::time::{Instant as TokioInstant, sleep_until};

use crate::{Outcome, histogram::Histogram, streaming::Rate};

/// Something that writes the workload's next events durably.
pub trait Writer: Send + 'static {
    /// Writes the next `count` events in one call; they are durable when it returns.
    fn write(&mut self, count: usize) -> impl Future<Output = Outcome<()>> + Send;
}

/// Lets every writer write calls of `events` events, one after the other, for `length`; gives the writers back for the
/// next round.
pub async fn drive<W: Writer>(writers: Vec<W>, events: usize, length: Duration) -> Outcome<(Vec<W>, Rate)> {
    let started = Instant::now();
    let tasks: Vec<_> = writers
        .into_iter()
        .map(|mut writer| {
            tokio::spawn(async move {
                let mut written = 0;
                while started.elapsed() < length {
                    writer.write(events).await?;
                    written += events;
                }
                Outcome::Ok((writer, written))
            })
        })
        .collect();
    let mut writers = Vec::new();
    let mut facts = 0;
    for task in tasks {
        let (writer, written) = task.await??;
        writers.push(writer);
        facts += u64::try_from(written)?;
    }
    Ok((writers, Rate { facts, seconds: started.elapsed().as_secs_f64() }))
}

/// Lets the writers write single events by the clock, `rate` events a second in all, for `length`. A latency counts from
/// the instant at which the event was due, so that a slow answer is not hidden by the calls that it delays.
pub async fn paced<W: Writer>(writers: Vec<W>, rate: f64, length: Duration) -> Outcome<Histogram> {
    let count = u32::try_from(writers.len())?;
    let step = Duration::from_secs_f64(f64::from(count) / rate);
    let started = TokioInstant::now();
    let tasks: Vec<_> = writers
        .into_iter()
        .zip(0..)
        .map(|(mut writer, index)| {
            tokio::spawn(async move {
                let mut latencies = Histogram::default();
                let mut due = started + step * index / count;
                while due < started + length {
                    sleep_until(due).await;
                    writer.write(1).await?;
                    latencies.add(due.elapsed());
                    due += step;
                }
                Outcome::Ok(latencies)
            })
        })
        .collect();
    let mut latencies = Histogram::default();
    for task in tasks {
        latencies.merge(task.await??);
    }
    Ok(latencies)
}
