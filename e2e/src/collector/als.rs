//! Envoy's access log service: the few fields of its messages that tests look at.

use std::collections::HashMap;

use prost::Message;

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The log's name.
    pub log: String,
    /// The path that was asked for.
    pub path: String,
    /// The status of the answer.
    pub status: u32,
    /// Headers of the request that were to be logged.
    pub headers: HashMap<String, String>,
    /// Its custom tags.
    pub tags: HashMap<String, String>,
}

/// `StreamAccessLogsMessage`
#[derive(Clone, PartialEq, Message)]
struct Told {
    #[prost(message, optional, tag = "1")]
    identifier: Option<Identifier>,
    #[prost(message, optional, tag = "2")]
    http_logs: Option<HttpLogs>,
}

#[derive(Clone, PartialEq, Message)]
struct Identifier {
    #[prost(string, tag = "2")]
    log_name: String,
}

#[derive(Clone, PartialEq, Message)]
struct HttpLogs {
    #[prost(message, repeated, tag = "1")]
    log_entry: Vec<HttpEntry>,
}

#[derive(Clone, PartialEq, Message)]
struct HttpEntry {
    #[prost(message, optional, tag = "1")]
    common_properties: Option<Common>,
    #[prost(message, optional, tag = "3")]
    request: Option<Asked>,
    #[prost(message, optional, tag = "4")]
    response: Option<Answered>,
}

#[derive(Clone, PartialEq, Message)]
struct Common {
    #[prost(map = "string, string", tag = "22")]
    custom_tags: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct Asked {
    #[prost(string, tag = "5")]
    path: String,
    #[prost(map = "string, string", tag = "13")]
    request_headers: HashMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
struct Answered {
    #[prost(message, optional, tag = "1")]
    response_code: Option<u32>,
}

/// What the messages of a call so far say; the log's name is in the first.
pub(super) fn entries(messages: &[u8]) -> Result<Vec<Entry>, prost::DecodeError> {
    let (mut log, mut entries, mut rest) = (String::new(), Vec::new(), messages);
    while let Some((message, after)) = message(rest) {
        let told = Told::decode(message)?;
        if let Some(identifier) = told.identifier {
            log = identifier.log_name;
        }
        for entry in told.http_logs.into_iter().flat_map(|logs| logs.log_entry) {
            let asked = entry.request.unwrap_or_default();
            entries.push(Entry {
                log: log.clone(),
                path: asked.path,
                status: entry.response.and_then(|response| response.response_code).unwrap_or_default(),
                headers: asked.request_headers,
                tags: entry.common_properties.unwrap_or_default().custom_tags,
            });
        }
        rest = after;
    }
    Ok(entries)
}

/// gRPC puts a flag and the length in front of each.
fn message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(5)?;
    let length = u32::from_be_bytes(head.get(1..)?.try_into().ok()?);
    rest.split_at_checked(usize::try_from(length).ok()?)
}
