"""What to cite, and answers as labelled arrays."""

import numpy as np
import pytest

from orbiphon.response import Answer
from orbiphon.study import bibliography, citations, to_xarray


def answer(levels) -> Answer:
    levels = np.asarray(levels, dtype=float)
    shape = levels.shape
    return Answer(
        value=np.arange(levels.size, dtype=float).reshape(*shape, 1),
        error=np.full((*shape, 1), 0.1),
        fermi_level=levels,
        temperature=np.array([100.0, 200.0]),
        points=np.ones(shape, dtype=int),
        converged=np.ones(shape, dtype=bool),
        observables=("Lx",),
        unit=("hbar",),
        method="adiabatic",
        coupling="two_centre",
        order=2,
        broadening=0.01,
        description="made up",
    )


def test_an_answer_by_fermi_level():
    found = to_xarray(answer([[-2.5, -2.5], [-1.5, -1.5]]))
    assert found.value.dims == ("fermi_level_eV", "temperature_K", "observable")
    assert found.value.sel(fermi_level_eV=-1.5, temperature_K=200, observable="Lx").item() == 3.0
    assert found.attrs["method"] == "adiabatic" and "jax" in found.attrs["versions"]


def test_an_answer_by_filling_keeps_the_solved_levels():
    found = to_xarray(answer([[-2.5, -2.4], [-1.5, -1.4]]))
    assert found.value.dims == ("fermi", "temperature_K", "observable")
    assert found.fermi_level_eV.sel(temperature_K=200).values.tolist() == [-2.4, -1.4]


def test_citations_name_the_paper_and_the_hopping_law():
    text = citations(answer([[-2.5, -2.5]]))
    assert text == citations(to_xarray(answer([[-2.5, -2.5]])))
    assert "2511.11272" in text and "Slater" in text and text.count("@") == 2


def test_bibliography_has_every_entry_whole():
    entries = bibliography()
    assert {"sato2025", "slater1954", "pezo2026"} <= set(entries)
    assert all(text.endswith("}") and text.count("{") == text.count("}") for text in entries.values())
    with pytest.raises(KeyError):
        entries["nobody1900"]
