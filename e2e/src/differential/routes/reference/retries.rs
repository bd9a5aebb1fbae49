//! `retry.ConvertPolicy`

use anyhow::Result;
use serde_json::{Value, json};

use super::action::seconds;
use super::fields::{only, text};

/// `envoy.config.route.v3.RetryPolicy`; without a policy of the rule's own the mesh's default.
///
/// `hashed`: the destination's endpoint is chosen by a hash, and the same host may be tried again.
pub(super) fn policy(retries: Option<&Value>, hashed: bool) -> Result<Value> {
    let mut policy = json!({
        "num_retries": 2,
        "retry_on": "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes",
    });
    let ignored =
        retries.and_then(|retries| retries.get("retryIgnorePreviousHosts")).and_then(Value::as_bool);
    if ignored.unwrap_or(!hashed) {
        policy["host_selection_retry_max_attempts"] = 5.into();
        policy["retry_host_predicate"] = json!([{
            "name": "envoy.retry_host_predicates.previous_hosts",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
            },
        }]);
    }
    let Some(retries) = retries else { return Ok(policy) };
    only(
        retries,
        &[
            "attempts",
            "retryOn",
            "perTryTimeout",
            "retryIgnorePreviousHosts",
            "retryRemoteLocalities",
            "backoff",
        ],
    )?;
    if retries.get("retryRemoteLocalities") == Some(&Value::Bool(true)) {
        policy["retry_priority"] = json!({
            "name": "envoy.retry_priorities.previous_priorities",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig",
                "update_frequency": 2,
            },
        });
    }
    let backoff = text(retries, "backoff");
    if !backoff.is_empty() {
        policy["retry_back_off"] = json!({"base_interval": seconds(backoff)?});
    }
    let attempts = retries.get("attempts").and_then(Value::as_u64).unwrap_or(0);
    if attempts == 0 {
        return Ok(json!(null));
    }
    policy["num_retries"] = attempts.into();
    let on = text(retries, "retryOn");
    if !on.is_empty() {
        let (codes, mut conditions): (Vec<_>, Vec<_>) =
            on.split(',').partition(|part| part.parse::<u32>().is_ok());
        if !codes.is_empty() {
            if !conditions.contains(&"retriable-status-codes") {
                conditions.push("retriable-status-codes");
            }
            let codes: Vec<u32> = codes.iter().filter_map(|code| code.parse().ok()).collect();
            policy["retriable_status_codes"] = codes.into();
        }
        policy["retry_on"] = conditions.join(",").into();
    }
    let limit = text(retries, "perTryTimeout");
    if !limit.is_empty() {
        policy["per_try_timeout"] = seconds(limit)?.into();
    }
    Ok(policy)
}
