//! What is printed of images.

use std::fmt::Write as _;

use serde::Serialize;

use super::Form;
use crate::cli::print::{Printed, print_json, print_text};
use crate::image::inspect::Inspection;
use crate::image::{Image, Variant};
use crate::modules::Module;

/// An image that was made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Made {
    /// Its names.
    pub(super) references: Vec<String>,
    module: &'static str,
    layout: Variant,
    media_type: &'static str,
    /// Of the manifest.
    digest: String,
    /// Of the manifest, as a WasmPlugin has it.
    sha256: String,
    module_sha256: String,
    module_size: usize,
}

impl Made {
    pub(super) fn new(references: Vec<String>, module: Module, image: &Image) -> Self {
        Self {
            references,
            module: module.name(),
            layout: image.variant,
            media_type: image.media_type,
            digest: image.digest().to_string(),
            sha256: image.digest().hex().to_owned(),
            module_sha256: image.module.hex().to_owned(),
            module_size: image.module_size,
        }
    }
}

pub(super) fn made(all: &[Made], form: Form) -> Printed {
    if form == Form::Json {
        return print_json(&all);
    }
    let mut text = String::new();
    for Made { references, digest, module_sha256, module_size, .. } in all {
        for reference in references {
            let _ = writeln!(text, "{reference}");
        }
        let _ = writeln!(text, "  manifest  {digest}");
        let _ = writeln!(text, "  module    sha256:{module_sha256}, {module_size} bytes");
    }
    print_text(&text)
}

pub(super) fn inspected(all: &[Inspection], form: Form) -> Printed {
    if form == Form::Json {
        return print_json(&all);
    }
    print_text(&all.iter().map(lines).collect::<Vec<_>>().join("\n"))
}

fn lines(seen: &Inspection) -> String {
    let mut text = format!("{}\n", seen.reference);
    // Whoever made the image has written some of it: a terminal is not to obey them.
    let plain = |value: &str| value.replace(char::is_control, " ");
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<12}{}", plain(value));
    };
    line("read as", seen.layout.map_or("nothing that is taken", Variant::name));
    if let Some(index) = &seen.index {
        line("index", &index.to_string());
    }
    if !seen.sha256.is_empty() {
        line("manifest", &format!("sha256:{}  {}", seen.sha256, seen.media_type));
    }
    for (name, blob) in
        seen.config.iter().map(|config| ("config", config)).chain(seen.layers.iter().map(|l| ("layer", l)))
    {
        line(name, &format!("{}  {}, {} bytes", blob.digest, blob.media_type, blob.size));
    }
    if let Some(module) = &seen.module {
        line("module", &format!("sha256:{}  {} bytes", module.sha256, module.size));
        line("proxy-wasm", module.abi.as_deref().unwrap_or("not at all"));
    }
    for (name, notes) in [("annotation", &seen.annotations), ("label", &seen.labels)] {
        for (key, value) in notes {
            line(name, &format!("{key}={value}"));
        }
    }
    for problem in &seen.problems {
        line("refused", problem);
    }
    if seen.accepted {
        line("accepted", &format!("in a WasmPlugin `sha256: {}` holds it to this", seen.sha256));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Digest;
    use crate::image::inspect::Inspection;
    use crate::image::source::SourceError;

    #[test]
    fn what_others_wrote_stays_on_its_line() {
        let missing = SourceError::Missing(Digest::of(b""));
        let mut seen = Inspection::broken("a:1".to_owned(), &missing);
        seen.annotations.insert("note".to_owned(), "\u{1b}[2J\naccepted".to_owned());
        let text = lines(&seen);
        assert!(text.contains("\n  annotation  note= [2J accepted\n"), "{text}");
        assert!(text.contains("\n  read as     nothing that is taken\n"), "{text}");
        assert!(text.ends_with(" is missing\n"), "{text}");
    }
}
