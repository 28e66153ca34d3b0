"""What an operator would do around each scenario of the kit of Data Plane Signaling, by /v1 alone.

One node is both: the control plane, with the kit as its data plane and as the peer's connector; and the data plane, with the
kit as its control plane and as the client that pulls.

The kit's messages of Data Plane Signaling pass untouched. Its messages of the Dataspace Protocol are not those of the
standard (its `@context` is no array, it makes up the peer's pid, its answers have no state), and the node refuses such; a relay
puts them right, see `repaired`. The relay also adds the token to the kit's calls to our control plane, which has none.

driver.py BINARY DIRECTORY KIT_PORT: writes DIRECTORY/kit.properties, then acts until it is killed.
"""

import http.server
import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from tegata import TAKER, USE, Refused, Tegata, free_port

CONTEXT = "https://w3id.org/dspace/2025/1/context.jsonld"
PLANE = "kit"
# The kit begins to listen for what we tell a moment after it has seen the state before.
PAUSE = 1.0

CONTROL = {
    "consumer": ["CP_C_01_01", "CP_C_01_02", "CP_C_02_01", "CP_C_02_02", "CP_C_03_01"],
    "provider": ["CP_P_01_01", "CP_P_01_02", "CP_P_02_01", "CP_P_02_02", "CP_P_03_01"],
}
PEERS = {"consumer": "providerId", "provider": "consumerId"}
# As data plane of a provider: each scenario has a dataset and an agreement of its own.
PROVIDES = [
    *(f"DP_P_PULL_{n}" for n in ("01_01", "01_02", "02_01", "02_02", "04_01")),
    *(f"DP_P_PUSH_{n}" for n in ("01_01", "01_02", "02_01", "02_02", "03_01", "04_01")),
    *(f"DP_P_HTTP_PULL_{n}" for n in ("01_01", "02_01", "02_02")),
]
# What a person makes ready, and what a person says is done: the kit gives no place to push to and no data to pull.
READY = ["DP_C_PULL_04_01", "DP_C_PUSH_04_01", "DP_P_PULL_04_01", "DP_P_PUSH_04_01"]
COMPLETE = ["DP_C_PULL_03_01", "DP_P_PUSH_03_01"]


def dataset_of(scenario):
    return "D" + scenario.replace("_", "")


def agreement_of(scenario):
    return "G" + scenario.replace("_", "")


def agreement(scenario, assigner, assignee):
    return {
        "@id": agreement_of(scenario), "@type": "Agreement", "target": dataset_of(scenario), "assigner": assigner,
        "assignee": assignee, "timestamp": "2026-11-22T00:00:00Z", "permission": USE,
    }


def configuration():
    by_hand = json.dumps([dataset_of(s) for s in READY if s.startswith("DP_C")])
    return (
        '[claims]\npeers = "either"\n'
        f"[signaling]\nrenewable_only = true\nby_hand = {by_hand}\n"
    )


def prepare(node, kit, client, relay):
    """Planes, offers, peers and agreements as an operator would have them."""
    node.post("/v1/peers", {"id": client, "facts": TAKER})
    node.call("PUT", "/v1/signaling/dataplanes", {
        "dataplaneId": PLANE, "endpoint": kit, "profiles": ["HttpData-PULL"]})
    node.call("PUT", "/v1/signaling/controlplanes", {"controlplaneId": PLANE, "endpoint": kit})
    for role, scenarios in CONTROL.items():
        peer = PEERS[role]
        node.post("/v1/peers", {"id": peer, "facts": TAKER})
        for scenario in scenarios:
            if role == "provider":
                node.offer(dataset_of(scenario), plane=PLANE)
            ends = (node.participant, peer) if role == "provider" else (peer, node.participant)
            node.post("/v1/agreements", {
                "role": role, "peer": peer, "address": f"{relay}/kit", "agreement": agreement(scenario, *ends)})
    for scenario in PROVIDES:
        node.offer(dataset_of(scenario), transfer="manual" if scenario in READY else "automatic")
        node.post("/v1/agreements", {
            "role": "provider", "peer": client, "address": f"{relay}/kit",
            "agreement": agreement(scenario, node.participant, client)})


def properties(node, kit, client, relay, token):
    lines = {
        "dataspacetck.debug": "true",
        "dataspacetck.ansi": "false",
        "dataspacetck.callback.address": kit,
        "dataspacetck.host": "localhost",
        "dataspacetck.port": kit.rsplit(":", 1)[1],
        "dataspacetck.dps.default.wait": "15",
        "dataspacetck.dps.controlplane.webhook.url": relay,
        "dataspacetck.dps.controlplane.protocol.url": f"{relay}/us",
        "dataspacetck.dps.controlplane.signaling.url": f"{relay}/signaling",
        "dataspacetck.dps.dataplane.url": f"{node.base}/v1/signaling",
        "dataspacetck.dps.dataplane.authorization": f"Bearer {token}",
        "dataspacetck.dps.dataplane.provider.id": node.participant,
        "dataspacetck.dps.dataplane.counterparty.id": client,
    }
    for scenario in [*CONTROL["consumer"], *CONTROL["provider"], *PROVIDES]:
        lines[f"{scenario}_AGREEMENTID"] = agreement_of(scenario)
    for scenario in [*CONTROL["consumer"], *PROVIDES, *READY, *COMPLETE]:
        lines[f"{scenario}_DATASETID"] = dataset_of(scenario)
    with open(f"{node.directory}/kit.properties", "w") as f:
        f.write("".join(f"{key}={value}\n" for key, value in lines.items()))


def send(method, url, body, headers):
    """The status and the body of the answer."""
    request = urllib.request.Request(url, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def repaired(message, pids):
    """A message of the Dataspace Protocol as the standard has it."""
    context = message.get("@context")
    if isinstance(context, str):
        message["@context"] = [context]
    if "providerPid" in message and pids:
        message["providerPid"], message["consumerPid"] = pids
    return message


class Relay(http.server.BaseHTTPRequestHandler):
    """/dataflows/trigger: the kit asks our control plane to begin. /us and /kit: the Dataspace Protocol between the two.
    /signaling: the kit's calls to our control plane, with the token."""

    protocol_version = "HTTP/1.1"
    node = kit = token = relay = None
    pids = {}

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def headers_of(self):
        out = {"Content-Type": "application/json"}
        if self.headers.get("Authorization"):
            out["Authorization"] = self.headers["Authorization"]
        return out

    def do_GET(self):
        self.pass_on("GET", None)

    def do_POST(self):
        self.pass_on("POST", self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def pass_on(self, method, body):
        try:
            _, door, rest = self.path.split("/", 2)
            self.answer(*{"us": self.us, "kit": self.to_kit, "signaling": self.signal, "dataflows": self.trigger}[door](method, rest, body))
        except Exception as e:
            print(f"relay: {self.path}: {e!r}", flush=True)
            self.answer(500, b"{}")

    def signal(self, method, rest, body):
        headers = {**self.headers_of(), "Authorization": f"Bearer {self.token}"}
        return send(method, f"{self.node.base}/v1/signaling/{rest}", body, headers)

    def trigger(self, method, rest, body):
        asked = json.loads(body)
        begun = self.node.post("/v1/transfers", {
            "agreement": asked["agreementId"], "address": f"{self.relay}/kit", "format": "HttpData-PULL",
            "handling": "manual", "plane": PLANE})
        return 200, json.dumps({"id": begun["id"]}).encode()

    def us(self, method, rest, body):
        """From the kit to us."""
        pid = rest.split("/")[1]
        if body:
            message = repaired(json.loads(body), self.pids.get(pid))
            body = json.dumps(message).encode()
        # The kit does not wait until a move has been answered before it makes the next.
        for _ in range(20):
            status, text = send(method, f"{self.node.protocol}/{rest}", body, self.headers_of())
            if status not in (400, 503) or method == "GET":
                break
            time.sleep(0.1)
        if pid == "request" and status == 201:
            begun = json.loads(text)
            self.pids[begun["providerPid"]] = (begun["providerPid"], begun["consumerPid"])
        if status >= 400:
            print(f"us: {method} {rest}: {status} {text[:300]}", flush=True)
        return status, text

    def to_kit(self, method, rest, body):
        """From us to the kit."""
        message = json.loads(body) if body else {}
        if "callbackAddress" in message:
            message["callbackAddress"] = f"{self.relay}/us"
        status, text = send(method, f"{self.kit}/{rest}", json.dumps(message).encode() if body else None, self.headers_of())
        if message.get("@type") == "TransferRequestMessage" and status == 200:
            told = repaired(json.loads(text), None)
            told["state"] = "REQUESTED"
            self.pids[message["consumerPid"]] = (told["providerPid"], message["consumerPid"])
            return 201, json.dumps(told).encode()
        return status, text

    def log_message(self, *_):
        pass


def follow(node):
    """Does for each data flow what a person would."""
    ready = {dataset_of(s) for s in READY}
    complete = {dataset_of(s) for s in COMPLETE}
    done = set()
    while True:
        for flow in node.get("/v1/dataflows")["dataflows"]:
            coming = flow["state"] in ("PREPARING", "STARTING")
            for act, wanted in (("ready", flow["dataset"] in ready and coming),
                                ("complete", flow["dataset"] in complete and flow["state"] == "STARTED")):
                if wanted and (flow["id"], act) not in done:
                    done.add((flow["id"], act))
                    threading.Timer(PAUSE, try_act, (node, flow["id"], act)).start()
        time.sleep(0.1)


def try_act(node, flow, act):
    try:
        node.post(f"/v1/dataflows/{flow}/{act}")
    except Refused as e:
        print(f"{flow}: {act}: {e}", flush=True)


def main():
    binary, directory, kit_port = sys.argv[1:4]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    kit, client = f"http://localhost:{kit_port}", f"did:web:localhost%3A{kit_port}"
    port = free_port()
    node = Tegata(binary, directory, f"did:web:localhost%3A{port}", more=configuration(), port=port)
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Relay)
        Relay.node, Relay.kit, Relay.relay = node, kit, f"http://127.0.0.1:{server.server_port}"
        Relay.token = node.post("/v1/tokens", {"id": PLANE, "role": "plane"})["secret"]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        prepare(node, kit, client, Relay.relay)
        properties(node, kit, client, Relay.relay, Relay.token)
        print("ready", flush=True)
        follow(node)
    finally:
        node.stop()


if __name__ == "__main__":
    main()
