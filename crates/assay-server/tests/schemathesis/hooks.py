"""Hooks of the property-based API test: signs requests of protected operations with btauth/1."""

import hashlib
import os
import time

import requests
import schemathesis
from bittensor_core import Keypair

KEY = Keypair.create_from_uri(os.environ["FUZZ_KEY"])
RECEIVER = os.environ["FUZZ_RECEIVER"]


class Btauth(requests.auth.AuthBase):
    """Signs what is sent, as it is sent."""

    def __call__(self, request):
        nonce = str(time.time_ns())
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        if not isinstance(body, bytes):
            return request
        text = "\n".join(
            [
                "btauth/1",
                "sr25519",
                request.method,
                request.path_url,
                hashlib.sha256(body).hexdigest(),
                nonce,
                KEY.ss58_address,
                RECEIVER,
            ]
        )
        request.headers["X-Bittensor-Version"] = "1"
        request.headers["X-Bittensor-Hotkey"] = KEY.ss58_address
        request.headers["X-Bittensor-Receiver"] = RECEIVER
        request.headers["X-Bittensor-Nonce"] = nonce
        request.headers["X-Bittensor-Signature"] = "0x" + bytes(KEY.sign(text.encode())).hex()
        return request


schemathesis.auth.set_from_requests(Btauth()).apply_to(method="POST")
