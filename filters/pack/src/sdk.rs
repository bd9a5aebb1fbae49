//! The SDK's dispatcher, which nobody calls any more once its callbacks are no exports.
//!
//! Parts of it stand in the table of functions that are called indirectly, where a linker, which sees the callbacks
//! exported, has to leave them, and the code behind them.

use std::collections::HashSet;

use anyhow::{Result, bail};
use walrus::ir::{Visitor, dfs_in_order};
use walrus::{ElementItems, ExportItem, FunctionBuilder, FunctionId, FunctionKind, LocalFunction, Module};

/// What names of its functions contain, as the compiler writes them: in a path, and within a type.
const DISPATCHER: &[&str] =
    &["10proxy_wasm10dispatcher", "proxy_wasm..dispatcher", "10proxy_wasm6traits", "proxy_wasm..traits"];

/// Empties the dispatcher's functions that no other code calls: who calls them would trap.
///
/// # Errors
/// There is none, or who calls what can't be told.
pub(crate) fn drop_dispatcher(module: &mut Module) -> Result<()> {
    let dispatcher: HashSet<FunctionId> = module
        .funcs
        .iter()
        .filter(|function| {
            let name = function.name.as_deref().unwrap_or_default();
            DISPATCHER.iter().any(|part| name.contains(part))
        })
        .map(walrus::Function::id)
        .collect();
    let mut called = Called { found: HashSet::new(), left: Vec::new() };
    let exported = module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(function) => Some(function),
        _ => None,
    });
    exported.chain(module.start).for_each(|function| called.add(function));
    for element in module.elements.iter() {
        let ElementItems::Functions(functions) = &element.items else {
            bail!("fills a table of functions by expressions, which its linker did not do so far");
        };
        let others = functions.iter().filter(|function| !dispatcher.contains(function));
        others.for_each(|function| called.add(*function));
    }
    while let Some(function) = called.left.pop() {
        if let FunctionKind::Local(local) = &module.funcs.get(function).kind {
            dfs_in_order(&mut called, local, local.entry_block());
        }
    }
    let dropped: Vec<_> = dispatcher.difference(&called.found).copied().collect();
    if dropped.is_empty() {
        bail!("has no names of functions, or an SDK whose names are others than expected");
    }
    for function in dropped {
        if let Some(empty) = trap(module, function) {
            module.funcs.get_mut(function).kind = FunctionKind::Local(empty);
        }
    }
    Ok(())
}

/// A body for `function` that does nothing but trap.
fn trap(module: &mut Module, function: FunctionId) -> Option<LocalFunction> {
    let FunctionKind::Local(local) = &module.funcs.get(function).kind else { return None };
    let args = local.args.clone();
    let kind = module.types.get(local.ty());
    let (params, results) = (kind.params().to_vec(), kind.results().to_vec());
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
    builder.func_body().unreachable();
    Some(builder.local_func(args))
}

/// The functions that are called or named by others.
struct Called {
    found: HashSet<FunctionId>,
    left: Vec<FunctionId>,
}

impl Called {
    fn add(&mut self, function: FunctionId) {
        if self.found.insert(function) {
            self.left.push(function);
        }
    }
}

impl Visitor<'_> for Called {
    fn visit_function_id(&mut self, function: &FunctionId) {
        self.add(*function);
    }
}
