"""Cells print in a task what they print in a kernel. The kernel itself is asked, once for each table."""

import functools
import importlib.util
import tempfile
from pathlib import Path

import cells
import oracle
import pytest

NEEDS = {"libraries": ("numpy", "pandas", "matplotlib", "tqdm")}
SEQUENCES = [(table, name) for table, sequences in cells.TABLES.items() for name in sequences]


@functools.cache
def outputs(table: str, turn: int = 0) -> tuple[dict, dict]:
    """Of a table's sequences: what the kernel gave, and what we gave. Another `turn` asks both again."""
    sequences = cells.TABLES[table]
    sources = [source for sequence in sequences.values() for source in sequence]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        found = oracle.kernel(sources, Path(one)), oracle.ours(sources, Path(other))
    assert len(found[0]) == len(found[1]) == len(sources)
    answers = [iter(part) for part in found]
    return tuple({name: [next(part) for _ in sequence] for name, sequence in sequences.items()} for part in answers)


@pytest.mark.parametrize(("table", "name"), SEQUENCES, ids=[f"{table}: {name}" for table, name in SEQUENCES])
def test_prints_what_a_kernel_prints(table, name):
    for module in ("ipykernel", "nbclient", *NEEDS.get(table, ())):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    for turn in range(3):
        # What reaches a kernel through a file descriptor comes by threads of its own, so its order varies from time to time: a cell
        # that prints otherwise is asked for again.
        expected, found = outputs(table, turn)
        if found[name] == expected[name]:
            return
    for source, theirs, mine in zip(cells.TABLES[table][name], expected[name], found[name], strict=True):
        assert mine == theirs, source


def test_tables_show_something():
    """A table whose cells print nothing would prove nothing."""
    expected, _ = outputs("displays")
    assert sum(len(out) for sequence in expected.values() for out in sequence) > 20
