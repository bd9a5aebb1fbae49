//! `outrigger-pack IN.wasm OUT.wasm`: finishes a filter module.
//!
//! The SDK exports every callback of the ABI, and Envoy enters the VM for each one that is exported: an idle body
//! callback costs an entry for every chunk of every body. This puts the callbacks that the filter has a use for in the
//! place of all those of the SDK, drops the code behind the others and the custom sections but one, which says what this
//! is; and it refuses a module that Envoy 1.40 would not load.

mod order;
mod sdk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use walrus::{Module, RawCustomSection};

/// What every module exports besides its callbacks.
const COMMON: &[&str] = &["memory", "_initialize", "proxy_abi_version_0_2_1"];

/// The custom section that says which module this is, and of which version.
const SECTION: &str = "outrigger";

/// How our callbacks' names begin, and those of the ABI that they get.
const OURS: &str = "outrigger_on_";
const ABI: &str = "proxy_on_";

/// The callbacks of each module, without [`OURS`], by its name.
const CALLBACKS: &[(&str, &[&str])] = &[
    (
        "outrigger",
        &[
            "context_create",
            "configure",
            "request_headers",
            "response_headers",
            "log",
            "tick",
            "http_call_response",
        ],
    ),
    ("outrigger_router", &["context_create", "configure", "request_headers", "response_headers"]),
    ("outrigger_fault", &["context_create", "configure", "request_headers", "tick", "log"]),
    (
        "outrigger_jwt_authn",
        &["context_create", "configure", "request_headers", "tick", "http_call_response"],
    ),
    ("outrigger_authz", &["context_create", "configure", "request_headers", "http_call_response"]),
    ("outrigger_metrics", &["context_create", "configure", "request_headers", "log"]),
];

/// What Envoy 1.40 offers to import, as far as Rust's standard library, the SDK and the filters ask for it. An import
/// that Envoy does not know makes it refuse the module.
const IMPORTS: &[(&str, &[&str])] = &[
    (
        "env",
        &[
            "proxy_add_header_map_value",
            "proxy_call_foreign_function",
            "proxy_close_stream",
            "proxy_continue_stream",
            "proxy_define_metric",
            "proxy_dequeue_shared_queue",
            "proxy_done",
            "proxy_enqueue_shared_queue",
            "proxy_get_buffer_bytes",
            "proxy_get_current_time_nanoseconds",
            "proxy_get_header_map_pairs",
            "proxy_get_header_map_value",
            "proxy_get_log_level",
            "proxy_get_metric",
            "proxy_get_property",
            "proxy_get_shared_data",
            "proxy_get_status",
            "proxy_grpc_call",
            "proxy_grpc_cancel",
            "proxy_grpc_close",
            "proxy_grpc_send",
            "proxy_grpc_stream",
            "proxy_http_call",
            "proxy_increment_metric",
            "proxy_log",
            "proxy_record_metric",
            "proxy_register_shared_queue",
            "proxy_remove_header_map_value",
            "proxy_replace_header_map_value",
            "proxy_resolve_shared_queue",
            "proxy_send_local_response",
            "proxy_set_buffer_bytes",
            "proxy_set_effective_context",
            "proxy_set_header_map_pairs",
            "proxy_set_property",
            "proxy_set_shared_data",
            "proxy_set_tick_period_milliseconds",
        ],
    ),
    (
        "wasi_snapshot_preview1",
        &["clock_time_get", "environ_get", "environ_sizes_get", "fd_write", "proc_exit", "random_get"],
    ),
];

fn main() -> ExitCode {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let (input, done) = match paths.as_slice() {
        [option] if option.as_os_str() == "--names" => return order::names(),
        [option, input, output] if option.as_os_str() == "--order" => (input, order::order(input, output)),
        [input, output] => (input, pack(input, output)),
        _ => {
            eprintln!("usage: outrigger-pack [--order] IN.wasm OUT.wasm, or --names <FUNCTIONS");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("outrigger-pack: {}: {error:#}", input.display());
            ExitCode::FAILURE
        }
    }
}

fn pack(input: &Path, output: &Path) -> Result<()> {
    let name = input.file_stem().unwrap_or_default().to_string_lossy();
    let (_, callbacks) =
        CALLBACKS.iter().find(|(module, _)| *module == name).context("not one of our modules")?;
    let mut config = walrus::ModuleConfig::new();
    // `--order` needs the names of functions, and drops them.
    let mut module: Module = config.generate_producers_section(false).parse_file(input)?;
    let mut wanted: Vec<(String, String)> =
        COMMON.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
    let ours = ["memory_allocate"].iter().chain(*callbacks);
    wanted.extend(ours.map(|name| (format!("{OURS}{name}"), format!("{ABI}{name}"))));
    let exports: Vec<_> = module.exports.iter().map(|export| (export.id(), export.name.clone())).collect();
    for (export, name) in exports {
        match wanted.iter().position(|(ours, _)| *ours == name) {
            Some(place) => module.exports.get_mut(export).name = wanted.swap_remove(place).1,
            None => module.exports.delete(export),
        }
    }
    if !wanted.is_empty() {
        bail!("does not export what it should: {wanted:?}");
    }
    sdk::drop_dispatcher(&mut module)?;
    walrus::passes::gc::run(&mut module);
    let unknown: Vec<_> = module
        .imports
        .iter()
        .filter(|import| {
            !IMPORTS.iter().any(|(from, names)| import.module == *from && names.contains(&&*import.name))
        })
        .map(|import| format!("{}.{}", import.module, import.name))
        .collect();
    if !unknown.is_empty() {
        bail!("imports what Envoy may not offer: {}", unknown.join(", "));
    }
    // Envoy has no use for custom sections; people and `outrigger image inspect` have.
    let version = format!(r#"{{"module":"{name}","version":"{}"}}"#, env!("CARGO_PKG_VERSION"));
    module.customs.add(RawCustomSection { name: SECTION.to_owned(), data: version.into_bytes() });
    replace(output, &module.emit_wasm())
}

/// A file that did not change keeps its time: the native build embeds it and looks at that.
fn replace(output: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(output).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    std::fs::write(output, bytes).with_context(|| output.display().to_string())
}
