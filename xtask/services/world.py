"""What every test of a service has in common: clients, names, and what a refused call said.

The tests hold of AWS's behaviour, not of one implementation: they run against `stepwell serve` and against moto's server.
STEPWELL_TEST_URL says where the services are, STEPWELL_TEST_SERVER which they are: `stepwell` or `moto`. Where moto does
otherwise than the service's model and documentation say, a test says so with `differs`.
"""

import http.server
import os
import threading
import time
import unittest
import urllib.parse
import uuid
from typing import NamedTuple

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

URL = os.environ.get("STEPWELL_TEST_URL", "http://127.0.0.1:4566")
IS_MOTO = os.environ.get("STEPWELL_TEST_SERVER", "stepwell") == "moto"
ACCOUNT = "111122223333"
REGION = "us-east-1"
SECRET = "secret"


def client(service, account=ACCOUNT, region=REGION, token=None, key=None, **settings):
    """A client of boto3. The account is the access key id, unless `key` is one that STS or IAM gave."""
    made = boto3.client(
        service,
        endpoint_url=URL,
        region_name=region,
        aws_access_key_id=key or account,
        aws_secret_access_key=SECRET,
        aws_session_token=token,
        config=Config(
            retries={"total_max_attempts": 1},
            read_timeout=30,
            s3={"addressing_style": "path"},
            **settings,
        ),
    )
    if IS_MOTO and key is None:
        # moto does not read the account from the key.
        def name_account(request, **_):
            request.headers["x-moto-account-id"] = account

        made.meta.events.register("before-sign.*.*", name_account)
    return made


def unique(prefix="n"):
    """A name that nothing else has."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


class Error(NamedTuple):
    """What a refused call said."""

    code: str
    message: str
    status: int


def error_of(call, *arguments, **request):
    """What the call is refused with. A call that is answered fails the test."""
    try:
        answer = call(*arguments, **request)
    except ClientError as refusal:
        error = refusal.response["Error"]
        status = refusal.response["ResponseMetadata"]["HTTPStatusCode"]
        return Error(error["Code"], error.get("Message", ""), status)
    answer.pop("ResponseMetadata", None) if isinstance(answer, dict) else None
    raise AssertionError(f"it is not refused: {answer}")


class differs:
    """What moto does otherwise than the model or the documentation says, and why that is so.

    Before a test, the test counts as differing when it fails on moto. As a context, what fails inside is passed over.
    Elsewhere than on moto it changes nothing.
    """

    def __init__(self, reason):
        self.reason = reason

    def __call__(self, test):
        def run(*arguments, **named):
            try:
                return test(*arguments, **named)
            except unittest.SkipTest:
                raise
            except Exception as failure:
                if not IS_MOTO:
                    raise
                raise unittest.SkipTest(self.reason) from failure

        run.__name__, run.__doc__ = test.__name__, test.__doc__
        return run

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        return IS_MOTO and kind is not None and issubclass(kind, Exception)


def eventually(look, is_so=bool, seconds=10):
    """What `look` gives, once it is as it should be."""
    end = time.monotonic() + seconds
    while True:
        seen = look()
        if is_so(seen):
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"it never came: {seen}")
        threading.Event().wait(0.05)


def signed(service, method="POST", path="/", body=b"", headers=None, account=ACCOUNT, region=REGION):
    """The status, headers and body of a request that no SDK would make, signed as SDKs sign."""
    body = body.encode() if isinstance(body, str) else body
    request = AWSRequest(method=method, url=URL + path, data=body, headers=headers or {})
    if IS_MOTO:
        request.headers["x-moto-account-id"] = account
    SigV4Auth(Credentials(account, SECRET), service, region).add_auth(request)
    answer = URLLib3Session(timeout=30).send(request.prepare())
    return answer.status_code, answer.headers, answer.content


def query(service, action, version, account=ACCOUNT, **parameters):
    """A call by the query protocol, as the older SDKs made it: status and text of the answer. A dot is written `_`."""
    named = {name.replace("_", "."): value for name, value in parameters.items()}
    body = urllib.parse.urlencode({"Action": action, "Version": version, **named})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    status, _, content = signed(service, body=body, headers=headers, account=account)
    return status, content.decode()


class Requests:
    """An HTTP server on a port of its own that answers 200 and keeps what it was sent: (path, headers, body)."""

    def __init__(self):
        kept = self.kept = []

        class Keeper(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                kept.append((self.path, dict(self.headers.items()), body.decode()))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_PUT = do_DELETE = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keeper)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_for(self, is_it, seconds=10):
        """The first request that is so."""
        return eventually(lambda: next((one for one in list(self.kept) if is_it(one)), None), seconds=seconds)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
