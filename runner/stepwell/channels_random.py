"""Channels of random generators. Whoever draws changes the state, and so has used it."""

from __future__ import annotations

import random

from .channel import Channel, loaded


class Random(Channel):
    name = "@random"

    def read(self):
        return random.getstate()

    def write(self, state) -> None:
        random.setstate(state)

    def fresh(self) -> None:
        random.seed()


class NumpyRandom(Channel):
    name = "@numpy.random"

    def read(self):
        module = loaded("numpy.random.mtrand")
        if module is None or not hasattr(module, "_rand"):
            return None
        state = module._rand.get_state(legacy=False)
        if state["bit_generator"] != "MT19937":
            return state
        key = state["state"]
        # As it was seeded on import, never drawn from: as good as not there.
        if (
            key["pos"] == 623
            and getattr(module._rand._bit_generator, "seed_seq", None) is not None
            and self.start.get("numpy.random") is None
        ):
            return None
        return {"key": key["key"].tobytes(), "pos": int(key["pos"]), "has_gauss": int(state["has_gauss"]), "gauss": float(state["gauss"])}

    def write(self, state) -> None:
        import numpy.random

        if "bit_generator" in state:
            numpy.random.set_state(state)
            return
        key = numpy.frombuffer(state["key"], dtype="uint32")
        numpy.random.set_state(("MT19937", key, state["pos"], state["has_gauss"], state["gauss"]))

    def fresh(self) -> None:
        module = loaded("numpy.random.mtrand")
        if module is not None and hasattr(module, "_rand"):
            module._rand.seed()


class TorchRandom(Channel):
    name = "@torch.random"

    def read(self):
        torch = loaded("torch")
        if torch is None or not hasattr(torch, "get_rng_state"):
            return None
        state = {"cpu": bytes(torch.get_rng_state().tolist())}
        if getattr(torch, "cuda", None) is not None and torch.cuda.is_initialized():
            state["cuda"] = [bytes(each.tolist()) for each in torch.cuda.get_rng_state_all()]
        return state

    def write(self, state) -> None:
        import torch

        torch.set_rng_state(torch.frombuffer(bytearray(state["cpu"]), dtype=torch.uint8))
        if "cuda" in state and torch.cuda.is_available():
            torch.cuda.set_rng_state_all([torch.frombuffer(bytearray(each), dtype=torch.uint8) for each in state["cuda"]])

    def fresh(self) -> None:
        torch = loaded("torch")
        if torch is not None and hasattr(torch, "seed"):
            torch.seed()


class TensorflowRandom(Channel):
    name = "@tensorflow.random"

    def read(self):
        if loaded("tensorflow.python.eager.context") is None:
            return None
        context = loaded("tensorflow.python.eager.context").context()
        generator = getattr(context, "_rng", None)
        if getattr(context, "_seed", None) is None:
            return None
        return {"seed": context._seed, "generator": None if generator is None else generator.getstate()}

    def write(self, state) -> None:
        import tensorflow
        from tensorflow.python.eager.context import context

        tensorflow.random.set_seed(state["seed"])
        if state["generator"] is not None:
            context()._rng.setstate(state["generator"])


CHANNELS = (Random, NumpyRandom, TorchRandom, TensorflowRandom)
