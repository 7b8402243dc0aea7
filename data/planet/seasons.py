"""Compare the seasonal climate of a planet with that of a reanalysis.

The reference is a folder of seasonal means in the format of the EC-Earth community's `ecmean4`
(`seasons_average_ta_*.nc`, `ua`, `psl`): zonal means of temperature and wind on pressure levels,
and maps of sea-level pressure, for December-February, March-May and so on.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from data.stores.files import written_whole

SEASONS = {"DJF": (12, 1, 2), "MAM": (3, 4, 5), "JJA": (6, 7, 8), "SON": (9, 10, 11)}
SHOWN = ("DJF", "JJA")
# name in ecmean4, name in the catalogue
QUANTITIES = {
    "ta": "temperature",
    "ua": "u_component_of_wind",
    "psl": "mean_sea_level_pressure",
}


@dataclass(frozen=True)
class SeasonalClimate:
    """Seasonal means: zonal temperature (K) and wind (m s-1), and sea-level pressure (Pa) maps.

    Attributes:
        name: for tables and figures.
        zonal: temperature and eastward wind, [season, level, latitude].
        pressure: sea-level pressure, [season, latitude, longitude].
    """

    name: str
    zonal: xr.Dataset
    pressure: xr.DataArray


def seasonal_climate(planet: xr.Dataset, name: str = "simulated planet") -> SeasonalClimate:
    """Means of a canonical Dataset over each season whose months it all has.

    Raises:
        ValueError: a season of `SHOWN` is incomplete.
    """
    month = planet["time"].dt.month
    covered = set(np.unique(month.values).tolist())
    whole = {season: months for season, months in SEASONS.items() if set(months) <= covered}
    if not set(SHOWN) <= set(whole):
        raise ValueError(
            "a climate is compared in December-February and June-August, and the planet has months"
            f" {sorted(covered)}; simulate a whole year"
        )
    fields = planet[list(QUANTITIES.values())]
    means = []
    for months in whole.values():
        of_season = fields.isel(time=np.flatnonzero(np.isin(month.values, months)))
        means.append(of_season.mean("time").compute(scheduler="synchronous"))
    seasonal = xr.concat(means, xr.Variable("season", list(whole)))
    zonal = seasonal[["temperature", "u_component_of_wind"]].mean("longitude")
    return SeasonalClimate(name, zonal, seasonal["mean_sea_level_pressure"])


def read_seasonal_climate(folder: Path, name: str = "ERA5 1985-2014") -> SeasonalClimate:
    """The reference climate in a folder of `ecmean4`.

    Raises:
        FileNotFoundError: a file is missing; the message names it.
    """
    fields = {}
    for short, variable in QUANTITIES.items():
        files = sorted(folder.glob(f"seasons_average_{short}_*.nc"))
        if not files:
            raise FileNotFoundError(
                "a reference climate is a folder with seasons_average_ta_*.nc, ua and psl, and"
                f" {folder} has no seasons_average_{short}_*.nc"
            )
        with xr.open_dataset(files[0]) as dataset:
            fields[variable] = dataset[short].load()
    season = [_season_of(int(month)) for month in fields["temperature"]["time"].dt.month]
    renamed = {
        variable: array.rename(time="season", lat="latitude").assign_coords(season=season)
        for variable, array in fields.items()
    }
    upper = {
        variable: array.assign_coords(plev=array["plev"] / 100).rename(plev="level").sortby("level")
        for variable, array in renamed.items()
        if "plev" in array.dims
    }
    pressure = renamed["mean_sea_level_pressure"].rename(lon="longitude")
    return SeasonalClimate(name, xr.Dataset(upper), pressure)


def climate_differences(planet: SeasonalClimate, reference: SeasonalClimate) -> dict[str, float]:
    """Root-mean-square differences in seasons `SHOWN`, jets and mean pressure, by name and unit.

    Differences of zonal means are weighted by area and mass, those of pressure by area.
    """
    numbers: dict[str, float] = {}
    for season in SHOWN:
        zonal = planet.zonal.sel(season=season)
        expected = _at(reference.zonal.sel(season=season), zonal)
        for name, unit in (("temperature", "K"), ("u_component_of_wind", "m/s")):
            difference = zonal[name] - expected[name]
            numbers[f"{season} zonal {name} ({unit})"] = _rms(difference, _weights(difference))
        jet = _jets(zonal["u_component_of_wind"])
        expected_jet = _jets(expected["u_component_of_wind"])
        for side in ("north", "south"):
            numbers[f"{season} jet {side} (m/s)"] = jet[side]
            numbers[f"{season} jet {side}, reference (m/s)"] = expected_jet[side]
        pressure = planet.pressure.sel(season=season) / 100
        other = _at(reference.pressure.sel(season=season), pressure, "longitude") / 100
        weights = _row_weights(pressure)
        numbers[f"{season} sea-level pressure (hPa)"] = _rms(pressure - other, weights)
        numbers[f"{season} mean sea-level pressure (hPa)"] = float(
            pressure.weighted(weights).mean()
        )
    return numbers


def draw_climates(planet: SeasonalClimate, reference: SeasonalClimate, path: Path) -> Path:
    """Draw both climates and their difference, by season: zonal means and sea-level pressure.

    The suffix of `path` decides the format (.png, .pdf, .svg).
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  heavy; only here
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(15, 13), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(4, 3)
    for column, climate in enumerate((planet, reference)):
        for half, season in enumerate(SHOWN):
            _section(axes[half, column], climate, season)
            _map(axes[2 + half, column], climate, season)
    for half, season in enumerate(SHOWN):
        _section_difference(axes[half, 2], planet, reference, season)
        _map_difference(axes[2 + half, 2], planet, reference, season)
    figure.suptitle(
        "Zonal means: temperature (colour, K) and eastward wind (lines, m/s, every 5);"
        " sea-level pressure (hPa)"
    )
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=110, format=path.suffix.lstrip(".") or "png")
    return path


def _section(axis: Any, climate: SeasonalClimate, season: str) -> None:
    zonal = climate.zonal.sel(season=season)
    zonal = zonal.isel(level=np.flatnonzero(zonal["level"].values >= 50))
    where = (zonal["latitude"], zonal["level"])
    shade = axis.contourf(
        *where, zonal["temperature"], levels=np.arange(190, 311, 10), cmap="RdYlBu_r", extend="both"
    )
    wind = zonal["u_component_of_wind"]
    lines = axis.contour(*where, wind, levels=np.arange(-60, 61, 5), colors="k", linewidths=0.7)
    axis.clabel(lines, lines.levels[::2], fontsize=7)
    _as_section(axis, f"{climate.name}, {season}")
    axis.figure.colorbar(shade, ax=axis)


def _section_difference(
    axis: Any, planet: SeasonalClimate, reference: SeasonalClimate, season: str
) -> None:
    zonal = planet.zonal.sel(season=season)
    difference = zonal - _at(reference.zonal.sel(season=season), zonal)
    where = (difference["latitude"], difference["level"])
    steps = np.array([-20, -15, -10, -7, -5, -3, -1, 1, 3, 5, 7, 10, 15, 20])
    shade = axis.contourf(
        *where, difference["temperature"], levels=steps, cmap="RdBu_r", extend="both"
    )
    wind = difference["u_component_of_wind"]
    lines = axis.contour(*where, wind, levels=np.arange(-40, 41, 5), colors="k", linewidths=0.7)
    axis.clabel(lines, fontsize=7)
    _as_section(axis, f"difference, {season}")
    axis.figure.colorbar(shade, ax=axis)


def _as_section(axis: Any, title: str) -> None:
    axis.set(title=title, xlabel="latitude", ylabel="hPa", ylim=(1000, 50))
    axis.set_xticks([-60, -30, 0, 30, 60])


def _map(axis: Any, climate: SeasonalClimate, season: str) -> None:
    pressure = climate.pressure.sel(season=season) / 100
    _as_map(axis, pressure, f"{climate.name}, {season}", np.arange(980, 1041, 4), "viridis")


def _map_difference(
    axis: Any, planet: SeasonalClimate, reference: SeasonalClimate, season: str
) -> None:
    pressure = planet.pressure.sel(season=season) / 100
    difference = pressure - _at(reference.pressure.sel(season=season), pressure, "longitude") / 100
    steps = np.array([-20, -15, -10, -6, -4, -2, 2, 4, 6, 10, 15, 20])
    _as_map(axis, difference, f"difference, {season}", steps, "RdBu_r")


def _as_map(axis: Any, field: xr.DataArray, title: str, levels: np.ndarray, colours: str) -> None:
    shade = axis.contourf(
        field["longitude"], field["latitude"], field, levels=levels, cmap=colours, extend="both"
    )
    axis.set(title=title, xlabel="longitude", ylabel="latitude")
    axis.figure.colorbar(shade, ax=axis)


def _at(reference: Any, field: Any, *more: str) -> Any:
    """The reference interpolated to the points of a field, constant beyond the ends of its axes."""
    for axis in ("level", "latitude", *more):
        if axis in field.dims and axis in reference.dims:
            inside = field[axis].clip(float(reference[axis].min()), float(reference[axis].max()))
            reference = reference.interp({axis: inside}).assign_coords({axis: field[axis].values})
    return reference


def _weights(field: xr.DataArray) -> xr.DataArray:
    """Area of the rows times the pressure depth of the levels."""
    level = field["level"].values.astype(np.float64)
    depth = xr.DataArray(np.gradient(level), {"level": field["level"]}, "level")
    return _row_weights(field) * depth


def _row_weights(field: xr.DataArray) -> xr.DataArray:
    cosine = np.cos(np.deg2rad(field["latitude"].values))
    return xr.DataArray(cosine, {"latitude": field["latitude"]}, "latitude")


def _rms(difference: xr.DataArray, weights: xr.DataArray) -> float:
    return float(np.sqrt((difference**2).weighted(weights).mean()))


def _jets(wind: xr.DataArray) -> dict[str, float]:
    """Strongest zonal-mean westerlies at 200 hPa of each hemisphere (m s-1)."""
    upper = wind.sel(level=200, method="nearest")
    north = upper.isel(latitude=np.flatnonzero(upper["latitude"].values > 0))
    south = upper.isel(latitude=np.flatnonzero(upper["latitude"].values < 0))
    return {"north": float(north.max()), "south": float(south.max())}


def _season_of(month: int) -> str:
    return next(season for season, months in SEASONS.items() if month in months)
