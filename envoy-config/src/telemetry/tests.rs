//! Merging, by what comes out for a listener.

use outrigger_api::{Direction, Proxy, Resource, Role, parse_mesh_config, parse_yaml};
use rstest::rstest;

use super::logging::logs;
use super::tracing::traces;
use super::*;

const MESH: &str = "
extensionProviders:
- {name: file, envoyFileAccessLog: {path: /tmp/log}}
- {name: otel, envoyOtelAls: {service: otel.test, port: 4317}}
- {name: spans, opentelemetry: {service: otel.test, port: 4317}}
- {name: Zip, zipkin: {service: zipkin.test, port: 9411, maxTagLength: 99}}
- {name: ask, envoyExtAuthzGrpc: {service: a.test, port: 1}}
";

fn mesh(more: &str) -> MeshConfig {
    let (mesh, problems) = parse_mesh_config(format!("{MESH}{more}").as_bytes(), "mesh.yaml");
    assert_eq!(problems, []);
    mesh
}

fn proxy(direction: Direction) -> Proxy {
    let labels = [("app".to_owned(), "reviews".to_owned())].into();
    Proxy { role: Role::Sidecar, labels, direction: Some(direction), ..Proxy::default() }
}

/// Of the root namespace, of the proxy's, and of the workload.
fn telemetries(levels: &[&str]) -> Vec<Resource> {
    let places =
        [("istio-system", ""), ("default", ""), ("default", "selector: {matchLabels: {app: reviews}}, ")];
    let texts: Vec<_> = levels
        .iter()
        .zip(places)
        .enumerate()
        .filter(|(_, (spec, _))| !spec.is_empty())
        .map(|(at, (spec, (namespace, selector)))| {
            format!(
                "{{apiVersion: telemetry.istio.io/v1, kind: Telemetry, metadata: {{name: t{at}, namespace: {namespace}}}, \
                 spec: {{{selector}{spec}}}}}"
            )
        })
        .collect();
    let parsed = parse_yaml(texts.join("\n---\n").as_bytes(), "test.yaml", "default");
    assert_eq!(parsed.resources.len(), texts.len(), "{:?}", parsed.problems);
    parsed.resources
}

/// `name` and `name if FILTER`, joined; `file` stands for `accessLogFile`.
fn told(levels: &[&str], more: &str, direction: Direction) -> String {
    let (resources, mesh) = (telemetries(levels), mesh(more));
    let scope = Scope::new(&resources, &proxy(direction), &mesh);
    let Some(logs) = logs(&scope) else { return "accessLogFile".to_owned() };
    let said = logs.iter().map(|log| match log.filter {
        Some(filter) => format!("{} if {filter}", log.name),
        None => log.name.to_owned(),
    });
    said.collect::<Vec<_>>().join(", ")
}

#[rstest]
#[case::nothing_said(&[], "", "accessLogFile", "accessLogFile")]
#[case::defaults(&[], "defaultProviders: {accessLogging: [file, otel]}", "file, otel", "file, otel")]
#[case::named(&["accessLogging: [{providers: [{name: otel}]}]"], "", "otel", "otel")]
#[case::built_in(&["accessLogging: [{providers: [{name: envoy}]}]"], "", "envoy", "envoy")]
#[case::named_in_another_case(&["accessLogging: [{providers: [{name: OTEL}]}]"], "", "OTEL", "OTEL")]
#[case::unknown(&["accessLogging: [{providers: [{name: nobody}]}]"], "", "accessLogFile", "accessLogFile")]
#[case::of_another_kind(&["accessLogging: [{providers: [{name: spans}, {name: ask}]}]"], "", "accessLogFile", "accessLogFile")]
#[case::a_deeper_level_replaces(
    &["accessLogging: [{providers: [{name: file}]}]", "accessLogging: [{providers: [{name: otel}]}]"], "", "otel", "otel")]
#[case::providers_are_inherited_and_disabled(
    &["accessLogging: [{providers: [{name: file}]}]", "accessLogging: [{disabled: true}]"], "", "", "")]
#[case::disabled_defaults(&["accessLogging: [{disabled: true}]"], "defaultProviders: {accessLogging: [file]}", "", "")]
#[case::disabled_without_a_provider(&["accessLogging: [{disabled: true}]"], "", "accessLogFile", "accessLogFile")]
#[case::enabled_again(
    &["accessLogging: [{providers: [{name: file}]}]", "accessLogging: [{disabled: true}]", "accessLogging: [{disabled: false}]"],
    "", "file", "file")]
#[case::by_side(
    &["accessLogging: [{match: {mode: CLIENT}, providers: [{name: file}]}, {match: {mode: SERVER}, providers: [{name: otel}]}]"],
    "", "file", "otel")]
#[case::one_side_only(
    &["accessLogging: [{match: {mode: SERVER}, providers: [{name: otel}]}]"], "", "accessLogFile", "otel")]
#[case::disabled_on_one_side(
    &["accessLogging: [{providers: [{name: file}]}]", "accessLogging: [{match: {mode: SERVER}, disabled: true}]"], "", "file", "")]
#[case::filters(
    &["accessLogging: [{providers: [{name: file}], filter: {expression: 'response.code >= 400'}}, {providers: [{name: otel}]}]"],
    "", "file if response.code >= 400, otel", "file if response.code >= 400, otel")]
#[case::a_filter_without_providers_counts_for_nothing(
    &["accessLogging: [{providers: [{name: file}]}]", "accessLogging: [{filter: {expression: 'true'}}]"], "", "file", "file")]
fn logs_of_both_sides(
    #[case] levels: &[&str],
    #[case] mesh: &str,
    #[case] outbound: &str,
    #[case] inbound: &str,
) {
    assert_eq!(told(levels, mesh, Direction::Outbound), outbound);
    assert_eq!(told(levels, mesh, Direction::Inbound), inbound);
}

/// The provider's kind, the sampling, and what is unlike the default.
fn traced(levels: &[&str], more: &str, direction: Direction) -> String {
    let (resources, mesh) = (telemetries(levels), mesh(more));
    let scope = Scope::new(&resources, &proxy(direction), &mesh);
    let Some(traces) = traces(&scope) else { return "nothing".to_owned() };
    let mut said = format!("{} {}", traces.provider.field(), traces.sampling);
    let tags: Vec<_> = traces.tags.keys().map(String::as_str).collect();
    for (holds, what) in [
        (!traces.istio_tags, "no tags of Istio".to_owned()),
        (!traces.by_request_id, "not by request id".to_owned()),
        (traces.no_propagation, "not passed on".to_owned()),
        (!tags.is_empty(), tags.join("+")),
        (traces.max_path_tag_length != 0, traces.max_path_tag_length.to_string()),
    ] {
        if holds {
            said = format!("{said}, {what}");
        }
    }
    said
}

#[rstest]
#[case::nothing_said(&[], "", "nothing", "nothing")]
#[case::default_provider(&[], "defaultProviders: {tracing: [spans, Zip]}", "opentelemetry 1", "opentelemetry 1")]
#[case::named(&["tracing: [{providers: [{name: spans}]}]"], "", "opentelemetry 1", "opentelemetry 1")]
#[case::first_provider(&["tracing: [{providers: [{name: zip}, {name: spans}]}]"], "", "zipkin 1, 99", "zipkin 1, 99")]
#[case::no_provider(&["tracing: [{randomSamplingPercentage: 100}]"], "", "nothing", "nothing")]
#[case::sampling(
    &["tracing: [{providers: [{name: spans}], randomSamplingPercentage: 50}]", "", "tracing: [{randomSamplingPercentage: 0}]"],
    "", "opentelemetry 0", "opentelemetry 0")]
#[case::sampling_of_the_proxies(
    &["tracing: [{providers: [{name: spans}]}]"], "defaultConfig: {tracing: {sampling: 12.5, maxPathTagLength: 7}}",
    "opentelemetry 12.5, 7", "opentelemetry 12.5, 7")]
#[case::by_side(
    &["tracing: [{match: {mode: SERVER}, providers: [{name: spans}]}, {match: {mode: CLIENT}, providers: [{name: zip}], disableContextPropagation: true}]"],
    "", "zipkin 1, not passed on, 99", "opentelemetry 1")]
#[case::not_reported(
    &["tracing: [{providers: [{name: spans}]}]", "tracing: [{match: {mode: CLIENT}, disableSpanReporting: true}]"],
    "", "nothing", "opentelemetry 1")]
#[case::tags_are_replaced_whole(
    &["tracing: [{providers: [{name: spans}], customTags: {a: {literal: {value: x}}, b: {literal: {value: y}}}}]",
      "tracing: [{customTags: {c: {header: {name: x-c}}}, enableIstioTags: false, useRequestIdForTraceSampling: false}]"],
    "", "opentelemetry 1, no tags of Istio, not by request id, c", "opentelemetry 1, no tags of Istio, not by request id, c")]
#[case::tags_of_the_proxies(
    &["tracing: [{providers: [{name: spans}]}]"], "defaultConfig: {tracing: {customTags: {d: {environment: {name: X}}}}}",
    "opentelemetry 1, d", "opentelemetry 1, d")]
#[case::of_another_kind(&["tracing: [{providers: [{name: file}]}]"], "", "nothing", "nothing")]
#[case::zipkin_of_the_proxies(
    &[], "defaultConfig: {tracing: {zipkin: {address: 'zipkin.test:9411'}, sampling: 100}}", "zipkin 100", "zipkin 100")]
#[case::without_tracing(
    &[], "enableTracing: false\ndefaultConfig: {tracing: {zipkin: {address: 'zipkin.test:9411'}}}", "nothing", "nothing")]
fn traces_of_both_sides(
    #[case] levels: &[&str],
    #[case] mesh: &str,
    #[case] outbound: &str,
    #[case] inbound: &str,
) {
    assert_eq!(traced(levels, mesh, Direction::Outbound), outbound);
    assert_eq!(traced(levels, mesh, Direction::Inbound), inbound);
}
