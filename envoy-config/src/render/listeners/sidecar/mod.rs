//! The ports of a sidecar: where its application sends its requests, and where those for it come in.

mod inbound;
mod mtls;
mod outbound;

pub(crate) use self::inbound::passes_on;

use outrigger_api::select::sidecar::sidecar;
use outrigger_api::{Problem, Proxy, Resource};

use super::gateway::Context;
use super::{Application, Bind, Chain, Content, Http, Plan, Tcp, Traffic, Unknown};
use crate::credentials::Credentials;
use crate::render::options::Options;
use crate::render::secrets::Secrets;

/// A listener for each port, and what is carried out but hardly meant so.
pub(super) fn plan(
    resources: &[Resource],
    proxy: &Proxy,
    options: &Options,
    credentials: &Credentials<'_>,
    secrets: &mut Secrets,
) -> Result<(Vec<Plan>, Vec<Problem>), Vec<Problem>> {
    let chosen = sidecar(resources, proxy);
    let outbound = outbound::plan(resources, chosen, proxy, options);
    let (problems, warnings) = (Vec::new(), Vec::new());
    let context = Context { resources, proxy, options, credentials, secrets, problems, warnings };
    let inbound = inbound::plan(chosen, context);
    match (outbound, inbound) {
        (Ok(mut plans), Ok((inbound, warnings))) => {
            plans.extend(inbound);
            Ok((plans, warnings))
        }
        (outbound, inbound) => {
            let mut problems = outbound.err().unwrap_or_default();
            problems.extend(inbound.err().unwrap_or_default());
            Err(problems)
        }
    }
}
