"""Moving fields from one global latitude–longitude grid to another, and to other pressure levels.

Read in this order:

- `weights`: how much each source point counts for each target point, by method.
- `fields`: `regrid` applies the weights to a Dataset, lazily.
- `levels`: selecting pressure levels, and interpolating to others.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
