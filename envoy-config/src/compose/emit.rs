//! Values as YAML, in lines that a person can read.

use outrigger_api::node::{Node, Number, Value};

/// A text as a value: plain where YAML can't take it for something else.
pub(super) fn text(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=".contains(&byte);
    let begins = text.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '/')
        || text.starts_with("./")
        || text.starts_with("--");
    let word = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_word = word.contains(&text.to_ascii_lowercase().as_str());
    if begins && text.bytes().all(plain) && !is_word && !text.ends_with(':') && text != "---" {
        text.to_owned()
    } else {
        serde_json::to_string(text).unwrap_or_default()
    }
}

/// The lines of a value; what goes behind a key's colon, if it is one line, is the first alone. `None`: a number that
/// would not be written as it was.
pub(super) fn lines(node: &Node) -> Option<Vec<String>> {
    Some(match &node.value {
        Value::Mapping(entries) if !entries.is_empty() => {
            let mut all = Vec::new();
            for (key, value) in entries {
                all.extend(entry(&key.name, value)?);
            }
            all
        }
        Value::Sequence(items) if !items.is_empty() => {
            let mut all = Vec::new();
            for item in items {
                let mut first = "- ";
                for line in lines(item)? {
                    all.push(format!("{first}{line}"));
                    first = "  ";
                }
            }
            all
        }
        _ => vec![scalar(node)?],
    })
}

/// The lines of a key with its value.
pub(super) fn entry(key: &str, value: &Node) -> Option<Vec<String>> {
    let key = text(key);
    if is_block(value) {
        let inner = lines(value)?.into_iter().map(|line| format!("  {line}"));
        return Some(std::iter::once(format!("{key}:")).chain(inner).collect());
    }
    let value = scalar(value)?;
    Some(vec![if value.is_empty() { format!("{key}:") } else { format!("{key}: {value}") }])
}

fn is_block(node: &Node) -> bool {
    match &node.value {
        Value::Mapping(entries) => !entries.is_empty(),
        Value::Sequence(items) => !items.is_empty(),
        _ => false,
    }
}

fn scalar(node: &Node) -> Option<String> {
    Some(match &node.value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Number(Number::Integer(number)) => number.to_string(),
        Value::Number(Number::Float(_)) => return None,
        Value::String(value) => text(value),
        Value::Sequence(_) => "[]".to_owned(),
        Value::Mapping(_) => "{}".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(yaml: &str) -> Option<String> {
        let node = outrigger_api::parse_yaml_nodes(yaml).remove(0).unwrap();
        lines(&node).map(|lines| lines.join("\n"))
    }

    #[test]
    fn values_come_out_as_they_went_in() {
        for yaml in [
            "a: b\nc:\n  - d\n  - e: f\n    g: 1\nh: true\ni:\nj: []\nk: {}",
            "- \"a: b\"\n- \"a:\"\n- a:b=c\n- --d\n- \"-\"\n- \"8080:80\"\n- \"yes\"\n- \"1\"\n- \"${X:-y}\"\n- ./a/b",
        ] {
            assert_eq!(written(yaml).unwrap(), yaml);
        }
        assert_eq!(written("a: 1.50"), None);
    }
}
