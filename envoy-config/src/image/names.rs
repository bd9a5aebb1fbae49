//! What the images of the modules are called.

use crate::modules::Module;

/// The name of a module's image: `outrigger` for the suite, `outrigger-authz` for a single policy.
#[must_use]
pub const fn image(module: Module) -> &'static str {
    match module {
        Module::Suite => "outrigger",
        Module::JwtAuthn => "outrigger-jwt-authn",
        Module::Authz => "outrigger-authz",
        Module::Fault => "outrigger-fault",
        Module::Router => "outrigger-router",
        Module::Metrics => "outrigger-metrics",
    }
}

/// The repository of a module's image when several are pushed to `base`: the suite's is `base`, the others stand beside
/// it as `base-authz`.
#[must_use]
pub fn repository(base: &str, module: Module) -> String {
    match module {
        Module::Suite => base.to_owned(),
        other => format!("{base}-{}", other.name()),
    }
}

/// What a module does, in a line.
#[must_use]
pub const fn description(module: Module) -> &'static str {
    match module {
        Module::Suite => "Istio's routes, faults, tokens, authorization and metrics in one filter for Envoy",
        Module::JwtAuthn => "Istio's RequestAuthentication as a filter for Envoy",
        Module::Authz => "Istio's AuthorizationPolicy as a filter for Envoy",
        Module::Fault => "Istio's fault injection as a filter for Envoy",
        Module::Router => "Istio's VirtualService routes as a filter for Envoy",
        Module::Metrics => "Istio's standard metrics as a filter for Envoy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_called_like_the_repositories_beside_the_suite() {
        for module in Module::ALL {
            assert_eq!(image(module), repository("outrigger", module));
        }
    }
}
