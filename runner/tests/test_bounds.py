"""What a cell prints is kept up to a limit, whatever it prints and however; and a failure names its line."""

import oracle
import pytest

from stepwell.allowance import LIMIT, Allowance, in_words, shortened

GIB = 1 << 30
NOTE = "\n… 960 MiB more were printed here and are left out: 64 MiB of text are kept of each cell.\n"


@pytest.fixture
def run(tmp_path):
    return lambda *cells: oracle.run(oracle.task(cells, tmp_path), tmp_path)


def texts(result, cell=0):
    return [(output["name"], output["text"]) for output in result["cells"][cell]["outputs"]]


FLOODS = {
    "in small pieces": "import sys\nfor _ in range(1 << 14):\n    sys.stdout.write('x' * 65536)",
    "at once": "print('x' * (1 << 30), end='')",
    "through the descriptor": "import os\nfor _ in range(1 << 10):\n    os.write(1, b'x' * (1 << 20))",
    "by another program": "import subprocess\n_ = subprocess.run('head -c 1073741824 /dev/zero | tr \"\\\\0\" x', shell=True)",
}


@pytest.mark.parametrize("source", FLOODS.values(), ids=FLOODS)
def test_keeps_the_beginning_of_a_line_of_a_gigabyte(run, source):
    result, events = run(source, "print('next')")
    assert result["status"] == "succeeded"
    assert texts(result) == [("stdout", "x" * LIMIT + NOTE)]
    assert texts(result, 1) == [("stdout", "next\n")]
    # What the cell itself makes of it is its own: one text of a gigabyte in one of them.
    held = GIB if "1 << 30" in source else 0
    assert result["peakMemory"] < held + (700 << 20)
    told = [event["output"]["text"] for event in events if event["type"] == "output" and event["cell"] == 0]
    assert "".join(told) == "x" * LIMIT + NOTE
    assert max(map(len, told)) <= 65536


def test_keeps_what_is_printed_after_clearing(run):
    source = (
        "from IPython.display import clear_output\nfor i in range(3):\n    print('x' * (50 << 20))\n    clear_output()\nprint('the end')"
    )
    result, _ = run(source)
    assert texts(result) == [("stdout", "the end\n")]


def test_puts_the_note_in_the_stream_that_went_too_far(run):
    result, _ = run("import sys\nprint('a')\nsys.stderr.write('e' * (65 << 20))\nprint('b')\nraise ValueError(1)")
    outputs = result["cells"][0]["outputs"]
    assert [output.get("name", output["output_type"]) for output in outputs] == ["stdout", "stderr", "error", "stderr"]
    assert outputs[0]["text"] == "a\n"
    assert outputs[3]["text"].startswith("\n… ")


def test_prints_many_small_lines_in_good_time(run):
    """Each flush is sent on; putting the text together must not take longer with each."""
    result, _ = run("for i in range(20000):\n    print('x' * 1000, flush=True)")
    assert len(texts(result)[0][1]) == 20000 * 1001


def test_leaves_out_a_display_that_nobody_could_look_at(run):
    result, _ = run("'x' * (65 << 20)", "display({'text/html': 'h' * (65 << 20), 'text/plain': 'short'}, raw=True)")
    assert result["cells"][0]["outputs"][0]["data"] == {"text/plain": "[text/plain of 65 MiB, left out: at most 64 MiB are kept]"}
    assert result["cells"][1]["outputs"][0]["data"] == {"text/plain": "short\n[text/html of 65 MiB, left out: at most 64 MiB are kept]"}


def test_counts_bytes_of_text():
    allowance = Allowance(limit=10)
    assert allowance.take("stdout", "ab") == "ab"
    assert allowance.take("stderr", "äöüß€") == "äöüß"
    assert (allowance.left_out, allowance.over) == (3, "stderr")
    assert allowance.take("stdout", "c") == ""
    assert (allowance.left_out, allowance.over) == (4, "stderr")
    allowance.begin()
    assert allowance.take("stdout", "0123456789") == "0123456789"
    assert (allowance.left_out, allowance.over) == (0, None)


def test_cuts_between_letters():
    for limit in range(12):
        kept = Allowance(limit).take("stdout", "a€😀ä")
        assert "a€😀ä".startswith(kept)
        assert len(kept.encode()) <= limit


def test_says_sizes_as_people_do():
    assert [in_words(size) for size in (0, 1023, 1536, 64 << 20, 5 << 30)] == ["0 bytes", "1023 bytes", "1.5 KiB", "64 MiB", "5.0 GiB"]


def test_leaves_ordinary_displays_alone():
    data = {"text/plain": "x", "application/json": {"a": [1]}}
    assert shortened(data) is data


LINES = [
    ("x = 1\n1 / 0\ny = 2", 1),
    ("\n  \n\nx = 1\n1 / 0", 4),
    ("def f():\n    return 1 / 0\n\nf()", 1),
    ("import json\njson.loads('{')", 1),
    ("x = 1\ny = = 2", 1),
    ("x = 1\n  y = 2", 1),
    ("def f(:\n    pass", 0),
    ("\n\nx = (1,\n2", 3),
    ("x = 1\nexec('y = = 1')", 1),
    ("import asyncio\nawait asyncio.sleep(0)\nraise ValueError", 2),
    ("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    raise ValueError from error", 3),
    ("[\n 1 / n\n for n in (1, 0)\n]", 1),
    ("%time 1 / 0", 0),
    ("%%time\nx = 1\n1 / 0", 2),
    ("%%time\nx = 1\nimport json\njson.loads('{')", 3),
    ("x = 1\n%nosuchmagic", 1),
    ("%%bash\nexit 3", 0),
    ("x = 1\nimport sys\nsys.exit(3)", 2),
]


@pytest.mark.parametrize(("source", "line"), LINES)
def test_names_the_line_that_failed(run, source, line):
    result, _ = run("fine = 1", source)
    assert (result["error"]["cell"], result["error"].get("line")) == (1, line)


def test_names_the_line_of_the_cell_that_called(run):
    result, _ = run("def f(x):\n    y = 1\n    return 1 / x", "print('a')\nf(0)")
    assert (result["error"]["cell"], result["error"]["line"]) == (1, 1)


def test_names_the_line_of_travelled_code(tmp_path):
    whole = "import os\n\nvalue = 1 / 0\n"
    prelude = [{"names": ["value"], "kind": "setup", "source": "value = 1 / 0", "cell": 0, "line": 2}]
    sources = [{"cell": 0, "executionCount": 1, "source": whole}]
    result, _ = oracle.run(oracle.task([{"source": "value", "cell": 3}], tmp_path, prelude=prelude, sources=sources), tmp_path)
    assert (result["error"]["cell"], result["error"]["line"]) == (0, 2)
