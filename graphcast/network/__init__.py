"""The published network, in reading order.

`mlp`: the perceptron that everything is built of. `edge_terms`: an edge's share of its message.
`interaction`: one round of message passing. `model`: encoder, processor, decoder, and the geometry
they embed. `reference`: the same network the textbook way, on jraph, as an oracle.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
