//! The serialised form of header maps: a count, then the sizes of every name and value, then the bytes of each with a
//! NUL behind it; numbers are little-endian `u32`.

use outrigger_core::request::HeaderLine;

/// The lines in `pairs`, borrowed in place. What is cut short ends the list: the host is trusted, but nothing it sends
/// may trap.
pub(crate) fn parse(pairs: &[u8]) -> Vec<HeaderLine<'_>> {
    let (sizes, mut rest) = split(pairs);
    let mut lines = Vec::with_capacity(sizes.len());
    for size in sizes {
        let Some(line) = take(size, &mut rest) else { break };
        lines.push(line);
    }
    lines
}

/// The lines in `pairs` if there are so many.
pub(crate) fn parse_exact<const COUNT: usize>(pairs: &[u8]) -> Option<[HeaderLine<'_>; COUNT]> {
    let (sizes, mut rest) = split(pairs);
    let sizes = <&[_; COUNT]>::try_from(sizes).ok()?;
    let mut lines = [HeaderLine::default(); COUNT];
    for (line, size) in lines.iter_mut().zip(sizes) {
        *line = take(size, &mut rest)?;
    }
    Some(lines)
}

/// The sizes of a name and its value.
type Sizes = [[u8; 4]; 2];

/// The sizes that `pairs` begins with, and what they are of.
fn split(pairs: &[u8]) -> (&[Sizes], &[u8]) {
    let Some((count, rest)) = pairs.split_first_chunk() else { return Default::default() };
    let (sizes, _) = rest.as_chunks::<4>().0.as_chunks::<2>();
    let sizes = sizes.get(..number(*count)).unwrap_or(sizes);
    (sizes, rest.get(sizes.as_flattened().as_flattened().len()..).unwrap_or_default())
}

/// Takes a line off `rest`. As a call for each line it takes a request through the suite 0.1 µs longer.
#[inline(always)]
fn take<'p>([name, value]: &Sizes, rest: &mut &'p [u8]) -> Option<HeaderLine<'p>> {
    let mut take = |size: [u8; 4]| {
        let (bytes, after) = rest.split_at_checked(number(size))?;
        *rest = after.get(1..)?;
        Some(bytes)
    };
    Some((take(*name)?, take(*value)?))
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
        let pairs = serialise(lines.iter().copied());
        assert_eq!(parse(&pairs), lines);
        assert_eq!(parse_exact::<3>(&pairs).as_ref().map(<[_; 3]>::as_slice), Some(lines.as_slice()));
        assert_eq!((parse_exact::<2>(&pairs), parse_exact::<4>(&pairs)), (None, None));
    }

    #[test]
    fn truncated_or_absurd_buffers_end_the_list() {
        let whole = serialise([(&b"a"[..], &b"b"[..]), (b"c", b"d")].into_iter());
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).len() <= 2);
            assert_eq!(parse_exact::<2>(&whole[..length]), None);
        }
        assert!(parse(&[0xff; 12]).is_empty());
        assert!(parse(&[]).is_empty());
    }
}
