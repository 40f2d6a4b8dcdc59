"""
Which warnings have been shown. Python shows most warnings once per place and process; cut into steps, a notebook would show them
once per step.

Python remembers them in a registry per module, and forgets them when the list of filters changes, as it does for a moment
in many libraries. So a state is what registries hold at the end of a step as far as they still count, and is given to the next step as
the last thing before its cells run: whatever changes the filters after that makes it void, as it would have in one process.
"""

from __future__ import annotations

import sys
import types
import warnings

from .channel import Channel

_shown = [0]


class Warned(Channel):
    """By module, what its registry holds: text, category and line."""

    name = "@warned"
    # A step below needs to know only if it shows a warning itself.
    cumulative = False

    def __init__(self, shell, workspace, start):
        super().__init__(shell, workspace, start)
        _count_shown()
        self._state: dict = {}
        self._version = None
        self._before = _shown[0]

    def write(self, state) -> None:
        self._state = state

    def begin(self) -> None:
        """The cells run next."""
        self._before = _shown[0]
        self._version = version()
        for name, entries in self._state.items():
            namespace = self._namespace(name)
            if namespace is not None:
                found = ((text, _category(category), line) for text, category, line in entries)
                namespace["__warningregistry__"] = {"version": self._version, **{key: True for key in found if key[1] is not None}}

    def end(self) -> None:
        """The cells have run; nothing of ours has."""
        now = version()
        if _shown[0] == self._before and now == self._version:
            return
        state = {}
        for name in ("__main__", *list(sys.modules)):
            registry = (self._namespace(name) or {}).get("__warningregistry__")
            if isinstance(registry, dict) and registry.get("version") == now:
                entries = [_entry(key) for key in registry if isinstance(key, tuple) and len(key) == 3]
                if entries and name not in state:
                    state[name] = sorted(entry for entry in entries if entry is not None)
        self._state = state
        self.void = not state

    def read(self):
        return self._state or None

    def used(self) -> bool:
        return _shown[0] != self._before

    def _namespace(self, name: str) -> dict | None:
        if name == "__main__":
            return self.shell.user_ns
        module = sys.modules.get(name)
        # Not by attribute: some modules are loaded only when somebody looks inside.
        return object.__getattribute__(module, "__dict__") if isinstance(module, types.ModuleType) else None


class _Probe(Warning):
    pass


def version():
    """A number that changes whenever the list of filters does, taken from a registry that is asked about a warning nobody sees."""
    registry: dict = {}
    kept = warnings._showwarnmsg
    warnings._showwarnmsg = lambda message: None
    try:
        warnings.warn_explicit("", _Probe, "", 0, registry=registry)
    except Warning:
        pass
    finally:
        warnings._showwarnmsg = kept
    return registry.get("version")


def _count_shown() -> None:
    original = warnings._showwarnmsg
    if hasattr(original, "_counts"):
        return

    def _showwarnmsg(message):
        _shown[0] += 1
        return original(message)

    _showwarnmsg._counts = True
    warnings._showwarnmsg = _showwarnmsg


def _entry(key):
    text, category, line = key
    if not (isinstance(text, str) and isinstance(category, type) and isinstance(line, int)):
        return None
    return [text, f"{category.__module__}:{category.__qualname__}", line]


def _category(text: str):
    module, _, name = text.partition(":")
    found = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


CHANNELS = (Warned,)
