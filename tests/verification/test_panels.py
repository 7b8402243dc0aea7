"""Panels of the page as pictures."""

import pytest

from tests.verification.test_report import compared
from verification.scorecard import write_panels
from verification.scorecard.cells import Pair, blocks
from verification.scorecard.panels import block_figure


def test_every_block_and_headline_field_becomes_a_png_and_a_pdf(tmp_path):
    written = write_panels(compared(), tmp_path / "panels")
    assert sorted(path.name for path in written if path.suffix == ".png") == [
        "card-ours-theirs-rmse-europe.png",
        "card-ours-theirs-rmse-n.hem.png",
        "curve-rmse-n.hem-2t.png",
        "curve-rmse-n.hem-z500.png",
    ]
    for path in written:
        begin = {".png": b"\x89PNG", ".pdf": b"%PDF"}[path.suffix]
        assert path.read_bytes().startswith(begin)
    assert len(written) == 8


@pytest.mark.parametrize(("p", "filled"), [(0.001, 9), (0.3, 0)])
def test_dots_are_filled_where_the_difference_is_significant(p, filled):
    block = blocks(compared(p=p), Pair("ours", "<theirs>"))[0]
    dots = block_figure(block, 0.2).axes[0].collections
    assert sum(len(d.get_offsets()) for d in dots) == 9
    assert sum(len(d.get_offsets()) for d in dots if len(d.get_facecolor())) == filled
