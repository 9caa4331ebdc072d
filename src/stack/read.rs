//! The lines of a service, as libpam collects them from its files (libpam/pam_handlers.c).

use std::fs;
use std::path::{Path, PathBuf};

use super::{Control, Fault, Kind, Line, Module, Place, Stack, Step};

/// Where libpam looks for the file of a service, in this order.
const FOLDERS: [&str; 2] = ["/etc/pam.d", "/usr/lib/pam.d"];
/// How deep files may include one another, as in libpam.
const DEEPEST: usize = 32;
/// How many files are read for one service. One that names itself twice would be read 2^32 times, which
/// libpam tries.
const MOST_FILES: usize = 1000;
/// Whose lines count where a service has none.
const FALLBACK: &str = "other";

/// The folders of stacks.
#[derive(Debug, Clone)]
pub struct Folders(pub Vec<PathBuf>);

impl Default for Folders {
    fn default() -> Self {
        Self(FOLDERS.map(PathBuf::from).into())
    }
}

impl Folders {
    /// The stack of a service.
    #[must_use]
    pub fn stack(&self, service: &str) -> Stack {
        let mut stack = Stack::default();
        let read = |name, lines: &mut Vec<Line>| {
            let file = self.find(name)?;
            Some(Reading { folders: self, lines, files: 0 }.file(&file, None, 0, 0))
        };
        let own = read(service, &mut stack.own);
        let other = read(FALLBACK, &mut stack.other);
        // A slip in either is one, even where nothing of `other` would count.
        stack.broken = match (own, other) {
            (Some(Err(reason)), _) | (_, Some(Err(reason))) => Some(reason),
            (None, None) => Some(Fault {
                file: service.into(),
                line: 0,
                what: "there is no such stack, and no `other`",
            }),
            _ => None,
        };
        stack
    }

    /// The file that a name means.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        match name.starts_with('/') {
            true => Some(PathBuf::from(name)),
            false => self.0.iter().map(|folder| folder.join(name)).find(|path| path.is_file()),
        }
    }
}

/// What is being collected.
struct Reading<'a> {
    folders: &'a Folders,
    lines: &'a mut Vec<Line>,
    /// How many were read.
    files: usize,
}

/// Whether a file could be read to its end; if not, why.
type Read = Result<(), Fault>;

impl Reading<'_> {
    /// Adds the lines of one file: those of `wanted` only, where a line of that kind includes it.
    fn file(&mut self, path: &Path, wanted: Option<Kind>, depth: usize, level: usize) -> Read {
        self.files += 1;
        if depth >= DEEPEST || self.files > MOST_FILES {
            return Err(Fault {
                file: path.to_owned(),
                line: 0,
                what: "files include one another without end",
            });
        }
        let bytes = fs::read(path).ok();
        let bytes = bytes.ok_or_else(|| Fault {
            file: path.to_owned(),
            line: 0,
            what: "cannot be read",
        })?;
        let text = String::from_utf8_lossy(&bytes);
        let mut rows = text.lines().enumerate();
        while let Some((number, row)) = rows.next() {
            let mut row = plain(row);
            if row.0.is_empty() {
                continue;
            }
            let place = Place { file: path.to_owned(), line: number + 1 };
            let mut whole = String::new();
            while row.1 {
                whole.push_str(row.0);
                whole.push(' ');
                // What says nothing is stepped over, also in the middle.
                let next = rows.by_ref().map(|(_, row)| plain(row)).find(|row| !row.0.is_empty());
                row = next
                    .ok_or_else(|| Fault::new(&place, "the file ends in the middle of a line"))?;
            }
            whole.push_str(row.0);
            self.line(&whole, place, wanted, depth, level)?;
        }
        Ok(())
    }

    fn line(
        &mut self,
        text: &str,
        place: Place,
        wanted: Option<Kind>,
        depth: usize,
        level: usize,
    ) -> Read {
        let mut words = Words(text);
        let first = words.next().unwrap_or_default();
        // Debian's own.
        if first == "@include" {
            let file = words.next().and_then(|name| self.folders.find(&name));
            let file = file.ok_or_else(|| Fault::new(&place, MISSING))?;
            return self.file(&file, wanted, depth + 1, level);
        }
        let word = first.strip_prefix('-').unwrap_or(&first);
        let named = Kind::named(word);
        // The most sensitive, where it cannot be known.
        let kind = named.or(wanted).unwrap_or(Kind::Auth);
        if wanted.is_some_and(|wanted| wanted != kind) {
            return Ok(());
        }
        let control = words.next();
        let inclusion = control.as_deref().map(str::to_ascii_lowercase);
        let step = match (control, inclusion.as_deref()) {
            (None, _) => Step::Broken(bad(), Fault::new(&place, "a control is missing")),
            (_, Some(word @ ("include" | "substack"))) => {
                let inner = level + usize::from(word == "substack");
                if inner > level {
                    self.lines.push(Line {
                        place: place.clone(),
                        kind,
                        level,
                        step: Step::Substack,
                    });
                }
                let file = words.next().and_then(|name| self.folders.find(&name));
                let read = match file {
                    Some(file) => self.file(&file, Some(kind), depth + 1, inner),
                    None => Err(Fault::new(&place, MISSING)),
                };
                match read {
                    Ok(()) => return Ok(()),
                    Err(reason) => Step::Broken(bad(), reason),
                }
            }
            (Some(control), _) => {
                let control = control_named(control);
                match words.next() {
                    None => Step::Broken(control, Fault::new(&place, "a module is missing")),
                    Some(path) => {
                        Step::Module(Module { control, path, arguments: words.collect() })
                    }
                }
            }
        };
        let step = match (named, step) {
            (None, Step::Module(Module { control, .. })) => {
                Step::Broken(control, Fault::new(&place, "this is no kind of line"))
            }
            (_, step) => step,
        };
        self.lines.push(Line { place, kind, level, step });
        Ok(())
    }
}

/// A row without its comment and the blanks around it, and whether the next row belongs to it.
fn plain(row: &str) -> (&str, bool) {
    let (text, comment) = match row.split_once('#') {
        Some((text, _)) => (text, true),
        None => (row, false),
    };
    let text = text.trim();
    match text.strip_suffix('\\') {
        Some(text) if !comment => (text, true),
        _ => (text, false),
    }
}

const MISSING: &str = "the file to include is missing";

/// What libpam makes of a control that it does not understand.
fn bad() -> Control {
    Control::Table("default=bad".to_owned())
}

fn control_named(word: String) -> Control {
    let names = [
        ("required", Control::Required),
        ("requisite", Control::Requisite),
        ("sufficient", Control::Sufficient),
        ("optional", Control::Optional),
    ];
    let known = names.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(&word));
    known.map_or(Control::Table(word), |(_, control)| control)
}

/// The words of a line: what stands in `[...]` is one, with `\]` for a bracket in it.
struct Words<'a>(&'a str);

impl Iterator for Words<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let text = self.0.trim_start();
        let Some(inside) = text.strip_prefix('[') else {
            let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
            self.0 = rest;
            return (!word.is_empty()).then(|| word.to_owned());
        };
        let mut word = String::new();
        let mut letters = inside.char_indices().peekable();
        self.0 = "";
        while let Some((at, letter)) = letters.next() {
            match letter {
                ']' => {
                    self.0 = &inside[at + 1..];
                    break;
                }
                '\\' if letters.peek().is_some_and(|(_, next)| *next == ']') => {
                    word.push(']');
                    letters.next();
                }
                letter => word.push(letter),
            }
        }
        Some(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The auth lines of `service`, of a folder with these files, each as `level control path arguments`.
    fn read(files: &[(&str, &str)]) -> (Vec<String>, Option<Fault>) {
        let folder = tempfile::tempdir().unwrap();
        let second = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = match name.strip_prefix("vendor/") {
                Some(name) => second.path().join(name),
                None => folder.path().join(name),
            };
            fs::write(path, text).unwrap();
        }
        let folders = Folders(vec![folder.path().into(), second.path().into()]);
        let stack = folders.stack("service");
        let lines = stack.lines(Kind::Auth).into_iter().map(|line| match &line.step {
            Step::Module(m) => {
                let arguments: String = m.arguments.iter().map(|a| format!(" <{a}>")).collect();
                format!("{}:{} {} {}{arguments}", line.place.line, line.level, m.control, m.path)
            }
            Step::Substack => format!("{}:{} substack", line.place.line, line.level),
            Step::Broken(control, _) => {
                format!("{}:{} {control} broken", line.place.line, line.level)
            }
        });
        (lines.collect(), stack.broken)
    }

    #[test]
    fn lines_are_read_as_libpam_reads_them() {
        let text = "#%PAM-1.0\n\n  AUTH\tReQuired pam_a.so one # two\n-auth [success=1 \
            default=ignore]\tpam_b.so [two words] [a\\]b] x[y]\nauth required \\\n# said between\n\n \
            pam_c.so \\  \n last\nsession required pam_d.so\nauth sufficient /lib/pam_e.so\n";
        let (lines, broken) = read(&[("service", text)]);
        assert_eq!(
            lines,
            [
                "3:0 required pam_a.so <one>",
                "4:0 [success=1 default=ignore] pam_b.so <two words> <a]b> <x[y]>",
                "5:0 required pam_c.so <last>",
                "11:0 sufficient /lib/pam_e.so",
            ]
        );
        assert_eq!(broken, None);
    }

    #[test]
    fn files_are_included_for_one_kind_or_for_all() {
        let common = "auth required pam_a.so\naccount required pam_b.so\n";
        let text =
            "@include common\nauth include vendor\nauth substack common\naccount include x\n";
        let files = [("service", text), ("common", common), ("vendor/vendor", common), ("x", "")];
        let lines = ["1:0", "1:0", "3:0 substack", "1:1"].map(|line| match line.len() {
            3 => format!("{line} required pam_a.so"),
            _ => line.to_owned(),
        });
        assert_eq!(read(&files), (lines.to_vec(), None));
    }

    #[test]
    fn files_that_include_one_another_twice_have_an_end() {
        let twice = "auth include service\nauth include service\n";
        let (lines, broken) = read(&[("service", twice)]);
        assert!(lines.iter().all(|line| line.ends_with("broken")) && lines.len() <= 2 * MOST_FILES);
        assert_eq!(broken, None);
        let wide = "@include service\n".repeat(3);
        assert!(read(&[("service", &wide)]).1.is_some());
    }

    #[test]
    fn what_cannot_be_used_fails_in_its_place() {
        for (text, line) in [
            ("auth", "1:0 [default=bad] broken"),
            ("auth optional", "1:0 optional broken"),
            ("auht required pam_a.so", "1:0 required broken"),
            ("auth include nowhere", "1:0 [default=bad] broken"),
            ("auth include service", "1:0 [default=bad] broken"),
        ] {
            let (lines, broken) = read(&[("service", text)]);
            assert!(lines.contains(&line.to_owned()), "{text}: {lines:?}");
            assert_eq!(broken, None, "{text}");
        }
        for text in ["@include nowhere\n", "auth required \\\n", "@include service"] {
            assert!(read(&[("service", text)]).1.is_some(), "{text}");
        }
        assert!(read(&[]).1.is_some());
    }

    #[test]
    fn other_counts_for_each_kind_of_which_a_service_has_none() {
        let other = ("other", "auth required pam_deny.so\n");
        let deny = "1:0 required pam_deny.so";
        assert_eq!(read(&[other]).0, [deny]);
        assert_eq!(read(&[other, ("service", "account required pam_a.so")]).0, [deny]);
        let own = ("service", "auth required pam_a.so");
        assert_eq!(read(&[other, own]).0, ["1:0 required pam_a.so"]);
        assert_eq!(read(&[own, ("vendor/service", "auth required pam_v.so")]).0.len(), 1);
    }
}
