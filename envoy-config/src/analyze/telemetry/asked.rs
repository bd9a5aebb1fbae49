//! What a CEL expression asks of Envoy: names, functions, loops.

use std::collections::BTreeSet;

use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};

/// Istio's names for the workloads at both ends.
const PEERS: [&str; 2] = ["downstream_peer", "upstream_peer"];

/// What an expression asks for.
#[derive(Debug, Default)]
pub(super) struct Asked<'e> {
    /// Names that nothing in it explains.
    pub(super) names: BTreeSet<&'e str>,
    /// Functions and methods that are no operators.
    pub(super) functions: BTreeSet<&'e str>,
    /// What Istio's proxies leave of peers in filter state.
    pub(super) peer: Option<&'static str>,
    /// It goes through a list or a map (`exists`, `all`, `map`, `filter` …).
    pub(super) loops: bool,
}

impl<'e> Asked<'e> {
    /// All that is in `expression`.
    pub(super) fn of(expression: &'e IdedExpr) -> Self {
        let mut asked = Self::default();
        asked.look(expression, &[]);
        asked
    }

    /// `known`: the variables of the loops around it.
    fn look(&mut self, expression: &'e IdedExpr, known: &[&'e str]) {
        match &expression.expr {
            Expr::Unspecified | Expr::Literal(_) => {}
            Expr::Ident(name) => {
                if !known.contains(&name.as_str()) {
                    self.names.insert(name);
                }
            }
            Expr::Select(select) => {
                self.look_at_field(&select.operand, &select.field);
                self.look(&select.operand, known);
            }
            Expr::Call(call) => {
                if let (operators::INDEX, [whole, field]) = (call.func_name.as_str(), call.args.as_slice())
                    && let Expr::Literal(LiteralValue::String(field)) = &field.expr
                {
                    self.look_at_field(whole, field.inner());
                }
                if call.func_name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                    self.functions.insert(&call.func_name);
                }
                call.target.iter().for_each(|target| self.look(target, known));
                call.args.iter().for_each(|argument| self.look(argument, known));
            }
            Expr::List(list) => list.elements.iter().for_each(|element| self.look(element, known)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.look_at_entry(&entry.expr, known)),
            Expr::Struct(made) => {
                made.entries.iter().for_each(|entry| self.look_at_entry(&entry.expr, known))
            }
            Expr::Comprehension(looping) => self.look_at_loop(looping, known),
        }
    }

    fn look_at_field(&mut self, whole: &IdedExpr, field: &str) {
        let state = matches!(&whole.expr, Expr::Ident(name) if name == "filter_state" || name == "upstream_filter_state");
        if let Some(peer) = PEERS.iter().find(|peer| state && **peer == field) {
            self.peer = Some(peer);
        }
    }

    fn look_at_entry(&mut self, entry: &'e EntryExpr, known: &[&'e str]) {
        match entry {
            EntryExpr::StructField(field) => self.look(&field.value, known),
            EntryExpr::MapEntry(entry) => {
                self.look(&entry.key, known);
                self.look(&entry.value, known);
            }
        }
    }

    fn look_at_loop(&mut self, looping: &'e ComprehensionExpr, known: &[&'e str]) {
        self.loops = true;
        self.look(&looping.iter_range, known);
        let own = [Some(&looping.iter_var), looping.iter_var2.as_ref(), Some(&looping.accu_var)];
        let inside: Vec<_> =
            known.iter().copied().chain(own.into_iter().flatten().map(String::as_str)).collect();
        for part in [&looping.accu_init, &looping.loop_cond, &looping.loop_step, &looping.result] {
            self.look(part, &inside);
        }
    }
}
