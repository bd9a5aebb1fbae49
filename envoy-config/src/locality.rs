//! Where a workload runs, as Istio writes it: `region/zone/subzone`.

use outrigger_api::types::common::Labels;

use crate::envoy::cluster::Locality;

/// The label of a network.
pub(crate) const NETWORK: &str = "topology.istio.io/network";

/// What a text says; what it leaves out is empty.
pub(crate) fn parse(text: &str) -> Locality {
    let mut parts = text.splitn(3, '/').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    Locality { region: next(), zone: next(), sub_zone: next() }
}

/// The same for a flag, where nothing may be wrong with it.
///
/// # Errors
/// It is not one to three names with slashes between them.
pub(crate) fn parse_flag(text: &str) -> Result<Locality, String> {
    let parts: Vec<_> = text.split('/').collect();
    if parts.len() > 3 || parts.iter().any(|part| part.is_empty() || part.contains('*')) {
        return Err(format!("`{text}` is not `region`, `region/zone` or `region/zone/subzone`"));
    }
    Ok(parse(text))
}

/// The labels of a workload with those that Istio adds for the place where it runs.
pub(crate) fn with_place(labels: &Labels, locality: &Locality, network: Option<&str>) -> Labels {
    let place = [
        ("topology.kubernetes.io/region", locality.region.as_str()),
        ("topology.kubernetes.io/zone", &locality.zone),
        ("topology.istio.io/subzone", &locality.sub_zone),
        (NETWORK, network.unwrap_or_default()),
    ];
    let place = place.into_iter().filter(|(_, value)| !value.is_empty());
    let mut all = labels.clone();
    all.extend(place.map(|(name, value)| (name.to_owned(), value.to_owned())));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locality_has_up_to_three_parts() {
        for (text, parts) in [
            ("", ["", "", ""]),
            ("eu", ["eu", "", ""]),
            ("eu/1", ["eu", "1", ""]),
            ("eu/1/a", ["eu", "1", "a"]),
        ] {
            let [region, zone, sub_zone] = parts.map(str::to_owned);
            assert_eq!(parse(text), Locality { region, zone, sub_zone }, "{text}");
        }
        for wrong in ["", "/", "eu/", "eu//a", "a/b/c/d", "eu/*"] {
            assert!(parse_flag(wrong).is_err(), "{wrong}");
        }
    }
}
