//! A day of weights and bandwidths of all relays as one blob; `docs/store.md` has the format.

use std::collections::BTreeMap;

use super::{Reader, frame, put_varint, unframe};

pub(crate) const DAY_HOURS: i32 = 24;
const VERSION: u8 = 1;
const MAX_RAW_LEN: usize = 64 << 20;
/// Every hour of a day.
const WHOLE_DAY: u32 = (1 << DAY_HOURS) - 1;

/// Quantities that are measured, as indices of [`Measured`].
pub(crate) const WEIGHT: usize = 0;
pub(crate) const ADVERTISED: usize = 1;
pub(crate) const OBSERVED: usize = 2;

/// The values of one quantity on one day: those of the hours in the mask, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hourly {
    pub(crate) mask: u32,
    values: Vec<u64>,
}

impl Hourly {
    fn index(&self, hour: u32) -> usize {
        (self.mask & ((1 << hour) - 1)).count_ones() as usize
    }

    /// The value of an hour of the day.
    pub(crate) fn get(&self, hour: u32) -> Option<u64> {
        if self.mask & (1 << hour) == 0 { None } else { self.values.get(self.index(hour)).copied() }
    }

    fn set(&mut self, hour: u32, value: Option<u64>) {
        let (index, is_set) = (self.index(hour), self.mask & (1 << hour) != 0);
        match value {
            Some(value) if is_set => self.values[index] = value,
            Some(value) => {
                self.values.insert(index, value);
                self.mask |= 1 << hour;
            }
            None if is_set => {
                self.values.remove(index);
                self.mask &= !(1 << hour);
            }
            None => {}
        }
    }
}

/// The measured quantities of one relay.
pub(crate) type Measured = [Hourly; 3];

/// A day of all relays, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Day(pub(crate) BTreeMap<i64, Measured>);

impl Day {
    /// Sets the value of an hour of a relay; `None` makes it unknown.
    pub(crate) fn set(&mut self, relay_id: i64, quantity: usize, hour: u32, value: Option<u64>) {
        self.0.entry(relay_id).or_default()[quantity].set(hour, value);
    }

    /// Forgets a quantity of an hour.
    pub(crate) fn clear(&mut self, quantity: usize, hour: u32) {
        self.0.values_mut().for_each(|measured| measured[quantity].set(hour, None));
    }

    /// Forgets all hours of the day but those that are kept.
    pub(crate) fn keep(&mut self, is_kept: impl Fn(u32) -> bool) {
        for hourly in self.0.values_mut().flatten() {
            (0..DAY_HOURS.unsigned_abs()).filter(|hour| !is_kept(*hour)).for_each(|hour| hourly.set(hour, None));
        }
        self.0.retain(|_, measured| measured.iter().any(|hourly| hourly.mask != 0));
    }

    /// The blob.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(self.0.len() * 48);
        put_varint(&mut raw, self.0.len() as u64);
        let mut before = 0;
        for (relay_id, measured) in &self.0 {
            put_varint(&mut raw, relay_id.abs_diff(before));
            before = *relay_id;
            measured.iter().for_each(|hourly| put_hourly(&mut raw, hourly));
        }
        frame(VERSION, &raw)
    }

    /// Reads a blob; the error is the reason why it is not one.
    pub(crate) fn decode(blob: &[u8]) -> Result<Self, &'static str> {
        Self::read(Reader(&unframe(VERSION, MAX_RAW_LEN, blob)?))
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, &'static str> {
        let mut day = BTreeMap::new();
        let mut relay_id: i64 = 0;
        for _ in 0..reader.varint()? {
            let step = i64::try_from(reader.varint()?).ok().filter(|step| *step > 0).ok_or("relays out of order")?;
            relay_id = relay_id.checked_add(step).ok_or("a number of a relay out of range")?;
            day.insert(relay_id, [hourly(&mut reader)?, hourly(&mut reader)?, hourly(&mut reader)?]);
        }
        if reader.0.is_empty() { Ok(Self(day)) } else { Err("longer than its relays") }
    }
}

fn put_hourly(out: &mut Vec<u8>, hourly: &Hourly) {
    match hourly.mask {
        0 => return out.push(0),
        WHOLE_DAY => out.push(1),
        mask => {
            out.push(2);
            out.extend(&mask.to_le_bytes()[..3]);
        }
    }
    let mut before = 0u64;
    for value in &hourly.values {
        let step = value.wrapping_sub(before).cast_signed();
        put_varint(out, ((step << 1) ^ (step >> 63)).cast_unsigned());
        before = *value;
    }
}

fn hourly(reader: &mut Reader<'_>) -> Result<Hourly, &'static str> {
    let mask = match reader.byte()? {
        0 => 0,
        1 => WHOLE_DAY,
        2 => {
            let [a, b, c] = reader.array()?;
            u32::from_le_bytes([a, b, c, 0])
        }
        _ => return Err("unknown form of hours"),
    };
    let mut values = Vec::with_capacity(mask.count_ones() as usize);
    let mut before = 0u64;
    for _ in 0..mask.count_ones() {
        let step = reader.varint()?;
        before = before.wrapping_add((step >> 1) ^ (step & 1).wrapping_neg());
        values.push(before);
    }
    Ok(Hourly { mask, values })
}

/// The day of an hour, and its hour within.
pub(crate) fn day_of(hour: i32) -> (i32, u32) {
    (hour.div_euclid(DAY_HOURS), hour.rem_euclid(DAY_HOURS).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hourly() -> impl Strategy<Value = Hourly> {
        prop::collection::btree_map(0..24u32, any::<u64>(), 0..24).prop_map(|values| {
            let mut hourly = Hourly::default();
            values.into_iter().for_each(|(hour, value)| hourly.set(hour, Some(value)));
            hourly
        })
    }

    fn day() -> impl Strategy<Value = Day> {
        prop::collection::btree_map(1..i64::MAX, [hourly(), hourly(), hourly()], 0..6).prop_map(Day)
    }

    proptest! {
        #[test]
        fn days_come_back_exactly(day in day()) {
            prop_assert_eq!(Day::decode(&day.encode()), Ok(day));
        }

        #[test]
        fn damage_is_an_error_or_another_day_and_never_a_panic(day in day(), at in any::<prop::sample::Index>(), mask in 1..=255u8) {
            let mut blob = day.encode();
            let index = at.index(blob.len());
            blob[index] ^= mask;
            let _ = Day::decode(&blob);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Day::decode(&bytes);
            let _ = Day::read(Reader(&bytes));
        }
    }

    /// Stores hold exactly these bytes. If this fails, introduce a version 2 beside it.
    #[test]
    fn version_1_is_pinned() {
        let mut day = Day::default();
        (0..24).for_each(|hour| day.set(3, WEIGHT, hour, Some(300)));
        day.set(3, OBSERVED, 1, Some(7));
        day.set(5, ADVERTISED, 23, Some(u64::MAX));
        let raw = [&[2, 3, 1, 0xd8, 4][..], &[0; 23], &[0, 2, 2, 0, 0, 14], &[2, 0, 2, 0, 0, 128, 1, 0]].concat();
        let blob = day.encode();
        assert_eq!(zstd::bulk::decompress(&blob[5..], 1000).unwrap(), raw);
        assert_eq!(blob[..5], [1, raw.len() as u8, 0, 0, 0]);
    }
}
