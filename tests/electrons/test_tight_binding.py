import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.crystal import Crystal, Lattice
from orbiphon.electrons import Basis, SlaterKoster, bands, eigensystem, from_hoppings, orbital_weights, tight_binding
from orbiphon.errors import InputError
from systems import random_crystal, random_system, random_wave_vector, supercell_bloch, supercell_hamiltonian

SYSTEMS = [(seed, dim, sites) for seed, (dim, sites) in enumerate((d, s) for d in (1, 2, 3) for s in (1, 2, 3))]
REPEATS = {1: (4,), 2: (3, 2), 3: (2, 2, 1)}


@pytest.mark.parametrize(("seed", "dim", "sites"), SYSTEMS)
def test_bloch_hamiltonian_is_that_of_a_real_supercell(seed, dim, sites):
    system, repeats = random_system(seed, dim, sites), REPEATS[dim]
    whole = supercell_hamiltonian(system, repeats, lambda r, site: np.zeros(3))
    kappa = np.random.default_rng(seed).integers(-3, 4, dim) / np.array(repeats)
    k = kappa @ np.asarray(system.electrons.crystal.lattice.reciprocal)
    bloch = supercell_bloch(system, repeats, k)
    np.testing.assert_allclose(system.electrons.hamiltonian(jnp.asarray(k)), bloch.conj().T @ whole @ bloch, atol=1e-11)


@pytest.mark.parametrize("spin", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_moving_atoms_by_lattice_vectors_and_the_origin_leaves_energies(seed, spin):
    system = random_system(seed, spin=spin)
    electrons, random = system.electrons, np.random.default_rng(seed)
    crystal = electrons.crystal
    shifts = random.integers(-2, 3, (crystal.sites, crystal.lattice.dim)) @ np.asarray(crystal.lattice.vectors)
    moved = Crystal(crystal.lattice, np.asarray(crystal.positions) + shifts + random.normal(size=3), crystal.species)
    shells = {shell: 0.3 for shell in electrons.basis.shells if shell[1] != "s"} if spin else None
    build = lambda c: tight_binding(  # noqa: E731
        c,
        electrons.basis,
        SlaterKoster(system.integrals, system.length, system.decay),
        system.cutoff,
        onsite=system.onsite,
        spin_orbit=shells,
    )
    k = jnp.asarray([random_wave_vector(seed + i, electrons) for i in range(3)])
    np.testing.assert_allclose(bands(build(moved), k), bands(build(crystal), k), atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_hermitian_and_time_reversal_symmetric(seed):
    electrons = random_crystal(seed)
    k = jnp.asarray(random_wave_vector(seed, electrons))
    h = np.asarray(electrons.hamiltonian(k))
    np.testing.assert_allclose(h, h.conj().T, atol=1e-13)
    np.testing.assert_allclose(electrons.hamiltonian(-k), h.conj(), atol=1e-13)


def test_spin_orbit_splits_a_p_shell_into_four_and_two():
    chain = Crystal(Lattice([[3.0, 0.0, 0.0]]), jnp.zeros((1, 3)), ("A",))
    law = SlaterKoster({"pp_sigma": 0.0, "pp_pi": 0.0}, length=3.0)
    electrons = tight_binding(chain, Basis(((0, "p"),), spin=True), law, 3.0, spin_orbit={(0, "p"): 0.4})
    energies = bands(electrons, jnp.zeros((1, 3)))[0]
    np.testing.assert_allclose(energies, [-0.4] * 2 + [0.2] * 4, atol=1e-14)
    d = tight_binding(
        chain,
        Basis(((0, "d"),), spin=True),
        SlaterKoster({"dd_sigma": 0.0, "dd_pi": 0.0, "dd_delta": 0.0}, length=3.0),
        3.0,
        spin_orbit={(0, "d"): 0.4},
    )
    np.testing.assert_allclose(bands(d, jnp.zeros((1, 3)))[0], [-0.6] * 4 + [0.4] * 6, atol=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_kramers_pairs_at_zone_centre(seed):
    energies = bands(random_crystal(seed, sites=2, spin=True), jnp.zeros((1, 3)))[0]
    np.testing.assert_allclose(energies[::2], energies[1::2], atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_eigensystem_and_weights(seed):
    electrons = random_crystal(seed)
    k = jnp.asarray([random_wave_vector(seed + i, electrons) for i in range(4)])
    energies, vectors = eigensystem(electrons, k)
    for one, e, v in zip(k, energies, vectors, strict=True):
        np.testing.assert_allclose(electrons.hamiltonian(one) @ v, np.asarray(v) * np.asarray(e), atol=1e-12)
    np.testing.assert_allclose(energies, bands(electrons, k), atol=1e-12)
    np.testing.assert_allclose(np.sum(orbital_weights(electrons, k), axis=-1), 1.0)
    weights = orbital_weights(electrons, k)
    np.testing.assert_allclose(
        np.einsum("kbo,kb->ko", weights, energies),
        np.real([np.diag(electrons.hamiltonian(one)) for one in k]),
        atol=1e-12,
    )


def square(integrals, shells=((0, "p"),), spin=False, spin_orbit=None):
    crystal = Crystal(Lattice(3.0 * np.eye(3)[:2]), jnp.zeros((1, 3)), ("A",))
    return tight_binding(crystal, Basis(shells, spin), SlaterKoster(integrals, 3.0), 3.0, spin_orbit=spin_orbit)


@pytest.mark.parametrize("values", [(-1.9, -2.0), (-2.0, -2.0), (0.0, 0.0), (1.0, 0.0)])
def test_sectors_do_not_depend_on_numbers(values):
    electrons = square(dict(zip(("pp_sigma", "pp_pi"), values, strict=True)))
    assert electrons.sectors == ((0,), (1,), (2,))
    assert electrons.gradient_pairs == tuple((a, b) for a in range(3) for b in range(3))
    structure = jax.tree.structure(electrons)
    assert structure == jax.tree.structure(square({"pp_sigma": 0.3, "pp_pi": 0.7}))


def test_sectors_are_what_hopping_and_spin_orbit_can_mix():
    sp = {"ss_sigma": 0.0, "sp_sigma": 0.0, "pp_sigma": 0.0, "pp_pi": 0.0}
    assert square(sp, ((0, "s"), (0, "p"))).sectors == ((0, 1, 2), (3,))  # s, px, py | pz
    pp = {"pp_sigma": 1.0, "pp_pi": 2.0}
    assert square(pp, spin=True).sectors == ((0,), (1,), (2,), (3,), (4,), (5,))
    # λ L·S keeps j_z + … : px↑ py↑ pz↓ | px↓ py↓ pz↑, also for λ = 0
    assert square(pp, spin=True, spin_orbit={(0, "p"): 0.0}).sectors == ((0, 2, 5), (1, 3, 4))


def test_hamiltonian_has_no_elements_outside_its_sectors():
    electrons = square({"ss_sigma": 1.0, "sp_sigma": 0.7, "pp_sigma": 0.3, "pp_pi": 0.2}, ((0, "s"), (0, "p")))
    h = np.asarray(electrons.hamiltonian(jnp.array([0.3, 0.2, 0.0])))
    assert np.all(h[3, :3] == 0) and abs(h[0, 1]) > 0.1


def test_symmetry_forbidden_elements_are_exactly_zero():
    # Along a body diagonal s and the doublet (z², x²−y²) do not mix; without rounding, whatever the length.
    names = ["ss_sigma", "sd_sigma", "dd_sigma", "dd_pi", "dd_delta"]
    law = SlaterKoster({name: 0.1 + 0.7 * i for i, name in enumerate(names)}, length=3.0)
    for length in (1.7, 2.3, 3.1):
        crystal = Crystal(Lattice([[length, length, length]]), jnp.zeros((1, 3)), ("A",))
        electrons = tight_binding(crystal, Basis(((0, "s"), (0, "d"))), law, 1.8 * length)
        h = np.asarray(electrons.hamiltonian(jnp.array([0.3, 0.2, 0.1])))
        assert h[0, 1] == h[0, 4] == h[1, 4] == 0


def test_models_are_traceable_and_compile_once():
    compilations = 0

    @eqx.filter_jit
    def energies(electrons, k):
        nonlocal compilations
        compilations += 1
        return bands(electrons, k)

    k = jnp.ones((2, 3)) / 5
    for t in (1.0, 0.0, -1.0):
        energies(square({"pp_sigma": t, "pp_pi": 0.0}), k)
    assert compilations == 1


def hopping_chain():
    crystal = Crystal(Lattice([[2.0, 0.0, 0.0]]), jnp.zeros((1, 3)), ("A",))
    cells = np.array([[-2.0, 0, 0], [0.0, 0, 0], [2.0, 0, 0]])
    hopping = np.array([[[1.0 - 0.5j]], [[0.3]], [[1.0 + 0.5j]]])
    gradient = np.zeros((3, 1, 1, 3), complex)
    gradient[0, 0, 0, 0], gradient[2, 0, 0, 0] = 0.2 - 0.1j, -0.2 - 0.1j
    return crystal, Basis(((0, "s"),)), cells, hopping, gradient


def test_from_hoppings():
    electrons = from_hoppings(*hopping_chain())
    k = 0.3
    expected = 0.3 + 2 * np.real((1.0 + 0.5j) * np.exp(-2j * k))
    np.testing.assert_allclose(electrons.hamiltonian(jnp.array([k, 0.0, 0.0])), [[expected]])
    assert electrons.sectors == ((0,),) and electrons.gradient_pairs == ((0, 0),)


def broken(change):
    crystal, basis, cells, hopping, gradient = hopping_chain()
    arrays = {"cells": cells, "hopping": hopping, "hopping_gradient": gradient}
    change(arrays)
    return lambda: from_hoppings(crystal, basis, **arrays)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.update(hopping=a["hopping"].conj() + 0.1j), r"`hopping` must be hermitian, X\(−R\) = X\(R\)†"),
        (lambda a: a.update(hopping_gradient=abs(a["hopping_gradient"])), r"`hopping_gradient` must be hermitian"),
        (lambda a: a.update(cells=a["cells"] + [0.1, 0, 0]), "`cells` must hold each lattice vector once and −R"),
        (lambda a: a.update(cells=abs(a["cells"])), "`cells` must hold each lattice vector once and −R"),
        (lambda a: a.update(hopping=a["hopping"][:2]), r"`hopping_gradient` must have the shape"),
        (lambda a: a.update(hopping=a["hopping"][:, 0]), r"`hopping` must have the shape \(cell orbital orbital\)"),
        (lambda a: a.update(cells=a["cells"][:, :2]), r"`cells` must have the shape \(cell xyz\)"),
        (lambda a: a.update(hopping=a["hopping"] * np.nan), "`hopping` must be finite"),
    ],
)
def test_bad_hoppings_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        broken(change)()


def test_bad_models_are_refused():
    crystal = Crystal(Lattice([[2.0, 0.0, 0.0]]), jnp.zeros((1, 3)), ("A",))
    s_law = SlaterKoster({"ss_sigma": 1.0}, length=2.0)
    with pytest.raises(InputError, match=r"`basis` must name sites of the crystal, but names site 1 of 1"):
        tight_binding(crystal, Basis(((1, "s"),)), s_law, 2.0)
    with pytest.raises(InputError, match="`integrals` must have sp_sigma for bonds between s and p shells, but lacks"):
        tight_binding(crystal, Basis(((0, "s"), (0, "p"))), s_law, 2.0)
    with pytest.raises(InputError, match=r"`onsite` must have the shape \(orbital\) = \(1\), but is of shape \(2,\)"):
        tight_binding(crystal, Basis(((0, "s"),)), s_law, 2.0, onsite=jnp.zeros(2))
    with pytest.raises(InputError, match="`spin_orbit` must name shells of a basis with spin"):
        tight_binding(crystal, Basis(((0, "s"),)), s_law, 2.0, spin_orbit={(0, "s"): 0.1})
