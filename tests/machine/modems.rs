//! Modems of one's own: a code by way of a daemon's spool, written as that daemon's user.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::support::log::wait_until;
use crate::support::machine::Machine;
use crate::support::pam::Client;

const OUTGOING: &str = "/var/spool/sms/outgoing";
const OUTBOX: &str = "/var/spool/gammu/outbox";
/// What gammu's own program does with its input, as far as it matters here: a file in the spool.
const INJECT: &str = "#!/bin/sh\n\
    [ \"$*\" = \"-c /etc/gammu-smsdrc TEXT +4915123456723 -autolen $LENGTH\" ] || exit 2\n";

fn machine(user: &str, folder: &str, table: &str) -> Machine {
    let machine = Machine::new();
    let user_exists = machine.run("/usr/bin/getent", &["passwd", user]).status.success();
    if !user_exists {
        let made = machine.run("/usr/sbin/useradd", &["--system", "--user-group", user]);
        assert!(made.status.success(), "{made:?}");
    }
    assert!(machine.run("/bin/mkdir", &["-p", folder]).status.success());
    let owner = format!("{user}:{user}");
    assert!(machine.run("/bin/chown", &[&owner, folder]).status.success());
    assert!(machine.run("/bin/chmod", &["0770", folder]).status.success());
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    machine.users("alice = \"+4915123456723\"\n");
    machine.config(table);
    machine
}

fn file_in(folder: &str) -> PathBuf {
    wait_until("a file in the spool", || {
        let entry = fs::read_dir(folder).unwrap().next()?.unwrap();
        Some(entry.path())
    })
}

fn code_in(message: &str) -> String {
    let runs = message.rsplit(|letter: char| !letter.is_ascii_digit());
    runs.into_iter().find(|run| run.len() == 6).unwrap().to_owned()
}

#[test]
fn a_code_goes_through_the_spool_of_smstools() {
    let table = "[delivery]\nrun_as='smsd'\n[message]\ntext='{code} код 🔑 {reference}'\n\
                 [[provider]]\nkind='smstools'\n";
    let machine = machine("smsd", OUTGOING, table);
    let log = machine.log();
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    let file = file_in(OUTGOING);
    let written = fs::read_to_string(&file).unwrap();
    let (head, text) = written.split_once("\n\n").unwrap();
    assert_eq!(head, "To: 4915123456723\nAlphabet: UTF-8");
    assert!(text.contains(" код 🔑 "), "{text}");
    // For the daemon, whose file it is, and for nobody else.
    let (of_file, of_folder) = (fs::metadata(&file).unwrap(), fs::metadata(OUTGOING).unwrap());
    assert_eq!(of_file.uid(), of_folder.uid());
    assert_eq!(of_file.mode() & 0o037, 0);
    session.answer_line(&code_in(text));
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
}

#[test]
fn a_code_goes_through_the_spool_of_gammu() {
    let table = "[delivery]\nrun_as='gammu'\n[message]\ntext='{code} код 🔑 {reference}'\n\
                 [[provider]]\nkind='gammu'\n";
    let machine = machine("gammu", OUTBOX, table);
    // Reference and code come and go with each message; how long they are does not.
    let script =
        format!("{INJECT}/bin/cat >{OUTBOX}/1 && echo 'Written message with ID {OUTBOX}/1'\n");
    let length = "123456 код 🔑 AB".encode_utf16().count();
    machine.file(
        "/usr/bin/gammu-smsd-inject",
        script.replace("$LENGTH", &length.to_string()),
        0o755,
    );
    machine.file("/etc/gammu-smsdrc", "[smsd]\nservice = files\n", 0o644);
    let log = machine.log();
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    let text = fs::read_to_string(file_in(OUTBOX)).unwrap();
    assert!(text.contains(" код 🔑 "), "{text}");
    session.answer_line(&code_in(&text));
    assert_eq!(session.finish().result, 0, "{:?}", log.lines());
}

#[test]
fn a_spool_that_the_helper_may_not_write_to_is_said() {
    let machine = machine("smsd", OUTGOING, "[[provider]]\nkind='smstools'\n");
    let log = machine.log();
    let run = Client::new(&machine, "sms").user("alice").answer("empty").run();
    assert_eq!(run.result, 9, "{:?}", log.lines());
    log.wait_for("`[delivery] run_as` must be the user of smsd");
    assert_eq!(fs::read_dir(OUTGOING).unwrap().count(), 0);
}

#[test]
fn a_spool_that_is_not_there_is_an_error_with_its_place() {
    let machine = Machine::new();
    machine.config("[[provider]]\nkind='smstools'\nspool='/var/spool/nowhere'\n");
    let check = machine.run("/usr/sbin/pam-sms", &["check"]);
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    let said = said + &String::from_utf8_lossy(&check.stderr);
    assert!(said.contains("config.toml:1:1: /var/spool/nowhere: No such file"), "{said}");
}
