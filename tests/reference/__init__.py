"""Reference data of the tests: DeepMind's numbers and real weather; README.md says from where."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
SHARED = Path(__file__).parents[3] / "shared"

STATISTICS = HERE / "parity" / "stats"
ONE_DEGREE_GRAPH = HERE / "parity" / "graph_1deg_mesh5.npz"
# Cases beside the checkout come on top; where they are absent nothing is skipped.
PARITY = {
    path.parent.name: path.parent
    for folder in (HERE / "parity", SHARED / "parity")
    for path in sorted(folder.glob("*/params.npz"))
}


def real(name: str) -> Path:
    """A file of real weather by its place in `shared/data`; the test is skipped without it."""
    for path in (HERE / "weather" / Path(name).name, SHARED / "data" / name):
        if path.exists():
            return path
    pytest.skip(f"{name} is neither in tests/reference/weather nor in shared/data")
