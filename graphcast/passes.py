"""`Pass`: one run of the network, forward alone or with a gradient, on one device or split.

A pass rounds as its `Precision` says. It also says what the backward pass stores, and how sums over
edges are completed where one window is split over devices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from graphcast.precision import FACTOR, PRODUCT, Precision


@dataclass(frozen=True)
class Pass:
    """How a pass through the network is carried out.

    Attributes:
        precision: how it rounds.
        keeps: what the backward pass stores; it rematerialises the rest. "products": the result of
            every matrix product. "rounds": the latents between processor rounds and between blocks.
            "nothing": inference, where latents are updated in place.
        split_over: the device axis over which one window is split; None on one device.
    """

    precision: Precision
    keeps: Literal["products", "rounds", "nothing"] = "rounds"
    split_over: str | None = None

    def block(self, body: Callable[..., Any]) -> Callable[..., Any]:
        """The body of a loop over blocks or rounds, rematerialised in the backward pass."""
        return _rematerialised(body, store_products=self.keeps == "products")

    def block_of_round(self, body: Callable[..., Any]) -> Callable[..., Any]:
        """The body of a loop over blocks inside a processor round.

        While a rematerialised round runs backward, its blocks store their products.
        """
        if self.keeps != "rounds":
            return body
        return _rematerialised(body, store_products=True)

    def all_reduced(self, sums: Float[Array, "nodes latent"]) -> Float[Array, "nodes latent"]:
        """Sums over this device's edges, added up over all devices that share the window."""
        if self.split_over is None:
            return sums
        total: Array = jax.lax.psum(sums, self.split_over)  # type: ignore[no-untyped-call]
        return total

    def no_messages(self, nodes: Float[Array, "nodes latent"]) -> Float[Array, "nodes latent"]:
        """Zeros in float32, one row for each node: where the sums of messages start.

        On a split window they are marked as varying between the devices, as the sums will.
        """
        zeros = jnp.zeros(nodes.shape, jnp.float32)
        if self.split_over is None:
            return zeros
        varying: Array = jax.lax.pcast(zeros, self.split_over, to="varying")
        return varying


def _rematerialised(body: Callable[..., Any], *, store_products: bool) -> Callable[..., Any]:
    policies = jax.checkpoint_policies
    policy = policies.save_only_these_names(PRODUCT, FACTOR) if store_products else None
    return jax.checkpoint(body, policy=policy, prevent_cse=False)
