//! Where decoders report to.

use std::{cell::RefCell, sync::Arc};

use crate::{
    node::Position,
    ordered,
    path::FieldPath,
    problem::{Problem, ResourceName, Severity, printable},
};

/// What decoders have to know of the resource around a field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Context {
    /// The file, for problems.
    pub(crate) file: Option<Arc<str>>,
    /// Where the resource stands in a larger document.
    pub(crate) base: FieldPath,
    /// The resource's name, for problems.
    pub(crate) resource: ResourceName,
    /// The resource's namespace, for references without one.
    pub(crate) namespace: String,
}

/// Collects problems.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    pub(crate) context: Context,
    problems: RefCell<Vec<Problem>>,
}

impl Sink {
    pub(crate) fn new(context: Context) -> Self {
        Self { context, problems: RefCell::default() }
    }

    pub(crate) fn report(
        &self,
        severity: Severity,
        code: &'static str,
        at: (FieldPath, Option<Position>),
        message: String,
        hint: Option<String>,
    ) {
        self.problems.borrow_mut().push(Problem {
            severity,
            code,
            message: printable(message),
            hint: hint.map(printable),
            path: at.0.below(&self.context.base),
            position: at.1,
            file: self.context.file.clone(),
            resource: self.context.resource.clone(),
        });
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.problems.borrow().iter().any(Problem::is_error)
    }

    /// Whatever was reported, in the order of the text.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        ordered::sort_by(&mut problems, |one, other| one.position.cmp(&other.position));
        problems
    }
}
