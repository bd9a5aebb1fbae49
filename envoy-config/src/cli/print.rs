//! Results, on standard output.

use std::io::{self, ErrorKind, Write as _};

use crate::Exit;

/// How printing a result went. What is wrong has been said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a result that was not written has an exit code of its own"]
pub(super) struct Printed(bool);

impl Printed {
    /// `exit`, unless the result could not be written.
    pub(super) fn then(self, exit: Exit) -> Exit {
        if self.0 { exit } else { Exit::Environment }
    }
}

/// Prints a result for people; colours only reach a terminal.
pub(super) fn print_text(text: &str) -> Printed {
    let mut out = anstream::stdout().lock();
    told(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints a document as it would stand in a file.
pub(super) fn print_document(text: &str) -> Printed {
    let mut out = io::stdout().lock();
    told(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints a result for other programs.
pub(super) fn print_json(value: &impl serde::Serialize) -> Printed {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, value).map_err(io::Error::from);
    told(written.and_then(|()| writeln!(out)).and_then(|()| out.flush()))
}

/// A reader that has gone away (`| head`) is no error.
fn told(written: io::Result<()>) -> Printed {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            super::complain(&format_args!("can't write to standard output: {error}"));
            Printed(false)
        }
        _ => Printed(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reader_that_has_gone_is_no_error() {
        let exit = |kind: ErrorKind| told(Err(kind.into())).then(Exit::Refused);
        assert_eq!(exit(ErrorKind::BrokenPipe), Exit::Refused);
        assert_eq!(exit(ErrorKind::StorageFull), Exit::Environment);
        assert_eq!(told(Ok(())).then(Exit::Refused), Exit::Refused);
    }
}
