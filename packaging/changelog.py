#!/usr/bin/env python3
"""Writes debian/changelog from CHANGELOG.md.

    packaging/changelog.py < CHANGELOG.md > debian/changelog

The version of what is unreleased stands in Cargo.toml, its time in SOURCE_DATE_EPOCH, and who packages
it in DEBFULLNAME and DEBEMAIL, or else in debian/control.
"""

import datetime
import os
import pathlib
import re
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent


def main():
    entries = []
    for section in re.split(r"^## ", sys.stdin.read(), flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        entries.append(entry(heading.strip(), text))
    print("\n".join(entries), end="")


def entry(heading, text):
    if heading == "Unreleased":
        version, suite = cargo_version(), "UNRELEASED"
        when = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    else:
        version, day = re.fullmatch(r"(\d+\.\d+\.\d+),? \(?(\d{4}-\d\d-\d\d)\)?", heading).groups()
        suite = "unstable"
        when = datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.timezone.utc)
    points = re.split(r"^- ", text, flags=re.MULTILINE)[1:]
    lines = [textwrap.fill(" ".join(point.split()), 78, initial_indent="  * ", subsequent_indent="    ",
                           break_long_words=False, break_on_hyphens=False) for point in points]
    return (f"pam-sms ({version}-1) {suite}; urgency=medium\n\n" + "\n".join(lines)
            + f"\n\n -- {packager()}  {when:%a, %d %b %Y %H:%M:%S} +0000\n")


def cargo_version():
    return re.search(r'^version = "(.+)"', (HERE.parent / "Cargo.toml").read_text(), re.MULTILINE)[1]


def packager():
    if "DEBEMAIL" in os.environ:
        return f"{os.environ.get('DEBFULLNAME', 'Packager')} <{os.environ['DEBEMAIL']}>"
    return re.search(r"^Maintainer: (.+)", (HERE / "debian/control").read_text(), re.MULTILINE)[1]


main()
