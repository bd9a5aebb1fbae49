//! `outrigger explain`

use std::fs::File;
use std::io::BufReader;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, ValueEnum};
use outrigger_api::{Direction, Proxy, Role};
use outrigger_core::Now;

use super::input::{Read, Subject};
use super::key_sets::KeySets;
use super::{complain_about, moment};
use crate::Exit;
use crate::analyze::{Finding, Level, analyze_with};
use crate::explain::answer::Outcome;
use crate::explain::request_line::RequestLine;
use crate::explain::shadow::{self, Shadow};
use crate::explain::{Question, entering, explain, human};
use crate::load::Loaded;

const EXAMPLES: &str = "\
Examples:
  outrigger explain 'GET http://reviews.example/reviews/1' -H 'end-user: jason' -f istio/
  outrigger explain 'GET http://reviews:9080/reviews/1' --role sidecar --draw 800000 -f istio/
  outrigger explain --shadow /var/log/envoy/access.log -f istio/
  outrigger explain 'POST http://bank:8080/pay' --role sidecar --direction inbound \\
      --peer spiffe://cluster.local/ns/shop/sa/cart -f istio/ -o json

Exit codes:
  0  the request is forwarded; --shadow: enforcing the policies would have changed no verdict
  1  it is answered by the proxy: a policy refused it, its route answers it, or it has no route;
     --shadow: it would have changed some
  2  wrong usage, a file can't be read, or the resources have errors
  3  the result can't be written";

/// Both ends of a connection of which nothing is said: as if asked on the proxy's own machine. An unknown address would
/// be refused by every DENY rule about addresses.
const LOCAL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Ask what would happen to one request, and why: offline, by the code that runs in the proxy
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// Method (GET if there is none) and URL, in quotes or not; the URL's port is the port that the request comes in on.
    /// A gateway with one port has it there whatever the URL says
    #[arg(value_name = "METHOD URL", num_args = 1..=2, required_unless_present = "shadow")]
    request: Vec<String>,

    /// Instead: what policies with `istio.io/dry-run` would have done to the requests in this access log (`-` for
    /// standard input), and the first of which that is not what was done
    #[arg(long, value_name = "ACCESS-LOG", conflicts_with = "request")]
    shadow: Option<PathBuf>,

    /// A header, as the client sends it; repeatable
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = parse_header)]
    headers: Vec<(String, String)>,

    /// Identity of the peer, from its verified certificate
    #[arg(long, value_name = "SPIFFE-ID", value_parser = parse_spiffe)]
    peer: Option<String>,

    /// Address of the peer [default: 127.0.0.1]
    #[arg(long, value_name = "IP")]
    from_ip: Option<IpAddr>,

    /// Address that the request came in on [default: 127.0.0.1]
    #[arg(long, value_name = "IP")]
    to_ip: Option<IpAddr>,

    /// Server name of the TLS handshake
    #[arg(long, value_name = "NAME")]
    sni: Option<String>,

    /// Which listener of a sidecar is asked [default: inbound if something is said of the peer's connection
    /// (--peer, --from-ip, --to-ip, --sni), else outbound]
    #[arg(long, value_enum)]
    direction: Option<DirectionOption>,

    /// The moment, such as 2030-01-02T03:04:05Z, for tokens that expire [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = moment::parse)]
    now: Option<Now>,

    /// Where every random draw lands, in millionths: 0 meets each fault and the first destination
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=999_999))]
    draw: u32,

    #[command(flatten)]
    keys: KeySets,

    /// List every rule that was passed by, however many there are
    #[arg(long)]
    all: bool,

    /// Form of the result
    #[arg(short = 'o', long, value_enum, default_value_t = Output::Human)]
    output: Output,

    #[command(flatten)]
    subject: Subject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Human,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DirectionOption {
    Inbound,
    Outbound,
}

impl Explain {
    /// Asks, prints the answer, and says by the exit code whether the request passes.
    pub fn execute(&self) -> Exit {
        if let Some(log) = &self.shadow {
            return self.read_shadow(log);
        }
        let line = match RequestLine::from_str(&self.request.join(" ")) {
            Ok(line) => line,
            Err(error) => {
                super::complain(&error);
                return Exit::Usage;
            }
        };
        let Some(read) = self.subject.read() else { return Exit::Usage };
        let mut errors = analyze_with(&read.loaded, &read.proxy, &read.mesh, &read.options);
        errors.retain(|finding| finding.level == Level::Error);
        if !errors.is_empty() {
            complain_about(&errors, &read.files());
            super::note("`run` refuses these resources, so there is no proxy that would answer");
            return Exit::Usage;
        }
        let Read { mut loaded, proxy, options, .. } = read;
        if !self.keys.put_into(&mut loaded.resources) {
            return Exit::Usage;
        }
        let Loaded { resources, files, .. } = loaded;
        let asked = self.question(line, &proxy);
        let question = match entering(asked, &resources, &proxy, &options.app_ports) {
            Ok(question) => question,
            Err(error) => {
                super::complain(&error);
                return Exit::Usage;
            }
        };
        match explain(resources, &proxy, &options, &question) {
            Ok(answer) => {
                let printed = match self.output {
                    Output::Human => super::print_text(&human::story(&answer, &question, &proxy, self.all)),
                    Output::Json => super::print_json(&answer),
                };
                let forwarded = answer.outcome == Outcome::Forward;
                printed.then(if forwarded { Exit::Success } else { Exit::Refused })
            }
            Err(problems) => {
                let problems: Vec<_> = problems.iter().map(Finding::from).collect();
                complain_about(&problems, &files.iter().collect::<Vec<_>>());
                Exit::Usage
            }
        }
    }

    /// Reads an access log, with resources to tell which policies there are and where they stand.
    fn read_shadow(&self, log: &Path) -> Exit {
        if log.as_os_str() == "-" && self.subject.reads_stdin() {
            super::complain(&"standard input is either the access log or resources");
            return Exit::Usage;
        }
        let Some(read) = self.subject.read() else { return Exit::Usage };
        let resources = &read.loaded.resources;
        let open = || -> std::io::Result<Shadow> {
            if log.as_os_str() == "-" {
                shadow::read(std::io::stdin().lock(), resources)
            } else {
                shadow::read(BufReader::new(File::open(log)?), resources)
            }
        };
        let shadow = match open() {
            Ok(shadow) => shadow,
            Err(error) => {
                super::complain(&format_args!("can't read {}: {error}", log.display()));
                return Exit::Usage;
            }
        };
        let printed = match self.output {
            Output::Human => super::print_text(&shadow::story(&shadow)),
            Output::Json => super::print_json(&shadow),
        };
        let differs = shadow.rules.iter().any(|rule| rule.differs > 0);
        printed.then(if differs { Exit::Refused } else { Exit::Success })
    }

    fn question(&self, line: RequestLine, proxy: &Proxy) -> Question {
        let connection =
            self.peer.is_some() || self.from_ip.is_some() || self.to_ip.is_some() || self.sni.is_some();
        let direction = match self.direction {
            Some(DirectionOption::Inbound) => Direction::Inbound,
            Some(DirectionOption::Outbound) => Direction::Outbound,
            None if connection => Direction::Inbound,
            None => Direction::Outbound,
        };
        if self.direction.is_none() && proxy.role == Role::Sidecar {
            let (asked, other) = match direction {
                Direction::Inbound => ("inbound", "outbound` asks for routes and faults"),
                Direction::Outbound => ("outbound", "inbound` asks for authentication and authorization"),
            };
            super::note(&format!("the {asked} listener is asked; `--direction {other}"));
        }
        Question {
            line,
            headers: self.headers.clone(),
            peer: self.peer.clone(),
            from: self.from_ip.or(Some(LOCAL)),
            to: self.to_ip.or(Some(LOCAL)),
            // As Envoy has it.
            sni: self.sni.as_ref().map(|sni| sni.to_ascii_lowercase()),
            direction,
            now: self.now.unwrap_or_else(moment::now),
            draw: self.draw,
        }
    }
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or_else(|| format!("`{text}` is not `name: value`"))?;
    if !outrigger_api::is_token(name) {
        return Err(format!("`{}` is not a header name", name.escape_debug()));
    }
    let value = value.trim();
    // HTTP has no way to send them within a value.
    if value.contains(['\r', '\n', '\0']) {
        return Err(format!("`{}` is not the value of a header", value.escape_debug()));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn parse_spiffe(text: &str) -> Result<String, String> {
    let valid = text.strip_prefix("spiffe://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    if valid {
        Ok(text.to_owned())
    } else {
        Err("a SPIFFE ID is `spiffe://TRUST-DOMAIN/ns/NS/sa/SA`".to_owned())
    }
}
