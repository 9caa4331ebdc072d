#!/usr/bin/env python3
"""Proof that the Debian packages come, stay and go without changing who can log in.

    packaging/package-test.py [SUITE ...]          (make package-test)

For each suite (those of SUITES, unless some are named): a fresh Debian or Ubuntu out of debootstrap, kept in
target/package-test, seen through an overlay in namespaces of its own whose network is loopback only; a real
sshd, and a person at a terminal. After every step: who gets in, and whether dpkg finds all files as they
were shipped. What is upgraded from is a build of OLDER. Needs root, debootstrap, and for the first time the
mirrors (MIRROR, UBUNTU_MIRROR) and, for Ubuntu, the keys of its archive (UBUNTU_KEYRING).
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE.parent / "target"
BASES = TARGET / "package-test"
# The last commit before version 4 of the protocol between module and helper, and the version it is built as.
OLDER, OLD_VERSION = "17c7be38076ebf11b6c9d736a38ddabe022ac3c7", "0.0.1"
SUITES = ["bookworm", "trixie", "noble"]
MIRROR = os.environ.get("MIRROR", "http://deb.debian.org/debian")
UBUNTU_MIRROR = os.environ.get("UBUNTU_MIRROR", "http://archive.ubuntu.com/ubuntu")
UBUNTU_KEYRING = os.environ.get("UBUNTU_KEYRING", "/usr/share/keyrings/ubuntu-archive-keyring.gpg")
UBUNTU = {"noble"}
NEEDED = ["systemd", "openssh-server", "openssh-client", "cron", "python3", "debsums", "ca-certificates",
          "fail2ban"]
PACKAGES = ["libpam-sms", "pam-sms"]
SSHD = """ListenAddress 127.0.0.1
UsePAM yes
KbdInteractiveAuthentication yes
PasswordAuthentication no
PermitRootLogin no
"""
WITHOUT, WITH, OUT = "in without a code", "in with a code", "out"


def main():
    if os.environ.get("PAM_SMS_INSIDE"):
        return Story(sys.argv[1], pathlib.Path(sys.argv[2])).tell()
    suites = sys.argv[1:] or SUITES
    new = sorted((TARGET / "deb").glob("*.deb"))
    if len(new) != len(PACKAGES):
        sys.exit("target/deb has no packages: `make deb` makes them")
    build_older()
    for suite in suites:
        base = BASES / f"base-{suite}"
        if not base.exists():
            make_base(suite, base)
        with tempfile.TemporaryDirectory() as folder:
            run = ["unshare", "--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child",
                   sys.executable, __file__, suite, folder]
            environment = dict(os.environ, PAM_SMS_INSIDE="1")
            if subprocess.run(run, env=environment, timeout=1800).returncode:
                sys.exit(f"{suite}: failed")
    print(f"{len(suites)} suites passed, 0 failed")


def make_base(suite, base):
    fresh = base.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.parent.mkdir(parents=True, exist_ok=True)
    options, mirror = ["--variant=minbase"], [MIRROR]
    if suite in UBUNTU:
        options += ["--components=main,universe", f"--keyring={UBUNTU_KEYRING}"]
        # Debian's debootstrap need not know this Ubuntu; the script is one for all of them.
        mirror = [UBUNTU_MIRROR, "gutsy"]
    subprocess.run(["debootstrap", *options, suite, fresh, *mirror], check=True, stdout=subprocess.DEVNULL)
    # Nothing is started in there.
    policy = fresh / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    install = ["chroot", fresh, "apt-get", "install", "-qq", "-y", "--no-install-recommends", *NEEDED]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
    subprocess.run(["chroot", fresh, "apt-get", "clean"], check=True)
    fresh.rename(base)


def build_older():
    """Packages of OLDER, built as ours are, by what is there to build with now."""
    # Of another protocol than ours, or the test shows little.
    versions = [protocol_versions(commit) for commit in (OLDER, "HEAD")]
    if versions[0] == versions[1]:
        sys.exit(f"{OLDER} speaks the same protocol as HEAD: name an older commit")
    out = BASES / "previous" / OLDER
    if out.exists():
        return
    tree = BASES / "older"
    shutil.rmtree(tree, ignore_errors=True)
    git = ["git", "-C", tree, "-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    subprocess.run(["git", "clone", "--quiet", "--shared", "--no-checkout", HERE.parent, tree], check=True)
    subprocess.run([*git, "checkout", "--quiet", "--detach", OLDER], check=True)
    # Its own version may be ours.
    for name in ("Cargo.toml", "Cargo.lock"):
        text = (tree / name).read_text()
        newer = re.sub(r'(name = "pam-sms"\nversion = )"[^"]+"', rf'\1"{OLD_VERSION}"', text, count=1)
        (tree / name).write_text(newer)
    subprocess.run([*git, "commit", "--quiet", "--all", "--message", OLD_VERSION], check=True)
    (tree / "target").mkdir()
    (tree / "target/tools").symlink_to(TARGET / "tools")
    print(f"building {OLD_VERSION} out of {OLDER[:7]}", flush=True)
    subprocess.run(["make", "dist"], cwd=tree, check=True, stdout=subprocess.DEVNULL)
    # What lintian says of it matters no more.
    subprocess.run(["packaging/deb.sh"], cwd=tree, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    debs = sorted((tree / "target/deb").glob("*.deb"))
    if len(debs) != len(PACKAGES):
        sys.exit(f"{OLDER}: no packages came of it")
    out.mkdir(parents=True)
    for deb in debs:
        shutil.copy(deb, out)
    shutil.rmtree(tree)


def protocol_versions(commit):
    wire = ["git", "-C", HERE, "show", f"{commit}:src/helper/wire.rs"]
    text = subprocess.run(wire, check=True, stdout=subprocess.PIPE, text=True).stdout
    return re.search(r"FIRST\.\.=(\w+)", text)[1]


class Story:
    """One suite, from the first installation to the purge."""

    def __init__(self, suite, folder):
        self.suite, self.root = suite, folder / "root"
        for name in ("root", "upper", "work"):
            (folder / name).mkdir(exist_ok=True)
        self.folder, self.shown = folder, ""

    def tell(self):
        self.make_machine()
        self.say("a Debian without us", WITHOUT)
        pam_before = self.pam_files()

        said = self.dpkg("-i", *self.debs("previous"))
        self.say(f"{OLD_VERSION} installed", WITHOUT, installed=True)
        self.holds(OLD_VERSION in self.chroot("pam-sms", "--version"), f"it is {OLD_VERSION}, of {OLDER[:7]}")
        self.holds(not self.path("etc/pam-sms").exists(), "nothing is in /etc/pam-sms")
        self.holds(self.mode("run/pam-sms") == 0o700 and self.mode("var/lib/pam-sms") == 0o700, "state is root's alone")
        self.holds("_pam-sms:x:" in self.read("etc/passwd"), "the helper has its user")
        self.holds(self.pam_files() == pam_before, "no stack has changed")

        self.configure()
        self.chroot("pam-auth-update", "--enable", "pam-sms")
        self.listen()
        self.say("enabled by pam-auth-update", WITH, installed=True)
        self.holds(self.log_in("--code", "000000") == OUT, "a wrong code is denied")
        self.holds(self.log_in(user="bob") == OUT, "who has no number is denied")
        self.judge_log()

        # What check calls an error, and a login a warning.
        self.path("etc/pam-sms/config.toml").chmod(0o644)
        waiting, again, call = map(self.at_the_prompt, ("", "--resend", "--call"))
        new = self.debs()
        self.dpkg("--unpack", *(deb for deb in new if "libpam-sms_" in deb))
        self.holds(self.log_in() == WITH, "between unpacking one and the other, the new module sends by the old helper")
        said = self.dpkg("-i", *new)
        self.holds("`pam-sms check` finds" in said, "the upgrade tells what check finds, and goes on")
        self.holds(OLD_VERSION not in self.chroot("pam-sms", "--version"), f"it is {OLD_VERSION} no more")
        self.path("etc/pam-sms/config.toml").chmod(0o600)
        self.holds(again() == WITH, "of three logins that waited at the prompt, with the old module, one asks for another "
                                    "code, of the new helper (version 1 of the protocol), and gets in")
        self.holds(call() == WITH, "one asks for a call (version 3), and gets in")
        self.holds(waiting() == WITH, "one types the code that it has had all the time, and gets in")
        self.say("after the upgrade", WITH, installed=True)
        self.holds(self.listed("/etc/pam.d/common-auth"), "the admin's choice was kept")

        self.write("etc/pam.d/su", self.read("etc/pam.d/su") + "auth required \\\n  pam_sms.so\n")
        common = self.read("etc/pam.d/common-auth")
        line = len(self.read("etc/pam.d/su").splitlines()) - 1
        said = self.dpkg("-r", *PACKAGES, fails=True)
        self.holds(f"/etc/pam.d/su:{line}" in said, f"removal stops at a hand-made line: /etc/pam.d/su:{line}")
        self.holds(self.read("etc/pam.d/common-auth") == common, "and has changed no stack")
        self.say("removal refused, because of a line in su", WITH, installed=True)
        self.write("etc/pam.d/su", "".join(self.read("etc/pam.d/su").splitlines(True)[:-2]))

        # What pam-auth-update takes for an edit: a module between its own that no profile has.
        self.write("etc/pam.d/common-auth", re.sub(r"(?m)^(auth.*pam_unix)", r"auth optional pam_warn.so\n\1", common))
        said = self.dpkg("-r", *PACKAGES, fails=True)
        self.holds(re.search(r"/etc/pam\.d/common-auth:\d+", said), "removal stops at an edited common-auth")
        self.say("removal refused, because common-auth was edited by hand", WITH, installed=True)
        self.write("etc/pam.d/common-auth", common)
        self.dpkg("-r", *PACKAGES)
        self.say("removed while enabled", WITHOUT)
        self.holds(not self.listed("/etc/pam.d/common-auth"), "no stack names us")
        self.holds(self.path("etc/pam-sms/config.toml").exists(), "the configuration stays")

        self.dpkg("-i", *self.debs())
        self.say("installed again", WITHOUT, installed=True)
        self.enable()
        said = self.dpkg("-P", *PACKAGES)
        self.say("purged while enabled by `pam-sms enable`", WITHOUT)
        self.holds("rotate them" in said, "purge says to rotate the keys")
        self.holds(not self.path("etc/ssh/sshd_config.d/00-pam-sms.conf").exists(), "sshd's drop-in is gone")
        left = self.left_over()
        self.holds(not left, f"nothing of us is left {left}")
        self.holds(self.pam_files() == pam_before, "all stacks are as they were before us")

        self.stop()
        self.dpkg("-i", *self.debs())
        self.copy_tests()
        self.chroot("sh", "/tmp/tests/login")
        print("  ok  debian/tests/login (autopkgtest) passes")

    # The machine.

    def make_machine(self):
        base = BASES / f"base-{self.suite}"
        mount = lambda *words: subprocess.run(["mount", *map(str, words)], check=True)
        mount("--make-rprivate", "/")
        mount("-t", "tmpfs", "tmpfs", self.folder)
        for name in ("root", "upper", "work"):
            (self.folder / name).mkdir(exist_ok=True)
        layers = f"lowerdir={base},upperdir={self.folder}/upper,workdir={self.folder}/work"
        mount("-t", "overlay", "overlay", "-o", layers, self.root)
        mount("-t", "proc", "proc", self.path("proc"))
        mount("-t", "tmpfs", "tmpfs", self.path("run"))
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", self.path("dev"))
        for name in ("null", "zero", "random", "urandom", "tty"):
            self.path("dev", name).touch()
            mount("--bind", f"/dev/{name}", self.path("dev", name))
        self.path("dev/pts").mkdir()
        mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=620,gid=5", "devpts", self.path("dev/pts"))
        self.path("dev/ptmx").symlink_to("pts/ptmx")
        # The person's terminal is in there, too.
        mount("--bind", self.path("dev/pts"), "/dev/pts")
        mount("--bind", self.path("dev/pts/ptmx"), "/dev/ptmx")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        subprocess.run(["hostname", f"{self.suite}-test"], check=True)
        self.write("etc/hosts", f"127.0.0.1 localhost {self.suite}-test\n")
        self.path("run/sshd").mkdir()
        self.write("etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n" + SSHD)
        for user in ("alice", "bob"):
            self.chroot("useradd", "--create-home", "--shell", "/bin/sh", user)
            self.chroot("chpasswd", stdin=f"{user}:wonderland\n")
        # So that `update --package` before us is no change of ours.
        self.chroot("pam-auth-update", "--package")
        self.start()

    def configure(self):
        self.path("etc/pam-sms").mkdir(mode=0o700)
        # No provider: messages go to the outbox.
        self.write("etc/pam-sms/config.toml", "[delivery]\nvoice = true\n[limits]\nresend_after = '1s'\nsends_per_user = '100/1h'\nsends_per_number = '100/1h'\n", 0o600)
        self.write("etc/pam-sms/users.toml", 'alice = "+4915123456723"\n', 0o600)

    def enable(self):
        """By the program, which also writes a drop-in for sshd."""
        self.chroot("pam-sms", "enable", "sshd", "--no-rollback", "--yes")
        self.restart()
        self.say("enabled by `pam-sms enable`", WITH, installed=True)
        self.holds(self.path("etc/ssh/sshd_config.d/00-pam-sms.conf").exists(), "sshd has its drop-in")

    def start(self):
        log = open(self.path("run/sshd.log"), "a")
        self.sshd = subprocess.Popen(["chroot", self.root, "/usr/sbin/sshd", "-D", "-e"], stderr=log)
        while self.sshd.poll() is None:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", 22)):
                return
            time.sleep(0.01)
        sys.exit("sshd does not listen: " + self.read("run/sshd.log"))

    def stop(self):
        self.sshd.kill()
        self.sshd.wait()

    def restart(self):
        self.stop()
        self.start()

    def listen(self):
        """What a syslog daemon would write down, name of the machine included."""
        self.log, place = [], socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        place.bind(str(self.path("dev/log")))
        self.path("dev/log").chmod(0o666)

        def collect():
            while True:
                line = place.recv(8192).decode().rstrip("\0\n")
                found = re.fullmatch(r"<\d+>(.{15}) (.*)", line, re.S)
                if found and "pam_sms(" in line:
                    self.log.append(f"{found[1]} {self.suite}-test {found[2]}")

        threading.Thread(target=collect, daemon=True).start()

    def judge_log(self):
        """By this Debian's own fail2ban, and as logcheck does."""
        self.write("tmp/log", "\n".join(self.log) + "\n")
        events = lambda name: sum(f"event={name} " in line for line in self.log)
        said = self.chroot("fail2ban-regex", "/tmp/log", "/etc/fail2ban/filter.d/pam-sms.conf")
        found = re.search(r"(\d+) lines, \d+ ignored, (\d+) matched", said)
        self.holds(found and int(found[2]) == events("rejected") > 0,
                   f"fail2ban counts the {events('rejected')} wrong codes of {found and found[1]} lines")
        rules = "/etc/logcheck/ignore.d.server/pam-sms"
        left = self.chroot("grep", "-vEf", rules, "/tmp/log").splitlines()
        quiet = [line for line in self.log if re.search("event=(rejected|unenrolled) ", line)]
        self.holds(left == quiet, f"logcheck reports {len(quiet)} lines: wrong codes, and who has no number")

    # What is done in it, and asked of it.

    def chroot(self, *command, stdin=None, fails=False):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive",
                       "LC_ALL": "C.UTF-8", "HOME": "/root"}
        run = subprocess.run(["chroot", self.root, *map(str, command)], env=environment, input=stdin or "",
                             text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if fails is not None and (run.returncode != 0) != fails:
            sys.exit(f"{self.suite}: {' '.join(map(str, command))} ended with {run.returncode}:\n{run.stdout}")
        return run.stdout

    def dpkg(self, what, *words, fails=False):
        return self.chroot("dpkg", what, *words, fails=fails)

    def debs(self, which=None):
        folder = BASES / "previous" / OLDER if which else TARGET / "deb"
        inside = self.path("tmp/debs")
        shutil.rmtree(inside, ignore_errors=True)
        inside.mkdir()
        return [f"/tmp/debs/{pathlib.Path(shutil.copy(deb, inside)).name}" for deb in sorted(folder.glob("*.deb"))]

    def log_in(self, *words, user="alice"):
        run = [sys.executable, HERE / "debian/tests/ssh_login.py", "--root", self.root, *words, user, "wonderland"]
        done = subprocess.run(run, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            sys.exit(f"{self.suite}: {done.stderr}\nsshd: {self.read('run/sshd.log')[-2000:]}")
        self.shown = done.stderr
        return done.stdout.strip()

    def at_the_prompt(self, *words):
        """A login that waits there until it is called, which answers how it went."""
        words = [word for word in words if word]
        fifo, said = self.folder / "-".join(["fifo", *words]), []
        os.mkfifo(fifo)
        go = lambda: said.append(self.log_in("--pause", str(fifo), *words))
        thread = threading.Thread(target=go, daemon=True)
        thread.start()
        with open(fifo) as line:
            line.readline()

        def go_on():
            with open(fifo, "w") as line:
                line.write("go on\n")
            thread.join()
            return said[0]

        return go_on

    def say(self, step, expected, installed=False):
        found = self.log_in()
        self.holds(found == expected, f"{step}: alice is {found}")
        if installed:
            broken = self.chroot("debsums", "--all", "--changed", *PACKAGES, fails=None)
            self.holds(not broken.strip(), f"      all files are as shipped {broken.strip()}")
        self.holds(self.is_installed() == installed, "      dpkg says so")

    def holds(self, true, what):
        if not true:
            sys.exit(f"{self.suite}: NOT {what}\n{self.shown}\nsshd: {self.read('run/sshd.log')[-900:]}")
        if what.strip():
            print(f"  ok  {self.suite}: {what.rstrip()}", flush=True)

    def is_installed(self):
        said = self.chroot("dpkg-query", "-W", "-f=${db:Status-Status} ", *PACKAGES, fails=None)
        return said.split().count("installed") == len(PACKAGES)

    def listed(self, stack):
        return "pam_sms.so" in self.read(stack.lstrip("/"))

    def left_over(self):
        find = ["find", self.root, "-xdev", "-regex", r".*pam.sms.*", "-not", "-path", "*/tmp/*", "-not", "-path", "*/proc/*"]
        run = subprocess.run(find, text=True, stdout=subprocess.PIPE)
        return run.stdout.split()

    def pam_files(self):
        folder = self.path("etc/pam.d")
        return {path.name: path.read_text() for path in sorted(folder.iterdir()) if not path.name.endswith(".pam-old")}

    def copy_tests(self):
        shutil.copytree(HERE / "debian/tests", self.path("tmp/tests"))

    def path(self, *parts):
        return self.root.joinpath(*parts)

    def mode(self, path):
        return self.path(path).stat().st_mode & 0o7777

    def read(self, path):
        return self.path(path).read_text()

    def write(self, path, text, mode=0o644):
        self.path(path).write_text(text)
        self.path(path).chmod(mode)


main()
