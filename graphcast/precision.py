"""Which numbers are multiplied, and which are kept: the one place that knows about dtypes."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@dataclass(frozen=True)
class Precision:
    """How a forward pass rounds. Parameters, normalisation and state stay float32 throughout.

    Attributes:
        name: what the user types and what outputs record.
        operands: dtype of the factors of every matrix product; sums are always float32.
        latents: dtype in which node and edge latents are kept between operations.
        split_over: name of the device axis over which one sample's blocks are split, if they are;
            sums over edges are then completed across it.
    """

    name: str
    operands: str
    latents: str
    split_over: str | None = None

    def product(
        self, x: Float[Array, "*batch width"], weight: Float[Array, "width out"]
    ) -> Float[Array, "*batch out"]:
        """`x @ weight`, accumulated and returned in float32."""
        return jnp.matmul(
            x.astype(self.operands),
            weight.astype(self.operands),
            precision=jax.lax.Precision.HIGHEST if self.operands == "float32" else None,
            preferred_element_type=jnp.float32,
        )

    def completed(self, total: Float[Array, "nodes latent"]) -> Float[Array, "nodes latent"]:
        """Sums over this device's edges as sums over all edges."""
        if self.split_over is None:
            return total
        summed: Array = jax.lax.psum(total, self.split_over)  # type: ignore[no-untyped-call]
        return summed

    def keep(self, x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """`x` in the dtype in which latents are stored."""
        return x.astype(self.latents)


FLOAT32 = Precision("float32", operands="float32", latents="float32")
MIXED = Precision("mixed", operands="bfloat16", latents="float32")
# The published checkpoints were trained in bfloat16. Latents are rounded as there; sums, layer
# norms and the output are float32, which is closer to float32 than DeepMind's own rounding.
BFLOAT16 = Precision("bfloat16", operands="bfloat16", latents="bfloat16")

PRECISIONS = {precision.name: precision for precision in (FLOAT32, MIXED, BFLOAT16)}


def precision_named(name: str) -> Precision:
    """The precision a user asked for; `ValueError` with the choices otherwise."""
    if name not in PRECISIONS:
        raise ValueError(f"unknown precision {name!r}; choose one of {', '.join(PRECISIONS)}")
    return PRECISIONS[name]
