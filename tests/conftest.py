"""What every test may use: the folder of reference data beside the checkout, and small worlds."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture
def shared() -> Path:
    """The folder with real data and reference outputs; tests that need it are skipped without."""
    if not SHARED.is_dir():
        pytest.skip("no folder `shared` beside the checkout: it holds reference data")
    return SHARED
