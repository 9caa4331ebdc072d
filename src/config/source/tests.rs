use super::*;
use crate::config::model::Config;

fn parse(text: &str) -> Result<Config, ConfigError> {
    Sources::from_text("config.toml", text).parse()
}

fn error(text: &str) -> String {
    parse(text).expect_err("this configuration is wrong").to_string()
}

#[test]
fn nothing_is_a_whole_configuration() {
    let config = parse("").unwrap();
    assert_eq!(config.code.digits.get(), 6);
    assert_eq!(config.code.lifetime.get().as_secs(), 300);
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest_known_one() {
    let said = error("[code]\n  digitz = 6\n");
    assert!(said.starts_with("config.toml:2:3: unknown field `digitz`"), "{said}");
    assert!(said.ends_with("did you mean `digits`?"), "{said}");
    let said = error("[cod]\n");
    assert!(said.starts_with("config.toml:1:2: unknown field `cod`"), "{said}");
    assert!(said.ends_with("did you mean `code`?"), "{said}");
    let said = error("[delivery]\nif_unreachable = \"alow\"\n");
    assert!(said.starts_with("config.toml:2:18: unknown variant `alow`"), "{said}");
    assert!(said.ends_with("did you mean `allow`?"), "{said}");
}

#[test]
fn a_wrong_value_is_named_with_its_place_and_what_is_right() {
    for (text, wanted) in [
        ("[code]\ndigits = 5", "config.toml:2:10: must be from 6 to 10"),
        ("[code]\ndigits = -1", "config.toml:2:10: must be from 6 to 10"),
        (
            "[code]\ndigits = \"6\"",
            "config.toml:2:10: invalid type: string, expected a whole number from 6 to 10",
        ),
        (
            "[code]\ndigits = 6.5",
            "config.toml:2:10: invalid type: floating point number, expected a whole number",
        ),
        (
            "[code]\ndigits = 2026-11-24",
            "config.toml:2:10: invalid type: date or time, expected a whole number",
        ),
        ("[code]\ndigits = 9223372036854775808", "config.toml:2:10: this number is too large"),
        ("code = true", "config.toml:1:8: invalid type: boolean, expected struct CodeRules"),
        ("[message]\ntext = [1]", "config.toml:2:8: invalid type: sequence, expected a string"),
        ("[users]\nunenrolled = 0", "config.toml:2:14: invalid type: integer, expected "),
        ("[code]\nlifetime = \"11m\"", "config.toml:2:12: must be from 30s to 10m"),
        (
            "[code]\nlifetime = 300",
            "config.toml:2:12: invalid type: integer, expected a time: write it like \"90s\" or",
        ),
        (
            "[limits]\nsends_per_user = 5",
            "config.toml:2:18: invalid type: integer, expected a limit: write it like \"5/10m\"",
        ),
        (
            "[policy]\nobserve_until = 20261231",
            "config.toml:2:17: invalid type: integer, expected a day: write it like 2026-12-31",
        ),
        ("[code]\nlifetime = \"soon\"", "config.toml:2:12: `soon` is no time"),
        ("[users]\nfile = \"users.toml\"", "config.toml:2:8: `users.toml` must be a path from"),
        ("[code]\ndigits = 6\ndigits = 7", "config.toml:3:1: duplicate key"),
        ("[code\n", "config.toml:1:6: unclosed table"),
        ("[message]\ntext = \"no\"", "config.toml:2:8: "),
        (
            "[message]\nlanguage = \"pt_BR\"",
            "config.toml:2:12: there is no language `pt_BR`; did you mean `pt-BR`? (known: ar az ",
        ),
        ("[message]\nlanguage = 1", "config.toml:2:12: invalid type: integer, expected a language"),
    ] {
        let said = error(text);
        assert!(said.starts_with(wanted), "{text:?}: {said}");
    }
}

#[test]
fn later_files_win_and_keep_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("config.toml");
    let drop_ins = folder.path().join("config.d");
    std::fs::create_dir(&drop_ins).unwrap();
    std::fs::write(&main, "[code]\ndigits = 7\nattempts = 2\n").unwrap();
    std::fs::write(drop_ins.join("20.toml"), "[code]\ndigits = 9\n").unwrap();
    std::fs::write(drop_ins.join("10.toml"), "[code]\ndigits = 8\n").unwrap();
    std::fs::write(drop_ins.join("ignored.txt"), "[[[").unwrap();
    let config: Config = Sources::load(&main, Trust::Anyone).unwrap().parse().unwrap();
    assert_eq!((config.code.digits.get(), config.code.attempts.get()), (9, 2));

    std::fs::write(
        drop_ins.join("30.toml"),
        "# long enough to lie behind the others\n[code]\nx=1\n",
    )
    .unwrap();
    let error = Sources::load(&main, Trust::Anyone).unwrap().parse::<Config>().unwrap_err();
    let place = format!("{}:3:1: unknown field `x`", drop_ins.join("30.toml").display());
    assert!(error.to_string().starts_with(&place), "{error}");
}

#[test]
fn providers_merge_by_name_and_new_ones_come_last() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("config.toml");
    std::fs::create_dir(folder.path().join("config.d")).unwrap();
    std::fs::write(&main, "[[provider]]\nkind='twilio'\nfrom='+1'\n[[provider]]\nkind='smsc'\n")
        .unwrap();
    std::fs::write(
        folder.path().join("config.d/key.toml"),
        "[[provider]]\nname='smsc'\napi_key='k'\n[[provider]]\nkind='outbox'\n",
    )
    .unwrap();
    let sources = Sources::load(&main, Trust::Anyone).unwrap();
    let merged = sources.merged().unwrap();
    let providers = merged.get("provider").unwrap().get_ref().as_array().unwrap();
    let names: Vec<_> =
        providers.iter().map(|p| provider_name(p.get_ref().as_table().unwrap()).unwrap()).collect();
    assert_eq!(names, ["twilio", "smsc", "outbox"]);
    let smsc = providers.get(1).unwrap().get_ref().as_table().unwrap();
    assert_eq!(smsc.get("api_key").unwrap().get_ref().as_str(), Some("k"));
    assert_eq!(smsc.get("kind").unwrap().get_ref().as_str(), Some("smsc"));
}

#[test]
fn two_providers_of_one_name_are_an_error() {
    let said = error("[[provider]]\nkind='smsc'\n[[provider]]\nkind='smsc'\n");
    assert!(said.starts_with("config.toml:3:1: two providers are called `smsc`"), "{said}");
}

#[test]
fn providers_are_stepped_over_by_the_module() {
    parse("[[provider]]\nkind = 7\nwhatever = [1, {a = 2}]\n").unwrap();
}
