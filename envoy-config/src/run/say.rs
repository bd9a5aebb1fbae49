//! What `run` tells the user while it serves.

use std::io::Write;

/// Writes a line on standard error. It is lost if nobody can read it, such as after a closed terminal: serving goes on,
/// where `eprintln!` would end it.
macro_rules! say {
    ($($text:tt)*) => { $crate::run::say::line(&format!($($text)*)) };
}

pub(super) use say;

/// What `say!` does with its text.
pub(super) fn line(text: &str) {
    write(&mut std::io::stderr().lock(), text);
}

/// In one piece, so that lines of others don't come between.
fn write(to: &mut dyn Write, text: &str) {
    let _ = to.write_all(format!("{text}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_line_that_nobody_reads_is_lost() {
        let mut read = Vec::new();
        write(&mut read, "a");
        write(&mut Closed, "b");
        write(&mut read, "c");
        assert_eq!(read, b"a\nc\n");
    }
}
