"""This program and a real Eclipse EDC as peers, each in both roles, driven by the management API of the one and /v1 of the other.

driver.py BINARY LIB DIRECTORY REPORT: EDC is started from the packages in LIB; REPORT gets JUnit XML.
"""

import http.server
import json
import os
import subprocess
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request
import uuid
from xml.sax.saxutils import escape, quoteattr

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from tegata import GIVER, TAKER, Tegata, free_port

EDC_ID = "did:web:edc.example"
OUR_ID = "did:web:tegata.example"
PROTOCOL = "dataspace-protocol-http:2025-1"
EDC = "https://w3id.org/edc/v0.0.1/ns/"
ODRL = "http://www.w3.org/ns/odrl.jsonld"
PULL = "HttpData-PULL"
# Each wait is for a state, looked at every LOOK seconds, and fails at its limit with how both sides stand. The limits are for a
# machine that does other things too; on an idle one each step takes a second or two.
LOOK = 0.1
LIMIT = {"start": 300, "negotiation": 240, "transfer": 120}
# EDC looks at what it has to do once in so many milliseconds; 1000 as shipped. `bench/space` measures both.
EDC_LOOKS_MS = 100


class Plane(http.server.BaseHTTPRequestHandler):
    """The smallest data plane that EDC's control plane will talk to; no byte moves here."""

    protocol_version = "HTTP/1.1"
    seen = []

    def answer(self, status, body=None):
        data = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.answer(200, {})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        what = self.path.rsplit("/", 1)[-1]
        self.seen.append(what)
        if what in ("suspend", "terminate"):
            return self.answer(200, {})
        # EDC reads the data address in one namespace of the protocol or the other, by its version.
        address = {"@type": "DataAddress"}
        for space in ("https://w3id.org/dspace/v0.8/", "https://w3id.org/dspace/2025/1/"):
            address[space + "endpointType"] = "https://w3id.org/idsa/v4.1/HTTP"
            address[space + "endpoint"] = "https://127.0.0.1:9/public"
        self.answer(200, {"@context": {"@vocab": EDC}, "@type": "DataFlowResponseMessage", "provisioning": False, "dataAddress": address})

    def log_message(self, *_):
        pass


class Edc:
    """A control plane with in-memory stores and the mock identity."""

    def __init__(self, lib, directory, node=None):
        os.makedirs(directory, exist_ok=True)
        self.ports = {name: free_port() for name in ("default", "management", "protocol", "control", "version")}
        settings = {
            "edc.participant.id": EDC_ID,
            "edc.participant.context.id": "edc",
            "edc.hostname": "127.0.0.1",
            "edc.mock.region": "eu",
            "web.http.port": self.ports["default"], "web.http.path": "/api",
            "edc.dsp.callback.address": f"http://127.0.0.1:{self.ports['protocol']}/protocol",
            "edc.negotiation.state-machine.iteration-wait-millis": EDC_LOOKS_MS,
            "edc.negotiation.consumer.state-machine.iteration-wait-millis": EDC_LOOKS_MS,
            "edc.negotiation.provider.state-machine.iteration-wait-millis": EDC_LOOKS_MS,
            "edc.transfer.state-machine.iteration-wait-millis": EDC_LOOKS_MS,
        }
        # `observe` asks the node what it would say; the token may read and nothing else.
        if node:
            settings["tegata.url"], settings["tegata.token.file"] = node.base, f"{directory}/read.token"
            with open(f"{directory}/read.token", "w") as f:
                f.write(node.post("/v1/tokens", {"id": "edc", "role": "read"})["secret"])
        for name in ("management", "protocol", "control", "version"):
            settings[f"web.http.{name}.port"] = self.ports[name]
            settings[f"web.http.{name}.path"] = f"/{name}"
        self.log = open(f"{directory}/edc.log", "wb")
        self.spawned = time.monotonic()
        self.process = subprocess.Popen(
            ["java", "-Xmx512m", "-cp", f"{lib}/*:{directory}/observe", *(f"-D{k}={v}" for k, v in settings.items()),
             "org.eclipse.edc.boot.system.runtime.BaseRuntime"],
            stdout=self.log, stderr=subprocess.STDOUT,
        )
        self.protocol = f"http://127.0.0.1:{self.ports['protocol']}/protocol/2025-1"
        end = time.monotonic() + LIMIT["start"]
        while b"ready" not in open(f"{directory}/edc.log", "rb").read():
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"EDC did not start within {LIMIT['start']} s; see {directory}/edc.log")
            time.sleep(LOOK)
        plane = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Plane)
        threading.Thread(target=plane.serve_forever, daemon=True).start()
        self.call("control", "POST", "/v1/dataplanes", {
            "@context": {"@vocab": EDC}, "@id": str(uuid.uuid4()), "@type": "DataPlaneInstance",
            "url": f"http://127.0.0.1:{plane.server_port}/dataflows", "allowedSourceTypes": ["HttpData"],
            "allowedDestTypes": ["HttpData"], "allowedTransferTypes": [PULL],
        })

    def call(self, api, method, path, body=None):
        url = f"http://127.0.0.1:{self.ports[api]}/{api}{path}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as e:
            raise AssertionError(f"EDC: {method} {path}: {e.code} {e.read().decode(errors='replace')}") from None

    def manage(self, method, path, body=None):
        if body is not None:
            body = {"@context": {"@vocab": EDC}, **body}
        return self.call("management", method, f"/v3{path}", body)

    def offer(self):
        """Offers an asset under random ids and returns its id."""
        asset, policy = str(uuid.uuid4()), str(uuid.uuid4())
        self.manage("POST", "/assets", {"@id": asset, "properties": {"name": asset}, "dataAddress": {
            "@type": "DataAddress", "type": "HttpData", "baseUrl": "https://127.0.0.1:9/source"}})
        self.manage("POST", "/policydefinitions", {"@id": policy, "policy": {
            "@context": ODRL, "@type": "Set", "permission": [{"action": "use"}]}})
        self.manage("POST", "/contractdefinitions", {"@id": str(uuid.uuid4()), "accessPolicyId": policy,
            "contractPolicyId": policy, "assetsSelector": [{"@type": "Criterion", "operandLeft": EDC + "id",
            "operator": "=", "operandRight": asset}]})
        return asset

    def state(self, kind, pid):
        return self.manage("GET", f"/{kind}/{pid}")

    def wait_for(self, kind, pid, *states):
        """Waits until a process is in one of these states; one that ended otherwise fails at once."""
        limit = LIMIT["negotiation" if kind == "contractnegotiations" else "transfer"]
        end = time.monotonic() + limit
        while True:
            now = self.state(kind, pid)
            if now["state"] in states:
                return now
            assert now["state"] != "TERMINATED", f"EDC ended {kind}: {json.dumps(now)}"
            assert time.monotonic() < end, f"EDC: {kind} is not {' or '.join(states)} after {limit} s: {json.dumps(now)}"
            time.sleep(LOOK)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


# EDC tells no other end of a transfer than one of these.
ENDED = ("TERMINATED", "DEPROVISIONING", "DEPROVISIONED")


def wait(node, process, pid, state):
    """Waits until a process of ours is in a state and nothing of it is on its way: then the next move may be made."""
    limit = LIMIT[process]
    standing = node.wait_for(process, pid, state, limit)
    end = time.monotonic() + limit
    while standing["on_its_way"]:
        assert time.monotonic() < end, f"{process} {pid}: a message is on its way for {limit} s: {json.dumps(standing)}"
        time.sleep(LOOK)
        standing = node.wait_for(process, pid, state, limit)
    return standing


def we_provide(node, edc):
    """EDC asks: catalog, negotiation, transfer; EDC suspends, resumes, terminates; then we do."""
    dataset = f"urn:uuid:{uuid.uuid4()}"
    node.post("/v1/peers", {"id": EDC_ID, "facts": TAKER})
    node.offer(dataset)
    where = {"counterPartyAddress": node.protocol, "counterPartyId": OUR_ID, "protocol": PROTOCOL}
    catalog = edc.manage("POST", "/catalog/request", {"@type": "CatalogRequest", **where})
    offer = next(d for d in catalog["dataset"] if d["@id"] == dataset)["hasPolicy"][0]
    yield "EDC reads our catalog"
    asked = edc.manage("POST", "/contractnegotiations", {"@type": "ContractRequest", **where, "policy": {
        **offer, "@context": ODRL, "assigner": OUR_ID, "target": dataset}})
    agreed = edc.wait_for("contractnegotiations", asked["@id"], "FINALIZED")
    yield "EDC asks, we agree, both finalize"
    request = {"@type": "TransferRequest", **where, "contractId": agreed["contractAgreementId"], "transferType": PULL}

    def begin():
        theirs = edc.manage("POST", "/transferprocesses", request)["@id"]
        edc.wait_for("transferprocesses", theirs, "STARTED")
        ours = next(t["id"] for t in node.get("/v1/transfers")["transfers"] if t["peer_pid"] == theirs)
        wait(node, "transfer", ours, "STARTED")
        return theirs, ours

    theirs, ours = begin()
    yield "EDC asks for a transfer, we start it"
    edc.manage("POST", f"/transferprocesses/{theirs}/suspend", {"@type": "SuspendTransfer", "reason": "a test"})
    edc.wait_for("transferprocesses", theirs, "SUSPENDED")
    wait(node, "transfer", ours, "SUSPENDED")
    yield "EDC suspends"
    edc.manage("POST", f"/transferprocesses/{theirs}/resume")
    edc.wait_for("transferprocesses", theirs, "STARTED")
    wait(node, "transfer", ours, "STARTED")
    yield "EDC resumes"
    edc.manage("POST", f"/transferprocesses/{theirs}/terminate", {"@type": "TerminateTransfer", "reason": "a test"})
    wait(node, "transfer", ours, "TERMINATED")
    yield "EDC terminates"
    theirs, ours = begin()
    node.act("transfer", ours, "suspend", code="test", reasons=["a test"])
    edc.wait_for("transferprocesses", theirs, "SUSPENDED")
    yield "we suspend as provider"
    node.act("transfer", ours, "resume")
    edc.wait_for("transferprocesses", theirs, "STARTED")
    yield "we resume as provider"
    node.act("transfer", ours, "terminate", code="test", reasons=["a test"])
    edc.wait_for("transferprocesses", theirs, *ENDED)
    yield "we terminate as provider"


def we_consume(node, edc):
    """We ask EDC: catalog, negotiation, transfer; we suspend, resume, terminate."""
    asset = edc.offer()
    catalog = node.post("/v1/catalog", {"provider": edc.protocol})
    assert any(d["@id"] == asset for d in catalog["dataset"]), catalog
    yield "we read EDC's catalog"
    pid = node.post("/v1/requests", {"address": edc.protocol, "dataset": asset, "handling": "manual"})["negotiation"]
    wait(node, "negotiation", pid, "AGREED")
    node.act("negotiation", pid, "verify")
    agreed = wait(node, "negotiation", pid, "FINALIZED")["agreement"]["@id"]
    yield "we ask, EDC agrees, both finalize"

    def begin():
        ours = node.post("/v1/transfers", {"agreement": agreed, "format": PULL, "handling": "manual"})["id"]
        started = wait(node, "transfer", ours, "STARTED")
        edc.wait_for("transferprocesses", started["peer_pid"], "STARTED")
        return ours, started["peer_pid"]

    ours, theirs = begin()
    yield "we ask for a transfer, EDC starts it"
    node.act("transfer", ours, "suspend", code="test", reasons=["a test"])
    edc.wait_for("transferprocesses", theirs, "SUSPENDED")
    yield "we suspend as consumer"
    node.act("transfer", ours, "resume")
    edc.wait_for("transferprocesses", theirs, "STARTED")
    wait(node, "transfer", ours, "STARTED")
    yield "we resume as consumer"
    edc.manage("POST", f"/transferprocesses/{theirs}/suspend", {"@type": "SuspendTransfer", "reason": "a test"})
    wait(node, "transfer", ours, "SUSPENDED")
    yield "EDC suspends as provider"
    edc.manage("POST", f"/transferprocesses/{theirs}/resume")
    wait(node, "transfer", ours, "STARTED")
    yield "EDC resumes as provider"
    node.act("transfer", ours, "terminate", code="test", reasons=["a test"])
    edc.wait_for("transferprocesses", theirs, *ENDED)
    yield "we terminate as consumer"
    ours, theirs = begin()
    edc.manage("POST", f"/transferprocesses/{theirs}/terminate", {"@type": "TerminateTransfer", "reason": "a test"})
    wait(node, "transfer", ours, "TERMINATED")
    yield "EDC terminates as provider"


def doctor(binary):
    """`tegata doctor --edc` reads the management API of a real EDC in which one negotiation hangs and one was refused."""

    def scenario(node, edc):
        base = f"http://127.0.0.1:{edc.ports['management']}/management"

        def say(*more):
            done = subprocess.run([binary, "doctor", "--edc", base, *more], capture_output=True, text=True, timeout=60)
            return done.returncode, done.stdout + done.stderr

        where = {"counterPartyAddress": "http://127.0.0.1:9/dsp", "counterPartyId": "did:web:gone.example", "protocol": PROTOCOL}
        offer = {"@context": ODRL, "@type": "Offer", "@id": "a:b:c", "assigner": "did:web:gone.example", "target": "t",
                 "permission": [{"action": "use"}]}
        hangs = edc.manage("POST", "/contractnegotiations", {"@type": "ContractRequest", **where, "policy": offer})["@id"]
        edc.wait_for("contractnegotiations", hangs, "REQUESTING")
        before = edc.manage("POST", "/contractnegotiations/request", {"@type": "QuerySpec"})
        # As if it were tomorrow: what moved a moment ago is not called stuck.
        tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400))
        status, text = say("--now", tomorrow)
        assert status == 1 and hangs in text and "the request has not been taken" in text, text
        assert "nobody answers there" in text and len(text.splitlines()) <= 24, text
        yield "the doctor names the negotiation that hangs, and why, on one screen"
        after = edc.manage("POST", "/contractnegotiations/request", {"@type": "QuerySpec"})
        assert len(before) == len(after), "the doctor only reads"
        status, text = say()
        assert "negotiations" in text and "stuck" not in text, text
        yield "the doctor changes nothing"

    return scenario


def take_over(binary, directory):
    """`tegata import --edc` takes over what a real EDC offers, and the EDC finds it again in the catalog of our node."""

    def scenario(node, edc):
        base = f"http://127.0.0.1:{edc.ports['management']}/management"
        files = f"{directory}/files"
        os.makedirs(files)
        with open(f"{directory}/token", "w") as f:
            f.write(node.token)
        with open(f"{directory}/facts.json", "w") as f:
            json.dump(GIVER, f)

        def take(*more):
            done = subprocess.run([binary, "import", "--edc", base, "--at", node.base, "--token-file", f"{directory}/token", "--json",
                                   "--facts", f"{directory}/facts.json", "--files", files, *more], capture_output=True, text=True, timeout=120)
            assert done.stdout, done.stderr
            return done.returncode, {a["asset"]: a for a in json.loads(done.stdout)["assets"]}

        def policy(*constraints):
            pid = str(uuid.uuid4())
            edc.manage("POST", "/policydefinitions", {"@id": pid, "policy": {"@context": [ODRL, {"edc": EDC}], "@type": "Set",
                "permission": [{"action": "use", "constraint": list(constraints)}] if constraints else []}})
            return pid

        def define(access, terms, left, operator, right):
            edc.manage("POST", "/contractdefinitions", {"@id": str(uuid.uuid4()), "accessPolicyId": access, "contractPolicyId": terms,
                "assetsSelector": [{"@type": "Criterion", "operandLeft": EDC + left, "operator": operator, "operandRight": right}]})

        group = str(uuid.uuid4())
        bulk = sorted(str(uuid.uuid4()) for _ in range(600))
        for asset in bulk:
            edc.manage("POST", "/assets", {"@id": asset, "properties": {"name": f"Stations of {asset}", "group": group},
                "dataAddress": {"@type": "DataAddress", "type": "HttpData", "baseUrl": "https://127.0.0.1:9/source"}})
            with open(f"{files}/{asset}.csv", "w") as f:
                f.write("station,temperature\nA,1\n")
        until = {"leftOperand": "edc:inForceDate", "operator": "lteq", "rightOperand": "2099-01-01T00:00:00Z"}
        since = {"leftOperand": "edc:inForceDate", "operator": "lteq", "rightOperand": "contractAgreement+30d"}
        always, dated, relative = policy(until), policy(until), policy(since)
        define(always, dated, "group", "=", group)
        odd = edc.offer()
        define(always, relative, "id", "=", odd)
        before = [edc.manage("POST", f"/{k}/request", {"@type": "QuerySpec", "limit": 5000}) for k in ("assets", "policydefinitions", "contractdefinitions")]
        code, plan = take()
        assert code == 1 and all(plan[a]["outcome"] == "new" for a in bulk), [plan[a] for a in bulk if plan[a]["outcome"] != "new"][:3]
        whys = {r["code"] for r in plan[odd]["reasons"]}
        assert plan[odd]["outcome"] == "refused" and "import/several" in whys and "import/terms" in whys, plan[odd]
        assert not any(o["dataset"] in bulk for o in node.get("/v1/offers")["offers"]), "a plan changes nothing"
        yield "the plan names 600 assets of several pages, and what cannot be taken over, and why"
        code, done = take("--apply")
        assert all(done[a]["outcome"] == "offered" for a in bulk), done
        _, again = take("--apply")
        assert all(again[a]["outcome"] == "same" for a in bulk), again
        after = [edc.manage("POST", f"/{k}/request", {"@type": "QuerySpec", "limit": 5000}) for k in ("assets", "policydefinitions", "contractdefinitions")]
        assert [len(x) for x in before] == [len(x) for x in after], "the EDC is only read"
        yield "they are offered, a repeat changes nothing, the EDC was only read"
        where = {"counterPartyAddress": node.protocol, "counterPartyId": OUR_ID, "protocol": PROTOCOL}

        def listed(asset):
            found = edc.manage("POST", "/catalog/dataset/request", {"@type": "DatasetRequest", **where, "@id": asset})
            return found["hasPolicy"][0] if isinstance(found["hasPolicy"], list) else found["hasPolicy"]

        assert "2099-01-01T00:00:00Z" in json.dumps(listed(bulk[0])), listed(bulk[0])
        seen = edc.offer()
        with open(f"{files}/{seen}.csv", "w") as f:
            f.write("station,temperature\nA,1\n")
        code, done = take("--apply", "--asset", seen)
        assert code == 0 and done[seen]["outcome"] == "offered", done
        asked = edc.manage("POST", "/contractnegotiations", {"@type": "ContractRequest", **where, "policy": {
            **listed(seen), "@context": ODRL, "assigner": OUR_ID, "target": seen}})
        edc.wait_for("contractnegotiations", asked["@id"], "FINALIZED")
        yield "EDC finds them in our catalog under its own terms, asks for one, and both finalize"

        def consume():
            ours = node.post("/v1/requests", {"address": edc.protocol, "dataset": seen, "handling": "manual"})["negotiation"]
            wait(node, "negotiation", ours, "AGREED")
            node.act("negotiation", ours, "verify")
            wait(node, "negotiation", ours, "FINALIZED")

        def counted(what, times):
            end = time.monotonic() + LIMIT["transfer"]
            while True:
                total = node.get("/v1/checks/observed", counterparty=OUR_ID)["total"]
                if total[what] >= times:
                    return total
                assert time.monotonic() < end, f"not {times} times {what}: {json.dumps(total)}"
                time.sleep(LOOK)

        # EDC names whoever asks it by its id: the node knows nothing of itself as a recipient, so it would refuse.
        before = node.get("/v1/checks/observed")["total"]["let"]
        consume()
        total = counted("refused", 1)
        assert any(slot.startswith("recipient.") for slot in total["missing"]), total
        yield "EDC's policy engine asks what the law says, is not held up by a refusal, and it is counted"
        node.post("/v1/peers", {"id": OUR_ID, "facts": TAKER})
        consume()
        assert counted("let", 1)["let"] > before
        yield "once the facts are told, the same question would have been let"

    return scenario


STEPS = {"we_provide": 9, "we_consume": 9, "doctor": 2, "take_over": 5}


def main():
    binary, lib, directory, report = sys.argv[1:5]
    node, cases = Tegata(binary, directory, OUR_ID), []
    edc = None
    try:
        edc = Edc(lib, directory, node)
        for name, scenario in (("we_provide", we_provide), ("we_consume", we_consume), ("doctor", doctor(binary)),
                               ("take_over", take_over(binary, directory))):
            done = 0
            try:
                for step in scenario(node, edc):
                    done += 1
                    cases.append((name, step, None))
                    print(f"ok   {step}", flush=True)
            except (Exception, SystemExit) as e:
                traceback.print_exc()
                print(f"     our negotiations: {json.dumps(node.get('/v1/negotiations'))[:2000]}", flush=True)
                cases.append((name, f"step {done + 1} of {STEPS[name]}", str(e)))
                print(f"FAIL {name}, after {done} steps: {e}", flush=True)
    finally:
        node.stop()
        if edc:
            edc.stop()
    failed = sum(1 for c in cases if c[2])
    passed = len(cases) - failed
    with open(report, "w") as f:
        f.write(f'<testsuite name="edc" tests="{len(cases)}" failures="{failed}">\n')
        for scenario, step, why in cases:
            inner = f"<failure>{escape(why)}</failure>" if why else ""
            f.write(f"  <testcase classname={quoteattr(scenario)} name={quoteattr(step)}>{inner}</testcase>\n")
        f.write("</testsuite>\n")
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if failed == 0 and passed == sum(STEPS.values()) else 1)


if __name__ == "__main__":
    main()
