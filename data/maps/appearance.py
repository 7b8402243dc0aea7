"""How a variable is shown: units of the trade, colours, contours.

`_ROWS` has a row for each variable that the trade draws in its own way. All others are shown in
their own units with colours from dark to bright. Steps of colour are chosen from what the map
shows, so that any level of the atmosphere and any planet has its own.
"""

from dataclasses import dataclass, replace

from data.constants import STANDARD_GRAVITY
from data.maps.units import units_label
from data.variables import VARIABLES

DIFFERENCES = "RdBu_r"  # of errors and biases: blue too low, red too high; safe for colour-blind
ABSOLUTE_ZERO = -273.15  # 0 K in °C


@dataclass(frozen=True)
class Shown:
    """Units, colours and contours of a variable on maps and in tables.

    Attributes:
        units: as people write them.
        factor: a value in the catalogue's units times this, plus `offset`, is in `units`.
        offset: 0 for differences between values.
        colours: name of a Matplotlib colour map.
        contour: distance between contour lines, in `units`; None draws no lines.
        centred: whether colours are symmetric about 0.
        least: the smallest value that there can be; what is below is shown as this.
        steps: where colours change; () chooses them from the values.
    """

    units: str
    factor: float = 1.0
    offset: float = 0.0
    colours: str = "viridis"
    contour: float | None = None
    centred: bool = False
    least: float | None = None
    steps: tuple[float, ...] = ()

    @property
    def of_differences(self) -> "Shown":
        """The same for a difference between two values, as an error: centred on 0, in kelvins."""
        return Shown(
            "K" if self.units == _CELSIUS.units else self.units,
            self.factor,
            colours=DIFFERENCES,
            centred=True,
        )


_DAM = Shown("dam", 1 / (10 * STANDARD_GRAVITY), colours="Spectral_r", contour=6.0)
_PRESSURE = Shown("hPa", 0.01, colours="Spectral_r", contour=4.0)
_CELSIUS = Shown("°C", offset=ABSOLUTE_ZERO, colours="RdYlBu_r", contour=5.0)
_WIND = Shown("m s⁻¹", colours="PuOr_r", centred=True)
_SPEED = Shown("m s⁻¹", colours="YlGnBu", least=0.0)
_HUMIDITY = Shown("g kg⁻¹", 1e3, colours="YlGnBu", least=0.0)
_RAIN_STEPS = (0.1, 0.5, 1.0, 2.0, 4.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 80.0)  # mm
_RAIN = Shown("mm", 1e3, colours="YlGnBu", least=0.0, steps=_RAIN_STEPS)

_ROWS: dict[str, Shown] = {
    "geopotential": _DAM,
    "geopotential_at_surface": replace(_DAM, units="m", factor=1 / STANDARD_GRAVITY, contour=None),
    "mean_sea_level_pressure": _PRESSURE,
    "surface_pressure": replace(_PRESSURE, contour=None),
    **dict.fromkeys(
        (
            *("temperature", "2m_temperature", "2m_dewpoint_temperature", "skin_temperature"),
            *("sea_surface_temperature", "soil_temperature_level_1"),
        ),
        _CELSIUS,
    ),
    **dict.fromkeys(
        (
            *("u_component_of_wind", "v_component_of_wind"),
            *("10m_u_component_of_wind", "10m_v_component_of_wind"),
            *("100m_u_component_of_wind", "100m_v_component_of_wind"),
        ),
        _WIND,
    ),
    "vertical_velocity": Shown("Pa s⁻¹", colours="PuOr_r", centred=True),
    "vorticity": Shown("10⁻⁵ s⁻¹", 1e5, colours="PuOr_r", centred=True),
    "divergence": Shown("10⁻⁵ s⁻¹", 1e5, colours="PuOr_r", centred=True),
    "wind_speed": _SPEED,
    "10m_wind_speed": _SPEED,
    "specific_humidity": _HUMIDITY,
    "relative_humidity": Shown("%", colours="YlGnBu", least=0.0),
    "total_cloud_cover": Shown("%", 100.0, colours="Greys_r", least=0.0),
    "total_column_water_vapour": Shown("kg m⁻²", colours="YlGnBu", least=0.0),
    "total_column_water": Shown("kg m⁻²", colours="YlGnBu", least=0.0),
    "snow_depth": Shown("mm", 1e3, colours="PuBu", least=0.0),
}

# What the trade draws by hand at these levels, in dam.
_HEIGHT_CONTOURS = {1000: 4.0, 925: 4.0, 850: 4.0, 700: 4.0, 500: 6.0}
_HIGHER = 12.0  # above 500 hPa


def shown(variable: str, units: str, level: int | None = None) -> Shown:
    """How a variable is shown.

    Args:
        variable: a name of `data.variables`; others are shown in their own units.
        units: of the values, as udunits writes them. Where they are not the catalogue's, the values
            are shown as they are.
        level: hPa; None on the surface.

    >>> shown("geopotential", "m2 s-2", 500).units
    'dam'
    """
    if "precipitation" in variable and units == "m":
        return _RAIN
    row = _ROWS.get(variable)
    if row is None or not _in_catalogue_units(variable, units):
        return Shown(units_label(units))
    if variable == "geopotential" and level is not None:
        return replace(row, contour=_HEIGHT_CONTOURS.get(level, _HIGHER))
    return row


def _in_catalogue_units(variable: str, units: str) -> bool:
    known = VARIABLES.get(variable)
    return known is None or known.units == units
