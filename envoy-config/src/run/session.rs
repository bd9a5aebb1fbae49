//! One Envoy from its start to its end, with the changes in between.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use super::admin::Admin;
use super::dynamic::{self, Dynamic};
use super::envoy::{self, Envoy, Unfit};
use super::events::{By, Event, Inbox};
use super::failure::{Again, Failure};
use super::files::{Files, StepError};
use super::folder::PrivateFolder;
use super::launcher::Launcher;
use super::places::addresses;
use super::say::say;
use super::watched::Watched;
use super::{RunOptions, Source, drain, environment, ports, steps, watches};
use crate::Exit;
use crate::render::{Rendered, replace};

/// How long Envoy may take to start: V8 compiles a megabyte of module in about a second, on a busy machine in ten.
const START: Duration = Duration::from_secs(120);
/// How long nothing is said of that.
const SILENCE: Duration = Duration::from_secs(10);
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
    inbox: Inbox,
    /// When unused clusters go.
    sweep: Option<Instant>,
    /// When what failed is tried once more.
    again: Option<Again>,
    /// How long the end of a file is waited for.
    unfinished: Option<Instant>,
    /// What the user is to be warned of, and when.
    notice: Option<(Instant, String)>,
    watched: Watched,
    /// Whether what the files said last was not taken over.
    refused: bool,
    // Last: its files go when nothing uses them any more.
    folder: PrivateFolder,
}

impl Session {
    /// Starts Envoy and waits until it serves.
    pub(super) fn start(
        folder: PrivateFolder,
        launcher: Launcher,
        options: RunOptions,
        rendered: Rendered,
        (events, received): (Sender<Event>, Receiver<Event>),
        watcher: Watched,
    ) -> Result<Self, Exit> {
        let mut inbox = Inbox::new(received);
        // Who has stopped us does not want to know what failed then.
        let mut stop = || inbox.is_stopped();
        let version = launcher.check_version(folder.path(), &mut stop).map_err(|error| match stop() {
            true => Exit::Success,
            false => environment(&error.to_string()),
        })?;
        if let Some(warning) = version {
            say!("warning: {warning}");
        }
        rendered.write_modules(folder.path()).map_err(|error| environment(&error.to_string()))?;
        watches::for_start(&Dynamic::new(&rendered, folder.path()))
            .map_err(|error| environment(&error.to_string()))?;
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
        let drain = rendered.drain_duration;
        let envoy = Envoy::start(&launcher, &options, &bootstrap, folder.path(), events, drain)
            .map_err(|error| environment(&format!("can't start Envoy: {error}")))?;
        let mut session = Self {
            launcher,
            options,
            labels: labels(&rendered).map(str::to_owned).collect(),
            rendered,
            files,
            admin: Admin::new(admin_address),
            envoy,
            inbox,
            sweep: None,
            again: None,
            unfinished: None,
            notice: None,
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
        let start = Instant::now();
        let (end, mut patience) = (start + START, Some(start + SILENCE));
        while !self.admin.ready() {
            std::thread::sleep(Duration::from_millis(20));
            self.pass_on();
            if patience.take_if(|patience| *patience <= Instant::now()).is_some() {
                say!("waiting for Envoy, which compiles the filters and looks up the names of services");
            }
            if self.inbox.is_stopped() {
                return Err(Exit::Success);
            }
            if self.inbox.is_over() {
                return Err(self.died());
            }
            if Instant::now() > end {
                return Err(environment(&format!("Envoy is not ready after {} seconds", START.as_secs())));
            }
        }
        let refused = |filter| {
            let stats = self.admin.stats(filter);
            stats.is_ok_and(|stats| stats.values().any(|count| *count > 0))
        };
        let filters = refused(r"^extension_config_discovery\..*\.(update_rejected|config_fail)$");
        let listeners = refused(r"^listener_manager\.(lds\.update_rejected|listener_create_failure)$");
        let certificates = refused(r"^sds\..*\.update_rejected$");
        self.pass_on();
        if self.envoy.is_unguarded() {
            return Err(self.unguarded());
        }
        if certificates {
            say!("error: Envoy refuses a certificate, or what goes with it: {}", self.why());
            return Err(Exit::Refused);
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
        self.look_ahead(source);
        loop {
            if self.envoy.is_unguarded() {
                return self.unguarded();
            }
            match self.inbox.next(self.alarm()) {
                None => self.ring(source),
                Some(Event::Line(line)) => self.envoy.log(line),
                Some(Event::Closed) => return self.died(),
                Some(Event::Stop(by)) => return self.stop(by),
                Some(Event::Changed) => {
                    self.inbox.settle();
                    if !self.inbox.is_over() {
                        self.again = None;
                        self.reload_whole(source);
                    }
                }
            }
        }
    }

    /// When something is to be done though nothing happens.
    fn alarm(&self) -> Option<Instant> {
        let notice = self.notice.as_ref().map(|(at, _)| *at);
        let others = [self.sweep, self.again.as_ref().map(Again::at), self.unfinished];
        notice.into_iter().chain(others.into_iter().flatten()).min()
    }

    fn look_ahead(&mut self, source: &dyn Source) {
        self.notice = source.notice().map(|(wait, text)| (Instant::now() + wait, text));
    }

    /// Does what is due.
    fn ring(&mut self, source: &dyn Source) {
        let now = Instant::now();
        if self.sweep.take_if(|sweep| *sweep <= now).is_some() {
            if let Err(error) = self.files.drop_leftover() {
                say!("warning: can't drop clusters that are not used any more: {error}");
            }
            self.plan_sweep();
        }
        if let Some((_, text)) = self.notice.take_if(|(at, _)| *at <= now) {
            say!("warning: {text}");
            self.look_ahead(source);
        }
        if self.again.as_ref().is_some_and(|again| again.at() <= now) {
            self.reload(source);
        }
        if self.unfinished.take_if(|end| *end <= now).is_some() {
            match self.watched.open() {
                Some((_, later)) if later > now => self.unfinished = Some(later),
                open => {
                    if let Some((path, _)) = open {
                        let path = path.display();
                        say!("warning: somebody keeps {path} open, and may not have written it to its end");
                    }
                    self.reload(source);
                }
            }
        }
    }

    /// Reloads, unless somebody is in the middle of writing a file: its end will be the next change.
    fn reload_whole(&mut self, source: &dyn Source) {
        self.unfinished = self.watched.open().map(|(_, end)| end);
        if self.unfinished.is_none() {
            self.reload(source);
        }
    }

    /// Takes over what the files say now, or says why not and leaves everything as it is.
    fn reload(&mut self, source: &dyn Source) {
        let before = self.again.take();
        let taken = self.take_over(source);
        self.look_ahead(source);
        match taken {
            Ok(Some(changed)) => {
                self.refused = false;
                say!("reloaded: {changed}");
            }
            // Worth a word if they said something wrong before.
            Ok(None) if std::mem::take(&mut self.refused) => {
                say!("the files are right again: nothing to change");
            }
            Ok(None) | Err(Failure::Stopped) => {}
            Err(Failure::Refused) => self.not_reloaded(),
            Err(Failure::Passing) => {
                self.not_reloaded();
                let again = Again::after(before.as_ref());
                say!("trying again in {} s", again.wait().as_secs());
                self.again = Some(again);
            }
        }
    }

    /// What has changed; `None` if what is served is what the files say.
    fn take_over(&mut self, source: &dyn Source) -> Result<Option<String>, Failure> {
        self.watched.loading();
        let rendered = source.render(self.folder.path()).map_err(|_| Failure::Refused)?;
        self.watched.add(&rendered.files);
        if rendered == self.rendered && self.files.is_whole() {
            return Ok(None);
        }
        let new: Vec<_> = labels(&rendered).filter(|label| !self.labels.contains(*label)).collect();
        if !new.is_empty() {
            let new = new.join("`, `");
            say!("error: Envoy takes new labels of metrics only when it starts: `{new}`");
            say!("hint: start outrigger anew");
            return Err(Failure::Refused);
        }
        if rendered.drain_duration != self.rendered.drain_duration {
            say!("warning: Envoy takes a new `drainDuration` only when it starts");
        }
        let (new, steps) = self.files.steps_to(&rendered);
        if steps.is_empty() {
            self.rendered = rendered;
            return Ok(None);
        }
        if let Err(error) = self.files.have_room_for(&new) {
            say!("error: {error}");
            return Err(Failure::Passing);
        }
        let (inbox, envoy) = (&mut self.inbox, &mut self.envoy);
        let mut stop = || {
            inbox.lines().for_each(|line| envoy.log(line));
            inbox.is_stopped()
        };
        check(&self.launcher, &self.options, &rendered, &self.folder, &mut stop)?;
        self.see_that_ports_are_free(&new)?;
        self.pass_on();
        self.envoy.forget();
        let (admin, inbox, envoy) = (&self.admin, &mut self.inbox, &mut self.envoy);
        let mut meanwhile = || {
            inbox.lines().for_each(|line| envoy.log(line));
            inbox.is_stopped() || envoy.is_unguarded()
        };
        if let Err(error) = self.files.take(new, &steps, admin, &mut meanwhile) {
            if matches!(error, StepError::Stopped) {
                return Err(Failure::Stopped);
            }
            // Its reason may come a moment after its counters.
            std::thread::sleep(Duration::from_millis(100));
            self.pass_on();
            match error.is_envoys() {
                true => say!("error: {error}: {}", self.why()),
                false => say!("error: {error}"),
            }
            let again = error.is_passing() || !self.files.is_whole();
            return Err(if again { Failure::Passing } else { Failure::Refused });
        }
        self.rendered = rendered;
        // One that is planned already is not put off: changes may come faster than that.
        if self.sweep.is_none() {
            self.plan_sweep();
        }
        Ok(Some(steps::summary(&steps)))
    }

    fn plan_sweep(&mut self) {
        self.sweep = self.files.mark_leftover().then(|| Instant::now() + KEEP);
    }

    fn not_reloaded(&mut self) {
        self.refused = true;
        match self.files.is_whole() {
            true => say!("not reloaded: still serving the last good configuration"),
            false => say!("not reloaded, but a part of it is served: it could not be taken back"),
        }
    }

    fn see_that_ports_are_free(&self, new: &Dynamic) -> Result<(), Failure> {
        let old = self.files.addresses();
        let added = addresses(new).into_iter().filter(|new| !ports::shares_one(*new, &old));
        let taken: Vec<_> = added.filter_map(|address| ports::taken(address, "listener")).collect();
        for message in &taken {
            say!("error: {message}");
        }
        if taken.is_empty() { Ok(()) } else { Err(Failure::Passing) }
    }

    fn stop(&mut self, by: By) -> Exit {
        say!("stopping: requests that are on their way are finished first");
        let (inbox, envoy) = (&mut self.inbox, &mut self.envoy);
        drain::drain(&self.admin, self.options.drain, by, || {
            inbox.lines().for_each(|line| envoy.log(line));
            // A second signal means now.
            inbox.is_over()
        });
        self.envoy.stop();
        Exit::Success
    }

    /// Ends an Envoy that lets requests pass without a filter, should it not have ended yet: nobody is served rather than
    /// anybody.
    fn unguarded(&mut self) -> Exit {
        self.envoy.stop();
        environment(
            "a filter has broken down, most likely for want of memory, and Envoy would let requests pass without it: it was \
             stopped",
        )
    }

    /// Says how Envoy has ended.
    fn died(&mut self) -> Exit {
        std::thread::sleep(Duration::from_millis(100));
        self.pass_on();
        if self.envoy.is_unguarded() {
            return self.unguarded();
        }
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
        self.inbox.lines().for_each(|line| self.envoy.log(line));
    }
}

/// Lets Envoy judge the whole before anything is touched. [`Exit::Success`] is an error here: `stop` has come first.
fn check(
    launcher: &Launcher,
    options: &RunOptions,
    rendered: &Rendered,
    folder: &PrivateFolder,
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
