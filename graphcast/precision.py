"""How matrix products round: the dtypes of their factors and of stored latents."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jax.ad_checkpoint import checkpoint_name
from jax.experimental.layout import Layout as DeviceLayout
from jax.experimental.layout import with_layout_constraint
from jaxtyping import Array, Float

# Names by which a backward pass chooses the results that it stores (see `Pass.keeps`).
PRODUCT, FACTOR = "product", "narrow factor"


@dataclass(frozen=True)
class Precision:
    """The dtypes of a pass. Parameters, normalisation and state stay float32 throughout.

    Attributes:
        name: what the user types and what outputs record.
        operands: dtype of the factors of every matrix product; sums are always float32.
        latents: dtype in which node and edge latents are stored between operations.
    """

    name: str
    operands: str
    latents: str

    def product(
        self, x: Float[Array, "*batch width"], weight: Float[Array, "width out"]
    ) -> Float[Array, "*batch out"]:
        """`x @ weight`, accumulated and returned in float32; its gradient rounds the same way."""
        return _named(_product(self.operands, x, weight), PRODUCT)

    def product_of_swish(
        self, hidden: Float[Array, "*batch width"], weight: Float[Array, "width out"]
    ) -> Float[Array, "*batch out"]:
        """`product(swish(hidden), weight)`."""
        return _named(_product_of_swish(self.operands, hidden, weight), PRODUCT)

    def stored(self, x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
        """`x` in the dtype in which latents are stored."""
        return x.astype(self.latents)


def _named(value: Array, name: str) -> Array:
    """`value` under a name by which `jax.checkpoint` can choose to store it."""
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
    operands: str, factors: tuple[Array, Array], gradient: Array
) -> tuple[Array, Array]:
    x, weight = factors
    x_gradient, weight_gradient = _gradients(operands, x, weight, gradient)
    return x_gradient.astype(x.dtype), weight_gradient


def _gradients(operands: str, x: Array, weight: Array, gradient: Array) -> tuple[Array, Array]:
    """The gradients of `x` and `weight` in float32, from the gradient of their product."""
    # JAX's own rule would multiply float32 by bfloat16, which no matrix unit does.
    rows = x.reshape(-1, x.shape[-1]).astype(operands)
    x_gradient = _matmul(operands, gradient, _transposed(weight.astype(operands)))
    weight_gradient = _matmul(operands, _transposed(rows), gradient.reshape(-1, gradient.shape[-1]))
    return x_gradient, weight_gradient.astype(weight.dtype)


def _transposed(matrix: Array) -> Array:
    """The transpose, copied into row-major order where that makes products faster.

    On a CPU a bfloat16 product takes three times as long with a factor that is transposed in
    place (measured on Zen 4 with jax 0.10); a float32 product does not.
    """
    if matrix.dtype == jnp.float32 or jax.default_backend() != "cpu":
        return matrix.T
    # Without the barrier XLA would fuse the matrix's computation into the copy, column by column.
    matrix = jax.lax.optimization_barrier(matrix)  # type: ignore[no-untyped-call]
    transposed: Array = with_layout_constraint(  # type: ignore[no-untyped-call]
        matrix.T, DeviceLayout((0, 1))
    )
    return transposed


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
        # Named, so that it can be stored: else the backward pass recomputes it while transposing
        # it, column by column, which takes 15 % of a gradient.
        factor = _named(factor, FACTOR)
    return _matmul(operands, factor, weight), (hidden, factor, weight)


def _product_of_swish_backward(
    operands: str, stored: tuple[Array, Array, Array], gradient: Array
) -> tuple[Array, Array]:
    hidden, factor, weight = stored
    factor_gradient, weight_gradient = _gradients(operands, factor, weight, gradient)
    σ = 1 / (1 + jnp.exp(-hidden))
    hidden_gradient = factor_gradient * σ * (1 + hidden * (1 - σ))
    return hidden_gradient.astype(hidden.dtype), weight_gradient


_product_of_swish.defvjp(_product_of_swish_forward, _product_of_swish_backward)

FLOAT32 = Precision("float32", operands="float32", latents="float32")
MIXED = Precision("mixed", operands="bfloat16", latents="float32")
# The published checkpoints were trained in bfloat16. Latents are rounded as they were there; sums,
# layer norms and the output are float32, so this is closer to float32 than DeepMind's own pass.
BFLOAT16 = Precision("bfloat16", operands="bfloat16", latents="bfloat16")

PRECISIONS = {precision.name: precision for precision in (FLOAT32, MIXED, BFLOAT16)}


def precision_named(name: str) -> Precision:
    """The precision of this name.

    Raises:
        ValueError: there is none; the message lists the choices.
    """
    if name not in PRECISIONS:
        raise ValueError(f"unknown precision {name!r}; choose one of {', '.join(PRECISIONS)}")
    return PRECISIONS[name]
