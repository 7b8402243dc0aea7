"""Files of the user's that Python finds in place of this project's packages.

Python looks for a package beside the script and in `PYTHONPATH` first. A `data.py` there would be
imported in place of the package `data`, and fail somewhere else.
"""

from importlib.util import find_spec
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
OTHERS = ("data", "mesh", "verification")


def refuse_shadows(packages: tuple[str, ...] = OTHERS) -> None:
    """Refuse to go on where another file has the name of one of the packages.

    Raises:
        ImportError: Python finds another file of that name first; the sentence has its path.
    """
    for name in packages:
        found = find_spec(name)
        if found is None or found.origin is None:
            continue
        origin = Path(found.origin).resolve()
        if HOME / name not in origin.parents:
            shadow = origin.parent if origin.name == "__init__.py" else origin
            raise ImportError(
                f"graphcast needs its own package {name!r}, and Python finds {shadow} in its "
                "place; rename that, or take its folder out of PYTHONPATH"
            )
