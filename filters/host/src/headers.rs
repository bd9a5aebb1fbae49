//! The serialised form of header maps: a count, then the sizes of every name and value, then the bytes of each with a
//! NUL behind it; numbers are little-endian `u32`.

use outrigger_core::request::HeaderLine;

/// The lines in `pairs`, borrowed in place. What is cut short ends the list: the host is trusted, but nothing it sends
/// may trap.
pub(crate) fn parse(pairs: &[u8]) -> Vec<HeaderLine<'_>> {
    let Some((count, rest)) = pairs.split_first_chunk() else { return Vec::new() };
    let (sizes, _) = rest.as_chunks::<8>();
    let sizes = sizes.get(..number(*count)).unwrap_or(sizes);
    let mut rest = rest.get(sizes.as_flattened().len()..).unwrap_or_default();
    let mut lines = Vec::with_capacity(sizes.len());
    for [a, b, c, d, e, f, g, h] in sizes {
        let mut take = |size: usize| {
            let (bytes, after) = rest.split_at_checked(size)?;
            rest = after.get(1..)?;
            Some(bytes)
        };
        let (name, value) = (number([*a, *b, *c, *d]), number([*e, *f, *g, *h]));
        let (Some(name), Some(value)) = (take(name), take(value)) else { break };
        lines.push((name, value));
    }
    lines
}

fn number(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX)
}

/// Serialises lines for the host.
pub(crate) fn serialise<'a>(lines: impl ExactSizeIterator<Item = (&'a [u8], &'a [u8])> + Clone) -> Vec<u8> {
    let size = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let mut pairs = Vec::new();
    pairs.extend_from_slice(&u32::try_from(lines.len()).unwrap_or(u32::MAX).to_le_bytes());
    for (name, value) in lines.clone() {
        pairs.extend_from_slice(&size(name));
        pairs.extend_from_slice(&size(value));
    }
    for (name, value) in lines {
        for bytes in [name, value] {
            pairs.extend_from_slice(bytes);
            pairs.push(0);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_serialised_is_parsed_back() {
        let lines: Vec<HeaderLine<'_>> =
            vec![(b":path", b"/"), (b"x-empty", b""), (b"x-bytes", b"\x00\xff\x80")];
        assert_eq!(parse(&serialise(lines.iter().copied())), lines);
    }

    #[test]
    fn truncated_or_absurd_buffers_end_the_list() {
        let whole = serialise([(&b"a"[..], &b"b"[..]), (b"c", b"d")].into_iter());
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).len() <= 2);
        }
        assert!(parse(&[0xff; 12]).is_empty());
        assert!(parse(&[]).is_empty());
    }
}
