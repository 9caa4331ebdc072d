use std::fs;

use super::*;

/// For a login, without a helper.
fn asking(config: &Path) -> Asking<'_> {
    Asking { purpose: Purpose::Login, config, helper: Path::new("/none"), trust: Trust::Anyone }
}

struct Office {
    folder: tempfile::TempDir,
}

impl Office {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn write(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn look_up(&self, user: &str) -> Result<Option<Vec<String>>, String> {
        self.look_up_with(user, &UsersRules::default())
    }

    fn look_up_with(&self, user: &str, rules: &UsersRules) -> Result<Option<Vec<String>>, String> {
        let config = self.folder.path().join("config.toml");
        let found = look_up(user, rules, &asking(&config), &mut Vec::new());
        Ok(found
            .map_err(|e| e.to_string())?
            .map(|found| found.record.phones.iter().map(|p| p.as_e164().to_owned()).collect()))
    }

    fn named_folder(&self, name: &str) -> UsersRules {
        let path = self.folder.path().join(name).try_into().unwrap();
        UsersRules { directory: Some(path), ..UsersRules::default() }
    }
}

#[test]
fn a_person_has_one_number_or_several() {
    let office = Office::new().write(
        "users.toml",
        "alice = \"+49 151 23456789\"\nbob = { phones = [\"+44 7700 900123\", \"+14155550123\"] }\n",
    );
    assert_eq!(office.look_up("alice"), Ok(Some(vec!["+4915123456789".into()])));
    assert_eq!(
        office.look_up("bob"),
        Ok(Some(vec!["+447700900123".into(), "+14155550123".into()]))
    );
    assert_eq!(office.look_up("carol"), Ok(None));
}

#[test]
fn the_first_place_that_knows_a_person_has_them() {
    let office = Office::new()
        .write("users.toml", "alice = \"+4915123456789\"\n")
        .write("users.d/alice.toml", "phones = [\"+14155550123\"]\n")
        .write("users.d/john.doe.toml", "phones = [\"+14155550124\"]\n");
    assert_eq!(office.look_up("alice"), Ok(Some(vec!["+4915123456789".into()])));
    assert_eq!(office.look_up("john.doe"), Ok(Some(vec!["+14155550124".into()])));
    assert_eq!(office.look_up("bob"), Ok(None));
}

#[test]
fn a_wrong_number_is_told_with_its_place_and_without_itself() {
    let office =
        Office::new().write("users.toml", "bob = \"+14155550123\"\nalice = \"015123456789\"\n");
    let said = office.look_up("alice").unwrap_err();
    assert!(said.contains("users.toml:2:9: "), "{said}");
    assert!(!said.contains("5123456"), "{said}");
    assert!(office.look_up("bob").is_ok(), "another person's error is not bob's");

    for (text, place) in [
        ("alice = 4915123456789", "users.toml:1:9: put the phone number in quotes"),
        ("alice = { phone = \"+4915123456789\" }", "users.toml:1:11: unknown field `phone`"),
        (
            "alice = { 4915123456789 = true }",
            "users.toml:1:11: unknown field `...`, expected one of",
        ),
        ("alice = { phones = [] }", "users.toml:1:9: `phones` must hold at least one number"),
        ("alice = { phones = [\"+4915123456789\", \"x\"] }", "users.toml:1:39: "),
        ("alice = true", "users.toml:1:9: invalid type: boolean"),
        ("alice = \"+4915123456789", "users.toml:1:"),
    ] {
        let office = Office::new().write("users.toml", text);
        let said = office.look_up("alice").unwrap_err();
        assert!(said.contains(place), "{text}: {said}");
        assert!(!said.contains("5123456"), "{said}");
    }
}

#[test]
fn an_unknown_language_is_no_reason_to_deny_and_is_told_to_who_checks() {
    let record = "{ phones = ['+4915123456723'], language =";
    let text = format!("alice = {record} 'de' }}\nbob = {record} 'geman' }}\n");
    let office = Office::new()
        .write("users.toml", &text)
        .write("users.d/carol.toml", "phones = ['+4915123456789']\nlanguage = 'DE'\n");
    let config = office.folder.path().join("config.toml");
    let rules = UsersRules::default();
    let found = look_up("bob", &rules, &asking(&config), &mut Vec::new()).unwrap();
    assert_eq!(found.unwrap().record.language.as_deref(), Some("geman"));
    let all = everyone(&rules, &config, Trust::Anyone).unwrap();
    assert_eq!((all.people, all.warnings.len()), (3, 2));
    let wanted = "the record with the phone *23: there is no language `geman`; did you mean `de`? ";
    assert!(all.warnings[0].starts_with(wanted), "{}", all.warnings[0]);
    assert!(
        all.warnings[1].starts_with("the record with the phone *89: there is no language `DE`")
    );
}

#[test]
fn trap_6_a_folder_that_is_named_must_be_there() {
    // A folder that is not mounted would make everybody "not enrolled".
    let office = Office::new().write("users.toml", "bob = \"+14155550123\"\n");
    let said = office.look_up_with("alice", &office.named_folder("elsewhere")).unwrap_err();
    assert!(said.contains("elsewhere does not exist"), "{said}");
    assert_eq!(office.look_up("alice"), Ok(None));
}

#[test]
fn with_no_place_at_all_nobody_is_unenrolled() {
    let said = Office::new().look_up("alice").unwrap_err();
    assert!(said.contains("nobody has a number"), "{said}");
}

#[test]
fn the_file_of_one_person_is_judged_alone() {
    let office = Office::new()
        .write("users.d/alice.toml", "phones = [\"+4915123456789\"]\n")
        .write("users.d/bob.toml", "phones = [\"0151\"]\n");
    assert!(office.look_up("alice").is_ok());
    assert!(office.look_up("bob").unwrap_err().contains("bob.toml:1:11: "));
    let config = office.folder.path().join("config.toml");
    assert!(everyone(&UsersRules::default(), &config, Trust::Anyone).is_err());
}
