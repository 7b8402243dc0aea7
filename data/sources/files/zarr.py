"""Zarr stores, format 2 and 3, on disk or behind a URL."""

import warnings

import xarray as xr


def read(path: str) -> xr.Dataset:
    """The store's variables, unread, with its own names, units and dimensions.

    With consolidated metadata where the store has them, else by listing it. Raises ValueError for
    what is no Zarr store, and for one whose listing its server does not give.
    """
    try:
        return _open(path, consolidated=True)
    except (KeyError, ValueError, OSError):
        pass  # not consolidated; whatever else is wrong shows again below
    try:
        dataset = _open(path, consolidated=False)
    except (KeyError, ValueError, OSError) as error:
        raise _no_store(path, error) from error
    if not dataset.variables:
        raise ValueError(
            f"a Zarr store must hold arrays, and none were found in {path}; if its server does not"
            " list folders, consolidate the store's metadata (zarr.consolidate_metadata)"
        )
    return dataset


def _open(path: str, *, consolidated: bool) -> xr.Dataset:
    with warnings.catch_warnings():
        # Stores often hold files beside the arrays (a README, a licence): not our concern.
        warnings.filterwarnings("ignore", "Object at .* is not recognized as a component")
        return xr.open_dataset(
            path, engine="zarr", consolidated=consolidated, decode_timedelta=True, cache=False
        )


def _no_store(path: str, error: Exception) -> ValueError:
    reason = str(error).strip().splitlines()
    return ValueError(
        f"no Zarr store could be read at {path}"
        f" ({reason[0] if reason else type(error).__name__}); check the address"
    )
