//! Published graphs as bytes: how the store keeps the graphs that one document publishes of one relay.
//!
//! Layout of version 1; numbers are little-endian, `varint` is LEB128 of at most 10 bytes:
//!
//! ```text
//! version   u8        1
//! raw_len   u32       length of what follows when decompressed, at most 16 MiB
//! frame     zstd      of: n_graphs varint, then all headers, then all codes
//! header    quantity  u8      0 uptime, 1 flag (then u8: its bit in RelayFlags), 2 other flag (then text),
//!                             3 bytes written, 4 bytes read, 5 consensus weight, 6 its fraction,
//!                             7 guard, 8 middle, 9 exit probability
//!           period    u8      0 other (then text), 1 to 7: 1 day, 7 days, 30 days, 1 month, 6 months, 1 and 5 years
//!           start     i64     seconds since 1970-01-01T00:00:00Z
//!           interval  u32     seconds
//!           scale     f64     value = code × scale
//!           completed varint  intervals at the end that were appended as known down
//!           n_codes   varint
//! codes     u16 each, in the order of the headers; 65535 is missing
//! text      varint length, then UTF-8
//! ```
//!
//! Anything else is an error with its reason; no input makes the decoder panic or take more than 16 MiB at once.

use allium_model::{GraphPeriod, Period, PublishedGraph, Quantity, RelayFlag, Series};

use super::{Reader, put_varint};

const VERSION: u8 = 1;
const LEVEL: i32 = 1;
const MISSING: u16 = u16::MAX;

/// The most bytes that the graphs of one relay may take before compression.
pub(crate) const MAX_RAW_LEN: usize = 16 << 20;

/// Periods by their number in headers, from 1; further ones are added at the end.
const PERIODS: [Period; 7] =
    [Period::OneDay, Period::SevenDays, Period::ThirtyDays, Period::OneMonth, Period::SixMonths, Period::OneYear, Period::FiveYears];

/// Quantities without further data in the order of their [`number`], from 3; further ones are added at the end.
const PLAIN_QUANTITIES: [Quantity; 7] = [
    Quantity::BytesWritten,
    Quantity::BytesRead,
    Quantity::ConsensusWeight,
    Quantity::ConsensusWeightFraction,
    Quantity::GuardProbability,
    Quantity::MiddleProbability,
    Quantity::ExitProbability,
];

/// Turns graphs into blobs, keeping its buffers from one to the next.
pub(crate) struct Encoder {
    compressor: zstd::bulk::Compressor<'static>,
    raw: Vec<u8>,
}

impl Encoder {
    pub(crate) fn new() -> Self {
        let compressor = zstd::bulk::Compressor::new(LEVEL).expect("level 1 exists in every version of zstd");
        Self { compressor, raw: Vec::new() }
    }

    /// The blob; `Err` is the raw length where it exceeds [`MAX_RAW_LEN`].
    pub(crate) fn encode(&mut self, graphs: &[PublishedGraph]) -> Result<Vec<u8>, usize> {
        self.raw.clear();
        put_varint(&mut self.raw, graphs.len() as u64);
        graphs.iter().for_each(|graph| put_header(&mut self.raw, graph));
        for graph in graphs {
            self.raw.extend(graph.series.codes().flat_map(|code| code.unwrap_or(MISSING).to_le_bytes()));
        }
        if self.raw.len() > MAX_RAW_LEN {
            return Err(self.raw.len());
        }
        let frame = self.compressor.compress(&self.raw).expect("the output buffer is as large as zstd asks for");
        let mut blob = vec![VERSION];
        blob.extend((self.raw.len() as u32).to_le_bytes());
        blob.extend(frame);
        Ok(blob)
    }
}

/// Turns blobs into graphs.
pub(crate) struct Decoder {
    decompressor: zstd::bulk::Decompressor<'static>,
    raw: Vec<u8>,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        let decompressor = zstd::bulk::Decompressor::new().expect("a context without dictionary needs nothing but memory");
        Self { decompressor, raw: Vec::new() }
    }

    /// The graphs of a blob, or the reason why it has none.
    pub(crate) fn decode(&mut self, blob: &[u8]) -> Result<Vec<PublishedGraph>, &'static str> {
        let mut head = Reader(blob);
        if head.byte()? != VERSION {
            return Err("unknown version");
        }
        let raw_len = head.u32()? as usize;
        if raw_len > MAX_RAW_LEN {
            return Err("too long");
        }
        self.raw.clear();
        self.raw.reserve(raw_len);
        let n_bytes = self.decompressor.decompress_to_buffer(head.0, &mut self.raw).map_err(|_| "not a zstd frame of the stated length")?;
        if n_bytes != raw_len {
            return Err("not a zstd frame of the stated length");
        }
        graphs(Reader(&self.raw))
    }
}

fn graphs(mut reader: Reader<'_>) -> Result<Vec<PublishedGraph>, &'static str> {
    let n_graphs = reader.varint()?;
    let mut headers = Vec::new();
    for _ in 0..n_graphs {
        headers.push(Header::read(&mut reader)?);
    }
    let graphs = headers.into_iter().map(|header| header.graph(&mut reader)).collect::<Result<_, _>>()?;
    if reader.0.is_empty() { Ok(graphs) } else { Err("bytes after the last code") }
}

fn put_header(out: &mut Vec<u8>, graph: &PublishedGraph) {
    out.push(number(&graph.quantity));
    match &graph.quantity {
        Quantity::Flag(flag) => out.push(*flag as u8),
        Quantity::OtherFlag(name) => put_text(out, name),
        _ => {}
    }
    match &graph.period {
        GraphPeriod::Named(period) => out.push(1 + index_in(&PERIODS, period)),
        GraphPeriod::Other(name) => {
            out.push(0);
            put_text(out, name);
        }
    }
    let series = &graph.series;
    out.extend(series.start_secs().to_le_bytes());
    out.extend(series.interval_secs().to_le_bytes());
    out.extend(series.scale().to_le_bytes());
    put_varint(out, graph.completed as u64);
    put_varint(out, series.len() as u64);
}

/// Number of a quantity in headers.
const fn number(quantity: &Quantity) -> u8 {
    match quantity {
        Quantity::Uptime => 0,
        Quantity::Flag(_) => 1,
        Quantity::OtherFlag(_) => 2,
        Quantity::BytesWritten => 3,
        Quantity::BytesRead => 4,
        Quantity::ConsensusWeight => 5,
        Quantity::ConsensusWeightFraction => 6,
        Quantity::GuardProbability => 7,
        Quantity::MiddleProbability => 8,
        Quantity::ExitProbability => 9,
    }
}

fn index_in<T: PartialEq>(list: &[T], item: &T) -> u8 {
    list.iter().position(|candidate| candidate == item).expect("the list names every variant; a test holds that") as u8
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_varint(out, text.len() as u64);
    out.extend(text.as_bytes());
}

/// The header of a graph, before its codes.
struct Header {
    quantity: Quantity,
    period: GraphPeriod,
    start_secs: i64,
    interval_secs: u32,
    scale: f64,
    completed: usize,
    n_codes: usize,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Result<Self, &'static str> {
        let header = Self {
            quantity: quantity(reader)?,
            period: period(reader)?,
            start_secs: i64::from_le_bytes(reader.array()?),
            interval_secs: reader.u32()?,
            scale: f64::from_le_bytes(reader.array()?),
            completed: reader.length()?,
            n_codes: reader.length()?,
        };
        if header.completed > header.n_codes { Err("more completed intervals than intervals") } else { Ok(header) }
    }

    fn graph(self, reader: &mut Reader<'_>) -> Result<PublishedGraph, &'static str> {
        let bytes = reader.take(self.n_codes.saturating_mul(2))?;
        let codes = bytes.chunks_exact(2).map(|pair| {
            let code = u16::from_le_bytes([pair[0], pair[1]]);
            (code != MISSING).then_some(code)
        });
        let series = Series::from_codes(self.start_secs, self.interval_secs, self.scale, codes).ok_or("no interval or no scale")?;
        Ok(PublishedGraph { quantity: self.quantity, period: self.period, series, completed: self.completed })
    }
}

fn quantity(reader: &mut Reader<'_>) -> Result<Quantity, &'static str> {
    match reader.byte()? {
        0 => Ok(Quantity::Uptime),
        1 => RelayFlag::ALL.get(usize::from(reader.byte()?)).map(|flag| Quantity::Flag(*flag)).ok_or("unknown flag"),
        2 => reader.text().map(Quantity::OtherFlag),
        plain => PLAIN_QUANTITIES.get(usize::from(plain - 3)).cloned().ok_or("unknown quantity"),
    }
}

fn period(reader: &mut Reader<'_>) -> Result<GraphPeriod, &'static str> {
    match reader.byte()? {
        0 => reader.text().map(GraphPeriod::Other),
        named => PERIODS.get(usize::from(named - 1)).map(|period| GraphPeriod::Named(*period)).ok_or("unknown period"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quantities() -> impl Strategy<Value = Quantity> {
        prop_oneof![
            Just(Quantity::Uptime),
            prop::sample::select(RelayFlag::ALL.as_slice()).prop_map(Quantity::Flag),
            any::<String>().prop_map(Quantity::OtherFlag),
            prop::sample::select(PLAIN_QUANTITIES.as_slice()),
        ]
    }

    fn periods() -> impl Strategy<Value = GraphPeriod> {
        prop_oneof![prop::sample::select(Period::ALL.as_slice()).prop_map(GraphPeriod::Named), any::<String>().prop_map(GraphPeriod::Other)]
    }

    fn graphs() -> impl Strategy<Value = PublishedGraph> {
        let codes = prop::collection::vec(prop::option::of(0..u16::MAX), 0..50);
        let series = (any::<i64>(), 1..u32::MAX, -1e9..1e9f64, codes);
        (quantities(), periods(), series, 0..50usize).prop_map(|(quantity, period, (start, interval, scale, codes), completed)| {
            let completed = completed.min(codes.len());
            let series = Series::from_codes(start, interval, scale, codes).unwrap();
            PublishedGraph { quantity, period, series, completed }
        })
    }

    proptest! {
        #[test]
        fn graphs_come_back_exactly(graphs in prop::collection::vec(graphs(), 0..6)) {
            let blob = Encoder::new().encode(&graphs).unwrap();
            prop_assert_eq!(Decoder::new().decode(&blob), Ok(graphs));
        }

        #[test]
        fn damage_is_an_error_or_other_graphs_and_never_a_panic(graphs in prop::collection::vec(graphs(), 0..3), at in any::<prop::sample::Index>(), mask in 1..=255u8) {
            let mut raw = Vec::new();
            put_varint(&mut raw, graphs.len() as u64);
            graphs.iter().for_each(|graph| put_header(&mut raw, graph));
            let index = at.index(raw.len());
            raw[index] ^= mask;
            let _ = super::graphs(Reader(&raw));
            let mut blob = Encoder::new().encode(&graphs).unwrap();
            let index = at.index(blob.len());
            blob[index] ^= mask;
            let _ = Decoder::new().decode(&blob);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Decoder::new().decode(&bytes);
            let _ = super::graphs(Reader(&bytes));
        }
    }

    /// Stores of earlier versions of this program hold exactly these bytes. If this fails, introduce a version 2 beside it.
    #[test]
    fn version_1_is_pinned() {
        let graph = |quantity, period| {
            let series = Series::from_codes(3600, 14400, 0.5, [Some(258), None]).unwrap();
            PublishedGraph { quantity, period, series, completed: 1 }
        };
        let graphs = vec![
            graph(Quantity::Uptime, GraphPeriod::Named(Period::OneMonth)),
            graph(Quantity::Flag(RelayFlag::Exit), GraphPeriod::Other("3_days".into())),
            graph(Quantity::ExitProbability, GraphPeriod::Named(Period::FiveYears)),
        ];
        let numbers = "100e000000000000 40380000 000000000000e03f 01 02";
        let raw = format!("03  00 04 {numbers}  01 02 00 06 335f64617973 {numbers}  09 07 {numbers}  0201 ffff  0201 ffff  0201 ffff");
        let raw: String = raw.split_whitespace().collect();
        let raw: Vec<u8> = (0..raw.len()).step_by(2).map(|i| u8::from_str_radix(&raw[i..i + 2], 16).unwrap()).collect();
        let mut blob = vec![1, raw.len() as u8, 0, 0, 0];
        blob.extend(zstd::bulk::compress(&raw, 3).unwrap());
        assert_eq!(Decoder::new().decode(&blob), Ok(graphs.clone()));
        let written = Encoder::new().encode(&graphs).unwrap();
        assert_eq!(zstd::bulk::decompress(&written[5..], 1000).unwrap(), raw);
        assert_eq!(written[..5], blob[..5]);
    }

    #[test]
    fn every_quantity_and_period_has_a_number() {
        assert_eq!(PERIODS, Period::ALL);
        for (quantity, expected) in PLAIN_QUANTITIES.iter().zip(3..) {
            assert_eq!(number(quantity), expected);
            assert!(!quantity.is_share_of_consensuses(), "those have numbers of their own");
        }
    }

    #[test]
    fn too_large_is_refused_by_both_sides() {
        let series = Series::from_codes(0, 1, 1.0, std::iter::repeat_n(Some(7), MAX_RAW_LEN / 2)).unwrap();
        let graph = PublishedGraph { quantity: Quantity::Uptime, period: GraphPeriod::Named(Period::OneDay), series, completed: 0 };
        assert!(Encoder::new().encode(&[graph]).is_err());
        let mut blob = vec![VERSION];
        blob.extend((MAX_RAW_LEN as u32 + 1).to_le_bytes());
        assert_eq!(Decoder::new().decode(&blob), Err("too long"));
    }
}
