//! The admin's program.

fn main() -> std::process::ExitCode {
    pam_sms::cli::main()
}
