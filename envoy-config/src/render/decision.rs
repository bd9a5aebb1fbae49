//! What the filters leave of a request's fate for logs and traces.

/// Each part, and the filter state that it stands in.
pub(super) const PARTS: [(&str, &str); 5] = [
    ("route", "wasm.outrigger.route"),
    ("fault", "wasm.outrigger.fault"),
    ("jwt", "wasm.outrigger.jwt"),
    ("authz", "wasm.outrigger.authz"),
    ("authz_dry_run", "wasm.outrigger.authz_dry_run"),
];

/// Envoy's operator that prints a part.
pub(super) fn operator(filter_state: &str) -> String {
    format!("%FILTER_STATE({filter_state}:PLAIN)%")
}

/// `%RESPONSE_FLAGS%` with `DI` and `FI`, which a filter can't set in Envoy: it leaves them, with all others, in filter
/// state.
const FLAGS: &str = concat!(
    r#"%COALESCE({"operators":[{"command":"FILTER_STATE","param":"wasm.outrigger.flags:PLAIN"},"#,
    r#""RESPONSE_FLAGS"]})%"#
);

/// A format in which the flags of faults are seen too.
pub(super) fn with_fault_flags(format: &str) -> String {
    format.replace("%RESPONSE_FLAGS%", FLAGS)
}
