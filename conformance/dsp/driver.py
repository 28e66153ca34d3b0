"""What an operator would do in each scenario of the kit, by /v1 alone.

The program knows nothing of the kit: this script offers datasets, records agreements, and makes the moves that a scenario
expects of the connector under test when the peer has moved.

driver.py BINARY DIRECTORY KIT_PORT: writes DIRECTORY/kit.properties, then acts until it is killed.
"""

import http.server
import json
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from tegata import TAKER, USE, Refused, Tegata, free_port

KIT = "TCK_PARTICIPANT"
# The kit begins to listen for a message a moment after the one before it was answered.
PAUSE = 0.4
FORMAT = "HttpData-PULL"

# Scenario → what we do when the peer (or we) reached a state, in this order.
NEGOTIATIONS = {
    "CN_01_01": [("REQUESTED", "offer")],
    "CN_01_02": [("REQUESTED", "offer"), ("REQUESTED", "terminate")],
    "CN_01_03": [("REQUESTED", "offer"), ("ACCEPTED", "agree"), ("VERIFIED", "finalize")],
    "CN_01_04": [("REQUESTED", "agree"), ("VERIFIED", "finalize")],
    "CN_02_01": [("REQUESTED", "terminate")],
    "CN_02_02": [],
    "CN_02_03": [("REQUESTED", "agree")],
    "CN_02_04": [("REQUESTED", "offer")],
    "CN_02_05": [("REQUESTED", "offer"), ("OFFERED", "terminate")],
    "CN_02_06": [("REQUESTED", "offer"), ("ACCEPTED", "terminate")],
    "CN_02_07": [("REQUESTED", "agree"), ("VERIFIED", "terminate")],
    "CN_03_01": [("REQUESTED", "agree"), ("VERIFIED", "finalize")],
    "CN_03_02": [("REQUESTED", "offer")],
    "CN_03_03": [("REQUESTED", "offer")],
    "CN_03_04": [("REQUESTED", "offer")],
    "CN_C_01_01": [("OFFERED", "accept"), ("AGREED", "verify")],
    "CN_C_01_02": [("OFFERED", "counter")],
    "CN_C_01_03": [("OFFERED", "terminate")],
    "CN_C_01_04": [("AGREED", "verify")],
    "CN_C_02_01": [],
    "CN_C_02_02": [("REQUESTED", "terminate")],
    "CN_C_02_03": [("AGREED", "terminate")],
    "CN_C_02_04": [],
    "CN_C_02_05": [("OFFERED", "accept")],
    "CN_C_02_06": [("AGREED", "verify")],
    "CN_C_03_01": [],
    "CN_C_03_02": [],
    "CN_C_03_03": [],
    "CN_C_03_04": [("OFFERED", "accept")],
    "CN_C_03_05": [("OFFERED", "accept")],
    "CN_C_03_06": [("OFFERED", "accept")],
}
TRANSFERS = {
    "TP_01_01": [("REQUESTED", "start"), ("STARTED", "terminate")],
    "TP_01_02": [("REQUESTED", "start"), ("STARTED", "complete")],
    "TP_01_03": [("REQUESTED", "start"), ("STARTED", "suspend"), ("SUSPENDED", "terminate")],
    "TP_01_04": [("REQUESTED", "start"), ("STARTED", "suspend"), ("SUSPENDED", "resume"), ("STARTED", "complete")],
    "TP_01_05": [("REQUESTED", "terminate")],
    **{f"TP_02_0{n}": [("REQUESTED", "start")] for n in (1, 2, 3, 4)},
    "TP_02_05": [],
    "TP_03_01": [],
    "TP_03_02": [],
    **{f"TP_03_0{n}": [("REQUESTED", "start")] for n in (3, 4, 5, 6)},
    **{f"TP_C_01_0{n}": [] for n in (1, 2, 3, 4, 5)},
    "TP_C_02_01": [("STARTED", "terminate")],
    "TP_C_02_02": [("STARTED", "complete")],
    "TP_C_02_03": [("STARTED", "suspend"), ("SUSPENDED", "terminate")],
    "TP_C_02_04": [("STARTED", "suspend"), ("SUSPENDED", "resume"), ("STARTED", "complete")],
    "TP_C_02_05": [("REQUESTED", "terminate")],
    **{f"TP_C_03_0{n}": [] for n in (1, 2, 3, 4, 5, 6)},
}
CATALOG = ["CAT_01_01", "CAT_01_02"]


def dataset_of(scenario):
    return "A" + scenario.replace("_", "")


def agreement_of(scenario):
    return "G" + scenario.replace("_", "")


def terms(name):
    return {"@id": name, "@type": "Offer", "permission": USE}


def prepare(node, kit):
    """Offers, peers and agreements as an operator would have them."""
    node.post("/v1/peers", {"id": KIT, "facts": TAKER})
    for scenario in CATALOG + [s for s in NEGOTIATIONS if "_C_" not in s]:
        node.offer(dataset_of(scenario), negotiation="manual", transfer="manual")
    for scenario in TRANSFERS:
        ours = "consumer" if "_C_" in scenario else "provider"
        if ours == "provider":
            node.offer(dataset_of(scenario), negotiation="manual", transfer="manual")
        assigner, assignee = (node.participant, KIT) if ours == "provider" else (KIT, node.participant)
        node.post("/v1/agreements", {"role": ours, "peer": KIT, "address": kit, "agreement": {
            "@id": agreement_of(scenario), "@type": "Agreement", "target": dataset_of(scenario),
            "assigner": assigner, "assignee": assignee, "timestamp": "2026-11-22T00:00:00Z", "permission": USE,
        }})


def properties(node, kit, hooks):
    lines = {
        "dataspacetck.debug": "true",
        "dataspacetck.ansi": "false",
        "dataspacetck.callback.address": kit,
        "dataspacetck.host": "127.0.0.1",
        "dataspacetck.port": kit.rsplit(":", 1)[1],
        "dataspacetck.dsp.local.connector": "false",
        "dataspacetck.dsp.connector.agent.id": node.participant,
        "dataspacetck.dsp.connector.http.url": node.protocol,
        "dataspacetck.dsp.connector.http.base.url": node.root,
        "dataspacetck.dsp.connector.http.headers.authorization": json.dumps({"clientId": KIT}),
        "dataspacetck.dsp.connector.negotiation.initiate.url": f"{hooks}/negotiations",
        "dataspacetck.dsp.connector.transfer.initiate.url": f"{hooks}/transfers",
        "dataspacetck.dsp.default.wait": "15",
    }
    for scenario in CATALOG + list(NEGOTIATIONS):
        lines[f"{scenario}_DATASETID"] = dataset_of(scenario)
        lines[f"{scenario}_OFFERID"] = f"CD123:{dataset_of(scenario)}:456"
    for scenario in TRANSFERS:
        lines[f"{scenario}_AGREEMENTID"] = agreement_of(scenario)
        lines[f"{scenario}_FORMAT"] = FORMAT
    with open(f"{node.directory}/kit.properties", "w") as f:
        f.write("".join(f"{key}={value}\n" for key, value in lines.items()))


class Hooks(http.server.BaseHTTPRequestHandler):
    """The two addresses at which the kit asks us to begin."""

    protocol_version = "HTTP/1.1"
    node = None

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        common = {"peer": asked["providerId"], "address": asked["connectorAddress"], "handling": "manual"}
        status = 200
        try:
            if self.path == "/negotiations":
                self.node.post("/v1/requests", {
                    **common, "dataset": asked["datasetId"], "terms": terms(asked["offerId"]),
                })
            else:
                self.node.post("/v1/transfers", {
                    **common, "agreement": asked["agreementId"], "format": asked["format"],
                })
        except Refused as e:
            print(f"hook: {e}", flush=True)
            status = 500
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def follow(node, moves):
    """Makes the next move of a scenario when its state is reached."""
    plans = {dataset_of(s): steps for s, steps in NEGOTIATIONS.items()}
    plans |= {agreement_of(s): steps for s, steps in TRANSFERS.items()}
    left = {}
    for move in moves:
        steps = left.setdefault(move["id"], list(plans.get(move["about"], [])))
        if not steps or steps[0][0] != move["state"]:
            continue
        act = steps.pop(0)[1]
        said = {}
        if act in ("terminate", "suspend"):
            said = {"code": "kit", "reasons": ["the scenario says so"]}
        if act in ("offer", "counter"):
            said = {"terms": terms(f"CD123:{move['about']}:789")}
        threading.Timer(PAUSE, try_act, (node, move, act, said)).start()


def try_act(node, move, act, said):
    for _ in range(20):
        try:
            node.act(move["process"], move["id"], act, **said)
            return
        except Refused as e:
            if e.status != 503:
                print(f"{move['about']}: {act}: {e}", flush=True)
                return
            time.sleep(0.05)


def main():
    binary, directory, port = sys.argv[1:4]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    kit = f"http://127.0.0.1:{port}"
    node = Tegata(binary, directory, "did:web:under-test.example")
    try:
        prepare(node, kit)
        Hooks.node = node
        server = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Hooks)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        moves = node.moves()
        properties(node, kit, f"http://127.0.0.1:{server.server_port}")
        print("ready", flush=True)
        follow(node, moves)
    finally:
        node.stop()


if __name__ == "__main__":
    main()
