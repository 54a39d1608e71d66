"""Asks an Assay server who the caller is, signed with btauth/1. Needs: pip install bittensor-wallet"""

import hashlib
import json
import sys
import time
import urllib.request

from bittensor_wallet import Keypair


def ask(method, url, target, body, key, receiver):
    """Asks as the hotkey `key`; gives the answer's data, if the server `receiver` (SS58) has signed it."""
    nonce = str(time.time_ns())
    digest = hashlib.sha256(body).hexdigest()
    text = "\n".join(["btauth/1", "sr25519", method, target, digest, nonce, key.ss58_address, receiver])
    headers = {
        "X-Bittensor-Version": "1",
        "X-Bittensor-Hotkey": key.ss58_address,
        "X-Bittensor-Receiver": receiver,
        "X-Bittensor-Nonce": nonce,
        "X-Bittensor-Signature": "0x" + bytes(key.sign(text.encode())).hex(),
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(url + target, data=body or None, headers=headers, method=method)
    with urllib.request.urlopen(request) as answer:
        content = answer.read()
        digest = hashlib.sha256(content).hexdigest()
        text = "\n".join(["assay-response/1", method, target, str(answer.status), digest, nonce, receiver])
        signature = answer.headers["X-Assay-Signature"]
    assert Keypair(ss58_address=receiver).verify(text.encode(), signature), "not signed by the server"
    return json.loads(content)["data"]


if __name__ == "__main__":
    url, receiver, uri = sys.argv[1:4]
    print(json.dumps(ask("POST", url, "/v1/whoami", b"", Keypair.create_from_uri(uri), receiver)))
