//! People are spoken to in their own language, and nobody is denied for want of one.

use std::fs;

use crate::support::machine::{ALICE_PASSWORD, Machine};
use crate::support::pam::Client;
use crate::support::person::Person;

const IN: [&str; 2] = ["-o", "RemoteCommand=echo in-as-$(id -un)"];
const GERMAN: &str = "[message]\nlanguage = 'de'\n";
const ALICE: &str = "alice = \"+4915123456723\"\n";

/// A machine with sshd's stack, this configuration, and alice's record in this language.
fn machine(config: &str, language: &str) -> Machine {
    let machine = Machine::new();
    machine.config(config);
    machine.users(&format!("alice = {{ phones = ['+4915123456723'], language = '{language}' }}\n"));
    machine.pam_example("sshd-password");
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    machine
}

/// The last message in the outbox, as one line.
fn message() -> String {
    let outbox = fs::read_to_string("/run/pam-sms/outbox").unwrap();
    outbox.lines().last().unwrap().splitn(3, ' ').nth(2).unwrap().to_owned()
}

/// The code of that message, with its reference.
fn code() -> String {
    message()[.."KQ-004217".len()].to_owned()
}

fn alice(locale: &str) -> Person {
    let mut alice = Person::ssh_in(locale, "alice", &IN);
    alice.see("Password:");
    alice.type_line(ALICE_PASSWORD);
    alice
}

/// What alice is asked first by the stack `sms`.
fn first_prompt(machine: &Machine) -> String {
    let run = Client::new(machine, "sms").user("alice").answer("null").run();
    run.prompts.first().cloned().unwrap_or_default()
}

#[test]
fn the_configuration_has_everybody_spoken_to_in_german() {
    let machine = machine(GERMAN, "de");
    machine.users(ALICE);
    let _sshd = machine.sshd("");
    let mut person = alice("C.UTF-8");
    person.see("SMS an das Telefon mit der Endung 23 gesendet.\nReferenz: ");
    person.see("Code, r für neue SMS oder ? für Hilfe: ");
    person.type_line("?");
    person.see("Ein Code mit 6 Ziffern kam per SMS auf Ihr Telefon.");
    person.see("\nCode: ");
    assert!(message().ends_with(&format!(" ist Ihr Anmeldecode für {}.", host())), "{}", message());
    person.type_line(&code());
    person.see("in-as-alice");
    assert_eq!(person.gone(), 0);

    // Where the terminal is said to know no UTF-8, ssh shows numbers, and the code is good all the same.
    let mut person = alice("C");
    person.see("f\\303\\274r Hilfe: ");
    person.type_line(&code());
    person.see("in-as-alice");
    assert_eq!(person.gone(), 0);
}

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap().trim().to_owned()
}

#[test]
fn the_record_wins_and_arabic_digits_are_digits() {
    let machine = machine(GERMAN, "ar");
    let _sshd = machine.sshd("");
    let mut person = alice("C.UTF-8");
    person.see("تم إرسال رسالة إلى الهاتف المنتهي بـ:\n23\nالمرجع:\n");
    person.see("الرمز، أو r لرسالة جديدة، أو ? للمساعدة: ");
    person.type_line("1");
    person.see("رمز خاطئ. المحاولات المتبقية: 2.");
    person.see("? للمساعدة: ");
    let arabic = |c: char| match c.to_digit(10) {
        Some(digit) => char::from_u32(0x660 + digit).unwrap(),
        None => c,
    };
    let typed: String = code()[3..].chars().map(arabic).collect();
    person.type_line(&typed);
    person.see("in-as-alice");
    assert_eq!(person.gone(), 0);
}

#[test]
fn last_words_are_japanese_too() {
    let machine = machine("", "ja");
    let _sshd = machine.sshd("");
    let mut person = alice("C.UTF-8");
    person.see("末尾 23 の電話に SMS を送信しました。");
    for _ in 0..3 {
        person.see("コード、r で再送信、? でヘルプ: ");
        person.type_line("1");
    }
    person.see("コードの誤りが多すぎます。ログインを終了します。\n");
    person.see("Enter を押すと終了します: ");
    person.type_line("");
    assert_ne!(person.gone(), 0);
}

#[test]
fn without_a_good_catalogue_people_read_english_and_the_log_says_why() {
    const FILE: &str = "/usr/share/pam-sms/languages/de.toml";
    let many = "[limits]\nsends_per_user = '50/10m'\nsends_per_number = '50/10m'\n";
    let machine = machine(&format!("{GERMAN}{many}"), "de");
    let log = machine.log();
    let text = fs::read_to_string(FILE).unwrap();
    assert!(first_prompt(&machine).starts_with("SMS an das Telefon"));
    fs::remove_file(FILE).unwrap();
    assert!(first_prompt(&machine).starts_with("SMS sent to the phone ending in 23."));
    log.wait_for("event=warning reason=\"English is spoken, because of /usr/share/pam-sms/lang");
    let run = machine.run("/usr/sbin/pam-sms", &["check"]);
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(said.contains("/usr/share/pam-sms/languages/de.toml: does not exist"), "{said}");
    assert!(said.contains("[language]"), "{said}");
    for (content, mode, why) in [
        (text.replace("\nempty =", "\nemtpy ="), 0o644, "there is no text `empty`"),
        (text.replace("{code} ist", "ist"), 0o644, "the text must hold {code}"),
        (text.replace("empty = ", "empty = ["), 0o644, "de.toml:"),
        (text.clone(), 0o666, "can be written by others"),
    ] {
        machine.file(FILE, &content, mode);
        assert!(first_prompt(&machine).starts_with("SMS sent to"), "{why}");
        log.wait_for(why);
    }
    machine.file(FILE, &text, 0o644);
    assert!(first_prompt(&machine).starts_with("SMS an das Telefon"));
}

#[test]
fn an_unknown_language_is_an_error_in_the_configuration_and_a_warning_in_a_record() {
    let machine = machine(GERMAN, "klingon");
    let log = machine.log();
    assert!(first_prompt(&machine).starts_with("SMS an das Telefon"), "the configuration's");
    log.wait_for("reason=\"the person's record: there is no language `klingon` (known: ar az ");
    let check = |wanted: &str| {
        let run = machine.run("/usr/sbin/pam-sms", &["check"]);
        let said = String::from_utf8(run.stdout).unwrap();
        assert!(said.contains(wanted) && !run.status.success(), "{said}");
    };
    check("error: the record with the phone *23: there is no language `klingon` (known: ar az ");

    machine.config("[message]\nlanguage = 'german'\n");
    check(
        "/etc/pam-sms/config.toml:2:12: there is no language `german`; did you mean `de`? (known:",
    );
    let run = Client::new(&machine, "sms").user("alice").answer("null").run();
    assert_ne!(run.result, 0, "{run:?}");
    log.wait_for("config.toml:2:12: there is no language `german` (known: ar az ");
}
