//! OTLP: the services that take spans and logs by gRPC, and what both forms of it say.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tokio::runtime::Runtime;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use super::{Line, Shared, Span, hexadecimal, note};

/// Serves until the runtime ends.
pub(super) fn serve(runtime: &Runtime, heard: Shared) -> Result<u16> {
    let incoming = {
        let _inside = runtime.enter();
        TcpIncoming::bind("127.0.0.1:0".parse()?)?
    };
    let port = incoming.local_addr().context("no port")?.port();
    let router = Server::builder()
        .add_service(TraceServiceServer::new(Ears(Arc::clone(&heard))))
        .add_service(LogsServiceServer::new(Ears(heard)));
    runtime.spawn(router.serve_with_incoming(incoming));
    Ok(port)
}

struct Ears(Shared);

impl Ears {
    fn asked<T>(&self, path: &str, request: &Request<T>) {
        let headers = request.metadata().clone().into_headers();
        let headers = headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        note(&self.0, |heard| heard.requests.push((path.to_owned(), headers.collect())));
    }
}

#[tonic::async_trait]
impl TraceService for Ears {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.asked("grpc", &request);
        note(&self.0, |heard| heard.spans.extend(spans(request.into_inner())));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Ears {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let records = request.into_inner().resource_logs;
        let records = records.into_iter().flat_map(|resource| resource.scope_logs);
        let lines = records.flat_map(|scope| scope.log_records).map(|record| Line {
            body: record.body.map(text).unwrap_or_default(),
            attributes: tags(record.attributes),
            trace: hexadecimal(&record.trace_id),
        });
        note(&self.0, |heard| heard.lines.extend(lines));
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

/// The spans of a request.
pub(super) fn spans(request: ExportTraceServiceRequest) -> Vec<Span> {
    let mut spans = Vec::new();
    for resource in request.resource_spans {
        let attributes = tags(resource.resource.map(|resource| resource.attributes).unwrap_or_default());
        let service = attributes.get("service.name").cloned().unwrap_or_default();
        for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push(Span {
                trace: hexadecimal(&span.trace_id),
                id: hexadecimal(&span.span_id),
                parent: hexadecimal(&span.parent_span_id),
                kind: match span.kind() {
                    SpanKind::Client => "CLIENT",
                    SpanKind::Server => "SERVER",
                    _ => "",
                },
                tags: tags(span.attributes),
                name: span.name,
                service: service.clone(),
            });
        }
    }
    spans
}

fn tags(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes.into_iter().map(|pair| (pair.key, pair.value.map(text).unwrap_or_default())).collect()
}

fn text(value: AnyValue) -> String {
    match value.value {
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        other => format!("{other:?}"),
    }
}
