use super::directory::LOOKUPS;
use super::*;
use crate::people::MOST_PHONES;
use crate::people::directory::{Answer, Lookup};

fn request(provider: Option<&str>) -> Zeroizing<Vec<u8>> {
    let to = "+4915123456789".parse().unwrap();
    let text = Secret::from("KQ-004217 ваш код".to_owned());
    let config = Path::new("/etc/pam-sms/config.toml");
    encode_request(config, Duration::from_secs(10), &to, &text, provider).unwrap()
}

#[test]
fn a_request_arrives_as_it_was_sent_in_the_lowest_version_that_has_it() {
    for (provider, version) in [(None, 1), (Some("smsc"), 2)] {
        let frame = request(provider);
        assert_eq!(frame[4], version);
        let arrived = decode_request(&frame).unwrap();
        assert_eq!(arrived.config, Path::new("/etc/pam-sms/config.toml"));
        assert_eq!(arrived.timeout, Duration::from_secs(10));
        assert_eq!(arrived.provider.as_deref(), provider);
        let text = Secret::from("KQ-004217 ваш код".to_owned());
        assert_eq!(arrived.errand, Errand::Send("+4915123456789".parse().unwrap(), text));
    }
}

#[test]
fn a_call_arrives_with_the_language_of_the_person_and_in_no_lower_version() {
    let (to, time) = ("+4915123456789".parse().unwrap(), Duration::from_secs(1));
    for (provider, wanted) in [(None, None), (Some("a"), Some("a".to_owned()))] {
        let frame = encode_call(Path::new("/c"), time, &to, "004217", provider, "pt-BR").unwrap();
        let arrived = decode_request(&frame).unwrap();
        let code = Secret::from("004217".to_owned());
        assert_eq!(arrived.errand, Errand::Call(to.clone(), code, "pt-BR".to_owned()));
        assert_eq!(arrived.provider, wanted);
        for lower in [FIRST, SECOND] {
            let mut frame = frame.to_vec();
            frame[4] = lower;
            assert!(decode_request(&frame).is_err(), "{lower}");
        }
        for length in 0..frame.len() {
            assert!(decode_request(&frame[..length]).is_err(), "{length} bytes");
        }
    }
}

#[test]
fn a_question_to_the_store_arrives_and_so_does_its_answer() {
    let (config, time) = (Path::new("/c"), Duration::from_secs(1));
    let number: PhoneNumber = "+4915123456789".parse().unwrap();
    for to in [None, Some(&number)] {
        let frame = encode_limits(config, time, "alice", to, "try 0").unwrap();
        let arrived = decode_request(&frame).unwrap();
        assert_eq!(arrived.errand, Errand::Limits(to.cloned(), "try 0".to_owned()));
        assert_eq!(arrived.provider.as_deref(), Some("alice"));
        for lower in [FIRST, SECOND, THIRD] {
            let mut frame = frame.to_vec();
            frame[4] = lower;
            assert!(decode_request(&frame).is_err(), "{lower}");
        }
        for length in 0..frame.len() {
            assert!(decode_request(&frame[..length]).is_err(), "{length} bytes");
        }
        assert!(decode_decision(&frame).is_err());
    }
    assert_eq!(decode_decision(&encode_decision("ok 1 2 3 4").unwrap()), Ok("ok 1 2 3 4"));
}

#[test]
#[cfg(feature = "program")]
fn what_an_admin_asks_arrives_and_so_does_the_answer() {
    let (to, text) = ("+4915123456789".parse().unwrap(), Secret::from("x".to_owned()));
    let (config, time) = (Path::new("/c"), Duration::from_secs(1));
    let frame = encode_question(config, time, Question::Probe(&to, &text), Some("a")).unwrap();
    let arrived = decode_request(&frame).unwrap();
    assert_eq!((arrived.errand, arrived.provider), (Errand::Probe(to, text), Some("a".into())));
    let frame = encode_question(config, time, Question::Balance, None).unwrap();
    let arrived = decode_request(&frame).unwrap();
    assert_eq!((arrived.errand, arrived.provider), (Errand::Balance, None));
    assert_eq!(decode_report(&encode_report("{}").unwrap()), Ok("{}"));
    assert!(decode_report(&frame).is_err());
}

#[test]
fn every_fate_but_one_arrives_as_it_was_sent() {
    for (fate, _) in FATES {
        for (judges, version) in [(false, 1), (true, 3)] {
            let sent = Outcome { fate: *fate, via: "twilio".into(), detail: "ü".into(), judges };
            let frame = encode_outcome(&sent).unwrap();
            assert_eq!((decode_outcome(&frame).unwrap(), frame[4]), (sent, version));
        }
    }
}

#[test]
fn a_long_explanation_is_cut_between_characters() {
    let sent = Outcome::without_provider(Fate::Failed, "ü".repeat(LONGEST));
    let arrived = decode_outcome(&encode_outcome(&sent).unwrap()).unwrap();
    assert_eq!(arrived.detail, "ü".repeat(LONGEST_DETAIL / 2));
}

#[test]
fn no_part_of_a_frame_is_a_frame_and_nothing_may_follow() {
    let frame = request(Some("smsc"));
    for length in 0..frame.len() {
        assert!(decode_request(&frame[..length]).is_err(), "{length} bytes");
    }
    let mut longer = frame.to_vec();
    longer.push(0);
    assert_eq!(decode_request(&longer), Err(Malformed("something follows it")));
    assert!(decode_outcome(&frame).is_err());
}

#[test]
fn another_version_is_named_as_that() {
    let mut frame = request(None).to_vec();
    frame[4] = FOURTH + 1;
    let said = decode_request(&frame).unwrap_err().to_string();
    assert!(said.contains("another version"), "{said}");
}

#[test]
fn what_was_typed_arrives_and_so_does_the_finding() {
    let (to, time) = ("+4915123456789".parse().unwrap(), Duration::from_secs(1));
    let typed = Secret::from("004217".to_owned());
    let frame = encode_check(Path::new("/c"), time, &to, &typed, "verify").unwrap();
    let arrived = decode_request(&frame).unwrap();
    assert_eq!(arrived.errand, Errand::Check(to.clone(), typed.clone()));
    assert_eq!((arrived.provider.as_deref(), frame[4]), (Some("verify"), 3));
    let frame = encode_check(Path::new("/c"), time, &to, &typed, "").unwrap();
    assert_eq!(decode_request(&frame), Err(Malformed("the provider")));
    for (finding, _) in FINDINGS {
        let sent = Judgement { finding: *finding, detail: "ü".repeat(LONGEST) };
        let frame = encode_judgement(&sent).unwrap();
        let arrived = decode_judgement(&frame).unwrap();
        assert_eq!(arrived.finding, *finding);
        assert!(decode_outcome(&frame).is_err(), "no judgement is an outcome");
        for length in 0..frame.len() {
            assert!(decode_judgement(&frame[..length]).is_err(), "{length} bytes");
        }
    }
    // No outcome is a judgement, and no letter that is not known is one.
    let outcome = encode_outcome(&Outcome::without_provider(Fate::Accepted, "")).unwrap();
    assert!(decode_judgement(&outcome).is_err());
    let mut frame = encode_judgement(&Judgement::unknown("")).unwrap().to_vec();
    for letter in (0..=u8::MAX).filter(|letter| !b"RWGSUN".contains(letter)) {
        frame[HEAD + 2] = letter;
        assert!(decode_judgement(&frame).is_err(), "{letter}");
    }
}

#[test]
fn a_name_arrives_as_it_is_whatever_stands_in_it() {
    let time = Duration::from_secs(3);
    let about: Vec<PhoneNumber> =
        ["+4915123456789", "+14155550123"].map(|phone| phone.parse().unwrap()).into();
    for purpose in [Purpose::Rehearsal, Purpose::Look, Purpose::Keep, Purpose::Approve] {
        let frame = encode_find(Path::new("/c"), time, "alice", purpose, &about).unwrap();
        let errand = Errand::Find("alice".into(), purpose, about.clone());
        assert_eq!(decode_request(&frame).unwrap().errand, errand);
    }
    let many = vec![about[0].clone(); MOST_PHONES + 1];
    let frame = encode_find(Path::new("/c"), time, "alice", Purpose::Keep, &many).unwrap();
    assert!(decode_request(&frame).is_err());
    for name in ["alice", "*", ")(uid=*", "a\0b", "J\u{f6}rg M", &"x".repeat(4000)] {
        let frame = encode_find(Path::new("/c"), time, name, Purpose::Login, &[]).unwrap();
        let arrived = decode_request(&frame).unwrap();
        let errand = Errand::Find(name.to_owned(), Purpose::Login, Vec::new());
        assert_eq!((arrived.errand, frame[4]), (errand, 4));
        for length in 0..frame.len() {
            assert!(decode_request(&frame[..length]).is_err(), "{length} bytes");
        }
    }
    let long = "x".repeat(LONGEST);
    assert!(encode_find(Path::new("/c"), time, &long, Purpose::Login, &[]).is_err());
}

#[test]
fn an_answer_of_a_directory_arrives_and_nobody_is_found_without_a_number() {
    let phones: Vec<PhoneNumber> =
        ["+4915123456789", "+14155550123"].map(|phone| phone.parse().unwrap()).into();
    for (lookup, _) in LOOKUPS {
        let phones = if *lookup == Lookup::Found { phones.clone() } else { Vec::new() };
        let language = (*lookup == Lookup::Found).then(|| "de".to_owned());
        let (via, detail) = ("ldaps://a".to_owned(), "\u{fc}".to_owned());
        let is_first = *lookup == Lookup::Found;
        let sent = Answer { lookup: *lookup, phones, is_first, language, via, detail };
        let frame = encode_answer(&sent).unwrap();
        assert_eq!((decode_answer(&frame).as_ref(), frame[4]), (Ok(&sent), 4));
        for length in 0..frame.len() {
            assert!(decode_answer(&frame[..length]).is_err(), "{length} bytes");
        }
        assert!(decode_outcome(&frame).is_err() && decode_judgement(&frame).is_err());
    }
    let none = Answer { phones: Vec::new(), ..Answer::failed("") };
    let none = Answer { lookup: Lookup::Found, ..none };
    assert!(decode_answer(&encode_answer(&none).unwrap()).is_err());
    let many = Answer { phones: vec![phones[0].clone(); MOST_PHONES + 1], ..none };
    assert!(decode_answer(&encode_answer(&many).unwrap()).is_err());
    let odd = Answer { phones, ..Answer::failed("") };
    assert!(
        decode_answer(&encode_answer(&odd).unwrap()).is_err(),
        "a number that goes with no person"
    );
}
