//! A server as cells: texts by name, compared and replaced in one script. And whether it is fit for
//! that: it must be the one that others copy, and it must not forget on its own.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use redis::{Pipeline, RedisResult, cmd, pipe};

use super::line::{Fault, Line};
use super::settings::{Address, Settings};
use super::{Cells, LONG, PREFIX, Swap, sentinel};
use crate::limits::Barrier;
use crate::limits::window::Moment;

/// Reads one text. The answer begins with the time, as all do.
const GET: &str = "local t = redis.call('TIME')
return {t[1] * 1000 + math.floor(t[2] / 1000), redis.call('GET', KEYS[1])}";

/// Puts a text in the place of another if that is what stands there, an empty one meaning none. A
/// script runs alone: nothing comes between the comparison and the change.
const SWAP: &str = "local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local kept = redis.call('GET', KEYS[1])
if kept ~= (ARGV[1] ~= '' and ARGV[1]) then return {now, 0, kept} end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return {now, 1, false}";

/// Which server this is, and since when it has been the one that is asked.
const SINCE: &str = "since";
/// How long a replica is waited for, in milliseconds. One that is gone must not stop every login.
const REPLICA: u32 = 200;

/// A server that is connected to.
pub struct Server<'a> {
    line: RefCell<Line>,
    key: &'a str,
    has_replicas: bool,
    /// Whether another was faster at some change.
    is_contended: Cell<bool>,
    now: Cell<Moment>,
    since: Moment,
}

/// Whether a server is fit for what is kept there.
pub struct Fitness {
    /// Whether keys go when its memory is full.
    pub may_evict: bool,
    /// Whether all goes when it is started anew.
    pub forgets: bool,
    /// How many others copy it.
    pub replicas: i64,
}

impl<'a> Server<'a> {
    /// Connects to the first server that is there and the one that others copy.
    ///
    /// # Errors
    /// [`Barrier::OutOfReach`] with what each said, when there is none; [`Barrier::Unusable`] where this
    /// machine could not even ask one of them.
    pub fn connect(settings: &'a Settings, deadline: Instant) -> Result<Self, Barrier> {
        let mut said = Vec::new();
        let mut is_our_fault = false;
        let mut note = |address: &Address, fault: Fault| {
            is_our_fault |= matches!(fault, Fault::Ours(_));
            let (Fault::Ours(words) | Fault::Theirs(words)) = fault;
            said.push(format!("{}:{}: {words}", address.host, address.port));
        };
        let mut named = Vec::new();
        let count = u32::try_from(settings.servers.len()).unwrap_or(1);
        for (tried, address) in (0..count).zip(&settings.servers) {
            // One that accepts and never answers leaves the others their part of the time.
            let rest = count - tried;
            let part = |parts: u32| {
                let now = Instant::now();
                now + deadline.saturating_duration_since(now) / parts
            };
            let (server, until) = match &settings.master {
                None => (address.clone(), part(rest)),
                // And the server that it names, of which another sentinel may know better.
                Some(master) => match sentinel::ask(address, master, settings, part(rest + 1)) {
                    Ok(server) => (server, part(rest.min(2))),
                    Err(fault) => {
                        note(address, fault);
                        continue;
                    }
                },
            };
            if named.contains(&server) {
                note(address, Fault::Theirs("names the same".to_owned()));
                continue;
            }
            match Self::at(&server, settings, until, deadline) {
                Ok(server) => return Ok(server),
                Err(fault) => note(&server, fault),
            }
            named.push(server);
        }
        let said = said.join("; ");
        // Whoever wants a host to count alone must not get that by taking all of its ports.
        Err(if is_our_fault { not_asked(&said) } else { Barrier::OutOfReach(said) })
    }

    /// Connects to this one until the one moment, and speaks to it until the other.
    fn at(
        address: &Address,
        settings: &'a Settings,
        connected: Instant,
        deadline: Instant,
    ) -> Result<Self, Fault> {
        let theirs = |said: &str| Fault::Theirs(format!("server: {said}"));
        let mut line = Line::open(address, settings.authorities.as_deref(), connected)?;
        let mut greeting = settings.greeting();
        if address.database != 0 {
            greeting.cmd("SELECT").arg(address.database).ignore();
        }
        greeting.cmd("INFO").arg("server").cmd("INFO").arg("replication");
        eval(&mut greeting, GET, SINCE);
        let told: RedisResult<(String, String, (Moment, Option<String>))> =
            greeting.query(&mut line);
        let (server, replication, (now, kept)) = told.map_err(|error| line.fault(&error))?;
        let id = field(&server, "run_id").ok_or_else(|| theirs("INFO does not say who it is"))?;
        if [field(&server, "redis_mode"), field(&server, "server_mode")].contains(&Some("cluster"))
        {
            return Err(theirs("it is a cluster, which has no place for this"));
        }
        if field(&replication, "role") != Some("master") {
            return Err(theirs("it is a replica: name the one that it copies"));
        }
        let has_replicas =
            field(&replication, "connected_slaves").is_some_and(|count| count != "0");
        let since = kept.as_deref().and_then(|kept| kept.split_once(' '));
        let since = since.filter(|(known, _)| *known == id).and_then(|(_, at)| at.parse().ok());
        let since = match since {
            Some(since) => since,
            None => {
                let (key, value) = (format!("{PREFIX}{SINCE}"), format!("{id} {now}"));
                let set = cmd("SET")
                    .arg(key)
                    .arg(value)
                    .arg("PX")
                    .arg(LONG.as_millis() as u64)
                    .exec(&mut line);
                set.map_err(|error| line.fault(&error))?;
                now
            }
        };
        // What has answered has all of the time that there is.
        line.last_until(deadline);
        let (line, now) = (RefCell::new(line), Cell::new(now));
        let (key, is_contended) = (settings.key.expose(), Cell::new(false));
        Ok(Self { line, key, has_replicas, is_contended, now, since })
    }

    /// Whether it is fit for what is kept there.
    ///
    /// # Errors
    /// When it gives no answer.
    pub fn fitness(&self) -> Result<Fitness, Barrier> {
        let mut question = pipe();
        for section in ["memory", "persistence", "replication"] {
            question.cmd("INFO").arg(section);
        }
        let (memory, persistence, replication): (String, String, String) = self.ask(&question)?;
        let number =
            |info: &str, name| field(info, name).and_then(|value| value.parse::<i64>().ok());
        let keeps = field(&memory, "maxmemory_policy") == Some("noeviction");
        Ok(Fitness {
            may_evict: !keeps && number(&memory, "maxmemory") != Some(0),
            forgets: number(&persistence, "aof_enabled") != Some(1),
            replicas: number(&replication, "connected_slaves").unwrap_or(0),
        })
    }

    fn ask<T: redis::FromRedisValue>(&self, question: &Pipeline) -> Result<T, Barrier> {
        let mut line = self.line.borrow_mut();
        question.query(&mut *line).map_err(|error| match line.fault(&error) {
            Fault::Ours(said) => not_asked(&said),
            // Whoever wants a host to count alone must not get that by knocking often.
            Fault::Theirs(_) if self.is_contended.get() => {
                Barrier::Busy("others change the same in the store all the time".to_owned())
            }
            Fault::Theirs(said) => Barrier::OutOfReach(said),
        })
    }
}

impl Cells for Server<'_> {
    fn get(&self, name: &str) -> Result<Option<String>, Barrier> {
        let mut question = pipe();
        eval(&mut question, GET, name);
        let ((now, kept),): ((Moment, Option<String>),) = self.ask(&question)?;
        self.now.set(now);
        Ok(kept)
    }

    fn swap(
        &self,
        name: &str,
        old: Option<&str>,
        new: &str,
        lifetime: Duration,
    ) -> Result<Swap, Barrier> {
        let mut question = pipe();
        let lifetime = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        eval(&mut question, SWAP, name).arg(old.unwrap_or_default()).arg(new).arg(lifetime);
        if self.has_replicas {
            // A replica that takes over should know. It is asked for and not insisted on.
            question.cmd("WAIT").arg(1).arg(REPLICA).ignore();
        }
        let ((now, done, kept),): ((Moment, i64, Option<String>),) = self.ask(&question)?;
        self.now.set(now);
        if done == 1 {
            return Ok(Swap::Done);
        }
        self.is_contended.set(true);
        Ok(Swap::Not(kept))
    }

    fn take(&self, name: &str) -> Result<bool, Barrier> {
        let mut question = pipe();
        question.cmd("DEL").arg(format!("{PREFIX}{name}"));
        let (count,): (i64,) = self.ask(&question)?;
        Ok(count > 0)
    }

    fn key(&self) -> &str {
        self.key
    }

    fn now(&self) -> Moment {
        self.now.get()
    }

    fn since(&self) -> Moment {
        self.since
    }
}

/// What this machine could not do is no store that is out of reach.
fn not_asked(said: &str) -> Barrier {
    Barrier::Unusable(format!("this machine cannot ask the store of the limits: {said}"))
}

fn eval<'p>(pipeline: &'p mut Pipeline, script: &str, name: &str) -> &'p mut Pipeline {
    pipeline.cmd("EVAL").arg(script).arg(1).arg(format!("{PREFIX}{name}"))
}

/// The value of one line of `INFO`.
fn field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}
