"""
Names of compiled cells, as a kernel gives them.

Warnings print the file name of the cell that caused them, and tracebacks look the source up under it; so a cell is called here
what it would be called in a kernel: a file in the temporary folder, named by a hash of the cell's text.
"""

from __future__ import annotations

import ast
import linecache
import os
import tempfile

from IPython.core.compilerop import CachingCompiler

SEED = 0xC70F6907


def murmur2(data: bytes, seed: int = SEED) -> int:
    """MurmurHash2 for 32 bits, of `data` in groups of four bytes, low byte first."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    whole = len(data) & ~3
    value = (seed ^ len(data)) & mask
    for at in range(0, whole, 4):
        group = int.from_bytes(data[at : at + 4], "little") * multiplier & mask
        group = (group ^ group >> 24) * multiplier & mask
        value = (value * multiplier & mask) ^ group
    if whole < len(data):
        value = (value ^ int.from_bytes(data[whole:], "little")) * multiplier & mask
    value = (value ^ value >> 13) * multiplier & mask
    return value ^ value >> 15


def cell_file(source: str) -> str:
    """The file name of a cell with this text, in this process."""
    named = os.environ.get("IPYKERNEL_CELL_NAME")
    return named or f"{tempfile.gettempdir()}{os.sep}ipykernel_{os.getpid()}{os.sep}{murmur2(source.encode())}.py"


class CellCompiler(CachingCompiler):
    def get_code_name(self, raw_code, transformed_code, number):
        return cell_file(raw_code)


def compile_definition(shell, definition: dict, cells: dict[int, dict]):
    """
    Code of a travelling definition, with the lines and the file name of the cell it was taken from. `cells` holds the full
    source and the number of such cells; without it the lines above the definition are blank.
    """
    compiler = shell.compile
    source, line = definition["source"], definition.get("line", 0)
    whole = cells.get(definition["cell"])
    if whole is not None:
        name = compiler.cache(shell.transform_cell(whole["source"]), whole["executionCount"], raw_code=whole["source"])
    else:
        # With a line end, as the text of a cell gets one.
        padded = "\n" * line + source + "\n"
        name = cell_file(padded)
        linecache.cache[name] = (len(padded), None, padded.splitlines(keepends=True), name)
    tree = compiler.ast_parse(shell.transform_cell(source), filename=name)
    ast.increment_lineno(tree, line)
    with compiler.extra_flags(ast.PyCF_ALLOW_TOP_LEVEL_AWAIT):
        return compiler(tree, name, "exec")
