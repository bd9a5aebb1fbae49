//! The module of a filter that does nothing but its calls, as WebAssembly text.

use std::fmt::Write as _;

use anyhow::Result;

use super::{Call, Calls, Map};

/// Where the host leaves the place and the size of an answer, and numbers. Nobody reads them.
const ANSWER: usize = 16;
/// Which of the sets of labels it is the turn of.
const TURN: usize = ANSWER + 16;
/// Where numbers stand that are known from the start on.
const KEPT: usize = 1024;
/// Where constants begin.
const CONSTANTS: usize = 1 << 16;
/// Where every answer goes: 64 KiB pages from here on.
const ANSWERS: usize = 1 << 20;
/// What the host imports: name, parameters.
const IMPORTS: [(&str, &str); 11] = [
    ("get_header_map_pairs", "i32 i32 i32"),
    ("get_header_map_value", "i32 i32 i32 i32 i32"),
    ("replace_header_map_value", "i32 i32 i32 i32 i32"),
    ("remove_header_map_value", "i32 i32 i32"),
    ("get_property", "i32 i32 i32 i32"),
    ("set_property", "i32 i32 i32 i32"),
    ("get_current_time_nanoseconds", "i32"),
    ("call_foreign_function", "i32 i32 i32 i32 i32 i32"),
    ("define_metric", "i32 i32 i32 i32"),
    ("increment_metric", "i32 i64"),
    ("record_metric", "i32 i64"),
];

/// The module that makes these calls.
pub(super) fn module(calls: &Calls) -> Result<Vec<u8>> {
    let mut writer = Writer { constants: Vec::new(), configure: String::new(), kept: 0, sets: calls.sets };
    let request = writer.calls(&calls.request);
    let response = calls.response.as_deref().map(|calls| writer.calls(calls));
    let log = calls.log.as_deref().map(|calls| writer.calls(calls));
    let mut text = "(module\n".to_owned();
    for (name, parameters) in IMPORTS {
        writeln!(text, "(import \"env\" \"proxy_{name}\" (func ${name} (param {parameters}) (result i32)))")?;
    }
    let data: String = writer.constants.iter().map(|byte| format!("\\{byte:02x}")).collect();
    write!(
        text,
        "(memory (export \"memory\") 64)
(data (i32.const {CONSTANTS}) \"{data}\")
(func (export \"proxy_abi_version_0_2_1\"))
(func (export \"_initialize\"))
(func (export \"proxy_on_memory_allocate\") (param i32) (result i32) (i32.const {ANSWERS}))
(func (export \"proxy_on_context_create\") (param i32 i32))
(func (export \"proxy_on_configure\") (param i32 i32) (result i32) {} (i32.const 1))
(func (export \"proxy_on_request_headers\") (param i32 i32 i32) (result i32) {request} (i32.const 0))
",
        writer.configure
    )?;
    if let Some(calls) = response {
        writeln!(
            text,
            "(func (export \"proxy_on_response_headers\") (param i32 i32 i32) (result i32) {calls} (i32.const 0))"
        )?;
    }
    if let Some(calls) = log {
        let next = format!(
            "(i32.store (i32.const {TURN}) (i32.rem_u (i32.add (i32.load (i32.const {TURN})) (i32.const 1)) (i32.const {})))",
            writer.sets
        );
        writeln!(text, "(func (export \"proxy_on_log\") (param i32) {next} {calls})")?;
    }
    text.push(')');
    Ok(wat::parse_str(&text)?)
}

/// What the calls need.
struct Writer {
    constants: Vec<u8>,
    /// What is done once.
    configure: String,
    /// How many numbers are kept from then on.
    kept: usize,
    /// How many metrics each one is, in turn.
    sets: usize,
}

impl Writer {
    fn calls(&mut self, calls: &[Call]) -> String {
        calls.iter().map(|call| self.call(call)).collect()
    }

    fn call(&mut self, call: &Call) -> String {
        let answer = format!("(i32.const {ANSWER}) (i32.const {})", ANSWER + 4);
        let (name, arguments) = match call {
            Call::Headers => {
                ("get_header_map_pairs", format!("(i32.const {}) {answer}", Map::Request as u32))
            }
            Call::Header(map, header) => {
                let header = self.constant(header.as_bytes());
                ("get_header_map_value", format!("(i32.const {}) {header} {answer}", *map as u32))
            }
            Call::SetHeader(header, value) => {
                let (header, value) = (self.constant(header.as_bytes()), self.constant(value.as_bytes()));
                let map = Map::Request as u32;
                ("replace_header_map_value", format!("(i32.const {map}) {header} {value}"))
            }
            Call::RemoveHeader(header) => {
                let header = self.constant(header.as_bytes());
                ("remove_header_map_value", format!("(i32.const {}) {header}", Map::Request as u32))
            }
            Call::Property(path) => {
                let path = self.constant(path.as_bytes());
                ("get_property", format!("{path} {answer}"))
            }
            Call::SetProperty(path, value) => {
                let (path, value) = (self.constant(path.as_bytes()), self.constant(value.as_bytes()));
                ("set_property", format!("{path} {value}"))
            }
            Call::Time => ("get_current_time_nanoseconds", format!("(i32.const {})", ANSWER + 8)),
            Call::Evaluate(expression) => {
                let (create, evaluate) = (self.constant(b"expr_create"), self.constant(b"expr_evaluate"));
                let (expression, token) = (self.constant(expression.as_bytes()), self.keep());
                let _ = write!(
                    self.configure,
                    "(drop (call $call_foreign_function {create} {expression} {answer}))
                     (i32.store (i32.const {token}) (i32.load (i32.const {ANSWERS})))"
                );
                ("call_foreign_function", format!("{evaluate} (i32.const {token}) (i32.const 4) {answer}"))
            }
            Call::Count => ("increment_metric", format!("{} (i64.const 1)", self.metric(0))),
            Call::Record => ("record_metric", format!("{} (i64.const 300)", self.metric(2))),
            Call::Verify(arguments) => {
                let (name, arguments) = (self.constant(b"verify_signature"), self.constant(arguments));
                ("call_foreign_function", format!("{name} {arguments} {answer}"))
            }
        };
        format!("(drop (call ${name} {arguments}))")
    }

    /// The id of a metric of a kind, as the ABI numbers it: of the set whose turn it is.
    fn metric(&mut self, kind: u32) -> String {
        let places: Vec<_> = (0..self.sets).map(|_| self.keep()).collect();
        for place in &places {
            let name = self.constant(format!("calls.{place}").as_bytes());
            let _ = write!(
                self.configure,
                "(drop (call $define_metric (i32.const {kind}) {name} (i32.const {place})))"
            );
        }
        let first = places.first().copied().unwrap_or_default();
        format!("(i32.load offset={first} (i32.shl (i32.load (i32.const {TURN})) (i32.const 2)))")
    }

    /// A place for a number that is known from the start on.
    fn keep(&mut self) -> usize {
        self.kept += 4;
        KEPT + self.kept
    }

    /// Its place and size.
    fn constant(&mut self, bytes: &[u8]) -> String {
        let place = CONSTANTS + self.constants.len();
        self.constants.extend_from_slice(bytes);
        format!("(i32.const {place}) (i32.const {})", bytes.len())
    }
}
