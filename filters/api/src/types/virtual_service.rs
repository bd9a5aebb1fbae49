//! `networking.istio.io` VirtualService.

use std::{fmt, time::Duration};

use ipnet::IpNet;

use super::annotations::Annotations;
use super::common::{
    Destination, ExportTo, GatewayRef, Headers, Labels, Millionths, RegexSource, StringMatch,
};
use crate::host::HostPattern;

/// How requests to some hosts are routed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VirtualService {
    /// The hosts, as written: a short name is completed by [`HostPattern::resolve`]. Empty for a delegate.
    pub hosts: Vec<HostPattern>,
    /// Where the routes stand; `[Mesh]` if the field was left out.
    pub gateways: Vec<GatewayRef>,
    /// Routes of HTTP requests; the first that matches wins.
    pub http: Vec<HttpRoute>,
    /// Routes of TLS connections passed through.
    pub tls: Vec<TlsRoute>,
    /// Routes of plain connections.
    pub tcp: Vec<TcpRoute>,
    /// Which namespaces see it.
    pub export_to: ExportTo,
    /// What it asks for beyond Istio; none of it while the `spec` is decoded.
    pub annotations: Annotations,
}

impl VirtualService {
    /// Without hosts it only counts where another VirtualService delegates to it.
    pub fn is_delegate(&self) -> bool {
        self.hosts.is_empty()
    }
}

/// One entry of `http`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRoute {
    /// For the logs; part of Envoy's route name.
    pub name: Option<String>,
    /// Any of these must match; empty: every request does.
    pub matches: Vec<HttpMatchRequest>,
    /// What is done with a request.
    pub action: RouteAction,
    /// Changes to the path or authority before forwarding.
    pub rewrite: Option<Rewrite>,
    /// `None`: no limit. Never zero.
    pub timeout: Option<Duration>,
    /// `None`: the mesh's default policy.
    pub retries: Option<HttpRetry>,
    /// Faults to inject.
    pub fault: Option<Fault>,
    /// `mirror`: where copies go.
    pub mirror: Option<Destination>,
    /// `mirrorPercentage`, or `mirrorPercent`: of how many requests. `None`: of all.
    pub mirror_percentage: Option<Millionths>,
    /// `mirrors`
    pub mirrors: Vec<Mirror>,
    /// Answers to cross-origin requests.
    pub cors_policy: Option<CorsPolicy>,
    /// Changes to headers.
    pub headers: Headers,
}

/// What a route does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteAction {
    /// Forwards to one of these; never empty. With a single one its weight does not matter; with several the
    /// weights' sum is above zero.
    Route(Vec<RouteDestination>),
    /// Answers with a redirect.
    Redirect(Redirect),
    /// Answers with a fixed response.
    DirectResponse(DirectResponse),
    /// Leaves it to another VirtualService.
    Delegate(Delegate),
}

/// A destination with its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteDestination {
    /// Where to.
    pub destination: Destination,
    /// The share, relative to the sum of all.
    pub weight: u32,
    /// Changes to headers for this destination alone.
    pub headers: Headers,
}

/// One entry of `match`: all that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpMatchRequest {
    /// For the logs.
    pub name: Option<String>,
    /// The path without its query.
    pub uri: Option<StringMatch>,
    /// `:scheme`.
    pub scheme: Option<StringMatch>,
    /// `:method`, case-sensitive.
    pub method: Option<StringMatch>,
    /// `:authority` with the port as it was sent.
    pub authority: Option<StringMatch>,
    /// Headers that must match, sorted by key.
    pub headers: Vec<(HeaderKey, StringMatch)>,
    /// Headers that must not match, sorted by key. `Present`: the header must be absent. For the others an
    /// absent header counts as an empty value.
    pub without_headers: Vec<(HeaderKey, StringMatch)>,
    /// Query parameters, sorted by name; compared undecoded, the first of repeated ones counts.
    pub query_params: Vec<(String, StringMatch)>,
    /// Only on the listener with this port.
    pub port: Option<u16>,
    /// In place of the VirtualService's `gateways`, if not empty.
    pub gateways: Vec<GatewayRef>,
    /// Only for proxies with these labels; not looked at when `gateways` is set.
    pub source_labels: Labels,
    /// Only for proxies of this namespace; not looked at when `gateways` is set.
    pub source_namespace: Option<String>,
    /// Compares `uri` without regard to case; exact and prefix only.
    pub ignore_uri_case: bool,
    /// Prefix of Envoy's per-route statistics.
    pub stat_prefix: Option<String>,
}

/// What a `headers` entry looks at. Ordered by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HeaderKey {
    /// A header, in lower case; pseudo headers (`:path`) too.
    Name(String),
    /// `@request.auth.claims.a.b`: a claim of the verified token, by its path.
    Claim(Vec<String>),
}

impl fmt::Display for HeaderKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Claim(names) if names.iter().any(|name| name.contains('.')) => {
                write!(formatter, "@request.auth.claims[{}]", names.join("]["))
            }
            Self::Claim(names) => write!(formatter, "@request.auth.claims.{}", names.join(".")),
        }
    }
}

/// Istio's HTTPRewrite; at least one field is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The new path.
    pub path: Option<RewritePath>,
    /// The new `:authority`.
    pub authority: Option<String>,
}

/// How a path is rewritten. The query is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RewritePath {
    /// Replaces the matched prefix; the whole path if the match was exact or a regex. Never empty.
    Uri(String),
    /// Replaces every match of a regex; `\1` stands for the first group.
    Regex {
        /// What to look for, not anchored.
        pattern: RegexSource,
        /// What to put there.
        rewrite: String,
    },
}

/// Istio's HTTPRedirect; at least one field is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The new path.
    pub path: Option<RedirectPath>,
    /// The new host.
    pub authority: Option<String>,
    /// The new port.
    pub port: RedirectPort,
    /// The new scheme.
    pub scheme: Option<Scheme>,
    /// The status of the answer.
    pub code: RedirectCode,
}

/// The path of a redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedirectPath {
    /// In place of the whole path. Envoy puts a slash in front if there is none.
    Full(String),
    /// In place of the matched prefix.
    Prefix(String),
}

/// The port of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedirectPort {
    /// None, that is the scheme's (`FROM_PROTOCOL_DEFAULT`).
    #[default]
    ProtocolDefault,
    /// The listener's (`FROM_REQUEST_PORT`).
    FromRequest,
    /// This one.
    Number(u16),
}

/// The scheme of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Scheme {
    Http,
    Https,
}

/// The statuses which Envoy can redirect with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RedirectCode {
    /// 301
    #[default]
    MovedPermanently,
    /// 302
    Found,
    /// 303
    SeeOther,
    /// 307
    TemporaryRedirect,
    /// 308
    PermanentRedirect,
}

impl RedirectCode {
    /// The number.
    pub const fn status(self) -> u16 {
        match self {
            Self::MovedPermanently => 301,
            Self::Found => 302,
            Self::SeeOther => 303,
            Self::TemporaryRedirect => 307,
            Self::PermanentRedirect => 308,
        }
    }
}

/// Istio's HTTPDirectResponse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectResponse {
    /// 200 to 600.
    pub status: u16,
    /// At most 1 MB.
    pub body: Option<Vec<u8>>,
}

/// The VirtualService that a route is left to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegate {
    /// Its name.
    pub name: String,
    /// Its namespace; that of the delegating VirtualService if left out.
    pub namespace: String,
    /// The answer which rules of the delegate give in place of forwarding.
    pub direct_response: Option<DirectResponse>,
}

/// Istio's HTTPRetry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRetry {
    /// Attempts after the first. 0: none.
    pub attempts: u32,
    /// Limit of each attempt; `None`: the route's timeout.
    pub per_try_timeout: Option<Duration>,
    /// `None`: Istio's default list.
    pub retry_on: Option<RetryOn>,
    /// Whether other localities may be tried.
    pub retry_remote_localities: Option<bool>,
    /// Whether a host that failed is left out of the next attempt; Istio's default is yes.
    pub retry_ignore_previous_hosts: Option<bool>,
    /// Base of the wait between attempts; `None`: Envoy's 25 ms.
    pub backoff: Option<Duration>,
}

/// What is retried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetryOn {
    /// Envoy's conditions, such as `connect-failure`, in the order written.
    pub conditions: Vec<String>,
    /// Statuses.
    pub status_codes: Vec<u16>,
}

/// Istio's HTTPFaultInjection; at least one of the two is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Drawn first.
    pub delay: Option<Delay>,
    /// Drawn independently of the delay; an entry without an error is left out (with a warning).
    pub abort: Option<Abort>,
}

/// A delay before forwarding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delay {
    /// Of how many requests; none at all if the field was left out.
    pub percentage: Millionths,
    /// How long; at least a millisecond.
    pub fixed_delay: Duration,
}

/// An answer in place of forwarding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abort {
    /// To how many requests; none at all if the field was left out.
    pub percentage: Millionths,
    /// What is answered.
    pub error: AbortError,
}

/// The error of an [`Abort`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbortError {
    /// An HTTP status, 200 to 600.
    Http(u16),
    /// A gRPC status code, 0 to 16.
    Grpc(u32),
}

/// Where copies of requests go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Where to.
    pub destination: Destination,
    /// Of how many requests.
    pub percentage: Millionths,
}

impl HttpRoute {
    /// Where copies go, and of how many requests: of none is left out.
    pub fn copies(&self) -> impl Iterator<Item = (&Destination, Millionths)> {
        let share = self.mirror_percentage.unwrap_or(Millionths::ALL);
        let single = self.mirror.iter().map(move |destination| (destination, share));
        let several = self.mirrors.iter().map(|mirror| (&mirror.destination, mirror.percentage));
        single.chain(several).filter(|(_, share)| *share != Millionths::NONE)
    }
}

/// Istio's CorsPolicy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CorsPolicy {
    /// Origins which are let in.
    pub allow_origins: Vec<StringMatch>,
    /// `Access-Control-Allow-Methods`.
    pub allow_methods: Vec<String>,
    /// `Access-Control-Allow-Headers`.
    pub allow_headers: Vec<String>,
    /// `Access-Control-Expose-Headers`.
    pub expose_headers: Vec<String>,
    /// `Access-Control-Max-Age`, whole seconds.
    pub max_age: Option<Duration>,
    /// `Access-Control-Allow-Credentials`; absent is not the same as `false` for Envoy.
    pub allow_credentials: Option<bool>,
    /// What happens to a preflight from another origin.
    pub unmatched_preflights: UnmatchedPreflights,
}

/// What happens to a preflight request whose origin is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnmatchedPreflights {
    /// Goes to the service.
    #[default]
    Forward,
    /// Is answered without CORS headers.
    Ignore,
}

/// One entry of `tls`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsRoute {
    /// Any of these must match; never empty.
    pub matches: Vec<TlsMatch>,
    /// Where connections go.
    pub route: Vec<ConnectionDestination>,
}

/// One entry of a TLS route's `match`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsMatch {
    /// Names of the TLS handshake; never empty.
    pub sni_hosts: Vec<HostPattern>,
    /// What else must hold.
    pub connection: ConnectionMatch,
}

/// One entry of `tcp`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TcpRoute {
    /// Any of these must match; empty: every connection does.
    pub matches: Vec<ConnectionMatch>,
    /// Where connections go.
    pub route: Vec<ConnectionDestination>,
}

/// What a TLS or TCP route can ask of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectionMatch {
    /// The address that was dialled.
    pub destination_subnets: Vec<IpNet>,
    /// Only on the listener with this port.
    pub port: Option<u16>,
    /// Only for proxies with these labels.
    pub source_labels: Labels,
    /// In place of the VirtualService's `gateways`, if not empty.
    pub gateways: Vec<GatewayRef>,
    /// Only for proxies of this namespace.
    pub source_namespace: Option<String>,
}

/// A destination of connections with its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionDestination {
    /// Where to.
    pub destination: Destination,
    /// The share, relative to the sum of all.
    pub weight: u32,
}
