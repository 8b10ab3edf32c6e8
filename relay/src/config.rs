//! Configuration by flag, environment (`SUISHEN_…`) and file, in this order of precedence.
//!
//! The file is TOML whose keys are the flags' names without dashes in front; it becomes the defaults of the
//! flags, so `--help` with a file shows what holds. An unknown key is an error, not ignored.

use anyhow::{Context as _, bail};
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use std::{
    ffi::OsString,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

/// 随身 Suishen: relay of the patient's health wallet, and the tools around its ledger.
#[derive(Debug, Parser)]
#[command(name = "suishen", version, max_term_width = 100)]
pub struct Cli {
    /// Where the data is.
    #[command(flatten)]
    pub place: Place,
    /// What is logged.
    #[command(flatten)]
    pub log: Log,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that all commands share.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Folder of the relay's data: ledger, blobs, keys
    #[arg(long, global = true, env = "SUISHEN_DATA", value_name = "DIR", default_value = ".suishen")]
    pub data: PathBuf,
    /// Configuration file (TOML): the flags' names and values
    #[arg(long, global = true, env = "SUISHEN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// How to log. Logs never hold bodies, keys, fragments or the addresses of readers.
#[derive(Clone, Debug, Args)]
pub struct Log {
    /// Least level that is logged, or a filter like `info,suishen_relay::http=debug`
    #[arg(long = "log", global = true, env = "SUISHEN_LOG", value_name = "LEVEL", default_value = "info")]
    pub level: String,
    /// Form of the log on standard error
    #[arg(long = "log-format", global = true, env = "SUISHEN_LOG_FORMAT", default_value = "json")]
    pub format: LogFormat,
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the relay
    Serve(Serve),
    /// Issue reports from files: as tickets, or to a known patient
    Issue(crate::command::issue::Issue),
    /// Print a link that enrols one person's desk, once, within a day
    Invite(crate::command::invite::Invite),
    /// Hold wallets' mailboxes and circuits at a further place, without the ledger
    Mailbox(Box<crate::command::mailbox::Mailbox>),
    /// Suspend an organisation, or one of its people
    Suspend(crate::command::suspend::Suspend),
    /// Found a consortium's ledger in an empty data folder
    Found(crate::command::found::Found),
    /// Run an insurer's own server: takes patients' claims, opens, settles and refuses them
    Claims(Box<crate::command::claims::Claims>),
    /// Prove a replica whole, or name what isn't; beside a running relay too, and on a copy of its folder
    Fsck,
    /// Replay the ledger from its first entry and count what it holds, or verify a proof bundle
    Audit(crate::command::audit::Audit),
}

/// Options of `suishen serve`.
#[derive(Clone, Debug, Args)]
pub struct Serve {
    /// Port for pages, API and peers; a busy one gives way to the next free
    #[arg(long, env = "SUISHEN_PORT", default_value_t = 8080)]
    pub port: u16,
    /// Address to listen on; another than loopback belongs behind a proxy that speaks HTTPS
    #[arg(long, env = "SUISHEN_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub listen: IpAddr,
    /// Folder of the built pages; without it only the API is served
    #[arg(long, env = "SUISHEN_WEB", value_name = "DIR")]
    pub web: Option<PathBuf>,
    /// Set up a demo consortium in an empty data folder and serve invite links for its roles
    #[arg(long, env = "SUISHEN_DEMO")]
    pub demo: bool,
    /// Stop when the process that started this one has ended (Linux)
    #[arg(long, env = "SUISHEN_WITH_PARENT")]
    pub with_parent: bool,
    /// Origin of a page that may use this relay, like <https://wallet.example.org>; several by comma or repeated
    #[arg(long = "origin", env = "SUISHEN_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub origins: Vec<String>,
    /// Origin of the wallet's pages, which tickets lead to [default: the first --origin, in the demo
    /// patient.localhost]
    #[arg(long, env = "SUISHEN_WALLET_ORIGIN", value_name = "ORIGIN")]
    pub wallet_origin: Option<String>,
    /// Origin of a further mailbox (`suishen mailbox`), which wallets fill too and where their devices meet when this relay is
    /// gone; several by comma or repeated
    #[arg(long = "mailbox", env = "SUISHEN_MAILBOX", value_name = "ORIGIN", value_delimiter = ',')]
    pub mailboxes: Vec<String>,
    /// Loopback port for Prometheus (`/metrics`); 0 for none
    #[arg(long, env = "SUISHEN_METRICS_PORT", value_name = "PORT", default_value_t = 0)]
    pub metrics_port: u16,
    /// Port of its own for peers that speak libp2p over TCP; wallets come in by `/p2p` of the pages' port. 0 for none
    #[arg(long, env = "SUISHEN_PEER_PORT", value_name = "PORT", default_value_t = 0)]
    pub peer_port: u16,
    /// Take the client's address from the last entry of X-Forwarded-For: only behind a proxy that sets it
    #[arg(long, env = "SUISHEN_TRUST_PROXY")]
    pub trust_proxy: bool,
    /// Limits.
    #[command(flatten)]
    pub limits: Limits,
}

impl Serve {
    /// Where peers come in by TCP.
    pub fn peer_address(&self) -> Option<SocketAddr> {
        (self.peer_port > 0).then(|| SocketAddr::new(self.listen, self.peer_port))
    }
}

/// Limits of what one client may ask for.
#[derive(Clone, Debug, Args)]
pub struct Limits {
    /// API requests an address may send in a minute, in bursts of as many; 0 for no limit
    #[arg(long, env = "SUISHEN_REQUESTS_PER_ADDRESS", value_name = "N", default_value_t = 3000)]
    pub requests_per_address: u32,
    /// Signed requests a key may send in a minute, in bursts of as many; 0 for no limit
    #[arg(long, env = "SUISHEN_REQUESTS_PER_KEY", value_name = "N", default_value_t = 3000)]
    pub requests_per_key: u32,
    /// Open connections in all, web sockets among them; more wait. Keep it below the system's limit of open
    /// files; 0 for no limit
    #[arg(long, env = "SUISHEN_CONNECTIONS", value_name = "N", default_value_t = 800)]
    pub connections: usize,
    /// Open connections of one address; more are closed. Not with --trust-proxy; 0 for no limit
    #[arg(long, env = "SUISHEN_CONNECTIONS_PER_ADDRESS", value_name = "N", default_value_t = 200)]
    pub connections_per_address: usize,
    /// Seconds for which a request's head may take, and an idle connection may stay
    #[arg(long, env = "SUISHEN_HEAD_SECONDS", value_name = "SECONDS", default_value_t = 10)]
    pub head_seconds: u64,
    /// Circuits between wallets that may be open at once, and wallets that may wait for one
    #[arg(long, env = "SUISHEN_CIRCUITS", value_name = "N", default_value_t = 2000)]
    pub circuits: usize,
    /// Memory of the whole process beyond which no further peer is taken, in MiB
    #[arg(long, env = "SUISHEN_PEERS_MIB", value_name = "MIB", default_value_t = 1024)]
    pub peers_mib: u64,
    /// Largest blob, in MiB
    #[arg(long, env = "SUISHEN_BLOB_MIB", value_name = "MIB", default_value_t = 512)]
    pub blob_mib: u64,
    /// Room for blobs, in MiB; beyond it none is taken
    #[arg(long, env = "SUISHEN_BLOBS_MIB", value_name = "MIB", default_value_t = 102_400)]
    pub blobs_mib: u64,
    /// Room for the messages in drop boxes and inboxes, in MiB; beyond it none is taken
    #[arg(long, env = "SUISHEN_BOXES_MIB", value_name = "MIB", default_value_t = 4096)]
    pub boxes_mib: u64,
    /// Room for all mailboxes, in MiB; beyond it nothing is taken
    #[arg(long, env = "SUISHEN_MAILBOXES_MIB", value_name = "MIB", default_value_t = 65_536)]
    pub mailboxes_mib: u64,
    /// Events that the mailbox of one wallet may hold, in MiB; those of ten thousand reports have about 250
    #[arg(long, env = "SUISHEN_MAILBOX_EVENTS_MIB", value_name = "MIB", default_value_t = 512)]
    pub mailbox_events_mib: u64,
    /// Attachments that the mailbox of one wallet may hold, in MiB
    #[arg(long, env = "SUISHEN_MAILBOX_CONTENT_MIB", value_name = "MIB", default_value_t = 2048)]
    pub mailbox_content_mib: u64,
    /// Days that a mailbox is kept which no device visits
    #[arg(long, env = "SUISHEN_MAILBOX_DAYS", value_name = "DAYS", default_value_t = 730)]
    pub mailbox_days: u64,
    /// Work for beginning a mailbox, in bits: each doubles it; wallets do at most 24
    #[arg(long, env = "SUISHEN_MAILBOX_WORK", value_name = "BITS", default_value_t = suishen_core::sync::WORK_BITS,
        value_parser = clap::value_parser!(u8).range(..=i64::from(suishen_core::sync::MOST_WORK_BITS)))]
    pub mailbox_work: u8,
    /// Days that a blob which no ticket or grant names is kept
    #[arg(long, env = "SUISHEN_BLOB_DAYS", value_name = "DAYS", default_value_t = 30)]
    pub blob_days: u64,
    /// Largest body of any other request, in KiB
    #[arg(long, env = "SUISHEN_BODY_KIB", value_name = "KIB", default_value_t = 1024)]
    pub body_kib: usize,
    /// Seconds for which a body may stall; each KiB that has come, of a blob each 16, earns it one more
    #[arg(long, env = "SUISHEN_BODY_SECONDS", value_name = "SECONDS", default_value_t = 30)]
    pub body_seconds: u64,
    /// Accepted entries a sponsor and hour, written into a new ledger's genesis
    #[arg(long, env = "SUISHEN_QUOTA", value_name = "N", default_value_t = Self::QUOTA)]
    pub quota: u64,
}

impl Limits {
    /// Accepted entries a sponsor and hour where nothing else is said.
    pub const QUOTA: u64 = 1_000_000;
}

/// Reads flags over environment over file over defaults.
pub fn read(arguments: Vec<OsString>) -> anyhow::Result<Cli> {
    let mut command = Cli::command();
    if let Some(file) = file_named(&arguments) {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("could not read the configuration {}", file.display()))?;
        command = with_file(command, &text, server_of(&arguments))
            .with_context(|| format!("in the configuration {}", file.display()))?;
    }
    let matches = command.try_get_matches_from(arguments).unwrap_or_else(|error| error.exit());
    Ok(Cli::from_arg_matches(&matches)?)
}

/// The options of `suishen serve` when nothing is said but by the environment.
pub fn serve_defaults() -> Serve {
    let command = Serve::augment_args(clap::Command::new("serve"));
    let matches = command.get_matches_from(["serve"]);
    Serve::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// The configuration file, found before the flags can be read in full.
fn file_named(arguments: &[OsString]) -> Option<PathBuf> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        if argument == "--config" {
            return rest.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(path.into());
        }
    }
    std::env::var_os("SUISHEN_CONFIG").map(PathBuf::from)
}

/// The server whose options a file has: `suishen claims` where that is run, else `suishen serve`.
fn server_of(arguments: &[OsString]) -> &'static str {
    let mut rest = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
    while let Some(argument) = rest.next() {
        match argument {
            "--data" | "--config" | "--log" | "--log-format" => drop(rest.next()),
            _ if argument.starts_with('-') => {}
            "claims" => return "claims",
            _ => break,
        }
    }
    "serve"
}

/// Makes the file's values the defaults of the flags that they name.
fn with_file(mut command: clap::Command, text: &str, server: &str) -> anyhow::Result<clap::Command> {
    let table: toml::Table = text.parse()?;
    for (key, value) in &table {
        let values = flag_values(key, value)?;
        let names = |command: &clap::Command| {
            command.get_arguments().find(|a| a.get_long() == Some(key)).map(|a| a.get_id().clone())
        };
        if let Some(id) = names(&command) {
            command = command.mut_arg(id, |arg| arg.default_values(values));
        } else if let Some(id) = command.find_subcommand(server).and_then(names) {
            command = command.mut_subcommand(server, |c| c.mut_arg(id, |arg| arg.default_values(values)));
        } else if ["serve", "claims"].iter().any(|it| command.find_subcommand(it).and_then(names).is_some()) {
            bail!("{key} is no option of suishen {server}: give each server a file of its own");
        } else {
            bail!("there is no option {key}");
        }
    }
    Ok(command)
}

fn flag_values(key: &str, value: &toml::Value) -> anyhow::Result<Vec<String>> {
    Ok(match value {
        toml::Value::String(text) => vec![text.clone()],
        toml::Value::Integer(number) => vec![number.to_string()],
        toml::Value::Boolean(yes) => vec![yes.to_string()],
        toml::Value::Array(list) => {
            list.iter().map(|one| flag_values(key, one)).collect::<Result<Vec<_>, _>>()?.concat()
        }
        _ => bail!("{key} must be text, a whole number, true or false, or a list of these"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serve(file: &str, flags: &[&str]) -> anyhow::Result<Serve> {
        let command = with_file(Cli::command(), file, "serve")?;
        let matches = command.try_get_matches_from([&["suishen", "serve"], flags].concat())?;
        match Cli::from_arg_matches(&matches)?.command {
            Command::Serve(serve) => Ok(serve),
            #[allow(unreachable_patterns)]
            _ => bail!("not serve"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_file_gives_defaults_and_a_flag_overrides_them() {
        let file = "port = 9000\ndemo = true\norigin = [\"https://a.example\", \"https://b.example\"]";
        let from_file = serve(file, &[]).unwrap();
        assert_eq!((from_file.port, from_file.demo), (9000, true));
        assert_eq!(from_file.origins, ["https://a.example", "https://b.example"]);
        assert_eq!(serve(file, &["--port", "9001"]).unwrap().port, 9001);
    }

    #[test]
    fn an_unknown_key_in_the_file_is_named() {
        assert!(serve("prot = 9000", &[]).unwrap_err().to_string().contains("prot"));
        let others = serve("client-key = [\"core.pem\"]", &[]).unwrap_err().to_string();
        assert!(others.contains("client-key") && others.contains("a file of its own"), "{others}");
    }

    #[test]
    fn a_file_serves_an_insurers_server_as_well() {
        let file = "port = 9100\nsandbox = true\nclient-key = [\"core.pem\", \"more.pem\"]";
        let arguments: Vec<OsString> =
            ["suishen", "--data", "claims", "--log=warn", "claims"].map(OsString::from).to_vec();
        assert_eq!(server_of(&arguments), "claims");
        assert_eq!(server_of(&["suishen", "--data", "claims", "serve"].map(OsString::from)), "serve");
        let command = with_file(Cli::command(), file, server_of(&arguments)).unwrap();
        let cli = Cli::from_arg_matches(&command.try_get_matches_from(arguments).unwrap()).unwrap();
        let Command::Claims(claims) = cli.command else { panic!("not claims") };
        assert_eq!((claims.port, claims.sandbox, claims.client_keys.len()), (9100, true, 2));
        assert!(with_file(Cli::command(), "web = \"x\"", "claims").is_err());
    }

    #[test]
    fn every_option_tells_its_default_and_its_variable_in_the_help() {
        let mut command = Cli::command();
        let serve = command.find_subcommand_mut("serve").unwrap();
        for arg in serve.get_arguments().filter(|a| !["help"].contains(&a.get_id().as_str())) {
            assert!(arg.get_env().is_some(), "{} has no variable", arg.get_id());
            assert!(arg.get_help().is_some(), "{} has no help", arg.get_id());
        }
        let help = serve.render_long_help().to_string();
        assert!(help.contains("[default: 8080]"), "{help}");
    }
}
