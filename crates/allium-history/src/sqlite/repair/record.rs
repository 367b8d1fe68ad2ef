//! Rows as SQLite writes them (file format, "Record Format").

use rusqlite::types::Value;

/// A number of 1 to 9 bytes at the beginning, and what follows it.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (i, byte) in bytes.iter().take(9).enumerate() {
        if i == 8 {
            return Some((number << 8 | u64::from(*byte), &bytes[9..]));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[i + 1..]));
        }
    }
    None
}

/// Columns of a row; `None` for bytes that are no row.
pub(super) fn columns(record: &[u8]) -> Option<Vec<Value>> {
    let (header_bytes, _) = varint(record)?;
    let (header, mut content) = record.split_at_checked(usize::try_from(header_bytes).ok()?)?;
    let (_, mut types) = varint(header)?;
    let mut columns = Vec::new();
    while !types.is_empty() {
        let (kind, rest) = varint(types)?;
        let (value, after) = column(kind, content)?;
        columns.push(value);
        (types, content) = (rest, after);
    }
    Some(columns)
}

fn column(kind: u64, content: &[u8]) -> Option<(Value, &[u8])> {
    let n_bytes = match kind {
        0 | 8 | 9 => 0,
        1..=4 => kind as usize,
        5 => 6,
        6 | 7 => 8,
        10 | 11 => return None,
        _ => usize::try_from((kind - 12) / 2).ok()?,
    };
    let (bytes, rest) = content.split_at_checked(n_bytes)?;
    let value = match kind {
        0 => Value::Null,
        1..=6 => Value::Integer(integer(bytes)),
        7 => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        _ if kind.is_multiple_of(2) => Value::Blob(bytes.to_vec()),
        _ => Value::Text(String::from_utf8(bytes.to_vec()).ok()?),
    };
    Some((value, rest))
}

fn integer(bytes: &[u8]) -> i64 {
    let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
    bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_rows_are_read_as_sqlite_writes_them() {
        assert_eq!(varint(&[0x81, 0x00, 7]), Some((128, &[7][..])));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, &[][..])));
        assert_eq!(varint(&[0x80]), None);
        let record = [7, 0, 1, 2, 9, 0x11, 0x10, 0xff, 0xff, 0x00, b'a', b'b', 1, 2];
        let expected =
            [Value::Null, Value::Integer(-1), Value::Integer(-256), Value::Integer(1), Value::Text("ab".into()), Value::Blob(vec![1, 2])];
        assert_eq!(columns(&record).unwrap(), expected);
        assert_eq!(columns(&record[..12]), None, "it is cut");
    }
}
