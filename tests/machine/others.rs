//! Kannel, gammu-smsd and smsd (smstools) as Debian has them: whole logins by SSH whose codes come out at
//! their far end: a fake SMSC, a dummy phone, a pretend modem. `make conformance` fetches the packages and unpacks them, installs nothing, and runs these.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::log::wait_until;
use crate::support::machine::{ALICE_PASSWORD, Machine};
use crate::support::modem::Modem;
use crate::support::person::Person;

/// Where the packages were unpacked.
const UNPACKED: &str = "target/conformance/debian";
const LATIN: &str = "{reference}-{code} is your login code for {host} @ 50%.";
const CYRILLIC: &str = "{reference}-{code} код для входа на {host}.";

/// A program of the machine that is ended with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A machine in which these packages are as if they were installed.
fn machine() -> Machine {
    let machine = Machine::new();
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join(UNPACKED);
    for (from, to) in [("usr", "/usr"), ("lib", "/usr/lib"), ("etc", "/etc"), ("var", "/var")] {
        let from = unpacked.join(from);
        if !from.exists() {
            // They are installed on this machine, so that none was fetched.
            continue;
        }
        let from = format!("{}/.", from.display());
        let copied = machine.run("/bin/cp", &["-a", &from, to]);
        assert!(copied.status.success(), "{copied:?}: `make conformance` fetches them");
    }
    machine.users("alice = \"+79991234567\"\n");
    machine.pam_example("sshd-password");
    machine
}

/// The system user that the package would have made, with these folders of its own.
fn account(machine: &Machine, name: &str, folders: &[&str]) {
    if !machine.run("/usr/bin/getent", &["passwd", name]).status.success() {
        let made = machine.run("/usr/sbin/useradd", &["--system", "--user-group", name]);
        assert!(made.status.success(), "{made:?}");
    }
    for folder in folders {
        let owner = format!("{name}:{name}");
        for (program, words) in [
            ("/bin/mkdir", vec!["-p", folder]),
            ("/bin/chown", vec![&owner, folder]),
            ("/bin/chmod", vec!["0770", folder]),
        ] {
            let done = machine.run(program, &words);
            assert!(done.status.success(), "{done:?}");
        }
    }
}

/// Starts a program of the machine; what it says goes to `log`.
fn start(machine: &Machine, log: &Path, program: &str, words: &[&str]) -> Running {
    let out = fs::File::options().create(true).append(true).open(log).unwrap();
    let mut command: Command = machine.command(program);
    command.args(words).stdin(Stdio::null());
    command.stdout(out.try_clone().unwrap()).stderr(out);
    Running(command.spawn().unwrap())
}

/// One login; `arrived` waits for the text at the far end.
fn log_in(text: &str, arrived: impl FnOnce() -> String) {
    let mut alice = Person::ssh("alice", &["-o", "RemoteCommand=echo in-as-$(id -un)"]);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice.see("or ? for help: ");
    let message = arrived();
    let (reference, rest) = message.split_once('-').unwrap_or_else(|| panic!("{message}"));
    let code = &rest[..6];
    let wanted = text.replace("{reference}", reference).replace("{code}", code);
    assert_eq!(message, wanted.replace("{host}", "rabbit-hole"));
    alice.type_line(code);
    alice.see("in-as-alice");
    assert_eq!(alice.gone(), 0);
}

#[test]
#[ignore = "needs Debian's packages: make conformance"]
fn kannel_hands_the_code_to_its_smsc() {
    let machine = machine();
    let kannel = "group = core\nadmin-port = 13000\nadmin-password = bar\nsmsbox-port = 13001\n\
         box-allow-ip = 127.0.0.1\n\ngroup = smsc\nsmsc = fake\nsmsc-id = FAKE\nport = 10000\n\
         connect-allow-ip = 127.0.0.1\n\ngroup = smsbox\nbearerbox-host = 127.0.0.1\n\
         sendsms-port = 13013\n\ngroup = sendsms-user\nusername = acme\npassword = \"secret\"\n\n\
         group = sms-service\nkeyword = nop\ntext = \"nothing\"\n";
    machine.file("/etc/kannel/ours.conf", kannel, 0o600);
    let [bearerbox, smsc, smsbox] =
        ["bearerbox", "smsc", "smsbox"].map(|name| PathBuf::from(format!("/run/{name}.log")));
    let is_open = |port| move || TcpStream::connect(("127.0.0.1", port)).ok();
    let _bearerbox = start(&machine, &bearerbox, "/usr/sbin/bearerbox", &["/etc/kannel/ours.conf"]);
    wait_until("bearerbox", is_open(13001));
    // It sends one message of its own at the beginning, and then takes what comes.
    let words = ["-H", "127.0.0.1", "-r", "10000", "-m", "0", "-i", "1", "100 200 text nop"];
    let _smsc = start(&machine, &smsc, "/usr/lib/kannel/test/fakesmsc", &words);
    let _smsbox = start(&machine, &smsbox, "/usr/sbin/smsbox", &["/etc/kannel/ours.conf"]);
    wait_until("smsbox", is_open(13013));
    let _sshd = machine.sshd("");
    for text in [LATIN, CYRILLIC] {
        machine.config(&format!(
            "[message]\ntext = '{text}'\n[[provider]]\nkind = 'kannel'\nusername = 'acme'\n\
             password = 'secret'\nfrom = 'Acme'\n"
        ));
        let seen = fs::read_to_string(&smsc).unwrap_or_default().len();
        log_in(text, || {
            wait_until("the message at the SMSC", || {
                let log = fs::read_to_string(&smsc).ok()?;
                log[seen..].lines().find_map(of_fakesmsc)
            })
        });
    }
}

/// The text in a line like `Got message 1: <Acme +79991234567 ucs-2 %04%3A...>`.
fn of_fakesmsc(line: &str) -> Option<String> {
    let (_, rest) = line.split_once(" +79991234567 ")?;
    let (alphabet, text) = rest.strip_suffix('>').unwrap_or(rest).split_once(' ')?;
    // `+` is a blank, as in forms.
    let spaced = text.replace('+', " ");
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(&spaced).collect();
    Some(match alphabet {
        "ucs-2" => of_ucs2(&bytes),
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    })
}

fn of_ucs2(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect();
    String::from_utf16(&units).unwrap()
}

#[test]
#[ignore = "needs Debian's packages: make conformance"]
fn gammu_smsd_takes_the_code_from_its_spool() {
    let machine = machine();
    let folders =
        ["inbox", "outbox", "sent", "error"].map(|name| format!("/var/spool/gammu/{name}/"));
    let folders: Vec<_> = folders.iter().map(String::as_str).collect();
    account(&machine, "gammu", &folders);
    account(&machine, "gammu", &["/var/spool/gammu/phone"]);
    let smsd = "[gammu]\nmodel = dummy\nconnection = none\nport = /var/spool/gammu/phone\n\n[smsd]\n\
         service = files\ncommtimeout = 1\nsendtimeout = 5\nloopsleep = 1\nchecksecurity = 0\n\
         inboxpath = /var/spool/gammu/inbox/\noutboxpath = /var/spool/gammu/outbox/\n\
         sentsmspath = /var/spool/gammu/sent/\nerrorsmspath = /var/spool/gammu/error/\n";
    machine.file("/etc/gammu-smsdrc", smsd, 0o644);
    let log = PathBuf::from("/run/gammu.log");
    let _smsd = start(&machine, &log, "/usr/bin/gammu-smsd", &["-c", "/etc/gammu-smsdrc"]);
    let _sshd = machine.sshd("");
    for text in [LATIN, CYRILLIC] {
        machine.config(&format!(
            "[delivery]\nrun_as = 'gammu'\n[message]\ntext = '{text}'\n[[provider]]\nkind = 'gammu'\n"
        ));
        // Its names tell apart what came in different seconds, and no more.
        names("/var/spool/gammu/sent").iter().for_each(|sent| fs::remove_file(sent).unwrap());
        log_in(text, || {
            wait_until("the message among what gammu-smsd has sent", || {
                let sent = names("/var/spool/gammu/sent").into_iter().next()?;
                of_gammu(&fs::read_to_string(sent).ok()?)
            })
        });
    }
}

/// The text in a backup of gammu's, fifty letters of UTF-16 a line: `Text00 = 004B0051...`. Nothing where
/// the end is not there yet.
fn of_gammu(backup: &str) -> Option<String> {
    backup.contains("\nClass = ").then_some(())?;
    // gammu-smsd adds the message once more when it has been sent.
    let first = backup.split("[SMSBackup000]").nth(1)?;
    let lines = first.lines().filter(|line| line.starts_with("Text"));
    let hex: String = lines.filter_map(|line| line.split_once(" = ")).map(|(_, hex)| hex).collect();
    let bytes: Option<Vec<u8>> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok())
        .collect();
    Some(of_ucs2(&bytes?)).filter(|text| !text.is_empty())
}

#[test]
#[ignore = "needs Debian's packages: make conformance"]
fn smsd_of_smstools_hands_the_code_to_its_modem() {
    let machine = machine();
    let folders = ["", "outgoing", "checked", "incoming", "failed", "sent"]
        .map(|name| format!("/var/spool/sms/{name}"));
    let folders: Vec<_> = folders.iter().map(String::as_str).collect();
    account(&machine, "smsd", &folders);
    account(&machine, "smsd", &["/var/log/smstools"]);
    let modem = Modem::new();
    let smsd = "devices = GSM1\nlogfile = /var/log/smstools/smsd.log\nloglevel = 7\ndelaytime = 1\n\
         outgoing = /var/spool/sms/outgoing\nchecked = /var/spool/sms/checked\n\
         failed = /var/spool/sms/failed\nsent = /var/spool/sms/sent\nincoming = /var/spool/sms/incoming\n\
         infofile = /run/smsd.working\npidfile = /run/smsd.pid\n\n[GSM1]\nincoming = no\n\
         baudrate = 115200\ndevice = ";
    machine.file("/etc/smsd.conf", format!("{smsd}{}\n", modem.port()), 0o644);
    let log = PathBuf::from("/run/smsd.out");
    let _smsd = start(&machine, &log, "/usr/sbin/smsd", &["-t", "-c/etc/smsd.conf"]);
    let _sshd = machine.sshd("");
    for (nth, text) in [LATIN, CYRILLIC].into_iter().enumerate() {
        machine.config(&format!(
            "[delivery]\nrun_as = 'smsd'\n[message]\ntext = '{text}'\n[[provider]]\nkind = 'smstools'\n"
        ));
        log_in(text, || {
            let sent = modem.next();
            assert_eq!((&*sent.to, sent.is_ucs2), ("+79991234567", text == CYRILLIC));
            sent.text
        });
        wait_until("the message among what smsd has sent", || {
            (names("/var/spool/sms/sent").len() == nth + 1).then_some(())
        });
    }
    assert_eq!(names("/var/spool/sms/failed"), Vec::<PathBuf>::new());
}

/// The files in a folder.
fn names(folder: &str) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
