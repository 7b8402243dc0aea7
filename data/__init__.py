"""Weather as files hold it and as a model reads it: a vocabulary, and rooms built on it.

The vocabulary, in reading order:

- `constants`, `wording`: physical constants with their sources; how messages write times and lists.
- `variables`, `task`: the catalogue, one row each; what a model reads and predicts, and its step.
- `channels`, `frames`: which column of an array is what; packing a frame into one and back.
- `grids`: the grid of a Dataset, and whether it covers the globe (`mesh.grid` defines grids).
- `solar`, `forcings`: the Sun and the calendar, which are known in advance.
- `windows`: the checked start of one forecast, with `init_time`, `requirements`, `plausibility`
  (`plausible_ranges`, `standard_atmosphere`) and `file_forcings` for its parts.
- `moments`, `statistics`, `tallies`: the statistics that fields are normalised by, and how they are
  computed.
- `time_range`, `description`, `provenance`, `malloc`: ranges of times as people type them, stores
  described for people, notes of what was done to a variable, glibc's arenas.

The rooms, each of which imports only those before it:

- `canonical`: bringing other people's names, units and orders into the catalogue's.
- `regrid`: to another grid, to other levels. `stores`: everything the project writes, whole.
- `sources`: reading files and long series, local and remote. `samples`: a small real file.
- `preparation`: from a source to a training dataset.
- `doctor`, `maps`, `planet`: judging a file; drawing fields; simulating a planet (the one room that
  runs JAX).

Every Dataset in here is canonical: dimensions time, level, latitude, longitude in this order; UTC
times; levels in hPa, latitudes and longitudes (0 to 360) ascending; ERA5's names and units.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
