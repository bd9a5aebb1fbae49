//! The codes of findings: Istio's own, and those it has no code for.

/// Something named is absent.
pub const REFERENCED_RESOURCE_NOT_FOUND: &str = "IST0101";
/// Several VirtualServices of the mesh claim one host.
pub const CONFLICTING_MESH_HOSTS: &str = "IST0109";
/// Several Sidecars hold for a whole namespace.
pub const MULTIPLE_SIDECARS: &str = "IST0111";
/// A service with several ports is named without one.
pub const DESTINATION_PORT_REQUIRED: &str = "IST0112";
/// A service port's name says nothing of its protocol.
pub const PORT_NAME: &str = "IST0118";
/// Several Sidecars choose one workload.
pub const CONFLICTING_SIDECARS: &str = "IST0110";
/// A selector chooses no workload.
pub const NO_MATCHING_WORKLOADS: &str = "IST0127";
/// The server of a TLS connection is not verified.
pub const UNVERIFIED_SERVER: &str = "IST0128";
/// The same, for one port.
pub const UNVERIFIED_SERVER_OF_PORT: &str = "IST0129";
/// A rule is never reached.
pub const UNREACHABLE_RULE: &str = "IST0130";
/// A match is covered by an earlier one.
pub const INEFFECTIVE_MATCH: &str = "IST0131";
/// A host of a VirtualService is not on its Gateway.
pub const HOST_NOT_IN_GATEWAY: &str = "IST0132";
/// A gateway's route to a host does not follow the mesh's rules for that host.
pub const INGRESS_RULES_NOT_AFFECTED: &str = "IST0140";
/// Several Gateways open one port for one host.
pub const CONFLICTING_GATEWAYS: &str = "IST0145";
/// A route asks for a claim of a token that nobody verifies.
pub const CLAIM_ROUTE_WITHOUT_AUTHENTICATION: &str = "IST0149";
/// Several Telemetries choose one workload.
pub const CONFLICTING_TELEMETRIES: &str = "IST0159";
/// Several Telemetries hold for a whole namespace.
pub const MULTIPLE_TELEMETRIES: &str = "IST0160";
/// A Gateway that Istio made is named.
pub const INTERNAL_GATEWAY: &str = "IST0165";
/// A subset's labels choose nothing.
pub const SUBSET_SELECTS_NOTHING: &str = "IST0173";
/// The host of a DestinationRule is not known.
pub const UNKNOWN_DESTINATION_RULE_HOST: &str = "IST0174";
/// ServiceEntries of one host disagree about what is spoken on a port.
pub const CONFLICTING_ENTRY_PROTOCOLS: &str = "IST0177";

/// Nothing says which endpoints a subset could choose from.
pub const UNKNOWN_ENDPOINTS: &str = "OUT0103";
/// A fault that does not show as one would expect.
pub const HIDDEN_FAULT: &str = "OUT0301";
/// Faults have ended, or will soon.
pub const FAULT_EXPIRY: &str = "OUT0302";
/// An annotation of ours does nothing.
pub const ANNOTATION_WITHOUT_EFFECT: &str = "OUT0303";
/// A resource is defined twice.
pub const DUPLICATE_RESOURCE: &str = "OUT0201";
/// A kind is not Outrigger's.
pub const IGNORED_KIND: &str = "OUT0202";
/// A file holds no resource.
pub const EMPTY_FILE: &str = "OUT0203";
/// A rule of a delegate does not go together with the rule that delegates.
pub const DELEGATE_CONFLICT: &str = "OUT0210";
/// A ServiceEntry names the host of a Service of another namespace.
pub const HOST_OF_A_SERVICE: &str = "OUT0212";
/// A VirtualService without hosts to which nobody delegates.
pub const UNUSED_DELEGATE: &str = "OUT0211";

/// A PeerAuthentication is for nobody.
pub const IGNORED_PEER_AUTHENTICATION: &str = "OUT0220";
/// Several PeerAuthentications are for the same workloads.
pub const CONFLICTING_PEER_AUTHENTICATIONS: &str = "OUT0221";
/// A Sidecar counts on connections being diverted.
pub const CAPTURE_MODE: &str = "OUT0222";
/// TLS of a Sidecar's listener where mutual TLS of the mesh comes first.
pub const TLS_WITHOUT_EFFECT: &str = "OUT0223";

/// Keys of tokens are fetched without TLS.
pub const PLAIN_TEXT_KEYS: &str = "OUT0230";
/// Rules only count what they would refuse.
pub const TRIED_OUT: &str = "OUT0231";

/// A policy asks a server that the mesh configuration does not name, or that can't be found.
pub const UNKNOWN_PROVIDER: &str = "OUT0250";
/// A workload is to ask two servers.
pub const SECOND_PROVIDER: &str = "OUT0251";
/// A Telemetry names a provider that is not there.
pub const UNKNOWN_TELEMETRY_PROVIDER: &str = "OUT0260";
/// A provider is named for what its kind does not do.
pub const UNSUITABLE_PROVIDER: &str = "OUT0261";
/// Nothing says where a provider's server is.
pub const COLLECTOR_NOT_FOUND: &str = "OUT0262";
/// An expression of a Telemetry is not CEL, or about what Envoy does not know.
pub const BAD_EXPRESSION: &str = "OUT0263";
/// A part of a Telemetry does nothing.
pub const TELEMETRY_WITHOUT_EFFECT: &str = "OUT0264";
/// Parts of a rule exclude each other.
pub const NEVER_HOLDS: &str = "OUT0240";
/// A value of a rule is one that no request has.
pub const VALUE_OF_NO_REQUEST: &str = "OUT0241";
/// A rule adds nothing to another one.
pub const COVERED_RULE: &str = "OUT0242";
/// Two AuthorizationPolicies say the same.
pub const REPEATED_POLICY: &str = "OUT0243";
/// An ALLOW policy allows nothing.
pub const ALLOWS_NOTHING: &str = "OUT0244";
/// Rules are about the identity of peers that need not have one.
pub const PEERS_WITHOUT_IDENTITY: &str = "OUT0245";
/// Rules are about tokens that nobody verifies.
pub const TOKENS_NOT_VERIFIED: &str = "OUT0246";

/// A label takes whatever values callers choose.
pub const UNBOUNDED_LABEL: &str = "OUT0270";
/// How many series the labels of a Telemetry make.
pub const SERIES_ESTIMATE: &str = "OUT0271";

pub use outrigger_api::problem::code::UNSUPPORTED;

/// What each code is about, in a few words, for SARIF's list of rules.
pub fn title(code: &str) -> &'static str {
    use outrigger_api::problem::code;
    match code {
        code::DEPRECATED => "deprecated field",
        code::SCHEMA => "field does not fit Istio's schema or validation",
        code::WARNING => "valid, but hardly meant so",
        REFERENCED_RESOURCE_NOT_FOUND => "something named is absent",
        PLAIN_TEXT_KEYS => "keys of tokens are fetched without TLS",
        TRIED_OUT => "rules are tried out and refuse nobody",
        UNKNOWN_PROVIDER => "extension provider can't be asked",
        SECOND_PROVIDER => "a workload is to ask two extension providers",
        UNKNOWN_TELEMETRY_PROVIDER => "Telemetry names a provider that is not there",
        UNSUITABLE_PROVIDER => "provider is named for what its kind does not do",
        COLLECTOR_NOT_FOUND => "nothing says where a provider's server is",
        BAD_EXPRESSION => "expression is not CEL, or about what Envoy does not know",
        TELEMETRY_WITHOUT_EFFECT => "a part of a Telemetry does nothing",
        HIDDEN_FAULT => "timeout or retries never see the fault",
        FAULT_EXPIRY => "faults have ended or end soon",
        ANNOTATION_WITHOUT_EFFECT => "annotation does nothing",
        HOST_OF_A_SERVICE => "ServiceEntry names the host of another namespace's Service",
        CONFLICTING_MESH_HOSTS => "several VirtualServices of the mesh claim one host",
        MULTIPLE_SIDECARS => "several Sidecars hold for a whole namespace",
        DESTINATION_PORT_REQUIRED => "a service with several ports is named without one",
        CONFLICTING_SIDECARS => "several Sidecars choose one workload",
        PORT_NAME => "name of a service port does not say its protocol",
        NO_MATCHING_WORKLOADS => "selector chooses no workload",
        UNVERIFIED_SERVER => "server of a TLS connection is not verified",
        UNVERIFIED_SERVER_OF_PORT => "server of a TLS connection is not verified on a port",
        UNREACHABLE_RULE => "rule is never reached",
        INEFFECTIVE_MATCH => "match is covered by an earlier one",
        HOST_NOT_IN_GATEWAY => "host of a VirtualService is not on its Gateway",
        INGRESS_RULES_NOT_AFFECTED => "gateway does not follow the mesh's rules for a host",
        CONFLICTING_GATEWAYS => "several Gateways open one port for one host",
        CLAIM_ROUTE_WITHOUT_AUTHENTICATION => "route asks for a claim that nobody verifies",
        CONFLICTING_TELEMETRIES => "several Telemetries choose one workload",
        MULTIPLE_TELEMETRIES => "several Telemetries hold for a whole namespace",
        INTERNAL_GATEWAY => "Gateway that Istio made is named",
        SUBSET_SELECTS_NOTHING => "labels of a subset choose no endpoint",
        UNKNOWN_DESTINATION_RULE_HOST => "host of a DestinationRule is not known",
        CONFLICTING_ENTRY_PROTOCOLS => "ServiceEntries of one host disagree about the protocol of a port",
        code::SYNTAX => "not YAML or JSON",
        UNSUPPORTED => "Istio's, but not carried out by Outrigger",
        code::CONFIG => "configuration of a filter is malformed",
        "OUT0101" => "nothing says where this proxy listens",
        "OUT0102" => "two listeners want one port, or one that of the admin interface",
        "OUT0104" => "`--port` is about a port that nothing listens on",
        "OUT0110" => "certificate or key can't be used",
        "OUT0111" => "servers of Gateways can't share a port",
        "OUT0112" => "this proxy has no certificate of the mesh",
        "OUT0113" => "certificate has expired",
        UNKNOWN_ENDPOINTS => "nothing says which endpoints a subset could choose from",
        DUPLICATE_RESOURCE => "resource is defined twice",
        IGNORED_KIND => "kind is not Outrigger's",
        EMPTY_FILE => "file holds no resource",
        DELEGATE_CONFLICT => "rule of a delegate does not go together with the rule that delegates",
        "OUT0120" => "nothing says where this proxy is, on which a DestinationRule depends",
        "OUT0114" => "rules ask for an identity that is not verified",
        "OUT0115" => "requests for the application would come back to its sidecar",
        IGNORED_PEER_AUTHENTICATION => "PeerAuthentication is for nobody",
        CONFLICTING_PEER_AUTHENTICATIONS => "several PeerAuthentications are for the same workloads",
        CAPTURE_MODE => "captureMode needs connections to be diverted",
        TLS_WITHOUT_EFFECT => "TLS of a Sidecar's listener has no effect",
        NEVER_HOLDS => "parts of a rule exclude each other",
        VALUE_OF_NO_REQUEST => "value that no request has",
        COVERED_RULE => "rule adds nothing to another one",
        REPEATED_POLICY => "two policies say the same",
        ALLOWS_NOTHING => "ALLOW policy allows nothing",
        PEERS_WITHOUT_IDENTITY => "rule is about the identity of peers that need not have one",
        TOKENS_NOT_VERIFIED => "rule is about tokens that nobody verifies",
        UNBOUNDED_LABEL => "label takes values without end",
        SERIES_ESTIMATE => "number of series that labels make",
        UNUSED_DELEGATE => "VirtualService without hosts to which nobody delegates",
        _ => UNTITLED,
    }
}

const UNTITLED: &str = "finding";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_lists_every_code() {
        let documented = include_str!("../../../docs/analyze.md").split("# Every code").nth(1).unwrap();
        let every = ["IST", "OUT"].map(|who| (0..1_000).map(move |number| format!("{who}{number:04}")));
        let titled = every.into_iter().flatten().filter(|code| title(code) != UNTITLED);
        let rows: String = titled.map(|code| format!("| `{code}` | {} |\n", title(&code))).collect();
        assert!(rows.lines().count() > 50 && documented.contains(&rows), "{rows}");
    }
}
