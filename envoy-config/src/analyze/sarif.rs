//! Findings in SARIF 2.1.0, which code hosts show beside the lines.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::codes;
use super::finding::{Finding, Level};

/// The log of one run.
pub fn log(findings: &[Finding]) -> Value {
    let codes: BTreeSet<_> = findings.iter().map(|finding| finding.code).collect();
    let rules: Vec<_> = codes
        .iter()
        .map(|code| json!({"id": code, "shortDescription": {"text": codes::title(code)}}))
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "outrigger",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().map(|finding| result(finding, &codes)).collect::<Vec<_>>(),
        }],
    })
}

fn result(finding: &Finding, codes: &BTreeSet<&str>) -> Value {
    let level = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
    };
    let text = match &finding.hint {
        Some(hint) => format!("{} (hint: {hint})", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({
        "ruleId": finding.code,
        "ruleIndex": codes.iter().position(|code| *code == finding.code),
        "level": level,
        "message": {"text": text},
    });
    if let (Some(location), Some(fields)) = (location(finding), result.as_object_mut()) {
        fields.insert("locations".to_owned(), json!([location]));
    }
    result
}

fn location(finding: &Finding) -> Option<Value> {
    let file = finding.file.as_deref()?;
    let mut physical = json!({"artifactLocation": {"uri": uri(file)}});
    if let (Some(line), Some(fields)) = (finding.line, physical.as_object_mut()) {
        fields.insert(
            "region".to_owned(),
            json!({"startLine": line, "startColumn": finding.column.unwrap_or(1)}),
        );
    }
    let mut location = json!({"physicalLocation": physical});
    if let (Some(kind), Some(name), Some(fields)) = (&finding.kind, &finding.name, location.as_object_mut()) {
        let namespace = finding.namespace.as_deref().unwrap_or_default();
        let full = format!("{kind} {namespace}/{name} {}", finding.path);
        fields.insert("logicalLocations".to_owned(), json!([{"fullyQualifiedName": full.trim_end()}]));
    }
    Some(location)
}

/// A path as a URI reference: what is no plain character of one is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte))
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uri_references() {
        assert_eq!(uri("dir/a b.yaml"), "dir/a%20b.yaml");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
        assert_eq!(uri("/é"), "/%C3%A9");
    }
}
