//! From a document to resources.

use std::sync::Arc;

use super::kinds::{Known, is_istio, known};
use crate::{
    check,
    decode::{Context, Cursor, DRY_RUN, Decoder, Object, Sink, no_annotations, shorten},
    node::{Node, Position, Value},
    ordered,
    path::FieldPath,
    problem::{Problem, ResourceName, Severity, code, printable},
    resource::{Ignored, Kind, Metadata, Parsed, Resource, Source},
    types::common::Labels,
};

/// Fields of the metadata which Kubernetes writes, and nobody reads here.
const FOREIGN: [&str; 9] = [
    "uid",
    "resourceVersion",
    "generation",
    "generateName",
    "managedFields",
    "ownerReferences",
    "finalizers",
    "selfLink",
    "deletionTimestamp",
];

/// Annotations with which Istio marks what it makes itself; it refuses them from anyone else.
const RESERVED: [&str; 3] = [
    "internal.istio.io/webhook-always-reject",
    "internal.istio.io/parents",
    "internal.istio.io/parent-namespace",
];

/// Collects what is found in one file.
#[derive(Debug)]
pub(crate) struct Reader {
    file: Option<Arc<str>>,
    pub(crate) default_namespace: String,
    /// Of the kinds that are read.
    decoders: Vec<Decoder>,
    keep_nodes: bool,
    pub(crate) parsed: Parsed,
}

impl Reader {
    pub(crate) fn new(file: Option<Arc<str>>, default_namespace: &str, decoders: &[Decoder]) -> Self {
        let (default_namespace, decoders) = (default_namespace.to_owned(), decoders.to_vec());
        Self { file, default_namespace, decoders, keep_nodes: true, parsed: Parsed::default() }
    }

    /// The same, but the resources don't hold on to what they were read from.
    pub(crate) fn without_nodes(self) -> Self {
        Self { keep_nodes: false, ..self }
    }

    pub(crate) fn decoders(&self) -> &[Decoder] {
        &self.decoders
    }

    /// Reports a text which can't be read.
    pub(crate) fn unreadable(&mut self, code: &'static str, message: String, position: Option<Position>) {
        self.parsed.problems.push(Problem {
            severity: Severity::Error,
            code,
            message: printable(message),
            hint: None,
            path: FieldPath::root(),
            position,
            file: self.file.clone(),
            resource: ResourceName::default(),
        });
    }

    /// Takes in a document: a resource, a list of them, or nothing. `base` is where it stands in a larger one.
    pub(crate) fn read(&mut self, node: Node, base: &FieldPath) {
        if node.is_null() {
            return;
        }
        let (resource, namespace) = self.name(&node);
        let context =
            Context { file: self.file.clone(), base: base.clone(), resource: resource.clone(), namespace };
        let sink = Sink::new(context);
        let cursor = Cursor::root(&node, &sink);
        let header = header(&cursor);
        match header {
            Some((api_version, kind)) if is_list(&node, &kind) => {
                drop(api_version);
                self.items(node, base);
            }
            Some((api_version, kind)) => match known(&api_version, &kind) {
                Known::Kind(kind) => {
                    let decoder = self.decoders.iter().find(|decoder| decoder.kind() == kind);
                    let decoded = decoder.and_then(|decoder| {
                        cursor.object(|fields| resource_parts(fields, *decoder, &sink.context.namespace))
                    });
                    let usable = !sink.has_errors();
                    if let Some((meta, spec)) = decoded.filter(|_| usable) {
                        let source = Source { file: self.file.clone() };
                        let node = if self.keep_nodes { node } else { Node::null() };
                        let node = Arc::new(node);
                        self.parsed.resources.push(Resource { meta, api_version, kind, spec, source, node });
                    }
                }
                Known::Unsupported => {
                    let message = format!("`{kind}` is not supported: this resource has no effect");
                    cursor.tell(Severity::Warning, code::UNSUPPORTED, &message, None);
                }
                Known::Other => self.parsed.ignored.push(Ignored {
                    api_version,
                    resource,
                    position: node.position,
                    file: self.file.clone(),
                }),
                Known::Wrong { message, hint } => {
                    let hint = hint.as_ref().map(|hint| hint as &dyn std::fmt::Display);
                    cursor.tell(Severity::Error, code::SCHEMA, &message, hint);
                }
            },
            None => {}
        }
        self.parsed.problems.extend(sink.into_problems());
    }

    fn items(&mut self, node: Node, base: &FieldPath) {
        let Value::Mapping(entries) = node.value else {
            return;
        };
        let items = entries.into_iter().find(|(key, _)| key.name == "items");
        if let Some((_, Node { value: Value::Sequence(items), .. })) = items {
            for (index, item) in items.into_iter().enumerate() {
                self.read(item, &base.field("items").index(index));
            }
        }
    }

    /// What a resource is called, as far as that can be told; and the namespace it is in.
    fn name(&self, node: &Node) -> (ResourceName, String) {
        let text = |node: Option<&Node>| {
            node.and_then(Node::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let metadata = node.get("metadata");
        let kind = text(node.get("kind"));
        let given = text(metadata.and_then(|metadata| metadata.get("namespace")));
        let namespace = given.unwrap_or_else(|| self.default_namespace.clone());
        let name = ResourceName {
            namespace: (kind.as_deref() != Some("Namespace")).then(|| namespace.clone()),
            kind,
            name: text(metadata.and_then(|metadata| metadata.get("name"))),
        };
        (name, namespace)
    }
}

/// `apiVersion` and `kind`.
fn header(cursor: &Cursor<'_>) -> Option<(String, String)> {
    cursor.object(|fields| {
        fields.ignore_rest();
        let api_version = fields.required("apiVersion", |at| at.non_empty());
        let kind = fields.required("kind", |at| at.non_empty());
        Some((shorten(&api_version?), shorten(&kind?)))
    })
}

fn is_list(node: &Node, kind: &str) -> bool {
    kind.ends_with("List") && matches!(node.get("items"), Some(Node { value: Value::Sequence(_), .. }))
}

fn resource_parts(
    fields: &Object<'_>,
    decoder: Decoder,
    namespace: &str,
) -> Option<(Metadata, crate::resource::Spec)> {
    let kind = decoder.kind();
    for name in ["apiVersion", "kind", "status"] {
        fields.skip(name);
    }
    // Of Kubernetes' own kinds only a part is read.
    if !is_istio(kind) {
        fields.ignore_rest();
    }
    let meta = fields.required("metadata", |meta| meta.object(|fields| metadata(fields, kind, namespace)));
    let spec = decoder.spec(fields);
    Some((meta?, spec?))
}

fn metadata(fields: &Object<'_>, kind: Kind, namespace: &str) -> Option<Metadata> {
    for name in FOREIGN {
        fields.skip(name);
    }
    let check = if kind == Kind::Gateway { check::names::dns_label } else { check::names::resource_name };
    let name = fields.required("name", |name| name.checked(check));
    fields.get("namespace", |field| {
        field.checked(|text| if text.is_empty() { Ok(()) } else { check::names::dns_label(text) })
    });
    let labels = fields.get("labels", text_map).unwrap_or_default();
    let annotations = fields.get("annotations", |map| annotations(map, kind)).unwrap_or_default();
    if !matches!(kind, Kind::VirtualService | Kind::RequestAuthentication | Kind::AuthorizationPolicy) {
        let health_checks = matches!(kind, Kind::DestinationRule | Kind::ServiceEntry);
        fields.get("annotations", |map| no_annotations(map, health_checks));
    }
    let creation_timestamp = fields.get("creationTimestamp", |time| time.parsed(check::timestamp::parse));
    let namespace = if kind == Kind::Namespace { String::new() } else { namespace.to_owned() };
    Some(Metadata { name: name?, namespace, labels, annotations, creation_timestamp })
}

fn text_map(map: &Cursor<'_>) -> Option<Labels> {
    Some(ordered::map(map.map(|_, value| value.string())))
}

fn annotations(map: &Cursor<'_>, kind: Kind) -> Option<Labels> {
    let annotations = map.map(|name, value| {
        if RESERVED.contains(&name) {
            value.key_error(name, "is an annotation of Istio's own: nobody else can set it");
        } else if name == DRY_RUN && is_istio(kind) && kind != Kind::AuthorizationPolicy {
            value.error_hint(
                format_args!("annotation `{name}` has no place on a {kind}"),
                "remove it: only an AuthorizationPolicy can be tried out",
            );
        }
        value.string()
    });
    Some(ordered::map(annotations))
}
