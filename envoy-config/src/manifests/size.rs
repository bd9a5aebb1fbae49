//! How large a Kubernetes object can be.

use serde::Serialize;

use super::error::Error;

/// etcd refuses a request that is larger (its `--max-request-bytes`, 1.5 MiB unless set), and an object is stored by one,
/// as JSON. This is the narrowest of the limits: the API server reads requests of up to 3 MiB, and the 1 MiB that is often
/// named is for the data of Secrets and ConfigMaps.
const STORED: usize = 1_572_864;

/// Room for what the API server adds: `managedFields`, `uid`, `status`, and the key.
const ADDED: usize = 65_536;

/// `kubectl apply` without `--server-side` keeps the whole object in an annotation, and all annotations together may have
/// so many bytes.
const ANNOTATIONS: usize = 262_144;

/// Room for other annotations, and for the quotes of the one.
const OTHERS: usize = 4_096;

/// Checks an object called `name`. `Ok(Some(…))`: it can be stored, but something should be known.
///
/// # Errors
/// It is too large to be stored.
pub(super) fn check(name: &str, object: &impl Serialize) -> Result<Option<String>, Error> {
    let json = serde_json::to_vec(object).map_err(|error| Error::Yaml(error.to_string()))?;
    judge(name, json.len())
}

fn judge(name: &str, bytes: usize) -> Result<Option<String>, Error> {
    if bytes > STORED - ADDED {
        return Err(Error::Refused(format!(
            "`{name}` has {bytes} bytes as JSON, more than the {} that a cluster can store (etcd's limit of {STORED} \
             for a request, and what the API server adds)\n\
             hint: split it: render fewer resources with `-f`, for one `--selector` or `--namespace` at a time, or one \
             module with `--modules`; or configure Envoy by files, with `run` or `render --to envoy`",
            STORED - ADDED
        )));
    }
    let large = bytes > ANNOTATIONS - OTHERS;
    Ok(large.then(|| {
        format!(
            "`{name}` has {bytes} bytes: apply it with `kubectl apply --server-side`; without, kubectl copies it into \
             an annotation, and those end at {ANNOTATIONS}"
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_limits() {
        assert_eq!(judge("a", 258_048).unwrap(), None);
        assert!(judge("a", 258_049).unwrap().unwrap().contains("--server-side"));
        assert!(judge("a", 1_507_328).is_ok());
        let said = judge("a", 1_507_329).unwrap_err().to_string();
        assert!(
            said.contains("1507329 bytes") && said.contains("1572864") && said.contains("hint: split it"),
            "{said}"
        );
    }

    #[test]
    fn what_counts_is_json() {
        assert!(matches!(check("a", &"x".repeat(1_507_327)), Err(Error::Refused(_))));
        assert!(check("a", &"x".repeat(1_507_326)).unwrap().is_some());
    }
}
