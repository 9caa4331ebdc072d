use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use super::*;

const TEXT: &str = "KQ-004217 код 🔑\n\nTo: 4900000000";

fn to() -> PhoneNumber {
    "+4915123456723".parse().unwrap()
}

fn text() -> Secret {
    Secret::from(TEXT.to_owned())
}

fn inject_by(folder: &Path, script: &str) -> Attempt {
    inject_within(Duration::from_secs(30), folder, script)
}

fn inject_within(time: Duration, folder: &Path, script: &str) -> Attempt {
    let program = folder.join("inject");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    loop {
        let config = Path::new("/etc/some rc");
        let attempt = inject(&program, config, &to(), &text(), time);
        // Another test may be between fork and exec, and hold what was just written.
        if !matches!(&attempt, Attempt::Failed(said) if said.contains("Text file busy")) {
            return attempt;
        }
    }
}

#[test]
fn smsd_finds_the_whole_message_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let modem = Modem::new("smstools", folder.path().to_str().unwrap()).unwrap();
    assert_eq!(modem.send(&to(), &text(), Duration::from_secs(1)), Attempt::Accepted);
    let found: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap()).collect();
    let [file] = found.as_slice() else { panic!("{found:?}") };
    let name = file.file_name().into_string().unwrap();
    assert!(name.starts_with("pam-sms.") && !name.contains("LOCK"), "{name}");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o007, 0);
    // The first empty line ends the headers: what follows is all text.
    let written = fs::read_to_string(file.path()).unwrap();
    assert_eq!(written, format!("To: 4915123456723\nAlphabet: UTF-8\n\n{TEXT}"));
}

#[test]
fn a_spool_that_cannot_be_written_to_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    let Attempt::Failed(said) = spool(&gone, &to(), &text()) else { panic!("taken") };
    assert!(said.starts_with("spool: "), "{said}");
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    assert!(hint(&denied).contains("run_as"));
    for (kind, path, wanted) in [
        ("smstools", gone.to_str().unwrap(), "gone: No such file"),
        ("smstools", "/etc/passwd", "must be a folder"),
        ("smstools", "spool", "must be an absolute path"),
        ("gammu", "/etc", "must be a file"),
    ] {
        let said = Modem::new(kind, path).err().unwrap();
        assert!(said.contains(wanted), "{said}");
    }
}

#[test]
fn gammu_gets_the_text_on_its_input_and_a_locale_that_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    let script = format!(
        "{{ echo \"$@\"; tr '\\0' '\\n' </proc/$$/environ; /bin/cat; }} >{}\n\
         echo 'Written message with ID /spool/1'",
        seen.display()
    );
    assert_eq!(inject_by(folder.path(), &script), Attempt::Accepted);
    let length = TEXT.encode_utf16().count();
    let seen = fs::read_to_string(seen).unwrap();
    let (call, rest) = seen.split_once('\n').unwrap();
    assert_eq!(call, format!("-c /etc/some rc TEXT +4915123456723 -autolen {length}"));
    let (environment, input) = rest.split_once('\n').unwrap();
    assert_eq!(environment, "LC_ALL=C.UTF-8");
    assert_eq!(input, TEXT);
}

#[test]
fn only_what_gammu_says_it_has_written_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    for script in ["", "echo Something else", "echo 'Written message with ID 1'; exit 2", "exit 3"]
    {
        let attempt = inject_by(folder.path(), script);
        assert!(matches!(&attempt, Attempt::Failed(_)), "{script}: {attempt:?}");
    }
    let missing = folder.path().join("missing");
    let attempt = inject(&missing, Path::new("/rc"), &to(), &text(), Duration::from_secs(1));
    assert!(matches!(attempt, Attempt::Failed(_)), "{attempt:?}");
}

#[test]
fn gammu_that_does_not_end_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let attempt = inject_within(Duration::from_millis(300), folder.path(), "exec sleep 60");
    assert!(matches!(attempt, Attempt::Uncertain(_)), "{attempt:?}");
    assert!(begun.elapsed() < Duration::from_secs(30));
}
