"""The published optimiser: AdamW with decay on weight matrices only, and a clipped gradient.

GraphCast §4.3-4.7 (arXiv 2212.12794): β = (0.9, 0.95), weight decay 0.1, global gradient norm at
most 32. The learning rate is not part of the optimiser: `recipe` gives one for each update.
"""

from dataclasses import dataclass

import jax
import optax

from graphcast.network.model import GraphCast


@dataclass(frozen=True)
class AdamW:
    """AdamW (Loshchilov and Hutter 2019) after a clipped gradient; the defaults are the paper's.

    It compares by value, so that equal optimisers share a compiled update.

    Attributes:
        beta_1: decay of the running mean of gradients.
        beta_2: decay of the running mean of their squares.
        weight_decay: share of each weight matrix that is subtracted, times the learning rate.
        gradient_norm: the largest global norm; a larger gradient is scaled down to it.
    """

    beta_1: float = 0.9
    beta_2: float = 0.95
    weight_decay: float = 0.1
    gradient_norm: float = 32.0

    def __post_init__(self) -> None:
        """Refuse numbers with which AdamW is not defined."""
        for name in ("beta_1", "beta_2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"{name} is at least 0 and below 1, and this is {getattr(self, name)!r}"
                )
        if not self.weight_decay >= 0:
            raise ValueError(f"a weight decay is not negative, and this is {self.weight_decay!r}")
        if not self.gradient_norm > 0:
            raise ValueError(f"a gradient norm is positive, and this is {self.gradient_norm!r}")

    def transformation(self) -> optax.GradientTransformation:
        """From a gradient to a direction; a step goes `learning_rate` times against it."""
        return optax.chain(
            optax.clip_by_global_norm(self.gradient_norm),
            optax.scale_by_adam(b1=self.beta_1, b2=self.beta_2),
            optax.add_decayed_weights(self.weight_decay, mask=is_weight_matrix),
        )


def is_weight_matrix(model: GraphCast) -> GraphCast:
    """True at every leaf that is a weight matrix; biases and layer norms are not decayed."""

    def is_matrix(path: tuple[object, ...], _: jax.Array) -> bool:
        return any(getattr(key, "name", None) == "weights" for key in path)

    mask: GraphCast = jax.tree_util.tree_map_with_path(is_matrix, model)
    return mask
