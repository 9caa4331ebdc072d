//! Stacks of libpam, and what sshd says of itself.

use std::fs;

use super::text_of;
use crate::cli::sshd::Settings;
use crate::stack::control::Code;
use crate::stack::modules::sort;
use crate::stack::run::{Course, Scene};
use crate::stack::{Control, Folders, Kind, Stack, Step};

const KINDS: [Kind; 4] = [Kind::Auth, Kind::Account, Kind::Session, Kind::Password];

/// Files of stacks, each below a line `=== name`, the first of them the service's: what is read is written
/// and read again as the same, all ways through it have an end, none of them says of anybody that they have
/// proven what they have not, and lines that libpam cannot use let nobody in.
pub fn stack(data: &[u8]) {
    let Some(text) = text_of(data) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let folders = Folders(vec![folder.path().into()]);
    for (index, part) in text.split("=== ").enumerate().take(4) {
        let (name, body) = part.split_once('\n').unwrap_or(("", part));
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
        let name = if is_name && index > 0 { name } else { "service" };
        fs::write(folder.path().join(name), body).expect("a file");
    }
    let read = folders.stack("service");
    fs::write(folder.path().join("printed"), printed(&read)).expect("a file");
    let again = folders.stack("printed");
    for kind in KINDS {
        let (lines, same) = (read.lines(kind), again.lines(kind));
        let plain = lines.iter().all(|line| line.level == 0 && is_printable(&line.step));
        if read.broken.is_none() && plain && !lines.is_empty() {
            let steps = |lines: &[&crate::stack::Line]| -> Vec<Step> {
                lines.iter().map(|line| line.step.clone()).collect()
            };
            assert_eq!(steps(&same), steps(&lines), "{}", printed(&read));
        }
        let course = Course::new(&lines, |module| sort(module, &[]));
        let scene = Scene { right: false, wrong: true, ours: Code::PERM_DENIED };
        let ways = course.walk(scene);
        assert!(!ways.lets_in(|memory| memory.proven));
        let broken: Vec<_> =
            lines.into_iter().filter(|line| matches!(line.step, Step::Broken(..))).collect();
        let course = Course::new(&broken, |module| sort(module, &[]));
        assert!(!course.walk(Scene { right: true, ..scene }).lets_in(|_| true));
    }
}

fn is_printable(step: &Step) -> bool {
    let word = |word: &String| !word.contains(['#', '\\', '\n', '[', ']']) && !word.is_empty();
    let blank = |text: &str| text.contains(char::is_whitespace) || text.trim() != text;
    match step {
        Step::Module(module) => {
            let control = match &module.control {
                Control::Table(words) => {
                    !words.contains(['#', '\\', '\n', '[', ']']) && !words.is_empty()
                }
                _ => true,
            };
            control
                && word(&module.path)
                && !blank(&module.path)
                && module.arguments.iter().all(word)
        }
        Step::Substack | Step::Broken(..) => false,
    }
}

/// The stack as one file.
fn printed(stack: &Stack) -> String {
    let mut text = String::new();
    for (kind, word) in KINDS.into_iter().zip(["auth", "account", "session", "password"]) {
        for line in stack.lines(kind) {
            let Some(module) = line.module() else { continue };
            text.push_str(&format!("{word} {} {}", module.control, module.path));
            for argument in &module.arguments {
                text.push_str(&format!(" [{argument}]"));
            }
            text.push('\n');
        }
    }
    text
}

/// What `sshd -T` says: a setting is `yes` only where a line says so, and the first line counts.
pub fn sshd(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let settings = Settings::parse(&text);
    for name in ["usepam", "kbdinteractiveauthentication", "passwordauthentication"] {
        let mut pairs = text.lines().filter_map(|line| line.split_once(' '));
        let first = pairs.find(|(word, _)| word.eq_ignore_ascii_case(name));
        let first = first.map(|(_, value)| value.trim());
        assert_eq!(settings.get(name), first.unwrap_or_default());
        assert_eq!(settings.is_yes(name), first == Some("yes"));
    }
    let methods = settings.methods();
    assert!(methods.iter().all(|list| !list.is_empty()));
    // Written as sshd writes it, it is the same; a device behind a method is no other method.
    let lists: Vec<_> = methods.iter().map(|list| list.join(",")).collect();
    let again = Settings::parse(&format!("authenticationmethods {}\n", lists.join(" ")));
    let is_plain = methods.iter().flatten().all(|method| !method.is_empty());
    if !lists.is_empty() && lists != ["any"] && is_plain {
        assert_eq!(again.methods(), methods);
    }
}
