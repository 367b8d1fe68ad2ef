//! Sums of what may be unknown.

/// The sum of the values that are known, at most `u64::MAX`: 0 of nothing at all, `None` where there are values and none of them is known.
pub(crate) fn sum_known(values: impl IntoIterator<Item = Option<u64>>) -> Option<u64> {
    let (mut sum, mut is_empty) = (None, true);
    for value in values {
        is_empty = false;
        sum = value.map(|value| sum.unwrap_or(0_u64).saturating_add(value)).or(sum);
    }
    if is_empty { Some(0) } else { sum }
}

#[cfg(test)]
mod tests {
    use super::sum_known;

    #[test]
    fn nothing_known_is_unknown_and_nothing_at_all_is_nothing() {
        assert_eq!(sum_known([Some(1), None, Some(2)]), Some(3));
        assert_eq!(sum_known([Some(u64::MAX), Some(2)]), Some(u64::MAX));
        assert_eq!(sum_known([Some(0), None]), Some(0));
        assert_eq!(sum_known([None, None]), None);
        assert_eq!(sum_known([]), Some(0));
    }
}
