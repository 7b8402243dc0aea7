"""ERA5's climate, by day of the year, level and latitude, and the Earth's orography and land.

The table `climatology.npz` comes from ERA5's seasonal means of 1985-2014; README.md beside this
module states origin and licence, and `make_climatology` makes the table. It lacks geopotential,
which follows from temperature, humidity and sea-level pressure by the hydrostatic equation.

`Usual.spread` says how far a single time may be from the mean. It combines three times the spread
between years of a seasonal mean (a season holds about nine independent samples of a zonal mean, so
a day spreads √9 times as far) with an allowance for what the table lacks: the annual cycle within a
season, climate change since, and differences between the climates of models.
"""

import functools
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from data.constants import DRY_AIR_GAS_CONSTANT, STANDARD_GRAVITY, STANDARD_LAPSE_RATE

MIDDLE_OF_SEASON = (15.0, 105.5, 197.0, 288.5)  # day of year: DJF MAM JJA SON
YEAR = 365.2425  # days
DAYS_OVER_SEASONS = 3.0
# A sinusoid averaged over a quarter of its period keeps sin(π/4)/(π/4) of its amplitude.
KEPT_OF_ANNUAL_CYCLE = 0.9003
KEPT_OF_HALF_YEAR = 0.6366  # over half of its period: sin(π/2)/(π/2)

LatLon = Float[np.ndarray, "lat lon"]
LevelLat = Float[np.ndarray, "level lat"]


class Usual(NamedTuple):
    """Zonal means, and how far those of a single time may be from them."""

    mean: LevelLat
    spread: LevelLat


def usual(
    name: str, day: int | float, levels: tuple[int, ...], latitude: Float[np.ndarray, " lat"]
) -> Usual | None:
    """Zonal means of a variable on a day of the year, or None if the table lacks it.

    Between the table's rows they are linear in latitude and in the logarithm of pressure.

    Args:
        name: a catalogue variable.
        day: day of the year, 0 at the start of 1 January.
        levels: in hPa, each `known`. A variable without levels has one row, whatever they are.
        latitude: in degrees.

    Returns:
        mean and spread in catalogue units.
    """
    if name == "geopotential":
        return _geopotential(day, levels, latitude)
    if name in _SURFACE:
        return _SURFACE[name](day, latitude)
    if name not in _ALLOWANCES:
        return None
    mean = _at(_on_day(_table()[name], day), levels, latitude)
    between_years = _at(_table()[f"{name}_spread"].astype(np.float64).mean(0), levels, latitude)
    allowance = _ALLOWANCES[name](np.array(levels)[:, None], latitude[None], mean)
    return Usual(mean, np.hypot(DAYS_OVER_SEASONS * between_years, allowance))


def sea_level_pressure(
    day: int | float, latitude: Float[np.ndarray, " lat"], longitude: Float[np.ndarray, " lon"]
) -> LatLon:
    """Mean sea-level pressure (Pa) on a day of the year."""
    maps = 10.0 * _table()["mean_sea_level_pressure"].astype(np.float64)
    return _bilinear(_on_day(maps, day), latitude, longitude)


def orography(latitude: Float[np.ndarray, " lat"], longitude: Float[np.ndarray, " lon"]) -> LatLon:
    """Height of the ground (m), averaged over 2.5°."""
    return _bilinear(_table()["orography"].astype(np.float64), latitude, longitude)


def land(latitude: Float[np.ndarray, " lat"], longitude: Float[np.ndarray, " lon"]) -> LatLon:
    """Fraction of land, at a resolution of 2.5°."""
    return _bilinear(_table()["land"] / 100.0, latitude, longitude)


def known(level: int | None) -> bool:
    """Whether the table covers a level (hPa); it goes from 1000 to 10."""
    levels = _table()["level"]
    return level is not None and bool(levels.min() <= level <= levels.max())


# Allowances by level (hPa), latitude (degrees) and mean.
# K: within a season the troposphere changes by a month's course (at most 2 to 4 K in a band), and
# with the climate by 1 to 2 K; sudden warmings lift polar caps above 100 hPa by 30 to 50 K.
def _temperature_allowance(level: np.ndarray, latitude: np.ndarray, mean: np.ndarray) -> np.ndarray:
    polar = np.clip((np.abs(latitude) - 40) / 30, 0, 1)
    stratosphere = np.clip((200.0 - level) / 150, 0, 1)
    low = np.clip((level - 600.0) / 400, 0, 1)  # inversions, extrapolation below ice sheets
    return np.asarray(2.0 + polar * (1.5 + 8.0 * stratosphere + 3.0 * low))


# m s-1: jets move by ten degrees and more; the polar-night jet doubles, the QBO reverses.
def _zonal_wind_allowance(level: np.ndarray, latitude: np.ndarray, mean: np.ndarray) -> np.ndarray:
    stratosphere = np.clip((120.0 - level) / 60, 0, 1)
    return np.asarray(3.0 + 0.15 * np.abs(mean) + 12.0 * stratosphere)


def _meridional_wind_allowance(
    level: np.ndarray, latitude: np.ndarray, mean: np.ndarray
) -> np.ndarray:
    return np.full(mean.shape, 1.5)


# kg kg-1: a third of the mean, and 2e-6 where there is hardly any
def _humidity_allowance(level: np.ndarray, latitude: np.ndarray, mean: np.ndarray) -> np.ndarray:
    # each model extrapolates below the ice sheets in its own way
    polar = np.clip((np.abs(latitude) - 55) / 15, 0, 1)
    return np.asarray(0.35 * np.abs(mean) + 2e-6 + (1e-4 + 5e-4 * polar) * (level / 1000.0) ** 2)


_ALLOWANCES = {
    "temperature": _temperature_allowance,
    "u_component_of_wind": _zonal_wind_allowance,
    "v_component_of_wind": _meridional_wind_allowance,
    "specific_humidity": _humidity_allowance,
}


# Surface variables follow from the levels near the surface.
def _at_2m(day: int | float, latitude: Float[np.ndarray, " lat"]) -> Usual:
    """Temperature (K): that of 1000 hPa, less 6.5 K per kilometre of orography."""
    sea_level = _at(_on_day(_table()["temperature"], day), (1000,), latitude)
    ground = np.interp(latitude, *_zonal(_table()["orography"].astype(np.float64)))
    # ERA5's Antarctica at the end of March 2026 was 13 K colder than this mean.
    polar = np.clip((np.abs(latitude) - 45) / 30, 0, 1)
    return Usual(sea_level - STANDARD_LAPSE_RATE * ground, 3.0 + 8.0 * polar[None])


def _at_10m(day: int | float, latitude: Float[np.ndarray, " lat"]) -> Usual:
    """Eastward wind (m s-1): four fifths of that at 1000 hPa."""
    above = _at(_on_day(_table()["u_component_of_wind"], day), (1000,), latitude)
    return Usual(0.8 * above, np.full(above.shape, 3.0))


def _at_sea_level(day: int | float, latitude: Float[np.ndarray, " lat"]) -> Usual:
    """Sea-level pressure (Pa); annular modes move its polar zonal means by 10 hPa."""
    maps = 10.0 * _table()["mean_sea_level_pressure"].astype(np.float64)
    mean = np.interp(latitude, *_zonal(_on_day(maps, day)))
    polar = np.clip((np.abs(latitude) - 20) / 40, 0, 1)
    return Usual(mean[None], (250.0 + 550.0 * polar)[None])


_SURFACE = {
    "2m_temperature": _at_2m,
    "10m_u_component_of_wind": _at_10m,
    "mean_sea_level_pressure": _at_sea_level,
}


@functools.cache
def _table() -> dict[str, np.ndarray]:
    with np.load(str(files(__package__) / "climatology.npz"), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _on_day(seasons: np.ndarray, day: int | float) -> np.ndarray:
    """The value on one day of the annual and semi-annual harmonics of four seasonal means."""
    angle = 2 * np.pi * (day - MIDDLE_OF_SEASON[0]) / YEAR
    winter, spring, summer, autumn = seasons.astype(np.float64)
    mean = (winter + spring + summer + autumn) / 4
    cosine, sine = (winter - summer) / 2, (spring - autumn) / 2
    twice = (winter - spring + summer - autumn) / 4
    annual = (cosine * np.cos(angle) + sine * np.sin(angle)) / KEPT_OF_ANNUAL_CYCLE
    semi_annual = twice * np.cos(2 * angle) / KEPT_OF_HALF_YEAR
    return np.asarray(mean + annual + semi_annual)


def _at(
    table: np.ndarray, levels: tuple[int, ...], latitude: Float[np.ndarray, " lat"]
) -> LevelLat:
    """A table of 5° rows and 17 levels, interpolated to other latitudes and levels."""
    logs = np.log(_table()["level"].astype(np.float64))
    order = np.argsort(logs)
    upper, down = _between(logs[order], np.log(np.array(levels, dtype=np.float64)))
    south, north = _between((np.linspace(-90, 90, table.shape[1] + 1) + 2.5)[:-1], latitude)
    sorted_table = table[order].astype(np.float64)
    on_levels = sorted_table[upper] * (1 - down)[:, None] + sorted_table[upper + 1] * down[:, None]
    return np.asarray(on_levels[:, south] * (1 - north) + on_levels[:, south + 1] * north)


def _between(known_at: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the interval that holds each wanted place, and the fraction of the way in it."""
    index = np.clip(np.searchsorted(known_at, wanted, side="right") - 1, 0, known_at.size - 2)
    part = (wanted - known_at[index]) / (known_at[index + 1] - known_at[index])
    return index, np.clip(part, 0.0, 1.0)


def _zonal(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Latitudes of the rows of a map, and their zonal means."""
    edges = np.linspace(-90, 90, table.shape[0] + 1)
    return (edges[1:] + edges[:-1]) / 2, table.mean(1)


def _bilinear(
    table: np.ndarray, latitude: Float[np.ndarray, " lat"], longitude: Float[np.ndarray, " lon"]
) -> LatLon:
    step = 180 / table.shape[0]
    rows = np.clip((latitude + 90) / step - 0.5, 0, table.shape[0] - 1)
    columns = (longitude % 360) / step - 0.5
    south = np.minimum(rows.astype(int), table.shape[0] - 2)
    west = np.floor(columns).astype(int)
    north_part, east_part = (rows - south)[:, None], (columns - west)[None]
    west, east = west % table.shape[1], (west + 1) % table.shape[1]
    at_west = table[south][:, west] * (1 - north_part) + table[south + 1][:, west] * north_part
    at_east = table[south][:, east] * (1 - north_part) + table[south + 1][:, east] * north_part
    return np.asarray(at_west * (1 - east_part) + at_east * east_part, dtype=np.float64)


def _geopotential(
    day: int | float, levels: tuple[int, ...], latitude: Float[np.ndarray, " lat"]
) -> Usual:
    """Geopotential integrated upwards from sea-level pressure; its spread is 3 K in every layer."""
    table_levels = np.sort(_table()["level"])[::-1]
    down_up = tuple(int(level) for level in table_levels)
    temperature = _at(_on_day(_table()["temperature"], day), down_up, latitude)
    humidity = _at(_on_day(_table()["specific_humidity"], day), down_up, latitude)
    virtual = temperature * (1 + 0.608 * humidity)
    pressure = 10.0 * _on_day(_table()["mean_sea_level_pressure"], day).mean(-1)
    middles = np.linspace(-90, 90, pressure.size + 1)
    at_sea = np.interp(latitude, (middles[1:] + middles[:-1]) / 2, pressure)
    logs = np.log(table_levels / 1000.0)
    layers = (virtual[1:] + virtual[:-1]) / 2 * (logs[:-1] - logs[1:])[:, None]
    lowest = DRY_AIR_GAS_CONSTANT * virtual[:1] * np.log(at_sea / 1e5)
    integral = np.concatenate([np.zeros_like(lowest), np.cumsum(layers, 0)])
    geopotential = lowest + DRY_AIR_GAS_CONSTANT * integral
    wanted = np.log(np.array(levels, dtype=np.float64) / 1000)
    columns = [np.interp(wanted, logs[::-1], column[::-1]) for column in geopotential.T]
    polar = 1 + np.clip((np.abs(latitude) - 40) / 20, 0, 1)[None]
    # 60 m at sea level, twice that near the poles, where annular modes move pressure by 10 hPa
    aloft = DRY_AIR_GAS_CONSTANT * 3.0 * polar * np.abs(wanted)[:, None]
    spread = 60 * STANDARD_GRAVITY * polar + aloft
    return Usual(np.stack(columns, axis=1), spread)
