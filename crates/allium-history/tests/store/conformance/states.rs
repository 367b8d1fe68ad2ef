//! States of workers: bytes come back, one state per worker, damage is found.

use allium_history::Error;

use super::Backend;
use crate::common::*;

pub(crate) fn the_last_state_of_each_worker_comes_back(backend: &dyn Backend) {
    let mut store = backend.empty();
    assert_eq!(store.load_state("detector").unwrap(), None);
    let large: Vec<u8> = (0..3_000_000u32).flat_map(u32::to_le_bytes).collect();
    store.save_state("detector", b"first").unwrap();
    store.save_state("detector", &large).unwrap();
    store.save_state("other", b"").unwrap();
    assert_eq!(store.load_state("detector").unwrap().unwrap(), large);
    assert_eq!(store.load_state("other").unwrap().unwrap(), b"");
    assert!(store.check().unwrap().is_sound());
}

pub(crate) fn states_leave_the_record_alone_and_outlive_a_prune(backend: &dyn Backend) {
    let mut store = backend.empty();
    store.apply(&details(hour(0), vec![full(1, hour(0))])).unwrap();
    let before = store.load().unwrap();
    store.save_state("detector", b"seen").unwrap();
    assert_eq!(store.load().unwrap(), before);
    store.prune(hour(1)).unwrap();
    assert_eq!(store.load_state("detector").unwrap().unwrap(), b"seen");
}

pub(crate) fn a_handle_for_reading_saves_no_state(backend: &dyn Backend) {
    let shared = backend.shared();
    shared.url.open().unwrap().save_state("detector", b"seen").unwrap();
    let mut store = shared.url.open_read_only().unwrap();
    assert!(matches!(store.save_state("detector", b"more"), Err(Error::ReadOnly { .. })));
    assert_eq!(store.load_state("detector").unwrap().unwrap(), b"seen");
}
