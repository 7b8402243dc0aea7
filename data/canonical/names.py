"""The catalogue's name for what files call a variable: by its name, or by its standard name.

A name is believed unless the file says in the same breath that the quantity is another one: a `w`
of standard name `upward_air_velocity` is no vertical velocity in pressure.
"""

import xarray as xr

from data.canonical.precipitation import name_by_period, stands_for_any_period
from data.canonical.units import conversion
from data.variables import VARIABLES

# Names besides the catalogue's own and its aliases: NCEP's (wgrib2, NOMADS), CMIP's, CF's.
_NAMES_ON_LEVELS = {
    "geopotential": ("gh", "hgt", "zg", "geopotential_height", "hgtprs"),
    "temperature": ("ta", "tmp", "air_temperature", "tmpprs"),
    "u_component_of_wind": ("ua", "ugrd", "eastward_wind", "u_wind", "ugrdprs"),
    "v_component_of_wind": ("va", "vgrd", "northward_wind", "v_wind", "vgrdprs"),
    "vertical_velocity": ("wap", "omega", "vvel", "lagrangian_tendency_of_air_pressure"),
    "specific_humidity": ("hus", "spfh", "sphum"),
    "relative_humidity": ("hur", "rh", "rhum"),
}
_NAMES_WITHOUT_LEVELS = {
    "2m_temperature": ("tas", "t2", "t_2m", "tmp2m"),
    "10m_u_component_of_wind": ("uas", "u_10m", "ugrd10m", "10m_u_wind"),
    "10m_v_component_of_wind": ("vas", "v_10m", "vgrd10m", "10m_v_wind"),
    "mean_sea_level_pressure": ("psl", "slp", "prmslmsl", "air_pressure_at_mean_sea_level"),
    "total_precipitation_6hr": ("tp06", "tp_6h", "tp6hr"),
    "geopotential_at_surface": ("orog", "orography", "hgtsfc", "phis", "surface_geopotential"),
    "land_sea_mask": ("landmask", "sftlf", "land_area_fraction"),
}
# Standard names (CF table) of quantities that stand under a variable's name by mistake or custom.
_OTHER_QUANTITIES = {
    "geopotential": ("geopotential_height_anomaly", "geopotential_anomaly"),
    "temperature": (
        *("air_potential_temperature", "virtual_temperature", "dew_point_temperature"),
        *("equivalent_potential_temperature", "air_temperature_anomaly"),
    ),
    "vertical_velocity": ("upward_air_velocity", "downward_air_velocity"),
    "specific_humidity": ("relative_humidity", "humidity_mixing_ratio"),
    "relative_humidity": ("specific_humidity", "humidity_mixing_ratio"),
    "2m_temperature": (
        *("dew_point_temperature", "surface_temperature", "air_potential_temperature"),
        *("sea_surface_temperature", "soil_temperature", "wet_bulb_temperature"),
    ),
    "2m_dewpoint_temperature": ("air_temperature",),
    "10m_u_component_of_wind": ("wind_speed", "wind_speed_of_gust"),
    "10m_v_component_of_wind": ("wind_speed", "wind_speed_of_gust"),
    "mean_sea_level_pressure": ("surface_air_pressure",),
    "surface_pressure": ("air_pressure_at_mean_sea_level", "air_pressure_at_sea_level"),
    "sea_surface_temperature": ("air_temperature", "surface_temperature"),
    "total_precipitation": (
        *("precipitation_flux", "lwe_precipitation_rate", "rainfall_flux"),
        *("convective_precipitation_amount", "large_scale_precipitation_amount"),
        *("lwe_convective_precipitation_amount", "lwe_large_scale_precipitation_amount"),
        "lwe_thickness_of_convective_precipitation_amount",
    ),
}
_ALIKE = {
    "u_component_of_wind": "v_component_of_wind",
    "v_component_of_wind": "u_component_of_wind",
}
# Standard names that say the quantity, but not the height: the scalar coordinate `height` does.
_AT_HEIGHT = {
    ("air_temperature", 2.0): "2m_temperature",
    ("dew_point_temperature", 2.0): "2m_dewpoint_temperature",
    ("eastward_wind", 10.0): "10m_u_component_of_wind",
    ("northward_wind", 10.0): "10m_v_component_of_wind",
    ("wind_speed", 10.0): "10m_wind_speed",
}
_HEIGHTS = ("height", "heightaboveground")


def canonical_name(name: str, *, on_levels: bool) -> str | None:
    """The catalogue's name for a file's name in any case, or None.

    >>> canonical_name("z", on_levels=True), canonical_name("z", on_levels=False)
    ('geopotential', 'geopotential_at_surface')
    """
    return (_ON_LEVELS if on_levels else _WITHOUT_LEVELS).get(name.casefold())


def known_name(array: xr.DataArray) -> str | None:
    """The catalogue's name for a variable, by its name, the period of its totals or what it says.

    A standard name counts where the variable's own name says nothing and its unit fits.
    """
    on_levels = "level" in array.dims
    name = canonical_name(str(array.name), on_levels=on_levels) or name_by_period(array)
    if name or stands_for_any_period(str(array.name)) or str(array.name) in VARIABLES:
        return name
    standard = str(array.attrs.get("standard_name", ""))
    said = _STANDARD_ON_LEVELS.get(standard) if on_levels else _without_levels(standard, array)
    stated = str(array.attrs.get("units", ""))
    return said if said and conversion(stated, VARIABLES[said].units) else None


def contradiction(array: xr.DataArray, name: str) -> str | None:
    """The standard name by which a variable says that it is no `name`; None if it does not.

    >>> contradiction(xr.DataArray(0.0, attrs={"standard_name": "upward_air_velocity"}),
    ...               "vertical_velocity")
    'upward_air_velocity'
    """
    stated = str(array.attrs.get("standard_name", "")).strip()
    key = "total_precipitation" if name.startswith("total_precipitation") else name
    swapped = VARIABLES[_ALIKE[name]].standard_name if name in _ALIKE else None
    return stated if stated and stated in (*_OTHER_QUANTITIES.get(key, ()), swapped) else None


def _without_levels(standard: str, array: xr.DataArray) -> str | None:
    heights = [
        float(coordinate.item())
        for name, coordinate in array.coords.items()
        if str(name).casefold() in _HEIGHTS and coordinate.size == 1
    ]
    if heights:
        return _AT_HEIGHT.get((standard, heights[0]))
    return _STANDARD_WITHOUT_LEVELS.get(standard)


def _name_tables() -> tuple[dict[str, str], dict[str, str]]:
    on_levels: dict[str, str] = {}
    without: dict[str, str] = {}
    for row in VARIABLES.values():
        table = on_levels if row.on_levels else without
        extra = _NAMES_ON_LEVELS if row.on_levels else _NAMES_WITHOUT_LEVELS
        for alias in (row.name, row.short_name, *row.aliases, *extra.get(row.name, ())):
            table.setdefault(alias.casefold(), row.name)
    without = {alias: name for alias, name in without.items() if not stands_for_any_period(alias)}
    return on_levels, without


def _standard_tables() -> tuple[dict[str, str], dict[str, str]]:
    """Standard names that stand for one variable on levels, or for one without."""
    on_levels = {r.standard_name: r.name for r in VARIABLES.values() if r.on_levels}
    on_levels["geopotential_height"] = "geopotential"
    needs_height = {standard for standard, _ in _AT_HEIGHT}
    without: dict[str, str] = {}
    twice: set[str] = set()
    for row in VARIABLES.values():
        standard = row.standard_name
        if row.on_levels or standard is None or standard in needs_height:
            continue
        twice |= {standard} & without.keys()
        without[standard] = row.name
    without["air_pressure_at_sea_level"] = "mean_sea_level_pressure"
    return (
        {s: n for s, n in on_levels.items() if s is not None},
        {s: n for s, n in without.items() if s not in twice},
    )


_ON_LEVELS, _WITHOUT_LEVELS = _name_tables()
_STANDARD_ON_LEVELS, _STANDARD_WITHOUT_LEVELS = _standard_tables()
