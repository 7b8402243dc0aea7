"""Simulate a planet: spin-up, then analyses every six hours into a store that can grow."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from data.planet.analysis import HIGHEST_LEVEL, LEVELS, LOWEST_LEVEL, analysis, as_dataset
from data.planet.atmosphere import Atmosphere, State
from data.planet.physics import model_named
from data.planet.store import PlanetHeader, PlanetStore
from data.regrid.fields import regrid
from data.task import STEP
from mesh.grid import LatLonGrid

START = np.datetime64("2001-01-01T00", "h")
SPIN_UP = np.timedelta64(90, "D")  # jets and storm tracks need some 60 days from rest
BLOCK = 20  # times written at once: five days
DAYS_IN_A_YEAR = 365  # for the fraction of a year

COMMENT = (
    "A simulated planet, no observation and no reanalysis: nothing of ERA5 is in it. A spectral"
    " general circulation model (jcm, {model}) runs freely over the Earth's orography, land and"
    " water. What it is: dynamics and moist physics of a real atmosphere with seasons, a daily"
    " course of the Sun, storms, fronts and rain that obey the same equations everywhere, and whose"
    " truth is known exactly. What it is not: SPEEDY is physics of intermediate complexity; sea"
    " surface, sea ice, soil and snow repeat one climatological year, so there is no El Nino and no"
    " trend; there is nothing below some 400 km and little above 50 hPa; geopotential counts the"
    " weight of vapour, but the dynamics are those of dry air. Up to 500 hPa seasonal zonal means"
    " are the Earth's to some 1 K and 3 m s-1; at 100 hPa the tropics are 15 K too warm and the"
    " winter pole is 20 K too cold. Years are labels: the weather of a date is not"
    " that of the Earth on it. Pressure levels are interpolated from 8 sigma levels, linear"
    " in the logarithm of pressure; below the ground as ECMWF extrapolates. 2 m and 10 m"
    " values are reduced by a neutral logarithmic profile, skin temperature being that of the last"
    " model step. Precipitation is the sum over the 6 hours before."
)
REFERENCES = (
    "Molteni 2003, doi:10.1007/s00382-002-0268-2 (SPEEDY);"
    " https://pypi.org/project/dinosaur (the dynamical core); https://pypi.org/project/jcm"
)


@dataclass(frozen=True)
class PlanetSpec:
    """The settings that decide a planet's weather.

    Attributes:
        model: name of the circulation model, one of `MODELS`.
        seed: another seed is another history of weather.
        levels: pressure levels to write (hPa).
        grid: grid to write; by default the model's Gaussian grid.
        start: time of the first analysis.
        spin_up: simulated time from rest to the first analysis.

    Raises:
        ValueError: the model does not reach to all levels.
    """

    model: str = "t31"
    seed: int = 0
    levels: tuple[int, ...] = LEVELS
    grid: LatLonGrid | None = None
    start: np.datetime64 = START
    spin_up: np.timedelta64 = SPIN_UP

    def __post_init__(self) -> None:
        """Check the levels."""
        outside = [level for level in self.levels if not HIGHEST_LEVEL <= level <= LOWEST_LEVEL]
        if outside:
            raise ValueError(
                f"the planet's model reaches from {HIGHEST_LEVEL} to {LOWEST_LEVEL} hPa, and"
                f" {', '.join(map(str, outside))} hPa lie outside; leave them out"
            )


def number_of_times(start: np.datetime64, years: int | float, days: int = 0) -> int:
    """Number of analyses in calendar years from `start`, and in days after them.

    A fraction of a year counts in whole days.

    >>> number_of_times(START, 1), number_of_times(START, 0, days=20)
    (1460, 80)

    Raises:
        ValueError: the length is less than a day.
    """
    whole = int(years)
    first = start.astype("datetime64[D]")
    month = first.astype("datetime64[M]")
    anniversary = month + np.timedelta64(12 * whole, "M")
    end = anniversary.astype("datetime64[D]") + (first - month.astype("datetime64[D]"))
    whole_days = int((end - first) / np.timedelta64(1, "D"))
    total = whole_days + round((years - whole) * DAYS_IN_A_YEAR) + days
    if years < 0 or days < 0 or total < 1:
        raise ValueError(
            f"a simulation takes at least a day (0.003 years), not {years:g} years and {days} days"
        )
    return total * int(np.timedelta64(1, "D") / STEP)


@dataclass(frozen=True)
class Progress:
    """Progress of a simulation after six more hours.

    Attributes:
        time: the time reached.
        written: analyses written.
        wanted: analyses in the whole record.
        spinning_up: whether the record has not begun.
        steps: steps of six hours from rest to here, and `all_steps` to the end.
    """

    time: np.datetime64
    written: int
    wanted: int
    spinning_up: bool
    steps: int
    all_steps: int


def simulate(
    spec: PlanetSpec,
    years: int | float,
    path: Path,
    *,
    days: int = 0,
    overwrite: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
    block: int = BLOCK,
) -> Path:
    """Simulate the planet into a store until it holds `years` years and `days` days.

    Called again after an interruption, it resumes and ends with the same bytes; called with a
    greater length, it appends.

    Args:
        spec: the planet.
        years: length of the whole record in calendar years.
        path: the Zarr store to write or continue.
        days: what the record is longer than these years.
        overwrite: replace a planet at `path`.
        report: called after every six simulated hours.
        block: number of times to write at once.

    Raises:
        ValueError: jcm is missing, the model is unknown or has become unstable.
        FileExistsError: `path` holds something other than this planet.
    """
    wanted = number_of_times(spec.start, years, days)
    atmosphere = Atmosphere(model_named(spec.model))
    ground = _statics(atmosphere, spec)
    with PlanetStore.open(path, header(spec, atmosphere), ground, overwrite=overwrite) as store:
        state = _resumed(atmosphere, store, spec)
        pending: list[dict[str, np.ndarray]] = []
        while store.count < wanted:
            state = atmosphere.six_hours_later(state)
            spinning_up = bool(state.time < spec.start)
            if not spinning_up:
                pending.append(_analysed(atmosphere, state, spec))
            written = store.count + len(pending)
            steps = int((state.time - spec.start) / STEP)
            before = int(spec.spin_up / STEP) + 1
            report(
                Progress(
                    state.time, written, wanted, spinning_up, steps + before, wanted - 1 + before
                )
            )
            if written == wanted or steps % block == 0:
                store.append(pending, state.arrays())
                pending = []
        store.finish()
    return path


def header(spec: PlanetSpec, atmosphere: Atmosphere) -> PlanetHeader:
    """The header of the planet's store."""
    grid = spec.grid or LatLonGrid.from_coordinates(atmosphere.latitude, atmosphere.longitude)
    settings = {
        "model": spec.model,
        "seed": spec.seed,
        "spin_up_days": int(spec.spin_up / np.timedelta64(1, "D")),
        "changes": dict(atmosphere.spec.changes),
        **{package: version(package) for package in ("jcm", "dinosaur", "jax")},
    }
    return PlanetHeader(
        start=str(spec.start.astype("datetime64[h]")),
        levels=spec.levels,
        latitude=grid.latitude,
        longitude=grid.longitude,
        title="Simulated planet",
        source=f"jcm {version('jcm')}: {atmosphere.spec.description}",
        comment=COMMENT.format(model=atmosphere.spec.description),
        references=REFERENCES,
        settings=json.dumps(settings, sort_keys=True),
    )


def _resumed(atmosphere: Atmosphere, store: PlanetStore, spec: PlanetSpec) -> State:
    """The saved state, or the beginning of the spin-up."""
    if store.state is None:
        # Six hours earlier, because the first analysis follows a step and is at `start`.
        return atmosphere.rest(spec.seed, spec.start - spec.spin_up - STEP)
    return atmosphere.state({k: v for k, v in store.state.items() if k != "times_written"})


def _analysed(atmosphere: Atmosphere, state: State, spec: PlanetSpec) -> dict[str, np.ndarray]:
    fields = analysis(atmosphere.fields(state), spec.levels)
    return _on_grid(fields, atmosphere, spec)


def _statics(atmosphere: Atmosphere, spec: PlanetSpec) -> dict[str, np.ndarray]:
    fields = {
        "geopotential_at_surface": atmosphere.surface_geopotential.astype(np.float32),
        "land_sea_mask": atmosphere.land.astype(np.float32),
    }
    return _on_grid(fields, atmosphere, spec)


def _on_grid(
    fields: dict[str, np.ndarray], atmosphere: Atmosphere, spec: PlanetSpec
) -> dict[str, np.ndarray]:
    if spec.grid is None:
        return fields
    native = as_dataset(fields, spec.levels, atmosphere.latitude, atmosphere.longitude)
    regridded = regrid(native, spec.grid, method="bilinear")
    return {name: regridded[name].values for name in fields}
