//! One entry of a VirtualService's `http`.

use super::{
    cursor::Cursor, fault, headers, http_action, http_match, http_retry, object::Object,
    virtual_service::Place,
};
use crate::{
    check,
    types::{
        common::{Headers, Millionths, StringMatch},
        virtual_service::{
            CorsPolicy, HttpRoute, Mirror, Rewrite, RewritePath, RouteAction, UnmatchedPreflights,
        },
    },
};

const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"];

pub(crate) fn decode(route: &Cursor<'_>, place: Place) -> Option<HttpRoute> {
    route.object(|fields| {
        let matches = fields.list("match", |entry| http_match::decode(entry, place));
        let action = http_action::decode(fields, &matches, place.in_delegate);
        let rewrite = fields.get("rewrite", rewrite);
        let headers = headers::headers(fields);
        one_authority(route, rewrite.as_ref(), &headers);
        let mirror_percentage = mirror_percentage(fields);
        let mirror = fields.get("mirror", |at| at.destination());
        let mirrors = mirrors(fields);
        let name = fields.text("name");
        let timeout = fields.get("timeout", |at| at.duration());
        let retries = fields.get("retries", http_retry::decode);
        let fault = fields.get("fault", fault::decode);
        let cors_policy = fields.get("corsPolicy", cors_policy);
        if matches!(action, Some(RouteAction::Redirect(_) | RouteAction::DirectResponse(_))) {
            for name in ["fault", "rewrite"] {
                fields.get(name, |field| {
                    field.error(format_args!("`{name}` has no place beside `redirect` or `directResponse`"));
                    Some(())
                });
            }
        }
        Some(HttpRoute {
            name,
            matches,
            action: action?,
            rewrite,
            timeout,
            retries,
            fault,
            mirror,
            mirror_percentage,
            mirrors,
            cors_policy,
            headers,
        })
    })
}

fn rewrite(rewrite: &Cursor<'_>) -> Option<Rewrite> {
    rewrite.object_like("{uri: …}", |fields| {
        fields.at_most_one_set(&["uri", "uriRegexRewrite"]);
        let uri = fields.text("uri").map(RewritePath::Uri);
        let regex = fields.get("uriRegexRewrite", |regex| {
            regex.object(|fields| {
                let pattern = fields.required("match", |at| at.regex());
                let rewrite = fields.required("rewrite", |at| at.non_empty());
                Some(RewritePath::Regex { pattern: pattern?, rewrite: rewrite? })
            })
        });
        let authority = fields.text("authority");
        if uri.is_none() && authority.is_none() && !fields.has("uriRegexRewrite") {
            rewrite.error("missing `uri`, `uriRegexRewrite` or `authority`: one of them is needed");
        }
        Some(Rewrite { path: uri.or(regex), authority })
    })
}

/// The authority may be set in one place only.
fn one_authority(route: &Cursor<'_>, rewrite: Option<&Rewrite>, headers: &Headers) {
    let rewritten = rewrite.is_some_and(|rewrite| rewrite.authority.is_some());
    let changes = headers.request.set.iter().chain(&headers.request.add);
    let set = changes.filter(|(name, value)| check::headers::is_authority(name) && !value.is_empty()).count();
    if usize::from(rewritten) + set > 1 {
        route.error("the authority is set more than once, by `rewrite` and by `headers.request`");
    }
}

/// `mirrorPercentage`, or what was there before it.
fn mirror_percentage(fields: &Object<'_>) -> Option<Millionths> {
    let percent = fields.get("mirrorPercent", |percent| {
        percent.warn_hint("`mirrorPercent` is deprecated", "use `mirrorPercentage: {value: …}`");
        percent.within::<u32>(0, 100).map(|percent| Millionths::new(percent * 10_000))
    });
    fields.get("mirrorPercentage", mirror_share).or(percent)
}

fn mirrors(fields: &Object<'_>) -> Vec<Mirror> {
    fields.at_most_one_set(&["mirror", "mirrors"]);
    fields.list("mirrors", |mirror| {
        mirror.object(|fields| {
            let percentage = fields.get("percentage", mirror_share).unwrap_or(Millionths::ALL);
            let destination = fields.required("destination", |at| at.destination());
            Some(Mirror { destination: destination?, percentage })
        })
    })
}

/// Any share from 0 to 100 %: one below the smallest that Envoy can draw is none.
fn mirror_share(percentage: &Cursor<'_>) -> Option<Millionths> {
    percentage.object_like("{value: …}", |fields| {
        let share = fields.get("value", |value| {
            Some(Millionths::from_percent(value.percentage()?).unwrap_or(Millionths::NONE))
        });
        Some(share.unwrap_or(Millionths::NONE))
    })
}

fn cors_policy(policy: &Cursor<'_>) -> Option<CorsPolicy> {
    policy.object(|fields| {
        let origins = fields.list("allowOrigins", |origin| {
            let found = origin.string_match(true)?;
            let nothing = match &found {
                StringMatch::Present => origin.node.get("regex").is_none(),
                StringMatch::Exact(text) | StringMatch::Prefix(text) => text.is_empty(),
                StringMatch::Regex(_) => false,
            };
            if nothing {
                origin.error("an origin needs `exact`, `prefix` or `regex`, and not an empty one");
            }
            Some(found)
        });
        let old_origins = fields.get("allowOrigin", |field| {
            field.deprecated("allowOrigin", "`allowOrigins`");
            Some(field.list(|origin| origin.string().map(StringMatch::Exact)))
        });
        let methods = |method: &Cursor<'_>| {
            method.checked(|text| {
                if METHODS.contains(&text) {
                    Ok(())
                } else {
                    Err(format!("is not one of {}", METHODS.join(", ")))
                }
            })
        };
        let header = |name: &Cursor<'_>| {
            name.checked(|text| if text == "*" { Ok(()) } else { check::headers::name(text) })
        };
        Some(CorsPolicy {
            allow_origins: if origins.is_empty() { old_origins.unwrap_or_default() } else { origins },
            allow_methods: fields.list("allowMethods", methods),
            allow_headers: fields.list("allowHeaders", header),
            expose_headers: fields.list("exposeHeaders", header),
            max_age: fields.get("maxAge", |age| {
                age.duration_with(|duration| {
                    check::duration::at_least_a_millisecond(duration)?;
                    if duration.subsec_nanos() == 0 {
                        Ok(())
                    } else {
                        Err("is not a whole number of seconds".to_owned())
                    }
                })
            }),
            allow_credentials: fields.get("allowCredentials", |at| at.bool()),
            unmatched_preflights: fields
                .get("unmatchedPreflights", |field| {
                    field.one_of(&[
                        ("UNSPECIFIED", UnmatchedPreflights::Forward),
                        ("FORWARD", UnmatchedPreflights::Forward),
                        ("IGNORE", UnmatchedPreflights::Ignore),
                    ])
                })
                .unwrap_or_default(),
        })
    })
}
