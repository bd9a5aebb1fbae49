//! Where a workload runs, as Istio writes it: `region/zone/subzone`.

use crate::envoy::cluster::Locality;

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
