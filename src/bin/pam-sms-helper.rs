//! The helper: sends one message for the module, without root's rights.

fn main() {
    pam_sms::helper::serve::main()
}
