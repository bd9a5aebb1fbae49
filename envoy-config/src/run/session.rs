//! One Envoy from its start to its end, with the changes in between.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::admin::Admin;
use super::dynamic::{self, Dynamic};
use super::envoy::{self, Envoy, Unfit};
use super::events::{self, Event};
use super::files::{self, Files};
use super::launcher::Launcher;
use super::say::say;
use super::watched::Watched;
use super::{RunOptions, Source, drain, environment, ports, steps};
use crate::Exit;
use crate::render::{Rendered, replace};

/// How long Envoy may take to start: V8 compiles a megabyte of module in about a second, on a busy machine in ten.
const START: Duration = Duration::from_secs(120);
/// How long clusters that nothing leads to any more are kept: a filter may hold a request back for so long that was
/// sent there, and it may be tried again.
const KEEP: Duration = Duration::from_secs(60);

/// What becomes a label of a metric.
fn labels(rendered: &Rendered) -> impl Iterator<Item = &str> {
    rendered.stats.stats_tags.iter().map(|tag| tag.tag_name.as_str())
}

/// A running Envoy and what it runs.
#[derive(Debug)]
pub(super) struct Session {
    launcher: Launcher,
    options: RunOptions,
    rendered: Rendered,
    /// What becomes a label of a metric: Envoy takes that when it starts, and only then.
    labels: BTreeSet<String>,
    files: Files,
    admin: Admin,
    envoy: Envoy,
    received: Receiver<Event>,
    /// Events that came while something else was waited for.
    kept: VecDeque<Event>,
    /// When unused clusters go.
    sweep: Option<Instant>,
    watched: Watched,
    /// Whether what the files said last was not taken over.
    refused: bool,
    // Last: its files go when nothing uses them any more.
    folder: TempDir,
}

impl Session {
    /// Starts Envoy and waits until it serves.
    pub(super) fn start(
        folder: TempDir,
        launcher: Launcher,
        options: RunOptions,
        rendered: Rendered,
        (events, received): (Sender<Event>, Receiver<Event>),
        watcher: Watched,
    ) -> Result<Self, Exit> {
        let mut kept = VecDeque::new();
        // Who has stopped us does not want to know what failed then.
        let mut stop = || {
            kept.extend(received.try_iter());
            is_stopped(&kept)
        };
        let version = launcher.check_version(folder.path(), &mut stop).map_err(|error| match stop() {
            true => Exit::Success,
            false => environment(&error.to_string()),
        })?;
        if let Some(warning) = version {
            say!("warning: {warning}");
        }
        rendered.write_modules(folder.path()).map_err(|error| environment(&error.to_string()))?;
        check(&launcher, &options, &rendered, &folder, &mut stop)?;
        let Some(admin_address) = rendered.admin.address.socket() else {
            return Err(environment("Envoy's admin interface needs an IP address"));
        };
        let files = Files::create(folder.path().to_owned(), &rendered)
            .map_err(|error| environment(&error.to_string()))?;
        let listeners = files.addresses().into_iter().map(|address| (address, "listener"));
        let taken = std::iter::once((admin_address, ports::ADMIN)).chain(listeners);
        let taken: Vec<_> = taken.filter_map(|(address, what)| ports::taken(address, what)).collect();
        if !taken.is_empty() {
            return Err(environment(&taken.join("\nerror: ")));
        }
        let bootstrap = folder.path().join(dynamic::BOOTSTRAP);
        let envoy = Envoy::start(&launcher, &options, &bootstrap, folder.path(), events)
            .map_err(|error| environment(&format!("can't start Envoy: {error}")))?;
        let mut session = Self {
            launcher,
            options,
            labels: labels(&rendered).map(str::to_owned).collect(),
            rendered,
            files,
            admin: Admin::new(admin_address),
            envoy,
            received,
            kept,
            sweep: None,
            refused: false,
            watched: watcher,
            folder,
        };
        session.wait_until_ready()?;
        say!("ready");
        for place in session.files.places() {
            say!("  listening on {place}");
        }
        say!("  admin on http://{admin_address}");
        Ok(session)
    }

    fn wait_until_ready(&mut self) -> Result<(), Exit> {
        let end = Instant::now() + START;
        while !self.admin.ready() {
            match self.received.recv_timeout(Duration::from_millis(20)) {
                Ok(Event::Line(line)) => self.envoy.log(line),
                Ok(Event::Stop) => return Err(Exit::Success),
                Ok(Event::Closed) => return Err(self.died()),
                Ok(Event::Changed) => self.kept.push_back(Event::Changed),
                Err(_) if Instant::now() > end => {
                    return Err(environment(&format!(
                        "Envoy is not ready after {} seconds",
                        START.as_secs()
                    )));
                }
                Err(_) => {}
            }
        }
        let refused = |filter| {
            let stats = self.admin.stats(filter);
            stats.is_ok_and(|stats| stats.values().any(|count| *count > 0))
        };
        let filters = refused(r"^extension_config_discovery\..*\.(update_rejected|config_fail)$");
        let listeners = refused(r"^listener_manager\.(lds\.update_rejected|listener_create_failure)$");
        if filters || listeners {
            self.pass_on();
        }
        if filters {
            say!("error: a filter refuses its configuration: {}", self.why());
            return Err(Exit::Refused);
        }
        if listeners {
            return Err(environment(&format!("Envoy can't open its listeners: {}", self.why())));
        }
        Ok(())
    }

    /// Serves until the user stops it or Envoy dies.
    pub(super) fn serve(&mut self, source: &dyn Source) -> Exit {
        loop {
            let event = match self.kept.pop_front() {
                Some(event) => event,
                None => match self.next() {
                    Some(event) => event,
                    None => continue,
                },
            };
            match event {
                Event::Line(line) => self.envoy.log(line),
                Event::Closed => return self.died(),
                Event::Stop => return self.stop(),
                Event::Changed => {
                    events::settle(&self.received, &mut self.kept);
                    self.reload(source);
                }
            }
        }
    }

    /// The next event; `None` after the unused clusters have gone.
    fn next(&mut self) -> Option<Event> {
        let Some(sweep) = self.sweep else { return self.received.recv().ok() };
        match self.received.recv_timeout(sweep.saturating_duration_since(Instant::now())) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Disconnected) => Some(Event::Stop),
            Err(RecvTimeoutError::Timeout) => {
                self.sweep = None;
                if let Err(error) = self.files.drop_leftover() {
                    say!("warning: can't drop clusters that are not used any more: {error}");
                }
                None
            }
        }
    }

    /// Takes over what the files say now, or says why not and leaves everything as it is.
    fn reload(&mut self, source: &dyn Source) {
        self.watched.loading();
        let Ok(rendered) = source.render(self.folder.path()) else {
            self.not_reloaded();
            return;
        };
        self.watched.add(&rendered.files);
        if rendered == self.rendered {
            self.right_again();
            return;
        }
        let new: Vec<_> = labels(&rendered).filter(|label| !self.labels.contains(*label)).collect();
        if !new.is_empty() {
            let new = new.join("`, `");
            say!("error: Envoy takes new labels of metrics only when it starts: `{new}`");
            say!("hint: start outrigger anew");
            self.not_reloaded();
            return;
        }
        let (new, steps) = self.files.steps_to(&rendered);
        if steps.is_empty() {
            self.rendered = rendered;
            self.right_again();
            return;
        }
        let (received, kept, envoy) = (&self.received, &mut self.kept, &mut self.envoy);
        let mut stop = || {
            pass_on(received, kept, envoy);
            is_stopped(kept)
        };
        let checked = check(&self.launcher, &self.options, &rendered, &self.folder, &mut stop);
        if checked == Err(Exit::Success) {
            return;
        }
        if checked.is_err() || !self.new_ports_are_free(&new) {
            self.not_reloaded();
            return;
        }
        self.pass_on();
        self.envoy.forget();
        let (admin, received, kept, envoy) = (&self.admin, &self.received, &mut self.kept, &mut self.envoy);
        let taken = self.files.take(new, &steps, admin, &mut || pass_on(received, kept, envoy));
        match taken {
            Ok(()) => {
                self.rendered = rendered;
                self.refused = false;
                self.sweep = self.files.has_leftover().then(|| Instant::now() + KEEP);
                say!("reloaded: {}", steps::summary(&steps));
            }
            Err(error) => {
                // Its reason may come a moment after its counters.
                std::thread::sleep(Duration::from_millis(100));
                self.pass_on();
                say!("error: {error}: {}", self.why());
                self.not_reloaded();
            }
        }
    }

    fn not_reloaded(&mut self) {
        self.refused = true;
        say!("not reloaded: still serving the last good configuration");
    }

    /// What is served is what the files say, without a change: worth a word if they said something wrong before.
    fn right_again(&mut self) {
        if std::mem::take(&mut self.refused) {
            say!("the files are right again: nothing to change");
        }
    }

    fn new_ports_are_free(&self, new: &Dynamic) -> bool {
        let old = self.files.addresses();
        let added = files::addresses(new).into_iter().filter(|address| !old.contains(address));
        let taken: Vec<_> =
            added.filter_map(|address: SocketAddr| ports::taken(address, "listener")).collect();
        for message in &taken {
            say!("error: {message}");
        }
        taken.is_empty()
    }

    fn stop(&mut self) -> Exit {
        say!("stopping: requests that are on their way are finished first");
        let (received, kept, envoy) = (&self.received, &mut self.kept, &mut self.envoy);
        drain::drain(&self.admin, || {
            pass_on(received, kept, envoy);
            // A second signal means now.
            kept.iter().any(|event| matches!(event, Event::Stop | Event::Closed))
        });
        self.envoy.stop();
        Exit::Success
    }

    /// Says how Envoy has ended.
    fn died(&mut self) -> Exit {
        std::thread::sleep(Duration::from_millis(100));
        self.pass_on();
        let how = self
            .envoy
            .ended()
            .map_or_else(|| "has closed its log".to_owned(), |status| format!("ended by itself ({status})"));
        environment(&format!("Envoy {how}; its last lines are above"))
    }

    fn why(&self) -> String {
        let reasons = envoy::reasons(self.envoy.said().collect::<Vec<_>>().into_iter());
        if reasons.is_empty() { "it does not say why".to_owned() } else { reasons.join("; ") }
    }

    /// Shows what Envoy has said so far.
    fn pass_on(&mut self) {
        pass_on(&self.received, &mut self.kept, &mut self.envoy);
    }
}

fn pass_on(received: &Receiver<Event>, kept: &mut VecDeque<Event>, envoy: &mut Envoy) {
    for event in received.try_iter() {
        match event {
            Event::Line(line) => envoy.log(line),
            other => kept.push_back(other),
        }
    }
}

fn is_stopped(kept: &VecDeque<Event>) -> bool {
    kept.contains(&Event::Stop)
}

/// Lets Envoy judge the whole before anything is touched. [`Exit::Success`] is an error here: `stop` has come first.
fn check(
    launcher: &Launcher,
    options: &RunOptions,
    rendered: &Rendered,
    folder: &TempDir,
    stop: &mut dyn FnMut() -> bool,
) -> Result<(), Exit> {
    let path = envoy::check_path(folder.path());
    // Envoy wants the files of secrets to be there; those that are, it may have in use.
    let written = rendered.write_new_secrets(folder.path()).and_then(|()| {
        dynamic::without_filters(rendered).to_yaml().and_then(|text| replace(&path, text.as_bytes()))
    });
    written.map_err(|error| environment(&error.to_string()))?;
    let judged = envoy::validate(launcher, options, &path, folder.path(), stop);
    judged.map_err(|unfit| match unfit {
        _ if stop() => Exit::Success,
        Unfit::Failed(why) => environment(&why),
        Unfit::Refused(reasons) => {
            for reason in reasons {
                say!("error: Envoy refuses the configuration: {reason}");
            }
            Exit::Refused
        }
    })
}
