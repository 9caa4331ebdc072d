//! Lines of PAM stacks: ours put in and taken out, everything else left as it stands.

/// What settles after a login; the first account line, so that nothing before it can pass it by.
const ACCOUNT: &str = "account\trequired\tpam_sms.so";

/// The text of a service's own file with a key before the code: the password's lines make way.
///
/// # Errors
/// When there is no line that asks for the password.
pub fn with_keys(text: &str, service: &str) -> Result<String, String> {
    let mut done = false;
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        if asks_for_password(line) && !done {
            done = true;
            lines.push(format!("# pam-sms: {line}"));
            lines.push(format!("auth\trequisite\tpam_sms.so services={service}"));
            lines.push("auth\trequired\tpam_permit.so".to_owned());
        } else {
            lines.push(line.to_owned());
        }
    }
    match done {
        true => Ok(with_account_line(lines)),
        false => {
            Err("no line asks for a password there (`@include common-auth` or pam_unix.so)"
                .to_owned())
        }
    }
}

/// The text of a service's own file with our line behind the password, where no tool manages stacks.
///
/// # Errors
/// When the password's line is not one behind which a wrong password gets no further.
pub fn behind_password(text: &str, service: &str) -> Result<String, String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let Some(last) = lines.iter().rposition(|line| asks_for_password(line)) else {
        return Err(
            "no line asks for a password there (pam_unix.so, or an include of one)".to_owned()
        );
    };
    let words: Vec<&str> = lines[last].split_whitespace().collect();
    match words.get(1).copied() {
        Some("requisite" | "include" | "substack") => {}
        _ if lines[last].trim_start().starts_with("@include") => {}
        Some(control) => {
            return Err(format!(
                "the password's line is `{control}`, so a wrong password would still send a \
                 message: make it `requisite`"
            ));
        }
        None => return Err("a line with pam_unix.so is cut off".to_owned()),
    }
    lines.insert(last + 1, format!("auth\trequisite\tpam_sms.so services={service}"));
    Ok(with_account_line(lines))
}

/// The text with the services of our line set to `services`; nothing where we are not named.
#[must_use]
pub fn with_services(text: &str, services: &str) -> Option<String> {
    let mut found = false;
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match line.split_once("services=") {
            Some((head, tail)) if names_us(line) => {
                found = true;
                let rest = tail.find(char::is_whitespace).map_or("", |end| &tail[end..]);
                lines.push(format!("{head}services={services}{rest}"));
            }
            _ => lines.push(line.to_owned()),
        }
    }
    found.then(|| lines.join("\n") + "\n")
}

/// Whether a line, comments aside, names our module.
#[must_use]
pub fn names_us(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default();
    line.split_whitespace().any(|word| word == "pam_sms.so" || word.ends_with("/pam_sms.so"))
}

fn with_account_line(mut lines: Vec<String>) -> String {
    let is_account = |line: &String| {
        let line = line.trim_start().trim_start_matches('-');
        line.starts_with("account") || line.starts_with("@include common-account")
    };
    let place = lines.iter().position(is_account).unwrap_or(lines.len());
    lines.insert(place, ACCOUNT.to_owned());
    lines.join("\n") + "\n"
}

fn asks_for_password(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default();
    let mut words = line.split_whitespace();
    match words.next() {
        Some("@include") => words.next() == Some("common-auth"),
        Some("auth" | "-auth") => {
            let rest: Vec<&str> = words.collect();
            let includes = matches!(rest.first(), Some(&"include" | &"substack"));
            includes || rest.iter().any(|word| word.ends_with("pam_unix.so"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "# sshd\n@include common-auth\n\naccount    required     pam_nologin.so\n\
                          @include common-account\nsession optional pam_motd.so\n";

    #[test]
    fn a_key_takes_the_place_of_the_password() {
        assert_eq!(
            with_keys(DEBIAN, "sshd").unwrap(),
            "# sshd\n# pam-sms: @include common-auth\nauth\trequisite\tpam_sms.so services=sshd\n\
             auth\trequired\tpam_permit.so\n\naccount\trequired\tpam_sms.so\n\
             account    required     pam_nologin.so\n@include common-account\n\
             session optional pam_motd.so\n"
        );
        with_keys("session optional pam_motd.so\n", "sshd").unwrap_err();
    }

    #[test]
    fn a_code_comes_behind_a_password_that_must_be_right() {
        let plain =
            "auth requisite pam_unix.so\nauth required pam_env.so\naccount required pam_unix.so\n";
        assert_eq!(
            behind_password(plain, "su").unwrap(),
            "auth requisite pam_unix.so\nauth\trequisite\tpam_sms.so services=su\n\
             auth required pam_env.so\naccount\trequired\tpam_sms.so\naccount required pam_unix.so\n"
        );
        let said = behind_password(&plain.replace("requisite", "required"), "su").unwrap_err();
        assert!(said.contains("make it `requisite`"), "{said}");
        behind_password("auth required pam_permit.so\n", "su").unwrap_err();
    }

    #[test]
    fn only_our_services_are_edited() {
        let text = "auth\trequisite\tpam_sms.so services=sshd debug\n# services=x pam_sms.so\nauth a b services=c\n";
        let edited = with_services(text, "sshd,su").unwrap();
        assert_eq!(edited, text.replace("services=sshd", "services=sshd,su"));
        assert_eq!(with_services("auth required pam_unix.so\n", "sshd"), None);
    }
}
