"""Moving fields from one global latitude–longitude grid to another, and to other pressure levels.

Read in this order:

- `weights`: how much each source point counts for each target point, by method.
- `fields`: `regrid` applies the weights to a Dataset, lazily.
- `levels`: selecting pressure levels, and interpolating to others.
"""

from data.regrid.fields import METHODS, regrid

__all__ = ["METHODS", "regrid"]
