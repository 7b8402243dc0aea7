"""Fields from one global latitude-longitude grid to another, regular or Gaussian.

``grids`` says which grids there are and what their cells are, ``weights`` how much each source
point counts for each target point, ``fields`` applies the weights to a Dataset, lazily. A grid
here is two coordinate arrays in canonical order; ``mesh.LatLonGrid`` is another room's.
"""

from data.regrid.fields import METHODS, regrid
from data.regrid.grids import Grid, grid_named

__all__ = ["METHODS", "Grid", "grid_named", "regrid"]
