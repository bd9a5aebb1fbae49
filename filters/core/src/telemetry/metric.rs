//! Istio's standard metrics, as far as a filter of HTTP can measure them.

use outrigger_api::types::telemetry::StandardMetric;

/// A standard metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Finished requests.
    RequestCount,
    /// Milliseconds from a request's headers to its end.
    RequestDuration,
    /// Bytes of a request, its headers among them.
    RequestSize,
    /// Bytes of a response, its headers among them.
    ResponseSize,
    /// Messages of gRPC requests.
    GrpcRequestMessages,
    /// Messages of gRPC responses.
    GrpcResponseMessages,
}

/// Labels that Istio's metrics of gRPC messages lack: these count streams that have not ended, too.
const OF_ENDED: [&str; 5] = [
    "request_protocol",
    "response_code",
    "grpc_response_status",
    "response_flags",
    "connection_security_policy",
];

impl Metric {
    /// Each.
    pub const ALL: [Self; 6] = [
        Self::RequestCount,
        Self::RequestDuration,
        Self::RequestSize,
        Self::ResponseSize,
        Self::GrpcRequestMessages,
        Self::GrpcResponseMessages,
    ];

    /// Its name in Prometheus.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequestCount => "istio_requests_total",
            Self::RequestDuration => "istio_request_duration_milliseconds",
            Self::RequestSize => "istio_request_bytes",
            Self::ResponseSize => "istio_response_bytes",
            Self::GrpcRequestMessages => "istio_request_messages_total",
            Self::GrpcResponseMessages => "istio_response_messages_total",
        }
    }

    /// Its name as `customMetric` of a Telemetry has it.
    pub fn short_name(self) -> &'static str {
        self.name().trim_start_matches("istio_")
    }

    /// Whether it is a histogram; otherwise it is a counter.
    pub const fn is_histogram(self) -> bool {
        matches!(self, Self::RequestDuration | Self::RequestSize | Self::ResponseSize)
    }

    /// Whether it counts messages of gRPC.
    pub const fn counts_messages(self) -> bool {
        matches!(self, Self::GrpcRequestMessages | Self::GrpcResponseMessages)
    }

    /// Whether it has one of [`super::LABELS`], unless a Telemetry says otherwise.
    pub fn has(self, label: &str) -> bool {
        !self.counts_messages() || !OF_ENDED.contains(&label)
    }

    /// What a Telemetry calls `metric`; `None`: it is about TCP.
    pub const fn of(metric: StandardMetric) -> Option<Self> {
        match metric {
            StandardMetric::RequestCount => Some(Self::RequestCount),
            StandardMetric::RequestDuration => Some(Self::RequestDuration),
            StandardMetric::RequestSize => Some(Self::RequestSize),
            StandardMetric::ResponseSize => Some(Self::ResponseSize),
            StandardMetric::GrpcRequestMessages => Some(Self::GrpcRequestMessages),
            StandardMetric::GrpcResponseMessages => Some(Self::GrpcResponseMessages),
            StandardMetric::TcpOpenedConnections
            | StandardMetric::TcpClosedConnections
            | StandardMetric::TcpSentBytes
            | StandardMetric::TcpReceivedBytes => None,
        }
    }
}
