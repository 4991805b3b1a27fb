"""The scripted browser reads pages as a browser does."""

import http.server
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs

import pyotp
import pytest
import requests

from deploy.form_client import FormClient, PageUnexpected, Phone

pytestmark = pytest.mark.thorough

PAGE = """<!doctype html><html><head><title>示例
页</title><style>p { color: red }</style></head><body>
<p id="said">您好，<b>甘****</b></p><a href="/next?a=1&amp;b=2">下一步 <span>去这里</span></a>
<form action="/send" method="post" id="f">
<input type="hidden" name="token" value="t&quot;1"><input name="name" value="old">
<input type="checkbox" name="on" checked><input type="checkbox" name="off" value="x">
<input type="radio" name="pick" value="1"><input type="radio" name="pick" value="2" checked>
<select name="kind"><option value="a">A</option><option value="b" selected>B</option></select>
<textarea name="note">some
text</textarea>
<button name="go" value="yes">提交</button><button name="go" value="no">放弃</button>
</form></body></html>"""


class Handler(http.server.BaseHTTPRequestHandler):
    """Shows the page, echoes what is sent, keeps a Secure cookie."""

    def do_GET(self) -> None:
        self._answer(PAGE, "text/html; charset=utf-8")

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(repr(parse_qs(sent)) + "|" + (self.headers["Cookie"] or ""), "text/plain")

    def _answer(self, text: str, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Set-Cookie", "s=1; Secure; Path=/")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Silent."""


class Forgetful(Handler):
    """Closes a kept connection when the second request comes, without an answer."""

    protocol_version = "HTTP/1.1"
    asked = False

    def do_GET(self) -> None:
        self._once()

    def do_POST(self) -> None:
        self._once()

    def _once(self) -> None:
        self.close_connection = self.asked
        if not self.asked:
            self.asked = True
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(PAGE.encode())))
            self.end_headers()
            self.wfile.write(PAGE.encode())


@pytest.fixture
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    handler = getattr(request, "param", Handler)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("address", [Forgetful], indirect=True)
def test_a_page_is_asked_for_again_when_an_idle_connection_ends_but_nothing_is_sent_twice(
    address: str,
) -> None:
    client = FormClient()
    client.open(address)
    assert client.open(address).title == "示例 页"
    with pytest.raises(requests.ConnectionError):
        client.http.post(address, data={"a": "1"}, timeout=5)
    client.http.close()


def test_a_page_is_read(address: str) -> None:
    client = FormClient()
    page = client.open(address)
    client.http.close()
    assert page.title == "示例 页"
    assert page.by_id["said"] == "您好，甘****"
    assert page.link("去这里").endswith("/next?a=1&b=2")
    assert "color" not in page.text
    assert page.forms[0].fields == {
        "token": 't"1',
        "name": "old",
        "on": "on",
        "pick": "2",
        "kind": "b",
        "note": "some\ntext",
    }


def test_a_form_is_sent_with_what_it_showed_and_secure_cookies(address: str) -> None:
    client = FormClient()
    client.open(address)
    sent = client.fill({"name": "新"}, button="放弃").content.decode()
    client.http.close()
    body, cookies = sent.split("|")
    assert "'name': ['新']" in body
    assert "'go': ['no']" in body
    assert "'token': ['t\"1']" in body
    assert "off" not in body
    assert cookies == "s=1"


def test_what_is_not_on_the_page_is_named(address: str) -> None:
    client = FormClient()
    client.open(address)
    client.http.close()
    with pytest.raises(PageUnexpected, match="missing"):
        client.fill({"missing": "x"})
    with pytest.raises(PageUnexpected, match="nowhere"):
        client.follow("nowhere")
    with pytest.raises(PageUnexpected, match="never"):
        client.press("never")


def test_a_phone_gives_no_code_twice_and_then_waits() -> None:
    times = [1_000_000.0]

    def wait(seconds: float) -> None:
        times[0] += seconds

    phone = Phone(secret=pyotp.random_base32(), clock=lambda: times[0], wait=wait)
    codes = [phone.code() for _ in range(3)]
    assert times == [1_000_000.0]
    codes.append(phone.code())
    assert times[0] > 1_000_000.0
    assert pyotp.TOTP(phone.secret).at(1_000_000) == codes[0]
