//! One line of Prometheus' text format, version 0.0.4.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line<'a> {
    /// Nothing, or a comment.
    Nothing,
    /// `# HELP NAME TEXT`
    Help(&'a str),
    /// `# TYPE NAME KIND`
    Type(&'a str, &'a str),
    /// Name, labels and value.
    Sample(&'a str, BTreeMap<String, String>, f64),
}

/// Reads one line, without its end.
pub(super) fn read(line: &str) -> Result<Line<'_>> {
    if line.is_empty() {
        return Ok(Line::Nothing);
    }
    let Some(comment) = line.strip_prefix('#') else { return sample(line) };
    let mut words = comment.splitn(4, ' ');
    ensure!(words.next() == Some(""), "a comment begins with `# `");
    match (words.next(), words.next(), words.next()) {
        (Some("HELP"), Some(name), _) => Ok(Line::Help(metric_name(name)?)),
        (Some("TYPE"), Some(name), Some(kind)) => Ok(Line::Type(metric_name(name)?, kind)),
        (Some("HELP" | "TYPE"), ..) => bail!("HELP or TYPE without what belongs to it"),
        _ => Ok(Line::Nothing),
    }
}

fn sample(line: &str) -> Result<Line<'_>> {
    let end = line.find(['{', ' ']).context("neither labels nor a value")?;
    let (name, rest) = line.split_at(end);
    let name = metric_name(name)?;
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inside) => labels(inside)?,
        None => (BTreeMap::new(), rest),
    };
    let value = rest.strip_prefix(' ').context("no space before the value")?;
    Ok(Line::Sample(name, labels, number(value)?))
}

/// Labels up to the closing brace, and what follows it.
fn labels(mut text: &str) -> Result<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        if let Some(rest) = text.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, rest) = text.split_once("=\"").context("a label without a value")?;
        ensure!(is_name(name, false), "`{name}` is no name of a label");
        let (value, rest) = quoted(rest)?;
        ensure!(labels.insert(name.to_owned(), value).is_none(), "label `{name}` twice");
        text = match rest.strip_prefix(',') {
            Some(rest) => rest,
            None => {
                ensure!(rest.starts_with('}'), "neither a comma nor a brace after the value of `{name}`");
                rest
            }
        };
    }
}

/// A value up to its closing quote, and what follows it.
fn quoted(text: &str) -> Result<(String, &str)> {
    let mut value = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next().context("a value does not end")? {
            '"' => return Ok((value, rest.as_str())),
            '\\' => value.push(match rest.next() {
                Some('\\') => '\\',
                Some('"') => '"',
                Some('n') => '\n',
                other => bail!("`\\` before {other:?}"),
            }),
            other => value.push(other),
        }
    }
}

fn metric_name(text: &str) -> Result<&str> {
    ensure!(is_name(text, true), "`{text}` is no name of a metric");
    Ok(text)
}

/// Only those of metrics may have colons.
fn is_name(text: &str, colons: bool) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_' || (colons && c == ':');
    text.starts_with(letter) && text.chars().all(|c| letter(c) || c.is_ascii_digit())
}

/// Envoy writes no timestamps, so that nothing may follow.
fn number(text: &str) -> Result<f64> {
    let spelled = matches!(text, "+Inf" | "-Inf" | "NaN");
    let digits = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
    ensure!(spelled || digits, "`{text}` is no value");
    text.parse().with_context(|| format!("`{text}` is no value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(line: &str) -> Vec<(String, String)> {
        match read(line).unwrap() {
            Line::Sample(_, labels, _) => labels.into_iter().collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_written_comes_back() {
        assert_eq!(read("").unwrap(), Line::Nothing);
        assert_eq!(read("# a remark").unwrap(), Line::Nothing);
        assert_eq!(read("# HELP a_b what it is").unwrap(), Line::Help("a_b"));
        assert_eq!(read("# TYPE a:b counter").unwrap(), Line::Type("a:b", "counter"));
        assert_eq!(read("a 1").unwrap(), Line::Sample("a", BTreeMap::new(), 1.0));
        assert_eq!(read("a{} +Inf").unwrap(), Line::Sample("a", BTreeMap::new(), f64::INFINITY));
        let hostile = r#"a{b="x\\y\"z\nw",_c="",d="},e=\"é\u0000"} 2.5e+3"#.replace("\\u0000", "");
        let expected = [("_c", ""), ("b", "x\\y\"z\nw"), ("d", "},e=\"é")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(labelled(&hostile), expected);
        assert_eq!(labelled("a{b=\"1\",} 1"), [("b".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn what_the_format_does_not_have_is_refused() {
        for line in [
            "a",
            " a 1",
            "a  1",
            "a 1 ",
            "a 1 1234",
            "a one",
            "a inf",
            "a 0x1",
            "1a 1",
            "a.b 1",
            "é 1",
            "a{b=\"1\"}1",
            "a{b=\"1\" 1",
            "a{b=\"1\"c=\"2\"} 1",
            "a{b=\"1\",b=\"2\"} 1",
            "a{b=1} 1",
            "a{b:c=\"1\"} 1",
            "a{,} 1",
            "a{b=\"\\t\"} 1",
            "a{b=\"1} 1",
            "a{b=\"1\\",
            "#TYPE a counter",
            "# TYPE a",
            "# TYPE a.b counter",
            "# HELP",
        ] {
            assert!(read(line).is_err(), "{line}: {:?}", read(line));
        }
    }
}
