//! What is written, with everything else in the files left as it stands: order, comments, blanks.

use std::path::PathBuf;

use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, value};

use super::Provider;

const CONFIG: &str =
    "# Every key: /usr/share/doc/pam-sms/example-config.toml, pam-sms-config(5).\n";

/// The configuration with this provider in it, in place of one of its name, else behind all others.
///
/// # Errors
/// When the text is no TOML, or `provider` is something else in it.
pub fn with_provider(
    text: Option<&str>,
    provider: &Provider,
    secrets: &[(String, PathBuf)],
) -> Result<String, String> {
    let mut document = parse(text.unwrap_or_default())?;
    let tables = document.entry("provider").or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    let tables = tables.as_array_of_tables_mut().ok_or("`provider` must be [[provider]] tables")?;
    let name = provider.name();
    let text_of =
        |table: &Table, key: &str| table.get(key).and_then(Item::as_str).map(str::to_owned);
    let is_it = |table: &Table| {
        text_of(table, "name").or_else(|| text_of(table, "kind")).as_deref() == Some(name)
    };
    let index = tables.iter().position(is_it).unwrap_or(tables.len());
    if index == tables.len() {
        tables.push(Table::new());
    }
    let table = tables.get_mut(index).ok_or("no table")?;
    put(table, "kind", &provider.kind);
    for (key, text) in &provider.plain {
        match text.as_str() {
            "true" | "false" => table[key] = value(text == "true"),
            text => put(table, key, text),
        }
    }
    for (key, path) in secrets {
        table.remove(key);
        put(table, &format!("{key}_file"), &path.display().to_string());
    }
    // A file that is new begins with a word about itself.
    let head = if text.is_some() { "" } else { CONFIG };
    Ok(format!("{head}{document}"))
}

fn put(table: &mut Table, key: &str, text: &str) {
    // In place, so that a comment behind it stays.
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = text.into();
            *old.decor_mut() = decor;
        }
        None => table[key] = value(text),
    }
}

fn parse(text: &str) -> Result<DocumentMut, String> {
    text.parse::<DocumentMut>().map_err(|error| error.to_string().trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(sid: &str) -> Provider {
        Provider {
            kind: "twilio".to_owned(),
            plain: [("account_sid".to_owned(), sid.to_owned())].into(),
            secret: [].into(),
            makes_codes: false,
        }
    }

    #[test]
    fn a_provider_is_added_and_written_over_and_all_else_stays() {
        let secrets = [("auth_token".to_owned(), PathBuf::from("/etc/pam-sms/twilio.auth_token"))];
        let first = with_provider(None, &provider("AC1"), &secrets).unwrap();
        assert!(
            first.ends_with(
                "\n[[provider]]\nkind = \"twilio\"\naccount_sid = \"AC1\"\n\
             auth_token_file = \"/etc/pam-sms/twilio.auth_token\"\n"
            ),
            "{first}"
        );

        let old = "# mine\n[code]\ndigits = 8 # long\n\n[[provider]] # spare\nkind = 'smsc'\n\n\
                   [[provider]]\nkind = 'twilio'\naccount_sid = 'AC0' # old\nauth_token = 'x'\n\
                   from = '+15017122661'\n";
        let new = with_provider(Some(old), &provider("AC1"), &secrets).unwrap();
        assert_eq!(
            new,
            old.replace("'twilio'", "\"twilio\"").replace("'AC0'", "\"AC1\"").replace(
                "auth_token = 'x'\nfrom = '+15017122661'\n",
                "from = '+15017122661'\nauth_token_file = \"/etc/pam-sms/twilio.auth_token\"\n"
            )
        );
        with_provider(Some("provider = 1\n"), &provider("AC1"), &[]).unwrap_err();
        with_provider(Some("[x\n"), &provider("AC1"), &[]).unwrap_err();
    }
}
