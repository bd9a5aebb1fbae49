//! Random operations.

use serde_json::{Map, Value};

use super::{Random, lists, words};

/// One to three fields of an operation.
pub(super) fn random(random: &mut Random) -> Value {
    let mut operation = Map::new();
    for _ in 0..*random.one(&[1, 1, 1, 2, 3]) {
        match random.below(6) {
            0 => lists(random, &mut operation, ["hosts", "notHosts"], words::HOSTS),
            1 => lists(random, &mut operation, ["methods", "notMethods"], words::METHODS),
            2 => lists(random, &mut operation, ["ports", "notPorts"], words::DESTINATION_PORTS),
            _ => lists(random, &mut operation, ["paths", "notPaths"], words::PATHS),
        }
    }
    operation.into()
}
