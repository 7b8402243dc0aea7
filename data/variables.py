"""The catalogue of variables: one row each.

A new variable is one new row of `VARIABLES`. Names are those of ERA5 and WeatherBench 2, units
are ERA5's written for udunits, standard names come from the CF standard-name table (`None` where
the table has no name for the quantity), short names and aliases are ECMWF's (parameter database
and GRIB keys).
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from data.wording import listed

Kind = Literal["atmospheric", "surface", "static", "clock"]
Range = tuple[float, float]

SURFACE_LOSS_WEIGHT = 0.1  # 10u 10v msl tp: DeepMind's graphcast.py, loss_and_predictions


@dataclass(frozen=True)
class Variable:
    """One row of the catalogue.

    `kind` says which dimensions the variable has: "atmospheric" (time, level, latitude,
    longitude), "surface" (time, latitude, longitude), "static" (latitude, longitude), "clock"
    (time, and longitude where the local hour matters). `bounds` are plausible values in
    `units` at every level; `plausible_values` narrows them level by level. `gaps` says where the
    variable by nature has no value.
    """

    name: str
    short_name: str
    units: str
    long_name: str
    standard_name: str | None
    kind: Kind
    bounds: Range
    loss_weight: float = 1.0
    cell_methods: str | None = None
    aliases: tuple[str, ...] = ()
    gaps: str | None = None

    @property
    def is_amount(self) -> bool:
        """Whether nature has no values below zero: water in any form, cloud, ice, CAPE, speed.

        >>> VARIABLES["specific_humidity"].is_amount, VARIABLES["divergence"].is_amount
        (True, False)
        """
        return self.standard_name in _AMOUNTS

    @property
    def on_levels(self) -> bool:
        """Whether the variable has a pressure-level dimension."""
        return self.kind == "atmospheric"

    @property
    def varies_in_time(self) -> bool:
        """Whether the variable has a time dimension."""
        return self.kind != "static"

    @property
    def attributes(self) -> dict[str, str]:
        """The CF attributes of a file or DataArray that holds the variable."""
        attributes = {
            "units": self.units,
            "long_name": self.long_name,
            "standard_name": self.standard_name,
            "cell_methods": self.cell_methods,
        }
        return {key: value for key, value in attributes.items() if value is not None}


def _upper_air(name: str, short: str, units: str, standard: str | None, bounds: Range) -> Variable:
    return Variable(name, short, units, _words(name), standard, "atmospheric", bounds)


def _surface(
    name: str,
    short: str,
    units: str,
    standard: str | None,
    bounds: Range,
    *aliases: str,
    loss_weight: float = 1.0,
    cell_methods: str | None = None,
    gaps: str | None = None,
) -> Variable:
    return Variable(
        name,
        short,
        units,
        _words(name),
        standard,
        "surface",
        bounds,
        loss_weight,
        cell_methods,
        aliases,
        gaps,
    )


def _rain(hours: int, *aliases: str, loss_weight: float = 1.0) -> Variable:
    # -1e-4 m: GRIB packing turns dry points slightly negative. 1 m: no 6 h or 24 h analysis came
    # near.
    period = "hour" if hours == 1 else f"{hours} hours"
    return Variable(
        "total_precipitation" if hours == 1 else f"total_precipitation_{hours}hr",
        "tp" if hours == 1 else f"tp{hours:02d}",
        "m",
        f"total precipitation over the {period} before",
        "lwe_thickness_of_precipitation_amount",
        "surface",
        (-1e-4, 1.0),
        loss_weight,
        f"time: sum (interval: 1 hour comment: over the {period} before)",
        aliases,
    )


def _static(
    name: str, short: str, units: str, standard: str | None, bounds: Range, *aliases: str
) -> Variable:
    return Variable(
        name, short, units, _words(name), standard, "static", bounds, 1.0, None, aliases
    )


def _clock(name: str, long_name: str) -> Variable:
    # 1e-6: sine and cosine in float32
    return Variable(name, name, "1", long_name, None, "clock", (-1.000001, 1.000001))


def _words(name: str) -> str:
    return name.replace("_", " ")


_AMOUNTS = frozenset(
    {
        "atmosphere_convective_available_potential_energy",
        "atmosphere_mass_content_of_water",
        "atmosphere_mass_content_of_water_vapor",
        "cloud_area_fraction",
        "cloud_area_fraction_in_atmosphere_layer",
        "lwe_thickness_of_precipitation_amount",
        "lwe_thickness_of_surface_snow_amount",
        "mass_fraction_of_cloud_ice_in_air",
        "mass_fraction_of_cloud_liquid_water_in_air",
        "mass_fraction_of_ozone_in_air",
        "relative_humidity",
        "sea_ice_area_fraction",
        "specific_humidity",
        "volume_fraction_of_condensed_water_in_soil",
        "wind_speed",
    }
)

_ROWS = (
    # On pressure levels.
    _upper_air("geopotential", "z", "m2 s-2", "geopotential", (-15e3, 550e3)),
    _upper_air("temperature", "t", "K", "air_temperature", (130.0, 350.0)),
    # 200 m/s: the polar night jet at 1 hPa; no jet below it came near.
    _upper_air("u_component_of_wind", "u", "m s-1", "eastward_wind", (-200.0, 200.0)),
    _upper_air("v_component_of_wind", "v", "m s-1", "northward_wind", (-200.0, 200.0)),
    _upper_air(
        "vertical_velocity", "w", "Pa s-1", "lagrangian_tendency_of_air_pressure", (-100.0, 100.0)
    ),
    # Slightly negative: spectral ringing in analyses.
    _upper_air("specific_humidity", "q", "kg kg-1", "specific_humidity", (-1e-3, 0.05)),
    _upper_air("relative_humidity", "r", "%", "relative_humidity", (-20.0, 200.0)),
    _upper_air("vorticity", "vo", "s-1", "atmosphere_upward_relative_vorticity", (-0.02, 0.02)),
    _upper_air("divergence", "d", "s-1", "divergence_of_wind", (-0.02, 0.02)),
    _upper_air(
        "ozone_mass_mixing_ratio", "o3", "kg kg-1", "mass_fraction_of_ozone_in_air", (-1e-6, 5e-5)
    ),
    _upper_air(
        "specific_cloud_liquid_water_content",
        "clwc",
        "kg kg-1",
        "mass_fraction_of_cloud_liquid_water_in_air",
        (-1e-5, 0.01),
    ),
    _upper_air(
        "specific_cloud_ice_water_content",
        "ciwc",
        "kg kg-1",
        "mass_fraction_of_cloud_ice_in_air",
        (-1e-5, 0.01),
    ),
    _upper_air(
        "fraction_of_cloud_cover",
        "cc",
        "1",
        "cloud_area_fraction_in_atmosphere_layer",
        (-0.01, 1.01),
    ),
    # At the surface.
    _surface("2m_temperature", "2t", "K", "air_temperature", (160.0, 340.0), "t2m"),
    _surface("2m_dewpoint_temperature", "2d", "K", "dew_point_temperature", (150.0, 320.0), "d2m"),
    _surface(
        "10m_u_component_of_wind",
        "10u",
        "m s-1",
        "eastward_wind",
        (-100.0, 100.0),
        "u10",
        loss_weight=SURFACE_LOSS_WEIGHT,
    ),
    _surface(
        "10m_v_component_of_wind",
        "10v",
        "m s-1",
        "northward_wind",
        (-100.0, 100.0),
        "v10",
        loss_weight=SURFACE_LOSS_WEIGHT,
    ),
    _surface("10m_wind_speed", "10si", "m s-1", "wind_speed", (-0.01, 140.0), "si10", "ws10"),
    _surface("100m_u_component_of_wind", "100u", "m s-1", "eastward_wind", (-120.0, 120.0), "u100"),
    _surface(
        "100m_v_component_of_wind", "100v", "m s-1", "northward_wind", (-120.0, 120.0), "v100"
    ),
    _surface(
        "mean_sea_level_pressure",
        "msl",
        "Pa",
        "air_pressure_at_mean_sea_level",
        (85e3, 111e3),  # records: 870 hPa (Tip, 1979), 1084.8 hPa (Tosontsengel, 2001)
        "mslp",
        "prmsl",
        loss_weight=SURFACE_LOSS_WEIGHT,
    ),
    _surface("surface_pressure", "sp", "Pa", "surface_air_pressure", (40e3, 111e3), "ps"),
    _surface("skin_temperature", "skt", "K", "surface_temperature", (150.0, 360.0)),
    _surface(
        "sea_surface_temperature",
        "sst",
        "K",
        "sea_surface_temperature",
        (265.0, 315.0),
        gaps="over land",
    ),
    _surface(
        "sea_ice_cover",
        "ci",
        "1",
        "sea_ice_area_fraction",
        (-0.01, 1.01),
        "siconc",
        gaps="over land",
    ),
    _surface("total_cloud_cover", "tcc", "1", "cloud_area_fraction", (-0.01, 1.01)),
    _surface(
        "total_column_water_vapour",
        "tcwv",
        "kg m-2",
        "atmosphere_mass_content_of_water_vapor",
        (-1.0, 130.0),
    ),
    _surface(
        "total_column_water", "tcw", "kg m-2", "atmosphere_mass_content_of_water", (-1.0, 150.0)
    ),
    _surface(
        "snow_depth", "sd", "m", "lwe_thickness_of_surface_snow_amount", (-1e-3, 10.01)
    ),  # ERA5: water equivalent, 10 m on glaciers
    _surface(
        "convective_available_potential_energy",
        "cape",
        "J kg-1",
        "atmosphere_convective_available_potential_energy",
        (-1.0, 2e4),
    ),
    _surface(
        "boundary_layer_height", "blh", "m", "atmosphere_boundary_layer_thickness", (0.0, 1e4)
    ),
    _surface("soil_temperature_level_1", "stl1", "K", "soil_temperature", (170.0, 350.0)),
    _surface(
        "volumetric_soil_water_layer_1",
        "swvl1",
        "m3 m-3",
        "volume_fraction_of_condensed_water_in_soil",
        (-0.01, 1.0),
    ),
    _rain(1, "tp1h"),
    _rain(6, "tp6h", "tp", loss_weight=SURFACE_LOSS_WEIGHT),
    _rain(12, "tp12h"),
    _rain(24, "tp24h"),
    # 5.1e6 J m-2: an hour of overhead sun at perihelion is 1361 W m-2 x 1.034 x 3600 s = 5.07e6.
    _surface(
        "toa_incident_solar_radiation",
        "tisr",
        "J m-2",
        None,
        (-1.0, 5.1e6),
        cell_methods="time: sum (over the hour before)",
    ),
    # Constant in time. 57e3 m2 s-2 is the highest 0.25° cell; -4e3 the lowest land, with ringing.
    _static(
        "geopotential_at_surface",
        "z",
        "m2 s-2",
        "surface_geopotential",
        (-5e3, 70e3),
        "zs",
        "z_sfc",
        "geopotential_surface",
    ),
    _static("land_sea_mask", "lsm", "1", "land_area_fraction", (-0.01, 1.01)),
    _static("lake_cover", "cl", "1", None, (-0.01, 1.01)),
    _static("high_vegetation_cover", "cvh", "1", None, (-0.01, 1.01)),
    _static("low_vegetation_cover", "cvl", "1", None, (-0.01, 1.01)),
    _static("standard_deviation_of_orography", "sdor", "m", None, (-1.0, 2000.0)),
    _static("slope_of_sub_gridscale_orography", "slor", "1", None, (-0.01, 1.0)),
    # Functions of the calendar alone.
    _clock("year_progress_sin", "sine of the position in the tropical year"),
    _clock("year_progress_cos", "cosine of the position in the tropical year"),
    _clock("day_progress_sin", "sine of the local mean solar time"),
    _clock("day_progress_cos", "cosine of the local mean solar time"),
)

VARIABLES: dict[str, Variable] = {row.name: row for row in _ROWS}


def check_names(names: Iterable[str]) -> None:
    """Refuse names that the catalogue lacks.

    Raises:
        ValueError: the sentence has every such name, each with the nearest in the catalogue.
    """
    unknown = [_did_you_mean(name) for name in names if name not in VARIABLES]
    if unknown:
        raise ValueError(
            f"unknown variable(s) {listed(unknown, len(unknown))}; see {_where_to_look(unknown)}"
        )


def _where_to_look(unknown: list[str]) -> str:
    """The whole catalogue helps only where no name is near."""
    if all("did you mean" in name for name in unknown):
        return "data/variables.py for all names"
    return f"the catalogue: {', '.join(sorted(VARIABLES))}"


def _did_you_mean(name: str) -> str:
    by_alias = {alias: v.name for v in VARIABLES.values() for alias in (*v.aliases, v.short_name)}
    near = [by_alias[name]] if name in by_alias else difflib.get_close_matches(name, VARIABLES, n=1)
    return f"{name!r} (did you mean {near[0]!r}?)" if near else repr(name)
