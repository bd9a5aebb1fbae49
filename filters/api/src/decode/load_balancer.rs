//! How an endpoint is chosen.

use super::{cursor::Cursor, object::Object};
use crate::node::Number;
use crate::types::destination_rule::{
    HashAlgorithm, HashKey, LoadBalancer, LoadBalancerPolicy, LocalityLb, LocalityMode, Warmup,
};

/// Istio's default for the points of a ring.
const RING: u64 = 1024;
/// Envoy's default for the entries of a table, and its limit.
const TABLE: u64 = 65_537;
const LARGEST_TABLE: u64 = 5_000_011;
/// Labels of places, which `failover` speaks of too.
const PLACES: [&str; 3] =
    ["topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone"];

pub(crate) fn decode(settings: &Cursor<'_>, has_outlier_detection: bool) -> Option<LoadBalancer> {
    settings.object(|fields| {
        fields.at_most_one(&["simple", "consistentHash"]);
        fields.at_most_one(&["localityLbSetting", "zoneAwareLbSetting"]);
        let simple = fields.get("simple", |simple| {
            use LoadBalancerPolicy::{LeastRequest, Passthrough, Random, RoundRobin, Unspecified};
            let policies =
                ["UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"];
            let chosen = simple.one_of(&policies.map(|name| (name, name)))?;
            Some(match chosen {
                "LEAST_CONN" => {
                    simple.deprecated("LEAST_CONN", "`LEAST_REQUEST`");
                    LeastRequest
                }
                "LEAST_REQUEST" => LeastRequest,
                "RANDOM" => Random,
                "PASSTHROUGH" => Passthrough,
                "ROUND_ROBIN" => RoundRobin,
                _ => Unspecified,
            })
        });
        let hash = fields.get("consistentHash", consistent_hash);
        let locality = fields.get("localityLbSetting", |setting| locality(setting, has_outlier_detection));
        fields.get("zoneAwareLbSetting", |setting| {
            setting.unsupported(
                "`zoneAwareLbSetting` is not supported: it spreads requests by the share of each zone in the proxies \
                 like this one, which files don't say; `localityLbSetting` prefers near endpoints",
            );
            Some(())
        });
        let old_warmup = fields.get("warmupDurationSecs", |field| {
            field.deprecated("warmupDurationSecs", "`warmup.duration`");
            field.duration().map(|duration| Warmup { duration, minimum_percent: 10.0, aggression: 1.0 })
        });
        let warmup = fields.get("warmup", warmup).or(old_warmup);
        if warmup.is_some() && (hash.is_some() || matches!(simple, Some(LoadBalancerPolicy::Random | LoadBalancerPolicy::Passthrough))) {
            settings.warn("`warmup` has an effect with ROUND_ROBIN and LEAST_REQUEST alone");
        }
        Some(LoadBalancer { policy: hash.or(simple).unwrap_or_default(), locality, warmup })
    })
}

/// The consistent hash, and that something else is said where something else is.
pub(crate) fn decode_hash(settings: &Cursor<'_>) -> Option<LoadBalancer> {
    settings.object(|fields| {
        fields.ignore_rest();
        let policy = fields.get("consistentHash", any_hash).unwrap_or_default();
        Some(LoadBalancer { policy, ..LoadBalancer::default() })
    })
}

/// Some consistent hash, if there is one: what it is made of is not read.
fn any_hash(hash: &Cursor<'_>) -> Option<LoadBalancerPolicy> {
    hash.object(|fields| {
        fields.ignore_rest();
        let keys = ["httpHeaderName", "httpCookie", "httpQueryParameterName"];
        let hashes = keys.iter().any(|name| fields.has(name)) || fields.flag("useSourceIp");
        let algorithm = HashAlgorithm::RingHash { minimum_ring_size: RING };
        hashes.then_some(LoadBalancerPolicy::ConsistentHash { key: HashKey::SourceIp, algorithm })
    })
}

fn consistent_hash(hash: &Cursor<'_>) -> Option<LoadBalancerPolicy> {
    hash.object(|fields| {
        let keys = ["httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"];
        fields.at_most_one(&keys);
        fields.at_most_one(&["ringHash", "maglev", "minimumRingSize"]);
        if !keys.iter().any(|name| fields.has(name)) {
            hash.error(format_args!("missing one of `{}`", keys.join("`, `")));
        }
        let header = fields.get("httpHeaderName", |name| name.checked(crate::check::headers::name));
        let header = header.map(|name| HashKey::Header(name.to_ascii_lowercase()));
        let cookie = fields.get("httpCookie", cookie);
        let source_ip = fields.get("useSourceIp", |field| match field.bool()? {
            true => Some(HashKey::SourceIp),
            false => {
                field.warn("`useSourceIp: false` leaves nothing to hash, so the default is used");
                None
            }
        });
        let parameter =
            fields.get("httpQueryParameterName", |at| at.non_empty()).map(HashKey::QueryParameter);
        let algorithm = algorithm(fields);
        Some(LoadBalancerPolicy::ConsistentHash {
            key: header.or(cookie).or(source_ip).or(parameter)?,
            algorithm,
        })
    })
}

fn cookie(cookie: &Cursor<'_>) -> Option<HashKey> {
    cookie.object(|fields| {
        let attributes = fields.list("attributes", |attribute| {
            attribute.object(|fields| {
                let name = fields.required("name", |at| at.non_empty());
                Some((name?, fields.text("value").unwrap_or_default()))
            })
        });
        let names: Vec<_> = attributes.iter().map(|(name, _)| name.as_str()).collect();
        fields.repeated("attributes", "attribute", &names);
        let name = fields.required("name", |at| at.non_empty());
        let path = fields.text("path");
        let ttl = fields.get("ttl", |ttl| ttl.duration_with(|_| Ok(())));
        Some(HashKey::Cookie { name: name?, path, ttl, attributes })
    })
}

fn algorithm(fields: &Object<'_>) -> HashAlgorithm {
    let size = |field: &Cursor<'_>| field.within::<u64>(0, i64::MAX);
    let old = fields.get("minimumRingSize", |field| {
        field.deprecated("minimumRingSize", "`ringHash.minimumRingSize`");
        size(field)
    });
    let ring = fields.get("ringHash", |ring| {
        ring.object(|fields| Some(fields.get("minimumRingSize", size).unwrap_or(RING)))
    });
    let table = fields.get("maglev", |maglev| {
        maglev.object(|fields| {
            fields.required("tableSize", |field| {
                let size = size(field)?;
                if size == 0 || size >= LARGEST_TABLE || !is_prime(size) {
                    field.error_hint(
                        format_args!("`{size}` is not a prime below {LARGEST_TABLE}"),
                        format!("Envoy's own choice is {TABLE}"),
                    );
                }
                Some(size)
            })
        })
    });
    match table {
        Some(table_size) => HashAlgorithm::Maglev { table_size },
        None => HashAlgorithm::RingHash {
            minimum_ring_size: ring.or(old).filter(|size| *size > 0).unwrap_or(RING),
        },
    }
}

/// Envoy takes 1 for a prime, too.
fn is_prime(number: u64) -> bool {
    matches!(number, 1..=3)
        || (number % 2 == 1
            && (3..)
                .step_by(2)
                .take_while(|factor| factor * factor <= number)
                .all(|factor| !number.is_multiple_of(factor)))
}

fn locality(setting: &Cursor<'_>, has_outlier_detection: bool) -> Option<LocalityLb> {
    setting.object(|fields| {
        fields.at_most_one(&["distribute", "failover"]);
        let distribute = fields.list("distribute", distribute);
        let failover = fields.list("failover", failover);
        let priority = fields.list("failoverPriority", |at| at.non_empty());
        let place = priority.iter().find(|label| PLACES.contains(&label.as_str()));
        if let Some(label) = place.filter(|_| !failover.is_empty()) {
            setting.error(format_args!("`failover` can't be given with `{label}` in `failoverPriority`"));
        }
        if !distribute.is_empty() && !priority.is_empty() {
            setting.warn("`failoverPriority` has no effect beside `distribute`");
        }
        let fails_over = !failover.is_empty() || !priority.is_empty();
        if fails_over && !has_outlier_detection {
            setting.warn("without `outlierDetection` nothing ever fails over");
        }
        let mode = if !distribute.is_empty() {
            LocalityMode::Distribute(distribute)
        } else if !priority.is_empty() {
            LocalityMode::FailoverPriority { labels: priority, regions: failover }
        } else if !failover.is_empty() {
            LocalityMode::Failover(failover)
        } else {
            LocalityMode::Default
        };
        Some(LocalityLb { enabled: fields.get("enabled", |at| at.bool()), mode })
    })
}

fn distribute(entry: &Cursor<'_>) -> Option<(String, Vec<(String, u32)>)> {
    entry.object(|fields| {
        let from = fields.required("from", |at| at.non_empty());
        let to = fields
            .required("to", |to| Some(to.map(|_, weight| weight.within::<u32>(1, 100))))
            .unwrap_or_default();
        let sum: u32 = to.iter().map(|(_, weight)| *weight).sum();
        if sum != 100 {
            entry.error(format_args!("the weights under `to` add up to {sum}, not to 100"));
        }
        Some((from?, to))
    })
}

fn failover(entry: &Cursor<'_>) -> Option<(String, String)> {
    entry.object(|fields| {
        let region = |name| {
            fields.required(name, |region| {
                region.checked(|text| {
                    if text.contains(['/', '*']) {
                        Err("is not the name of a region".to_owned())
                    } else {
                        Ok(())
                    }
                })
            })
        };
        let (from, to) = (region("from"), region("to"));
        if from.is_some() && from == to {
            entry.error("`from` and `to` are the same region");
        }
        Some((from?, to?))
    })
}

fn warmup(warmup: &Cursor<'_>) -> Option<Warmup> {
    warmup.object(|fields| {
        let duration = fields.required("duration", |at| at.duration());
        let minimum_percent = fields.get("minimumPercent", |at| at.percentage());
        let aggression = fields.get("aggression", |aggression| {
            let value = aggression.number()?;
            if value <= 0.0 {
                aggression.error(format_args!("`{}` is not above 0", Number::Float(value)));
            }
            Some(value)
        });
        Some(Warmup {
            duration: duration?,
            minimum_percent: minimum_percent.unwrap_or(10.0),
            aggression: aggression.unwrap_or(1.0),
        })
    })
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::is_prime;

    #[test]
    fn primes() {
        let primes: Vec<u64> = (0..30).filter(|number| is_prime(*number)).collect();
        assert_eq!(primes, [1, 2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
        assert!(is_prime(65_537) && !is_prime(65_539 * 3));
    }
}
