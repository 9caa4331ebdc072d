//! What an answer means. An answer that is not understood is never a success.

use serde_json::Value;

use super::Attempt;
use super::description::{Accepted, Balance, Check, Class, ClassRow, Description, Errors, Status};
use super::report::{Delivery, End, Money};
use crate::delivery::{Finding, Judgement};

/// As much of a provider's words as the log shows, in characters.
const LONGEST_SAID: usize = 200;

/// One answer of a provider, its body cut to what is worth reading.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, as text.
    pub body: String,
}

/// Judges an answer by the provider's description. `conceal` takes secrets and numbers out of what
/// the provider said.
pub fn judge(
    answer: &Answer,
    description: &Description,
    conceal: impl Fn(&str) -> String,
) -> Attempt {
    let json = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    let accepted = &description.accepted;
    if is_accepted(answer, &json, accepted) {
        return Attempt::Accepted;
    }
    let Explained { class, is_named, said } = explain(answer, &json, description, conceal);
    match class {
        Class::Recipient | Class::Optout => Attempt::Refused(said),
        Class::Credit => Attempt::Unusable(class, said),
        // Any other status may as well be about the number: that is no reason to avoid a provider.
        Class::Auth if is_named || answer.status == 401 => Attempt::Unusable(class, said),
        Class::Config if is_named => Attempt::Unusable(class, said),
        // 600 and more are nobody's, and open no door.
        Class::Transient if (500..600).contains(&answer.status) => Attempt::OutOfReach(said),
        _ => Attempt::Failed(said),
    }
}

/// Judges an answer to the question whether a code is right. Only what the description calls right is.
pub fn judge_check(
    answer: &Answer,
    rules: &Check,
    description: &Description,
    conceal: impl Fn(&str) -> String,
) -> Judgement {
    let json = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    let is = |rules: &Accepted| is_accepted(answer, &json, rules);
    let finding = match () {
        () if is(&rules.right) => Finding::Right,
        () if is(&rules.wrong) => Finding::Wrong,
        () if rules.spent.iter().any(is) => Finding::Spent,
        () if rules.gone.iter().any(is) => Finding::Gone,
        () => Finding::Unknown,
    };
    let is_told = !matches!(finding, Finding::Right | Finding::Wrong);
    let detail = is_told.then(|| explain(answer, &json, description, conceal).said);
    Judgement { finding, detail: detail.unwrap_or_default() }
}

/// Reads how much money is left.
///
/// # Errors
/// With what the provider said instead.
pub fn judge_balance(
    answer: &Answer,
    rules: &Balance,
    description: &Description,
    conceal: impl Fn(&str) -> String,
) -> Result<Money, Attempt> {
    let json = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    let found = rules.text.as_ref().and_then(|regex| regex.0.captures(&answer.body));
    let group = |index| found.as_ref()?.get(index).map(|group| group.as_str().to_owned());
    let (amount, currency) = match &rules.text {
        Some(_) => (group(1), group(2)),
        None => (first(&json, &rules.amount), first(&json, &rules.currency)),
    };
    match amount.filter(|amount| answer.status == 200 && is_amount(amount)) {
        Some(amount) => Ok(Money { amount, currency: currency.filter(|c| is_currency(c)) }),
        None => Err(Attempt::Failed(explain(answer, &json, description, conceal).said)),
    }
}

/// What the provider calls the message that it has taken.
#[must_use]
pub fn message_id(answer: &Answer, rules: &Status) -> Option<String> {
    first(&serde_json::from_str(&answer.body).unwrap_or(Value::Null), &rules.id)
}

/// Reads what became of a message.
///
/// # Errors
/// With what the provider said instead.
pub fn judge_status(
    answer: &Answer,
    rules: &Status,
    description: &Description,
    conceal: impl Fn(&str) -> String,
) -> Result<Delivery, Attempt> {
    let json = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
    let state = first(&json, &rules.state).filter(|_| answer.status == 200);
    let Some(state) = state else {
        return Err(Attempt::Failed(explain(answer, &json, description, conceal).said));
    };
    let end = match state {
        _ if rules.delivered.contains(&state) => End::Delivered,
        _ if rules.undelivered.contains(&state) => End::Undelivered,
        _ => End::Pending,
    };
    let reasons = rules.reason.iter().filter_map(|place| json.pointer(place)).filter_map(plain);
    let words: Vec<_> = std::iter::once(state).chain(reasons).collect();
    let said = conceal(&words.join(", ")).chars().take(LONGEST_SAID).collect();
    Ok(Delivery { end, said })
}

/// A number with digits in it, as `-12.50`; nothing else of an answer gets to the terminal.
fn is_amount(text: &str) -> bool {
    text.parse::<f64>().is_ok_and(f64::is_finite) && text.len() < 32
}

fn is_currency(text: &str) -> bool {
    (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// What is wrong.
struct Explained {
    class: Class,
    /// Whether the description says so, and not only the status.
    is_named: bool,
    /// The provider's words for it.
    said: String,
}

fn explain(
    answer: &Answer,
    json: &Value,
    description: &Description,
    conceal: impl Fn(&str) -> String,
) -> Explained {
    let (code, message) = error_of(&answer.body, json, &description.error);
    let row = row_of(&code, answer.status, &description.error);
    let class = row.map_or(Class::of_status(answer.status), |row| row.class);
    // Cut last: of a secret that is cut first, a part would not be known for one.
    let shown = |said: &str| conceal(said).chars().take(LONGEST_SAID).collect::<String>();
    let mut said = format!("{} (HTTP {}", class.as_str(), answer.status);
    if !code.is_empty() {
        said.push_str(&format!(", code {}", shown(&code)));
    }
    if !message.is_empty() {
        said.push_str(&format!(": {}", shown(&message)));
    }
    said.push(')');
    Explained { class, is_named: row.is_some(), said }
}

fn is_accepted(answer: &Answer, json: &Value, rules: &Accepted) -> bool {
    let at = |place: &str| json.pointer(place).filter(|value| !value.is_null());
    rules.status.contains(&answer.status)
        && rules.equals.iter().all(|(place, wanted)| all_at(json, place, &[wanted]))
        && rules
            .one_of
            .iter()
            .all(|(place, good)| all_at(json, place, &good.iter().collect::<Vec<_>>()))
        && rules.none_of.iter().all(|(place, bad)| {
            !at(place).and_then(Value::as_str).is_some_and(|found| bad.iter().any(|b| b == found))
        })
        && rules.present.iter().all(|place| at(place).is_some())
        && rules.absent.iter().all(|place| at(place).is_none())
        && rules.text.as_ref().is_none_or(|regex| regex.0.is_match(&answer.body))
}

/// Whether the value at a place is one of the `wanted`. A `*` in the place stands for every element
/// of a list, of which there must be one: some providers answer for each part of a long message.
fn all_at(json: &Value, place: &str, wanted: &[&toml::Value]) -> bool {
    if let Some((list, rest)) = place.split_once("/*") {
        let elements = json.pointer(list).and_then(Value::as_array);
        return elements.is_some_and(|elements| {
            !elements.is_empty() && elements.iter().all(|one| all_at(one, rest, wanted))
        });
    }
    let found = json.pointer(place).filter(|value| !value.is_null());
    found.is_some_and(|found| {
        wanted.iter().any(|wanted| serde_json::to_value(wanted).is_ok_and(|w| w == *found))
    })
}

fn error_of(body: &str, json: &Value, errors: &Errors) -> (String, String) {
    if let Some(found) = errors.text.as_ref().and_then(|regex| regex.0.captures(body)) {
        let mut groups = found.iter().skip(1).flatten().map(|group| group.as_str().to_owned());
        let mut group = || groups.next().unwrap_or_default();
        return (group(), group());
    }
    let found = |places: &[String]| first(json, places).unwrap_or_default();
    (found(&errors.code), found(&errors.message))
}

fn first(json: &Value, places: &[String]) -> Option<String> {
    places.iter().filter_map(|place| json.pointer(place)).find_map(plain)
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn row_of<'e>(code: &str, status: u16, errors: &'e Errors) -> Option<&'e ClassRow> {
    errors.class.iter().find(|row| {
        (row.code.is_empty() || row.code.iter().any(|known| known == code))
            && (row.status.is_empty() || row.status.contains(&status))
    })
}

#[cfg(test)]
mod answers;
#[cfg(test)]
mod tests;
