"""How JAX is set up for the commands."""

import jax
import jax.numpy as jnp
import pytest

from data import malloc
from graphcast.operations.cluster import runtime


@pytest.mark.parametrize(("shortest", "expected"), [(0.0, True), (3600.0, False)])
def test_memory_is_given_back_after_long_compilations(monkeypatch, shortest, expected):
    calls = []
    monkeypatch.setattr(malloc, "give_back", lambda: calls.append("given back"))
    monkeypatch.setattr(runtime, "LONG_COMPILATION", shortest)
    runtime.give_back_after_compiling()
    jax.jit(lambda x: x * (2 + shortest))(jnp.ones(3))  # a program of its own
    assert bool(calls) == expected
