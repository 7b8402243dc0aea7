"""Weather as files know it, and as a model reads it; no JAX here, and no mesh.

Read in this order. ``variables`` is the catalogue: one row each. ``task`` is what a model reads
and predicts; ``channels`` says which column of an array is what, and ``frames`` packs and unpacks
them. ``forcings`` (with ``solar``) computes what is known of the future: the calendar and the Sun.
``moments`` holds the statistics that fields are normalised by. ``conventions`` turns other
people's names, units and orders into ours, and ``sources`` reads their files; ``windows`` cuts out
what one forecast starts from, and checks it. ``formats`` writes.

Every Dataset in here is canonical: dimensions time, level, latitude, longitude in this order; UTC
times; levels in hPa, latitudes and longitudes (0 to 360) ascending; ERA5's names and units.
"""

from data.channels import Channel, Channels
from data.forcings import FORCINGS, forcing_frame
from data.frames import pack, unpack
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
    "moments_of",
    "open_inputs",
    "pack",
    "read_moments",
    "unpack",
    "window",
    "write_moments",
]
