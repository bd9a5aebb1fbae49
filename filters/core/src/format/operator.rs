//! What stands between two percent signs.

use super::property::{EARLY, LATE, LateProperty, Property};
use super::time::TimeFormat;

/// A header by name, and another in its place if there is no line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: Box<[u8]>,
    pub(super) alternative: Option<Box<[u8]>>,
}

/// Which path `%PATH%` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathSource {
    /// The one before a rewrite, or else the one there is.
    OriginalOrPath,
    /// The one before a rewrite.
    Original,
    /// The one there is.
    Path,
}

/// What is known when the request comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Early {
    Header(Header),
    /// A query parameter by its decoded name.
    QueryParameter(Box<[u8]>),
    QueryString,
    Path {
        with_query: bool,
        source: PathSource,
    },
    /// The cluster that the request goes to.
    Cluster,
    StartTime(TimeFormat),
    Property(&'static Property),
}

/// What is known when the response comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Late {
    Header(Header),
    Property(&'static LateProperty),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operator {
    Early(Early),
    Late(Late),
}

impl Operator {
    /// Whether Envoy takes a length behind it, which cuts the value off.
    pub(super) fn takes_length(&self) -> bool {
        match self {
            Self::Early(early) => matches!(
                early,
                Early::Header(_) | Early::QueryParameter(_) | Early::QueryString | Early::Path { .. }
            ),
            Self::Late(late) => matches!(late, Late::Header(_)),
        }
    }

    /// Reads a command and what stands in its parentheses.
    ///
    /// # Errors
    /// Why it is not carried out.
    pub(super) fn new(command: &str, argument: Option<&str>) -> Result<Self, String> {
        let given = argument.filter(|argument| !argument.is_empty());
        let needed = || given.ok_or_else(|| "needs an argument in parentheses".to_owned());
        let early = match command {
            "REQ" | "REQUEST_HEADER" => Early::Header(Header::new(needed()?)?),
            "RESP" | "RESPONSE_HEADER" => return Ok(Self::Late(Late::Header(Header::new(needed()?)?))),
            "QUERY_PARAM" => Early::QueryParameter(needed()?.as_bytes().into()),
            "PATH" => path(given.unwrap_or_default())?,
            "START_TIME" => {
                Early::StartTime(TimeFormat::new(given.unwrap_or_default()).map_err(|letter| {
                    format!("can't be carried out: its format has `%{letter}`, which is not supported here")
                })?)
            }
            _ if given.is_some() && command != "REQUESTED_SERVER_NAME" => {
                return Err(match known(command) {
                    Some(_) => "takes no argument here".to_owned(),
                    None => NOT_CARRIED_OUT.to_owned(),
                });
            }
            "REQUESTED_SERVER_NAME" if given.is_some_and(|from| from != "SNI_ONLY") => {
                return Err("can't be carried out but for `SNI_ONLY`".to_owned());
            }
            _ => return known(command).ok_or_else(|| NOT_CARRIED_OUT.to_owned()),
        };
        Ok(Self::Early(early))
    }
}

/// What a command that this build does not have is told.
const NOT_CARRIED_OUT: &str = "can't be carried out";

/// The commands without an argument.
fn known(command: &str) -> Option<Operator> {
    let early = match command {
        "QUERY_PARAMS" => Some(Early::QueryString),
        "UPSTREAM_CLUSTER" | "UPSTREAM_CLUSTER_RAW" => Some(Early::Cluster),
        _ => EARLY.iter().find(|property| property.name == command).map(Early::Property),
    };
    let late = || LATE.iter().find(|late| late.property.name == command).map(Late::Property);
    early.map(Operator::Early).or_else(|| late().map(Operator::Late))
}

impl Header {
    /// Reads `NAME?ALTERNATIVE`.
    fn new(argument: &str) -> Result<Self, String> {
        let name = |name: &str| -> Box<[u8]> {
            match name.to_ascii_lowercase().as_str() {
                "host" => b":authority"[..].into(),
                name => name.as_bytes().into(),
            }
        };
        let token = |byte: u8| byte.is_ascii_graphic();
        if !argument.bytes().all(token) {
            return Err("names no header".to_owned());
        }
        let mut names = argument.split('?');
        let header = Self {
            name: name(names.next().unwrap_or_default()),
            alternative: names.next().filter(|name| !name.is_empty()).map(name),
        };
        if names.next().is_some() { Err("has more than one `?`".to_owned()) } else { Ok(header) }
    }

    /// The first line that `find` knows.
    pub(super) fn find(&self, find: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        find(&self.name).or_else(|| find(self.alternative.as_deref()?))
    }
}

/// Reads `WQ|NQ:PATH|ORIG|ORIG_OR_PATH`.
fn path(argument: &str) -> Result<Early, String> {
    let (query, source) = argument.split_once(':').unwrap_or((argument, ""));
    let with_query = match query {
        "" | "WQ" => true,
        "NQ" => false,
        _ => return Err("knows only `WQ` and `NQ`".to_owned()),
    };
    let source = match source {
        "" | "ORIG_OR_PATH" => PathSource::OriginalOrPath,
        "ORIG" => PathSource::Original,
        "PATH" => PathSource::Path,
        _ => return Err("knows only `PATH`, `ORIG` and `ORIG_OR_PATH`".to_owned()),
    };
    Ok(Early::Path { with_query, source })
}
