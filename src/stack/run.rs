//! All ways through a stack (libpam/pam_dispatch.c): each module may answer several things, and every
//! combination that makes a difference is walked.

use std::collections::HashSet;

use super::control::{Action, Actions, Code};
use super::modules::Sort;
use super::{Line, Step};

/// A stack whose modules are known.
pub struct Course<'a> {
    steps: Vec<Stage<'a>>,
}

struct Stage<'a> {
    line: &'a Line,
    actions: Actions,
    sort: Sort,
}

/// Who answers what in a walk.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    /// Whether those that judge a proof may be content.
    pub right: bool,
    /// Whether they may not.
    pub wrong: bool,
    /// What our module answers, which is taken to be there: that it is missing is told with its line.
    pub ours: Code,
}

/// What happened on a way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Memory {
    /// A proof was right.
    pub proven: bool,
    /// A proof was wrong.
    pub failed: bool,
    /// Our module was asked.
    pub asked: bool,
    /// A module had a choice that is no matter of proof.
    pub choice: bool,
}

/// What came of all ways.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What libpam answers at the end of each.
    pub ends: Vec<(Code, Memory)>,
    /// How our module was come to.
    pub arrivals: Vec<Arrival>,
}

/// One way to our module.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The number of its line.
    pub line: usize,
    /// What had happened.
    pub memory: Memory,
    /// The stack has failed already, whatever comes now.
    pub is_lost: bool,
}

impl Outcome {
    /// Whether a way that is like this lets somebody in.
    pub fn lets_in(&self, like: impl Fn(&Memory) -> bool) -> bool {
        self.ends.iter().any(|(code, memory)| *code == Code::SUCCESS && like(memory))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Impression {
    Undecided,
    Positive,
    Negative,
}

/// Where a way is. The first entry of `saved` is for the stack itself, further ones for substacks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    at: usize,
    level: usize,
    impression: Impression,
    status: Code,
    saved: Vec<(Impression, Code)>,
    memory: Memory,
}

impl<'a> Course<'a> {
    /// Makes a course of the lines of one kind.
    #[must_use]
    pub fn new(lines: &[&'a Line], sort: impl Fn(&super::Module) -> Sort) -> Self {
        let stage = |line: &&'a Line| {
            let (control, sort) = match &line.step {
                Step::Module(module) => (module.control.clone(), sort(module)),
                Step::Broken(control, _) => {
                    (control.clone(), Sort::Answers(vec![Code::PERM_DENIED]))
                }
                Step::Substack => (super::Control::Optional, Sort::Answers(Vec::new())),
            };
            Stage { line, actions: control.actions(), sort }
        };
        Self { steps: lines.iter().map(stage).collect() }
    }

    /// Whether a module that judges a proof stands at or behind that place.
    #[must_use]
    pub fn asks_from(&self, place: usize) -> bool {
        let rest = self.steps.get(place..).unwrap_or_default();
        rest.iter()
            .any(|stage| matches!(stage.sort, Sort::FirstFactor(_)) && stage.line.ours().is_none())
    }

    /// Walks all ways.
    #[must_use]
    pub fn walk(&self, scene: Scene) -> Outcome {
        let start = State {
            at: 0,
            level: 0,
            impression: Impression::Undecided,
            status: Code::PERM_DENIED,
            saved: vec![(Impression::Undecided, Code::PERM_DENIED)],
            memory: Memory::default(),
        };
        let (mut open, mut seen) = (vec![start], HashSet::new());
        let mut outcome = Outcome::default();
        while let Some(state) = open.pop() {
            if seen.insert(state.clone()) {
                self.step(state, scene, &mut open, &mut outcome);
            }
        }
        outcome
    }

    fn step(&self, mut state: State, scene: Scene, open: &mut Vec<State>, outcome: &mut Outcome) {
        let Some(stage) = self.steps.get(state.at) else {
            let hollow = state.status == Code::SUCCESS && state.impression != Impression::Positive;
            let code = if hollow { Code::PERM_DENIED } else { state.status };
            outcome.ends.push((code, state.memory));
            return;
        };
        let level = stage.line.level;
        if state.level < level {
            state.saved.resize(level + 1, (Impression::Undecided, Code::PERM_DENIED));
            state.saved[level] = (state.impression, state.status);
        }
        state.level = level;
        if stage.line.step == Step::Substack {
            state.at += 1;
            open.push(state);
            return;
        }
        if stage.line.ours().is_some() {
            let is_lost = state.impression == Impression::Negative;
            outcome.arrivals.push(Arrival { line: state.at, memory: state.memory, is_lost });
        }
        for (code, memory) in self.answers(stage, scene, state.memory) {
            let mut next = State { memory, ..state.clone() };
            self.act(&mut next, stage.actions[code.0], code);
            open.push(next);
        }
    }

    fn answers(&self, stage: &Stage, scene: Scene, memory: Memory) -> Vec<(Code, Memory)> {
        if stage.line.ours().is_some() {
            return vec![(scene.ours, Memory { asked: true, ..memory })];
        }
        match &stage.sort {
            Sort::Answers(codes) => {
                let choice = memory.choice || codes.len() > 1;
                codes.iter().map(|code| (*code, Memory { choice, ..memory })).collect()
            }
            Sort::FirstFactor(failures) => {
                let right =
                    scene.right.then_some((Code::SUCCESS, Memory { proven: true, ..memory }));
                let wrong = failures.iter().filter(|_| scene.wrong);
                let wrong = wrong.map(|code| (*code, Memory { failed: true, ..memory }));
                right.into_iter().chain(wrong).collect()
            }
        }
    }

    fn act(&self, state: &mut State, action: Action, code: Code) {
        let level = state.level;
        let mut ends = false;
        match action {
            Action::Ignore => {}
            Action::Reset => (state.impression, state.status) = state.saved[level],
            Action::Ok | Action::Done => {
                let is_good =
                    state.impression == Impression::Positive && state.status == Code::SUCCESS;
                if state.impression == Impression::Undecided || is_good {
                    (state.impression, state.status) = (Impression::Positive, code);
                }
                ends = action == Action::Done && state.impression == Impression::Positive;
            }
            Action::Bad | Action::Die => {
                if state.impression != Impression::Negative {
                    let hidden = code == Code::IGNORE;
                    state.impression = Impression::Negative;
                    state.status = if hidden { Code::PERM_DENIED } else { code };
                }
                ends = action == Action::Die;
            }
            Action::Jump(mut lines) => {
                let next_is = |at: usize, bound: usize| {
                    self.steps.get(at + 1).is_some_and(|next| next.line.level >= bound)
                };
                // A substack is stepped over as one line, and no jump leaves its own.
                while lines > 0 && next_is(state.at, level) {
                    state.at += 1;
                    while next_is(state.at, level + 1) {
                        state.at += 1;
                    }
                    lines -= 1;
                }
                if lines > 0 {
                    (state.impression, state.status) = (Impression::Negative, Code::PERM_DENIED);
                }
            }
        }
        state.at += 1;
        while ends && self.steps.get(state.at).is_some_and(|next| next.line.level >= level) {
            state.at += 1;
        }
    }
}
