#!/usr/bin/env python3
"""Writes the paragraphs of debian/copyright about the crates in vendor/.

    cd SOURCE && packaging/copyright.py >> debian/copyright

Whose a crate is stands in its licence files; where these name nobody, its manifest says who wrote it.
A licence whose text debian/copyright does not have yet is an error.
"""

import json
import pathlib
import re
import subprocess
import sys

# What cargo calls otherwise than Debian, https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
NAMES = {"MIT": "Expat", "0BSD": "0BSD", "Apache-2.0": "Apache-2.0", "Unlicense": "Unlicense"}


def main():
    known = set(re.findall(r"^License: (\S.*)$", pathlib.Path("debian/copyright").read_text(), re.MULTILINE))
    run = ["cargo", "metadata", "--locked", "--offline", "--format-version", "1"]
    metadata = json.loads(subprocess.run(run, check=True, stdout=subprocess.PIPE).stdout)
    missing = set()
    for package in sorted(metadata["packages"], key=lambda package: (package["name"], package["version"])):
        if package["source"] is None:
            continue
        folder = pathlib.Path(package["manifest_path"]).parent
        licence = debian_name(package["license"])
        missing |= {one for one in re.split(r" or | and |[()]", licence) if one.strip()} - known
        print(f"\nFiles: vendor/{folder.name}/*")
        print("Copyright: " + "\n           ".join(owners(package, folder)))
        print(f"License: {licence}")
    if missing:
        sys.exit(f"debian/copyright needs the text of: {', '.join(sorted(missing))}")


def debian_name(expression):
    words = re.findall(r"[()]|/|[^\s()/]+", expression)
    swap = {"OR": " or ", "/": " or ", "AND": " and ", "WITH": " with "}
    text = "".join(swap.get(word, NAMES.get(word, word)) for word in words)
    return re.sub(r"Apache-2\.0 with LLVM-exception", "Apache-2.0-with-LLVM-exception", text)


def owners(package, folder):
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name.upper().startswith(("LICEN", "COPYING", "COPYRIGHT", "UNLICENSE")):
            text = path.read_text(errors="replace")
            # A year or a sign: the licences themselves say "copyright" often.
            for line in re.findall(r"^[ \t/*#]*copyright[ \t:]+((?:\(c\)|©|\d{4}).*)$", text, re.I | re.M):
                line = re.sub(r"^(\(c\)|©)\s*", "", " ".join(line.split()), flags=re.I)
                if line and line not in found and not re.search(r"yyyy|Free Software Foundation", line):
                    found.append(line)
    return found or package["authors"] or [f"the authors of the crate {package['name']}"]


main()
