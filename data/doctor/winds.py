"""The rule "winds": wind blows along the lines of equal height.

Where the wind can be compared with geopotential, temperature or sea-level pressure, the geostrophic
wind shows components that are exchanged or have the wrong sign, level or unit. Without these
fields, the divergence of the wind is compared with its vorticity.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from data.doctor.balance import COARSEST, Balance, balance, gradient, thickness
from data.doctor.case import Case, Map, area, at_levels, at_time
from data.doctor.finding import Finding

AIR_DENSITY = 1.2  # kg m-3, at sea level


def winds(case: Case) -> Iterator[Finding]:
    """Eastward and northward wind are not exchanged, and have the right sign and strength."""
    if 360 / case.digest.longitude.size > COARSEST:
        return  # differences over half a wave mean nothing
    for time in case.digest.indices:
        for source, levels in _balances(case, time).items():
            if not levels:
                continue
            finding = _judged(levels, source, at_time(case.digest, time))
            if finding is not None:
                yield finding
                return
    yield from _divergent(case)


# Least correlation of real weather, by the field that the wind is compared with. Real files:
# geopotential 0.84 to 0.97 (1000 hPa 0.73), sea-level pressure with 10 m wind 0.79 to 0.84,
# temperature with shear 0.44 to 0.90.
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
                # Wind and pressure that were made independently have no balance at all.
                severe=source == "geopotential" or len(bad) < len(levels) or value < 0.1,
            )
    return _wrong_strength(levels, source, moment)


# Strength of the wind over the geostrophic wind. Real files: geopotential 0.9 to 1.2, temperature
# 0.66 to 1.6 (thin layers), sea-level pressure with 10 m wind 0.5.
_STRENGTHS = {
    "geopotential": (0.6, 1.65),
    "mean_sea_level_pressure": (0.25, 0.85),
    "temperature": (0.3, 1.8),
}
# Median over levels of the strength that no analysis has: half for m s-1 read as knots.
_SURELY = (0.7, 1.5)


def _wrong_strength(levels: list[Balance], source: str, moment: str) -> Finding | None:
    weakest, strongest = _STRENGTHS[source]
    for name, component in (("eastward", "u_slope"), ("northward", "v_slope")):
        sizes = {b.level: getattr(b, component) for b in levels}
        wrong = [level for level, size in sizes.items() if not weakest < size < strongest]
        overall = float(np.median(list(sizes.values())))
        if source == "temperature" and weakest < overall < strongest:
            continue  # single thin layers may be off
        sure = source == "geopotential" and not _SURELY[0] < overall < _SURELY[1]
        if wrong or sure:
            wrong = wrong or list(sizes)
            size = max((sizes[level] for level in wrong), key=lambda s: abs(np.log(max(s, 1e-3))))
            return Finding(
                "winds",
                "error"
                if sure or (source == "geopotential" and not 0.55 < size < 1.8)
                else "warning",
                f"the {name} wind{at_levels(wrong)} is {size:.2g} times what balances"
                f" {source}{moment}",
                "check levels and units of the wind (twice: knots, 3.6 times: km/h)",
            )
    return None


def _winds(message: str, remedy: str, *, severe: bool = True) -> Finding:
    return Finding("winds", "error" if severe else "warning", message, remedy)


def _balances(case: Case, time: int | None) -> dict[str, list[Balance]]:
    """Comparisons by field: geopotential, or else temperature; and sea-level pressure."""
    u, v = case.sound("u_component_of_wind", time), case.sound("v_component_of_wind", time)
    z = case.sound("geopotential", time)
    both = sorted(level for level in u if level in v and level is not None)
    balances: dict[str, list[Balance]] = {}
    # Below 900 hPa friction turns the wind; above 20 hPa there are too few waves to correlate.
    balances["geopotential"] = [
        balance(case, level, u[level].coarse, v[level].coarse, z[level].coarse)
        for level in both
        if level in z and 20 <= level <= 900
    ]
    if not balances["geopotential"]:
        balances["temperature"] = [
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
        balances["mean_sea_level_pressure"] = [
            balance(case, None, low_u.coarse, low_v.coarse, potential)
        ]
    return balances


# Divergence over vorticity, root mean square between 20° and 70° on the coarse grid. Real files:
# 0.13 to 0.45 in the free air, 0.56 at 10 m. With u and v exchanged, one sign wrong or both upside
# down: 0.9 or more; with one of them turned or flipped: 0.75.
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
    """Root-mean-square divergence over vorticity, 0 without vorticity."""
    cosine = np.cos(np.deg2rad(case.digest.latitude))[:, None].clip(1e-3)
    u_east, _ = gradient(case, u)
    v_east, _ = gradient(case, v)
    _, v_north = gradient(case, v * cosine)
    _, u_north = gradient(case, u * cosine)
    weights = area(case.digest, 20, 70)
    divergence, vorticity = u_east + v_north / cosine, v_east - u_north / cosine
    size = (weights * vorticity**2).sum()
    return float(np.sqrt((weights * divergence**2).sum() / size)) if size > 0 else 0.0
