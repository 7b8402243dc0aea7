"""Variables that are computed from others, of forecast and truth alike.

A variable that both hold under its own name is read, not computed. `DERIVED` has the names;
`thickness:500:1000` is spelt with the levels (hPa) of its top and bottom.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from data.canonical.humidity import relative_humidity
from data.constants import STANDARD_GRAVITY
from data.wording import listed
from mesh.grid import LatLonGrid
from verification.spectra import vorticity

Compute = Callable[[Mapping[str, np.ndarray], LatLonGrid, tuple[int | float, ...]], np.ndarray]

WIND = ("u_component_of_wind", "v_component_of_wind")
WIND_10M = ("10m_u_component_of_wind", "10m_v_component_of_wind")
TRANSPORT_TOP = 300.0  # hPa: GraphCast (Lam et al. 2023) integrates from 1000 hPa to here

# Two components that a vector metric reads together; the names are WeatherBench 2's.
VECTORS: dict[str, tuple[str, str]] = {"wind_vector": WIND, "10m_wind_vector": WIND_10M}


@dataclass(frozen=True)
class Derived:
    """A derived variable.

    Attributes:
        inputs: the variables that it is computed from.
        units: of the result.
        on_levels: whether the result has levels.
        linear: whether the derived climatology is the climatology of the derived variable.
        compute: (fields, grid, levels) → ([number,] [level,] latitude, longitude).
    """

    inputs: tuple[str, ...]
    units: str
    on_levels: bool
    linear: bool
    compute: Compute


def _speed(east: str, north: str) -> Compute:
    return lambda fields, _grid, _levels: np.hypot(fields[east], fields[north])


def _humidity(
    fields: Mapping[str, np.ndarray], _: LatLonGrid, levels: tuple[int | float, ...]
) -> np.ndarray:
    pressure = np.array(levels)[:, None, None]
    return relative_humidity(fields["specific_humidity"], fields["temperature"], pressure)


def _vorticity(
    fields: Mapping[str, np.ndarray], grid: LatLonGrid, _: tuple[int | float, ...]
) -> np.ndarray:
    return vorticity(fields[WIND[0]], fields[WIND[1]], grid)


def _transport(
    fields: Mapping[str, np.ndarray], _: LatLonGrid, levels: tuple[int | float, ...]
) -> np.ndarray:
    """|∫ q (u, v) dp| / g from 1000 to 300 hPa, by the trapezoidal rule."""
    order = [i for i in np.argsort(levels) if TRANSPORT_TOP <= levels[i] <= 1000]
    pressure = 100.0 * np.array(levels)[order]
    q = fields["specific_humidity"]
    east, north = (
        np.trapezoid((q * fields[wind])[..., order, :, :], pressure, axis=-3) for wind in WIND
    )
    return np.asarray(np.hypot(east, north) / STANDARD_GRAVITY)


DERIVED: dict[str, Derived] = {
    "wind_speed": Derived(WIND, "m s-1", True, False, _speed(*WIND)),
    "10m_wind_speed": Derived(WIND_10M, "m s-1", False, False, _speed(*WIND_10M)),
    "relative_humidity": Derived(("specific_humidity", "temperature"), "%", True, False, _humidity),
    "vorticity": Derived(WIND, "s-1", True, True, _vorticity),
    "integrated_vapour_transport": Derived(
        ("specific_humidity", *WIND), "kg m-1 s-1", False, False, _transport
    ),
}
_THICKNESS = re.compile(r"thickness:(\d+):(\d+)")


def derived_named(name: str) -> Derived | None:
    """The derived variable of a name; None where the name is none.

    >>> derived_named("thickness:500:1000").units
    'm'
    """
    match = _THICKNESS.fullmatch(name)
    if match is None:
        return DERIVED.get(name)
    top, bottom = float(match[1]), float(match[2])

    def thickness(
        fields: Mapping[str, np.ndarray], _: LatLonGrid, levels: tuple[int | float, ...]
    ) -> np.ndarray:
        z = fields["geopotential"]
        upper, lower = (z[..., levels.index(level), :, :] for level in (top, bottom))
        return np.asarray((upper - lower) / STANDARD_GRAVITY)

    return Derived(("geopotential",), "m", False, True, thickness)


def check_derived(name: str, held: Iterable[str], levels: tuple[int | float, ...]) -> None:
    """Refuse a variable that is neither held nor can be derived.

    Raises:
        ValueError: it is unknown, or an input or level is missing.
    """
    derived, held = derived_named(name), list(held)
    if derived is None:
        raise ValueError(
            f"`variables` names variables of the forecast ({', '.join(held)}) or derived ones "
            f"({', '.join([*DERIVED, 'thickness:500:1000', *VECTORS])}), and {name!r} is neither"
        )
    lacking = [variable for variable in derived.inputs if variable not in held]
    if lacking:
        raise ValueError(
            f"{name} is computed from {listed(derived.inputs)}, and forecast or truth lacks "
            f"{listed(lacking)}; leave it out"
        )
    if match := _THICKNESS.fullmatch(name):
        absent = [float(level) for level in match.groups() if float(level) not in levels]
        if absent:
            raise ValueError(
                f"{name} needs the levels it names, and forecast or truth lacks "
                f"{listed(absent)} hPa; they have {listed(levels, 40)} hPa"
            )
    needed = [level for level in levels if TRANSPORT_TOP <= level <= 1000]
    if name == "integrated_vapour_transport" and len(needed) < 2:
        raise ValueError(
            f"{name} is an integral from 1000 to 300 hPa, and forecast and truth share the levels "
            f"{listed(levels, 40)} hPa; it needs two or more of that range"
        )
