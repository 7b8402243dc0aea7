"""The rule "order": no two neighbouring levels of a wind component are exchanged.

Neighbouring levels look alike, so each of two exchanged ones is still nearly in balance. Their
difference is not: it has the wrong sign against the thermal wind. Near the ground, where friction
matters, and without geopotential and temperature, the rule compares each of the two with the next
level beyond: an exchanged pair fits better in reverse.
"""

from collections.abc import Iterator
from itertools import pairwise

from data.doctor.balance import COARSEST, balance, thickness
from data.doctor.case import Case, area, at_levels, at_time
from data.doctor.digest import Field
from data.doctor.finding import Finding

_Column = dict[int | None, Field]
# Correlation of the difference between two levels with the balanced one, 20 to 900 hPa. Real files:
# 0.25 (one thin layer on a thinned grid) to 0.9, whichever levels are left out.
TURNED_SHEAR = -0.15
# Ratio of the differences to the levels beyond, exchanged over as labelled. Real files: 1.7 or more
# with all levels below 500 hPa, 0.98 with the worst choice of a few of them.
NEAR_GROUND = 0.85
# The same ratio anywhere, with a level beyond on either side: 0.81 with the worst choice of a few
# levels, one above a jet and the next below it; 1.02 for 19 of 20 choices.
ANYWHERE = 0.7
GROUND, FREE_AIR, THIN_AIR = 900, 500, 20  # hPa


def order(case: Case) -> Iterator[Finding]:
    """No two neighbouring levels of one component of the wind exchanged."""
    for name in ("u_component_of_wind", "v_component_of_wind"):
        for time in case.digest.indices:
            levels = sorted(level for level in case.sound(name, time) if level is not None)
            pairs = list(pairwise(levels))
            wrong = [pair for pair in pairs if _exchanged(case, name, time, pair)]
            # If most are wrong, the sign or the direction of the levels is, as other rules report.
            if wrong and (len(wrong) == 1 or len(wrong) <= len(pairs) / 2):
                yield Finding(
                    "order",
                    "error",
                    f"{name}{at_levels(level for pair in wrong for level in pair)}"
                    f"{at_time(case.digest, time)} fits with neighbouring levels exchanged, and not"
                    " as labelled",
                    "exchange them, or look whether the levels of this variable are in the order of"
                    " the others",
                )
                break


def _exchanged(case: Case, name: str, time: int | None, pair: tuple[int, int]) -> bool:
    upper, lower = pair
    if lower > GROUND:
        below: _Column = {
            x: f for x, f in case.sound(name, time).items() if x is not None and x >= FREE_AIR
        }
        return upper >= FREE_AIR and _nearness(case, below, pair) < NEAR_GROUND
    shear = _shear(case, name, time, pair) if upper >= THIN_AIR else None
    if shear is not None:
        return shear < TURNED_SHEAR
    column = case.sound(name, time)
    known = [level for level in column if level is not None]
    return min(known) < upper and lower < max(known) and _nearness(case, column, pair) < ANYWHERE


def _shear(case: Case, name: str, time: int | None, pair: tuple[int, int]) -> float | None:
    """Correlation of the wind shear between two levels with the thermal wind, where known."""
    upper, lower = pair
    if 360 / case.digest.longitude.size > COARSEST:
        return None
    layer = thickness(case, time, upper, lower)
    if layer is None:
        return None
    column = case.sound(name, time)
    difference = column[upper].coarse - column[lower].coarse
    fit = balance(case, upper, difference, difference, layer)
    return fit.u if name.startswith("u") else fit.v


def _nearness(case: Case, column: _Column, pair: tuple[int, int]) -> float:
    """Squared differences to the levels beyond: exchanged, over as labelled."""
    levels = sorted(level for level in column if level is not None)
    above = [level for level in levels if level < pair[0]][-1:]
    beneath = [level for level in levels if level > pair[1]][:1]
    as_labelled = [(x, pair[0]) for x in above] + [(pair[1], x) for x in beneath]
    exchanged = [(x, pair[1]) for x in above] + [(pair[0], x) for x in beneath]
    weights = area(case.digest, 0, 90)

    def apart(pairs: list[tuple[int, int]]) -> float:
        fields = [(column[one].coarse, column[other].coarse) for one, other in pairs]
        return float(sum((weights * (one - other) ** 2).sum() for one, other in fields))

    labelled = apart(as_labelled)
    return apart(exchanged) / labelled if labelled > 0 else 1.0
