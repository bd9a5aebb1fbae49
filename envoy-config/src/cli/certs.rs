//! `outrigger certs`

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{duration, note};
use crate::Exit;
use crate::certs::{
    Authority, CertsError, Keeper, Rotation, SpiffeId, Step, Told, TrustDomain, Wanted, Workload,
};
use crate::identity::Identity;
use crate::names;

const EXAMPLES: &str = "\
Examples:
  outrigger certs init --dir ca
  outrigger certs issue --dir ca --id spiffe://cluster.local/ns/default/sa/reviews -o certs/reviews
  outrigger certs serve --dir ca --out spiffe://cluster.local/ns/default/sa/reviews=certs/reviews
  outrigger certs show certs/reviews

Exit codes:
  0  done (serve: stopped by you)
  2  wrong usage, or files that don't fit
  3  a file, folder or result that can't be written";

/// Certificates by which the proxies of a mesh know each other: an authority of your own
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Certs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an authority, or take over one of your own
    #[command(after_help = EXAMPLES)]
    Init(Init),
    /// Give a workload a certificate
    #[command(after_help = EXAMPLES)]
    Issue(Issue),
    /// Keep the certificates of workloads fresh: each gets a new one at half of its life. The only process that needs
    /// the authority's key
    #[command(after_help = EXAMPLES)]
    Serve(Serve),
    /// Replace the authority's root, in three steps, without a connection refused
    #[command(after_help = EXAMPLES)]
    Rotate(Rotate),
    /// Say whom a workload's certificate names and until when it is valid
    #[command(after_help = EXAMPLES)]
    Show(Show),
}

#[derive(Debug, Args)]
struct Init {
    /// The folder of the authority, which must not hold one
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,

    /// The trust domain of its workloads
    #[arg(long, value_name = "DOMAIN", default_value = "cluster.local", value_parser = domain)]
    trust_domain: TrustDomain,

    /// An authority's certificate of your own, with those that lead to a root behind it (PEM)
    #[arg(long, value_name = "FILE", requires = "ca_key", conflicts_with = "trust_domain")]
    ca_cert: Option<PathBuf>,

    /// Its key (PEM)
    #[arg(long, value_name = "FILE", requires = "ca_cert")]
    ca_key: Option<PathBuf>,

    /// The root that workloads are to trust [default: the certificate itself]
    #[arg(long, value_name = "FILE", requires = "ca_cert")]
    root: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Issue {
    /// The folder of the authority
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,

    /// The workload's name
    #[arg(long, value_name = "SPIFFE-ID", value_parser = id)]
    id: SpiffeId,

    /// The folder for root-cert.pem, cert-chain.pem and key.pem
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: PathBuf,

    #[command(flatten)]
    like: Like,
}

#[derive(Debug, Args)]
struct Serve {
    /// The folder of the authority
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,

    /// Make the authority if there is none
    #[arg(long)]
    init: bool,

    /// A workload's name and the folder of its certificate; repeatable
    #[arg(long = "out", value_name = "SPIFFE-ID=DIR", value_parser = output, required = true)]
    out: Vec<(SpiffeId, PathBuf)>,

    #[command(flatten)]
    like: Like,
}

/// What a certificate is like.
#[derive(Debug, Args)]
struct Like {
    /// How long it is valid, such as 24h or 90m
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = lifetime)]
    ttl: Duration,

    /// A DNS name that it has besides; repeatable
    #[arg(long = "dns", value_name = "NAME", value_parser = names::dns_name)]
    names: Vec<String>,
}

#[derive(Debug, Args)]
struct Rotate {
    /// The folder of the authority
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,

    /// What to do. Between two steps every workload has to get a new certificate: `serve` sees to that within a second,
    /// otherwise issue them anew
    #[arg(long, value_enum)]
    step: StepOption,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StepOption {
    /// Make a new root, which is trusted besides the old one and signs nothing yet
    Begin,
    /// Sign with the new root; the old one is still trusted
    Switch,
    /// Trust the new root alone
    Finish,
}

#[derive(Debug, Args)]
struct Show {
    /// The folder of the certificate
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// For people or for programs
    #[arg(short = 'o', long = "output", value_enum, default_value_t = Form::Human)]
    output: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Lines of text
    Human,
    /// An object
    Json,
}

impl Certs {
    /// Carries the command out.
    pub fn execute(self) -> Exit {
        let done = match self.command {
            Command::Init(init) => init.execute(),
            Command::Issue(issue) => issue.execute(),
            Command::Serve(serve) => return serve.execute(),
            Command::Rotate(rotate) => rotate.execute(),
            Command::Show(show) => return show.execute(),
        };
        match done {
            Ok(()) => Exit::Success,
            Err(error) => {
                super::complain(&error);
                exit_of(&error)
            }
        }
    }
}

fn exit_of(error: &CertsError) -> Exit {
    match error {
        CertsError::Write { .. } | CertsError::Make(_) => Exit::Environment,
        _ => Exit::Usage,
    }
}

impl Init {
    fn execute(self) -> Result<(), CertsError> {
        let authority = match (&self.ca_cert, &self.ca_key) {
            (Some(certificate), Some(key)) => {
                Authority::adopt(&self.dir, certificate, key, self.root.as_deref())?
            }
            _ => Authority::create(&self.dir, &self.trust_domain)?,
        };
        let of = authority.trust_domain().map_or_else(String::new, |domain| format!(" of `{domain}`"));
        let folder = self.dir.display();
        note(&format!("`{folder}` holds the authority{of}; keep `{folder}/ca-key.pem` to yourself"));
        Ok(())
    }
}

impl Issue {
    fn execute(self) -> Result<(), CertsError> {
        let wanted = self.like.wanted(self.id);
        let ends = Authority::open(&self.dir)?.issue(&wanted, &self.output)?;
        note(&issued(&wanted.id, ends));
        Ok(())
    }
}

impl Like {
    fn wanted(&self, id: SpiffeId) -> Wanted {
        Wanted { id, names: self.names.clone(), lifetime: self.ttl }
    }
}

impl Serve {
    fn execute(self) -> Exit {
        if let Some(folder) = twice(self.out.iter().map(|(_, folder)| folder.as_path())) {
            super::complain(&format_args!(
                "`--out` names the folder `{}` twice: each workload needs one of its own",
                folder.display()
            ));
            return Exit::Usage;
        }
        if self.init
            && let Some((id, _)) = self.out.first()
        {
            match Authority::create(&self.dir, id.trust_domain()) {
                Ok(_) => note(&format!("`{}` holds a new authority", self.dir.display())),
                Err(CertsError::Exists(_)) => {}
                Err(error) => {
                    super::complain(&error);
                    return exit_of(&error);
                }
            }
        }
        if let Err(error) = Authority::open(&self.dir) {
            super::complain(&error);
            return exit_of(&error);
        }
        let workload = |(id, folder)| Workload { wanted: self.like.wanted(id), folder };
        let mut keeper = Keeper::new(self.dir, self.out.into_iter().map(workload).collect());
        let (stop, stopped) = mpsc::channel();
        match Signals::new([SIGTERM, SIGINT]) {
            Ok(mut signals) => {
                std::thread::spawn(move || signals.forever().next().map(|_| stop.send(())));
            }
            Err(error) => {
                super::complain(&format!("can't listen to signals: {error}"));
                return Exit::Environment;
            }
        }
        loop {
            tell(&keeper.look(), &keeper);
            match stopped.recv_timeout(keeper.pause()) {
                Err(RecvTimeoutError::Timeout) => {}
                _ => return Exit::Success,
            }
        }
    }
}

/// A folder that is named more than once, however it is written.
fn twice<'p>(folders: impl Iterator<Item = &'p Path>) -> Option<&'p Path> {
    let mut seen = HashSet::new();
    folders.into_iter().find(|folder| !seen.insert(real(folder)))
}

/// The path without links, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut found = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::ParentDir => drop(found.pop()),
            part => found.push(part),
        }
        if let Ok(there) = found.canonicalize() {
            found = there;
        }
    }
    found
}

/// Says what has happened, on standard error.
pub(super) fn tell(all: &[Told], keeper: &Keeper) {
    for told in all {
        match told {
            Told::Issued(at, ends) => {
                if let Some(workload) = keeper.workloads().get(*at) {
                    note(&issued(&workload.wanted.id, *ends));
                }
            }
            Told::Failed(at, why) => {
                let id = keeper.workloads().get(*at).map_or("", |workload| workload.wanted.id.as_str());
                super::complain(&format!("no new certificate for {id}: {why}"));
            }
        }
    }
}

fn issued(id: &SpiffeId, ends: OffsetDateTime) -> String {
    format!("{id} has a certificate until {}", text(ends))
}

impl Rotate {
    fn execute(self) -> Result<(), CertsError> {
        let step = match self.step {
            StepOption::Begin => Step::Begin,
            StepOption::Switch => Step::Switch,
            StepOption::Finish => Step::Finish,
        };
        note(match Rotation::step(&self.dir, step)? {
            Rotation::Begun => {
                "both roots are trusted; when every workload has a new certificate: `--step switch`"
            }
            Rotation::Switched => {
                "the new root signs; when every workload has a new certificate: `--step finish`"
            }
            Rotation::None => "the new root alone is trusted",
        });
        Ok(())
    }
}

impl Show {
    fn execute(self) -> Exit {
        let identity = match Identity::read(&self.dir) {
            Ok(identity) => identity,
            Err(error) => {
                super::complain(&error);
                return Exit::Usage;
            }
        };
        let printed = match self.output {
            Form::Human => {
                let mut lines = format!("{}\n", identity.id);
                lines += &format!("  valid from {} until {}\n", text(identity.starts), text(identity.ends));
                lines += &format!("  serial number {}\n", identity.serial_number);
                if !identity.names.is_empty() {
                    lines += &format!("  DNS names: {}\n", identity.names.join(", "));
                }
                super::print_text(&lines)
            }
            Form::Json => super::print_json(&json!({
                "id": identity.id.as_str(),
                "trustDomain": identity.id.trust_domain().as_str(),
                "dnsNames": identity.names,
                "serialNumber": identity.serial_number,
                "notBefore": text(identity.starts),
                "notAfter": text(identity.ends),
            })),
        };
        printed.then(Exit::Success)
    }
}

fn text(time: OffsetDateTime) -> String {
    let whole = time.replace_nanosecond(0).unwrap_or(time);
    whole.format(&Rfc3339).unwrap_or_else(|_| whole.to_string())
}

fn id(text: &str) -> Result<SpiffeId, String> {
    text.parse().map_err(|error: crate::certs::BadSpiffeId| error.to_string())
}

fn domain(text: &str) -> Result<TrustDomain, String> {
    text.parse().map_err(|error: crate::certs::BadSpiffeId| error.to_string())
}

fn output(text: &str) -> Result<(SpiffeId, PathBuf), String> {
    match text.split_once('=') {
        Some((name, folder)) if !folder.is_empty() => Ok((id(name)?, PathBuf::from(folder))),
        _ => Err(format!("`{text}` is not `spiffe://…=DIR`")),
    }
}

fn lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = duration(text)?;
    if lifetime < Duration::from_secs(1) { Err("at least a second".to_owned()) } else { Ok(lifetime) }
}
