//! What one state file holds, as text:
//!
//! ```text
//! pam-sms-state 1
//! boot 5f0c1e6a-8f53-4d0e-a2b5-7d7c0a3a9a10
//! sends 81234 95012
//! day 81234 95012
//! requests 81234 95012
//! failures 97311
//! total 1
//! remembered 3695012 sshd 203.0.113.9 8c1f0f5e...
//! end
//! ```
//!
//! Times are milliseconds after the boot that `boot` names, in order; a list that is empty is not
//! written. A file that is not exactly this is refused: it must not count as an empty one.

use std::fmt::Write as _;

use super::window::Moment;

const HEADER: &str = "pam-sms-state 1";

/// The events that one file counts: those of a user, of a number, or of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Messages that were reserved and not given back.
    pub sends: Vec<Moment>,
    /// The same for the long window, in which a verified login counts too.
    pub day: Vec<Moment>,
    /// Requests to providers; never given back.
    pub requests: Vec<Moment>,
    /// Wrong codes, and the one that is being judged.
    pub failures: Vec<Moment>,
    /// Wrong codes since an admin or a backup code said that all is well.
    pub total: u32,
    /// Logins that need no code for a while.
    pub remembered: Vec<Remembered>,
}

/// A login that needs no code for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// Until when.
    pub until: Moment,
    /// The PAM service.
    pub service: String,
    /// Where the client was.
    pub address: String,
    /// The keyed hash of the number that the code went to.
    pub number: String,
}

/// The text is not a record.
#[derive(Debug, PartialEq, Eq)]
pub struct Damaged;

impl Record {
    /// Writes the record.
    #[must_use]
    pub fn to_text(&self, boot: &str) -> String {
        let mut text = format!("{HEADER}\nboot {boot}\n");
        for (name, list) in self.lists() {
            if !list.is_empty() {
                text.push_str(name);
                for moment in list {
                    // Writing to a String cannot fail.
                    let _ = write!(text, " {moment}");
                }
                text.push('\n');
            }
        }
        if self.total > 0 {
            let _ = writeln!(text, "total {}", self.total);
        }
        for one in &self.remembered {
            let Remembered { until, service, address, number } = one;
            let _ = writeln!(text, "remembered {until} {service} {address} {number}");
        }
        text.push_str("end\n");
        text
    }

    /// Reads a record, and moves its times into this boot.
    ///
    /// Time that passed while the machine was off is not known, so it counts as none: the newest
    /// event of another boot happened when this one began. Nothing is forgotten early, and nothing
    /// is kept longer than a window after the start. What is remembered is forgotten.
    ///
    /// # Errors
    /// When the text is anything else, be it cut off or of another version.
    pub fn from_text(text: &str, boot: &str, now: Moment) -> Result<Self, Damaged> {
        let mut lines = text.strip_suffix('\n').ok_or(Damaged)?.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(Damaged);
        }
        let written_in = lines.next().and_then(|line| line.strip_prefix("boot ")).ok_or(Damaged)?;
        let mut record = Self::default();
        loop {
            let (name, rest) = match lines.next().ok_or(Damaged)? {
                "end" if lines.next().is_none() => break,
                line => line.split_once(' ').ok_or(Damaged)?,
            };
            match name {
                "total" => record.total = rest.parse().map_err(|_| Damaged)?,
                "remembered" => record.remembered.push(Remembered::from_text(rest)?),
                _ => *record.list(name)? = moments(rest)?,
            }
        }
        record.move_into(boot == written_in, now);
        Ok(record)
    }

    fn move_into(&mut self, same_boot: bool, now: Moment) {
        let newest = self.lists().iter().filter_map(|(_, list)| list.last().copied()).max();
        let shift = match newest {
            Some(newest) if !same_boot => newest,
            // Cannot be; and must not become a lock without end.
            Some(newest) if newest > now => newest - now,
            _ => 0,
        };
        for list in [&mut self.sends, &mut self.day, &mut self.requests, &mut self.failures] {
            for moment in list {
                *moment -= shift;
            }
        }
        if same_boot {
            self.remembered.retain(|one| one.until > now);
        } else {
            self.remembered.clear();
        }
    }

    fn lists(&self) -> [(&'static str, &Vec<Moment>); 4] {
        [
            ("sends", &self.sends),
            ("day", &self.day),
            ("requests", &self.requests),
            ("failures", &self.failures),
        ]
    }

    fn list(&mut self, name: &str) -> Result<&mut Vec<Moment>, Damaged> {
        match name {
            "sends" => Ok(&mut self.sends),
            "day" => Ok(&mut self.day),
            "requests" => Ok(&mut self.requests),
            "failures" => Ok(&mut self.failures),
            _ => Err(Damaged),
        }
    }
}

fn moments(text: &str) -> Result<Vec<Moment>, Damaged> {
    let list: Vec<Moment> =
        text.split(' ').map(str::parse).collect::<Result<_, _>>().map_err(|_| Damaged)?;
    // Far from where sums of them would overflow.
    let sane = |moment: &Moment| moment.unsigned_abs() < 1 << 56;
    if list.is_sorted() && list.iter().all(sane) { Ok(list) } else { Err(Damaged) }
}

impl Remembered {
    fn from_text(text: &str) -> Result<Self, Damaged> {
        let mut words = text.split(' ').map(str::to_owned);
        let mut word = || words.next().filter(|word| !word.is_empty()).ok_or(Damaged);
        let until = word()?.parse().map_err(|_| Damaged)?;
        let one = Self { until, service: word()?, address: word()?, number: word()? };
        if words.next().is_none() { Ok(one) } else { Err(Damaged) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            sends: vec![1000, 2000],
            day: vec![1000, 2000],
            requests: vec![1000, 2000, 2500],
            failures: vec![-500, 3000],
            total: 7,
            remembered: vec![Remembered {
                until: 9000,
                service: "sshd".into(),
                address: "2001:db8::1".into(),
                number: "00ff".into(),
            }],
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        for record in [record(), Record::default()] {
            let text = record.to_text("a-boot");
            assert_eq!(Record::from_text(&text, "a-boot", 4000), Ok(record), "{text}");
        }
    }

    #[test]
    fn no_part_of_a_record_is_a_record() {
        let text = record().to_text("a-boot");
        for length in 0..text.len() {
            assert_eq!(
                Record::from_text(&text[..length], "a-boot", 4000),
                Err(Damaged),
                "{length}"
            );
        }
        for (from, to) in [
            ("state 1", "state 2"),
            ("sends", "hopes"),
            ("1000 2000", "2000 1000"),
            ("1000 2000", "1000  2000"),
            ("total 7", "total -7"),
            ("3000", "99999999999999999"),
            ("end\n", "end\nend\n"),
            ("sshd ", ""),
        ] {
            let other = text.replacen(from, to, 1);
            assert_ne!(other, text, "{from}");
            assert_eq!(Record::from_text(&other, "a-boot", 4000), Err(Damaged), "{to}");
        }
    }

    #[test]
    fn across_a_reboot_nothing_is_forgotten_early_and_nothing_lasts() {
        let text = record().to_text("a-boot");
        let read = Record::from_text(&text, "another-boot", 60_000).unwrap();
        assert_eq!(read.failures, [-3500, 0], "the newest happened when this boot began");
        assert_eq!(read.sends, [-2000, -1000]);
        assert!(read.remembered.is_empty());
        assert_eq!(read.total, 7);
    }

    #[test]
    fn an_event_in_the_future_counts_as_now() {
        let text = record().to_text("a-boot");
        let read = Record::from_text(&text, "a-boot", 2000).unwrap();
        assert_eq!(read.failures, [-1500, 2000]);
    }
}
