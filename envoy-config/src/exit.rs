//! What a command's end means to the script that called it.

use std::process::{ExitCode, Termination};

/// How a command ended. The numbers are a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done; for `explain`, the request is forwarded; for `run`, stopped by the user.
    Success,
    /// 1: the resources have errors; for `explain`, a policy refused the request.
    Refused,
    /// 2: the command was called wrongly, or a file can't be read.
    Usage,
    /// 3: something around us is missing or taken: no Envoy, no modules, a port in use.
    Environment,
}

impl Exit {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Environment => 3,
        }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
