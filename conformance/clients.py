"""Software that others wrote, each behind one function that sends one message.

Each returns when the message was taken, by that software's own judgement, and raises `Refused`
when its provider refused. Everything else that goes wrong is an exception of another kind.
"""

import logging
import os
import subprocess


class Refused(Exception):
    """The provider refused, and the software understood that it did."""


def trust(authority):
    """Makes all of them believe the gateway's certificate: OpenSSL, requests, httplib2."""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPLIB2_CA_CERTS"):
        os.environ[name] = authority


def twilio(base, account, user, secret, to, text, **sender):
    """The official SDK. `sender` is `from_` or `messaging_service_sid`."""
    from twilio.base.exceptions import TwilioRestException

    client = twilio_client(base, account, user, secret)
    try:
        message = client.messages.create(to=to, body=text, **sender)
    except TwilioRestException as error:
        raise Refused(f"status {error.status}, code {error.code}: {error.msg}") from error
    if not message.sid or message.body != text or message.error_code is not None:
        raise RuntimeError(f"an answer that says something else: {message.sid} {message.body!r}")


def twilio_client(base, account, user, secret):
    """The official SDK, at the gateway."""
    from twilio.rest import Client

    # Twilio's own secrets are ASCII. The gateway's are not, and the library under the SDK would
    # send Latin-1 where RFC 7617 recommends UTF-8; so it gets what is UTF-8 once that is done.
    client = Client(user, secret.encode("utf-8").decode("latin-1"), account)
    client.api.base_url = client.verify.base_url = base
    return client


def twilio_call(client, sender, to, text):
    """The official SDK calls and reads `text` twice, in English."""
    from twilio.twiml.voice_response import VoiceResponse

    response = VoiceResponse()
    for pause in (1, 2):
        response.pause(length=pause)
        response.say(text, language="en-US")
    client.calls.create(to=to, from_=sender, timeout=30, twiml=response)


def clickatell(program, base, key, to, text):
    """The crate `clickatell-api`, for One API: `clickatell/src/main.rs` calls it."""
    run = subprocess.run([program, base, key, to, text], capture_output=True, text=True)
    if run.returncode == 3:
        raise Refused(run.stdout.strip())
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip())


def clickatell_platform(base, key, to, text):
    """Clickatell's own library for its platform."""
    import urllib.parse  # it uses this and imports only `urllib`

    from clickatell.rest import Rest

    client = Rest(key)
    client.endpoint = urllib.parse.urlsplit(base).netloc
    answer = client.sendMessage(to, text)
    if answer["error"]:
        raise Refused(answer["error"])
    [message] = answer["messages"]
    if not message["accepted"]:
        raise Refused(message["error"])


def smsc(base, login, password, to, text, sender):
    """The package `smsc`."""
    logging.disable()  # at import it sets up a log that names every URL
    from smsc.api import SMSC
    from smsc.messages import SMSMessage

    SMSC._url = f"{base}/sys/"
    answer = SMSC(login, password, sender).send(to, SMSMessage(text))
    if answer.error:
        raise Refused(str(answer.error))
    if not answer.message_id or answer.count < 1:
        raise RuntimeError(f"an answer without an id: {answer}")
