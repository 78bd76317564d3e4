"""Wannier90's files: what is read, and what is refused and how."""

import gzip
import shutil

import jax.numpy as jnp
import numpy as np
import pytest
import twins

from orbiphon import io
from orbiphon.errors import InputError
from orbiphon.io.hamiltonian import read_hr, read_tb, read_wsvec
from orbiphon.io.text import Lines


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("X")
    return io.write_wannier(folder, "X", twins.model("cubic"), twins.MESH["cubic"])


@pytest.fixture
def path(written, tmp_path):
    shutil.copy(written, tmp_path)
    shutil.copy(written.with_name("X.win"), tmp_path)
    return tmp_path / "X_tb.dat"


def edit(path, old, new, count=1):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def as_hr(path):
    """The same Hamiltonian as `_hr.dat`."""
    found = read_tb(path)
    lines = ["by hand", str(found.matrix.shape[1]), str(len(found.cells))]
    lines += [" ".join(map(str, found.degeneracy[i : i + 15])) for i in range(0, len(found.cells), 15)]
    for cell, h in zip(found.cells, found.matrix, strict=True):
        for n, m in np.ndindex(h.shape):
            lines.append(f"{cell[0]} {cell[1]} {cell[2]} {m + 1} {n + 1} {h[m, n].real:.12f} {h[m, n].imag:.12f}")
    hr = path.with_name("X_hr.dat")
    hr.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return hr


def test_hr_and_gzip_hold_the_same(path):
    expected = io.read_wannier(path)
    hr = as_hr(path)
    assert np.max(np.abs(io.read_wannier(hr).on_mesh() - expected.on_mesh())) < 1e-11
    for file in (path, hr, path.with_name("X.win")):
        with gzip.open(f"{file}.gz", "wb") as packed:
            packed.write(file.read_bytes())
        file.unlink()
    for name in ("X_tb.dat.gz", "X_hr.dat.gz", "X.win.gz", ""):
        found = io.read_wannier(path.parent / name)
        assert np.max(np.abs(found.on_mesh() - expected.on_mesh())) < 1e-11
    assert any("no _wsvec.dat" in note for note in found.notes)


def test_wsvec_moves_elements_and_keeps_the_mesh(path):
    """Every element of R goes to R + T, T a vector of the supercell: the same on the mesh, another interpolation."""
    plain, found = io.read_wannier(path), read_tb(path)
    lines = ["## written by hand, use_ws_distance=.true."]
    for cell in found.cells.tolist():
        for m, n in np.ndindex(found.matrix.shape[1:]):
            shifts = [[0, 0, 0]] if m == n else [[0, 0, 0], [3, 0, 0], [-3, 0, 0]]
            lines += [" ".join(map(str, [*cell, m + 1, n + 1])), str(len(shifts))]
            lines += [" ".join(map(str, shift)) for shift in shifts]
    path.with_name("X_wsvec.dat").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shared = io.read_wannier(path)
    assert len(shared.cells) > len(plain.cells)
    assert np.max(np.abs(shared.on_mesh() - plain.on_mesh())) < 1e-13
    assert np.max(np.abs(shared.interpolated(plain.on_mesh()) - np.asarray(shared.electrons.hopping))) < 1e-13


def test_complex_elements_survive(path):
    assert np.max(np.abs(np.asarray(io.read_wannier(path).electrons.hopping).imag)) > 0.1  # spin-orbit coupling


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.unlink(), r"must be a file of Wannier90, but is not there"),
        (lambda p: p.with_name("X.win").unlink(), r"must have its `.win` file beside it"),
        (lambda p: p.write_bytes(p.read_bytes()[:3000]), r"X_tb.dat.*ends after line \d+.*truncated|line \d+ must be"),
        (lambda p: p.write_bytes(b"\xff\xfe" + p.read_bytes()), r"line 1 must be text in UTF-8"),
        (lambda p: edit(p, "\n6\n", "\nsix\n"), r"line 5 must be the number of Wannier functions"),
        (lambda p: edit(p, "\n1 2 ", "\n1 2 nan "), r"line \d+ must be an element of H\(R\), 4 numbers"),
        (lambda p: edit(p, "\n2 3 ", "\n3 3 "), r"line \d+ must be another element"),
        (lambda p: edit(p, "4.0000000000000000", "4.1000000000000000"), r"must have the lattice of `X.win`"),
        (lambda p: p.write_text(p.read_text() + "more\n"), r"must be the end of the file"),
        (lambda p: edit(p.with_name("X.win"), "f=", "random\nf="), r"line \d+ must be a projection"),
        (lambda p: edit(p.with_name("X.win"), ":p", ":s;p"), r"as many projections as num_wann = 6"),
        (lambda p: edit(p.with_name("X.win"), ":p", ":px,py,dxy"), r"make up whole shells"),
        (lambda p: edit(p.with_name("X.win"), "mp_grid = 3 3 3", "mp_grid = 3 3 4"), r"degeneracies for mp_grid"),
        (lambda p: edit(p.with_name("X.win"), "mp_grid", "mp_grad"), r"must give `mp_grid`.*`mp_grad`"),
        (lambda p: edit(p.with_name("X.win"), "end atoms_frac", ""), r"must close the block `atoms_frac`|`end"),
        (lambda p: edit(p.with_name("X.win"), "spinors = .true.", "spinors = .false."), r"as many projections"),
        (
            lambda p: edit(p.with_name("X.win"), "begin projections", "begin guesses"),
            r"end guesses|block of projections",
        ),
    ],
)
def test_bad_files_are_refused_in_words(path, change, message):
    change(path)
    with pytest.raises(InputError, match=message):
        io.read_wannier(path)


def test_damaged_numbers_are_found_by_their_partners(path):
    found = read_tb(path)
    text = path.read_text(encoding="utf-8").split("\n")
    start = next(i for i, line in enumerate(text) if line.startswith("1 1 ") and "e" in line)
    words = text[start].split()
    text[start] = f"1 1 {float(words[2]) + 0.01:.12e} {words[3]}"  # an element of R whose partner is in -R
    path.write_text("\n".join(text), encoding="utf-8")
    assert np.any(found.cells[0])
    with pytest.raises(InputError, match=r"must hold a hermitian H"):
        io.read_wannier(path)


def test_a_degeneracy_must_count(path):
    hr = as_hr(path)
    text = hr.read_text(encoding="utf-8").split("\n")
    text[3] = text[3].replace("1", "2", 1)
    hr.write_text("\n".join(text), encoding="utf-8")
    with pytest.raises(InputError, match=r"degenerac"):
        read_hr(hr)


def test_pairs_of_other_calculations_are_refused(tmp_path):
    home, deformed = twins.files(tmp_path, "square", names=("xy",), steps=(0.01,))
    other = io.write_wannier(tmp_path / "other", "X", twins.model("cubic"), twins.MESH["cubic"])
    with pytest.raises(InputError, match=r"must have the orbitals of the undeformed cell"):
        io.read_pairs(home, [*deformed, other])
    with pytest.raises(InputError, match=r"must be the same crystal with a strain of a percent"):
        io.read_pairs(home, [home])
    with pytest.raises(InputError, match=r"at least one"):
        io.read_pairs(home, [])
    (deformed[0].parent / "info.json").write_text('{"F": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}', encoding="utf-8")
    with pytest.raises(InputError, match=r"mixed up"):
        io.read_pairs(home, deformed)


def test_fermi_levels_are_aligned(tmp_path):
    home, deformed = twins.files(tmp_path, "square", names=("xx",), steps=(0.01,))
    shifted = {str(home): -1.5, **{str(path): -1.5 + 1e-5 * i for i, path in enumerate(deformed)}}
    plain, aligned = io.read_pairs(home, deformed), io.read_pairs(home, deformed, fermi_levels=shifted)
    change = np.asarray(aligned.coupling.derivative - plain.coupling.derivative)[0]
    on_site = np.flatnonzero(np.all(aligned.home.cells == 0, axis=1))[0]
    expected = 1e-5 / (2 * 0.01)  # half the difference of levels over |strain|
    assert np.allclose(np.abs(np.diag(change[on_site])), expected, rtol=1e-3) and aligned.fermi_level == -1.5


def test_changed_signs_are_undone_and_other_gauges_refused(tmp_path):
    home, deformed = twins.files(tmp_path, "cubic", names=("xz",), steps=(0.01,))
    plain = io.read_pairs(home, deformed)
    rewrite(deformed[0], np.diag([1, 1, -1, -1, 1, 1]).astype(complex))
    # a crystal of p orbitals with another sign has no longer its cubic symmetry as the projections say
    with pytest.raises(InputError, match=r"must have the symmetry of its crystal|must be written in the orbitals"):
        io.read_pairs(home, deformed)
    rewrite(deformed[0], np.diag([1, 1, -1, -1, 1, 1]).astype(complex))
    again = io.read_pairs(home, deformed)
    assert np.allclose(np.asarray(again.coupling.derivative), np.asarray(plain.coupling.derivative))


def rewrite(path, unitary):
    from orbiphon.io.writing import _tb

    raw = read_tb(path)
    text = _tb(raw.vectors, raw.cells, raw.degeneracy, unitary @ raw.matrix @ unitary.conj().T, raw.centres)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("seed", range(60))
def test_random_damage_is_refused_or_harmless(path, seed):
    """Truncations and byte flips: an InputError, or the same Hamiltonian. (A changed on-site energy has no partner in
    the file that could contradict it; those digits are left alone.)"""
    random = np.random.default_rng(seed)
    expected = io.read_wannier(path, verify=False)
    file = [path, as_hr(path), path.with_name("X.win")][seed % 3]
    data = bytearray(file.read_bytes())
    if seed % 2:
        where = int(random.integers(len(data) // 50, len(data) - 40))
        data = data[:where]
    else:
        where = int(random.integers(len(data)))
        data[where] ^= 1 << int(random.integers(8))
    file.write_bytes(bytes(data))
    try:
        found = io.read_wannier(file if file.suffix == ".dat" else path)
    except InputError as error:
        assert "X_tb.dat" in str(error) or "X_hr.dat" in str(error) or "X.win" in str(error)
        return
    same = found.on_mesh() - expected.on_mesh()
    same[0, 0, 0][np.diag_indices(6)] = 0.0
    assert np.max(np.abs(same)) < 1e-4
    assert np.max(np.abs(np.asarray(found.electrons.crystal.lattice.vectors) - 4.0 * np.eye(3))) < 1e-3


def test_sisl_reads_the_same(path):
    sisl = pytest.importorskip("sisl", reason="the extra `wannier` is not installed")
    hamiltonian = sisl.get_sile(str(path.with_name("X.win"))).read_hamiltonian(dtype=complex, cutoff=0.0)
    found = io.read_wannier(path)
    for k in np.random.default_rng(1).uniform(size=(3, 3)):
        theirs = np.linalg.eigvalsh(hamiltonian.Hk(k, format="array"))
        wave = np.asarray(found.electrons.crystal.lattice.k_from_reduced(jnp.asarray(k)))
        ours = np.linalg.eigvalsh(np.asarray(found.electrons.hamiltonian(jnp.asarray(wave))))
        assert np.max(np.abs(theirs - ours)) < 1e-6


def test_lines_say_where(tmp_path):
    (tmp_path / "file").write_text("1 2\n3 x\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2 must be a row, 2 numbers, but is '3 x'"):
        Lines(tmp_path / "file").table("a row", 2, 2)
    (tmp_path / "short_wsvec.dat").write_text("# comment\n0 0 0 1 1\n2\n0 0 0\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"ends after line 4"):
        read_wsvec(tmp_path / "short_wsvec.dat")
