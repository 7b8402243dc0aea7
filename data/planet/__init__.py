"""A simulated planet: years of weather from a general circulation model, and forecasts of it.

A general circulation model (jcm: SPEEDY physics, on JAX) runs over the Earth's orography and
climatological seas. Its analyses have the variables, levels, units and conventions of ERA5 and
stand in where ERA5 is not at hand: to train on, to forecast and to score against.

    spec = PlanetSpec(seed=1)
    simulate(spec, 10, Path("planet.zarr"))  # years
    (planet,) = open_inputs("planet.zarr")
    times = time_range("2010-01-01/2010-01-10/12h").times
    forecast_planet(planet, times, 40, Path("baseline.zarr"), spec=BaselineSpec("t21"))

This room alone in `data` may use JAX, and only inside functions: the extra `graphcast[simulate]`
brings jcm and JAX, and every module imports without it.

Read `simulation` first, which spins up and runs. `physics` lists the models and what is added to
them; `atmosphere` steps them. `sigma` interpolates between their levels and pressure levels, and
`analysis` between their fields and the catalogue's variables. `store` is the growing Zarr.
`baseline` writes forecasts of the planet by another model, on grids that `regridding` bridges, and
`seasons` compares the planet's climate with a reanalysis.
"""

from data.planet.analysis import LEVELS
from data.planet.baseline import BaselineSpec, forecast_planet
from data.planet.physics import MODELS, CirculationModel, model_named
from data.planet.seasons import (
    SeasonalClimate,
    climate_differences,
    draw_climates,
    read_seasonal_climate,
    seasonal_climate,
)
from data.planet.simulation import PlanetSpec, Progress, number_of_times, simulate

__all__ = [
    "LEVELS",
    "MODELS",
    "BaselineSpec",
    "CirculationModel",
    "PlanetSpec",
    "Progress",
    "SeasonalClimate",
    "climate_differences",
    "draw_climates",
    "forecast_planet",
    "model_named",
    "number_of_times",
    "read_seasonal_climate",
    "seasonal_climate",
    "simulate",
]
