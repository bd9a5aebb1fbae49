//! A header's value with gaps, and how they are filled.

use percent_encoding::percent_decode;

use super::lookup::Lookup;
use super::operator::{Early, Header, Late, Operator, PathSource};
use super::property::{DIRECT_PEER, LateProperty, START_TIME, Shape, integer};
use crate::request::split_query;
use crate::telemetry::ResponseFlags;
use crate::verdict::HeaderOp;
use crate::{Attributes, Request};

/// A header's value with at least one operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(pub(super) Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(Box<[u8]>),
    /// `length` cuts the value off.
    Value {
        operator: Operator,
        length: Option<usize>,
    },
}

/// What a request's values are taken from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'s, 'r> {
    pub(crate) request: &'s Request<'r>,
    /// Changes to the request's headers that are made already.
    pub(crate) ops: &'s [HeaderOp<'s>],
    /// The cluster that it goes to.
    pub(crate) cluster: Option<&'s str>,
    /// The faults injected so far.
    pub(crate) injected: ResponseFlags,
}

/// A piece of a value of which the request's part is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece(Filled);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Filled {
    Text(Vec<u8>),
    Header(Header, Option<usize>),
    Property(&'static LateProperty),
}

impl Template {
    /// A value without operators.
    pub(crate) fn text(text: &str) -> Self {
        Self(vec![Part::Text(text.as_bytes().into())])
    }

    /// What it asks `envoy-config` to have kept for it.
    pub(crate) fn attributes(&self) -> Attributes {
        let asks = self.0.iter().any(|part| match part {
            Part::Value { operator: Operator::Early(Early::Property(property)), .. } => {
                property.path == DIRECT_PEER
            }
            _ => false,
        });
        if asks { Attributes::DIRECT_PEER } else { Attributes::none() }
    }

    /// The value in a request's header. What only a response tells is as Envoy prints it before there is one.
    pub(crate) fn of_request(&self, scene: &Scene<'_, '_>) -> Vec<u8> {
        let mut value = Vec::new();
        for piece in self.fill(scene) {
            match piece.0 {
                Filled::Text(text) => value.extend(text),
                Filled::Property(late) if late.property.shape == Shape::Flags => {
                    value.extend(scene.injected.names().into_bytes());
                }
                Filled::Property(late) => value.extend_from_slice(late.early.as_bytes()),
                Filled::Header(..) => {}
            }
        }
        value
    }

    /// The value for a response's header, but for what only the response tells.
    pub(crate) fn fill(&self, scene: &Scene<'_, '_>) -> Vec<Piece> {
        let pieces = self.0.iter().map(|part| match part {
            Part::Text(text) => Filled::Text(text.to_vec()),
            Part::Value { operator: Operator::Early(early), length } => {
                Filled::Text(cut(early.value(scene).unwrap_or_default(), *length))
            }
            Part::Value { operator: Operator::Late(Late::Header(header)), length } => {
                Filled::Header(header.clone(), *length)
            }
            Part::Value { operator: Operator::Late(Late::Property(property)), .. } => {
                Filled::Property(property)
            }
        });
        pieces.map(Piece).collect()
    }
}

/// The whole value, once there is a response. `ops` are changes to its headers that are made already.
pub(crate) fn join(pieces: &[Piece], response: &dyn Lookup, ops: &[HeaderOp<'_>]) -> Vec<u8> {
    let mut value = Vec::new();
    for piece in pieces {
        match &piece.0 {
            Filled::Text(text) => value.extend_from_slice(text),
            Filled::Header(header, length) => {
                let found = header.find(|name| current(name, response.response_header(name), ops));
                value.extend(cut(found.unwrap_or_default(), *length));
            }
            Filled::Property(late) => match response.attribute(late.property.path) {
                Some(raw) => value.extend(late.property.shape.print(raw)),
                None => value.extend_from_slice(late.missing.as_bytes()),
            },
        }
    }
    value
}

impl Early {
    fn value(&self, scene: &Scene<'_, '_>) -> Option<Vec<u8>> {
        let header = |name: &[u8]| scene.header(name);
        let attribute = |path| scene.request.connection.lookup?.attribute(path);
        match self {
            Self::Header(name) => name.find(header),
            Self::QueryParameter(name) => {
                let path = header(b":path")?;
                let decoded = |text| percent_decode(text).collect::<Vec<u8>>();
                let pairs = split_query(&path);
                pairs.into_iter().find(|(key, _)| decoded(key) == **name).map(|(_, value)| decoded(value))
            }
            Self::QueryString => header(b":path").and_then(|path| {
                let start = path.iter().position(|byte| *byte == b'?')?;
                path.get(start + 1..).map(<[u8]>::to_vec)
            }),
            Self::Path { with_query, source } => {
                let original = || header(b"x-envoy-original-path");
                let mut path = match source {
                    PathSource::Path => header(b":path"),
                    PathSource::Original => original(),
                    PathSource::OriginalOrPath => original().or_else(|| header(b":path")),
                }?;
                if !with_query && let Some(end) = path.iter().position(|byte| *byte == b'?') {
                    path.truncate(end);
                }
                Some(path)
            }
            Self::Cluster => scene.cluster.map(|cluster| cluster.as_bytes().to_vec()),
            Self::StartTime(format) => {
                let nanos = u64::try_from(integer(&attribute(START_TIME)?)?).ok()?;
                Some(format.format(std::time::Duration::from_nanos(nanos)).into_bytes())
            }
            Self::Property(property) => attribute(property.path).map(|raw| property.shape.print(raw)),
        }
    }
}

impl Scene<'_, '_> {
    fn header(&self, name: &[u8]) -> Option<Vec<u8>> {
        current(name, self.request.header(name).map(<[u8]>::to_vec), self.ops)
    }
}

/// The first line of the header `name` after `ops`, `first` being the one before.
fn current(name: &[u8], first: Option<Vec<u8>>, ops: &[HeaderOp<'_>]) -> Option<Vec<u8>> {
    let mut value = first;
    for op in ops {
        match op {
            HeaderOp::Set(changed, new) if changed.as_bytes() == name => value = Some(new.to_vec()),
            HeaderOp::Add(changed, new) if changed.as_bytes() == name && value.is_none() => {
                value = Some(new.to_vec());
            }
            HeaderOp::Remove(changed) if changed.as_bytes() == name => value = None,
            HeaderOp::Set(..) | HeaderOp::Add(..) | HeaderOp::Remove(_) => {}
        }
    }
    value
}

fn cut(mut value: Vec<u8>, length: Option<usize>) -> Vec<u8> {
    value.truncate(length.unwrap_or(usize::MAX));
    value
}
