"""Training: from untrained weights and a stretch of weather to trained weights.

Read in this order: `recipe` (learning rate and steps of each update) with `draw` (the samples of
each update) and `optimiser` (AdamW as published); `problem` (the arrays that never change) and
`batches` (where examples come from); `state` (everything that changes, and its file); `step` (one
update) and `loop` (many). `toy` trains the demonstration's model with them.

    recipe = Recipe(phases=(Phase("short", updates=10, peak=1e-3),), batch=2)
    plan = plan_of_updates(ready, recipe, Machine())
    state = train(
        initial_state(ready.checkpoint.model, recipe),
        training_problem(ready, plan, window),
        InMemory(frames(ready, analyses), plan.layout.rows, recipe),
        recipe,
    )
"""

from graphcast.training.batches import Batches, Frames, InMemory, frames
from graphcast.training.draw import Draw
from graphcast.training.feed import ReadAhead, StoredFrames
from graphcast.training.folder import RunFolder
from graphcast.training.job import Job, Validated, run
from graphcast.training.loop import Progress, train
from graphcast.training.optimiser import AdamW
from graphcast.training.problem import Problem, plan_of_updates, training_problem
from graphcast.training.recipe import Conditions, Phase, Recipe, Validation
from graphcast.training.recipes import PUBLISHED, RECIPES, recipe_named
from graphcast.training.sizes import SIZES, model_named
from graphcast.training.state import TrainState, initial_state, read_state, write_state

__all__ = [
    "PUBLISHED",
    "RECIPES",
    "SIZES",
    "AdamW",
    "Batches",
    "Conditions",
    "Draw",
    "Frames",
    "InMemory",
    "Job",
    "Phase",
    "Problem",
    "Progress",
    "ReadAhead",
    "Recipe",
    "RunFolder",
    "StoredFrames",
    "TrainState",
    "Validated",
    "Validation",
    "frames",
    "initial_state",
    "model_named",
    "plan_of_updates",
    "read_state",
    "recipe_named",
    "run",
    "train",
    "training_problem",
    "write_state",
]
