//! The books are kept where nobody can stop it: under su and sudo this process is the caller's.

use std::time::Duration;

use super::window::Moment;
use super::{Barrier, SendLimit};
use crate::sys;

/// How long a child may take for one decision: three locks, and then some.
const PATIENCE: Duration = Duration::from_secs(8);

/// What one decision comes back with: numbers that it gives a meaning.
pub type Said = [Moment; 4];

/// What one decision comes back with, or why there is none.
pub type Decision = Result<Said, Barrier>;

/// Of a decision that has nothing to say.
pub const DONE: Said = [0; 4];

/// Makes a decision here where root has started this process, else in a child that is root's alone:
/// its caller may stop, starve or kill this process while it holds a lock. No type parameter: the child
/// would be in the module once for each kind of work.
pub fn decide(work: &dyn Fn() -> Decision) -> Decision {
    if sys::is_started_by_root() {
        return work();
    }
    let said = sys::child::in_child_of_root(PATIENCE, |_| encode(&work()).into_bytes());
    said.map_err(|error| Barrier::Unusable(format!("no child to keep the books: {error}")))
        .and_then(|said| decode(&String::from_utf8_lossy(&said)))
}

/// A decision on its way from the child or the helper that made it.
#[must_use]
pub fn encode(decision: &Decision) -> String {
    match decision {
        Ok([one, two, three, four]) => format!("ok {one} {two} {three} {four}"),
        Err(Barrier::Sends { wait, limit }) => {
            format!("sends {} {}", limit.name(), wait.as_millis())
        }
        Err(Barrier::Locked(wait)) => format!("locked {}", wait.as_millis()),
        Err(Barrier::Closed) => "closed ".to_owned(),
        Err(Barrier::Busy(reason)) => format!("busy {reason}"),
        Err(Barrier::OutOfReach(reason)) => format!("away {reason}"),
        Err(Barrier::Unusable(reason)) => format!("unusable {reason}"),
    }
}

/// Reads a decision that [`encode`] has written.
///
/// # Errors
/// The barrier that it is, or nonsense.
pub fn decode(text: &str) -> Decision {
    let nonsense = || Barrier::Unusable("the child that keeps the books talks nonsense".to_owned());
    let (word, rest) = text.split_once(' ').ok_or_else(nonsense)?;
    let wait = || rest.parse().map(Duration::from_millis).map_err(|_| nonsense());
    match word {
        "ok" => {
            let (mut said, mut numbers) = (DONE, rest.split(' '));
            for one in &mut said {
                let number = numbers.next().and_then(|number| number.parse().ok());
                *one = number.ok_or_else(nonsense)?;
            }
            if numbers.next().is_none() { Ok(said) } else { Err(nonsense()) }
        }
        "sends" => {
            let (name, wait) = rest.split_once(' ').ok_or_else(nonsense)?;
            let limit = SendLimit::ALL.into_iter().find(|limit| limit.name() == name);
            let wait = wait.parse().map(Duration::from_millis).map_err(|_| nonsense())?;
            Err(Barrier::Sends { wait, limit: limit.ok_or_else(nonsense)? })
        }
        "locked" => Err(Barrier::Locked(wait()?)),
        "closed" => Err(Barrier::Closed),
        "busy" => Err(Barrier::Busy(rest.to_owned())),
        "away" => Err(Barrier::OutOfReach(rest.to_owned())),
        "unusable" => Err(Barrier::Unusable(rest.to_owned())),
        _ => Err(nonsense()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_arrives_as_it_was_made() {
        let wait = Duration::from_millis(1234);
        let mut all = vec![
            Ok([1, -2, 3, 0]),
            Err(Barrier::Locked(wait)),
            Err(Barrier::Closed),
            Err(Barrier::Busy("a lock".to_owned())),
            Err(Barrier::Unusable("no space left on device".to_owned())),
            Err(Barrier::OutOfReach("no route to host".to_owned())),
        ];
        all.extend(SendLimit::ALL.map(|limit| Err(Barrier::Sends { wait, limit })));
        for decision in all {
            assert_eq!(decode(&encode(&decision)), decision);
        }
        for nonsense in [
            "",
            "ok",
            "ok 1 2",
            "ok 1 2 3 x",
            "ok 1 2 3 4 5",
            "sends",
            "sends hosts 1",
            "locked x",
            "yes 1 2",
        ] {
            assert!(matches!(decode(nonsense), Err(Barrier::Unusable(_))), "{nonsense}");
        }
    }

    #[test]
    fn a_child_of_root_brings_back_what_it_decided_and_a_dead_one_is_no_decision() {
        let said = sys::child::in_child_of_root(PATIENCE, |_| b"ok 1 2".to_vec()).unwrap();
        assert_eq!(said, b"ok 1 2");
        sys::child::in_child_of_root(PATIENCE, |_| sys::exit_now(0)).unwrap_err();
        let begun = std::time::Instant::now();
        let late = Duration::from_millis(100);
        sys::child::in_child_of_root(late, |_| {
            loop {
                std::thread::sleep(PATIENCE);
            }
        })
        .unwrap_err();
        assert!(begun.elapsed() < PATIENCE);
    }
}
