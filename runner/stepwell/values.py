"""
Variables crossing between steps: `load` puts them into a namespace, `save` writes those that were assigned or changed.

Names that share an object are one group and one blob. A group is saved when any of its members was assigned or has changed since it
was loaded; a value that was not is left alone, so that steps below go on with the blob they know.
"""

from __future__ import annotations

import contextlib
import gc
import types
from dataclasses import dataclass, field

from . import bundle, changes, codecs, pickling, preview, sets
from . import definitions as definitions_
from .blobs import Blobs, StorageProblem
from .memory import Memory
from .reducers import Refused
from .sharing import Groups

# The opcodes that make them; they may also occur as data, which costs time only.
EMPTY_SET, FROZENSET = b"\x8f", b"\x91"


class CannotLoad(Exception):
    """A blob that cannot be loaded here. `missing` is a definition of the notebook that it needs, if that is why."""

    def __init__(self, name: str, reason: str, missing: str | None = None):
        super().__init__(f"'{name}': {reason}")
        self.name, self.reason, self.missing = name, reason, missing


# The fingerprint of a definition without any state.
_NOTHING: changes.Fingerprint = ()


@dataclass
class Loaded:
    """What must be known later to see changes. Holds none of the values themselves: some notice being held."""

    mappings: list[bundle.Mapping] = field(default_factory=list)
    prints: dict[str, changes.Fingerprint | None] = field(default_factory=dict)
    kept: list = field(default_factory=list)


@dataclass
class Written:
    """One value as bytes to be, and what pickling it has shown."""

    value: object = None
    plain: bytes | None = None
    containers: list[int] = field(default_factory=list)
    stream: bytes = b""
    buffers: list = field(default_factory=list)
    pickler: pickling.Pickler | None = None

    def fingerprint(self, mappings: list[bundle.Mapping]) -> changes.Fingerprint:
        return (changes.digest(self.plain),) if self.plain is not None else changes.of(self.stream, self.buffers, mappings)


@contextlib.contextmanager
def _no_collecting():
    """Millions of small objects are made and kept for a while: looking for garbage among them again and again costs more than all the rest."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_no_collecting()
def load(blobs: Blobs, inputs: dict, namespace: dict, definitions: set[str], wanted: list[str] | None = None) -> Loaded:
    """
    Put values into `namespace`, each blob apart. `wanted` are the names that will be asked for later (absent: all): their
    state is remembered. Raises `CannotLoad` for the first that failed after loading the others.
    """
    loaded = Loaded()
    failure = None
    by_blob: dict[tuple[str, str], list[str]] = {}
    for name, saved in inputs.items():
        by_blob.setdefault((saved["digest"], name if saved["codec"] == codecs.JSON else ""), []).append(name)
    for (digest, _), names in by_blob.items():
        try:
            namespace.update(_load_blob(blobs, digest, inputs[names[0]], names, namespace, loaded))
        except CannotLoad as error:
            failure = failure or error
    if failure is not None:
        raise failure
    for name in list(namespace) if wanted is None or "*" in wanted else wanted:
        if name in namespace:
            try:
                written = _write(name, namespace, definitions)
                loaded.prints[name] = written.fingerprint(loaded.mappings) if written is not None else _NOTHING
            except Exception:
                loaded.prints[name] = None
    return loaded


def _load_blob(blobs: Blobs, digest: str, saved: dict, names: list[str], namespace: dict, loaded: Loaded) -> dict:
    try:
        path = blobs.path(digest)
        if saved["codec"] == codecs.JSON:
            return {names[0]: codecs.from_json(blobs.read(digest))}
        opened = bundle.open_bundle(path, saved["size"])
        values, kept = pickling.load(opened.pickle, opened.buffers, namespace)
        loaded.mappings += opened.mappings
        loaded.kept += kept
        if opened.header["alone"]:
            return dict.fromkeys(names, values)
        values, fixes = values
        for fix in fixes:
            sets.restore(*fix)
        return {name: values[name] for name in names}
    except FileNotFoundError as error:
        raise CannotLoad(names[0], "its blob is gone") from error
    except bundle.Broken as error:
        raise CannotLoad(names[0], str(error)) from error
    except pickling.MissingName as error:
        raise CannotLoad(names[0], str(error), error.name) from error
    except ModuleNotFoundError as error:
        raise CannotLoad(names[0], f"it needs the module '{error.name}', which cannot be imported here") from error
    except Exception as error:
        raise CannotLoad(names[0], f"loading it failed with {type(error).__name__}: {error}") from error


@_no_collecting()
def save(blobs: Blobs, loaded: Loaded, namespace: dict, before: dict[str, int], wanted: list[str], definitions: set[str]) -> dict:
    """
    Write those of the `wanted` names that were assigned or changed. `before` holds the identities that names had before the
    cells ran. Returns, by name, what artifact.ts calls SavedValue or LostValue.
    """
    written: dict[str, Written] = {}
    provided: dict[str, dict] = {}
    touched: set[str] = set()
    groups = Groups()
    for name in dict.fromkeys(wanted):
        if name not in namespace:
            continue
        value = namespace[name]
        assigned = before.get(name) != id(value)
        try:
            found = _write(name, namespace, definitions)
            if found is None:
                continue
            written[name] = found
        except Exception as error:
            if assigned or loaded.prints.get(name) is not None:
                provided[name] = {"lost": _reason(error), "type": preview.type_name(type(value))}
            continue
        if assigned or loaded.prints.get(name) != written[name].fingerprint(loaded.mappings):
            touched.add(name)
        groups.add(name)
        for address in written[name].containers:
            groups.saw(name, address)
    _join(groups, written)
    for members in groups.all():
        if touched.intersection(members):
            try:
                provided.update(_save_group(blobs, members, written, namespace, definitions))
            except StorageProblem:
                raise
            except Exception as error:
                for name in members:
                    provided[name] = {"lost": _reason(error), "type": preview.type_name(type(namespace[name]))}
    return provided


def _write(name: str, namespace: dict, definitions: set[str]) -> Written | None:
    """The bytes of a variable; None for what travels as source and has no more to it."""
    value = namespace[name]
    if name in definitions and isinstance(value, (type, types.FunctionType, types.ModuleType, types.BuiltinFunctionType)):
        value = definitions_.state_of(name, value)
        if value is None:
            return None
    plain = codecs.as_json(value)
    if plain is not None:
        return Written(value, plain[0], plain[1])
    stream, buffers, pickler = pickling.dump(value, namespace, definitions)
    return Written(value, stream=stream, buffers=buffers, pickler=pickler)


def _join(groups: Groups, written: dict[str, Written]) -> None:
    """Find out which names share objects or memory."""
    memory, owners = Memory(), {}
    if len(written) < 2:
        return
    for name, each in written.items():
        if each.pickler is not None:
            groups.saw_memo(name, each.pickler)
            for span in each.pickler.memory.spans:
                memory.spans.append(span)
                owners[id(span)] = name
    for cluster in memory.clusters():
        for span in cluster[1:]:
            groups.join(owners[id(cluster[0])], owners[id(span)])


def _save_group(blobs: Blobs, members: list[str], written: dict[str, Written], namespace: dict, definitions: set[str]) -> dict:
    first = written[members[0]]
    if len(members) == 1 and first.plain is not None:
        digest, size = blobs.put([first.plain])
        codec, needs = codecs.JSON, set()
    else:
        stream, buffers, needs, alone = _bundle(members, written, namespace, definitions)
        digest, size = blobs.put(bundle.parts({"members": members, "alone": alone}, stream, buffers))
        codec = codecs.PICKLE
    return {
        name: {
            "digest": digest,
            "members": members,
            "codec": codec,
            "size": size,
            "type": preview.type_name(type(namespace[name])),
            "preview": preview.of(namespace[name], written[name].plain),
            **({"needs": sorted(needs)} if needs else {}),
        }
        for name in members
    }


def _bundle(members: list[str], written: dict[str, Written], namespace: dict, definitions: set[str]):
    """One stream for all members; written again when arrays share memory or sets would come out in another order."""
    values = {name: written[name].value for name in members}
    only = written[members[0]] if len(members) == 1 else None
    if only is None:
        stream, buffers, pickler = pickling.dump([values, []], namespace, definitions)
    else:
        # Pickled already, by itself.
        stream, buffers, pickler = only.stream, only.buffers, only.pickler
    fixes = _orders(stream, pickler)
    planned = pickler.memory
    if planned.plan() or fixes or only is not None and only.plain is not None:
        memory = Memory(views=planned.views, kept=[planned, pickler], private=planned.private, blocks=planned.blocks)
        stream, buffers, pickler = pickling.dump([values, fixes], namespace, definitions, memory)
        only = None
    if pickler.unproven:
        # Some classes can be written and not read.
        try:
            pickling.load(stream, buffers, namespace)
        except Exception as error:
            raise Refused(f"it cannot be loaded again ({type(error).__name__}: {' '.join(str(error).split())[:200]})") from error
    needs = pickler.needs | {name for name in members if isinstance(written[name].value, definitions_.State)}
    return stream, buffers, needs, only is not None


def _orders(stream: bytes, pickler) -> list[tuple]:
    """What is needed to give sets their order back. Looking at everything that was pickled takes time, so not without a sign of sets."""
    fixes: list[tuple] = []
    if not (pickler.met_sets or EMPTY_SET in stream or FROZENSET in stream):
        return fixes
    for _, obj in pickler.seen():
        if isinstance(obj, (set, frozenset)) and not sets.comes_out_the_same(obj):
            found = sets.layout(obj)
            if found is None:
                raise Refused("a set whose order cannot be kept cannot leave its process")
            fixes.append((obj, list(obj), *found))
    return fixes


def _reason(error: Exception) -> str:
    """Why a value is lost, to end a sentence that names it."""
    if isinstance(error, Refused):
        return str(error)
    text = " ".join(str(error).split())
    return f"it cannot be pickled ({type(error).__name__}: {text[:200]})"
