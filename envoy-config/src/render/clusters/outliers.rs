//! A DestinationRule's `outlierDetection`: when an endpoint is left out.

use outrigger_api::types::destination_rule::OutlierDetection;

use crate::envoy::cluster::{self, Cluster, MatchPredicate, OutlierErrors};
use crate::envoy::route::{HeaderMatch, HeaderMatcher};
use crate::envoy::scalars::{Percent, Seconds, StringMatcher};

/// Sets it.
pub(super) fn apply(cluster: &mut Cluster, outliers: &OutlierDetection) {
    cluster.outlier_detection = Some(detection(outliers));
    // Istio turns Envoy's own threshold of 50 % off together with outlier detection.
    let value = f64::from(outliers.min_health_percent.unwrap_or(0));
    cluster.common_lb_config.healthy_panic_threshold = Some(Percent { value });
}

/// Each kind of error that is counted is enforced always, and one with a count of zero never.
fn detection(outliers: &OutlierDetection) -> cluster::OutlierDetection {
    let enforcing = |count: Option<u32>| count.map(|count| if count > 0 { 100 } else { 0 });
    let count = |count: Option<u32>| count.filter(|count| *count > 0);
    let split = outliers.split_external_local_origin_errors;
    // Of these zero counts as not set, so that Envoy's five hold.
    let local = outliers.consecutive_local_origin_failures.filter(|count| split && *count > 0);
    cluster::OutlierDetection {
        consecutive_5xx: count(outliers.consecutive_5xx_errors),
        enforcing_consecutive_5xx: enforcing(outliers.consecutive_5xx_errors),
        consecutive_gateway_failure: count(outliers.consecutive_gateway_errors),
        enforcing_consecutive_gateway_failure: enforcing(outliers.consecutive_gateway_errors),
        interval: outliers.interval.map(Seconds),
        base_ejection_time: outliers.base_ejection_time.map(Seconds),
        max_ejection_percent: outliers.max_ejection_percent.filter(|percent| *percent > 0),
        enforcing_success_rate: 0,
        split_external_local_origin_errors: split,
        consecutive_local_origin_failure: local,
        enforcing_consecutive_local_origin_failure: enforcing(local),
        enforcing_local_origin_success_rate: split.then_some(0),
    }
}

/// Which answers count as errors. `None`: those of 5xx.
pub(super) fn errors(outliers: &OutlierDetection) -> Option<OutlierErrors> {
    let status = |code: &u16| MatchPredicate::HttpResponseHeadersMatch {
        headers: vec![HeaderMatcher::new(
            ":status",
            HeaderMatch::StringMatch(StringMatcher::Exact(code.to_string())),
        )],
    };
    let mut rules: Vec<_> = outliers.http_error_codes.iter().map(status).collect();
    let error_matcher = match rules.len() {
        0 => return None,
        1 => rules.pop()?,
        _ => MatchPredicate::OrMatch { rules },
    };
    Some(OutlierErrors { error_matcher })
}
