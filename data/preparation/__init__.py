"""Making one checked training dataset, on one grid, from any series of analyses.

    from data.preparation import Recipe, prepare

    prepare(Recipe("era5/", grid="1.0"), "era5.zarr")

A `Recipe` (`recipe`) says what is made from what. `run` has `prepare`: it opens the source
(`opened`), takes statics from files (`statics`), makes one group of times after another, checks
every field (`checks`) and writes it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
