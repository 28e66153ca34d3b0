"""What an operator would set up so that the kit can play the other roles: whose word counts, what is issued, who may ask
for tokens. All of it by tegata.toml and /v1; the program knows nothing of the kit.

driver.py BINARY DIRECTORY KIT_PORT: writes DIRECTORY/{holder,issuer,verifier}.properties, then waits until it is killed.
"""

import os
import signal
import sys
import threading
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from tegata import Tegata, free_port

KINDS = ["MembershipCredential", "SensitiveDataCredential"]
# The kit asks the verifier for exactly this scope, in the spelling of earlier drafts.
REQUIRED = "org.eclipse.dspace.dcp.vc.type:MembershipCredential:read"
# What release candidates of the kit call a JWT of the data model 1.1 in a message; later ones take the profile's alias.
FORMATS = {"vc11-sl2021/jwt": "VC1_0_JWT", "vc20-bssl/jwt": "VC2_0_JOSE"}


def claims(kit_port):
    issuer = f"did:web:localhost%3A{kit_port}:issuer"
    kinds = ", ".join(f'"{kind}"' for kind in KINDS)
    return (
        "[claims]\npeers = \"token\"\ndrafts = true\nrecheck_ms = 0\n"
        f'require = ["{REQUIRED}"]\n'
        f'[claims.trust]\n"{issuer}" = [{kinds}]\n'
    )


def offer_credentials(node):
    for profile, form in FORMATS.items():
        for kind in KINDS:
            node.call("PUT", f"/v1/issuer/credentials/{uuid.uuid4()}", {
                "kind": kind, "profile": profile, "format": form, "claims": {"foo": "bar"}, "holders": ["*"],
            })


def properties(node, kit_port):
    kit = f"http://localhost:{kit_port}"
    common = {
        "dataspacetck.debug": "true",
        "dataspacetck.ansi": "false",
        "dataspacetck.callback.address": kit,
        "dataspacetck.host": "localhost",
        "dataspacetck.port": str(kit_port),
    }
    roles = {
        "holder": {
            "dataspacetck.did.holder": node.participant,
            "dataspacetck.sts.url": f"{node.base}/v1/sts",
            "dataspacetck.sts.client.id": node.participant,
            "dataspacetck.sts.client.secret": node.token,
        },
        "issuer": {"dataspacetck.did.issuer": node.participant},
        "verifier": {
            "dataspacetck.did.verifier": node.participant,
            "dataspacetck.vpp.trigger.endpoint": f"{node.root}/dcp/standing",
        },
    }
    for role, more in roles.items():
        with open(f"{node.directory}/{role}.properties", "w") as f:
            f.write("".join(f"{key}={value}\n" for key, value in {**common, **more}.items()))


def main():
    binary, directory, kit_port = sys.argv[1:4]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    port = free_port()
    node = Tegata(binary, directory, f"did:web:localhost%3A{port}", more=claims(kit_port), port=port)
    try:
        offer_credentials(node)
        properties(node, kit_port)
        print("ready", flush=True)
        threading.Event().wait()
    finally:
        node.stop()


if __name__ == "__main__":
    main()
