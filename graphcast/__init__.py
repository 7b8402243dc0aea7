"""The graph network and what it takes to run it: JAX inside, arrays in, arrays out.

Read in this order: `precision` and `mlp` (the building blocks), `interaction` (one round of message
passing), `model` (encoder, processor, decoder), `layout` (the graphs in blocks), `normaliser` and
`rollout` (physical units, one step and many), `loss`; then `checkpoints` (files of weights),
`memory`, `devices` and `hosts` (what a run needs, and where it goes), `training` (the step and the
loop) and `forecaster`, the only module here that knows labels: Dataset in, Datasets out.
`reference` is the same network the textbook way, on jraph.
"""
