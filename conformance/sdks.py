"""The official SDKs, each behind one function that sends one message.

They return when the message was taken, by the SDK's own judgement, and raise `Refused` when its provider
refused. Imports stand in the functions: each SDK is slow to load, and one that breaks must not break the
others.
"""

import os
import urllib.parse
import uuid

from clients import Refused


def latin(secret):
    """What an SDK that sends Latin-1 in basic authentication has to be given, so that it sends UTF-8."""
    return secret.encode("utf-8").decode("latin-1")


def vonage(base, key, secret, to, text, sender, way):
    from vonage import Auth, HttpClientOptions, Vonage
    from vonage_http_client import HttpRequestError
    from vonage_sms import SmsError

    host = urllib.parse.urlsplit(base).netloc
    client = Vonage(Auth(key, secret), HttpClientOptions(api_host=host, rest_host=host))
    try:
        if way == "sms":
            from vonage_sms import SmsMessage

            kind = "text" if text.isascii() else "unicode"
            client.sms.send(SmsMessage(to=to[1:], from_=sender, text=text, type=kind))
        else:
            from vonage_messages import Sms

            client.messages.send(Sms(to=to[1:], from_=sender, text=text))
    except (HttpRequestError, SmsError) as error:
        raise Refused(str(error)) from error


def plivo(base, auth_id, token, to, text, sender):
    import plivo as sdk

    client = sdk.RestClient(auth_id, latin(token))
    # It prepares its requests so that requests does not look at the environment.
    client.session.verify = os.environ["REQUESTS_CA_BUNDLE"]
    sdk.rest.client.PLIVO_API_BASE_URI = client.base_uri = f"{base}/v1/Account"
    try:
        client.messages.create(src=sender, dst=to, text=text)
    except sdk.exceptions.PlivoRestError as error:
        raise Refused(str(error)) from error


def telnyx(base, key, to, text, sender):
    from telnyx import APIStatusError, Telnyx

    client = Telnyx(api_key=key, base_url=f"{base}/v2", max_retries=0)
    try:
        client.messages.send(to=to, from_=sender, text=text, type="SMS")
    except APIStatusError as error:
        raise Refused(str(error)) from error


def messagebird(base, key, to, text, sender):
    import messagebird as sdk

    sdk.client.ENDPOINT = base
    more = {} if text.isascii() else {"datacoding": "unicode"}
    try:
        sdk.Client(key).message_create(sender, to[1:], text, more)
    except sdk.client.ErrorException as error:
        raise Refused("; ".join(str(one) for one in error.errors)) from error


def bird(base, key, to, text, sender):
    from bird import APIError, Bird

    client = Bird(api_key=key, base_url=base, max_retries=0)
    try:
        client.sms.send(to=to, from_=sender, text=text, category="authentication")
    except APIError as error:
        raise Refused(str(error)) from error


def infobip(base, authority, key, to, text, sender):
    import infobip_api_client as sdk
    from infobip_api_client.exceptions import ApiException

    name = "APIKeyHeader"
    config = sdk.Configuration(host=base, api_key={name: key}, api_key_prefix={name: "App"})
    config.ssl_ca_cert = authority
    with sdk.ApiClient(config) as client:
        message = sdk.SmsMessage(
            sender=sender,
            destinations=[sdk.SmsDestination(to=to[1:])],
            content=sdk.SmsMessageContent(sdk.SmsTextContent(text=text)),
        )
        try:
            sdk.SmsApi(client).send_sms_messages(sdk.SmsRequest(messages=[message]))
        except ApiException as error:
            raise Refused(str(error)) from error


def clicksend(base, authority, user, key, to, text):
    import clicksend as sdk
    from clicksend.exceptions import ApiException

    config = sdk.Configuration(host=base, username=user, password=latin(key))
    config.ssl_ca_cert = authority
    with sdk.ApiClient(config) as client:
        body = {"messages": [{"to": to, "body": text}]}
        try:
            request = sdk.SendSmsRequest.from_dict(body)
            sdk.SmsApi(client).send_sms("application/json", request)
        except ApiException as error:
            raise Refused(str(error)) from error


def sinch(base, plan, token, to, text, sender):
    from sinch import SinchClient
    from sinch.domains.sms.api.v1.exceptions import SmsException

    # It puts the plan into the address as it is.
    plan = urllib.parse.quote(plan, safe="")
    client = SinchClient(service_plan_id=plan, sms_api_token=token, sms_region="eu")
    client.configuration.sms_domain_with_service_plan_id = base
    try:
        client.sms.batches.send_sms(to=[to], from_=sender, body=text)
    except SmsException as error:
        raise Refused(str(error)) from error


def android(base, user, password, to, text):
    from android_sms_gateway import APIClient, Message, MessagePriority
    from android_sms_gateway.domain import TextMessage
    from android_sms_gateway.errors import APIError

    message = Message(
        phone_numbers=[to],
        text_message=TextMessage(text=text),
        priority=100,
        id=uuid.uuid4().hex,
    )
    try:
        with APIClient(user, password, base_url=f"{base}/3rdparty/v1") as client:
            client.send(message)
    except APIError as error:
        raise Refused(str(error)) from error


def sns(base, authority, region, key, secret, to, text, sender):
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    client = boto3.client(
        "sns",
        endpoint_url=base,
        verify=authority,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}),
    )
    attribute = lambda value: {"DataType": "String", "StringValue": value}
    try:
        client.publish(
            PhoneNumber=to,
            Message=text,
            MessageAttributes={
                "AWS.SNS.SMS.SMSType": attribute("Transactional"),
                "AWS.SNS.SMS.SenderID": attribute(sender),
            },
        )
    except ClientError as error:
        raise Refused(str(error)) from error


def good(gateway, authority):
    """What must be taken: who, how, our `[[provider]]` for the same, what may differ and why."""
    a, base = gateway.accounts, gateway.base
    number = "+15017122661"
    key = lambda name: a[name]
    # The SDK sends the key in a header; its pages, and we, in the form.
    by_header = {"header authorization", "field api_key", "field api_secret"}
    for way, kind, differs in [("sms", "vonage", by_header), ("messages", "vonage-messages", set())]:
        yield (
            f"vonage, {way}",
            lambda to, text, way=way: vonage(
                base, key("VONAGE_KEY"), key("VONAGE_SECRET"), to, text, "Acme", way
            ),
            {
                "kind": kind,
                "api_key": key("VONAGE_KEY"),
                "api_secret": key("VONAGE_SECRET"),
                "from": "Acme",
            },
            # It says `type=text` where nothing would say the same; its answer may come back packed.
            differs | {"field type", "field webhook_version"},
        )
    yield (
        "plivo",
        lambda to, text: plivo(
            base, key("PLIVO_ID"), key("PLIVO_TOKEN"), to, text, key("PLIVO_FROM")
        ),
        {
            "kind": "plivo",
            "auth_id": key("PLIVO_ID"),
            "auth_token": key("PLIVO_TOKEN"),
            "from": key("PLIVO_FROM"),
        },
        # What is so without them.
        {"field method", "field log", "field trackable"},
    )
    yield (
        "telnyx",
        lambda to, text: telnyx(base, key("TELNYX_KEY"), to, text, number),
        {"kind": "telnyx", "api_key": key("TELNYX_KEY"), "from": number},
        # What it says of itself.
        {"header x-stainless-*"},
    )
    yield (
        "messagebird",
        lambda to, text: messagebird(base, key("MESSAGEBIRD_KEY"), to, text, "Acme"),
        {"kind": "messagebird", "api_key": key("MESSAGEBIRD_KEY"), "from": "Acme"},
        # One text with commas; its pages, and we, have a list. JSON is UTF-8 without being called so.
        {"field recipients", "field recipients.0", "header content-type"},
    )
    yield (
        "bird",
        lambda to, text: bird(base, key("BIRD_KEY"), to, text, number),
        {"kind": "bird", "api_key": key("BIRD_KEY"), "from": number},
        # Another for each message; and what it says of itself.
        {"header idempotency-key", "header bird-*"},
    )
    yield (
        "infobip",
        lambda to, text: infobip(base, authority, key("INFOBIP_KEY"), to, text, "Acme"),
        {"kind": "infobip", "api_key": key("INFOBIP_KEY"), "from": "Acme"},
        set(),
    )
    yield (
        "clicksend",
        lambda to, text: clicksend(
            base, authority, key("CLICKSEND_USER"), key("CLICKSEND_KEY"), to, text
        ),
        {
            "kind": "clicksend",
            "username": key("CLICKSEND_USER"),
            "password": key("CLICKSEND_KEY"),
        },
        # What it says of itself.
        {"field messages.0.source"},
    )
    yield (
        "sinch",
        lambda to, text: sinch(base, key("SINCH_PLAN"), key("SINCH_TOKEN"), to, text, "Acme"),
        {
            "kind": "sinch",
            "service_plan_id": key("SINCH_PLAN"),
            "api_token": key("SINCH_TOKEN"),
            "from": "Acme",
        },
        set(),
    )
    yield (
        "android-sms-gateway",
        lambda to, text: android(base, key("ANDROID_USER"), key("ANDROID_PASSWORD"), to, text),
        {
            "kind": "android-sms-gateway",
            "mode": "cloud",
            "username": key("ANDROID_USER"),
            "password": key("ANDROID_PASSWORD"),
        },
        # Another for each message; and what is so without them.
        {"field id", "field withDeliveryReport", "field isEncrypted"},
    )
    yield (
        "boto3",
        lambda to, text: sns(
            base, authority, key("AWS_REGION"), key("AWS_KEY_ID"), key("AWS_SECRET"), to, text, "Acme"
        ),
        {
            "kind": "aws-sns",
            "region": key("AWS_REGION"),
            "access_key_id": key("AWS_KEY_ID"),
            "secret_access_key": key("AWS_SECRET"),
            "from": "Acme",
        },
        # The signature covers the time, and what else each HTTP library has in its headers.
        {"header authorization", "header x-amz-date", "header amz-sdk-*", "header content-type"},
    )


def bad(gateway, authority):
    """What must be refused: (what, how, a part of what the SDK must then say)."""
    a, base, to = gateway.accounts, gateway.base, "+4915123456723"
    number, key = "+15017122661", lambda name: a[name]
    return [
        (
            "vonage, wrong secret",
            lambda: vonage(base, key("VONAGE_KEY"), "wrong", to, "hello", "Acme", "sms"),
            "code 4",
        ),
        (
            "vonage, no number",
            lambda: vonage(
                base, key("VONAGE_KEY"), key("VONAGE_SECRET"), "+01234567", "hello", "Acme", "sms"
            ),
            "code 3",
        ),
        (
            "plivo, wrong token",
            lambda: plivo(base, key("PLIVO_ID"), "wrong", to, "hello", key("PLIVO_FROM")),
            "",
        ),
        ("telnyx, wrong key", lambda: telnyx(base, "wrong", to, "hello", number), "10009"),
        (
            "messagebird, wrong key",
            lambda: messagebird(base, "wrong", to, "hello", "Acme"),
            "access_key",
        ),
        ("bird, wrong key", lambda: bird(base, "bk_us1_wrong", to, "hello", number), "wrong or no key"),
        (
            "infobip, wrong key",
            lambda: infobip(base, authority, "wrong", to, "hello", "Acme"),
            "Unauthorized",
        ),
        (
            "clicksend, wrong key",
            lambda: clicksend(base, authority, key("CLICKSEND_USER"), "wrong", to, "hello"),
            "Unauthorized",
        ),
        ("sinch, wrong token", lambda: sinch(base, key("SINCH_PLAN"), "wrong", to, "hello", "Acme"), ""),
        (
            "android-sms-gateway, wrong password",
            lambda: android(base, key("ANDROID_USER"), "wrong", to, "hello"),
            "401",
        ),
        (
            "boto3, wrong secret",
            lambda: sns(
                base, authority, key("AWS_REGION"), key("AWS_KEY_ID"), "wrong", to, "hello", "Acme"
            ),
            "SignatureDoesNotMatch",
        ),
    ]
