//! The bootstrap as a text for people: sections in order, each under a line that says what it is.

use std::fmt::Write as _;

use serde::Serialize;
use serde_saphyr::SerializerOptions;
use serde_saphyr::ser::Error;

use super::Rendered;
use crate::envoy::bootstrap::DynamicResources;

/// What stands above each section.
const COMMENTS: [(&str, &str); 7] = [
    ("node", "Who this Envoy is."),
    ("admin", "Envoy's administration interface: /stats/prometheus, /config_dump, /ready."),
    ("layered_runtime", "Where Istio's proxy differs from a plain Envoy."),
    ("stats_config", "What turns the names of the filters' metrics into Istio's labels."),
    ("dynamic_resources", "The files that Envoy takes changes from."),
    (
        "listeners",
        "Where requests come in. The filters decide where each goes, and say so in headers that clients can't set.",
    ),
    ("clusters", "Where requests go: a cluster for each destination and subset."),
];

/// The whole bootstrap.
pub(super) fn bootstrap(rendered: &Rendered) -> Result<String, Error> {
    let mut text = header(rendered);
    section(&mut text, "", "node", &rendered.node)?;
    section(&mut text, "", "admin", &rendered.admin)?;
    section(&mut text, "", "layered_runtime", &rendered.runtime)?;
    section(&mut text, "", "stats_config", &rendered.stats)?;
    text.push_str("\nstatic_resources:\n");
    section(&mut text, "  ", "listeners", &rendered.listeners)?;
    section(&mut text, "  ", "clusters", &rendered.clusters)?;
    Ok(text)
}

/// The bootstrap of an Envoy that reads listeners and clusters from files.
pub(super) fn dynamic_bootstrap(rendered: &Rendered, sources: &DynamicResources) -> Result<String, Error> {
    let mut text = String::new();
    section(&mut text, "", "node", &rendered.node)?;
    section(&mut text, "", "admin", &rendered.admin)?;
    section(&mut text, "", "layered_runtime", &rendered.runtime)?;
    section(&mut text, "", "stats_config", &rendered.stats)?;
    section(&mut text, "", "dynamic_resources", sources)?;
    Ok(text)
}

/// One value as a YAML document.
pub(super) fn yaml(value: &impl Serialize) -> Result<String, Error> {
    serde_saphyr::to_string_with_options(value, options())
}

fn options() -> SerializerOptions {
    serde_saphyr::ser_options! { prefer_block_scalars: false, compact_list_indent: true }
}

fn header(rendered: &Rendered) -> String {
    let mut text = String::from(
        "# Rendered by `outrigger render --to envoy`; a change here is lost when it is rendered again.\n",
    );
    if !rendered.sources.is_empty() {
        text.push_str("# From:\n");
        for source in &rendered.sources {
            text.push_str("#   ");
            text.push_str(source);
            text.push('\n');
        }
    }
    text
}

/// `key: value` below its comment, moved to the right by `indent`.
fn section(text: &mut String, indent: &str, key: &str, value: &impl Serialize) -> Result<(), Error> {
    let comment = COMMENTS.iter().find(|(of, _)| *of == key).map_or("", |(_, comment)| comment);
    let body = yaml(&std::collections::BTreeMap::from([(key, value)]))?;
    let _ = write!(text, "\n{indent}# {comment}\n");
    for line in body.lines() {
        if !line.is_empty() {
            text.push_str(indent);
            text.push_str(line);
        }
        text.push('\n');
    }
    Ok(())
}
