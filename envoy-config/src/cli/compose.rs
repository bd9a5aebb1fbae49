//! `outrigger compose`

use std::io::{Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use clap::{Args, Subcommand};

use crate::Exit;
use crate::compose::{ComposeError, Injected, Settings, inject};
use crate::names;

const EXAMPLES: &str = "\
Examples:
  outrigger compose inject -f compose.yaml --resources istio -o compose.mesh.yaml
  outrigger compose inject -f compose.yaml --resources istio --ca ca > mesh.yaml

Exit codes:
  0  done
  2  wrong usage, a file that can't be read, or a compose file that says what does not go with a sidecar
  3  a file or the result can't be written";

/// The file in the folder of resources that says where the services are.
const SERVICES: &str = "outrigger-compose.yaml";

/// Put sidecars into a compose file
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Compose {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put a sidecar beside each service with the label `sidecar.istio.io/inject: "true"`; once more changes nothing
    Inject(Inject),
}

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
struct Inject {
    /// The compose file, or `-` for standard input
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    file: PathBuf,

    /// The compose file to write, or `-` for standard output; it can be the same
    #[arg(short = 'o', long = "output", value_name = "FILE", default_value = "-")]
    output: PathBuf,

    /// The folder of Istio resources that the sidecars read. `outrigger-compose.yaml` is written there: where the
    /// services are
    #[arg(long, value_name = "DIR")]
    resources: PathBuf,

    /// The image with `outrigger` and Envoy
    #[arg(long, value_name = "REF", default_value = "outrigger:local")]
    image: String,

    /// The folder of an authority of your own (`outrigger certs init`) [default: one is made, in a volume]
    #[arg(long, value_name = "DIR")]
    ca: Option<PathBuf>,

    /// Namespace of services without the label `outrigger.io/namespace`
    #[arg(short = 'n', long, value_name = "NS", default_value = "default", value_parser = names::namespace)]
    namespace: String,

    /// The trust domain of the mesh
    #[arg(long, value_name = "DOMAIN", default_value = "cluster.local", value_parser = names::trust_domain)]
    trust_domain: String,
}

impl Compose {
    /// Carries the command out.
    pub fn execute(self) -> Exit {
        match self.command {
            Command::Inject(inject) => inject.execute(),
        }
    }
}

impl Inject {
    fn execute(self) -> Exit {
        let name = self.file.display().to_string();
        let text = match read(&self.file) {
            Ok(text) => text,
            Err(error) => {
                super::complain(&format!("can't read `{name}`: {error}"));
                return Exit::Usage;
            }
        };
        let home = self.home();
        let settings = Settings {
            image: self.image.clone(),
            resources: from(&self.resources, &home),
            ca: self.ca.as_deref().map(|ca| from(ca, &home)),
            namespace: self.namespace.clone(),
            trust_domain: self.trust_domain.clone(),
        };
        match inject(&text, &settings) {
            Ok(injected) => self.write(&name, &injected),
            Err(problems) => {
                problems.iter().for_each(|problem| say("error", &name, problem));
                Exit::Usage
            }
        }
    }

    fn write(&self, name: &str, injected: &Injected) -> Exit {
        injected.warnings.iter().for_each(|warning| say("warning", name, warning));
        let services = self.resources.join(SERVICES);
        let printed = self.output.as_os_str() == "-";
        // Sidecars that run already read the services, so those come last: of what can't be deployed nobody hears.
        let written = match printed {
            true => Ok(()),
            false => put(&self.output, &injected.compose).map_err(|error| (self.output.as_path(), error)),
        };
        let folder = || fs::create_dir_all(&self.resources).map_err(|e| (self.resources.as_path(), e));
        let written = written
            .and_then(|()| folder())
            .and_then(|()| put(&services, &injected.services).map_err(|error| (services.as_path(), error)))
            .map(|()| match printed {
                true => super::print_document(&injected.compose).then(Exit::Success),
                false => Exit::Success,
            });
        let exit = match written {
            Ok(exit) => exit,
            Err((path, error)) => {
                super::complain(&format!("can't write `{}`: {error}", path.display()));
                return Exit::Environment;
            }
        };
        if exit == Exit::Success && !injected.with_sidecar.is_empty() {
            super::note(&format!(
                "sidecars for {}; where they are is in `{}`",
                injected.with_sidecar.join(", "),
                services.display()
            ));
        }
        exit
    }

    /// The folder from which compose will look for what the file names.
    fn home(&self) -> PathBuf {
        let file = if self.output.as_os_str() == "-" { &self.file } else { &self.output };
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        std::path::absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { &folder })
            .unwrap_or(folder)
    }
}

/// A folder as compose is to find it: below its own one by a short path, another by a whole one.
fn from(path: &Path, home: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let plain = !path.components().any(|part| part == Component::ParentDir);
    match path.strip_prefix(home) {
        Ok(rest) if plain && rest.as_os_str().is_empty() => ".".to_owned(),
        Ok(rest) if plain => format!("./{}", rest.display()),
        _ => path.display().to_string(),
    }
}

fn read(path: &Path) -> io::Result<String> {
    if path.as_os_str() != "-" {
        return fs::read_to_string(path);
    }
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

/// Puts a file in the place of the one there, unless that says the same.
fn put(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".outrigger-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    // Others read it too: a container, for one.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    file.as_file().set_permissions(readable)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

fn say(level: &str, file: &str, problem: &ComposeError) {
    let place = problem.position.map_or_else(|| file.to_owned(), |position| format!("{file}:{position}"));
    let mut out = anstream::stderr();
    let _ = writeln!(out, "{level}: {place}: {problem}");
    if let Some(hint) = &problem.hint {
        let _ = writeln!(out, "  hint: {hint}");
    }
}
