#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| pam_sms::proof::users(data));
