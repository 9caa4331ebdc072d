#!/usr/bin/env python3
"""Logs in by ssh as a person does, at a terminal, and says how it went.

    ssh_login.py [--port PORT] [--root FOLDER] [--code CODE] [--pause FIFO] [--resend | --call] USER PASSWORD

The answer is one line: `in without a code`, `in with a code` or `out`; what was shown follows as an error.
The code is the last one in the outbox, unless --code names another. With --pause it waits at the prompt for
a line in a FIFO, in which it first says that it is there; with --resend it then asks for another code, with
--call for one that is read aloud.
"""

import argparse
import os
import pty
import re
import select
import sys
import time

PATIENCE = 30
OPTIONS = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
           "PreferredAuthentications=keyboard-interactive", "NumberOfPasswordPrompts=1"]


class Terminal:
    """What ssh writes, and what is typed to it."""

    def __init__(self, arguments, command):
        self.seen, self.from_here = "", 0
        self.child, self.descriptor = pty.fork()
        if self.child == 0:
            if arguments.root != "/":
                os.chroot(arguments.root)
                os.chdir("/")
            os.execv("/usr/bin/ssh", command)

    def see(self, *patterns):
        """Waits for one of them in what is new, or for the end; returns which, or nothing."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for pattern in patterns:
                found = re.search(pattern, self.seen[self.from_here:])
                if found:
                    self.from_here += found.end()
                    return pattern
            if time.monotonic() > deadline:
                sys.exit(f"ssh says nothing more: {self.seen!r}")
            if not select.select([self.descriptor], [], [], 1)[0]:
                continue
            try:
                more = os.read(self.descriptor, 4096)
            except OSError:
                more = b""
            if not more:
                return None
            self.seen += more.decode(errors="replace")

    def type(self, line):
        os.write(self.descriptor, line.encode() + b"\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", default="22")
    parser.add_argument("--root", default="/")
    parser.add_argument("--code")
    parser.add_argument("--pause")
    parser.add_argument("--resend", dest="another", action="store_const", const="r")
    parser.add_argument("--call", dest="another", action="store_const", const="v")
    parser.add_argument("user")
    parser.add_argument("password")
    arguments = parser.parse_args()
    command = ["ssh", "-p", arguments.port]
    for option in OPTIONS:
        command += ["-o", option]
    terminal = Terminal(arguments, command + [f"{arguments.user}@127.0.0.1", "echo i-am-$(id -un)"])
    print(log_in(terminal, arguments))
    print(terminal.seen, file=sys.stderr)


def log_in(terminal, arguments):
    inside, asked, closing = f"i-am-{arguments.user}", r"or \? for help: ", "Enter to close: "
    if not terminal.see("assword: "):
        return "out"
    terminal.type(arguments.password)
    seen = terminal.see(inside, asked, closing)
    if seen == inside:
        return "in without a code"
    if seen == asked:
        code = arguments.code or last_code(arguments)
        if arguments.pause:
            with open(arguments.pause, "w") as fifo:
                fifo.write("at the prompt\n")
            with open(arguments.pause) as fifo:
                fifo.readline()
        if arguments.another:
            terminal.type(arguments.another)
            seen = terminal.see(asked, closing)
            code = last_code(arguments)
    # A wrong code is asked for again, until the login is over.
    while seen == asked:
        terminal.type(code)
        seen = terminal.see(inside, asked, closing)
    if seen == closing:
        terminal.type("")
        seen = terminal.see(inside)
    return "in with a code" if seen == inside else "out"


def last_code(arguments):
    with open(os.path.join(arguments.root, "run/pam-sms/outbox")) as outbox:
        text = outbox.read().splitlines()[-1].split(" ", 2)[2]
    # A text begins with it; in a call its digits are read one by one.
    together = re.match(r"\S*\d{6}", text)
    return together[0] if together else "".join(re.findall(r"\d", text))[:6]


main()
