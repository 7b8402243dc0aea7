"""Training: from untrained weights and a stretch of weather to trained weights.

Read in this order: `recipe` (learning rate and steps of each update) with `draw` (the samples of
each update) and `optimiser` (AdamW as published); `problem` (the arrays that never change) and
`batches` (where examples come from); `untrained` (weights to start from) and `state` (everything
that changes, and its file); `step` (one update) and `loop` (many). `toy` trains the demonstration's
model with them.

    recipe = Recipe(phases=(Phase("short", updates=10, peak=1e-3),), batch=2)
    plan = plan_of_updates(ready, recipe, Machine())
    state = train(
        initial_state(ready.checkpoint.model, recipe),
        training_problem(ready, plan, window),
        InMemory(frames(ready, analyses), plan.layout.rows, recipe),
        recipe,
    )
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
