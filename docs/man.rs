//! Manual pages and completions, each from the one place where its words stand: the program's own
//! help, the annotated example configuration, the page about the module.
//!
//! `cargo run --example man -- FOLDER`, or `make man`.

use std::fs;
use std::path::Path;

use clap_complete::Shell;

const MODULE: &str = include_str!("module.md");
const EXAMPLE: &str = include_str!("example-config.toml");

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/ship/man".to_owned());
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    program(folder)?;
    fs::write(
        folder.join("pam_sms.8"),
        page("PAM_SMS", 8, "ask for a code by SMS", &markdown(MODULE)),
    )?;
    let about = "configuration of pam_sms";
    fs::write(folder.join("pam-sms-config.5"), page("PAM-SMS-CONFIG", 5, about, &configuration()))
}

/// A page for the program and each of its commands, and completions.
fn program(folder: &Path) -> std::io::Result<()> {
    let mut command = pam_sms::cli::command();
    clap_mangen::generate_to(command.clone(), folder)?;
    for entry in fs::read_dir(folder)?.flatten() {
        // It is for administrators.
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "1") {
            let text = fs::read_to_string(&path)?.replacen(" 1 ", " 8 ", 1);
            fs::write(path.with_extension("8"), text)?;
            fs::remove_file(path)?;
        }
    }
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, "pam-sms", folder)?;
    }
    Ok(())
}

fn page(name: &str, section: u8, about: &str, body: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let lower = name.to_lowercase();
    format!(
        ".TH {name} {section} \"\" \"pam_sms {version}\"\n.SH NAME\n{lower} \\- {about}\n{body}\
         .SH SEE ALSO\n.BR pam_sms (8),\n.BR pam-sms (8),\n.BR pam-sms-config (5),\n.BR pam.d (5)\n"
    )
}

/// The annotated example, comments as text and keys as they are written.
fn configuration() -> String {
    let mut roff = String::from(
        ".SH DESCRIPTION\nA TOML file with a comment for every key. What a key says here is what \
         holds where it is not written.\n.PP\n.EX\n",
    );
    for line in EXAMPLE.lines() {
        roff += &literal(line);
    }
    roff + ".EE\n"
}

/// The few forms of Markdown that our pages use.
fn markdown(text: &str) -> String {
    let (mut roff, mut in_code) = (String::new(), false);
    let lines: Vec<&str> = text.lines().collect();
    for (index, &line) in lines.iter().enumerate() {
        // The head of a table.
        if lines.get(index + 1).is_some_and(|next| next.starts_with("| ---")) {
            continue;
        }
        match line {
            "```" => {
                roff += if in_code { ".EE\n" } else { ".PP\n.EX\n" };
                in_code = !in_code;
            }
            line if in_code => roff += &literal(line),
            "" => roff += ".PP\n",
            line if line.starts_with("| ---") => {}
            line if line.starts_with('|') => {
                let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
                roff += &format!(
                    ".TP\n{}\n{}\n",
                    inline(cells[0]),
                    inline(&cells[1..].join(". Else: "))
                );
            }
            line => match line.split_once("# ") {
                Some((hashes, heading)) if hashes.chars().all(|c| c == '#') => {
                    roff += &format!(".SH {}\n", heading.replace('`', "").to_uppercase());
                }
                _ => roff += &format!("{}\n", inline(line)),
            },
        }
    }
    roff
}

fn literal(line: &str) -> String {
    format!("{}\n", guarded(&line.replace('\\', "\\e")))
}

/// Code in bold, links as their words.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.replace('\\', "\\e").split('`').enumerate() {
        match index % 2 {
            0 => out += &without_links(part),
            _ => out += &format!("\\fB{part}\\fR"),
        }
    }
    guarded(&out)
}

fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        out += before;
        let Some((words, tail)) = after.split_once("](") else {
            rest = after;
            continue;
        };
        out += words;
        rest = tail.split_once(')').map_or("", |(_, tail)| tail);
    }
    out + rest
}

/// A dot or a quote at the front would be a request to the formatter; `-` is no hyphen in options.
fn guarded(line: &str) -> String {
    let line = line.replace('-', "\\-");
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
}
