"""The recipes that come with the package, by name; any other is a JSON file."""

from pathlib import Path

from graphcast.training.recipe import Phase, Recipe, Validation

PUBLISHED = Recipe(
    phases=(
        Phase("warm-up and half-cosine", 300_000, peak=1e-3, warm_up=1_000),
        *(
            Phase(f"{steps} steps", 1_000, peak=3e-7, end=3e-7, lead_steps=steps)
            for steps in range(2, 13)
        ),
    ),
    batch=32,
    precision="bfloat16",
)
"""GraphCast's published recipe (§4.3-4.7): 300,000 updates of one step, 11,000 of 2 to 12 steps."""

QUICK = Recipe(
    phases=(
        Phase("one step", 5_000, peak=1e-3, end=1e-5, warm_up=200),
        Phase("2 steps", 700, peak=1e-4, end=1e-5, warm_up=50, lead_steps=2),
        Phase("4 steps", 300, peak=5e-5, end=1e-6, warm_up=20, lead_steps=4),
    ),
    batch=4,
    precision="mixed",
    average_decay=0.995,
    validation=Validation(times=6, init_times=6),
)
"""For a small network on a laptop: the paper's phases in short, and averaged weights."""

FINETUNE = Recipe(
    phases=(
        Phase("one step", 1_000, peak=2.5e-5, end=2.5e-6, warm_up=64),
        Phase("2 steps", 250, peak=2.5e-6, end=1e-6, warm_up=16, lead_steps=2),
        Phase("4 steps", 250, peak=2.5e-6, end=1e-7, warm_up=16, lead_steps=4),
    ),
    batch=4,
    precision="mixed",
    average_decay=0.99,
)
"""For weights that are trained already (`--init-from`): small steps, from single steps again.

The learning rates are those of Subich et al. 2025 (arXiv 2501.19374), whose phases are longer.
"""

RECIPES = {"quick": QUICK, "paper": PUBLISHED, "finetune": FINETUNE}


def recipe_named(text: str) -> Recipe:
    """A recipe of the package by name, or the recipe in a JSON file.

    Raises:
        ValueError: the text is neither, or the file describes no recipe.
    """
    if text in RECIPES:
        return RECIPES[text]
    if not Path(text).is_file():
        raise ValueError(
            f"a recipe is one of {', '.join(RECIPES)} or a JSON file, and there is no file {text}"
        )
    try:
        return Recipe.from_json(Path(text).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from error
