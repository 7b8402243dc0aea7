"""The kind of a store, which its attribute `graphcast_store` states.

The value is the kind and the version of the layout, as in `forecast/1`. Every writer takes the
attribute from `label`; every reader asks `kind_of`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

StoreKind = Literal[
    "forecast",
    "analyses",
    "planet",
    "climatology",
    "means",
    "scores",
    "statistics",
    "graphs",
    "training",
]

ATTRIBUTE = "graphcast_store"

# DeepMind's names. Such a folder has no attributes of its own: its files are its mark.
STATISTICS_FILES = {
    "mean": "mean_by_level.nc",
    "stddev": "stddev_by_level.nc",
    "diffs_stddev": "diffs_stddev_by_level.nc",
}

# The file of a training run that has its attributes, since it is no Zarr store.
TRAINING_FILE = "training.json"

# Attributes by which stores written before `graphcast_store` existed are recognised.
_EARLIER: dict[str, StoreKind] = {
    "forecast_store_layout": "forecast",
    "training_store_layout": "analyses",
    "simulated_planet_layout": "planet",
}
_EARLIER_TITLES: dict[str, StoreKind] = {"Scores of a weather forecast": "scores"}


class Words(NamedTuple):
    """How messages name a kind of store, and in what two stores of the kind may differ."""

    noun: str
    with_article: str
    differs: str


WORDS: dict[StoreKind, Words] = {
    "forecast": Words("forecast", "a forecast store", "other inputs, weights or settings"),
    "analyses": Words(
        "dataset", "a dataset of graphcast prepare", "another source or other settings"
    ),
    "planet": Words("planet", "a simulated planet", "other settings or versions"),
    "climatology": Words("climatology", "a climatology", "other analyses or settings"),
    "means": Words("store of means", "a store of means", "another forecast, truth or protocol"),
    "scores": Words("store of scores", "a store of scores", "another forecast, truth or protocol"),
    "statistics": Words(
        "folder of statistics", "a folder of statistics", "other data, times or task"
    ),
    "graphs": Words("file of graphs", "a file of graphs", "another grid or mesh"),
    "training": Words("training run", "a training run", "another recipe or other data"),
}


# Of data that no instrument measured: what simulated them. Datasets made of them carry it on.
SIMULATED = "simulated_by"


def simulator(attributes: Mapping[Any, Any]) -> str:
    """What simulated the weather in a store, from its global attributes; "" for the Earth's.

    >>> simulator({"graphcast_store": "planet/1", "source": "jcm 3.0: SPEEDY physics"})
    'jcm 3.0: SPEEDY physics'
    """
    if kind_of(attributes) == "planet":
        return str(attributes.get("source", "a simulation"))
    return str(attributes.get(SIMULATED, ""))


def label(kind: StoreKind, layout: int) -> dict[str, str]:
    """The attribute that a store of this kind carries.

    >>> label("forecast", 1)
    {'graphcast_store': 'forecast/1'}
    """
    return {ATTRIBUTE: f"{kind}/{layout}"}


def kind_of(store: str | Path | Mapping[Any, Any]) -> StoreKind | None:
    """The kind of a store, from its path or its global attributes; None for anything else.

    A path is a local folder (Zarr, or statistics) or a netCDF file. One that cannot be read has no
    kind.

    >>> kind_of({"graphcast_store": "planet/1"})
    'planet'
    >>> kind_of({"title": "My thesis"}) is None
    True
    """
    if isinstance(store, Mapping):
        return _kind_of_attributes(store)
    path = Path(store)
    if path.is_dir():
        if all((path / name).is_file() for name in STATISTICS_FILES.values()):
            return "statistics"
        return _kind_of_attributes(zarr_attributes(path) or _json_object(path / TRAINING_FILE))
    if path.suffix == ".nc" and path.is_file():
        return _kind_of_attributes(_netcdf_attributes(path))
    return None


def zarr_attributes(path: Path) -> dict[str, Any]:
    """Global attributes of a local Zarr store (v2 or v3); empty where there is no such store."""
    if (path / ".zattrs").is_file():
        return _json_object(path / ".zattrs")
    attributes = _json_object(path / "zarr.json").get("attributes", {})
    return attributes if isinstance(attributes, dict) else {}


def _json_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty where there is none that can be read."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):  # missing, unreadable, no text, no JSON
        return {}
    return content if isinstance(content, dict) else {}


def recorded(attributes: Mapping[Any, Any], name: str) -> dict[str, Any]:
    """The JSON object in an attribute that a store states; empty where there is none.

    >>> recorded({"provenance": '{"flags": {}}'}, "provenance")
    {'flags': {}}
    >>> recorded({"provenance": "made by hand"}, "provenance")
    {}
    """
    try:
        stated = json.loads(str(attributes.get(name, "{}")))
    except (ValueError, RecursionError):
        return {}
    return stated if isinstance(stated, dict) else {}


def _kind_of_attributes(attributes: Mapping[Any, Any]) -> StoreKind | None:
    name = str(attributes.get(ATTRIBUTE, "")).partition("/")[0]
    for kind in get_args(StoreKind):
        if kind == name:
            return kind  # type: ignore[no-any-return]  # get_args has no type
    for attribute, kind in _EARLIER.items():
        if attribute in attributes:
            return kind
    return _EARLIER_TITLES.get(str(attributes.get("title")))


def _netcdf_attributes(path: Path) -> dict[str, Any]:
    import netCDF4  # noqa: PLC0415  most callers ask about folders

    try:
        with netCDF4.Dataset(path) as file:
            return {name: file.getncattr(name) for name in file.ncattrs()}
    except (OSError, RuntimeError, ValueError):
        return {}
