"""The drawing of a block: a dot in each cell, as paths of an SVG.

The area of a dot is the size of the normalised difference, its colour says who is better, and it
is filled where the difference is significant. All dots of one size and kind are one path of points
with round ends, so that a card of 1,380 cells takes some ten kilobytes.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from data.maps.labels import short_label
from verification.scorecard.cells import Block, every

CELL = 14.0  # pixels: 20 lead times and a label fit on a phone of 360
LABEL = 46.0  # pixels, of a row's name
HEAD = 18.0  # pixels, of the lead times
GAP = 5.0  # pixels between variables
MOST_LEADS = 20  # in a block; more do not fit on a phone
SIZES = 12  # steps of area; finer ones cannot be told apart
LARGEST = CELL - 2.0  # pixels across
RIM = 2.4  # pixels that a hole is narrower than its dot
ROUNDING = 1e-9  # of differences, so that 10 % is not drawn as more than 10 %
SCALES = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # differences that a full dot may stand for

Kinds = dict[str, Bool[np.ndarray, "rows leads"]]


class Placed(NamedTuple):
    """Where the rows and columns of a block are drawn."""

    columns: tuple[int, ...]  # of the block's lead times
    x: Float[np.ndarray, " columns"]
    y: Float[np.ndarray, " rows"]
    width: float
    height: float


def scale_of(blocks: Sequence[Block]) -> float:
    """The difference that a full dot stands for: 19 of 20 are smaller, in all blocks."""
    sizes = np.concatenate([np.abs(block.gain[block.scored]) for block in blocks] or [np.zeros(1)])
    largest = float(np.quantile(sizes, 0.95)) if sizes.size else 0.0
    return next((scale for scale in SCALES if scale * (1 + ROUNDING) >= largest), SCALES[-1])


def placed(block: Block) -> Placed:
    """The places of a block's cells, variables a little apart."""
    columns = tuple(every(block.leads, MOST_LEADS))
    names = [row.variable for row in block.rows]
    breaks = np.cumsum([0, *(a != b for a, b in pairwise(names))])
    y = HEAD + CELL * (np.arange(len(names)) + 0.5) + GAP * breaks
    x = LABEL + CELL * (np.arange(len(columns)) + 0.5)
    return Placed(columns, x, y, LABEL + CELL * len(columns), float(y[-1]) + CELL / 2)


def kinds(block: Block) -> Kinds:
    """The cells that are drawn alike: who is better, and how sure that is."""
    doubt = ~block.sure & ~block.disputed
    return {
        f"{side} {certainty}": cells & certain
        for side, cells in (("better", block.gain > 0), ("worse", block.gain < 0))
        for certainty, certain in (
            ("sure", block.sure),
            ("disputed", block.disputed),
            ("open", doubt),
        )
    }


def steps(block: Block, scale: float) -> Float[np.ndarray, "rows leads"]:
    """The size of each dot, from 1 to `SIZES`; 0 without one."""
    share = np.clip(np.abs(np.where(block.scored, block.gain, 0.0)) / scale, 0.0, 1.0)
    return np.where(block.scored, np.maximum(np.ceil(share * SIZES - ROUNDING), 1.0), 0.0)


def diameter(step: int | float) -> float:
    """Pixels across; the area goes with the step."""
    return round(LARGEST * float(np.sqrt(step / SIZES)), 1)


def drawing(block: Block, scale: float) -> dict[str, Any]:
    """All that the template needs to draw a block."""
    at = placed(block)
    shown_leads = [block.leads[j] for j in at.columns]
    return {
        "width": at.width,
        "height": at.height + 2,
        "rows": [
            {"y": f"{y + 4:.0f}", "text": short_label(*row)}
            for row, y in zip(block.rows, at.y, strict=True)
        ],
        "leads": list(_axis(shown_leads, at.x)),
        "unit": "d" if _in_days(shown_leads) else "h",
        "bands": [f"M{LABEL:.0f} {y:.0f}h{at.width - LABEL:.0f}" for y in at.y[::2]],
        "paths": list(_paths(block, at, scale)),
        "missing": _points(~block.scored, at),
    }


def _paths(block: Block, at: Placed, scale: float) -> Iterator[dict[str, str]]:
    """Each kind and size as one path, and a hole in those that are not sure."""
    size = steps(block, scale)
    for kind, cells in kinds(block).items():
        for step in range(1, SIZES + 1):
            points = _points(cells & (size == step), at)
            if not points:
                continue
            wide = diameter(step)
            yield {"kind": kind, "width": f"{wide:g}", "d": points}
            if not kind.endswith("sure") and wide > RIM + 1:
                yield {"kind": "hole", "width": f"{wide - RIM:g}", "d": points}
            if kind.endswith("disputed") and wide > 2 * RIM:
                yield {"kind": kind, "width": f"{wide / 3:.1f}", "d": points}


def _points(cells: Bool[np.ndarray, "rows leads"], at: Placed) -> str:
    """Points as an SVG path, row after row."""
    found = np.argwhere(cells[:, list(at.columns)])
    return "".join(f"M{at.x[j]:g} {at.y[i]:g}h0" for i, j in found)


def _in_days(leads: Sequence[float]) -> bool:
    return leads[-1] >= 72


def _axis(leads: Sequence[float], x: Float[np.ndarray, " columns"]) -> Iterator[dict[str, str]]:
    """Lead times above the columns, as many as there is room for."""
    by = 24 if _in_days(leads) else 1
    labels = [lead / by for lead in leads]
    whole = [i for i, label in enumerate(labels) if label == int(label)]
    apart = int(np.ceil(28 / CELL * len(whole) / max(len(leads), 1)))
    for i in whole[(-(len(whole)) - 1) % max(apart, 1) :: max(apart, 1)] if whole else []:
        yield {"x": f"{x[i]:g}", "text": f"{labels[i]:g}"}
