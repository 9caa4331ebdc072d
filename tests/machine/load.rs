//! Very many logins: a crowd that waits at the prompt and answers at once, and so many a second for a while
//! against a slow gateway. Nothing is lost: as many messages as logins, none twice, everybody in.
//!
//! Here it is a small crowd and a few seconds; `make load` says how many by `PAM_SMS_LOAD_CROWD`,
//! `PAM_SMS_LOAD_RATE` and `PAM_SMS_LOAD_SECONDS`.

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use std::{collections::HashSet, env};

use crate::support::crowd::{self, LOGINS_EACH, UNLIMITED};
use crate::support::gateway::{Behaviour, Gateway};
use crate::support::load::{Crowd, Times, private};
use crate::support::log::{Log, wait_until};
use crate::support::machine::Machine;
use crate::support::pam::{ANY_PASSWORD, Client, Run, Session};
use crate::support::process::Process;

const SUCCESS: i32 = 0;
/// What the gateway takes for each message.
const SLOW: Duration = Duration::from_millis(500);
const OURS: &str = "auth requisite pam_sms.so\nauth required pam_permit.so\n";

fn from_env(name: &str, otherwise: usize) -> usize {
    env::var(name).map_or(otherwise, |text| text.parse().expect("a whole number"))
}

fn machine(people: usize) -> (Machine, Gateway, Log) {
    let (machine, gateway) = (Machine::new(), Gateway::start());
    crowd::move_in(&machine, people);
    let provider = crowd::phones(&machine, &gateway);
    // Codes so long that none comes twice by chance; and a crowd on a small machine takes its time.
    let config = format!("[code]\ndigits = 10\n[delivery]\ntimeout = '60s'\n{UNLIMITED}{provider}");
    machine.config(&config);
    let log = machine.log_of_a_crowd();
    (machine, gateway, log)
}

/// As many messages as logins, none of them twice, and everybody in by one of them.
#[track_caller]
fn nothing_is_lost(logins: usize, machine: &Machine, gateway: &Gateway, log: &Log, runs: &[Run]) {
    let lines = log.ours();
    let few = &lines[lines.len().saturating_sub(20)..];
    let failed = runs.iter().filter(|run| run.result != SUCCESS).count();
    assert_eq!((failed, runs.len()), (0, logins), "failed, of all: {few:#?}");
    let messages = gateway.messages();
    assert_eq!(messages.len(), logins, "messages; refused: {:#?}", gateway.refusals());
    let different: HashSet<_> = messages.iter().map(|m| (&m.to, &m.text)).collect();
    assert_eq!(different.len(), logins, "a message came twice");
    for event in ["event=sent", "event=accepted"] {
        let told = lines.iter().filter(|line| line.contains(event)).count();
        assert_eq!(told, logins, "{event}: {few:#?}");
    }
    let others = ["event=warning", "event=error", "event=uncertain"];
    let other = lines.iter().find(|line| others.iter().any(|event| line.contains(event)));
    assert_eq!(other, None);
    wait_until("the end of all processes", || machine.processes().is_empty().then_some(()));
}

#[test]
fn a_crowd_waits_at_the_prompt_and_is_let_in_at_once() {
    let count = from_env("PAM_SMS_LOAD_CROWD", 60);
    let (machine, gateway, log) = machine(count);
    machine.pam("sms", &format!("{ANY_PASSWORD}{OURS}"));
    let floor = floor(&machine);

    let begun = Instant::now();
    // What each has while another module asks.
    let mut before = Vec::new();
    let mut everyone: Vec<Session> = (0..count)
        .map(|index| {
            let client = Client::new(&machine, "sms").user(&crowd::name(index)).answer("stdin");
            let mut session = client.spawn();
            session.prompt();
            before.push(Has::now(&session));
            session.answer_line("any password");
            session
        })
        .collect();
    for session in &mut everyone {
        assert!(session.prompt().contains("Reference: "), "{:#?}", log.ours());
    }
    let all_asked = begun.elapsed();

    let crowd = Crowd::of(&machine);
    assert_eq!((crowd.processes, crowd.helpers), (count, 0), "{:?}", machine.processes());
    assert_eq!(crowd.threads, count, "threads");
    let after: Vec<_> = everyone.iter().map(Has::now).collect();
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.descriptors, after.descriptors, "descriptors");
    }
    let each = Has::private(&after);

    let codes: HashMap<_, _> = gateway
        .messages()
        .into_iter()
        .map(|message| (message.to.clone(), message.code()))
        .collect();
    assert_eq!(codes.len(), count, "messages");
    let released = Instant::now();
    for (index, session) in everyone.iter_mut().enumerate() {
        session.answer_line(&codes[&crowd::number(index)]);
    }
    let runs: Vec<_> = everyone.into_iter().map(Session::finish).collect();
    let all_in = released.elapsed();
    nothing_is_lost(count, &machine, &gateway, &log, &runs);
    let (least, median, most) = (each[0], each[count / 2], each[count - 1]);
    println!(
        "{count} logins waited at the prompt: {all_asked:.1?} until the last was asked, {all_in:.1?} from \
         the first answer until the last was in; private memory {least} to {most} kB each, median \
         {median}, which is {} kB more than with pam_exec alone, that asks for a password; one thread \
         each, no more descriptors than at that question, no helper; {count} messages, none twice",
        median.saturating_sub(floor),
    );
}

/// Kilobytes of one of a few who wait at a module that only asks.
fn floor(machine: &Machine) -> usize {
    machine.pam("floor", ANY_PASSWORD);
    let start = |_| Client::new(machine, "floor").user("person0").answer("stdin").spawn();
    let mut few: Vec<_> = (0..9).map(start).collect();
    few.iter_mut().for_each(|session| _ = session.prompt());
    let each: Vec<_> = few.iter().map(Has::now).collect();
    drop(few);
    wait_until("their end", || machine.processes().is_empty().then_some(()));
    Has::private(&each)[4]
}

/// What one who waits has.
struct Has {
    descriptors: Vec<(i32, String)>,
    private: usize,
}

impl Has {
    fn now(session: &Session) -> Self {
        let process = Process::of(session);
        Self { descriptors: process.descriptors(), private: private(process.0) }
    }

    /// Kilobytes of each, in order.
    fn private(all: &[Self]) -> Vec<usize> {
        let mut each: Vec<_> = all.iter().map(|one| one.private).collect();
        each.sort_unstable();
        each
    }
}

#[test]
fn so_many_logins_a_second_against_a_slow_gateway_lose_nothing() {
    let rate = from_env("PAM_SMS_LOAD_RATE", 10);
    let seconds = from_env("PAM_SMS_LOAD_SECONDS", 4);
    let count = rate * seconds;
    // So many that nobody is at it twice at the same time.
    let people = count.div_ceil(LOGINS_EACH).max(count.min(2000));
    let (machine, gateway, log) = machine(people);
    machine.pam("sms", OURS);
    gateway.behave(Behaviour::Delay(SLOW));

    let (over, ended) = mpsc::channel();
    let begun = Instant::now();
    let (mut most, mut late) = (Crowd::default(), Duration::ZERO);
    for index in 0..count {
        let due = Duration::from_secs(1) * index as u32 / rate as u32;
        // Between two logins there is time to look around.
        if index % rate == rate - 1 {
            most = most.or_more(Crowd::of(&machine));
        }
        thread::sleep(due.saturating_sub(begun.elapsed()));
        late = late.max(begun.elapsed().saturating_sub(due));
        let person = index % people;
        let client = Client::new(&machine, "sms").user(&crowd::name(person)).flag("--took");
        let client = client.option("--number", &crowd::number(person)).answer("own:/run/phones");
        let session = client.spawn();
        let over = over.clone();
        thread::spawn(move || _ = over.send(session.finish()));
    }
    let begun_in = begun.elapsed();
    drop(over);
    let runs: Vec<Run> = ended.into_iter().collect();
    let all_in = begun.elapsed();

    nothing_is_lost(count, &machine, &gateway, &log, &runs);
    let took = |column: usize| {
        let of = |run: &Run| run.took.expect("--took was asked for")[column];
        Times::new(runs.iter().map(|run| Duration::from_micros(of(run) as u64)))
    };
    let [module, own, children] = [0, 1, 2].map(took);
    println!(
        "{count} logins, {:.1} a second for {begun_in:.1?} ({rate} were wanted; the latest began {late:.1?} \
         late), the last in after {all_in:.1?}; the gateway takes {SLOW:?}\n\
         in the module, the gateway's time included: {module}\n\
         processor: client and module {own}\nprocessor: helper {children}\n\
         from start to end of the client: {}\n\
         at most {} processes at once, {} of them helpers, with {} descriptors and {} kB of their own; \
         {count} messages, none twice",
        count as f64 / begun_in.as_secs_f64(),
        Times::new(runs.iter().map(|run| run.elapsed)),
        most.processes,
        most.helpers,
        most.descriptors,
        most.private,
    );
}
