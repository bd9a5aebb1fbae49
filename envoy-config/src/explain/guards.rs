//! The guards of faults, as an answer shows them.

use outrigger_api::resource::Timestamp;
use outrigger_api::types::annotations::Inherited;
use outrigger_core::Now;
use outrigger_core::fault::is_over;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What keeps the faults of a VirtualService within bounds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FaultGuards {
    /// How many requests may be under a fault at once.
    pub max_active: Option<u32>,
    /// When the faults end, as in RFC 3339.
    pub expires: Option<String>,
    /// Whether they have ended by now.
    pub expired: bool,
    /// What of a request decides, in place of a draw, whether it meets a fault; the first that it has.
    pub sticky: Vec<String>,
    /// Whether faults are only counted.
    pub dry_run: bool,
    /// Who may ask for faults by headers; `None`: nobody.
    pub headers: Option<HeaderFaults>,
}

/// Who may ask for faults by headers. The secret itself is known to nobody here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderFaults {
    /// Whether a secret must be shown.
    pub secret: bool,
    /// The peers that may: IP blocks and SPIFFE IDs; `None`: all.
    pub from: Option<Vec<String>>,
}

impl FaultGuards {
    /// Those of `spec`; `None` if there are none.
    pub fn of(spec: Inherited<'_>, now: Now) -> Option<Self> {
        (!spec.is_empty()).then(|| Self {
            max_active: spec.max_active().map(u32::from),
            expires: spec.expires().map(rfc3339),
            expired: spec.expires().is_some_and(|expires| is_over(expires, now)),
            sticky: spec.sticky().iter().map(ToString::to_string).collect(),
            dry_run: spec.dry_run(),
            headers: spec.headers().map(|(secret, from)| HeaderFaults {
                secret: secret.is_some(),
                from: from.map(|from| {
                    let blocks = from.blocks.iter().map(ToString::to_string);
                    blocks.chain(from.principals.iter().cloned()).collect()
                }),
            }),
        })
    }

    /// For people, a line each.
    pub fn lines(&self) -> Vec<String> {
        let ends = if self.expired { "ended at" } else { "end at" };
        let asked = self.headers.as_ref().map(|headers| {
            let from = headers.from.as_ref().map(|from| format!(" from {}", from.join(", ")));
            let secret = if headers.secret { ", with the secret" } else { "" };
            format!("headers may ask for faults{}{secret}", from.unwrap_or_default())
        });
        [
            self.dry_run.then(|| "faults are only counted (dry run)".to_owned()),
            self.expires.as_ref().map(|time| format!("faults {ends} {time}")),
            self.max_active.map(|most| format!("at most {most} requests at once meet one")),
            (!self.sticky.is_empty())
                .then(|| format!("the same caller always draws the same, by {}", self.sticky.join(", "))),
            asked,
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A point in time for people and programs.
pub fn rfc3339(Timestamp(seconds): Timestamp) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| seconds.to_string())
}
