"""
Channels of how things look: matplotlib, options of pandas and NumPy, IPython itself, and settings of libraries that decide how
their objects are shown. A state is told against what the library has when it is freshly imported.
"""

from __future__ import annotations

import functools
import importlib
import warnings

from .channel import Channel, loaded

INLINE = ("module://matplotlib_inline.backend_inline", "inline", "module://ipykernel.pylab.backend_inline")


class Matplotlib(Channel):
    """Parameters that differ from matplotlib's own, the backend, whether figures show inline, and how."""

    name = "@matplotlib"

    def __init__(self, shell, workspace, start):
        super().__init__(shell, workspace, start)
        self._figures = 0
        self._watching = False

    def read(self):
        matplotlib = loaded("matplotlib")
        if matplotlib is None or not hasattr(matplotlib, "rcParams"):
            formats = self._formats()
            return {"formats": formats} if formats else None
        original = matplotlib.rcParamsOrig
        get = functools.partial(dict.__getitem__, matplotlib.rcParams)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parameters = {
                key: get(key) for key in matplotlib.rcParams if not _equal(get(key), dict.get(original, key)) and key != "backend"
            }
        backend = get("backend")
        state = {"parameters": parameters, "backend": backend if isinstance(backend, str) else None}
        return {**state, "interactive": matplotlib.is_interactive(), "inline": self._inline(), "formats": self._formats()}

    def essence(self, state):
        # What importing pyplot does by itself in a notebook.
        backend = None if state.get("backend") in INLINE else state.get("backend")
        parameters = {key: value for key, value in state.get("parameters", {}).items() if key != "interactive"}
        if backend is None and not parameters and not state["formats"]:
            return None
        return parameters, backend, state["formats"]

    def write(self, state) -> None:
        if "parameters" not in state:
            self._set_formats(state["formats"])
            return
        import matplotlib

        now = self.read()
        for key in now["parameters"]:
            if key not in state["parameters"] and key in matplotlib.rcParamsOrig:
                dict.__setitem__(matplotlib.rcParams, key, matplotlib.rcParamsOrig[key])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for key, value in state["parameters"].items():
                if key in matplotlib.rcParams:
                    matplotlib.rcParams[key] = value
            if state["backend"] and state["backend"] != now["backend"] and state["backend"] not in INLINE:
                matplotlib.use(state["backend"])
        if state["formats"]:
            self._set_formats(state["formats"])
        if state["inline"] and not now["inline"]:
            self._enable_inline()
        matplotlib.interactive(state["interactive"])

    def _inline(self) -> bool:
        names = {getattr(each, "__name__", "") for each in self.shell.events.callbacks.get("post_execute", ())}
        return "flush_figures" in names

    def _enable_inline(self) -> None:
        self.shell.enable_matplotlib("inline")

    def _formats(self) -> dict:
        """Settings of inline figures that are not the default: of the backend or, before the first figure, what waits for it in the configuration."""
        module = loaded("matplotlib_inline.config")
        if module is not None and module.InlineBackend.initialized():
            settings = module.InlineBackend.instance()
            found = {
                name: getattr(settings, name)
                for name, trait in settings.traits(config=True).items()
                if not _equal(getattr(settings, name), trait.default())
            }
        else:
            found = dict(self.shell.config.get("InlineBackend", {}))
        one = found.pop("figure_format", None)
        if one:
            found["figure_formats"] = {one}
        formats = sorted(found.pop("figure_formats", ()))
        return {**found, "figure_formats": formats} if formats not in ([], ["png"]) else found

    def _set_formats(self, formats: dict) -> None:
        values = {name: set(value) if name == "figure_formats" else value for name, value in formats.items()}
        module = loaded("matplotlib_inline.config")
        if module is None or not module.InlineBackend.initialized():
            self.shell.config.setdefault("InlineBackend", {}).update(values)
            return
        settings = module.InlineBackend.instance()
        for name, value in values.items():
            setattr(settings, name, value)
        if loaded("matplotlib.figure") is not None:
            from IPython.core.pylabtools import select_figure_formats

            select_figure_formats(self.shell, settings.figure_formats, **settings.print_figure_kwargs)

    def watch(self) -> None:
        module = loaded("matplotlib.figure")
        self._watching = module is not None
        if module is not None:
            _count_figures(module)
            self._figures = module.Figure.__init__.made[0]

    def used(self) -> bool:
        if self._watching:
            return loaded("matplotlib.figure").Figure.__init__.made[0] != self._figures
        # Imported by the step itself: it has probably plotted.
        return loaded("matplotlib.pyplot") is not None


def _count_figures(module) -> None:
    """Let `Figure.__init__` count. Nothing else tells whether a step made a figure."""
    original = module.Figure.__init__
    if hasattr(original, "made"):
        return
    made = [0]

    @functools.wraps(original)
    def __init__(self, *args, **kwargs):
        made[0] += 1
        return original(self, *args, **kwargs)

    __init__.made = made
    module.Figure.__init__ = __init__


class Pandas(Channel):
    """Options that are not at their default."""

    name = "@pandas"
    shows = True

    def read(self):
        config = loaded("pandas._config.config")
        if config is None or loaded("pandas") is None:
            return None
        found = {}
        deprecated = config._deprecated_options
        for key, option in config._registered_options.items():
            if key in deprecated:
                continue
            value = _nested(config._global_config, key)
            if not _equal(value, option.defval):
                found[key] = value
        return found

    def write(self, state) -> None:
        import pandas

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for key in self.read() or {}:
                if key not in state:
                    pandas.reset_option(f"^{key}$")
            for key, value in state.items():
                pandas.set_option(key, value)

    def essence(self, state):
        return state or None


class Numpy(Channel):
    """Print options and error handling."""

    name = "@numpy"
    shows = True

    def read(self):
        numpy = loaded("numpy")
        if numpy is None or not hasattr(numpy, "get_printoptions"):
            return None
        options = numpy.get_printoptions()
        call = numpy.geterrcall()
        state = {"print": options, "errors": numpy.geterr()}
        return state if call is None else {**state, "call": call}

    def essence(self, state):
        return None if state == _NUMPY_DEFAULT(self.start) else state

    def write(self, state) -> None:
        import numpy

        _NUMPY_DEFAULT(self.start)
        numpy.set_printoptions(**{key: value for key, value in state["print"].items() if key != "override_repr" or value is not None})
        numpy.seterr(**state["errors"])
        numpy.seterrcall(state.get("call"))


def _NUMPY_DEFAULT(start):
    """What NumPy has when it is imported; the library says it nowhere but in its own defaults."""
    return {
        "print": {
            "edgeitems": 3, "threshold": 1000, "floatmode": "maxprec", "precision": 8, "suppress": False, "linewidth": 75, "nanstr": "nan",
            "infstr": "inf", "sign": "-", "formatter": None, "legacy": False, "override_repr": None,
        },
        "errors": {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"},
    }  # fmt: skip


class IPython(Channel):
    """Extensions, precision, what a cell shows, aliases, and display settings of libraries that keep them in the process."""

    name = "@ipython"
    shows = True
    traits = ("ast_node_interactivity", "colors", "autocall", "automagic", "show_rewritten_input", "xmode", "pdb", "call_pdb", "autoawait")

    def read(self):
        shell = self.shell
        plain = shell.display_formatter.formatters["text/plain"]
        state = {
            "extensions": sorted(shell.extension_manager.loaded - self._own()),
            "shell": {name: _plain(getattr(shell, name, None)) for name in self.traits if hasattr(shell, name)},
            "text": {name: getattr(plain, name) for name in ("pprint", "max_width", "max_seq_length", "float_precision")},
            "xmode": shell.InteractiveTB.mode,
            "active": list(shell.display_formatter.active_types),
            "aliases": sorted([name, text] for name, text in shell.alias_manager.aliases if isinstance(text, str)),
            "libraries": {name: settings.read(module) for name, settings in SETTINGS.items() if (module := loaded(name)) is not None},
        }
        return state

    def essence(self, state):
        libraries = {name: each for name, each in state["libraries"].items() if each}
        return {**state, "libraries": libraries}

    @staticmethod
    def _own() -> set[str]:
        return {"storemagic"}

    def write(self, state) -> None:
        shell = self.shell
        now = self.read()
        for name in state["extensions"]:
            if name not in now["extensions"]:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    shell.extension_manager.load_extension(name)
        for name, value in state["shell"].items():
            if now["shell"].get(name) != value:
                setattr(shell, name, value)
        plain = shell.display_formatter.formatters["text/plain"]
        for name, value in state["text"].items():
            if now["text"][name] != value:
                setattr(plain, name, value)
        if state["xmode"] != now["xmode"]:
            shell.InteractiveTB.set_mode(mode=state["xmode"])
        if state["active"] != now["active"]:
            shell.display_formatter.active_types = state["active"]
        known = dict(now["aliases"])
        for name, text in state["aliases"]:
            if known.get(name) != text:
                shell.alias_manager.soft_define_alias(name, text)
        for name, value in state["libraries"].items():
            if value and name in SETTINGS:
                SETTINGS[name].write(importlib.import_module(name), value)

    def used(self) -> bool:
        return False


class Settings:
    """Settings of one library: functions that read and write what differs from its defaults."""

    def __init__(self, read, write):
        self._read, self.write = read, write

    def read(self, module):
        try:
            return self._read(module)
        except Exception:
            return None


_SKLEARN = {
    "assume_finite": False,
    "print_changed_only": True,
    "display": "diagram",
    "transform_output": "default",
    "enable_metadata_routing": False,
}


def _read_torch(torch):
    tensors = loaded("torch._tensor_str")
    options = vars(tensors.PRINT_OPTS) if tensors is not None else {}
    state = (
        {"print": {key: value for key, value in options.items() if value != vars(type(tensors.PRINT_OPTS)()).get(key)}} if options else {}
    )
    state["dtype"] = None if torch.get_default_dtype() is torch.float32 else str(torch.get_default_dtype())
    state["deterministic"] = torch.are_deterministic_algorithms_enabled()
    return state if any(state.values()) else None


def _write_torch(torch, state):
    if state.get("dtype"):
        torch.set_default_dtype(getattr(torch, state["dtype"].rpartition(".")[2]))
    if state.get("deterministic"):
        torch.use_deterministic_algorithms(True)
    tensors = loaded("torch._tensor_str")
    for key, value in state.get("print", {}).items():
        setattr(tensors.PRINT_OPTS, key, value)


# By module; each is read only when its module is loaded.
SETTINGS = {
    "sklearn": Settings(
        lambda sklearn: {key: value for key, value in sklearn.get_config().items() if key in _SKLEARN and value != _SKLEARN[key]},
        lambda sklearn, state: sklearn.set_config(**state),
    ),
    "torch": Settings(_read_torch, _write_torch),
    "plotly.io": Settings(
        lambda io: {"renderer": io.renderers.default, "template": io.templates.default} if io.templates.default != "plotly" else None,
        lambda io, state: (setattr(io.renderers, "default", state["renderer"]), setattr(io.templates, "default", state["template"])),
    ),
    "xarray": Settings(
        lambda xarray: {key: value for key, value in xarray.get_options().items() if value != _xarray_default(key)},
        lambda xarray, state: xarray.set_options(**state),
    ),
}


def _xarray_default(key):
    return {"display_width": 80, "display_max_rows": 12, "display_style": "html", "arithmetic_join": "inner", "keep_attrs": "default"}.get(
        key
    )


def _nested(config, key: str):
    for part in key.split("."):
        config = config[part]
    return config


def _plain(value):
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _equal(one, other) -> bool:
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:
        return False


CHANNELS = (Pandas, Numpy, IPython, Matplotlib)
