use std::fs;
use std::path::Path;

use arbtest::arbitrary::{Result, Unstructured};
use arbtest::arbtest;

use super::*;

/// How often each property is tried with slips of its seeds: with the same ones every time, since a build
/// must not fail by chance. Fuzzers find what is new.
const ROUNDS: u64 = 500;
/// What a slip may put in: where formats begin, end and part.
const PIECES: [&[u8]; 20] = [
    b"\n",
    b"\0",
    b" ",
    b"=",
    b"\"",
    b"'",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\\",
    b"#",
    b":",
    b",",
    b"-1",
    b"99999999999999999999",
    b"\xff",
    "\u{660}".as_bytes(),
    "\u{200b}".as_bytes(),
    b"PSMS\x04",
];

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(name);
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let seeds: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(seeds.len() > 1, "{name} has {} seeds", seeds.len());
    seeds
}

/// A seed after a few slips: something cut out, doubled, put in, or taken from another.
fn slip(seeds: &[Vec<u8>], u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut bytes = u.choose(seeds)?.clone();
    for _ in 0..u.int_in_range(1..=4)? {
        let (a, b) = (u.choose_index(bytes.len() + 1)?, u.choose_index(bytes.len() + 1)?);
        let (from, to) = (a.min(b), a.max(b).min(a.min(b) + 64));
        match u.int_in_range(0..=5)? {
            0 => drop(bytes.drain(from..to)),
            1 => {
                let part = bytes[from..to].to_vec();
                bytes.splice(to..to, part);
            }
            2 => drop(bytes.splice(from..to, u.choose(&PIECES)?.iter().copied())),
            3 => drop(bytes.splice(from..from, u.choose(&PIECES)?.iter().copied())),
            4 if from < bytes.len() => bytes[from] ^= 1 << u.int_in_range(0..=7)?,
            _ => {
                let other = u.choose(seeds)?;
                let at = u.choose_index(other.len() + 1)?;
                bytes.splice(from.., other[at..].iter().copied());
            }
        }
    }
    Ok(bytes)
}

fn hold(name: &str) {
    let (_, property) = ALL.iter().find(|(known, _)| *known == name).unwrap();
    let seeds = seeds(name);
    for seed in &seeds {
        property(seed);
    }
    let number = |round: u64, size: u64| round << 32 | size;
    for round in 0..ROUNDS {
        let slips = arbtest(|u| {
            property(&slip(&seeds, u)?);
            Ok(())
        });
        slips.seed(number(round, 128)).run();
        let noise = arbtest(|u| {
            property(u.bytes(u.len())?);
            Ok(())
        });
        noise.seed(number(round, round)).run();
    }
}

macro_rules! each {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                hold(stringify!($name));
            }
        )*

        #[test]
        fn each_is_tried_and_has_its_fuzzer() {
            let known = [$(stringify!($name)),*];
            assert_eq!(ALL.map(|(name, _)| name), known);
            let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
            let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
            for name in known {
                assert!(manifest.contains(&format!("\nname = \"{name}\"\n")), "{name}");
                let target = fuzz.join(format!("fuzz_targets/{name}.rs"));
                let target = fs::read_to_string(target).unwrap();
                assert!(target.contains(&format!("pam_sms::proof::{name}")), "{name}");
            }
        }
    };
}

each! {
    answer configuration description entry module_hears network phone reply request sshd stack state
    users
}
