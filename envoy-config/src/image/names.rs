//! What the images of the modules are called.

use crate::modules::Module;

/// The name of a module's image: `outrigger` for the suite, `outrigger-authz` for a single policy.
#[must_use]
pub fn image(module: Module) -> String {
    repository("outrigger", module)
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
    fn images_are_called_like_the_modules() {
        let names = Module::ALL.map(image);
        assert_eq!(
            names.each_ref().map(String::as_str),
            [
                "outrigger",
                "outrigger-jwt-authn",
                "outrigger-authz",
                "outrigger-fault",
                "outrigger-router",
                "outrigger-metrics",
            ]
        );
        assert_eq!(names, Module::ALL.map(|module| repository("outrigger", module)));
    }
}
