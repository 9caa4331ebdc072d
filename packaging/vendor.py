#!/usr/bin/env python3
"""Puts all crates of Cargo.lock into a folder, for a build without a network.

    packaging/vendor.py FOLDER

Whatever is only built elsewhere than on Linux becomes an empty crate, since cargo wants to see every
crate of the lock file. Left out are objects that somebody compiled, since nobody can read them, and what
is not free: OpenLDAP's schemas, with text of RFCs in them, and texts that nobody may sell or change.
That is half of it, and it builds the same.
"""

import collections
import json
import pathlib
import re
import shutil
import subprocess
import sys

# What the word "Linux" stands for here: cfg() of a dependency may ask for the processor, the width of
# a pointer, and the order of bytes.
TARGETS = [
    "x86_64-unknown-linux-gnu",
    "i686-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "armv7-unknown-linux-gnueabihf",
    "powerpc64le-unknown-linux-gnu",
    "riscv64gc-unknown-linux-gnu",
    "s390x-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
]
COMPILED = {".a", ".lib", ".o", ".obj", ".dll", ".so", ".dylib", ".exe", ".rlib", ".wasm"}
# How programs and libraries begin, whatever they are called: ELF, PE, ar, Mach-O, WebAssembly.
MAGIC = (b"\x7fELF", b"MZ", b"!<arch>\n", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\0asm")
SCHEMAS = {".ldif", ".schema"}
# Of Creative Commons.
UNFREE = re.compile(rb"CC[- ]BY[-A-Z]*-N[CD]|Attribution-N(onCommercial|oDerivs|oDerivatives)")


def main():
    folder = pathlib.Path(sys.argv[1])
    run = ["cargo", "vendor", "--quiet", "--locked", "--versioned-dirs", str(folder)]
    subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
    needed = needed_on_linux()
    kept, emptied, left_out = 0, 0, collections.Counter()
    for crate in sorted(folder.iterdir()):
        if crate.name in needed:
            kept += 1
            left_out.update(filter(None, map(leave_out, crate.rglob("*"))))
        else:
            emptied += 1
            empty(crate)
        forget_checksums_of_files(crate)
        # For people; and debhelper takes whatever is called so for a leftover.
        (crate / "Cargo.toml.orig").unlink(missing_ok=True)
    said = ", ".join(f"{count} {why}" for why, count in sorted(left_out.items()))
    print(f"{kept} crates, {emptied} emptied; files left out: {said}")


def needed_on_linux():
    """The folders of the crates that a build on Linux, tests included, takes anything from."""
    needed = set()
    for target in TARGETS:
        run = ["cargo", "metadata", "--locked", "--format-version", "1", "--all-features"]
        run += ["--filter-platform", target]
        metadata = json.loads(subprocess.run(run, check=True, stdout=subprocess.PIPE).stdout)
        reached = {node["id"] for node in metadata["resolve"]["nodes"]}
        for package in metadata["packages"]:
            if package["id"] in reached:
                needed.add(f"{package['name']}-{package['version']}")
    return needed


def leave_out(path):
    """Removes a file that must not be there, and says what it was."""
    if not path.is_file():
        return None
    content = path.read_bytes()
    if path.suffix in COMPILED or content.startswith(MAGIC):
        why = "compiled"
    elif path.suffix in SCHEMAS or UNFREE.search(content):
        why = "not free"
    else:
        return None
    path.unlink()
    return why


def empty(crate):
    """Leaves the manifest, the licences, and a library with nothing in it."""
    for path in list(crate.iterdir()):
        if path.name in ("Cargo.toml", ".cargo-checksum.json") or is_licence(path):
            continue
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (crate / "src").mkdir()
    (crate / "src/lib.rs").touch()


def is_licence(path):
    return path.is_file() and path.name.upper().startswith(("LICEN", "COPYING", "COPYRIGHT", "NOTICE"))


def forget_checksums_of_files(crate):
    """Of the whole crate it is kept, which Cargo.lock has too. cargo wants no more than that."""
    path = crate / ".cargo-checksum.json"
    checksums = json.loads(path.read_text())
    checksums["files"] = {}
    path.write_text(json.dumps(checksums, sort_keys=True) + "\n")


main()
