#!/usr/bin/env python3
"""A client of an insurer's server: takes a patient's claim, waits until it is open, settles what may be paid.

    client.py URL KEY.pem LINK

In the sandbox LINK may be "sandbox": then a patient is played. Needs Python 3.9 and openssl 3 (SM2, SM3) and nothing else.
A key is made by: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out KEY.pem
"""
import base64, json, os, subprocess, sys, time, urllib.error, urllib.request


def openssl(*arguments, given=b""):
    return subprocess.run(["openssl", *arguments], input=given, stdout=subprocess.PIPE, check=True).stdout


def sm3(content):
    return openssl("dgst", "-sm3", "-binary", given=content)


class Insurer:
    def __init__(self, url, key):
        self.url, self.key = url, key
        self.key_id = sm3(openssl("pkey", "-in", key, "-pubout", "-outform", "DER")[-65:])[:8].hex()

    def sm2(self, text):
        """r and s, 32 bytes each, of SM2 with SM3 and the standard's signer id."""
        der = openssl("dgst", "-sm3", "-sign", self.key, "-sigopt", "distid:1234567812345678", given=text)
        numbers = der[4:4 + der[3]], der[6 + der[3]:]
        return b"".join(number.lstrip(b"\0").rjust(32, b"\0") for number in numbers)

    def headers(self, method, path, body, query="", once=None):
        """Of a POST the idempotency key is signed too."""
        info = json.load(urllib.request.urlopen(self.url + "/v1/info"))
        digest = f"sm3=:{base64.b64encode(sm3(body)).decode()}:"
        nonce = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
        covers, line = (' "idempotency-key"', f'"idempotency-key": {once}\n') if method == "POST" else ("", "")
        signed = (f'("@method" "@path" "@query" "content-digest"{covers});created={info["now"]};keyid="{self.key_id}";'
                  f'nonce="{nonce}";alg="sm2-sm3";tag="suishen-{info["ledger"][:16]}"')
        base = (f'"@method": {method}\n"@path": {path}\n"@query": ?{query}\n"content-digest": {digest}\n'
                f'{line}"@signature-params": {signed}')
        signature = base64.b64encode(self.sm2(base.encode())).decode()
        return {"Content-Digest": digest, "Signature-Input": f"suishen={signed}", "Signature": f"suishen=:{signature}:"}

    def call(self, method, path, content=None):
        body = b"" if content is None else json.dumps(content).encode()
        # New for each thing to be done; a real client stores it beside what it does, and sends it again after a crash.
        once = os.urandom(16).hex()
        more = {"Content-Type": "application/json", "Idempotency-Key": once, "Accept-Language": "en"}
        headers = self.headers(method, path, body, once=once) | more
        try:
            request = urllib.request.Request(self.url + path, body or None, headers, method=method)
            return json.load(urllib.request.urlopen(request))
        except urllib.error.HTTPError as refused:
            problem = json.load(refused)
            sys.exit(f"{problem['detail']}. {problem['action']}")

    def wait(self, path, states):
        while (claim := self.call("GET", path))["state"] in states:
            time.sleep(0.3)
        return claim


def main(url, key, link):
    insurer = Insurer(url, key)
    link = insurer.call("POST", "/v1/sandbox/claims")["link"] if link == "sandbox" else link
    path = "/v1/claims/" + insurer.call("POST", "/v1/claims", {"link": link})["id"]
    claim = insurer.wait(path, ["received", "waiting"])
    if claim["state"] != "open" or "payable" not in claim["invoice"]:
        sys.exit(f"the claim came to nothing: {claim.get('closed', {}).get('detail', claim['state'])}")
    for paper in claim["papers"]:
        print(f"along with it: {paper['title']}, withheld ({paper['withheld']})")
    insurer.call("POST", path + "/decision", {"paid": claim["invoice"]["payable"]})
    settled = insurer.wait(path, ["deciding"])
    print(settled["state"], settled["decision"]["paid"], settled["decision"]["entry"])


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("give URL, KEY.pem and LINK")
    try:
        main(*sys.argv[1:])
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        # Nobody there, no answer that is JSON, or a key that openssl doesn't read (it has said why).
        sys.exit(f"could not go on: {error}")
