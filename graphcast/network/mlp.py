"""The multi-layer perceptron that the whole network is built of."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from graphcast.precision import Precision

LAYER_NORM_EPSILON = 1e-5  # inside the square root; the default of haiku's LayerNorm


class MLP(eqx.Module):
    """Linear, swish, …, linear, then LayerNorm (unless it is the network's read-out).

    The first layer is linear. For an input that concatenates parts a and b its result is
    a @ w_a + b @ w_b + bias, and `finish` takes it from there. An edge update uses this to multiply
    each node once instead of once per edge.

    Attributes:
        weights: one [in, out] matrix per layer.
        biases: one [out] vector per layer.
        scale, offset: LayerNorm's [out] vectors, or None without LayerNorm.
    """

    weights: tuple[Float[Array, "..."], ...]
    biases: tuple[Float[Array, "..."], ...]
    scale: Float[Array, "..."] | None
    offset: Float[Array, "..."] | None

    def __call__(
        self, x: Float[Array, "*batch width"], precision: Precision
    ) -> Float[Array, "*batch out"]:
        """The output for input rows `x`, float32."""
        return self.finish(self.first(x, precision), precision)

    def first(
        self, x: Float[Array, "*batch width"], precision: Precision
    ) -> Float[Array, "*batch hidden"]:
        """The first layer's output before its activation."""
        return precision.product(x, self.weights[0]) + self.biases[0]

    def finish(
        self, hidden: Float[Array, "*batch hidden"], precision: Precision
    ) -> Float[Array, "*batch out"]:
        """Everything after the first layer's matrix product and bias.

        LayerNorm subtracts each row's mean. Here the last layer's weights and bias are centred
        once instead, so that every row comes out with mean 0.
        """
        *inner, (last, offset) = zip(self.weights[1:], self.biases[1:], strict=True)
        for weight, bias in inner:
            hidden = precision.product_of_swish(hidden, weight) + bias
        if self.scale is None or self.offset is None:
            return precision.product_of_swish(hidden, last) + offset
        last = last - last.mean(axis=1, keepdims=True)
        rows = precision.product_of_swish(hidden, last) + (offset - offset.mean())
        return unit_variance(rows) * self.scale + self.offset

    def input_blocks(self, widths: Sequence[int]) -> list[Float[Array, "..."]]:
        """The first weight matrix cut by rows: one matrix for each part of the input."""
        edges = [sum(widths[: i + 1]) for i in range(len(widths) - 1)]
        return jnp.split(self.weights[0], edges, axis=0)


def unit_variance(x: Float[Array, "*batch width"]) -> Float[Array, "*batch width"]:
    """Rows of mean 0 divided by their (population) standard deviation."""
    variance = jnp.square(x).mean(axis=-1, keepdims=True)
    return x * jax.lax.rsqrt(variance + LAYER_NORM_EPSILON)


def random_mlp(
    input_width: int,
    hidden_widths: Sequence[int],
    output_width: int,
    *,
    norm: bool = True,
    key: PRNGKeyArray,
) -> MLP:
    """An MLP initialised as published: weights from a truncated normal of std 1/√in, biases 0."""
    widths = [input_width, *hidden_widths, output_width]
    keys = jax.random.split(key, len(widths) - 1)
    weights = tuple(
        jax.random.truncated_normal(k, -2.0, 2.0, (fan_in, fan_out)) / jnp.sqrt(fan_in)
        for k, fan_in, fan_out in zip(keys, widths[:-1], widths[1:], strict=True)
    )
    return MLP(
        weights=weights,
        biases=tuple(jnp.zeros(width) for width in widths[1:]),
        scale=jnp.ones(output_width) if norm else None,
        offset=jnp.zeros(output_width) if norm else None,
    )
