//! The changes to what the user has written: few, and each between marks.

use outrigger_api::node::{Node, Value};

use super::edit::Edits;
use super::generate::{APPLICATION, CERTS_AT, Generated, SIDECAR, network, volume};
use super::kept::has_variable;
use super::model::{Model, Role, Service};
use super::place::{Block, Lines};
use super::{ComposeError, emit};
use crate::render::OUTBOUND_PORT;

/// Who adds something.
const BY: &str = "by `outrigger compose inject`";

/// The text with everything that is added.
pub(super) fn write(
    text: &str,
    model: &Model<'_>,
    generated: &Generated,
) -> Result<String, Vec<ComposeError>> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut writer = Writer { lines: Lines(&lines), edits: Edits::default() };
    let mut problems = Vec::new();
    for service in &model.services {
        let done = match &service.role {
            Role::Application { direct, .. } => writer.application(service, direct),
            Role::Gateway => writer.gateway(service),
            Role::Outside => writer.outside(service, model),
        };
        problems.extend(done.err());
    }
    for (key, added) in [
        ("services", &generated.services),
        ("networks", &generated.networks),
        ("volumes", &generated.volumes),
    ] {
        if !added.is_empty() {
            problems.extend(writer.section(model.root, key, added).err());
        }
    }
    if problems.is_empty() { Ok(writer.edits.apply(&lines)) } else { Err(problems) }
}

struct Writer<'t, 'l> {
    lines: Lines<'t, 'l>,
    edits: Edits,
}

impl Writer<'_, '_> {
    /// It moves to the network with its sidecar, and asks it for everything by HTTP.
    fn application(&mut self, service: &Service<'_>, direct: &[String]) -> Result<(), ComposeError> {
        let block = self.service(service)?;
        let networks = [
            "networks:".to_owned(),
            format!("  {}:", network(service.name)),
            format!("    aliases: [{APPLICATION}]"),
        ];
        self.set(service, &block, "networks", "alone with its sidecar", &networks);
        let proxy = format!("http://{SIDECAR}:{OUTBOUND_PORT}");
        let mut past = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        past.extend(direct.iter().cloned());
        let set = [("http_proxy", proxy), ("no_proxy", past.join(","))];
        let has = |name: &str| has_variable(service.node.get("environment"), name);
        let missing: Vec<_> = set.into_iter().filter(|(name, _)| !has(name)).collect();
        let as_list: Vec<_> =
            missing.iter().map(|(name, value)| emit::text(&format!("{name}={value}"))).collect();
        let as_map: Vec<_> =
            missing.iter().map(|(name, value)| format!("{name}: {}", emit::text(value))).collect();
        let added = Added {
            why: "its requests go to its sidecar",
            list: &as_list,
            map: &as_map,
            map_by_default: true,
        };
        self.append(service, &block, "environment", added)
    }

    /// It gets a certificate.
    fn gateway(&mut self, service: &Service<'_>) -> Result<(), ComposeError> {
        let block = self.service(service)?;
        let mount = [emit::text(&format!("{}:{CERTS_AT}:ro", volume(service.name)))];
        let added = Added { why: "its certificate", list: &mount, map: &[], map_by_default: false };
        self.append(service, &block, "volumes", added)
    }

    /// It joins the networks of the applications that need it without their sidecar.
    fn outside(&mut self, service: &Service<'_>, model: &Model<'_>) -> Result<(), ComposeError> {
        let needs = |other: &&Service<'_>| match &other.role {
            Role::Application { direct, .. } => direct.iter().any(|name| name == service.name),
            _ => false,
        };
        let joined: Vec<_> = model.injected().filter(needs).map(|other| network(other.name)).collect();
        if joined.is_empty() {
            return Ok(());
        }
        if let Some((key, _)) = service.node.entry("network_mode") {
            let message = format!(
                "service `{}` has a `network_mode`, and can't be reached by who needs it",
                service.name
            );
            return Err(ComposeError::new(message, key.position));
        }
        let block = self.service(service)?;
        let as_map: Vec<_> = joined.iter().map(|name| format!("{name}:")).collect();
        let list: Vec<_> = match service.node.get("networks") {
            Some(_) => joined,
            None => std::iter::once("default".to_owned()).chain(joined).collect(),
        };
        let why = "for those who speak to it past their sidecar";
        self.append(
            service,
            &block,
            "networks",
            Added { why, list: &list, map: &as_map, map_by_default: false },
        )
    }

    /// The lines of a service.
    fn service(&self, service: &Service<'_>) -> Result<Block, ComposeError> {
        let fail = || {
            let message = format!("service `{}` is written in a way that can't be added to", service.name);
            ComposeError::new(message, service.position).hint("write it over several lines, one key in each")
        };
        let (line, column) = place(service.position).ok_or_else(fail)?;
        let block = self.lines.block(line, column);
        // An anchor behind the name does no harm here: what is under it is still in lines.
        let inside = block.inside.or_else(|| self.first_depth(&block)).ok_or_else(fail)?;
        Ok(Block { inside: Some(inside), ..block })
    }

    /// How far the first line under a key is indented, whatever is behind the key.
    fn first_depth(&self, block: &Block) -> Option<usize> {
        let line = self.lines.0.get(block.key)?.trim_end();
        let rest = line.split_once(':')?.1.trim();
        if !rest.starts_with('&') || rest.contains(['{', '[', ' ']) {
            return None;
        }
        let inner = self.lines.0.get(block.key + 1..block.end)?;
        let first = inner.iter().find(|line| !line.trim().is_empty() && !line.trim().starts_with('#'))?;
        Some(first.len() - first.trim_start_matches(' ').len())
    }

    /// A key of a service's own, if it has one there: not from an anchor elsewhere.
    fn own(&self, service: &Service<'_>, block: &Block, key: &str) -> Option<Block> {
        let (key, _) = service.node.entry(key)?;
        let (line, column) = place(key.position)?;
        (block.lines().contains(&line) && Some(column) == block.inside)
            .then(|| self.lines.block(line, column))
    }

    /// Puts a value in the place of a key's.
    fn set(&mut self, service: &Service<'_>, block: &Block, key: &str, why: &str, lines: &[String]) {
        let indent = block.inside.unwrap_or_default();
        let why = format!("{why}, {BY}");
        match self.own(service, block, key) {
            Some(own) => {
                self.edits.replace(own.lines());
                self.edits.add(own.end, indent, &why, lines);
            }
            None => self.edits.add(block.end, indent, &why, lines),
        }
    }

    /// Adds to a list or mapping.
    fn append(
        &mut self,
        service: &Service<'_>,
        block: &Block,
        key: &str,
        added: Added<'_>,
    ) -> Result<(), ComposeError> {
        let value = service.node.get(key).filter(|node| !node.is_null());
        let items = |is_map: bool| -> Vec<String> {
            let list = || added.list.iter().map(|item| format!("- {item}"));
            if is_map { added.map.to_vec() } else { list().collect() }
        };
        let is_map = match value.map(|node| &node.value) {
            Some(Value::Mapping(_)) => true,
            Some(_) => false,
            None => added.map_by_default,
        };
        let items = items(is_map);
        if items.is_empty() {
            return Ok(());
        }
        if let Some(own) = self.own(service, block, key)
            && let Some(inside) = own.inside
        {
            self.edits.extend(own.end, inside, &format!("{}, {BY}", added.why), &items);
            return Ok(());
        }
        let mut lines = vec![format!("{key}:")];
        if let Some(value) = value.filter(|node| !is_empty(node)) {
            let old = emit::lines(value).ok_or_else(|| number(key, value))?;
            lines.extend(old.into_iter().map(|line| format!("  {line}")));
        }
        lines.extend(items.into_iter().map(|line| format!("  {line}")));
        self.set(service, block, key, added.why, &lines);
        Ok(())
    }

    /// Adds to a part of the file, or adds the part.
    fn section(&mut self, root: &Node, key: &str, added: &[String]) -> Result<(), ComposeError> {
        let why = match key {
            "services" => format!("sidecars, {BY}"),
            _ => BY.to_owned(),
        };
        let Some((name, value)) = root.entry(key) else {
            let mut lines = vec![format!("{key}:")];
            lines.extend(added.iter().map(|line| format!("  {line}")));
            self.edits.add(self.lines.0.len(), 0, &why, &lines);
            return Ok(());
        };
        let fail = || {
            ComposeError::new(format!("`{key}` is written in a way that can't be added to"), name.position)
                .hint("write it over several lines, one key in each")
        };
        let (line, column) = place(name.position).ok_or_else(fail)?;
        let block = self.lines.block(line, column);
        match block.inside {
            Some(inside) => self.edits.add(block.end, inside, &why, added),
            None if is_empty(value) || value.is_null() => {
                let mut lines = vec![format!("{key}:")];
                lines.extend(added.iter().map(|line| format!("  {line}")));
                self.edits.replace(block.lines());
                self.edits.add(block.end, column, &why, &lines);
            }
            None => return Err(fail()),
        }
        Ok(())
    }
}

/// What is added to a list or a mapping.
struct Added<'a> {
    why: &'a str,
    /// As elements of a list.
    list: &'a [String],
    /// As entries of a mapping.
    map: &'a [String],
    /// Which of both if there is nothing yet.
    map_by_default: bool,
}

/// A number that would not come out as it was written.
pub(super) fn number(key: &str, node: &Node) -> ComposeError {
    let message =
        format!("`{key}` has to be written anew here, and holds a number that would not stay as it is");
    ComposeError::new(message, node.position)
        .hint("put its numbers in quotes, or write it over several lines")
}

fn place(position: Option<outrigger_api::node::Position>) -> Option<(usize, usize)> {
    let position = position?;
    let number = |number: u32| usize::try_from(number.checked_sub(1)?).ok();
    Some((number(position.line)?, number(position.column)?))
}

fn is_empty(node: &Node) -> bool {
    match &node.value {
        Value::Mapping(entries) => entries.is_empty(),
        Value::Sequence(items) => items.is_empty(),
        _ => false,
    }
}
