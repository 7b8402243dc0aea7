"""The published network, in reading order.

`mlp`: the perceptron that everything is built of. `edge_terms`: an edge's share of its message.
`interaction`: one round of message passing. `model`: encoder, processor, decoder, and the geometry
they embed. `reference`: the same network the textbook way, on jraph, as an oracle.
"""

from graphcast.network.model import (
    GraphCast,
    ModelSpec,
    embed_geometry,
    model_template,
    parameter_count,
    random_model,
)

__all__ = [
    "GraphCast",
    "ModelSpec",
    "embed_geometry",
    "model_template",
    "parameter_count",
    "random_model",
]
