//! Protobuf's wire format, as far as these few messages need it.

/// A field with a length: text, bytes or a message.
pub(crate) fn field(number: u32, content: &[u8]) -> Vec<u8> {
    [varint(u64::from(number << 3 | 2)), varint(content.len() as u64), content.to_vec()].concat()
}

/// A field with a number.
pub(crate) fn number(field: u32, value: u64) -> Vec<u8> {
    [varint(u64::from(field << 3)), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// The fields with a length among those of a message, by their numbers.
pub(crate) fn fields(message: &[u8]) -> Vec<(u32, &[u8])> {
    let (mut rest, mut found) = (message, Vec::new());
    while !rest.is_empty() {
        let key = take_varint(&mut rest);
        match key & 7 {
            0 => drop(take_varint(&mut rest)),
            1 => rest = &rest[8..],
            5 => rest = &rest[4..],
            2 => {
                let length = usize::try_from(take_varint(&mut rest)).unwrap();
                let (content, after) = rest.split_at(length);
                found.push((u32::try_from(key >> 3).unwrap(), content));
                rest = after;
            }
            kind => panic!("wire type {kind}"),
        }
    }
    found
}

/// The first field at the end of a way of numbers.
pub(crate) fn at<'m>(message: &'m [u8], way: &[u32]) -> Option<&'m [u8]> {
    way.iter().try_fold(message, |message, number| {
        fields(message).into_iter().find(|(known, _)| known == number).map(|(_, content)| content)
    })
}

fn take_varint(rest: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let (byte, after) = rest.split_first().unwrap();
        *rest = after;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}
