"""Rules that compare fields with one another: hydrostatic and geostrophic balance.

These hold on any rotating planet with an atmosphere, to the accuracy that the differences on a
coarse grid leave; no climate is involved. Correlations are of departures from the zonal mean, so
that what every planet has in common, cold poles and westerlies, does not count.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from data.canonical.humidity import DRY_AIR
from data.constants import STANDARD_GRAVITY
from data.doctor.case import (
    Case,
    Map,
    area,
    at_levels,
    at_time,
    correlation,
    departure,
    slope,
)
from data.doctor.digest import Field
from data.doctor.finding import Finding

EARTH_RADIUS = 6.371e6  # m
EARTH_ROTATION = 7.292e-5  # s-1
AIR_DENSITY = 1.2  # kg m-3, at sea level
VIRTUAL = 0.608  # virtual temperature: T (1 + 0.608 q)

# Layers thicker than a factor of two in pressure are not straight lines of temperature any more:
# 10 to 20 hPa leaves 1 K, 1 to 2 hPa 2.5 K.
THICKEST_LAYER = 0.72  # ln(p₂/p₁)
# Correlation of zonal departures of the temperature that thickness says with the one given: 0.93 or
# more in the real files, near the ground, where models extrapolate below it, 0.84.
HYDROSTATIC_ERROR, HYDROSTATIC_WARNING = 0.3, 0.6
# K of the global mean: 1.3 or less in the real files (one layer from 500 to 850 hPa).
BIAS_ERROR, BIAS_WARNING = 8.0, 3.5


def hydrostatic(case: Case) -> Iterator[Finding]:
    """Thickness between two levels is the temperature of the air between them."""
    worst: dict[str, tuple[float, str, list[int | None]]] = {}
    for time in case.digest.indices:
        z, t = case.sound("geopotential", time), case.sound("temperature", time)
        q = case.sound("specific_humidity", time)
        levels = sorted(level for level in z if level in t and level is not None)
        for upper, lower in pairwise(levels):
            layer = float(np.log(lower / upper))
            if layer > THICKEST_LAYER:
                continue
            says = (z[upper].coarse - z[lower].coarse) / (DRY_AIR * layer)
            given = (_virtual(t, q, upper) + _virtual(t, q, lower)) / 2
            weights = area(case.digest, 0, 90)
            bias = float((weights * (says - given)).sum() / weights.sum())
            fit = correlation(departure(says), departure(given), weights)
            moment = at_time(case.digest, time)
            if abs(bias) > BIAS_WARNING:
                text = (
                    f"the layer from {lower} to {upper} hPa{moment} is as thick as air of"
                    f" {bias:+.1f} K against the temperature given"
                )
                _keep(worst, "bias", abs(bias), text, [upper, lower])
            # With hardly any departure from the zonal mean there is nothing to compare.
            if fit < HYDROSTATIC_WARNING and departure(given).std() > 0.5:
                text = (
                    f"geopotential and temperature between {lower} and {upper} hPa{moment} are not"
                    f" those of the same air (correlation {fit:.2f})"
                )
                _keep(worst, "fit", 1 - fit, text, [upper, lower])
        _from_the_sea_level(case, time, worst)
    for kind, limit in (("bias", BIAS_ERROR), ("fit", 1 - HYDROSTATIC_ERROR)):
        if kind in worst:
            size, text, where = worst[kind]
            yield Finding(
                "hydrostatic",
                "error" if size > limit else "warning",
                text + (f"; so{at_levels(where)}" if len(set(where)) > 2 else ""),
                "look for a wrong unit, level, time or orientation of one of the two",
            )


# The lowest level against sea-level pressure: 0 and 7 m, correlation 0.99, at 1000 and 925 hPa.
SEA_LEVEL_METRES = 40.0


def _from_the_sea_level(
    case: Case, time: int | None, worst: dict[str, tuple[float, str, list[int | None]]]
) -> None:
    """The height of the lowest level, from sea-level pressure: ΔΦ = R T ln(p₀/p)."""
    z, t = case.sound("geopotential", time), case.sound("temperature", time)
    pressure = case.sound("mean_sea_level_pressure", time).get(None)
    low = max((level for level in z if level in t and level is not None), default=0)
    if pressure is None or low < 925:
        return
    says = DRY_AIR * t[low].coarse * np.log(pressure.coarse / (100.0 * low))
    weights = area(case.digest, 0, 90)
    metres = float((weights * (z[low].coarse - says)).sum() / weights.sum()) / STANDARD_GRAVITY
    fit = correlation(departure(says), departure(z[low].coarse), weights)
    text = f"geopotential at {low} hPa and mean_sea_level_pressure{at_time(case.digest, time)}"
    if abs(metres) > SEA_LEVEL_METRES:
        # counted as K of a layer, 10 m for each
        _keep(worst, "bias", abs(metres) / 10, f"{text} are {abs(metres):.0f} m apart", [low])
    if fit < HYDROSTATIC_WARNING and departure(says).std() > 50:
        message = f"{text} are not those of the same air (correlation {fit:.2f})"
        _keep(worst, "fit", 1 - fit, message, [low])


def _virtual(t: dict[int | None, Field], q: dict[int | None, Field], level: int) -> Map:
    moisture = VIRTUAL * q[level].coarse if level in q else 0.0
    return np.asarray(t[level].coarse * (1 + moisture))


def _keep(
    worst: dict[str, tuple[float, str, list[int | None]]],
    kind: str,
    size: float,
    text: str,
    where: list[int | None],
) -> None:
    before = worst.get(kind)
    places = [*(before[2] if before else []), *where]
    worst[kind] = (
        (size, text, places) if before is None or size > before[0] else (*before[:2], places)
    )


class Balance(NamedTuple):
    """Wind against the wind that balances pressure, on one level; each a correlation."""

    level: int | None
    u: float
    v: float
    u_like_v: float  # of u with the balancing v
    v_like_u: float
    u_slope: float
    v_slope: float


def winds(case: Case) -> Iterator[Finding]:
    """Wind blows along the lines of equal height: east and north not exchanged, signs right."""
    if 360 / case.digest.longitude.size > COARSEST:
        return  # differences over half a wave say nothing
    for time in case.digest.indices:
        for source, levels in _balances(case, time).items():
            if not levels:
                continue
            finding = _judged(levels, source, at_time(case.digest, time))
            if finding is not None:
                yield finding
                return
    yield from _divergent(case)


COARSEST = 12.0  # degrees: at 10° the correlations below still hold, at 20° they do not
# Least correlation that real weather keeps, by what the wind is compared with. In the real files:
# geopotential 0.84 ... 0.97 (1000 hPa 0.73), sea-level pressure and 10 m wind 0.79 ... 0.84,
# temperature and shear 0.44 ... 0.90.
_LEAST = {"geopotential": 0.5, "mean_sea_level_pressure": 0.4, "temperature": 0.2}


def _judged(levels: list[Balance], source: str, moment: str) -> Finding | None:
    least = _LEAST[source]
    u, v = (float(np.median([getattr(b, c) for b in levels])) for c in ("u", "v"))
    crossed = [min(abs(b.u_like_v), abs(b.v_like_u)) for b in levels]
    what = f"against {source}{moment}"
    if float(np.median(crossed)) > max(least, abs(u), abs(v)):
        return _winds(f"eastward and northward wind are exchanged {what}", "exchange them")
    if u < -least and v < -least:
        return _winds(
            f"the wind blows the wrong way around {what}: both components have the wrong sign",
            "change both signs, or look for a flipped latitude",
        )
    if u < -least:
        return _winds(f"the eastward wind has the wrong sign {what}", "change its sign")
    if v < -least:
        return _winds(
            f"the northward wind has the wrong sign {what}, or all fields are mirrored (latitude"
            " or longitude the other way round)",
            "change its sign, or turn the fields around",
        )
    for component in ("u", "v"):
        bad = [b.level for b in levels if getattr(b, component) < least]
        if bad:
            value = min(getattr(b, component) for b in levels)
            name = "eastward" if component == "u" else "northward"
            return _winds(
                f"the {name} wind{at_levels(bad)} does not follow from {source}{moment}"
                f" (correlation {value:.2f})",
                "look for a wrong level, time, unit or orientation of one of the two",
                # A planet whose wind and pressure were made apart has no balance at all.
                severe=len(bad) < len(levels) or value < 0.1,
            )
    return _wrong_strength(levels, source, moment)


# Strength of the wind against the balancing one: geopotential 0.9 ... 1.2 in the real files,
# temperature 0.66 ... 1.6 (thin layers), pressure and 10 m wind 0.5.
_STRENGTHS = {
    "geopotential": (0.6, 1.65),
    "mean_sea_level_pressure": (0.25, 0.85),
    "temperature": (0.3, 1.8),
}


def _wrong_strength(levels: list[Balance], source: str, moment: str) -> Finding | None:
    weakest, strongest = _STRENGTHS[source]
    for name, component in (("eastward", "u_slope"), ("northward", "v_slope")):
        sizes = {b.level: getattr(b, component) for b in levels}
        wrong = [level for level, size in sizes.items() if not weakest < size < strongest]
        overall = float(np.median(list(sizes.values())))
        if source == "temperature" and weakest < overall < strongest:
            continue  # differences of thin layers may go wrong one by one
        if wrong:
            size = max((sizes[level] for level in wrong), key=lambda s: abs(np.log(max(s, 1e-3))))
            return Finding(
                "winds",
                "error" if source == "geopotential" and not 0.55 < size < 1.8 else "warning",
                f"the {name} wind{at_levels(wrong)} is {size:.2g} times what balances"
                f" {source}{moment}",
                "check levels and units of the wind (twice: knots, 3.6 times: km/h)",
            )
    return None


def _winds(message: str, remedy: str, *, severe: bool = True) -> Finding:
    return Finding("winds", "error" if severe else "warning", message, remedy)


def _balances(case: Case, time: int | None) -> dict[str, list[Balance]]:
    """Comparisons with geopotential, or where it is not there with temperature; and 10 m wind."""
    u, v = case.sound("u_component_of_wind", time), case.sound("v_component_of_wind", time)
    z = case.sound("geopotential", time)
    both = sorted(level for level in u if level in v and level is not None)
    found: dict[str, list[Balance]] = {}
    # Below 900 hPa friction turns the wind; above 20 hPa waves are few, and so are correlations.
    found["geopotential"] = [
        balance(case, level, u[level].coarse, v[level].coarse, z[level].coarse)
        for level in both
        if level in z and 20 <= level <= 900
    ]
    if not found["geopotential"]:
        found["temperature"] = [
            balance(
                case,
                upper,
                u[upper].coarse - u[lower].coarse,
                v[upper].coarse - v[lower].coarse,
                layer,
            )
            for upper, lower in pairwise(both)
            if upper >= 100 and lower <= 850
            if (layer := thickness(case, time, upper, lower)) is not None
        ]
    low_u = case.sound("10m_u_component_of_wind", time).get(None)
    low_v = case.sound("10m_v_component_of_wind", time).get(None)
    pressure = case.sound("mean_sea_level_pressure", time).get(None)
    if low_u is not None and low_v is not None and pressure is not None:
        potential = pressure.coarse / AIR_DENSITY
        found["mean_sea_level_pressure"] = [
            balance(case, None, low_u.coarse, low_v.coarse, potential)
        ]
    return found


def thickness(case: Case, time: int | None, upper: int, lower: int) -> Map | None:
    """Geopotential between two levels, from itself or else from temperature, where it is known."""
    z, t = case.sound("geopotential", time), case.sound("temperature", time)
    if upper in z and lower in z:
        return np.asarray(z[upper].coarse - z[lower].coarse)
    layer = float(np.log(lower / upper))
    if upper not in t or lower not in t or layer > THICKEST_LAYER:
        return None
    return np.asarray(DRY_AIR * layer * (t[upper].coarse + t[lower].coarse) / 2)


def balance(case: Case, level: int | None, u: Map, v: Map, potential: Map) -> Balance:
    """Compared between 25° and 70°, where the Earth turns and rows are long."""
    weights = area(case.digest, 25, 70)
    outside = weights == 0
    balanced_u, balanced_v = (np.where(outside, 0.0, x) for x in geostrophic(case, potential))
    u, v = np.where(outside, 0.0, u), np.where(outside, 0.0, v)
    u_part, v_part = departure(balanced_u), departure(balanced_v)
    return Balance(
        level,
        correlation(departure(u), u_part, weights),
        correlation(departure(v), v_part, weights),
        correlation(departure(u), v_part, weights),
        correlation(departure(v), u_part, weights),
        slope(u, balanced_u, weights),
        slope(v, balanced_v, weights),
    )


def geostrophic(case: Case, potential: Map) -> tuple[Map, Map]:
    """Eastward and northward wind in balance with geopotential; without meaning next to 0°."""
    eastward, northward = gradient(case, potential)
    sine = np.sin(np.deg2rad(case.digest.latitude))[:, None]
    coriolis = 2 * EARTH_ROTATION * np.where(np.abs(sine) < 0.1, 1.0, sine)
    return np.asarray(-northward / coriolis), np.asarray(eastward / coriolis)


def gradient(case: Case, field: Map) -> tuple[Map, Map]:
    """Derivatives eastward and northward, per metre."""
    latitude = np.deg2rad(case.digest.latitude)
    step = 2 * np.pi / case.digest.longitude.size
    northward = np.gradient(field, latitude, axis=0) / EARTH_RADIUS
    shrinking = EARTH_RADIUS * np.cos(latitude)[:, None].clip(1e-3)
    eastward = (np.roll(field, -1, axis=1) - np.roll(field, 1, axis=1)) / (2 * step) / shrinking
    return eastward, northward


# Divergence against vorticity, root mean square between 20° and 70° on the coarse grid: 0.13 ...
# 0.45 in the free air, 0.56 at 10 m. With u and v exchanged, one sign wrong or both upside down
# the two exchange their parts: 0.9 or more; with one of them turned or flipped 0.75.
DIVERGENT = 0.68


def _divergent(case: Case) -> Iterator[Finding]:
    for time in case.digest.indices:
        for prefix in ("", "10m_"):
            u = case.sound(f"{prefix}u_component_of_wind", time)
            v = case.sound(f"{prefix}v_component_of_wind", time)
            bad = [
                level
                for level in u
                if level in v
                and (level is None or level >= 100)
                and _divergence(case, u[level].coarse, v[level].coarse) > DIVERGENT
            ]
            if len(bad) > len(u) / 2:
                yield Finding(
                    "winds",
                    "warning",
                    f"{prefix}u and v{at_levels(bad)}{at_time(case.digest, time)} diverge as much"
                    " as they turn, which air does not",
                    "look whether they are exchanged, flipped, or one has the wrong sign",
                )
                return


def _divergence(case: Case, u: Map, v: Map) -> float:
    shrinking = np.cos(np.deg2rad(case.digest.latitude))[:, None].clip(1e-3)
    u_east, _ = gradient(case, u)
    v_east, _ = gradient(case, v)
    _, v_north = gradient(case, v * shrinking)
    _, u_north = gradient(case, u * shrinking)
    weights = area(case.digest, 20, 70)
    divergence, vorticity = u_east + v_north / shrinking, v_east - u_north / shrinking
    size = (weights * vorticity**2).sum()
    return float(np.sqrt((weights * divergence**2).sum() / size)) if size > 0 else 0.0
