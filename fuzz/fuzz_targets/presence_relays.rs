#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("presence_relays"), |bytes: &[u8]| allium_fuzz::check("presence_relays", bytes));
