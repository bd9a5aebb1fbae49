//! `demo-services KIND [--port N] [--bind ADDRESS] [--name NAME] [--version VERSION]`: one upstream, until SIGTERM.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use lexopt::prelude::*;
use outrigger_demo_services::{Kind, Service, serve};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str =
    "usage: demo-services httpbin|reviews [--port N] [--bind ADDRESS] [--name NAME] [--version VERSION]

  httpbin   /status/N /headers /get /html /anything/…                     (port 8000)
  reviews   every path answers with the name and version of the service   (port 9080)
  both      /delay/SECONDS /flaky/KEY/N[/503|unavailable|cancelled|reset] /reset/KEY /count/KEY
            /via/HOST/PATH: what HOST says to /PATH, asked through $http_proxy, else 127.0.0.1:15001";

struct Args {
    kind: Kind,
    address: SocketAddr,
    name: String,
    version: String,
}

fn parse() -> Result<Args, lexopt::Error> {
    let mut kind = None;
    let mut port = None;
    let mut bind = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let mut name = None;
    let mut version = String::from("v1");

    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("port") => port = Some(parser.value()?.parse()?),
            Long("bind") => bind = parser.value()?.parse()?,
            Long("name") => name = Some(parser.value()?.string()?),
            Long("version") => version = parser.value()?.string()?,
            Value(value) if kind.is_none() => {
                kind = Some(match value.string()?.as_str() {
                    "httpbin" => Kind::Httpbin,
                    "reviews" => Kind::Versioned,
                    other => return Err(format!("there is no service `{other}`").into()),
                });
            }
            _ => return Err(arg.unexpected()),
        }
    }

    let kind = kind.ok_or("which service?")?;
    let (default_name, default_port) = match kind {
        Kind::Httpbin => ("httpbin", 8000),
        Kind::Versioned => ("reviews", 9080),
    };
    Ok(Args {
        kind,
        address: SocketAddr::new(bind, port.unwrap_or(default_port)),
        name: name.unwrap_or_else(|| default_name.to_owned()),
        version,
    })
}

/// Resolves when the process is asked to stop, by SIGTERM (an engine stopping a container) or SIGINT (a person).
async fn stopped() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

async fn run(args: Args) -> std::io::Result<()> {
    let listener = TcpListener::bind(args.address).await?;
    let service = Service::new(args.kind, &args.name, &args.version);
    // The one line on stdout tells whoever started us the port, which matters after `--port 0`.
    writeln!(std::io::stdout(), "{} listening on {}", service.served_by(), listener.local_addr()?)?;
    serve(listener, service, stopped()).await
}

fn main() -> ExitCode {
    let args = match parse() {
        Ok(args) => args,
        Err(error) => {
            eprintln!("demo-services: {error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(run(args))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo-services: {error}");
            ExitCode::FAILURE
        }
    }
}
