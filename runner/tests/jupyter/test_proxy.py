"""What gets through to the service, and what does not: a real Jupyter server before a small service that tells what it was sent."""

import getpass
import sys
from pathlib import Path

import pytest
import requests
import websocket
from jupyterprocess import TOKEN, Jupyter, wait_for

BACKEND = [sys.executable, str(Path(__file__).with_name("backend.py"))]
FOREIGN = {"Origin": "http://evil.example"}
FORGED = {
    "x-stepwell-user": "root",
    "X-Stepwell-Secret": "guessed",
    "X-Forwarded-User": "root",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=1.2.3.4",
    "X-Auth-Request-Access-Token": "of-a-proxy",
    "Referer": f"http://127.0.0.1/lab?token={TOKEN}",
}


@pytest.fixture(scope="module", params=["/", "/user/ann/"])
def jupyter(request, tmp_path_factory):
    server = Jupyter(tmp_path_factory.mktemp("jupyter"), BACKEND, request.param)
    yield server
    server.stop()


@pytest.fixture
def browser(jupyter):
    return jupyter.browser()


def with_token(jupyter, path, **options):
    headers = {"Authorization": f"token {TOKEN}", **options.pop("headers", {})}
    return requests.request(options.pop("method", "GET"), jupyter.base + path, headers=headers, timeout=20, **options)


def dial(jupyter, path="/echo/", browser=None, headers=(), origin=None):
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items()) if browser else None
    address = jupyter.base.replace("http", "ws", 1) + path
    return websocket.create_connection(
        address, cookie=cookie, header=list(headers), origin=origin or f"http://{jupyter.host}", timeout=20, enable_multithread=False
    )


def refused_with(call) -> int:
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        call()
    return caught.value.status_code


def test_passes_requests_of_a_logged_in_browser(jupyter, browser):
    seen = browser.get(f"{jupyter.base}/api/v1/runs?limit=5&after=a%2Fb", timeout=20).json()
    assert (seen["method"], seen["path"]) == ("GET", "/api/v1/runs?limit=5&after=a%2Fb")
    seen = browser.post(f"{jupyter.base}/api/v1/runs", json={"a": 1}, headers=jupyter.xsrf(browser), timeout=20).json()
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/api/v1/runs", '{"a": 1}')
    assert seen["headers"]["content-type"] == "application/json"


def test_hands_the_path_on_as_it_was_sent(jupyter, browser):
    for path in ("/a%2Fb/c%3Fd", "/a%20b/%C3%A4", "//x", "/%2E%2E/y", "/a;b=c/@x:y"):
        request = requests.Request("GET", jupyter.base, cookies=browser.cookies).prepare()
        request.url = jupyter.base + path
        assert browser.send(request, timeout=20).json()["path"] == path


def test_tells_the_service_its_root_and_prefix(jupyter, browser):
    seen = browser.get(f"{jupyter.base}/x", timeout=20).json()
    assert seen["arguments"][0] == "serve"
    assert seen["arguments"][3:] == ["--root", str(jupyter.notebooks), "--python", sys.executable, "--parent"]
    assert seen["headers"]["x-forwarded-prefix"] == jupyter.base.removeprefix(f"http://{jupyter.host}")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/api/v1/runs", "/socket.io/?EIO=4&transport=polling"])
def test_refuses_a_foreign_origin(jupyter, browser, method, path):
    for headers in (FOREIGN, {"Origin": "null"}, {"Origin": f"http://{jupyter.host}.evil.example"}):
        answer = browser.request(method, jupyter.base + path, headers={**jupyter.xsrf(browser), **headers}, timeout=20)
        assert answer.status_code == 403
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == "forbidden"
        assert "x-stepwell-secret" not in answer.text
        assert with_token(jupyter, path, method=method, headers=headers).status_code == 403


def test_refuses_what_a_page_of_another_site_includes(jupyter, browser):
    for site in ("cross-site", "same-site"):
        answer = browser.get(f"{jupyter.base}/x", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}, timeout=20)
        assert answer.status_code == 403
    assert browser.get(f"{jupyter.base}/x", headers={"Sec-Fetch-Site": "same-origin"}, timeout=20).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/api/v1/runs", "/socket.io/?EIO=4&transport=polling"])
def test_wants_the_xsrf_token_of_a_browser(jupyter, browser, method, path):
    assert browser.request(method, jupyter.base + path, timeout=20).status_code == 403
    assert browser.request(method, jupyter.base + path, headers={"X-XSRFToken": "guessed"}, timeout=20).status_code == 403
    assert browser.request(method, jupyter.base + path, headers=jupyter.xsrf(browser), timeout=20).status_code == 200
    assert with_token(jupyter, path, method=method).status_code == 200


def test_refuses_strangers_without_sending_them_to_the_login_page(jupyter):
    for method in ("GET", "POST", "DELETE", "OPTIONS"):
        for headers in ({}, {"Authorization": "token wrong"}, {"X-Stepwell-Secret": "x", "X-Stepwell-User": "ann"}):
            answer = requests.request(method, f"{jupyter.base}/x", headers=headers, allow_redirects=False, timeout=20)
            assert answer.status_code == 403
    assert refused_with(lambda: dial(jupyter)) == 403


def test_names_the_user_itself(jupyter, browser):
    for seen in (
        browser.get(f"{jupyter.base}/x", headers=FORGED, timeout=20).json(),
        with_token(jupyter, "/x", headers=FORGED).json(),
        browser.post(f"{jupyter.base}/socket.io/x", headers={**FORGED, **jupyter.xsrf(browser)}, timeout=20).json(),
    ):
        assert seen["headers"]["x-stepwell-user"] == getpass.getuser()
        assert seen["headers"]["x-stepwell-secret"] == seen["secret"]
        assert not {"x-forwarded-user", "x-forwarded-host", "forwarded", "x-auth-request-access-token"} & set(seen["headers"])


def test_keeps_jupyters_credentials(jupyter, browser):
    seen = browser.get(f"{jupyter.base}/x?a=1&token={TOKEN}&_xsrf=2&%74oken=3&b=", headers=FORGED, timeout=20)
    assert seen.json()["path"] == "/x?a=1&b="
    assert not {"cookie", "authorization", "referer", "x-xsrftoken"} & set(seen.json()["headers"])
    seen = with_token(jupyter, f"/x?token={TOKEN}")
    assert seen.json()["path"] == "/x"
    assert TOKEN not in seen.text


def test_keeps_the_service_from_speaking_for_jupyter(jupyter, browser):
    answer = browser.get(f"{jupyter.base}/x", timeout=20)
    assert answer.headers["X-Kept"] == "yes"
    assert "Set-Cookie" not in answer.headers
    assert "Access-Control-Allow-Origin" not in answer.headers
    answer = browser.post(f"{jupyter.base}/created", headers=jupyter.xsrf(browser), timeout=20)
    assert (answer.status_code, answer.headers["Location"]) == (201, jupyter.base.removeprefix(f"http://{jupyter.host}") + "/api/v1/runs/1")


def test_passes_websockets_both_ways(jupyter, browser):
    for path in ("/echo/", "/socket.io/ws?EIO=4&transport=websocket"):
        socket = dial(jupyter, path, browser)
        assert '"path"' in socket.recv()
        for text in ("a", "ä" * 100_000):
            socket.send(text)
            assert socket.recv() == text
        socket.send_binary(b"\x00\xff" * 1000)
        assert socket.recv() == b"\x00\xff" * 1000
        socket.send("leave")
        assert socket.recv() == ""
        socket.close()


def test_guards_websockets_as_it_guards_requests(jupyter, browser):
    assert refused_with(lambda: dial(jupyter, browser=browser, origin="http://evil.example")) == 403
    assert refused_with(lambda: dial(jupyter, headers=[f"Authorization: token {TOKEN}"], origin="http://evil.example")) == 403
    socket = dial(jupyter, f"/echo/?token={TOKEN}&a=1", browser, [f"{name}: {value}" for name, value in FORGED.items()])
    seen = socket.recv()
    socket.close()
    assert '"path": "/echo/?a=1"' in seen
    assert TOKEN not in seen
    assert "cookie" not in seen
    assert "evil.example" not in seen
    assert f'"x-stepwell-user": "{getpass.getuser()}"' in seen


def test_tells_the_browser_when_the_service_refuses_a_websocket(jupyter, browser):
    assert refused_with(lambda: dial(jupyter, "/api/v1/runs", browser)) == 502


def test_streams_what_is_larger_than_memory_should_hold(jupyter, browser):
    """Half a gigabyte goes through while Jupyter stays small."""
    before = memory(jupyter.process.pid)
    with browser.get(f"{jupyter.base}/large?pieces=8192", stream=True, timeout=60) as answer:
        assert sum(len(part) for part in answer.iter_content(1 << 20)) == 8192 * 65536
    assert memory(jupyter.process.pid) - before < 100 << 20


def test_does_not_pass_half_an_answer_as_a_whole_one(tmp_path):
    server = Jupyter(tmp_path, BACKEND)
    try:
        browser = server.browser()
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            browser.get(f"{server.base}/broken", timeout=20)
        wait_for(lambda: "ended with exit code 3; it is started again in" in server.log, lambda: server.log)
    finally:
        server.stop()


def memory(pid: int) -> int:
    """The most it ever held, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
