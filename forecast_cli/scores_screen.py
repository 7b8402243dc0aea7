"""Scores on the terminal: a table of one metric by lead time, coloured against the reference."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.table import Table

from data.channels import Channel
from data.maps.appearance import shown
from data.maps.labels import lead_label, number, short_label
from forecast_cli.terminal import console, next_step
from verification.results import Results, Score
from verification.scorecard.selection import HEADLINES, table_leads

TABLE_LEADS = 6
MOST_ROWS = 10
FIRST = ("rmse", "rmse_wb2", "crps", "crps_fair")  # the metric of the table, if it was asked for
TITLES = {"rmse": "RMSE", "rmse_wb2": "RMSE (root over all initial times)", "crps": "CRPS"}

Row = tuple[Channel, str]  # what, and whose


def say_scores(
    results: Results,
    written: Mapping[str, Path | None],
    seconds: float,
    *,
    stood: bool = False,
) -> None:
    """Print a table, the notes, the files written and the next step."""
    console.print(_table(results))
    for note in filter(None, str(results.protocol.get("notes", "")).split("\n")):
        console.print(f"  note    {note}", markup=False)
    console.print(f"  truth   {results.protocol['truth']}", markup=False)
    for what, path in written.items():
        if path is not None:
            took = f"  ({seconds:.1f} s)" if what == "scores" else ""
            console.print(f"  {what:<7} {path}{took}", markup=False)
    if stood:
        console.print("  they were there already (--overwrite makes them again)")
    report, output = written.get("report"), written["scores"]
    assert output is not None
    if report is None:
        console.print("--report report.html adds a page of tables and curves")
    next_step("info", output)


def _table(results: Results) -> Table:
    names = list(dict.fromkeys(score.metric for score in results.scores))
    metric = next((name for name in FIRST if name in names), names[0])
    region = results.scores[0].region
    cells = {
        ((Channel(s.variable, _whole(s.level)), s.forecast), s.lead_hours): s
        for s in results.scores
        if (s.metric, s.region) == (metric, region)
    }
    entrants = list(dict.fromkeys(s.forecast for s in results.scores))
    count = results.protocol.get("initial_time_count", max(s.n for s in results.scores))
    times = results.protocol.get("initial_times", "")
    plural = f"{count} initial times" if count != 1 else f"from {times} UTC"
    better = f" (green: better than {entrants[1]})" if len(entrants) > 1 else ""
    title = f"{TITLES.get(metric, metric)}, {region}, {plural}{better}"
    table = Table(title=title, box=None, title_justify="left")
    hours = sorted({hour for _, hour in cells})
    durations = [np.timedelta64(round(h * 3600), "s") for h in hours]
    leads = table_leads(durations, TABLE_LEADS)
    table.add_column("")
    table.add_column("units", style="dim")
    for lead in leads:
        table.add_column(lead_label(lead), justify="right")
    high = results.best.get(metric) in ("high", "one")
    for channel in _channels([row[0] for row, _ in cells]):
        for entrant in entrants:
            shown_cells = [
                _cell(cells, channel, entrant, entrants, float(lead / np.timedelta64(1, "h")), high)
                for lead in leads
            ]
            first = entrant == entrants[0]
            any_cell = next(s for (row, _), s in cells.items() if row[0] == channel)
            label = short_label(*channel) if first else ""
            whose = _shown(any_cell)[1] if first else entrant
            table.add_row(label, whose, *shown_cells, style=None if first else "dim")
    return table


def _cell(
    cells: Mapping[tuple[Row, float], Score],
    channel: Channel,
    entrant: str,
    entrants: list[str],
    hour: float,
    high: bool,
) -> str:
    """A number, of the first entrant in the colour of its comparison with the second."""
    score = cells.get(((channel, entrant), hour))
    if score is None:
        return "–"
    text = number(score.value * _shown(score)[0])
    other = cells.get(((channel, entrants[1]), hour)) if len(entrants) > 1 else None
    if entrant != entrants[0] or other is None:
        return text
    better = score.value > other.value if high else score.value < other.value
    return f"[{'green' if better else 'red'}]{text}[/]"


def _shown(score: Score) -> tuple[float, str]:
    """Factor to, and name of, the units in which a score is shown."""
    if score.unit == "1" or score.unit.endswith(")2"):
        return 1.0, score.unit
    looks = shown(score.variable, score.unit, _whole(score.level)).of_differences
    return looks.factor, looks.units


def _whole(level: float | None) -> int | None:
    return None if level is None else int(level)


def _channels(scored: list[Channel]) -> list[Channel]:
    """The headline fields that were scored; the first ten where none was."""
    there = list(dict.fromkeys(scored))
    return [channel for channel in HEADLINES if channel in there] or there[:MOST_ROWS]
