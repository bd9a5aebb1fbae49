//! CEL expressions that the host compiles and evaluates.

use crate::abi::{self, Status};
use crate::answer::Answer;

/// An expression that the host has compiled, by its token.
#[derive(Debug)]
pub(crate) struct Compiled(Vec<u8>);

impl Compiled {
    /// Has the host compile an expression.
    pub(crate) fn new(expression: &str) -> Result<Self, Status> {
        abi::call_foreign_function("expr_create", expression.as_bytes()).map(|token| Self(token.into()))
    }

    /// Its value for the current stream; an error if it has none.
    pub(crate) fn evaluate(&self) -> Result<Answer, Status> {
        abi::call_foreign_function("expr_evaluate", &self.0)
    }
}

impl Drop for Compiled {
    fn drop(&mut self) {
        // Should the host not know it any more, that is as well.
        let _ = abi::ask_foreign_function("expr_delete", &self.0);
    }
}
