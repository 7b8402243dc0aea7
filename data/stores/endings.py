"""What the ending of an output's name means: a result is what its name says, or is refused.

A writer of files for people (a report, a figure, a checkpoint) asks `check_ending`; every store
asks `check_store_ending`, which knows what each kind is written as.
"""

from collections.abc import Collection
from pathlib import PurePath

from data.stores.kind import WORDS, StoreKind

FORMATS: dict[str, str] = {
    ".zarr": "a Zarr store",
    ".nc": "a netCDF file",
    ".nc4": "a netCDF file",
    ".grib": "a GRIB file",
    ".grib1": "a GRIB file",
    ".grib2": "a GRIB file",
    ".grb": "a GRIB file",
    ".grb2": "a GRIB file",
    ".json": "a JSON file",
    ".csv": "a CSV table",
    ".txt": "a text",
    ".html": "a page",
    ".pdf": "a figure",
    ".png": "a figure",
    ".svg": "a figure",
    ".npz": "a checkpoint",
    ".safetensors": "a checkpoint",
    ".zip": "an archive",
    ".tar": "an archive",
    ".gz": "an archive",
}
FOLDER = ""  # a name without an ending, which is a folder's
_ZARR = (".zarr", FOLDER)
WRITTEN_AS: dict[StoreKind, tuple[str, ...]] = {
    "forecast": (".zarr", ".nc", ".grib2", ".grib", FOLDER),
    "analyses": _ZARR,
    "planet": _ZARR,
    "climatology": _ZARR,
    "means": _ZARR,
    "scores": (".zarr", ".nc", FOLDER),
}
# Kinds that are folders of files: dots in their names (stats-1.2) say nothing, but .nc would.
_FOLDERS: tuple[StoreKind, ...] = ("statistics", "training")
_OTHER_WAYS: dict[tuple[StoreKind, str], str] = {
    ("scores", ".json"): "write {zarr}, and the table with `json` {name}",
    ("scores", ".csv"): "write {zarr}, and the table with `csv` {name}",
}


def check_store_ending(target: PurePath, kind: StoreKind) -> None:
    """Refuse a store's name that ends as something else does.

    >>> check_store_ending(PurePath("forecast.zarr"), "forecast")
    >>> check_store_ending(PurePath("stats-1.2"), "statistics")

    Raises:
        ValueError: nothing of this kind is written as the name says.
    """
    ending = target.suffix.casefold()
    noun = f"a {WORDS[kind].noun}"
    if kind in _FOLDERS:
        if target.name == "-" or ending in FORMATS:
            check_ending(target, (FOLDER,), noun)
        return
    zarr = target.with_suffix(".zarr").name if target.suffix else target.name
    other = _OTHER_WAYS.get((kind, ending), "").format(zarr=zarr, name=target.name)
    check_ending(target, WRITTEN_AS.get(kind, (FOLDER,)), noun, other)


def check_ending(
    target: PurePath, endings: Collection[str], noun: str, other_way: str = ""
) -> None:
    """Refuse a name whose ending is not one of those that can be written.

    Args:
        target: the output.
        endings: what can be written, as `.zarr`; `FOLDER` for a folder's name, without an ending.
        noun: what is written, with its article.
        other_way: what to do in place of it; by default, to choose one of the endings.

    Raises:
        ValueError: the name is `-`, or ends in something else.
    """
    named = [ending for ending in endings if ending != FOLDER]
    rule = f"{noun} is written as {' or '.join(named) or 'a folder'}"
    example = f"{target.stem}{named[0]}" if named else target.stem
    if target.name == "-":
        example = f"{noun.rsplit(maxsplit=1)[-1]}{named[0] if named else ''}"
        raise ValueError(f"{rule}, not to standard output; give it a name, as {example}")
    ending = target.suffix.casefold()
    if ending in endings:
        return
    came = FORMATS.get(ending, "" if ending else "a folder")
    came = f"{target.name} is the name of {came}" if came else f"{target.name} ends in {ending}"
    raise ValueError(f"{rule}, and {came}; {other_way or f'name it {example}'}")
