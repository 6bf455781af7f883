//! What a process of this program is for: the benchmark starts itself again, so that memory and the state after a kill are
//! those of a process that does nothing else.
//!
//! Invariant: a process tells what it found in one line of numbers, after its role's word.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::Outcome;

/// Tells a process of this program what it is for.
const VARIABLE: &str = "PEGCOUNT_BENCH_ROLE";

/// What this process is for.
#[derive(Debug)]
pub struct Role {
    /// What it is to do.
    pub word: String,
    /// How many.
    pub number: u64,
    /// Which time.
    pub stage: usize,
    /// Where.
    pub dir: PathBuf,
}

impl Role {
    /// The role that this process was started for; none for the benchmark itself.
    pub fn mine() -> Outcome<Option<Self>> {
        let Ok(text) = env::var(VARIABLE) else { return Ok(None) };
        let mut parts = text.splitn(4, ' ');
        let mut next = || parts.next().ok_or("a role has a word, a number, a stage and a folder");
        let (word, number, stage, dir) = (next()?, next()?, next()?, next()?);
        Ok(Some(Self { word: word.into(), number: number.parse()?, stage: stage.parse()?, dir: dir.into() }))
    }
}

/// A process with a role.
pub fn another(word: &str, number: u64, stage: usize, dir: &Path) -> Outcome<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.env(VARIABLE, format!("{word} {number} {stage} {}", dir.display()));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    Ok(command)
}

/// Runs a process with a role to its end; what it told.
pub fn told_by<const N: usize>(word: &str, dir: &Path) -> Outcome<[f64; N]> {
    let answer = another(word, 0, 0, dir)?.stderr(Stdio::inherit()).output()?;
    numbers(word, &mut BufReader::new(answer.stdout.as_slice()))
}

/// Tells what was found, to who started this process.
pub fn tell(word: &str, numbers: &[f64]) -> Outcome<()> {
    let numbers: Vec<String> = numbers.iter().map(f64::to_string).collect();
    println!("{word} {}", numbers.join(" "));
    Ok(std::io::stdout().flush()?)
}

/// Reads what was told.
pub fn numbers<const N: usize>(word: &str, said: &mut impl BufRead) -> Outcome<[f64; N]> {
    let line = said.lines().find_map(|line| Some(line.ok()?.strip_prefix(word)?.trim().to_owned()));
    let line = line.ok_or_else(|| format!("the process that was to {word} ended by itself"))?;
    let numbers: Result<Vec<f64>, _> = line.split(' ').map(str::parse).collect();
    numbers?.try_into().map_err(|_| format!("the process that was to {word} told another count").into())
}
