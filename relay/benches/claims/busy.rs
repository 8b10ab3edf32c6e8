//! How busy the machine was with anything else than what is measured, as Linux counts processor time.

use std::time::{Duration, Instant};

/// One of Linux' ticks.
const TICK: Duration = Duration::from_millis(10);

/// Processor time so far.
#[derive(Clone, Copy, Debug)]
struct Spent {
    /// By everything on this machine, and by whatever else runs on what it runs on.
    all: Duration,
    /// By this process and those that it named.
    ours: Duration,
}

/// A stretch of time that is looked at.
#[derive(Debug)]
pub struct Stretch {
    since: Instant,
    before: Option<Spent>,
    processes: Vec<u32>,
}

/// What was computed in it, each in cores: 2.0 are two cores all the time.
#[derive(Clone, Copy, Debug)]
pub struct Computed {
    /// By the programs that are measured, and by the one that asks.
    pub ours: f64,
    /// By everything else.
    pub others: f64,
}

impl Stretch {
    /// From now on; these processes count as ours, and this one.
    pub fn begin(processes: &[u32]) -> Self {
        let mut processes = processes.to_vec();
        processes.push(std::process::id());
        Self { before: spent(&processes), processes, since: Instant::now() }
    }

    /// Until now; none where the system doesn't say.
    pub fn end(&self) -> Option<Computed> {
        let (before, now) = (self.before?, spent(&self.processes)?);
        let lasted = self.since.elapsed().as_secs_f64();
        let ours = now.ours.saturating_sub(before.ours);
        let others = now.all.saturating_sub(before.all).saturating_sub(ours);
        Some(Computed { ours: ours.as_secs_f64() / lasted, others: others.as_secs_f64() / lasted })
    }
}

fn spent(processes: &[u32]) -> Option<Spent> {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    let fields = stat.lines().next()?.split_whitespace().skip(1);
    let ticks: Vec<u32> = fields.map(str::parse).collect::<Result<_, _>>().ok()?;
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are counted in user.
    let all: u32 = [0, 1, 2, 5, 6, 7].iter().filter_map(|field| ticks.get(*field)).sum();
    let ours: Duration = processes.iter().filter_map(|process| of_process(*process)).sum();
    Some(Spent { all: TICK * all, ours })
}

/// What all threads of a process have computed so far.
fn of_process(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // After the name, which ends with the last parenthesis: state is field 3, user and system time are 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u32 =
        [11, 12].map(|field| fields.get(field)?.parse::<u32>().ok()).into_iter().sum::<Option<_>>()?;
    Some(TICK * ticks)
}
