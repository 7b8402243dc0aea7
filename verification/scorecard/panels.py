"""The page's panels as pictures for papers and slides: PNG and PDF."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from data.maps.labels import short_label
from data.stores.files import written_whole
from verification.results import Results
from verification.scorecard.cells import Block, blocks, pairs
from verification.scorecard.dots import CELL, kinds, placed, scale_of, steps
from verification.scorecard.dots import diameter as pixels
from verification.scorecard.lines import metric_panels
from verification.scorecard.selection import headline_rows_of

BETTER, WORSE = "#0072b2", "#d55e00"  # as on the page; told apart by colour-blind readers
CURVES = (("#0072b2", "-"), ("#6b7280", "--"), ("#d55e00", ":"), ("#009e73", "-."))
INCH = 72.0  # points, which a pixel of the page becomes
DPI = 200
FORMATS = ("png", "pdf")

_STYLE: Any = {"font.size": 8, "axes.titlesize": 9, "axes.titleweight": "bold", "svg.hashsalt": "1"}


def write_panels(results: Results, folder: Path) -> list[Path]:
    """Write every block of the scorecard, and the curves of the headline fields.

    Args:
        results: scores and comparisons.
        folder: is made where it does not exist; pictures of the same names are replaced.

    Returns:
        The files, two for each panel: PNG and PDF.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, figure in _panels(results):
        for kind in FORMATS:
            path = folder / f"{re.sub(r'[^A-Za-z0-9.]+', '-', name)}.{kind}"
            metadata = {"CreationDate": None} if kind == "pdf" else None
            with written_whole(path) as temporary:
                figure.savefig(temporary, format=kind, dpi=DPI, metadata=metadata)
            written.append(path)
    return written


def _panels(results: Results) -> Iterator[tuple[str, Figure]]:
    made = {pair: blocks(results, pair) for pair in pairs(results)}
    for pair, of_pair in made.items():
        scale = scale_of(of_pair)
        for block in of_pair:
            name = f"{pair.forecast}-{pair.reference}-{block.metric}-{block.region}"
            yield f"card-{name}", block_figure(block, scale)
    first = results.scores[0]
    for panel in metric_panels(results, headline_rows_of(results), first.metric, first.region):
        yield f"curve-{first.metric}-{first.region}-{short_label(*panel['row'])}", _curves(panel)


def block_figure(block: Block, scale: float) -> Figure:
    """One block: dots by row and lead time, as on the page.

    Args:
        block: what is drawn.
        scale: the difference that a full dot stands for.
    """
    at = placed(block)
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=((at.width + 30) / INCH, (at.height + 64) / INCH))
        axes = figure.add_axes((0, 34 / (at.height + 64), 1, at.height / (at.height + 64)))
        axes.set_xlim(0, at.width + 30)
        axes.set_ylim(at.height, 0)
        axes.axis("off")
        for row, y in zip(block.rows, at.y, strict=True):
            axes.text(4, y, short_label(*row), va="center", size=7)
        for place, x in zip(at.columns, at.x, strict=True):
            lead = block.leads[place]
            if lead % 24 == 0 or block.leads[-1] < 72:
                days = block.leads[-1] >= 72
                text = f"{lead / 24 if days else lead:g}"
                axes.text(x, CELL * 0.6, text, ha="center", va="center", size=6)
        _dots(axes, block, scale)
        pair = block.pair
        figure.suptitle(f"{block.metric.upper()}, {block.region}", x=0.02, ha="left")
        figure.text(
            0.02, 4 / (at.height + 64),
            f"{pair.forecast} against {pair.reference}: blue better, orange worse\n"
            f"filled: significant; full size: {100 * scale:g} %; n = {block.n.max()}",
            size=5.5,
        )  # fmt: skip
    return figure


def _dots(axes: Axes, block: Block, scale: float) -> None:
    at, size = placed(block), steps(block, scale)
    for kind, cells in kinds(block).items():
        rows, columns = np.nonzero(cells[:, list(at.columns)])
        if not rows.size:
            continue
        colour = BETTER if kind.startswith("better") else WORSE
        across = [pixels(float(size[i, at.columns[j]])) for i, j in zip(rows, columns, strict=True)]
        filled = colour if kind.endswith("sure") else "none"
        areas = np.square(np.array(across) - (0 if filled == colour else 1))
        axes.scatter(at.x[columns], at.y[rows], s=areas, c=filled, edgecolors=colour, linewidths=1)
        if kind.endswith("disputed"):
            axes.scatter(at.x[columns], at.y[rows], s=areas / 9, c=colour, linewidths=0)


def _curves(panel: dict[str, Any]) -> Figure:
    """One field by lead time, a line for each entrant."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(4.2, 2.8), layout="constrained")
        axes = figure.add_subplot()
        for line, (colour, dashes) in zip(panel["numbers"], CURVES * 4, strict=False):
            days = [lead / 24 for lead in line["leads"]]
            values = list(line["leads"].values())
            axes.plot(days, values, dashes, color=colour, label=line["name"])
        axes.set_title(panel["title"], loc="left")
        axes.set_xlabel("lead time (d)")
        axes.set_ylabel(panel["units"])
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    return figure
