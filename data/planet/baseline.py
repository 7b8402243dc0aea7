"""Forecasts of a simulated planet by another model: the physical baseline to beat.

The model is to the planet what the operational high-resolution forecast (HRES) is to the Earth: its
physics are nearly right, and it starts from nearly right analyses. They are interpolated to its
grid, levels and orography, and perturbed by a small part of the difference between two other states
of the planet at the same hour, so that the error is balanced and has realistic scales.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from data.grids import grid_of
from data.planet.analysis import ATMOSPHERIC, PLANET_VARIABLES, analysis, model_fields
from data.planet.atmosphere import Atmosphere, State
from data.planet.physics import CirculationModel, model_named
from data.planet.regridding import smoothly
from data.planet.simulation import REFERENCES
from data.stores.forecast.header import ForecastHeader
from data.stores.forecast.store import ForecastStore
from data.task import STEP
from data.wording import hour
from mesh.grid import LatLonGrid

ANALYSIS_ERROR = 0.05  # of the difference of two states, some 5 m of height at 500 hPa
APART = np.timedelta64(10, "D")  # states further apart than this are uncorrelated
POLE = 90.0 - 1e-6  # degrees: a row beyond this is at a pole


@dataclass(frozen=True)
class BaselineSpec:
    """Settings of baseline forecasts: the model, the analysis error and its seed."""

    model: str = "t21"
    seed: int = 0
    analysis_error: float = ANALYSIS_ERROR


@dataclass(frozen=True)
class _Setup:
    """The model, and the grid and levels (hPa) of the planet."""

    atmosphere: Atmosphere
    source: LatLonGrid
    levels: tuple[int, ...]

    @property
    def model_grid(self) -> LatLonGrid:
        return LatLonGrid.from_coordinates(self.atmosphere.latitude, self.atmosphere.longitude)


def forecast_planet(
    planet: xr.Dataset,
    init_times: Sequence[np.datetime64],
    steps: int,
    path: Path,
    *,
    spec: BaselineSpec,
    overwrite: bool = False,
    report: Callable[[int, int], None] = lambda done, wanted: None,
) -> Path:
    """Write the model's forecasts from each initial time to a forecast store.

    Called again after an interruption, it keeps the forecasts that are complete.

    Args:
        planet: canonical Dataset with the variables `ATMOSPHERIC`, except vertical velocity.
        init_times: each a time of `planet`.
        steps: lead times to write, one every six hours.
        path: the store to write.
        spec: model and analysis error.
        overwrite: replace a forecast store at `path`.
        report: called with the number of forecasts done and wanted.

    Raises:
        ValueError: jcm is missing, the model is unknown, or `planet` lacks times or variables.
        FileExistsError: `path` exists.
    """
    model = model_named(spec.model)
    _check(planet, init_times)
    head = _header(planet, init_times, steps, spec, model)
    with ForecastStore.open_or_create(path, head, overwrite=overwrite) as store:
        setup = _Setup(
            Atmosphere(model),
            grid_of(planet, "the planet"),
            tuple(int(level) for level in planet["level"].values),
        )
        for index, time in enumerate(init_times):
            committed = store.committed_leads(init=index)
            if len(committed) < steps:
                state = _start(planet, time, index, setup, spec)
                for lead in range(steps):
                    state = setup.atmosphere.six_hours_later(state)
                    if lead not in committed:
                        store.write(lead, _on_planet(state, setup), init=index)
            report(index + 1, len(init_times))
        return store.finish()


def starts_baseline(latitude: np.ndarray) -> bool:
    """Whether a baseline can start from a planet with these rows (degrees): none is at a pole."""
    return bool(np.abs(latitude).max() <= POLE)


def _start(
    planet: xr.Dataset, time: np.datetime64, index: int, setup: _Setup, spec: BaselineSpec
) -> State:
    """The model's state at the initial time number `index`, with its analysis error."""
    one, other = _random_pair(planet, time, np.random.default_rng((spec.seed, index)))
    moments = planet.sel(time=np.array([time, one, other], "datetime64[ns]"))
    fields = {}
    for name in ATMOSPHERIC[:5]:
        truth, first, second = moments[name].values.astype(np.float64)
        wrong = truth + spec.analysis_error * (first - second)
        wrong = np.maximum(wrong, 0.0) if name == "specific_humidity" else wrong
        wind = name.endswith("component_of_wind")
        fields[name] = smoothly(wrong, setup.source, setup.model_grid, wind=wind)
    air = model_fields(
        fields, setup.levels, setup.atmosphere.sigma, setup.atmosphere.surface_geopotential
    )
    return setup.atmosphere.started(air, time)


def _on_planet(state: State, setup: _Setup) -> dict[str, np.ndarray]:
    """The variables of a forecast on the planet's grid and levels."""
    fields = analysis(setup.atmosphere.fields(state), setup.levels)
    moved = {
        name: smoothly(
            field, setup.model_grid, setup.source, wind=name.endswith("component_of_wind")
        )
        for name, field in fields.items()
    }
    for name in ("specific_humidity", "total_precipitation_6hr"):
        moved[name] = np.maximum(moved[name], 0.0)  # a spline overshoots at sharp edges
    return moved


def _random_pair(
    planet: xr.Dataset, time: np.datetime64, random: np.random.Generator
) -> tuple[np.datetime64, np.datetime64]:
    """Two random times at least `APART`, of the same hour of the day and within 45 days of it."""
    times = planet["time"].values
    same_hour = (times - time) % np.timedelta64(1, "D") == np.timedelta64(0, "ns")
    of_year = (times - times.astype("datetime64[Y]")) / np.timedelta64(1, "D")
    today = (time - time.astype("datetime64[Y]")) / np.timedelta64(1, "D")
    away = np.abs((of_year - today + 182.5) % 365 - 182.5)
    near = times[same_hour & (away <= 45)]
    first = random.choice(near)
    others = near[np.abs(near - first) >= APART]
    if not others.size:
        raise ValueError(
            "the analysis error is made of two states of the planet at the same hour, 10 days"
            f" apart, within 45 days of the season of {hour(time)}, and the planet has too few;"
            " simulate longer"
        )
    return first, random.choice(others)


def _check(planet: xr.Dataset, init_times: Sequence[np.datetime64]) -> None:
    """Raise ValueError if the planet cannot give the analyses for these times."""
    missing = [name for name in ATMOSPHERIC[:5] if name not in planet]
    if missing:
        raise ValueError(f"a model starts from analyses with {', '.join(missing)}; add them")
    times = set(planet["time"].values.astype("datetime64[ns]").tolist())
    absent = [t for t in init_times if t.astype("datetime64[ns]").astype(int) not in times]
    if absent:
        first, last = (hour(t) for t in planet["time"].values[[0, -1]])
        raise ValueError(
            f"forecasts start from analyses, and {len(absent)} of {len(init_times)} initial times"
            f" have none, the first {hour(absent[0])}; the planet goes from {first} to {last}"
        )
    if not starts_baseline(planet["latitude"].values):
        raise ValueError(
            "a baseline starts from a grid without rows at the poles, as the models' own; simulate"
            " the planet on its native grid (leave out `grid`)"
        )


def _header(
    planet: xr.Dataset,
    init_times: Sequence[np.datetime64],
    steps: int,
    spec: BaselineSpec,
    model: CirculationModel,
) -> ForecastHeader:
    settings = {
        "planet": planet.attrs.get("fingerprint", "unknown"),
        "model": spec.model,
        "changes": dict(model.changes),
        "seed": spec.seed,
        "analysis_error": spec.analysis_error,
    }
    return ForecastHeader(
        variables=tuple(sorted(PLANET_VARIABLES)),
        init_times=tuple(init_times),
        leads=tuple((step + 1) * STEP for step in range(steps)),
        levels=tuple(int(level) for level in planet["level"].values),
        latitude=tuple(planet["latitude"].values.tolist()),
        longitude=tuple(planet["longitude"].values.tolist()),
        title="Forecast of a simulated planet by a general circulation model",
        source=f"jcm: {model.description}",
        references=REFERENCES,
        comment="Started from the planet's analyses, interpolated to the model's grid, levels and "
        f"orography, with {spec.analysis_error:g} of the difference of two other states added.",
        provenance=json.dumps(settings, sort_keys=True),
    )
