//! The queries behind Kiali's graph. A series that lacks a label of them is no edge of it.

use outrigger_e2e::prometheus::Vector;

use super::ask::{answer, assert_data, filled, queries};
use super::traffic::Traffic;

const QUERIES: &str = include_str!("queries/kiali.promql");

/// By what Kiali groups requests.
const BY: &str = "source_cluster,source_workload_namespace,source_workload,source_canonical_service,\
                  source_canonical_revision,destination_cluster,destination_service_namespace,destination_service,\
                  destination_service_name,destination_workload_namespace,destination_workload,\
                  destination_canonical_service,destination_canonical_revision,request_protocol,response_code,\
                  grpc_response_status,response_flags";

/// The same for messages of gRPC, which have fewer labels.
const BY_MESSAGES: &str = "source_cluster,source_workload_namespace,source_workload,source_canonical_service,\
                           source_canonical_revision,destination_cluster,destination_service_namespace,\
                           destination_service,destination_service_name,destination_workload_namespace,\
                           destination_workload,destination_canonical_service,destination_canonical_revision";

#[test]
fn kialis_graph_has_all_of_its_edges() {
    let traffic = Traffic::start();
    traffic.observed(&[], |prometheus| {
        let variables =
            [("$by_messages", BY_MESSAGES), ("$by", BY), ("$namespace", "demo-app"), ("$duration", "60s")];
        let all: Vec<_> = queries(QUERIES).into_iter().map(|query| filled(query, &variables)).collect();
        assert_data(prometheus, &all);
        let graph = filled(
            "sum(rate(istio_requests_total{reporter=\"source\"}[$duration])) by ($by) > 0",
            &variables,
        );
        let edges = answer(prometheus, &graph).unwrap();
        for edge in &edges {
            has_every_label(edge);
        }
        let ends = |edge: &Vector| {
            [&edge.labels["source_workload"], &edge.labels["destination_service"]].map(String::clone)
        };
        let ends: std::collections::BTreeSet<_> = edges.iter().map(ends).collect();
        for (from, to) in [
            ("istio-ingressgateway", "a.demo-app.svc.cluster.local"),
            ("istio-ingressgateway", "b.demo-b.svc.cluster.local"),
            ("istio-ingressgateway", "echo.demo-app.svc.cluster.local"),
            ("a", "b.demo-b.svc.cluster.local"),
        ] {
            assert!(
                ends.contains(&[from.to_owned(), to.to_owned()]),
                "no edge from {from} to {to}: {ends:?}"
            );
        }
    });
}

/// Only the status of gRPC is empty, where the request is not gRPC's: Prometheus has no empty labels.
fn has_every_label(edge: &Vector) {
    for label in BY.split(',') {
        let grpc = edge.labels["request_protocol"] == "grpc";
        assert!(
            edge.labels.contains_key(label) || (label == "grpc_response_status" && !grpc),
            "{label} is missing: {edge:?}"
        );
    }
}
