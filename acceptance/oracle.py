"""
The answer that small notebooks have: reads a JSON list of notebooks (cell sources, and files beside them) and runs each, cell after cell, in an IPython shell of its
own process and folder. Independent of the runner: nothing is imported from it.
"""

import io
import json
import os
import sys
import tempfile
import traceback
import zlib
from pathlib import Path

from IPython.core.compilerop import CachingCompiler
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell

outputs: list[dict] = []


class Hook(DisplayHook):
    """Results are kept instead of printed; everything else (`_`, `Out`) stays IPython's."""

    def write_output_prompt(self):
        pass

    def write_format_data(self, data, metadata=None):
        outputs.append({"output_type": "execute_result", "data": plain(data)})


class Publisher(DisplayPublisher):
    def publish(self, data, metadata=None, *, transient=None, update=False, **_):
        if not update:
            outputs.append({"output_type": "display_data", "data": plain(data)})


class Shell(InteractiveShell):
    displayhook_class = Hook
    display_pub_class = Publisher

    def _showtraceback(self, etype, evalue, stb):
        outputs.append({"output_type": "error", "ename": etype.__name__, "evalue": str(evalue)})


class Compiler(CachingCompiler):
    """Cells are named as a kernel names them, since warnings print the name."""

    def get_code_name(self, raw_code, transformed_code, number):
        return f"/tmp/ipykernel_1/{zlib.crc32(raw_code.encode())}.py"


class Said(io.StringIO):
    def __init__(self, name):
        super().__init__()
        self.says = name

    def write(self, text):
        if outputs and outputs[-1].get("name") == self.says:
            outputs[-1]["text"] += text
        elif text:
            outputs.append({"output_type": "stream", "name": self.says, "text": text})
        return len(text)


def plain(data):
    return {mime: value for mime, value in data.items() if isinstance(value, str)}


def answers(cells):
    global outputs
    shell = Shell.instance(compiler_class=Compiler)
    sys.modules["__main__"] = shell.user_module
    shell.user_module.__name__ = "__main__"
    sys.path[0] = ""
    sys.stdout, sys.stderr = Said("stdout"), Said("stderr")
    kept = []
    for source in cells:
        outputs = []
        shell.run_cell(source, store_history=True)
        kept.append(outputs)
    return kept


def in_own_process(cells, files):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            for name, text in files.items():
                Path(name).write_text(text)
            os.environ.update(IPYTHONDIR=folder, TERM="dumb")
            try:
                answer = json.dumps(answers(cells)).replace(folder, "FOLDER").encode()
                os.chdir("/")
                with os.fdopen(writing, "wb") as pipe:
                    pipe.write(answer)
            except BaseException:
                traceback.print_exc(file=sys.__stderr__)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return json.loads(answer)


if __name__ == "__main__":
    print(json.dumps([in_own_process(**case) for case in json.load(sys.stdin)]))
