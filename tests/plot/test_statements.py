"""The curves beside a table of statements."""

import pytest
from matplotlib.figure import Figure

from orbiphon.errors import InputError
from orbiphon.plot import plot_folder
from orbiphon.study.statements import Curve, Statement, write_statements

STATEMENT = Statement("one, two", "here", 1.0, 0.1, "1", True)


def curves():
    yield STATEMENT
    yield Curve("left", "a", "x (eV)", (0.0, 1.0), "m (hbar)", (1e-5, -2e-5))
    yield Curve("left", "b", "x (eV)", (0.5,), "m (hbar)", (3e-5,))
    yield Curve("right", "c", "q (1/angstrom)", (1.0, 2.0), "share", (0.5, 0.25))


def test_curves_are_drawn_where_they_are(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(Figure, "savefig", lambda self, path, **_: (shown.append(self), path.write_bytes(b"")))
    write_statements(tmp_path / "out", "made_up", curves, overwrite=False)
    (picture,) = plot_folder(tmp_path / "out")
    assert picture.name == "statements.png"
    left, right = shown[0].axes
    assert [line.get_label() for line in left.get_lines()[:2]] == ["a", "b"]
    assert left.get_lines()[0].get_xdata().tolist() == [0.0, 1.0]
    assert left.get_lines()[0].get_ydata() == pytest.approx([1.0, -2.0])
    assert left.get_ylabel() == "m ($10^{−5}$ ħ)" and left.get_xlabel() == "x (eV)" and left.get_title() == "left"
    assert right.get_ylabel() == "share" and right.get_xlabel() == "q (1/Å)"
    assert right.get_lines()[0].get_ydata().tolist() == [0.5, 0.25]


def test_without_curves_there_is_no_picture_and_broken_ones_are_refused(tmp_path):
    write_statements(tmp_path, "made_up", lambda: [STATEMENT], overwrite=False)
    assert plot_folder(tmp_path) == []
    assert (tmp_path / "statements.csv").read_text().splitlines()[1] == '"one, two",here,1.0,0.1,1,yes'
    for text in ("", "panel,curve\na,b\n", "panel,curve,x_label,x,y_label,y\na,b,x,zero,y,1\n"):
        (tmp_path / "curves.csv").write_text(text)
        with pytest.raises(InputError, match=r"`.*curves.csv` must be readable"):
            plot_folder(tmp_path)
