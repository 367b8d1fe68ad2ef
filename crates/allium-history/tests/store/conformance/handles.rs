//! Handles: what is written stays, readers see each change whole, handles for reading only read.

use allium_history::{Error, Store};
use allium_model::Quantity;

use super::{Backend, Shared};
use crate::common::*;

/// A store with a relay and its uptime.
fn filled(backend: &dyn Backend) -> Shared {
    let shared = backend.shared();
    let mut store = shared.url.open().unwrap();
    store.apply(&details(hour(0), vec![full(1, hour(0))])).unwrap();
    store.apply(&uptime(hour(0), vec![histories(1, vec![graph(Quantity::Uptime, hour(-2), &[Some(1), None])])])).unwrap();
    shared
}

pub(crate) fn a_store_outlives_the_program(backend: &dyn Backend) {
    let shared = filled(backend);
    let first = shared.url.open().unwrap().load().unwrap();
    assert!(first.is_some());
    assert_eq!(shared.url.open_read_only().unwrap().load().unwrap(), first);
    assert_eq!(shared.url.open_existing().unwrap().load().unwrap(), first);
}

pub(crate) fn readers_see_each_change_whole_while_a_writer_has_the_store_open(backend: &dyn Backend) {
    let shared = filled(backend);
    let mut writer = shared.url.open().unwrap();
    let reader = shared.url.open_read_only().unwrap();
    let as_of = || reader.load().unwrap().unwrap().as_of;
    assert_eq!(as_of(), hour(0));
    writer.apply(&details(hour(1), vec![])).unwrap();
    assert_eq!(as_of(), hour(1));
}

pub(crate) fn several_questions_are_answered_as_of_one_moment(backend: &dyn Backend) {
    let shared = filled(backend);
    let mut writer = shared.url.open().unwrap();
    let reader = shared.url.open_read_only().unwrap();
    let as_of = |store: &dyn Store| (store.load().unwrap().unwrap().as_of, store.stats().unwrap().last);
    let answers = reader.at_one_moment(|store| {
        let before = as_of(store);
        writer.apply(&details(hour(1), vec![])).unwrap();
        (before, as_of(store))
    });
    let then = (hour(0), Some(hour(0)));
    assert_eq!(answers.unwrap(), (then, then));
    assert_eq!(as_of(&*reader), (hour(1), Some(hour(1))));
}

pub(crate) fn a_handle_for_reading_does_not_write(backend: &dyn Backend) {
    let shared = filled(backend);
    let mut store = shared.url.open_read_only().unwrap();
    assert!(matches!(store.apply(&details(hour(1), vec![])), Err(Error::ReadOnly { .. })));
}

pub(crate) fn a_store_can_be_opened_on_any_thread(backend: &dyn Backend) {
    let shared = filled(backend);
    let (here, url) = (shared.url.open_read_only().unwrap(), shared.url.clone());
    let there = std::thread::spawn(move || url.open_read_only().unwrap().load().unwrap());
    assert_eq!(there.join().unwrap(), here.load().unwrap());
    let moved = std::thread::spawn(move || here.load().unwrap().unwrap().as_of);
    assert_eq!(moved.join().unwrap(), hour(0));
}
