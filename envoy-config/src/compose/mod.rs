//! Puts a sidecar beside each service of a compose file that asks for one by Istio's label, as Istio's injector does with
//! pods. What the user wrote stays as it is, letter for letter; what is added stands between marks, so that adding it
//! once more changes nothing.
//!
//! The application moves to a network of its own, where it meets its sidecar and the services it needs without one. The
//! sidecar takes its place, name and all, on the networks where it was. Nothing is shared but these networks, so each
//! container can be restarted at any time.

mod application;
mod edit;
mod emit;
mod generate;
mod kept;
mod marks;
mod model;
mod place;
mod registry;
#[cfg(test)]
mod tests;
mod values;

use outrigger_api::node::{Node, Position};

pub use self::generate::Settings;
use self::model::Model;

/// The label by which a service asks for a sidecar, as in Istio.
pub const INJECT: &str = "sidecar.istio.io/inject";
/// The label of a service that runs `outrigger run` itself and needs a certificate.
pub const GATEWAY: &str = "outrigger.io/gateway";
/// The label with the ports of an application.
pub const APP_PORT: &str = "outrigger.io/app-port";
/// The label with a service's namespace.
pub const NAMESPACE: &str = "outrigger.io/namespace";
/// The label with its service account.
pub const SERVICE_ACCOUNT: &str = "outrigger.io/service-account";
/// The label with the services that an application speaks to past its sidecar.
pub const DIRECT: &str = "outrigger.io/direct";

/// What came of a compose file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injected {
    /// The compose file with sidecars.
    pub compose: String,
    /// ServiceEntries by which the sidecars find each other.
    pub services: String,
    /// The services with a sidecar.
    pub with_sidecar: Vec<String>,
    /// What the user should know.
    pub warnings: Vec<ComposeError>,
}

/// Something is wrong with a compose file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ComposeError {
    /// What.
    pub message: String,
    /// What would help.
    pub hint: Option<String>,
    /// Where.
    pub position: Option<Position>,
}

impl ComposeError {
    pub(crate) fn new(message: impl Into<String>, at: Option<Position>) -> Self {
        Self { message: message.into(), hint: None, position: at }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Puts the sidecars into the compose file `text`, which may have some already.
///
/// # Errors
/// The file can't be read, or says something that does not go with a sidecar: all of it.
pub fn inject(text: &str, settings: &Settings) -> Result<Injected, Vec<ComposeError>> {
    let plain = marks::remove(text).map_err(|error| vec![error])?;
    let node = read(&plain).map_err(|error| vec![error])?;
    let model = Model::read(&node)?;
    let generated = generate::generate(&model, settings)?;
    let compose = application::write(&plain, &model, &generated)?;
    // What was written is read again: a sidecar at the wrong place is worse than none.
    let written = read(&compose).map_err(|error| vec![cannot(&error)])?;
    let again = marks::remove(&compose).map_err(|error| vec![cannot(&error)])?;
    if again != ended(&plain) || !kept::is_kept(&node, &written) {
        let error = ComposeError::new("this file is laid out in a way that can't be added to", None);
        return Err(vec![error.hint(
            "write its services over several lines each, and what anchors stand for (`&`) outside of them",
        )]);
    }
    Ok(Injected {
        compose,
        services: registry::service_entries(&model, settings),
        with_sidecar: model.injected().map(|service| service.name.to_owned()).collect(),
        warnings: model.warnings(),
    })
}

fn read(text: &str) -> Result<Node, ComposeError> {
    let mut documents = outrigger_api::parse_yaml_nodes(text).into_iter();
    match (documents.next(), documents.next()) {
        (Some(Ok(node)), None) => Ok(node),
        (Some(Err((message, at))), _) => Err(ComposeError::new(message, Some(at))),
        (None, _) => Err(ComposeError::new("the file is empty", None)),
        (Some(Ok(_)), Some(_)) => {
            Err(ComposeError::new("a compose file is one document, without `---`", None))
        }
    }
}

fn cannot(error: &ComposeError) -> ComposeError {
    ComposeError::new(format!("what would be written is no compose file any more: {error}"), None)
}

fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}
