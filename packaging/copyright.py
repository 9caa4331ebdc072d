#!/usr/bin/env python3
"""Writes the paragraphs of debian/copyright about the crates in vendor/.

    packaging/copyright.py >> debian/copyright

Whose a crate is stands in its licence files; where these name nobody, its manifest says who wrote it.
Errors are a licence whose text debian/copyright does not have yet, and one that lies deeper in a crate
than its manifest speaks of and is not in ELSEWHERE.
"""

import json
import pathlib
import re
import subprocess
import sys

# What cargo calls otherwise than Debian, https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
NAMES = {"MIT": "Expat"}
HERE = pathlib.Path(__file__).resolve().parent
# What a crate has from others: which files, whose, and on which terms.
ELSEWHERE = {
    "futures-channel": [("src/mpsc/queue.rs", "2010-2011 Dmitry Vyukov", "BSD-2-Clause")],
    "nix": [("test/test_kmod/hello_mod/*", "the authors of the crate nix", "GPL-2.0-or-later or Expat")],
    "num-bigint": [("benches/shootout-pidigits.rs", "2013-2014 The Rust Project Developers",
                    "BSD-3-Clause-benchmarks-game")],
    "redis": [("src/cluster_handling/async_connection/*", "2019 Atsushi Koge, Markus Westerlind", "Expat")],
    "regex-syntax": [("src/unicode_tables/*", "1991-2018 Unicode, Inc.", "Unicode-DFS-2016")],
    "ring": [("src/polyfill/once_cell/*", "the authors of the crate once_cell", "Apache-2.0 or Expat"),
             ("third_party/fiat/*", "2015-2020 the fiat-crypto authors", "Apache-2.0")],
    "rustix": [("src/backend/linux_raw/vdso.rs", "the authors of parse_vdso.c in Linux", "CC0-1.0")],
    "tower-http": [("src/compression/pin_project_cfg.rs", "tesaguri", "CC0-1.0")],
    "tracing-core": [("src/spin/*", "2014 Mathijs van de Nes", "Expat")],
}


def main():
    known = set(re.findall(r"^License: (\S.*)$", (HERE / "debian/copyright").read_text(), re.MULTILINE))
    run = ["cargo", "metadata", "--locked", "--offline", "--format-version", "1"]
    run += ["--manifest-path", str(HERE.parent / "Cargo.toml")]
    metadata = json.loads(subprocess.run(run, check=True, stdout=subprocess.PIPE).stdout)
    missing = set()
    for package in sorted(metadata["packages"], key=lambda package: (package["name"], package["version"])):
        if package["source"] is None:
            continue
        folder = pathlib.Path(package["manifest_path"]).parent
        terms = [("*", owners(package, folder), debian_name(package["license"]))]
        terms += [(files, [whose], licence) for files, whose, licence in elsewhere(package, folder)]
        for files, whose, licence in terms:
            missing |= {one for one in re.split(r" or | and |[()]", licence) if one.strip()} - known
            print(f"\nFiles: vendor/{folder.name}/{files}")
            print("Copyright: " + "\n           ".join(whose))
            print(f"License: {licence}")
    if missing:
        sys.exit(f"debian/copyright needs the text of: {', '.join(sorted(missing))}")


def elsewhere(package, folder):
    """The rows of ELSEWHERE whose files are there: a crate that is built elsewhere only is empty."""
    rows = [row for row in ELSEWHERE.get(package["name"], []) if list(folder.glob(row[0]))]
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        if is_licence(path) and len(inside.parts) > 1 and not any(inside.match(row[0]) for row in rows):
            sys.exit(f"{path}: whose it is, and on which terms, is for ELSEWHERE")
    return rows


def is_licence(path):
    return path.is_file() and path.name.upper().startswith(("LICEN", "COPYING", "COPYRIGHT", "UNLICENSE"))


def debian_name(expression):
    words = re.findall(r"[()]|/|[^\s()/]+", expression)
    swap = {"OR": " or ", "/": " or ", "AND": " and ", "WITH": " with "}
    text = "".join(swap.get(word, NAMES.get(word, word)) for word in words)
    return re.sub(r"Apache-2\.0 with LLVM-exception", "Apache-2.0-with-LLVM-exception", text)


def owners(package, folder):
    found = []
    for path in sorted(folder.iterdir()):
        if is_licence(path):
            text = path.read_text(errors="replace")
            # A year or a sign: the licences themselves say "copyright" often.
            for line in re.findall(r"^[ \t/*#]*copyright[ \t:]+((?:\(c\)|©|\d{4}).*)$", text, re.I | re.M):
                line = re.sub(r"^(\(c\)|©)\s*", "", " ".join(line.split()), flags=re.I)
                if line and line not in found and not re.search(r"yyyy|Free Software Foundation", line):
                    found.append(line)
    return found or package["authors"] or [f"the authors of the crate {package['name']}"]


main()
