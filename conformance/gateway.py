"""The pretend gateway as a child, with everything that it sees."""

import json
import queue
import shlex
import subprocess
import threading

from clients import Refused


class Gateway:
    """Runs until the `with` block ends."""

    def __init__(self, program, authority):
        accounts = subprocess.run([program, "--env"], check=True, capture_output=True, text=True)
        words = (word.partition("=") for word in shlex.split(accounts.stdout))
        self.accounts = {name: value for name, _, value in words}
        self.child = subprocess.Popen(
            [program, "--print", "--ca-out", authority],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.base = self.child.stdout.readline().strip()
        self.lines = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        for line in self.child.stdout:
            self.lines.put(json.loads(line))

    def watch(self, action):
        """Runs `action`, which makes one request: the request, what the gateway made of it, and
        under `said` how it was refused, if it saw that it was."""
        seen = {}
        try:
            action()
        except Refused as refused:
            seen["said"] = str(refused)
        while not seen.keys() & {"accepted", "refused"}:
            try:
                seen.update(self.lines.get(timeout=20))
            except queue.Empty:
                return seen
        while not self.lines.empty():
            seen["more than one request"] = self.lines.get()
        return seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.stdin.close()
        self.child.wait()
