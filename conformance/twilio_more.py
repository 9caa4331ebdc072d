"""Twilio's own client where there is more than a message: calls, and codes that Twilio makes."""

import clients
from compare import differences

# What its HTTP library does its own way.
HTTP = {"header accept", "header accept-encoding", "header connection", "header user-agent"}
HTTP |= {"header accept-charset", "header x-twilio-client"}


def hold(report, gateway, to, configure, ours):
    """`configure` writes our configuration of a provider; `ours` runs our side with further words."""
    a, base = gateway.accounts, gateway.base
    client = clients.twilio_client(base, a["TWILIO_SID"], a["TWILIO_SID"], a["TWILIO_TOKEN"])
    keys = {"account_sid": a["TWILIO_SID"], "auth_token": a["TWILIO_TOKEN"]}

    def same(what, theirs, mine, may_differ=frozenset()):
        rows = differences(theirs["request"], mine["request"])
        new = [row for row in rows if row[0] not in HTTP | may_differ]
        report.hold(f"{what}: no new difference", not new, new)

    sender = {"from": a["TWILIO_FROM"], "voice_from": a["TWILIO_FROM"]}
    config = configure({"kind": "twilio", **keys, **sender})
    mine = gateway.watch(lambda: ours(config, "", "call"))
    text = mine["accepted"]["text"]
    theirs = gateway.watch(lambda: clients.twilio_call(client, a["TWILIO_FROM"], to, text))
    report.hold("twilio calls: taken alike", theirs.get("accepted") == mine["accepted"], theirs)
    # The client writes the declaration of XML too, and a blank before `/>`.
    same("twilio calls", theirs, mine, {"field Twiml"})

    service = client.verify.v2.services(a["TWILIO_VERIFY"])
    config = configure({"kind": "twilio-verify", **keys, "service_sid": a["TWILIO_VERIFY"]})
    mine = gateway.watch(lambda: ours(config, ""))
    theirs = gateway.watch(lambda: service.verifications.create(to=to, channel="sms"))
    report.hold("twilio verify: taken alike", theirs.get("accepted") == mine["accepted"], theirs)
    same("twilio verify, start", theirs, mine)

    def ask(code):
        check = service.verification_checks.create(to=to, code=code)
        return (check.status, check.valid), gateway.lines.get(timeout=20)

    def judged(code):
        said = ours(config, code, "check", "twilio-verify")
        return said, gateway.lines.get(timeout=20)

    code = mine["accepted"]["text"].split()[-1]
    (status, theirs), (said, mine) = ask("000000"), judged("000000")
    report.hold("twilio verify, wrong code", status == ("pending", False), status)
    report.hold("twilio verify, wrong code: ours says so too", said.startswith("Wrong"), said)
    same("twilio verify, check", theirs, mine)
    said, _ = judged(code)
    report.hold("twilio verify, right code by ours", said.startswith("Right"), said)
    gateway.watch(lambda: service.verifications.create(to=to, channel="sms"))
    newest = gateway.watch(lambda: ours(config, ""))["accepted"]["text"].split()[-1]
    status, _ = ask(newest)
    report.hold("twilio verify, right code by theirs", status == ("approved", True), status)
