"""Channels of the process itself: environment, folders, warnings, locale, logging."""

from __future__ import annotations

import decimal
import importlib
import locale
import logging
import os
import re
import sys
import warnings

from .channel import Channel


class Environ(Channel):
    """The difference from the environment that the process started with."""

    name = "@environ"
    # Ours, the shell's, and what libraries set for themselves when they are imported.
    ignored = re.compile(
        r"^(STEPWELL_.*|_|PWD|OLDPWD|SHLVL|LINES|COLUMNS|KMP_DUPLICATE_LIB_OK|KMP_INIT_AT_FORK|JPY_PARENT_PID|TF2_BEHAVIOR|TPU_ML_PLATFORM|QT_API|CV2_.*)$"
    )

    def read(self):
        start, now = self.start["environ"], dict(os.environ)
        keys = [key for key in {*start, *now} if start.get(key) != now.get(key) and not self.ignored.match(key)]
        return {key: self._portable(now.get(key)) for key in sorted(keys)}

    def write(self, state) -> None:
        for key in self.read():
            if key not in state:
                self._set(key, self.start["environ"].get(key))
        for key, value in state.items():
            self._set(key, self._absolute(value))

    def _portable(self, value):
        return value.replace(self.workspace, "\0workspace") if value and self.workspace in value else value

    def _absolute(self, value):
        return value.replace("\0workspace", self.workspace) if value else value

    @staticmethod
    def _set(key, value) -> None:
        if value is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = value


class WorkingDirectory(Channel):
    name = "@cwd"

    def read(self):
        try:
            return relative(os.getcwd(), self.workspace)
        except FileNotFoundError:
            return "."

    def write(self, state) -> None:
        path = os.path.join(self.workspace, state)
        if not os.path.isabs(state):
            os.makedirs(path, exist_ok=True)
        os.chdir(path)


class Path(Channel):
    """`sys.path`. Entries that every process of this environment has are kept by their place, those of the workspace by their path in it."""

    name = "@path"

    def read(self):
        start = {entry: index for index, entry in enumerate(self.start["path"]) if isinstance(entry, str)}
        return [self._entry(entry, start) for entry in sys.path]

    def essence(self, state):
        return None if state is None else [entry for entry in state if "place" not in entry], self._order(state)

    @staticmethod
    def _order(state):
        return None if state is None else [entry["place"] for entry in state if "place" in entry]

    def _entry(self, entry, start):
        if isinstance(entry, str) and entry in start:
            return {"place": start[entry]}
        text = os.fspath(entry) if isinstance(entry, (str, os.PathLike)) else str(entry)
        inside = relative(text, self.workspace) if os.path.isabs(text) else None
        where = {"inside": inside} if inside is not None and not os.path.isabs(inside) else {"path": text}
        return where if isinstance(entry, str) else {**where, "object": True}

    def write(self, state) -> None:
        start = self.start["path"]
        entries = []
        for entry in state:
            if "place" in entry:
                if entry["place"] < len(start):
                    entries.append(start[entry["place"]])
                continue
            text = os.path.normpath(os.path.join(self.workspace, entry["inside"])) if "inside" in entry else entry["path"]
            if entry.get("object"):
                import pathlib

                entries.append(pathlib.Path(text))
            else:
                entries.append(text)
        sys.path[:] = entries
        importlib.invalidate_caches()


class Warnings(Channel):
    """
    The list of filters. Libraries add theirs when they are imported; those are part of the state, for their place in the list, but
    a step that only imported something has changed nothing.
    """

    name = "@warnings"

    def __init__(self, shell, workspace, start):
        super().__init__(shell, workspace, start)
        _note_authors()

    def read(self):
        return [self._encode(each) for each in warnings.filters]

    def essence(self, state):
        return [each for each in state if not (each["library"] or each in self.start["warnings"])]

    def write(self, state) -> None:
        filters = [self._decode(each) for each in state]
        new = [each for each in warnings.filters if _key(each) not in {_key(other) for other in filters} and _key(each) in _libraries]
        _libraries.update(_key(item) for item, each in zip(filters, state) if each["library"])
        _users.update(_key(item) for item, each in zip(filters, state) if not each["library"])
        warnings.filters[:] = new + [each for each in filters if each is not None]
        changed = getattr(warnings, "_filters_mutated", None) or getattr(warnings, "_filters_mutated_lock_held", None)
        if changed is not None:
            changed()

    @staticmethod
    def _encode(item):
        action, message, category, module, line = item
        return {
            "action": action,
            "message": _pattern(message),
            "category": f"{category.__module__}:{category.__qualname__}",
            "module": _pattern(module),
            "line": line,
            "library": _key(item) in _libraries and _key(item) not in _users,
        }

    @staticmethod
    def _decode(state):
        module, _, name = state["category"].partition(":")
        try:
            category = importlib.import_module(module) if module in sys.modules or module == "builtins" else None
            for part in name.split("."):
                category = getattr(category, part)
        except (ImportError, AttributeError):
            category = None
        if not (isinstance(category, type) and issubclass(category, Warning)):
            if state["library"]:
                return None
            try:
                category = importlib.import_module(module)
                for part in name.split("."):
                    category = getattr(category, part)
            except Exception:
                return None
        return state["action"], _compiled(state["message"]), category, _compiled(state["module"]), state["line"]


# Filters by who added one like it. Libraries also do so for a moment, so what the notebook added is the notebook's.
_libraries: set = set()
_users: set = set()


def _key(item):
    if item is None:
        return None
    action, message, category, module, line = item
    return action, str(_pattern(message)), category, str(_pattern(module)), line


def _pattern(pattern):
    return pattern if pattern is None or isinstance(pattern, str) else [pattern.pattern, pattern.flags & ~re.UNICODE.value]


def _compiled(pattern):
    return re.compile(*pattern) if isinstance(pattern, list) else pattern


def _note_authors() -> None:
    """Remember which filters were added by code of installed packages."""
    original = getattr(warnings, "_add_filter", None)
    if original is None or getattr(original, "_notes_authors", False):
        return

    def _add_filter(*item, append):
        frame = sys._getframe(2)
        name = frame.f_globals.get("__name__", "__main__")
        file = frame.f_globals.get("__file__") or ""
        library = name.startswith("stepwell.") or any(
            part in file for part in ("site-packages", "dist-packages", os.path.dirname(os.__file__))
        )
        (_libraries if library and name != "__main__" else _users).add(_key(item))
        return original(*item, append=append)

    _add_filter._notes_authors = True
    warnings._add_filter = _add_filter


class Locale(Channel):
    """The locale and the context of `decimal`, where they are not as Python starts."""

    name = "@locale"

    def read(self):
        state = {"locale": {str(int(each)): locale.setlocale(each) for each in _categories()}}
        context = decimal.getcontext()
        state["decimal"] = {
            "prec": context.prec, "rounding": context.rounding, "Emin": context.Emin, "Emax": context.Emax,
            "capitals": context.capitals, "clamp": context.clamp,
            "traps": sorted(signal.__name__ for signal, on in context.traps.items() if on),
        }  # fmt: skip
        return state

    def write(self, state) -> None:
        for category, value in state["locale"].items():
            try:
                locale.setlocale(int(category), value)
            except locale.Error:
                continue
        given = dict(state["decimal"])
        traps = given.pop("traps")
        context = decimal.getcontext()
        for name, value in given.items():
            setattr(context, name, value)
        for signal in context.traps:
            context.traps[signal] = signal.__name__ in traps


def _categories():
    return [
        getattr(locale, name)
        for name in ("LC_COLLATE", "LC_CTYPE", "LC_MONETARY", "LC_NUMERIC", "LC_TIME", "LC_MESSAGES")
        if hasattr(locale, name)
    ]


class Logging(Channel):
    """Levels of all loggers, `logging.disable`, and handlers that write to the notebook or to a file."""

    name = "@logging"

    def read(self):
        loggers = {"": logging.root}
        loggers.update((name, each) for name, each in logging.root.manager.loggerDict.items() if isinstance(each, logging.Logger))
        state = {name: self._logger(each) for name, each in sorted(loggers.items())}
        return {"loggers": {name: each for name, each in state.items() if each}, "disable": logging.root.manager.disable}

    @staticmethod
    def _logger(logger):
        state = {}
        if logger.level != (logging.WARNING if logger is logging.root else logging.NOTSET):
            state["level"] = logger.level
        if not logger.propagate:
            state["propagate"] = False
        if logger.disabled:
            state["disabled"] = True
        handlers = [each for each in map(_handler, logger.handlers) if each]
        if handlers:
            state["handlers"] = handlers
        return state

    def write(self, state) -> None:
        before = self.read()["loggers"]
        for name in {*before, *state["loggers"]}:
            logger = logging.getLogger(name or None)
            given = state["loggers"].get(name, {})
            if before.get(name, {}) == given:
                continue
            logger.setLevel(given.get("level", logging.WARNING if logger is logging.root else logging.NOTSET))
            logger.propagate = given.get("propagate", True)
            logger.disabled = given.get("disabled", False)
            if before.get(name, {}).get("handlers", []) != given.get("handlers", []):
                for handler in [each for each in logger.handlers if _handler(each)]:
                    logger.removeHandler(handler)
                for handler in given.get("handlers", []):
                    logger.addHandler(_made(handler))
        logging.disable(state["disable"])


def _handler(handler):
    """A handler as data; None for kinds that only their maker can make."""
    if type(handler) is logging.StreamHandler:
        stream = handler.stream
        name = "stdout" if stream is sys.stdout or getattr(stream, "name", None) == "<stdout>" else "stderr"
        if stream not in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            return None
        state = {"kind": "stream", "stream": name}
    elif type(handler) is logging.FileHandler:
        state = {"kind": "file", "path": handler.baseFilename, "encoding": handler.encoding}
        try:
            state["path"] = os.path.relpath(handler.baseFilename)
        except ValueError:
            pass
    else:
        return None
    formatter = handler.formatter
    if formatter is not None:
        if type(formatter) is not logging.Formatter:
            return None
        style = {"StringTemplateStyle": "$", "StrFormatStyle": "{"}.get(type(formatter._style).__name__, "%")
        state["format"] = [formatter._fmt, formatter.datefmt, style]
    return {**state, "level": handler.level}


def _made(state):
    if state["kind"] == "stream":
        handler = logging.StreamHandler(getattr(sys, state["stream"]))
    else:
        handler = logging.FileHandler(state["path"], mode="a", encoding=state["encoding"], delay=True)
    handler.setLevel(state["level"])
    if "format" in state:
        handler.setFormatter(logging.Formatter(*state["format"]))
    return handler


def relative(path: str, workspace: str) -> str:
    """A path from the workspace, `/` between parts, if it lies inside; absolute otherwise."""
    for folder in {workspace, os.path.realpath(workspace)}:
        if path == folder:
            return "."
        if path.startswith(folder + os.sep):
            return os.path.relpath(path, folder).replace(os.sep, "/")
    return path


CHANNELS = (Environ, WorkingDirectory, Path, Warnings, Locale, Logging)
