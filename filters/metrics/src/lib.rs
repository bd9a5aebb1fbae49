//! Istio's standard metrics as Envoy stats.

outrigger_host::filter!(outrigger_host::PolicySet::METRICS);
