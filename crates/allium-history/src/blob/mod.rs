//! Blobs: graphs, days of numbers and states of workers as compressed bytes. `docs/store.md` has their formats.

pub(crate) mod day;
pub(crate) mod graphs;
pub(crate) mod worker_state;

/// The compression level of framed content.
const LEVEL: i32 = 3;

/// Content behind a header: version byte, length as u32, then a zstd frame of the content.
pub(crate) fn frame(version: u8, content: &[u8]) -> Vec<u8> {
    let mut blob = vec![version];
    blob.extend((content.len() as u32).to_le_bytes());
    blob.extend(zstd::bulk::compress(content, LEVEL).expect("the output buffer is as large as zstd asks for"));
    blob
}

/// The content of a [`frame`] of this version, of at most `max_len` bytes; the error is the reason why it is not one.
pub(crate) fn unframe(version: u8, max_len: usize, blob: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut reader = Reader(blob);
    if reader.byte()? != version {
        return Err("unknown version");
    }
    let length = reader.u32()? as usize;
    if length > max_len {
        return Err("too long");
    }
    let content = zstd::bulk::decompress(reader.0, length).map_err(|_| "cannot be decompressed")?;
    if content.len() == length { Ok(content) } else { Err("shorter than its header says") }
}

/// Appends a number as LEB128.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The bytes not read yet.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, n_bytes: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(n_bytes).ok_or("ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        Ok(self.take(N)?.try_into().expect("take gave N bytes"))
    }

    pub(crate) fn byte(&mut self) -> Result<u8, &'static str> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u32(&mut self) -> Result<u32, &'static str> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn varint(&mut self) -> Result<u64, &'static str> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("a number without end")
    }

    pub(crate) fn length(&mut self) -> Result<usize, &'static str> {
        usize::try_from(self.varint()?).map_err(|_| "a length beyond memory")
    }

    pub(crate) fn text(&mut self) -> Result<String, &'static str> {
        let n_bytes = self.length()?;
        String::from_utf8(self.take(n_bytes)?.to_vec()).map_err(|_| "text that is not UTF-8")
    }
}
