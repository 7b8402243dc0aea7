"""The published optimiser: AdamW with decay on weight matrices only, and a clipped gradient.

GraphCast §4.3–4.7: β = (0.9, 0.95), weight decay 0.1, global gradient norm at most 32, a linear
warm-up and a half-cosine to zero.
"""

import jax
import optax

from graphcast.network.model import GraphCast

BETA_1, BETA_2 = 0.9, 0.95
WEIGHT_DECAY = 0.1
GRADIENT_NORM = 32.0


def warm_up_and_cosine(peak: float, warm_up: int, updates: int) -> optax.Schedule:
    """Learning rate by update: 0 → `peak` linearly, then half a cosine to 0 at `updates`."""
    return optax.warmup_cosine_decay_schedule(0.0, peak, warm_up, updates, end_value=0.0)


def published_optimiser(learning_rate: optax.Schedule) -> optax.GradientTransformation:
    """Clip, AdamW, and decay for matrices alone."""
    return optax.chain(
        optax.clip_by_global_norm(GRADIENT_NORM),
        optax.adamw(
            learning_rate, b1=BETA_1, b2=BETA_2, weight_decay=WEIGHT_DECAY, mask=is_weight_matrix
        ),
    )


def is_weight_matrix(model: GraphCast) -> GraphCast:
    """True at every leaf that is a weight matrix; biases and layer norms are not decayed."""

    def is_matrix(path: tuple[object, ...], _: jax.Array) -> bool:
        return any(getattr(key, "name", None) == "weights" for key in path)

    mask: GraphCast = jax.tree_util.tree_map_with_path(is_matrix, model)
    return mask
