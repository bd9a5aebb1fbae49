//! Demo services, scenarios and tests against real Envoy.
