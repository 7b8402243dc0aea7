"""How numbers are multiplied, and which are kept: the one place that knows about dtypes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name
from jax.experimental.layout import Layout as DeviceLayout
from jax.experimental.layout import with_layout_constraint
from jaxtyping import Array, Float

# What results are called where a gradient chooses which of them to keep.
PRODUCT, FACTOR = "product", "narrow factor"


@dataclass(frozen=True)
class Precision:
    """How a pass rounds, and what its gradient keeps of it.

    Parameters, normalisation and state stay float32 throughout.

    Attributes:
        name: what the user types and what outputs record.
        operands: dtype of the factors of every matrix product; sums are always float32.
        latents: dtype in which node and edge latents are kept between operations.
        split_over: name of the device axis over which one sample's blocks are split, if they are;
            sums over edges are then completed across it.
        gradient_keeps: results of all matrix products, or no more than the latents between rounds
            and blocks. Whatever a gradient does not keep is computed again. Where no gradient is
            taken, nothing, and latents change in place.
    """

    name: str
    operands: str
    latents: str
    split_over: str | None = None
    gradient_keeps: Literal["products", "rounds", "nothing"] = "rounds"

    def product(
        self, x: Float[Array, "*batch width"], weight: Float[Array, "width out"]
    ) -> Float[Array, "*batch out"]:
        """`x @ weight`, accumulated and returned in float32; its gradient rounds alike."""
        return _named(_product(self.operands, x, weight), PRODUCT)

    def product_of_swish(
        self, hidden: Float[Array, "*batch width"], weight: Float[Array, "width out"]
    ) -> Float[Array, "*batch out"]:
        """`product(swish(hidden), weight)`."""
        return _named(_product_of_swish(self.operands, hidden, weight), PRODUCT)

    def block(self, body: Callable[..., Any]) -> Callable[..., Any]:
        """The body of a loop over blocks, its gradient told what to keep."""
        return _recomputed(body, keeping_products=self.gradient_keeps == "products")

    def block_of_round(self, body: Callable[..., Any]) -> Callable[..., Any]:
        """The same for blocks within a round, where the round itself may be computed again."""
        if self.gradient_keeps != "rounds":
            return body
        return _recomputed(body, keeping_products=True)

    def completed(self, total: Float[Array, "nodes latent"]) -> Float[Array, "nodes latent"]:
        """Sums over this device's edges as sums over all edges."""
        if self.split_over is None:
            return total
        summed: Array = jax.lax.psum(total, self.split_over)  # type: ignore[no-untyped-call]
        return summed

    def keep(self, x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """`x` in the dtype in which latents are stored."""
        return x.astype(self.latents)


def _recomputed(body: Callable[..., Any], *, keeping_products: bool) -> Callable[..., Any]:
    policies = jax.checkpoint_policies
    keep = policies.save_only_these_names(PRODUCT, FACTOR) if keeping_products else None
    return jax.checkpoint(body, policy=keep, prevent_cse=False)


def _named(value: Array, name: str) -> Array:
    """`value`, which a gradient may be told by its name to keep."""
    named: Array = checkpoint_name(value, name)  # type: ignore[no-untyped-call]
    return named


def _matmul(operands: str, x: Array, weight: Array) -> Array:
    return jnp.matmul(
        x.astype(operands),
        weight.astype(operands),
        precision=jax.lax.Precision.HIGHEST if operands == "float32" else None,
        preferred_element_type=jnp.float32,
    )


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _product(operands: str, x: Array, weight: Array) -> Array:
    return _matmul(operands, x, weight)


def _product_forward(operands: str, x: Array, weight: Array) -> tuple[Array, tuple[Array, Array]]:
    return _matmul(operands, x, weight), (x, weight)


def _product_backward(
    operands: str, kept: tuple[Array, Array], gradient: Array
) -> tuple[Array, Array]:
    x, weight = kept
    of_x, of_weight = _gradients(operands, x, weight, gradient)
    return of_x.astype(x.dtype), of_weight


def _gradients(operands: str, x: Array, weight: Array, gradient: Array) -> tuple[Array, Array]:
    """Of both factors of a product, float32."""
    # JAX's own rule would multiply float32 by bfloat16, which no matrix unit does.
    rows = x.reshape(-1, x.shape[-1]).astype(operands)
    of_x = _matmul(operands, gradient, _turned(weight.astype(operands)))
    of_weight = _matmul(operands, _turned(rows), gradient.reshape(-1, gradient.shape[-1]))
    return of_x, of_weight.astype(weight.dtype)


def _turned(matrix: Array) -> Array:
    """The transpose; copied where products of it would otherwise be slow.

    XLA's CPU products of bfloat16 take three times as long with a factor that is transposed in
    place (measured on Zen 4 with jax 0.10), and those of float32 do not.
    """
    if matrix.dtype == jnp.float32 or jax.default_backend() != "cpu":
        return matrix.T
    # Without the barrier the copy would compute the matrix, too, column by column.
    matrix = jax.lax.optimization_barrier(matrix)  # type: ignore[no-untyped-call]
    turned: Array = with_layout_constraint(  # type: ignore[no-untyped-call]
        matrix.T, DeviceLayout((0, 1))
    )
    return turned


_product.defvjp(_product_forward, _product_backward)


def _swish(x: Array) -> Array:
    return x / (1 + jnp.exp(-x))


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _product_of_swish(operands: str, hidden: Array, weight: Array) -> Array:
    return _matmul(operands, _swish(hidden), weight)


def _product_of_swish_forward(
    operands: str, hidden: Array, weight: Array
) -> tuple[Array, tuple[Array, Array, Array]]:
    factor = _swish(hidden).astype(operands)
    if factor.dtype != jnp.float32:
        # XLA would compute it again while it transposes it, column by column: 15 % of a gradient.
        factor = _named(factor, FACTOR)
    return _matmul(operands, factor, weight), (hidden, factor, weight)


def _product_of_swish_backward(
    operands: str, kept: tuple[Array, Array, Array], gradient: Array
) -> tuple[Array, Array]:
    hidden, factor, weight = kept
    of_factor, of_weight = _gradients(operands, factor, weight, gradient)
    σ = 1 / (1 + jnp.exp(-hidden))
    return of_factor * σ * (1 + hidden * (1 - σ)), of_weight


_product_of_swish.defvjp(_product_of_swish_forward, _product_of_swish_backward)

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
