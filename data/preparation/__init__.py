"""Making one checked training dataset, on one grid, from any series of analyses.

    from data.preparation import Recipe, prepare

    prepare(Recipe("era5/", grid="1.0"), "era5.zarr")

A `Recipe` (`recipe`) says what is made from what. `run` has `prepare`: it opens the source
(`opened`), takes statics from files (`statics`), makes one group of times after another, checks
every field (`checks`) and writes it.
"""

from data.preparation.recipe import Recipe
from data.preparation.run import Prepared, prepare

__all__ = ["Prepared", "Recipe", "prepare"]
