"""Write the leads of a forecast that are missing, window after window.

A window that fails does not stop the others. It is tried once more at the end, alone.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from data.doctor import examine_frames, refuse, telling
from data.stores.forecast.store import ForecastStore
from data.wording import hour, listed, one_line
from graphcast.forecaster import PlacedForecaster
from graphcast.machine.hosts import exchange, process_count
from graphcast.operations.cluster.shared_store import SharedStore, check_same_values
from graphcast.operations.events import (
    Failed,
    Noticed,
    Opened,
    Report,
    Started,
    Taken,
    Written,
)
from graphcast.operations.run import Run
from graphcast.operations.standing import ChangedInputsError, Finished
from graphcast.operations.starts import Starts
from graphcast.operations.turns import Fault, Place, Turn, position, turns_of

# Stop at warnings, too; stop at errors; report errors like warnings; examine nothing.
Door = Literal["strict", "stop", "report", "open"]


class FailedForecastsError(ValueError):
    """Some of several forecasts could not be made; the others are kept."""


@dataclass(frozen=True)
class Making:
    """A forecast being made.

    Attributes:
        run: what is forecast.
        starts: where its windows come from.
        ready: makes the predictions.
        found: a finished forecast that this one goes further than; None without one.
        report: is called with each event.
        door: what happens after what the input doctor finds in a window.
    """

    run: Run
    starts: Starts
    ready: PlacedForecaster
    found: Finished | None
    report: Report
    door: Door

    def write(self, turns: Iterable[Turn], store: ForecastStore | SharedStore) -> None:
        """Write every lead that the store lacks, and give the store its name.

        A forecast that fails does not stop the others. It is tried once more at the end.
        """
        header = store.header
        self.report(Opened(header, len(header.cells) - len(store.missing)))
        if faults := self._write_turns(turns, store):
            # one at a time: a fault may be that of a window beside it
            places = [fault.place for fault in faults]
            again = turns_of(self.run, self.starts, 1, places)
            faults = self._write_turns(again, store)
        if faults:
            raise FailedForecastsError(_about(faults, self.run))
        store.finish()

    # No function below may hold a turn while the next one is read.

    def _write_turns(
        self, turns: Iterable[Turn], store: ForecastStore | SharedStore
    ) -> list[Fault]:
        faults = []
        for turn in turns:
            of_turn = list(turn.faults)
            if turn.windows:
                self._take(turn, store)
                _check_recorded(turn, store)
                self._report_start(turn)
                of_turn += self._write_rest(turn, store)
            del turn
            for place, error in of_turn:
                start, member = self.run.init_times[place[0]], self.run.members[place[1]]
                self.report(Failed(start, member, one_line(error)))
            faults += of_turn
        return faults

    def _take(self, turn: Turn, store: ForecastStore | SharedStore) -> None:
        """Take the leads of the turn that are in the finished forecast."""
        if self.found is None:
            return
        cells = self.found.cells_of(turn, store.header)
        missing = set(store.missing)
        wanted = {cell: theirs for cell, theirs in cells.items() if cell in missing}
        if not wanted:
            return
        _record(turn, store)
        store.take(self.found.path, wanted)
        self.report(Taken(len(wanted)))

    def _report_start(self, turn: Turn) -> None:
        for member, window in zip(turn.members, turn.windows, strict=True):
            self.report(Started(window.init_time, member, window.provenance))

    def _write_rest(self, turn: Turn, store: ForecastStore | SharedStore) -> list[Fault]:
        """Forecast the leads of the turn that are missing; returns why some could not be."""
        if all(len(_committed(store, place)) == len(store.header.leads) for place in turn.places):
            return []
        _record(turn, store)
        try:
            if self.door != "open":  # on every process, so that all of them stop
                _examine(turn, self.report, self.door)
            self._write_turn(turn, store)
        except ValueError as error:
            # Processes of one forecast go on together or not at all.
            if len(self.run.windows) == 1 or process_count() > 1:
                raise
            error.with_traceback(None)  # which would hold the windows
            return [Fault(place, error) for place in turn.places]
        return []

    def _write_turn(self, turn: Turn, store: ForecastStore | SharedStore) -> None:
        steps = len(store.header.leads)
        committed = [len(_committed(store, place)) for place in turn.places]
        first = min(committed)
        # The next step needs no more than the last two frames.
        done = [
            [store.read(lead, init=init, member=member) for lead in range(first)[-2:]]
            for init, member in turn.places
        ]
        predictions = self.ready.forecasts(turn.windows, steps, done=done, first=first)
        for lead, fields_of_each in enumerate(predictions, start=first):
            for index, fields in enumerate(fields_of_each):
                if lead >= committed[index]:  # an interrupted run may have left some windows ahead
                    init, member = turn.places[index]
                    store.write(lead, fields, init=init, member=member)
                    start = turn.windows[index].init_time
                    self.report(Written(start, turn.members[index], store.header.leads[lead]))
            exchange()  # a lead that one process could not write stops all of them


def _about(faults: list[Fault], run: Run) -> str:
    """The sentence about forecasts that could not be made."""
    said = []
    for place, error in faults:
        member = f", member {run.members[place[1]].number}" if len(run.members) > 1 else ""
        said.append(f"{hour(run.init_times[place[0]])}{member} ({one_line(error)})")
    return (
        f"{len(faults)} of {len(run.windows)} forecasts could not be made: {listed(said, 4)}; the"
        " others are kept, and the same command tries these again"
    )


def _committed(store: ForecastStore | SharedStore, place: Place) -> tuple[int, ...]:
    init, member = place
    return store.committed_leads(init=init, member=member)


def _check_recorded(turn: Turn, store: ForecastStore | SharedStore) -> None:
    """Refuse windows whose leads in the store were computed from other values."""
    check_same_values([record["sha256"] for record in turn.records])
    recorded = _records(store)
    for place, record in zip(turn.places, turn.records, strict=True):
        if not _committed(store, place):
            continue
        of_place = recorded[position(store.header, place)]
        if of_place is None or of_place["sha256"] != record["sha256"]:
            member = f", member {place[1]}" if store.header.members else ""
            raise ChangedInputsError(
                "the interrupted forecast of this name holds leads of other inputs: those for "
                f"{hour(np.datetime64(record['init_time']))}{member} have changed since; give it "
                "the same ones, choose another output, or replace it (`overwrite`)"
            )


def _record(turn: Turn, store: ForecastStore | SharedStore) -> None:
    """Add the turn's windows to the manifest in the store."""
    records = _records(store)
    for place, record in zip(turn.places, turn.records, strict=True):
        records[position(store.header, place)] = record
    manifest = json.loads(store.provenance) | {"inputs": records}
    store.record(json.dumps(manifest, sort_keys=True))


def _records(store: ForecastStore | SharedStore) -> list[dict[str, str] | None]:
    """The manifest's records of all windows; None for those that were not read yet."""
    count = len(store.header.init_times) * (len(store.header.members) or 1)
    records: list[dict[str, str] | None] = json.loads(store.provenance).get("inputs", [])
    return [*records, *[None] * (count - len(records))]


def _examine(turn: Turn, report: Report, door: Door) -> None:
    """Stop at an error of the input doctor (or a warning), or report what it finds."""
    for window in turn.windows:
        findings = examine_frames(window.frames, window.task)
        refuse(findings, "the input", force=door == "report")
        odd = telling(findings)
        if odd and door == "strict":
            first = odd[0]
            more = f" (and {len(odd) - 1} more)" if len(odd) > 1 else ""
            raise ValueError(
                f"the input draws a warning, by the rule {first.rule!r}: {first.message}{more};"
                f" {first.remedy}, or leave `strict` out"
            )
        if odd:
            report(Noticed(odd))
