"""Jupyter with the real service: who gets in, live changes both ways, a run from start to end, and nothing left after a kill."""

import getpass
import json
import sys

import nbformat
import psutil
import pytest
import requests
import websocket
from jupyterprocess import TOKEN, Jupyter, alive, wait_for

from stepwell import installation

CELLS = [("step:load", "rows = [1, 2, 3]"), ("step:total", "print(sum(rows))")]
SLOW = [("step:slow", "import time\nprint('begun')\ntime.sleep(600)")]
OPEN = "/socket.io/?EIO=4&transport=polling"


@pytest.fixture
def jupyter(tmp_path):
    try:
        installation.command()
    except installation.NotInstalled:
        pytest.skip("the service is not built")
    server = Jupyter(tmp_path, None, "/user/ann/")
    yield server
    server.stop()


@pytest.fixture
def browser(jupyter):
    return jupyter.browser()


def notebook(cells):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, metadata={"tags": [tag]}) for tag, source in cells])


def start(jupyter, browser, cells, name="a.ipynb"):
    body = {"path": name, "notebook": notebook(cells)}
    return browser.post(f"{jupyter.base}/api/v1/runs", json=body, headers=jupyter.xsrf(browser), timeout=60)


def test_answers_under_jupyters_address_and_login(jupyter, browser):
    info = browser.get(f"{jupyter.base}/api/v1/service", timeout=60).json()
    assert info["withJupyter"] is True
    assert info["user"] == getpass.getuser()
    assert requests.get(f"{jupyter.base}/api/v1/service", timeout=20).status_code == 403
    answer = browser.get(f"{jupyter.base}/api/v1/service", headers={"Origin": "http://evil.example"}, timeout=20)
    assert answer.status_code == 403


def test_runs_a_notebook_in_jupyters_own_python(jupyter, browser):
    source = "import sys\nprint(sys.prefix)"
    answer = start(jupyter, browser, [*CELLS, ("step:where", source)])
    assert answer.status_code == 201, answer.text
    run = answer.json()["id"]
    assert answer.headers["Location"] == f"/user/ann/stepwell/api/v1/runs/{run}"
    detail = wait_for(lambda: ended(jupyter, browser, run), lambda: jupyter.log)
    assert detail["status"] == "succeeded", detail
    assert detail["startedBy"] == getpass.getuser()
    executed = browser.get(f"{jupyter.base}/api/v1/runs/{run}/executed", timeout=20).json()
    assert "".join(executed["cells"][-1]["outputs"][0]["text"]) == f"{sys.prefix}\n"


def ended(jupyter, browser, run):
    detail = browser.get(f"{jupyter.base}/api/v1/runs/{run}", timeout=20).json()
    return detail if detail["status"] in ("succeeded", "failed", "cancelled") else None


def test_starts_nothing_for_another_site(jupyter, browser):
    body = {"path": "a.ipynb", "notebook": notebook(CELLS)}
    for headers in ({}, {"X-XSRFToken": "guessed"}, {**jupyter.xsrf(browser), "Origin": "http://evil.example"}):
        assert browser.post(f"{jupyter.base}/api/v1/runs", json=body, headers=headers, timeout=20).status_code == 403
    assert browser.get(f"{jupyter.base}/api/v1/runs", timeout=20).json()["items"] == []


def test_speaks_socket_io_by_polling_and_by_websocket(jupyter, browser):
    browser.get(f"{jupyter.base}/api/v1/service", timeout=60)
    opened = browser.get(jupyter.base + OPEN, timeout=20)
    assert opened.status_code == 200
    session = json.loads(opened.text[1:])["sid"]
    assert browser.post(f"{jupyter.base}{OPEN}&sid={session}", data="40", timeout=20).status_code == 403
    assert browser.post(f"{jupyter.base}{OPEN}&sid={session}", data="40", headers=jupyter.xsrf(browser), timeout=20).text == "ok"
    assert browser.get(f"{jupyter.base}{OPEN}&sid={session}", timeout=20).text.startswith("40{")
    assert browser.get(jupyter.base + OPEN, headers={"Origin": "http://evil.example"}, timeout=20).status_code == 403
    assert requests.get(jupyter.base + OPEN, timeout=20).status_code == 403

    address = jupyter.base.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    socket = websocket.create_connection(address, cookie=cookie, origin=f"http://{jupyter.host}", timeout=20)
    assert socket.recv().startswith("0{")
    socket.send("40")
    assert socket.recv().startswith("40{")
    socket.send('420["subscribe",{"to":"runs"}]')
    assert socket.recv() == '430[{"ok":true}]'
    run = start(jupyter, browser, CELLS).json()["id"]
    assert run in socket.recv()
    socket.close()
    for options in ({"cookie": cookie, "origin": "http://evil.example"}, {"origin": f"http://{jupyter.host}"}):
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            websocket.create_connection(address, timeout=20, **options)
        assert refused.value.status_code == 403


def test_leaves_no_process_when_jupyter_is_killed(jupyter, browser):
    run = start(jupyter, browser, SLOW).json()["id"]
    wait_for(lambda: running(jupyter, browser, run), lambda: jupyter.log)
    ours = [one.pid for one in psutil.Process(jupyter.process.pid).children(recursive=True)]
    assert len(ours) >= 2
    jupyter.kill()
    wait_for(
        lambda: not [pid for pid in ours if alive(pid)], lambda: f"left: {[psutil.Process(pid).cmdline() for pid in ours if alive(pid)]}"
    )


def running(jupyter, browser, run):
    detail = browser.get(f"{jupyter.base}/api/v1/runs/{run}", timeout=20).json()
    return any(cell["status"] == "running" for cell in detail["cells"])


def test_keeps_every_secret_out_of_the_log(jupyter, browser):
    browser.get(f"{jupyter.base}/api/v1/runs?token={TOKEN}", timeout=60)
    browser.get(f"{jupyter.base}/api/v1/runs/{TOKEN}?token={TOKEN}", headers={"Authorization": f"token {TOKEN}"}, timeout=60)
    told = [line for line in jupyter.log.splitlines() if "StepwellExtension" in line]
    assert told
    assert TOKEN not in "\n".join(told)
    assert browser.cookies.get("_xsrf") not in jupyter.log
