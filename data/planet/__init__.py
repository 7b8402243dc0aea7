"""A planet of our own: weather without end, and a physical model that forecasts it.

A general circulation model (jcm, SPEEDY physics, on JAX) runs over the Earth's orography and
climatological seas, and what it writes has the variables, levels, units and conventions of ERA5. It
stands in where ERA5 is not at hand: to train on, to forecast and to score against. The extra
``graphcast[simulate]`` brings jcm; nothing here imports it or JAX before a function needs it.

Read ``simulation`` first, which spins up and runs. ``physics`` says which models there are and what
is added to them, ``atmosphere`` steps them. ``sigma`` goes from their levels to pressure levels,
``analysis`` from their fields to ours and back. ``store`` is the growing Zarr. ``baseline`` writes
forecasts of the planet by a wrong model, ``climate`` compares the planet's seasons with ERA5's.
"""

from data.planet.analysis import LEVELS
from data.planet.baseline import BaselineSpec, forecast_planet
from data.planet.climate import Climate, climate_of, differences, draw, read_climate
from data.planet.physics import MODELS, ModelSpec, model_named
from data.planet.simulation import PlanetSpec, Progress, number_of_times, simulate

__all__ = [
    "LEVELS",
    "MODELS",
    "BaselineSpec",
    "Climate",
    "ModelSpec",
    "PlanetSpec",
    "Progress",
    "climate_of",
    "differences",
    "draw",
    "forecast_planet",
    "model_named",
    "number_of_times",
    "read_climate",
    "simulate",
]
