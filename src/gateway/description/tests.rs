use super::*;

const GOOD: &str = r#"
about = "A gateway of one's own"
[keys]
token = { about = "Token", secret = true }
[request]
method = "POST"
path = "/send"
json = { to = ["{to+}"], message = { body = "{text}", key = "{token}" }, priority = 3, from = "{token?}" }
[accepted]
status = [200]
equals = { "/ok" = true }
"#;

fn judged(text: &str) -> Result<(), String> {
    let description: Description =
        toml::from_str(text).map_err(|error| error.message().to_owned())?;
    description.check()
}

#[test]
fn every_description_that_is_built_in_is_good() {
    for (kind, text) in BUILT_IN {
        assert_eq!(judged(text), Ok(()), "{kind}");
    }
}

#[test]
fn no_secret_stands_in_an_address() {
    for (kind, text) in BUILT_IN {
        let description: Description = toml::from_str(text).unwrap();
        let query = description.request.query.iter().map(|field| &field.value);
        let bases = description.base_url.iter().map(|choice| &choice.value);
        for name in description.request.paths().chain(query).chain(bases).flat_map(Pattern::names) {
            assert!(!description.keys.get(name).is_some_and(|key| key.secret), "{kind}: {name}");
        }
    }
}

#[test]
fn a_slip_is_found_when_the_description_is_read_wherever_it_stands() {
    assert_eq!(judged(GOOD), Ok(()));
    for (right, wrong, said) in [
        ("\"{to+}\"", "\"{too}\"", "`{too}` is neither a key"),
        ("{text}", "{txt}", "`{txt}` is neither a key"),
        ("{token?}", "{tokn?}", "`{tokn}` is neither a key"),
        ("{token}", "{token", "a brace is not closed"),
        ("priority = 3", "when = 2026-11-24", "JSON has no dates"),
        ("path = \"/send\"", "path = \"/{x}\"", "`{x}` is neither a key"),
        ("path = \"/send\"", "path = \"send\"", "`path` must begin with `/`"),
        ("path = \"/send\"", "path = \"{token}/\"", "`path` must begin with `/`"),
        ("[keys]", "[keys]\nname = { about = \"\" }", "`name` is a key of every provider"),
        ("\"/ok\"", "\"ok\"", "`ok` is no place in JSON"),
        ("status = [200]", "status = [200]\nduplicate = [409]", "`duplicate` needs `{id}`"),
    ] {
        assert!(GOOD.contains(right), "{right}");
        let found = judged(&GOOD.replace(right, wrong)).unwrap_err();
        assert!(found.contains(said), "{wrong}: {found}");
    }
}

#[test]
fn the_balance_is_asked_for_without_a_message_and_its_slips_are_found() {
    let good = format!(
        "{GOOD}[balance]\namount = ['/left']\nrequest = {{ method = 'GET', path = '/left', header = \
         [{{ name = 'X-Token', value = '{{token}}' }}] }}\n"
    );
    assert_eq!(judged(&good), Ok(()));
    for (right, wrong, said) in [
        ("value = '{token}'", "value = '{tokn}'", "`{tokn}` is neither a key"),
        (
            "value = '{token}'",
            "value = '{to}'",
            "`{to}`: the balance is asked for without a message",
        ),
        ("path = '/left'", "path = 'left'", "`path` must begin with `/`"),
        ("amount = ['/left']", "amount = ['left']", "`left` is no place in JSON"),
        ("amount = ['/left']", "", "`[balance]` needs `amount` or `text`"),
    ] {
        assert!(good.contains(right), "{right}");
        let found = judged(&good.replace(right, wrong)).unwrap_err();
        assert!(found.contains(said), "{wrong}: {found}");
    }
}

#[test]
fn a_message_is_asked_after_by_its_name_alone() {
    let good = format!(
        "{GOOD}[status]\nid = ['/id']\nstate = ['/state']\ndelivered = ['yes']\nundelivered = ['no']\n\
         request = {{ method = 'GET', path = '/of/{{message_id}}' }}\n"
    );
    assert_eq!(judged(&good), Ok(()));
    for (right, wrong, said) in [
        ("'/of/{message_id}'", "'/of/{text}'", "`{text}`: a message is asked after by its name"),
        ("'/of/{message_id}'", "'/of'", "`[status.request]` needs `{message_id}`"),
        ("path = \"/send\"", "path = \"/{message_id}\"", "known only after the message was taken"),
        ("['/state']", "['state']", "`state` is no place in JSON"),
        ("id = ['/id']", "id = ['/id']\nbase_url = 'http://x'", "must begin with https://"),
    ] {
        assert!(good.contains(right), "{right}");
        let found = judged(&good.replace(right, wrong)).unwrap_err();
        assert!(found.contains(said), "{wrong}: {found}");
    }
}

#[test]
fn conditions_stand_where_they_can_be_judged_and_name_what_there_is() {
    let mode = "[keys]\nmode = { about = \"\", values = [\"a\", \"b\"] }\n";
    let good = GOOD.replace("[keys]\n", mode).replace(
        "[request]\n",
        "[request]\nother_path = [{ value = \"/b/send\", when = [\"mode=b\"] }]\ntext = \"{text}\"\n",
    );
    let good = good.replace("priority = 3", "unicode = { when = \"ucs2\", value = 1 }")
        + "[error]\nclass = [{ class = \"config\", status = [403] }]\n";
    assert_eq!(judged(&good), Ok(()));
    for (right, wrong, said) in [
        ("mode=b", "mode=c", "`c` is none of the `values` of `mode`"),
        ("mode=b", "mood=b", "`mood` is no key"),
        ("mode=b", "ucs2", "cannot depend on the text"),
        ("\"ucs2\"", "\"token=x\"", "`x` is none of the `values` of `token`"),
        ("\"ucs2\"", "\"tokn\"", "`tokn` is no key"),
        ("value = 1", "value = \"{x}\"", "`{x}` is neither a key"),
        ("\"/b/send\"", "\"b/send\"", "`path` must begin with `/`"),
        ("text = \"{text}\"", "text = \"{txt}\"", "`{txt}` is neither a key"),
        ("equals = { \"/ok\" = true }", "one_of = { ok = [1] }", "`ok` is no place in JSON"),
        (", status = [403]", "", "a row of `class` needs `code` or `status`"),
    ] {
        assert!(good.contains(right), "{right}");
        let found = judged(&good.replace(right, wrong)).unwrap_err();
        assert!(found.contains(said), "{wrong}: {found}");
    }
}

#[test]
fn a_call_has_a_language_and_its_slips_are_found() {
    let good = format!(
        "{GOOD}[voice]\nneeds = ['token']\nlanguages = {{ en = 'en-US', pt-BR = 'pt' }}\nrequest = {{ method = \
         'POST', path = '/call', text = '{{voice_language}} {{text_xml}}' }}\n"
    );
    assert_eq!(judged(&good), Ok(()));
    for (right, wrong, said) in [
        ("['token']", "['tokn']", "`tokn` is no key"),
        ("en = 'en-US', ", "", "must have `en`"),
        ("pt-BR", "pt_BR", "`pt_BR` in `[voice]` is none of our languages"),
        ("{text_xml}", "{text_xlm}", "`{text_xlm}` is neither a key"),
        ("'/call'", "'call'", "`path` must begin with `/`"),
        ("{text}", "{voice_language}", "only `[voice]` has a language"),
    ] {
        assert!(good.contains(right), "{right}");
        let found = judged(&good.replace(right, wrong)).unwrap_err();
        assert!(found.contains(said), "{wrong}: {found}");
    }
}
