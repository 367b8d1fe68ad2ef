#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("presence_snapshots"), |bytes: &[u8]| allium_fuzz::check("presence_snapshots", bytes));
