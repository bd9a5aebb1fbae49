//! Changes to headers.

use super::{cursor::Cursor, object::Object};
use crate::{
    check, ordered,
    types::common::{HeaderOperations, HeaderValue, Headers},
};

/// `headers` of a route or of a destination.
pub(crate) fn headers(fields: &Object<'_>) -> Headers {
    let decode = |headers: &Cursor<'_>| {
        headers.object(|headers| {
            Some(Headers {
                request: headers.get("request", |operations| operation(operations, true)).unwrap_or_default(),
                response: headers
                    .get("response", |operations| operation(operations, false))
                    .unwrap_or_default(),
            })
        })
    };
    fields.get("headers", decode).unwrap_or_default()
}

fn operation(operations: &Cursor<'_>, request: bool) -> Option<HeaderOperations> {
    operations.object(|fields| {
        let values = |name| fields.get(name, |values| Some(changes(values, request))).unwrap_or_default();
        let remove = fields.list("remove", |name| {
            name.checked(|text| changeable(text, false)).map(|name| name.to_ascii_lowercase())
        });
        Some(HeaderOperations { set: values("set"), add: values("add"), remove })
    })
}

fn changes(values: &Cursor<'_>, request: bool) -> Vec<HeaderValue> {
    let mut changes = values.map(|name, value| {
        if let Err(reason) = changeable(name, request) {
            value.key_error(name, &reason);
        }
        value.checked(check::headers::value)
    });
    for (name, _) in &mut changes {
        name.make_ascii_lowercase();
    }
    ordered::sort(&mut changes);
    changes
}

/// Whether a route may change a header of this name. The authority can be set, and only in a request.
fn changeable(name: &str, authority: bool) -> Result<(), String> {
    if check::headers::is_authority(name) {
        return if authority { Ok(()) } else { Err("can't be changed here".to_owned()) };
    }
    if name.starts_with(':') {
        return Err("is a pseudo header, which can't be changed".to_owned());
    }
    check::headers::name(name)
}
