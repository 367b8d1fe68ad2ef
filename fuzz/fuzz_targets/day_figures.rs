#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("day_figures"), |bytes: &[u8]| allium_fuzz::check("day_figures", bytes));
