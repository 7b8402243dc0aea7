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

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
