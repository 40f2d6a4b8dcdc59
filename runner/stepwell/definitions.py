"""
What classes and functions that travel as source have gathered since: attributes of the class, attributes of the function.

The source makes them anew in every step, so `Counter.made += 1` in one step would be forgotten in the next. Their state crosses as a
value of its own, which on loading is set on the one that is there.
"""

from __future__ import annotations

import enum
import types

_MADE = (types.MemberDescriptorType, types.GetSetDescriptorType, property, classmethod, staticmethod)


class State:
    """The attributes of the class or function called `name`; unpickles as the live one with these attributes."""

    def __init__(self, name: str, attributes: dict):
        self.name = name
        self.attributes = attributes

    def __reduce__(self):
        return restore, (self.name, self.attributes)


def state_of(name: str, value) -> State | None:
    """The state of what a travelling name stands for; None when there is none to speak of."""
    if isinstance(value, types.FunctionType):
        attributes = dict(vars(value))
        attributes.pop("__wrapped__", None)
    elif isinstance(value, type) and not issubclass(value, enum.Enum) and value.__module__ == "__main__":
        attributes = {key: each for key, each in vars(value).items() if _is_data(key, each, value)}
    else:
        return None
    return State(name, attributes) if attributes else None


def _is_data(key: str, value, owner: type) -> bool:
    if key.startswith("__") or key.startswith("_abc_") or isinstance(value, _MADE):
        return False
    if isinstance(value, (types.FunctionType, type)):
        # Those of the class body come with the source; others were put there later.
        return value.__qualname__ != f"{owner.__qualname__}.{key}"
    return not hasattr(type(value), "__get__")


def restore(name: str, attributes: dict):
    from .pickling import named

    found = named(name)
    for key, value in attributes.items():
        setattr(found, key, value)
    return found
