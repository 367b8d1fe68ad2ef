#![no_main]
libfuzzer_sys::fuzz_target!(init: allium_fuzz::begin("consensus_certificates"), |bytes: &[u8]| allium_fuzz::check("consensus_certificates", bytes));
