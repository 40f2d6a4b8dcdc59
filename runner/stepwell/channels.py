"""
Channels: restored before a step runs, told when it changed them. The list is in `pipeline/model/name.ts`; one class for each.

A state is a blob like any value, JSON where that says everything. What counts as a change is told against what the channels held
when `restore` returned.
"""

from __future__ import annotations

import os
import sys

from . import bundle, channels_display, channels_process, channels_random, channels_warned, codecs, pickling
from .blobs import Blobs

# In the order in which they are restored: modules are found and loaded under what comes first, and what loading draws is undone last.
KINDS = (*channels_process.CHANNELS, *channels_display.CHANNELS, *channels_random.CHANNELS, *channels_warned.CHANNELS)

_start: dict | None = None


class Channels:
    """The channels of one task. `displayed` tells that the step has shown something."""

    def __init__(self, channels: list):
        self.displayed = False
        self._channels = channels
        self._before = {channel.name: _essence(channel) for channel in channels}
        self._changed: list | None = None
        for channel in channels:
            channel.watch()

    def begin(self) -> None:
        for channel in self._channels:
            _quietly(channel.begin, None)

    def end(self) -> None:
        for channel in self._channels:
            _quietly(channel.end, None)

    def changed(self, blobs: Blobs) -> dict[str, dict]:
        """The states that differ from what the step started with, saved as blobs."""
        return {channel.name: {"removed": True} if channel.void else _save(channel.read(), channel, blobs) for channel in self._differing()}

    def used(self) -> list[str]:
        """Channels that the step depended on, as far as it shows."""
        changed = {channel.name for channel in self._differing() if channel.cumulative}
        seen = {channel.name for channel in self._channels if _quietly(channel.used, False)}
        if self.displayed:
            seen |= {channel.name for channel in self._channels if channel.shows and _quietly(channel.read, None) is not None}
        return sorted(changed | seen)

    def _differing(self) -> list:
        if self._changed is None:
            self._changed = [
                channel for channel in self._channels if channel.void or not _same(_essence(channel), self._before[channel.name])
            ]
        return self._changed


def restore(states: dict, blobs: Blobs, shell, workspace, fresh_random: bool) -> Channels:
    """
    Make the process hold `states`. May be called twice: first with what has to be there before modules are imported, again when the
    prelude has run. With `fresh_random`, generators that nothing restores get fresh entropy.
    """
    folder = os.fspath(getattr(workspace, "path", workspace))
    start = _at_start()
    channels = [kind(shell, folder, start) for kind in KINDS]
    for channel in channels:
        saved = states.get(channel.name)
        if saved is not None:
            channel.write(_load(saved, blobs, shell))
        elif fresh_random:
            channel.fresh()
    return Channels(channels)


def _at_start() -> dict:
    """How the process was before the first restore: what differences are told against."""
    global _start
    if _start is None:
        _start = {"environ": dict(os.environ), "path": list(sys.path), "warnings": []}
        _start["warnings"] = channels_process.Warnings(None, "", _start).read()
    return _start


def _essence(channel):
    state = _quietly(channel.read, None)
    return None if state is None else channel.essence(state)


def _same(one, other) -> bool:
    try:
        return bool(one == other)
    except Exception:
        return False


def _quietly(function, otherwise):
    """A library whose insides are not as expected loses its channel, not the step."""
    try:
        return function()
    except Exception:
        return otherwise


def _save(state, channel, blobs: Blobs) -> dict:
    plain = codecs.as_json(state)
    if plain is not None:
        digest, size = blobs.put([plain[0]])
    else:
        stream, buffers, _ = pickling.dump(state, channel.shell.user_ns, set())
        digest, size = blobs.put(bundle.parts({"channel": channel.name}, stream, buffers))
    return {"digest": digest, "size": size}


def _load(saved: dict, blobs: Blobs, shell):
    content = blobs.read(saved["digest"])
    if not content.startswith(bundle.MAGIC):
        return codecs.from_json(content)
    opened = bundle.open_bundle(blobs.path(saved["digest"]), saved["size"])
    return pickling.load(opened.pickle, opened.buffers, shell.user_ns)[0]
