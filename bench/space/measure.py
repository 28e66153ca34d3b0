"""This program and Eclipse EDC, measured the same way on the same machine: two connectors of a kind negotiate with each other.

measure.py BINARY LIB DIRECTORY [PART …] (without EDC where LIB is `-`): prints tables in Markdown. PART is `moves` (start, rest,
negotiation, transfer) or `catalog` (assets by the thousand); without, both. What is measured, and how durable each side is, stands
in `bench/RESULTS.md`; `bench/space/run` runs it.
"""

import http.client
import json
import os
import re
import ssl
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
from tegata import GIVER, TAKER, Tegata, layers

STARTS = 3
IDLE_S = 5
ONE_BY_ONE = {"tegata": 40, "edc": 8}
AT_ONCE = {"tegata": 2000, "edc": 100}
TRANSFERS = {"tegata": 20, "edc": 6}
# Assets at which the catalog is asked, each how often, by a peer that says it wants a page of so many (what EDC gives who says nothing).
ASSETS = (10, 1_000, 10_000, 100_000)
ASKED = 15
PAGE = 50
# What has not moved for so long is counted as lost.
QUIET_S = 30


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def answers(url, seconds=120, context=None):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=1, context=context) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.002)
    raise SystemExit(f"{url} does not answer")


def many(n, each, hands=4):
    """Does a thing for 0 to n - 1, by some hands at once."""
    numbers, lock, broken = iter(range(n)), threading.Lock(), []

    def work():
        while not broken:
            with lock:
                i = next(numbers, None)
            if i is None:
                return
            try:
                each(i)
            except BaseException as e:
                broken.append(e)

    threads = [threading.Thread(target=work) for _ in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]


class Line:
    """One connection that is kept: JSON there, JSON back."""

    def __init__(self, address):
        self.address, self.here = address, threading.local()

    def post(self, path, body):
        # A connection that rested may have been closed.
        if time.monotonic() - self.here.__dict__.get("at", -1e9) > 2:
            self.here.line = http.client.HTTPConnection(urllib.parse.urlsplit(self.address).netloc, timeout=300)
        said = {"Content-Type": "application/json", "Authorization": json.dumps({"region": "eu", "audience": driver.EDC_ID, "clientId": driver.EDC_ID})}
        self.here.line.request("POST", path, json.dumps(body), said)
        answer = self.here.line.getresponse()
        text = answer.read()
        self.here.at = time.monotonic()
        if answer.status >= 400:
            raise SystemExit(f"POST {path}: {answer.status} {text[:500]}")
        return answer, text


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


class Enrolled(Kept):
    """A node with certificates of the invented authority: TLS, peers known by certificate, seals, stamps and a witness."""

    def __init__(self, binary, folder, name):
        at, self.participant = os.path.join(folder, name), f"did:web:{name}.example"
        # A node offers no file of its own folder.
        self.directory = f"{at}-files"
        subprocess.run([binary, "enroll", "--dir", at, "--name", name, "--country", "DE", "--did", self.participant,
                        "--authority", os.path.join(folder, "authority")], check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(at, "tegata.toml")) as f:
            text = f.read()
        accepted = f"accept_drafted = {json.dumps(layers(binary))}"
        text, n = re.subn(r"(?m)^accept_drafted = .*$", accepted, text)
        text = text if n else f"{text}\n[law]\n{accepted}\n"
        with open(os.path.join(at, "tegata.toml"), "w") as f:
            f.write(text)
        os.makedirs(os.path.join(self.directory, "data"), exist_ok=True)
        with open(os.path.join(self.directory, "data", "stations.csv"), "w") as f:
            f.write("station,hour,temperature\n" + "".join(f"A,{n},{n % 30}\n" for n in range(1000)))
        self.spawned = time.monotonic()
        self.process = subprocess.Popen([binary, "serve", "--dir", at], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.token = self.base = None
        while not (self.base and self.token):
            line = self.process.stdout.readline().decode()
            if not line:
                raise SystemExit(f"{name} did not start")
            if found := re.match(r"(http://[0-9.:]+)/$", line.strip()):
                self.base = found[1]
            if found := re.search(r"admin token, shown once: (\S+)", line):
                self.token = found[1]
        threading.Thread(target=self.process.stdout.read, daemon=True).start()
        self.protocol = self.get("/v1/participant")["address"]
        self.root = self.protocol.removesuffix("/dsp")


class Ours:
    name = "tegata"
    # Under the test identity nothing is sealed, so no data are delivered: what was started is ended.
    delivers = False

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

    def begin(self, transfer="manual"):
        return self.consumer.post("/v1/requests", {
            "address": self.provider.protocol, "dataset": "urn:dataset:1", "transfer": transfer,
            "peer": self.provider.participant, "terms": self.terms()})["negotiation"]

    def await_moves(self, process, states, pid=None, seconds=QUIET_S):
        """Waits until a process of the kind (any new one, if none is named) has been in all these states; returns when each was seen, and its id."""
        end, seen = time.monotonic() + seconds, {}
        while time.monotonic() < end:
            page = self.consumer.get("/v1/moves", after=self.cursor, wait=5)
            self.cursor, now = page["next"], time.monotonic()
            for move in page["moves"]:
                if move["process"] == process and pid in (None, move["id"]):
                    seen.setdefault(move["state"], now)
                    seen["id"] = move["id"]
            if all(state in seen for state in states):
                return seen
        raise SystemExit(f"{process}: no {states} within {seconds} s, but {list(seen)}")

    def transfer(self):
        """Negotiates by itself; returns the seconds that a request for a transfer takes until both hold it started."""
        pid = self.begin()
        self.finish([pid])
        agreement = self.consumer.get(f"/v1/negotiations/{urllib.parse.quote(pid, safe='')}/standing")["agreement"]["@id"]
        at = time.monotonic()
        transfer = self.consumer.post("/v1/transfers", {"agreement": agreement, "handling": "manual"})["id"]
        return self.await_moves("transfer", ["STARTED"], transfer)["STARTED"] - at

    def whole(self):
        """The seconds from a request for a dataset to its started transfer; then waits for the data, which do not count."""
        at = time.monotonic()
        self.begin("automatic")
        seen = self.await_moves("transfer", ["STARTED", "COMPLETED"] if self.delivers else ["STARTED"])
        if not self.delivers:
            self.consumer.act("transfer", seen["id"], "terminate", code="bench", reasons=["it was started"])
        return seen["STARTED"] - at

    def alone(self):
        self.provider = self.first(self.node("catalog"))
        self.provider.post("/v1/peers", {"id": driver.EDC_ID, "facts": TAKER})
        self.line, self.held = Line(self.provider.root), 0
        return self.provider.process.pid

    def hold(self, n):
        source = os.path.abspath(f"{self.provider.directory}/data/stations.csv")
        first = self.held

        def one(i):
            name = f"urn:dataset:{first + i}"
            self.provider.post("/v1/offers", {"dataset": name, "title": name, "source": source, "facts": GIVER})

        many(n - first, one, 16)
        self.held = n

    def page(self, limit, place=None):
        """Asks for a page as a peer does; returns how many datasets it has and where the next one is."""
        path = place or "/dsp/catalog/request"
        body = {"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "CatalogRequestMessage", "filter": [{"limit": limit}]}
        answer, text = self.line.post(path, body)
        found = re.search(r'<([^>]+)>; *rel="?next"?', answer.getheader("Link") or "")
        link = found and urllib.parse.urlsplit(found[1])
        return len(json.loads(text).get("dataset") or []), link and f"{link.path}?{link.query}"

    def walk(self):
        """Reads the whole catalog, a page after the other, and counts."""
        n, place = 0, None
        while True:
            some, place = self.page(500, place)
            n += some
            if not place:
                return n

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


class Verified(Ours):
    """Ours with nothing taken away: TLS 1.3, each side known by its certificate, each event sealed, stamped and witnessed."""

    delivers = True

    def node(self, name):
        if not self.n:
            folder = os.path.join(self.directory, "verified")
            os.makedirs(folder)
            self.folder = folder
            self.authority = subprocess.Popen([self.binary, "authority", "--dir", os.path.join(folder, "authority"), "--listen", "127.0.0.1:0"],
                                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            for _ in range(3):
                self.authority.stdout.readline()
            threading.Thread(target=self.authority.stdout.read, daemon=True).start()
        self.n += 1
        return Enrolled(self.binary, self.folder, f"{name}{self.n}")

    def first(self, node):
        context = ssl.create_default_context(cafile=os.path.join(self.folder, "authority", "ca.pem"))
        answers(f"{node.root}/.well-known/dspace-version", context=context)
        return node

    def stop(self):
        super().stop()
        self.authority.terminate()
        self.authority.wait(20)


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
        where = self.where = {"counterPartyAddress": self.provider.protocol, "counterPartyId": driver.EDC_ID, "protocol": driver.PROTOCOL}
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

    def negotiated(self):
        pid = self.begin()
        self.finish([pid])
        return self.consumer.state("contractnegotiations", pid)["contractAgreementId"]

    def started(self, agreement):
        pid = self.consumer.manage("POST", "/transferprocesses", {
            "@type": "TransferRequest", **self.where, "contractId": agreement, "transferType": driver.PULL})["@id"]
        end = time.monotonic() + QUIET_S
        while self.consumer.manage("GET", f"/transferprocesses/{pid}/state")["state"] != "STARTED":
            if time.monotonic() > end:
                raise SystemExit(f"EDC: {pid} does not start: {self.consumer.state('transferprocesses', pid)}")
            time.sleep(0.005)

    def transfer(self):
        agreement = self.negotiated()
        return timed(lambda: self.started(agreement))[0]

    def whole(self):
        return timed(lambda: self.started(self.negotiated()))[0]

    def alone(self):
        self.provider = self.edc()
        self.line, self.held = Line(f"http://127.0.0.1:{self.provider.ports['management']}"), 0
        self.wire = Line(f"http://127.0.0.1:{self.provider.ports['protocol']}")
        self.line.post("/management/v3/policydefinitions", {"@context": {"@vocab": driver.EDC}, "@id": "use", "policy": {
            "@context": driver.ODRL, "@type": "Set", "permission": [{"action": "use"}]}})
        self.line.post("/management/v3/contractdefinitions", {"@context": {"@vocab": driver.EDC}, "@id": "all",
            "accessPolicyId": "use", "contractPolicyId": "use", "assetsSelector": []})
        return self.provider.process.pid

    def hold(self, n):
        first = self.held
        many(n - first, lambda i: self.line.post("/management/v3/assets", {
            "@context": {"@vocab": driver.EDC}, "@id": f"urn:dataset:{first + i}", "properties": {"name": f"urn:dataset:{first + i}"},
            "dataAddress": {"@type": "DataAddress", "type": "HttpData", "baseUrl": "https://127.0.0.1:9/source"}}), 8)
        self.held = n

    def page(self, limit, place=None):
        offset = place or 0
        spec = {"@type": "QuerySpec", "limit": limit, "offset": offset}
        _, text = self.wire.post("/protocol/2025-1/catalog/request", {
            "@context": ["https://w3id.org/dspace/2025/1/context.jsonld", {"@vocab": driver.EDC}],
            "@type": "CatalogRequestMessage", "filter": [spec]})
        some = json.loads(text).get("dataset") or []
        some = len(some) if isinstance(some, list) else 1
        return some, offset + some if some == limit else None

    walk = Ours.walk

    def stop(self):
        self.provider.stop()
        self.consumer.stop()


def grow(system):
    """Holds more and more assets: memory, the time of a page, and of the whole catalog."""
    pid, rows = system.alone(), []
    try:
        for n in ASSETS:
            filled, _ = timed(lambda: system.hold(n))
            system.page(PAGE)
            asked = [timed(lambda: system.page(PAGE)) for _ in range(ASKED)]
            short = {some for _, (some, _) in asked} - {min(n, PAGE)}
            if short:
                raise SystemExit(f"{system.name}: a page of {n} assets has {short}")
            walked, found = timed(system.walk)
            time.sleep(IDLE_S)
            rows.append({"assets": n, "filled_s": filled, "page_ms": statistics.median(t for t, _ in asked) * 1000,
                         "whole_s": walked, "found": found, "mib": resident_kib(pid) / 1024})
            print(json.dumps({system.name: rows[-1]}), file=sys.stderr, flush=True)
    finally:
        system.provider.stop()
    return rows


def measure(system):
    starts = [system.start() for _ in range(STARTS)]
    system.pair()
    try:
        system.finish([system.begin()])
        system.transfer(), system.whole()
        transfers = [system.transfer() for _ in range(TRANSFERS[system.name])]
        wholes = [system.whole() for _ in range(TRANSFERS[system.name])]
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
        "transfer_ms": statistics.median(transfers) * 1000,
        "whole_ms": statistics.median(wholes) * 1000,
        "whole_worst_ms": max(wholes) * 1000,
        "per_s": (n - left) / (last - at),
        "lost": lost,
        "n": ONE_BY_ONE[system.name] + n,
    }


def moves(binary, lib, directory):
    systems = {"Tegata, in the clear": Ours(binary, directory), "Tegata, TLS and certificates": Verified(binary, directory)}
    for looks in (1000, 100, 10) if lib != "-" else ():
        systems[f"EDC 0.15.1, looks every {looks} ms" + (" (as shipped)" if looks == 1000 else "")] = Theirs(lib, directory, looks)
    print("| | start to first answer | idle | one negotiation, median (worst) | transfer to STARTED | negotiation and start (worst) | negotiations a second | did not end |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, system in systems.items():
        row = measure(system)
        print(json.dumps({name: row}), file=sys.stderr, flush=True)
        print(f"| {name} | {row['start_s']:.2f} s | {row['idle_mib']:.0f} MiB | {row['one_ms']:.0f} ms ({row['worst_ms']:.0f}) | {row['transfer_ms']:.0f} ms "
              f"| {row['whole_ms']:.0f} ms ({row['whole_worst_ms']:.0f}) | {row['per_s']:.1f} | {row['lost']} of {row['n']} |", flush=True)


def catalog(binary, lib, directory):
    systems = {"Tegata": Ours(binary, directory)}
    if lib != "-":
        systems["EDC 0.15.1"] = Theirs(lib, directory, 1000)
    print(f"| | assets | put in | resident | a page of {PAGE}, median of {ASKED} | the whole catalog |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, system in systems.items():
        for row in grow(system):
            print(f"| {name} | {row['assets']:,} | {row['filled_s']:.1f} s | {row['mib']:.0f} MiB | {row['page_ms']:.1f} ms "
                  f"| {row['whole_s']:.2f} s ({row['found']:,} found) |", flush=True)


def main():
    binary, lib, directory, *parts = sys.argv[1:]
    java = "without EDC"
    if lib != "-":
        java = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr.splitlines()[0]
    for part in parts or ["moves", "catalog"]:
        {"moves": moves, "catalog": catalog}[part](binary, lib, directory)
        with open("/proc/loadavg") as f:
            load = f.read().split()[0]
        print(f"\n{os.cpu_count()} cores, load {load} at the end, {java}\n", flush=True)


if __name__ == "__main__":
    main()
