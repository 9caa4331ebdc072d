//! What providers answer.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::text_of;
use crate::config::source::Sources;
use crate::delivery::Finding;
use crate::gateway::Attempt;
use crate::gateway::description::{BUILT_IN, Description};
use crate::gateway::judge::{Answer, judge, judge_balance, judge_check, judge_status, message_id};
use crate::gateway::variables::Variables;
use crate::people::PhoneNumber;
use crate::secret::Secret;

static DESCRIPTIONS: LazyLock<Vec<(&str, Description)>> = LazyLock::new(|| {
    let read = |(kind, text): (&'static str, &str)| {
        (kind, Sources::from_text(kind, text).parse().expect("it is shipped"))
    };
    BUILT_IN.map(read).into()
});

/// `status\nbody`, judged as an answer of every provider that is shipped: taken only with a status that
/// the description names and with a body that is no mere nothing, out of reach only with 5xx, and no
/// words of it tell a key, a code or a number.
pub fn reply(data: &[u8]) {
    const KEY: &str = "s3cr3t-k3y";
    const CODE: &str = "004217";
    let Some((status, body)) = text_of(data).and_then(|text| text.split_once('\n')) else { return };
    // More digits than three are no status, and end the connection before this.
    let Some(status) = status.parse().ok().filter(|status| (100..1000).contains(status)) else {
        return;
    };
    let answer = Answer { status, body: body.to_owned() };
    let keys = BTreeMap::from([("api_key".to_owned(), Secret::from(KEY.to_owned()))]);
    let to: PhoneNumber = "+4915123456789".parse().expect("a number");
    let text = Secret::from(format!("KQ-{CODE} is your code"));
    let variables = Variables::new(&keys, Some((&to, &text)));
    let conceal = |said: &str| variables.conceal(said);
    let is_hushed = |kind: &str, said: &str| {
        let tells = [KEY, CODE, to.digits()].iter().any(|secret| said.contains(secret));
        assert!(!tells && said.chars().count() < 600, "{kind}: {said}");
    };
    let is_empty = body.trim().is_empty();
    for (kind, description) in &*DESCRIPTIONS {
        let attempt = judge(&answer, description, conceal);
        match &attempt {
            Attempt::Accepted => {
                assert!(description.accepted.status.contains(&status), "{kind}");
                assert!((200..300).contains(&status) && !is_empty, "{kind} {status}");
            }
            Attempt::OutOfReach(_) => assert!((500..600).contains(&status), "{kind} {status}"),
            Attempt::Uncertain(said) => panic!("{kind}: an answer is never uncertain: {said}"),
            Attempt::Refused(_) | Attempt::Failed(_) | Attempt::Unusable(..) => {}
        }
        is_hushed(kind, &attempt.words());
        if let Some(rules) = &description.check {
            let judged = judge_check(&answer, rules, description, conceal);
            let is_right = judged.finding == Finding::Right;
            assert!(!is_right || rules.right.status.contains(&status) && !is_empty, "{kind}");
            is_hushed(kind, &judged.detail);
        }
        if let Some(rules) = &description.balance {
            match judge_balance(&answer, rules, description, conceal) {
                Ok(money) => assert!(money.amount.parse::<f64>().is_ok() && status == 200),
                Err(attempt) => is_hushed(kind, &attempt.words()),
            }
        }
        if let Some(rules) = &description.status {
            let _ = message_id(&answer, rules);
            match judge_status(&answer, rules, description, conceal) {
                Ok(delivery) => is_hushed(kind, &delivery.said),
                Err(attempt) => is_hushed(kind, &attempt.words()),
            }
        }
    }
}
