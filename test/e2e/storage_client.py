"""A small writer of blobs: enough of Azure Storage's interface to fill an emulator with logs."""

import base64
import datetime
import hashlib
import hmac
import http.client
import re
import subprocess
import urllib.parse

VERSION = "2021-12-02"


class Emulator:
    """Azurite, listening on a port that the system chose."""

    def __init__(self, program, account, key, *options):
        self.account, self.key = account, key
        self.process = subprocess.Popen(
            [program, "--inMemoryPersistence", "--blobPort", "0", "--silent", "--disableTelemetry",
             *options], env={"AZURITE_ACCOUNTS": f"{account}:{key}", "PATH": "/usr/bin:/bin:/usr/local/bin"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            found = re.search(r"successfully listens on (https?)://127\.0\.0\.1:(\d+)", line)
            if found:
                self.scheme, self.port = found.group(1), int(found.group(2))
                break
        else:
            raise SystemExit("FAILED: Azurite did not start")
        self.url = f"{self.scheme}://127.0.0.1:{self.port}/{account}"

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def sign(self, text):
        digest = hmac.new(base64.b64decode(self.key), text.encode(), hashlib.sha256).digest()
        return base64.b64encode(digest).decode()

    # One call by the account's key, in the words of the documentation.
    def call(self, method, path, query=(), body=b"", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers.update({"x-ms-date": now, "x-ms-version": VERSION})
        quoted = f"/{self.account}" + urllib.parse.quote(path)
        ms = "".join(f"{k}:{headers[k]}\n" for k in sorted(headers) if k.startswith("x-ms-"))
        resource = f"/{self.account}{quoted}" + "".join(f"\n{k}:{v}" for k, v in sorted(query))
        length = str(len(body)) if body else ""
        signature = self.sign(f"{method}\n\n\n{length}\n\n\n\n\n\n\n\n\n{ms}{resource}")
        headers["Authorization"] = f"SharedKey {self.account}:{signature}"
        headers["Content-Length"] = str(len(body))
        host = (http.client.HTTPConnection if self.scheme == "http" else None)
        if host is None:
            import ssl
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=context)
        else:
            connection = host("127.0.0.1", self.port)
        address = quoted + ("?" + urllib.parse.urlencode(query) if query else "")
        connection.request(method, address, body=body or None, headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 300:
            raise SystemExit(f"FAILED: {method} {path}: {answer.status} {text[:300]}")

    def container(self, name):
        self.call("PUT", f"/{name}", [("restype", "container")])

    def append_blob(self, container, name):
        self.call("PUT", f"/{container}/{name}", x_ms_blob_type="AppendBlob")

    def append(self, container, name, body):
        self.call("PUT", f"/{container}/{name}", [("comp", "appendblock")], body)

    def put(self, container, name, body):
        self.call("PUT", f"/{container}/{name}", body=body, x_ms_blob_type="BlockBlob")

    @staticmethod
    def in_an_hour():
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        return later.strftime("%Y-%m-%dT%H:%M:%SZ")

    def account_signature(self, permissions="rl"):
        until = self.in_an_hour()
        text = f"{self.account}\n{permissions}\nb\nsco\n\n{until}\n\n\n{VERSION}\n\n"
        return urllib.parse.urlencode({"sv": VERSION, "ss": "b", "srt": "sco", "sp": permissions,
                                       "se": until, "sig": self.sign(text)})

    def container_signature(self, container, permissions="rl"):
        until = self.in_an_hour()
        text = (f"{permissions}\n\n{until}\n/blob/{self.account}/{container}\n\n\n\n{VERSION}\nc"
                "\n\n\n\n\n\n\n")
        return urllib.parse.urlencode({"sv": VERSION, "sr": "c", "sp": permissions, "se": until,
                                       "sig": self.sign(text)})
