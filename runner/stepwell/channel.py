"""
One channel: state of the process that a notebook relies on without naming it.

`read` gives the state as plain data or something that pickles, None while there is nothing to tell (a library that isn't loaded);
`write` makes the process have that state. Reading is called after every step and has to be cheap.
"""

from __future__ import annotations

import sys


class Channel:
    """Base of all channels. `shell` is the IPython shell, `workspace` the folder where the step runs."""

    name = ""
    # True: what a step leaves is what it found plus its own, so whoever changes the channel has used it too.
    cumulative = True
    # True: what was there before has ended, and nothing has taken its place.
    void = False
    # True: decides how values look, so a step that has shown one depended on it.
    shows = False

    def __init__(self, shell, workspace: str, start: dict):
        self.shell = shell
        self.workspace = workspace
        # How the process was before anything was restored in it; the same object for every channel.
        self.start = start

    def read(self):
        raise NotImplementedError

    def write(self, state) -> None:
        raise NotImplementedError

    def essence(self, state):
        """The part of a state that counts as a change when it differs."""
        return state

    def watch(self) -> None:
        """Called when the cells are about to run."""

    def begin(self) -> None:
        """Called as the last thing before the cells run, after values have been loaded."""

    def end(self) -> None:
        """Called as the first thing after the cells have run, before anything is saved."""

    def used(self) -> bool:
        """Whether the step is certain, or likely, to have depended on the state."""
        return False

    def fresh(self) -> None:
        """Take fresh entropy: called where no state was restored, in a process that may be a copy of another."""


def loaded(name: str):
    """A module that is loaded, or None."""
    return sys.modules.get(name)
