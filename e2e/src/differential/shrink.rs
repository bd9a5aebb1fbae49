//! Makes a difference small: takes away everything that it does not need.

use anyhow::Result;
use serde_json::Value;

use super::batch::Difference;
use super::configuration::{Configuration, tag};
use super::policy::{Comparison, Policy};
use super::request::Request;

/// Envoy starts at most so often.
const ROUNDS: usize = 40;
/// So many things are tried at once.
const TRIES: usize = 150;
/// Where the numbers of what is tried begin: above those of any run.
const FIRST: usize = 900_000;

/// The smallest difference that is still one.
pub(super) fn smallest<P: Policy>(policy: &P, difference: &Difference) -> Result<Difference> {
    let mut smallest = difference.clone();
    for _ in 0..ROUNDS {
        eprintln!("differential: making it smaller, {} bytes", size(&smallest.configuration));
        let steps = steps(&smallest.configuration);
        let singles: Vec<_> =
            steps.iter().map(|step| without(&smallest.configuration, std::slice::from_ref(step))).collect();
        let requests: Vec<_> = smallest.request.smaller();
        let mut tries: Vec<(Configuration, Request)> =
            singles.into_iter().map(|configuration| (configuration, smallest.request.clone())).collect();
        let of_steps = tries.len();
        tries.extend(requests.into_iter().map(|request| (smallest.configuration.clone(), request)));
        tries.truncate(TRIES);
        let found = differing(policy, &tries)?;
        let helpful: Vec<_> = found
            .iter()
            .filter(|(index, _)| *index < of_steps)
            .map(|(index, _)| steps[*index].clone())
            .collect();
        let Some(first) = found.first() else { return Ok(smallest) };
        // Taken together they may take too much away: the most of them that leave the difference.
        let together: Vec<_> = (2..=helpful.len())
            .map(|count| (without(&smallest.configuration, &helpful[..count]), smallest.request.clone()))
            .collect();
        let several = if together.is_empty() { Vec::new() } else { differing(policy, &together)? };
        let best = several.into_iter().map(|(_, difference)| difference);
        let best = best.min_by_key(|difference| size(&difference.configuration));
        smallest = best.unwrap_or_else(|| first.1.clone());
    }
    Ok(smallest)
}

fn size(configuration: &Configuration) -> usize {
    configuration.resources.iter().map(|resource| resource.to_string().len()).sum()
}

/// Those of `tries` that differ, with their index. What one of the sides does not take is passed over.
fn differing<P: Policy>(policy: &P, tries: &[(Configuration, Request)]) -> Result<Vec<(usize, Difference)>> {
    let mut renamed = Vec::new();
    for (index, (configuration, request)) in tries.iter().enumerate() {
        let tag = tag(FIRST + index);
        let request = request.renamed(&configuration.tag, &tag);
        let configuration = configuration.renamed(&tag);
        if matches!(policy.refusal(&configuration), Ok(None)) {
            renamed.push((index, configuration, request));
        }
    }
    asked(policy, &renamed, tries)
}

/// A try: its index, and what is tried under a name of its own.
type Renamed = (usize, Configuration, Request);

/// Those of `renamed` that differ. Of what Envoy does not start with, each half is tried on its own, down to the one that
/// it refuses.
fn asked<P: Policy>(
    policy: &P,
    renamed: &[Renamed],
    tries: &[(Configuration, Request)],
) -> Result<Vec<(usize, Difference)>> {
    let configurations: Vec<_> = renamed.iter().map(|(_, configuration, _)| configuration.clone()).collect();
    let pair = match (policy.start(&configurations), renamed) {
        (_, []) | (Err(_), [_]) => return Ok(Vec::new()),
        (Err(_), several) => {
            let (left, right) = several.split_at(several.len() / 2);
            let mut found = asked(policy, left, tries)?;
            found.extend(asked(policy, right, tries)?);
            return Ok(found);
        }
        (Ok(pair), _) => pair,
    };
    let mut asker = policy.connect(&pair);
    let mut found = Vec::new();
    for (index, configuration, request) in renamed {
        if let Comparison::Differs { ours, native } = policy.compare(configuration, request, &mut asker)? {
            let (configuration, request) = tries[*index].clone();
            found.push((*index, Difference { configuration, request, ours, native }));
        }
    }
    Ok(found)
}

/// What can be taken away: whole resources, then the parts of their specs, the largest first.
fn steps(configuration: &Configuration) -> Vec<(usize, String)> {
    let mut steps = Vec::new();
    for (index, resource) in configuration.resources.iter().enumerate() {
        let at = steps.len();
        collect(&resource["spec"], "/spec", index, &mut steps);
        let of = |pointer: &str| resource.pointer(pointer).map_or(0, |value| value.to_string().len());
        steps[at..].sort_by_key(|(_, pointer)| std::cmp::Reverse(of(pointer)));
        steps.insert(at, (index, String::new()));
        steps.push((index, "/metadata/creationTimestamp".to_owned()));
    }
    steps
}

fn collect(value: &Value, pointer: &str, resource: usize, steps: &mut Vec<(usize, String)>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, child)| (format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), child))
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, child)| (format!("{pointer}/{index}"), child)).collect()
        }
        _ => Vec::new(),
    };
    for (pointer, child) in children {
        steps.push((resource, pointer.clone()));
        collect(child, &pointer, resource, steps);
    }
}

/// `configuration` without what `steps` name. The last of a list goes first, so that the others keep their place.
fn without(configuration: &Configuration, steps: &[(usize, String)]) -> Configuration {
    let mut smaller = configuration.clone();
    let mut steps = steps.to_vec();
    steps.sort_by_key(|(resource, pointer)| {
        let parts: Vec<_> =
            pointer.split('/').map(|part| (part.parse::<usize>().unwrap_or(0), part.to_owned())).collect();
        (*resource, parts)
    });
    for (resource, pointer) in steps.iter().rev() {
        let Some((parent, name)) = pointer.rsplit_once('/') else {
            smaller.resources[*resource] = Value::Null;
            continue;
        };
        match smaller.resources[*resource].pointer_mut(parent) {
            Some(Value::Object(fields)) => {
                fields.remove(&name.replace("~1", "/").replace("~0", "~"));
            }
            Some(Value::Array(items)) => {
                if let Some(index) = name.parse().ok().filter(|index| *index < items.len()) {
                    items.remove(index);
                }
            }
            _ => {}
        }
    }
    smaller.resources.retain(|resource| !resource.is_null());
    smaller
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_can_be_taken_away_one_by_one_or_together() {
        let resources = vec![json!({"spec": {"a": [1, {"b/c": 2}, 3]}}), json!({"spec": {}})];
        let configuration = Configuration { tag: tag(1), resources };
        let steps = steps(&configuration);
        assert!(steps.contains(&(0, "/spec/a/1/b~1c".to_owned())));
        let at = |pointer: &str| (0, pointer.to_owned());
        let left = without(
            &configuration,
            &[at("/spec/a/0"), at("/spec/a/2"), at("/spec/a/1/b~1c"), (1, String::new())],
        );
        assert_eq!(left.resources, [json!({"spec": {"a": [{}]}})]);
    }
}
