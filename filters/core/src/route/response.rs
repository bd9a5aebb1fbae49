//! Changes to the headers of a response, kept until it comes.

use std::borrow::Cow;
use std::sync::Arc;

use super::mutation::written;
use crate::format::{Lookup, Piece, RESPONSE_FLAGS, join};
use crate::telemetry::ResponseFlags;
use crate::verdict::{HeaderOp, Reply};

/// Envoy's attribute that says who has answered.
const CODE_DETAILS: &[u8] = b"response\0code_details";

/// Changes to the headers of one response, cheap to keep for as long as the request runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponseChanges {
    /// Nothing is left open.
    Fixed(Arc<[HeaderOp<'static>]>),
    /// Some value depends on the response.
    Pending(Box<Pending>),
}

/// Changes of which the request's part is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Made one after the other.
    pub(super) lists: Vec<PendingList>,
    /// Made in the end.
    pub(super) last: Vec<HeaderOp<'static>>,
    /// Faults that Envoy does not know of.
    pub(super) injected: ResponseFlags,
}

/// Changes that Envoy makes as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PendingList {
    pub(super) remove: Vec<Cow<'static, str>>,
    pub(super) write: Vec<PendingWrite>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PendingWrite {
    pub(super) name: Cow<'static, str>,
    pub(super) append: bool,
    pub(super) value: Vec<Piece>,
}

impl ResponseChanges {
    /// The changes to `response`, in order.
    pub fn ops(&self, response: &dyn Lookup) -> Cow<'_, [HeaderOp<'static>]> {
        match self {
            Self::Fixed(ops) => Cow::Borrowed(ops),
            Self::Pending(pending) => Cow::Owned(pending.ops(&Received(response))),
        }
    }
}

impl Pending {
    pub(super) fn ops(&self, response: &dyn Lookup) -> Vec<HeaderOp<'static>> {
        let response = WithFlags { response, injected: self.injected };
        let mut ops: Vec<HeaderOp<'static>> = Vec::new();
        for list in &self.lists {
            ops.extend(list.remove.iter().cloned().map(HeaderOp::Remove));
            let new = list.write.iter().filter_map(|write| {
                written(write.name.clone(), write.append, join(&write.value, &response, &ops))
            });
            let new: Vec<_> = new.collect();
            ops.extend(new);
        }
        ops.extend(self.last.iter().cloned());
        ops
    }
}

/// A response that came by Envoy's router. Where Envoy answers by itself its own header changes come before it sets the
/// code and completes the headers; a filter's come after.
#[derive(Debug)]
struct Received<'l>(&'l dyn Lookup);

impl Received<'_> {
    fn is_of_service(&self) -> bool {
        self.0.attribute(CODE_DETAILS).is_none_or(|details| details == b"via_upstream")
    }
}

impl Lookup for Received<'_> {
    fn attribute(&self, path: &[u8]) -> Option<Vec<u8>> {
        if path == b"response\0code" && !self.is_of_service() { None } else { self.0.attribute(path) }
    }

    fn response_header(&self, name: &[u8]) -> Option<Vec<u8>> {
        if name == b":status" || self.is_of_service() { self.0.response_header(name) } else { None }
    }
}

/// A response with the flags of the faults that were injected: a filter can't tell Envoy of them.
#[derive(Debug)]
struct WithFlags<'l> {
    response: &'l dyn Lookup,
    injected: ResponseFlags,
}

impl Lookup for WithFlags<'_> {
    fn attribute(&self, path: &[u8]) -> Option<Vec<u8>> {
        let found = self.response.attribute(path);
        if path != RESPONSE_FLAGS {
            return found;
        }
        let flags = found.and_then(|raw| Some(u64::from_le_bytes(raw.try_into().ok()?)));
        Some(ResponseFlags(flags.unwrap_or(0)).with(self.injected).0.to_le_bytes().to_vec())
    }

    fn response_header(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.response.response_header(name)
    }
}

impl Lookup for Reply<'_> {
    /// Of an answer of the proxy's own Envoy knows the details; it sets the code when it is too late for header changes.
    fn attribute(&self, path: &[u8]) -> Option<Vec<u8>> {
        (path == CODE_DETAILS).then(|| self.details.as_bytes().to_vec())
    }

    fn response_header(&self, name: &[u8]) -> Option<Vec<u8>> {
        if name == b":status" {
            return Some(self.status.to_string().into_bytes());
        }
        let found = self.headers.iter().find(|(known, _)| known.as_bytes() == name);
        found.map(|(_, value)| value.to_vec())
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::format::{Scene, Template};
    use crate::{Connection, Request};

    #[derive(Debug)]
    struct Response(&'static str);

    impl Lookup for Response {
        fn attribute(&self, path: &[u8]) -> Option<Vec<u8>> {
            match path {
                CODE_DETAILS => Some(self.0.as_bytes().to_vec()),
                b"response\0code" => Some(503i64.to_le_bytes().to_vec()),
                _ => None,
            }
        }

        fn response_header(&self, name: &[u8]) -> Option<Vec<u8>> {
            Some([b"<", name, b">"].concat())
        }
    }

    /// What Envoy prints in the header changes of a route, for an answer of the service and for one of its own.
    #[test]
    fn of_an_answer_of_envoys_only_the_status_is_known() {
        let request = Request::new(&[], &Connection::UNKNOWN);
        let injected = ResponseFlags::DELAY_INJECTED;
        let scene = Scene { request: &request, ops: &[], cluster: None, injected };
        let value = |format: &str| Template::parse(format).unwrap().unwrap().fill(&scene);
        let write = |format| PendingWrite { name: "x".into(), append: false, value: value(format) };
        let format = "%RESPONSE_CODE% %RESP(content-type)% %RESP(:status)% %RESPONSE_FLAGS%";
        let lists = vec![PendingList { remove: Vec::new(), write: vec![write(format)] }];
        let changes =
            ResponseChanges::Pending(Box::new(Pending { lists, last: Vec::new(), injected: scene.injected }));
        for (details, expected) in
            [("via_upstream", "503 <content-type> <:status> DI"), ("upstream_reset", "0  <:status> DI")]
        {
            let expected = HeaderOp::Set("x".into(), expected.as_bytes().into());
            assert_eq!(*changes.ops(&Response(details)), [expected]);
        }
    }
}
