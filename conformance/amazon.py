"""Amazon SNS as moto pretends it, with its check of signatures on: what others make of ours."""

import http.server
import json
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import boto3

REGION = "eu-central-1"
# All that our user may do.
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}],
}


class Moto:
    """moto's server, with one user who may publish and nothing more. Runs until the `with` ends."""

    def __init__(self):
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
        self.child = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for line in self.child.stderr:
            if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", line):
                self.base = found[1]
                break
        # It writes a line for each request, and must not have to wait for a reader.
        threading.Thread(target=self.child.stderr.read, daemon=True).start()
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
        iam = boto3.client("iam", endpoint_url=self.base, region_name=REGION, **keys)
        iam.create_user(UserName="pam-sms")
        iam.put_user_policy(
            UserName="pam-sms", PolicyName="publish", PolicyDocument=json.dumps(POLICY)
        )
        key = iam.create_access_key(UserName="pam-sms")["AccessKey"]
        self.key, self.secret = key["AccessKeyId"], key["SecretAccessKey"]
        # From here on each request needs a good signature.
        self._own("reset-auth", b"0")

    def messages(self):
        """What it took: pairs of number and text."""
        found = json.loads(self._own("data.json"))["sns"].get("SMS", [])
        return found

    def _own(self, what, data=None):
        request = urllib.request.Request(
            f"{self.base}/moto-api/{what}", data, {"Content-Type": "text/plain"}
        )
        return urllib.request.urlopen(request).read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()


class Meddler:
    """Hands requests on to `base` with one letter of the text changed."""

    def __init__(self, base):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                changed = body.replace(b"login", b"logIn")
                assert changed != body
                headers = dict(self.headers)
                # The signature covers it: what was asked for is what has to arrive.
                request = urllib.request.Request(base + self.path, changed, headers)
                try:
                    answer = urllib.request.urlopen(request)
                except urllib.error.HTTPError as error:
                    answer = error
                body = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()


def hold(report, ours, to, texts):
    """`ours` sends a text by a `[[provider]]` table, and gives back what the helper says."""
    with Moto() as moto, Meddler(moto.base) as meddler:
        table = {
            "kind": "aws-sns",
            "region": REGION,
            "access_key_id": moto.key,
            "secret_access_key": moto.secret,
            "from": "Acme",
            "base_url": moto.base,
        }
        for name, text in texts.items():
            said = ours(table, text)
            taken = "Accepted" in said and text in json.dumps(moto.messages(), ensure_ascii=False)
            report.hold(f"moto, {name}: the signature is good, the text is whole", taken, said)
        plain, before = texts["Latin"], len(moto.messages())
        for what, other, code in [
            ("a wrong secret", {"secret_access_key": moto.secret[::-1]}, "SignatureDoesNotMatch"),
            ("an unknown key", {"access_key_id": "AKIAIOSFODNN7EXAMPLE"}, "InvalidClientTokenId"),
            ("a changed letter", {"base_url": meddler.base}, "SignatureDoesNotMatch"),
        ]:
            said = ours({**table, **other}, plain)
            is_refused = "Failed" in said and f"code {code}" in said
            report.hold(f"moto, {what}: refused and understood as auth", is_refused, said)
        report.hold("moto: nothing of it was taken", len(moto.messages()) == before, None)
