"""Shows that software others wrote is content with our pretend gateway, and sends what we send.

    run.py PRETEND_GATEWAY SEND HELPER CLICKATELL_CLIENT

Each message is sent twice, by that software and by the helper: the gateway must take both for the
same message. What is wrong must be refused, so that a yes means something. Exits with 1 where
anything is not as it should be, a new difference between the two requests included.
"""

import fnmatch
import json
import pathlib
import subprocess
import sys
import tempfile
from collections import namedtuple

import amazon
import clients
import sdks
from compare import differences
from gateway import Gateway

TO = "+4915123456723"
TEXTS = {
    "Latin": "KQ-004217 is your login code for db1 & <a> + 50%.",
    "Cyrillic, emoji": "KQ-004217 код для входа 🔑 & <a> + ß",
}

# What a message does not depend on, and each HTTP library does its own way.
HTTP = {"header accept", "header accept-encoding", "header connection", "header user-agent"}

# Who sends; how, given number and text; our `[[provider]]` for the same; what may differ.
Case = namedtuple("Case", "who send table differs")


def good(gateway, client):
    """What must be taken."""
    a, base = gateway.accounts, gateway.base
    pairs = {
        "token": (
            (a["TWILIO_SID"], a["TWILIO_TOKEN"]),
            {"auth_token": a["TWILIO_TOKEN"]},
        ),
        "API key": (
            (a["TWILIO_KEY_SID"], a["TWILIO_KEY_SECRET"]),
            {"api_key_sid": a["TWILIO_KEY_SID"], "api_key_secret": a["TWILIO_KEY_SECRET"]},
        ),
    }
    senders = {
        "From": ({"from_": a["TWILIO_FROM"]}, {"from": a["TWILIO_FROM"]}),
        "service": ({"messaging_service_sid": a["TWILIO_MG"]},) * 2,
    }
    for pair, (login, ours) in pairs.items():
        for sender, (theirs, our_sender) in senders.items():
            yield Case(
                f"twilio, {pair}, {sender}",
                lambda to, text, login=login, theirs=theirs: clients.twilio(
                    base, a["TWILIO_SID"], *login, to, text, **theirs
                ),
                {"kind": "twilio", "account_sid": a["TWILIO_SID"], **ours, **our_sender},
                HTTP | {"header accept-charset", "header x-twilio-client"},
            )
    key = a["CLICKATELL_KEY"]
    yield Case(
        "clickatell-api (One API)",
        lambda to, text: clients.clickatell(client, base, key, to[1:], text),
        {"kind": "clickatell", "api_key": key},
        HTTP,
    )
    yield Case(
        "clickatell-platform",
        lambda to, text: clients.clickatell_platform(base, key, to[1:], text),
        {"kind": "clickatell-platform", "api_key": key},
        HTTP,
    )
    login, password = a["SMSC_LOGIN"], a["SMSC_PASSWORD"]
    yield Case(
        "smsc",
        lambda to, text: clients.smsc(base, login, password, to, text, "Acme"),
        {"kind": "smsc", "login": login, "password": password, "from": "Acme"},
        # It asks for the price too. A password in a URL ends up in logs: we send a form.
        HTTP | {"method", "fields in", "header content-type", "field cost"},
    )


def bad(gateway, client):
    """What must be refused: (what, how, a part of what their software must then say)."""
    a, base = gateway.accounts, gateway.base
    sid, token, sender = a["TWILIO_SID"], a["TWILIO_TOKEN"], {"from_": a["TWILIO_FROM"]}
    key, login, password = a["CLICKATELL_KEY"], a["SMSC_LOGIN"], a["SMSC_PASSWORD"]
    twilio = lambda *words, **sender: clients.twilio(base, sid, *words, "hello", **sender)
    one = lambda *words: clients.clickatell(client, base, *words, "hello")
    platform = lambda *words: clients.clickatell_platform(base, *words, "hello")
    smsc = lambda *words: clients.smsc(base, *words, "hello", "Acme")
    return [
        ("twilio, wrong token", lambda: twilio(sid, "wrong", TO, **sender), "20003"),
        ("twilio, wrong secret", lambda: twilio(a["TWILIO_KEY_SID"], token, TO, **sender), "20003"),
        ("twilio, no number", lambda: twilio(sid, token, "+12", **sender), "21211"),
        ("twilio, strange From", lambda: twilio(sid, token, TO, from_="+15005550006"), "21606"),
        ("clickatell-api, wrong key", lambda: one("wrong", TO[1:]), "APIKey"),
        ("clickatell-api, no number", lambda: one(key, "12"), "Invalid recipient"),
        ("clickatell-platform, wrong key", lambda: platform("wrong", TO[1:]), "API Key"),
        ("clickatell-platform, no number", lambda: platform(key, "12"), "destination address"),
        ("smsc, wrong password", lambda: smsc(login, "wrong", TO), "authorise"),
        ("smsc, no number", lambda: smsc(login, password, "+12"), "invalid number"),
    ]


def main(*programs):
    # Absolute: the helper is started in `/`.
    gateway_program, send, helper, client = (str(pathlib.Path(p).resolve()) for p in programs)
    report, table = Report(), {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        authority = str(folder / "ca.pem")
        with Gateway(gateway_program, authority) as gateway:
            clients.trust(authority)
            official = [
                Case(who, how, table, HTTP | differs)
                for who, how, table, differs in sdks.good(gateway, authority)
            ]
            for case in [*good(gateway, client), *official]:
                keys = {**case.table, "base_url": gateway.base, "ca_file": authority}
                config = write_config(folder, keys)
                ours = lambda text: run([send, helper, config, TO, text])
                rows = table.setdefault(case.who.split(",")[0], {})
                for name, text in TEXTS.items():
                    rows.update(agreement(report, gateway, case, name, text, ours))
            for what, action, said in [*bad(gateway, client), *sdks.bad(gateway, authority)]:
                refusal(report, gateway, what, action, said)
        amazon.hold(
            report,
            lambda keys, text: answer([send, helper, write_config(folder, keys), TO, text]),
            TO,
            TEXTS,
        )
    show(table)
    print(f"\n{report.held} hold, {report.failed} failed.")
    return 1 if report.failed else 0


class Report:
    """Says what holds as it is found out."""

    held, failed = 0, 0

    def hold(self, what, condition, seen):
        if condition:
            self.held += 1
            print(f"ok    {what}")
        else:
            self.failed += 1
            print(f"FAIL  {what}\n{seen}")


def agreement(report, gateway, case, name, text, ours):
    """Sends one message both ways; returns the differences between the requests by their name."""
    theirs = gateway.watch(lambda: case.send(TO, text))
    ours = gateway.watch(lambda: ours(text))
    message = theirs.get("accepted", {})
    is_same = (message.get("to"), message.get("text")) == (TO, text)
    is_same = is_same and message == ours.get("accepted")
    what = f"{case.who}, {name}"
    report.hold(f"{what}: taken, and the same message as ours", is_same, (theirs, ours))
    if not {"request"} <= theirs.keys() & ours.keys():
        return {}
    rows = {row[0]: row for row in differences(theirs["request"], ours["request"])}
    known = lambda name: any(fnmatch.fnmatchcase(name, may) for may in case.differs)
    new = [row for name, row in rows.items() if not known(name)]
    report.hold(f"{what}: no new difference", not new, new)
    return rows


def refusal(report, gateway, what, action, expected):
    """Runs what the gateway must refuse, and their software must understand as that."""
    seen = gateway.watch(action)
    is_understood = "refused" in seen and expected in seen.get("said", "")
    report.hold(f"{what}: refused and understood", is_understood, seen)


def answer(words):
    """Runs a program to its end, and gives back what it says."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout


def run(words):
    """Runs our sender, which says first what became of the message."""
    said = answer(words)
    if not said.startswith("Accepted"):
        raise clients.Refused(said.strip())


def write_config(folder, keys):
    """A configuration with one provider. JSON's strings are TOML's too."""
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items()]
    config = folder / "config.toml"
    config.touch(mode=0o600)
    config.write_text(
        '[delivery]\nrun_as = "nobody"\n[[provider]]\n' + "\n".join(lines) + "\n", encoding="utf-8"
    )
    return str(config)


def show(table):
    """What differs, once for each of the others."""
    short = lambda value: "-" if value is None else str(value)[:58]
    for who, rows in table.items():
        print(f"\n{who}: where its request differs from ours\n")
        print(f"    {'':24}{'theirs':60}ours")
        for name, theirs, ours in rows.values():
            print(f"    {name:24}{short(theirs):60}{short(ours)}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
