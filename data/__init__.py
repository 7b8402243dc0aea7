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
- `doctor`, `planet`: judging a file; simulating a planet (the one room that runs JAX).

Every Dataset in here is canonical: dimensions time, level, latitude, longitude in this order; UTC
times; levels in hPa, latitudes and longitudes (0 to 360) ascending; ERA5's names and units.
"""

from data.channels import Channel, Channels
from data.forcings import FORCINGS, forcing_frame
from data.frames import pack, unpack
from data.grids import grid_of
from data.moments import Moments, read_moments, write_moments
from data.sources import open_inputs
from data.statistics import moments_of
from data.task import INPUT_FRAMES, STEP, TASKS, Task
from data.variables import VARIABLES, Variable
from data.windows import Window, window

__all__ = [
    "FORCINGS",
    "INPUT_FRAMES",
    "STEP",
    "TASKS",
    "VARIABLES",
    "Channel",
    "Channels",
    "Moments",
    "Task",
    "Variable",
    "Window",
    "forcing_frame",
    "grid_of",
    "moments_of",
    "open_inputs",
    "pack",
    "read_moments",
    "unpack",
    "window",
    "write_moments",
]
