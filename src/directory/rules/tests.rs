use super::*;

fn read_text(table: &str) -> Result<Directory, String> {
    let text = format!("[users.ldap]\n{table}");
    let sources = Sources::from_text("x", &text);
    let read = read(&sources, Trust::Anyone).map_err(|error| error.to_string())?;
    Ok(read.expect("the table is there"))
}

const HERE: &str = "url = 'ldap://127.0.0.1'\nbase = 'dc=example'\n";

#[test]
fn nothing_is_asked_where_nothing_is_configured() {
    let sources = Sources::from_text("x", "[users]\nunenrolled = 'deny'\n");
    assert!(read(&sources, Trust::Anyone).unwrap().is_none());
}

#[test]
fn a_name_is_only_ever_a_value_in_the_filter() {
    let rules = read_text(HERE).unwrap().rules;
    for (name, wanted) in [
        ("alice", "alice"),
        ("*", "\\2a"),
        (")(uid=*", "\\29\\28uid=\\2a"),
        ("a\\b", "a\\5cb"),
        ("a\0b", "a\\00b"),
        ("jörg m", "jörg m"),
        ("{user}", "{user}"),
    ] {
        let filter = rules.filter_for(name);
        assert_eq!(filter, format!("(&(objectClass=person)(uid={wanted}))"));
        assert!(ldap3::parse_filter(&filter).is_ok(), "{filter}");
    }
    let rules =
        read_text(&format!("{HERE}filter = '(|(uid={{user}})(cn={{user}}))'")).unwrap().rules;
    assert_eq!(rules.filter_for("*"), "(|(uid=\\2a)(cn=\\2a))");
}

#[test]
fn slips_are_errors_with_their_place() {
    for (more, wanted) in [
        ("filter = '(uid=alice)'", "must name the account as {user}"),
        ("filter = '(uid={user}'", "is no filter"),
        ("attribute = []", "an attribute is a name like mobile"),
        ("attribute = 'mobile)'", "an attribute is a name like mobile"),
        ("country = '+39'", "numbers of +39 may keep their 0 abroad"),
        ("country = '49'", "a prefix is +"),
        ("bind_dn = 'cn=x'", "go together"),
        ("bind_password_file = '/x'", "go together"),
        ("bind_dn = ''\nbind_password_file = '/x'", "go together"),
        ("certificate_file = '/x'", "go together"),
        ("certificate_file = '/x'\nkey_file = '/y'", "of no use without encryption"),
        ("bind_dn = 'cn=x'\nbind_password_file = 'x'", "must be a path from the root"),
        ("bind_dn = 'cn=x'\nbind_password_file = '/nowhere'", "/nowhere: does not exist"),
        ("bind_password = 'x'", "unknown field `bind_password`"),
        ("filtr = 'x'", "did you mean `filter`?"),
        ("timeout = '1h'", "must be from 1s to 30s"),
        ("pin = 'strikt'", "expected true, false or \"strict\""),
        ("pin = 1", "expected true, false or \"strict\""),
    ] {
        let said = read_text(&format!("{HERE}{more}")).err().unwrap_or_default();
        assert!(said.contains(wanted), "{more}: {said}");
        assert!(said.starts_with('x') || said.starts_with('/'), "no place: {said}");
    }
}

#[test]
fn plain_text_leads_to_this_machine_only_unless_it_is_allowed() {
    let with = |url: &str, more: &str| read_text(&format!("url = {url}\nbase = 'dc=a'\n{more}"));
    for good in ["'ldap://localhost'", "'ldap://[::1]:1389/'", "['ldap://127.0.0.1:389']"] {
        assert!(!with(good, "").unwrap().is_plain(), "{good}");
    }
    let said = with("'ldap://ldap.example.org'", "").err().unwrap();
    assert!(said.contains("is not encrypted"), "{said}");
    assert!(with("'ldap://ldap.example.org'", "allow_plain = true").unwrap().is_plain());
    for (url, more, wanted) in [
        ("'https://a'", "", "must be an address like ldaps://"),
        ("'ldaps://'", "", "must be an address like ldaps://"),
        ("'ldaps://a/dc=x'", "", "must be an address like ldaps://"),
        ("'ldaps://me:pass@a'", "", "must be an address like ldaps://"),
        ("'ldaps://a'", "start_tls = true", "is encrypted from the start"),
        ("'ldaps://[2001:db8::1]'", "", "write a name"),
        ("[]", "", "names no server"),
    ] {
        let said = with(url, more).err().unwrap_or_default();
        assert!(said.contains(wanted), "{url}: {said}");
    }
}

#[test]
fn an_empty_password_is_none() {
    for (text, wanted) in [
        ("secret\n", Some("secret")),
        ("secret", Some("secret")),
        (" pass word \r\n", Some(" pass word ")),
        ("", None),
        ("\n", None),
        ("  \n", None),
        ("a\nb\n", None),
    ] {
        assert_eq!(one_line(text).as_ref().map(Secret::expose), wanted, "{text:?}");
    }
}

#[test]
fn a_pin_is_on_off_or_strict() {
    for (more, wanted) in [
        ("", Pin::First),
        ("pin = true", Pin::First),
        ("pin = false", Pin::Off),
        ("pin = 'strict'", Pin::Strict),
    ] {
        assert_eq!(read_text(&format!("{HERE}{more}")).unwrap().rules.pin, wanted, "{more}");
    }
}
