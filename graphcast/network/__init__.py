"""The published network, in reading order.

`mlp`: the perceptron of which all is made. `edge_terms`: an edge's share of its message.
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
