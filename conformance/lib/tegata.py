"""Starts `tegata serve` on a fresh directory and speaks its /v1. Python's standard library alone."""

import json
import os
import random
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

# Data about no person, told to its end, so that the law lets it go between companies in Germany.
GIVER = {
    "exporter.place": "DE", "exporter.person": "company", "exporter.capacity": ["controller"],
    "exporter.sector": ["retail"], "exporter.targets": ["DE"], "hop.separate_person": True,
    "hop.mode": ["send_copy"], "hop.regularity": "systematic", "hop.need": ["none"],
    "hop.foreign_authority_asks": False, "hop.recipient_sees_clear": True, "data.about_people": False,
    "data.identifiable_for_exporter": "not_reasonably", "data.identifiable_for_recipient": "not_reasonably",
    "data.categories": [], "data.structured": True, "data.official_class": [], "data.received_from": ["own"],
    "subjects.located_in": ["DE"], "subjects.employees": False,
}
TAKER = {
    "recipient.place": "DE", "recipient.person": "company", "recipient.capacity": ["controller"],
    "recipient.listed": [], "recipient.subject_to": [],
}
USE = [{"action": "use"}]


class Refused(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body


def free_port():
    """A free port below those that systems hand out to passing connections (from 32768), which could hold it before a node does."""
    while True:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def layers(binary):
    """The layers of the law in the program: rules that were read once may open a flow of this test."""
    listed = subprocess.run([binary, "rules", "ls"], capture_output=True, text=True, check=True).stdout
    return [line.split()[1] for line in listed.splitlines() if line.startswith("layer ")]


class Tegata:
    """One node under the test identity, with its /v1."""

    def __init__(self, binary, directory, participant, more="", port=None):
        """`more` is added to the configuration; a participant whose name holds the port chooses it before."""
        self.directory, self.participant = directory, participant
        os.makedirs(f"{directory}/data", exist_ok=True)
        self.port = port or free_port()
        with open(f"{directory}/tegata.toml", "w") as f:
            f.write(
                f'mode = "demo"\ntest_identity = true\nparticipant = "{participant}"\n'
                f'listen = "127.0.0.1:{self.port}"\ndirectory = "node"\n'
                f"[law]\naccept_drafted = {json.dumps(layers(binary))}\n{more}"
            )
        with open(f"{directory}/data/stations.csv", "w") as f:
            f.write("station,hour,temperature\n" + "".join(f"A,{n},{n % 30}\n" for n in range(1000)))
        self.log = open(f"{directory}/tegata.log", "wb")
        self.spawned = time.monotonic()
        self.process = subprocess.Popen(
            [binary, "serve", "--config", f"{directory}/tegata.toml", "--dir", f"{directory}/desk",
             "--listen", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=self.log,
        )
        self.token = self.base = None
        for line in self.process.stdout:
            text = line.decode()
            if found := re.match(r"(http://[0-9.:]+)/$", text.strip()):
                self.base = found[1]
            if found := re.search(r"admin token, shown once: (\S+)", text):
                self.token = found[1]
            if self.base and self.token:
                break
        if not self.token:
            raise SystemExit(f"tegata did not start; see {directory}/tegata.log")
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.root = f"http://127.0.0.1:{self.port}"
        self.protocol = f"{self.root}/dsp"

    def call(self, method, path, body=None, timeout=60):
        request = urllib.request.Request(self.base + path, method=method)
        request.add_header("Authorization", f"Bearer {self.token}")
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as e:
            raise Refused(e.code, e.read().decode(errors="replace")) from None

    def get(self, path, **query):
        query = urllib.parse.urlencode({k: v for k, v in query.items() if v is not None})
        return self.call("GET", f"{path}?{query}" if query else path)

    def post(self, path, body=None):
        return self.call("POST", path, body or {})

    def act(self, process, pid, what, **said):
        return self.post(f"/v1/{process}s/{urllib.parse.quote(pid, safe='')}/{what}", said)

    def offer(self, dataset, plane=None, **handling):
        self.post("/v1/offers", {
            "dataset": dataset, "title": dataset, "source": os.path.abspath(f"{self.directory}/data/stations.csv"),
            "facts": GIVER, "handling": handling, **({"plane": plane} if plane else {}),
        })

    def moves(self):
        """Yields each move of a process, for ever."""
        cursor = self.get("/v1/moves")["next"]

        def follow():
            nonlocal cursor
            while True:
                page = self.get("/v1/moves", after=cursor, wait=20)
                cursor = page["next"]
                if page["missed"]:
                    raise SystemExit("moves were missed")
                yield from page["moves"]

        return follow()

    def wait_for(self, process, pid, state, seconds=30):
        end = time.monotonic() + seconds
        while True:
            now = self.get(f"/v1/{process}s/{urllib.parse.quote(pid, safe='')}" + ("/standing" if process == "negotiation" else ""))
            if now["state"] == state:
                return now
            if time.monotonic() > end:
                raise SystemExit(f"{process} {pid} is {now['state']}, not {state}: {json.dumps(now)}")
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
