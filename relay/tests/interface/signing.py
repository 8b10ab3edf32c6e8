"""Signs what schemathesis sends to an insurer's server, as samples/claims/client.py does.

Read by schemathesis (SCHEMATHESIS_HOOKS); SUISHEN_KEY names the key, SUISHEN_URL the server.
"""
import os, pathlib, sys, urllib.parse

import requests.auth
import schemathesis

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "samples" / "claims"))
from client import Insurer  # noqa: E402

insurer = Insurer(os.environ["SUISHEN_URL"], os.environ["SUISHEN_KEY"])


class Signed(requests.auth.AuthBase):
    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        at = urllib.parse.urlsplit(request.url)
        once = request.headers.get("Idempotency-Key", "")
        request.headers.update(insurer.headers(request.method, at.path, body, at.query, once))
        return request


schemathesis.auth.set_from_requests(Signed())
