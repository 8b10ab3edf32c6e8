//! Those who do harm, together in a process of their own. It has the lowest priority: on the relay's own cores they take all
//! that it leaves, and their own work isn't counted as its.

use super::{
    AT_ONCE, HOSTILE,
    client::Target,
    hostile::{self, Harm},
};
use anyhow::{Context as _, Result, bail};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use std::{
    env,
    io::{BufRead as _, BufReader, Write as _, stdin},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};
use tokio::task::{JoinSet, spawn_blocking};

/// What tells this program that it is the crowd; the relay's port, peer id and ledger follow.
pub const ARGUMENT: &str = "--crowd";
const LOWEST: i32 = 19;

/// Comes to a relay, and says at each line of input what it has done and how many are there.
pub async fn comes(target: Target) -> Result<()> {
    rustix::process::nice(LOWEST)?;
    let harms = Harm::ALL.into_iter().cycle().take(HOSTILE);
    let came = stream::iter(harms).map(|harm| harm.comes(target)).buffer_unordered(AT_ONCE);
    let mut there: JoinSet<_> = came.try_collect::<Vec<_>>().await?.into_iter().collect();
    loop {
        println!("{} {}", hostile::deeds(), there.len());
        if spawn_blocking(|| stdin().read_line(&mut String::new())).await?? == 0 {
            return Ok(());
        }
        // Those that the relay threw out for good.
        while there.try_join_next().is_some() {}
    }
}

/// The crowd's process.
pub struct Crowd {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// What the crowd says.
pub struct Said {
    /// What it has done.
    pub deeds: u64,
    /// How many are there.
    pub there: u64,
}

impl Crowd {
    /// Starts it; all have come when this returns.
    pub fn start(target: Target) -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.args([ARGUMENT.to_owned(), target.port.to_string(), target.peer.to_string()]);
        command.arg(target.ledger.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (input, output) = input.zip(output).context("no pipes")?;
        let mut crowd = Self { child, input, output: BufReader::new(output) };
        crowd.said()?;
        Ok(crowd)
    }

    /// Asks what it has done.
    pub fn asked(&mut self) -> Result<Said> {
        self.input.write_all(b"\n")?;
        self.said()
    }

    fn said(&mut self) -> Result<Said> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let mut numbers = line.split_whitespace().map(str::parse);
        let (Some(deeds), Some(there)) = (numbers.next(), numbers.next()) else {
            bail!("those who do harm have gone");
        };
        Ok(Said { deeds: deeds?, there: there? })
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
