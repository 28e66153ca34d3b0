"""This program and Eclipse EDC, measured the same way on the same machine: two connectors of a kind negotiate with each other.

measure.py BINARY LIB DIRECTORY (without EDC where LIB is `-`): prints a table in Markdown. What is measured, and how durable each side is, stands in
`bench/RESULTS.md`; `bench/space/run` runs it.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "conformance", "lib"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "conformance", "edc"))
import driver
from tegata import TAKER, Tegata

STARTS = 3
IDLE_S = 5
ONE_BY_ONE = {"tegata": 40, "edc": 8}
AT_ONCE = {"tegata": 2000, "edc": 100}
# What has not moved for so long is counted as lost.
QUIET_S = 30


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def answers(url, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.002)
    raise SystemExit(f"{url} does not answer")


def timed(f):
    begun = time.monotonic()
    out = f()
    return time.monotonic() - begun, out


class Kept(Tegata):
    """Speaks /v1 over a connection that each thread keeps, so that the driver takes little of the machine."""

    here = threading.local()

    def call(self, method, path, body=None, timeout=60):
        held = self.here.__dict__.setdefault("held", {})
        if self.base not in held:
            held[self.base] = http.client.HTTPConnection(urllib.parse.urlsplit(self.base).netloc, timeout=timeout)
        data = None if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        held[self.base].request(method, path, data, headers)
        answer = held[self.base].getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:500]}")
        return json.loads(text) if text else None


class Ours:
    name = "tegata"

    def __init__(self, binary, directory):
        self.binary, self.directory, self.n = binary, directory, 0

    def node(self, name):
        self.n += 1
        return Kept(self.binary, f"{self.directory}/{name}-{self.n}", f"did:web:{name}.example")

    def start(self):
        node = self.first(self.node("starts"))
        took = time.monotonic() - node.spawned
        time.sleep(IDLE_S)
        kib = resident_kib(node.process.pid)
        node.stop()
        return took, kib

    def first(self, node):
        answers(f"{node.root}/.well-known/dspace-version")
        return node

    def pair(self):
        self.provider, self.consumer = self.node("provider"), self.node("consumer")
        self.provider.post("/v1/peers", {"id": self.consumer.participant, "facts": TAKER})
        self.provider.offer("urn:dataset:1")
        self.cursor = self.consumer.get("/v1/moves")["next"]

    def begin(self):
        return self.consumer.post("/v1/requests", {
            "address": self.provider.protocol, "dataset": "urn:dataset:1", "transfer": "manual",
            "peer": self.provider.participant, "terms": self.terms()})["negotiation"]

    def terms(self):
        if not hasattr(self, "_terms"):
            self._terms = self.provider.get("/v1/offers/urn:dataset:1")["terms"]
        return self._terms

    def finish(self, wanted):
        """Returns how many are not final when none has moved for a while, and when the last one moved."""
        left, last = set(wanted), time.monotonic()
        while left and time.monotonic() - last < QUIET_S:
            page = self.consumer.get("/v1/moves", after=self.cursor, wait=5)
            self.cursor = page["next"]
            for move in page["moves"]:
                if move["state"] == "FINALIZED":
                    left.discard(move["id"])
                last = time.monotonic()
        return len(left), last

    def stop(self):
        self.provider.stop()
        self.consumer.stop()


class Theirs:
    name = "edc"

    def __init__(self, lib, directory, looks_ms):
        self.lib, self.directory, self.looks_ms, self.n = lib, directory, looks_ms, 0

    def edc(self):
        self.n += 1
        driver.EDC_LOOKS_MS = self.looks_ms
        return driver.Edc(self.lib, f"{self.directory}/edc-{self.looks_ms}-{self.n}")

    def start(self):
        edc = self.first(self.edc())
        took = time.monotonic() - edc.spawned
        time.sleep(IDLE_S)
        kib = resident_kib(edc.process.pid)
        edc.stop()
        return took, kib

    def first(self, edc):
        answers(f"http://127.0.0.1:{edc.ports['protocol']}/protocol/.well-known/dspace-version")
        return edc

    def pair(self):
        self.provider, self.consumer = self.edc(), self.edc()
        asset = self.provider.offer()
        where = {"counterPartyAddress": self.provider.protocol, "counterPartyId": driver.EDC_ID, "protocol": driver.PROTOCOL}
        catalog = self.consumer.manage("POST", "/catalog/request", {"@type": "CatalogRequest", **where})
        dataset = catalog["dataset"]
        dataset = dataset[0] if isinstance(dataset, list) else dataset
        offer = dataset["hasPolicy"]
        offer = offer[0] if isinstance(offer, list) else offer
        self.request = {"@type": "ContractRequest", **where, "policy": {
            **offer, "@context": driver.ODRL, "assigner": driver.EDC_ID, "target": asset}}

    def begin(self):
        return self.consumer.manage("POST", "/contractnegotiations", self.request)["@id"]

    def finish(self, wanted):
        left, last = set(wanted), time.monotonic()
        while left and time.monotonic() - last < QUIET_S:
            rows = self.consumer.manage("POST", "/contractnegotiations/request", {
                "@type": "QuerySpec", "limit": 10_000, "filterExpression": [
                    {"@type": "Criterion", "operandLeft": "state", "operator": "=", "operandRight": 1200}]})
            done = {row["@id"] for row in rows if row["state"] == "FINALIZED"}
            if left & done:
                left, last = left - done, time.monotonic()
            if left:
                time.sleep(0.01)
        return len(left), last

    def stop(self):
        self.provider.stop()
        self.consumer.stop()


def measure(system):
    starts = [system.start() for _ in range(STARTS)]
    system.pair()
    try:
        system.finish([system.begin()])
        one, lost = [], 0
        for _ in range(ONE_BY_ONE[system.name]):
            took, (left, _) = timed(lambda: system.finish([system.begin()]))
            lost += left
            if not left:
                one.append(took)
        n, begun, at = AT_ONCE[system.name], [], time.monotonic()
        threads = [threading.Thread(target=lambda: begun.extend(system.begin() for _ in range(n // 4))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        left, last = system.finish(begun)
        lost += left
    finally:
        system.stop()
    return {
        "start_s": statistics.median(t for t, _ in starts),
        "idle_mib": statistics.median(k for _, k in starts) / 1024,
        "one_ms": statistics.median(one) * 1000,
        "worst_ms": max(one) * 1000,
        "per_s": (n - left) / (last - at),
        "lost": lost,
        "n": ONE_BY_ONE[system.name] + n,
    }


def main():
    binary, lib, directory = sys.argv[1:4]
    rows = {"Tegata": measure(Ours(binary, directory))}
    print(json.dumps(rows), file=sys.stderr, flush=True)
    for looks in (1000, 100, 10) if lib != "-" else ():
        label = f"EDC 0.15.1, looks every {looks} ms" + (" (as shipped)" if looks == 1000 else "")
        rows[label] = measure(Theirs(lib, directory, looks))
        print(json.dumps({label: rows[label]}), file=sys.stderr, flush=True)
    java = "without EDC"
    if lib != "-":
        java = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr.splitlines()[0]
    with open("/proc/loadavg") as f:
        load = f.read().split()[0]
    print(f"{os.cpu_count()} cores, load {load} at the end, {java}\n")
    print("| | start to first answer | idle | one negotiation, median (worst) | negotiations a second | did not end |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, row in rows.items():
        print(f"| {name} | {row['start_s']:.2f} s | {row['idle_mib']:.0f} MiB | {row['one_ms']:.0f} ms ({row['worst_ms']:.0f}) | {row['per_s']:.1f} | {row['lost']} of {row['n']} |")


if __name__ == "__main__":
    main()
