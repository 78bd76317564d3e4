"""Parts of shells: whatever a whole shell has, cut to some of its orbitals."""

import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.coupling import TwoCentre
from orbiphon.crystal import Crystal, Lattice, point_operations
from orbiphon.electrons import OBSERVABLES, Basis, SlaterKoster, observable, tight_binding
from orbiphon.electrons.on_mesh import operation_matrix
from orbiphon.electrons.operators import spin_orbit_matrix
from orbiphon.electrons.rotations import basis_rotation
from orbiphon.errors import InputError

KEPT = {"pxy": ("p", [0, 1]), "d_even": ("d", [0, 3, 4]), "t2g": ("d", [1, 2, 4]), "eg": ("d", [0, 3])}
INTEGRALS = {"ss_sigma": -0.4, "sp_sigma": 0.7, "sd_sigma": 0.3, "pp_sigma": 0.9, "pp_pi": -0.2, "pd_sigma": 0.5,
             "pd_pi": -0.6, "dd_sigma": -0.8, "dd_pi": 0.35, "dd_delta": -0.1}  # fmt: skip


@pytest.mark.parametrize("part", KEPT)
def test_operators_are_those_of_the_shell_cut(part):
    shell, _ = KEPT[part]
    for spin in (False, True):
        cut, whole = Basis(((0, "s"), (1, part)), spin=spin), Basis(((0, "s"), (1, shell)), spin=spin)
        where = np.flatnonzero([label in cut.labels for label in whole.labels])
        assert [whole.labels[i] for i in where] == list(cut.labels) and cut.size == len(where)
        for name in OBSERVABLES:
            if spin or name[0] not in "SJM":
                full = np.asarray(observable(whole, name).matrix)
                np.testing.assert_array_equal(observable(cut, name).matrix, full[np.ix_(where, where)])
        if spin:
            full = spin_orbit_matrix(whole, (1, shell))
            np.testing.assert_array_equal(spin_orbit_matrix(cut, (1, part)), full[np.ix_(where, where)])


def test_t2g_is_a_p_shell_with_the_opposite_momentum():
    zx, yz, xy = np.eye(3)
    order = np.stack([yz, zx, xy])  # as x, y, z
    for axis in "xyz":
        t2g, p = (np.asarray(observable(Basis(((0, s),)), "L" + axis).matrix) for s in ("t2g", "p"))
        np.testing.assert_allclose(order @ t2g @ order.T, -p, atol=1e-14)
        np.testing.assert_allclose(observable(Basis(((0, "eg"),)), "L" + axis).matrix, 0.0, atol=1e-14)


@pytest.mark.parametrize("part", ["pxy", "t2g"])
def test_hoppings_and_vertices_are_those_of_the_shell_cut(part):
    shell, kept = KEPT[part]
    crystal = Crystal(Lattice([[3.0, 0.4, 0.2]]), np.array([[0.0, 0, 0], [1.3, 1.1, 0.4]]), ("A", "B"))
    law = SlaterKoster(INTEGRALS, length=2.5)
    cut, whole = (tight_binding(crystal, Basis(((0, s), (1, "s"))), law, 3.5) for s in (part, shell))
    size = len(whole.basis.labels)
    where = np.array([*kept, size - 1])
    k, q = jnp.array([0.3, -0.2, 0.0]), jnp.array([0.1, 0.4, 0.0])
    e = jnp.asarray(np.random.default_rng(0).normal(size=(2, 3)).astype(complex))
    for one, other in (
        (cut.hamiltonian(k), whole.hamiltonian(k)),
        (TwoCentre(cut).vertex(k, q, e), TwoCentre(whole).vertex(k, q, e)),
    ):
        np.testing.assert_allclose(one, np.asarray(other)[np.ix_(where, where)], atol=1e-14)


def test_operations_that_leave_the_part():
    cubic = Crystal(Lattice(3.0 * np.eye(3)), np.zeros((1, 3)), ("X",))
    operations = point_operations(cubic)
    found = {part: sum(operation_matrix(Basis(((0, part),)), one) is not None for one in operations) for part in KEPT}
    assert len(operations) == 48 and found == {"pxy": 16, "d_even": 16, "t2g": 48, "eg": 48}
    with pytest.raises(InputError, match="pxy alone is not closed under"):
        basis_rotation(Basis(((0, "pxy"),)), np.roll(np.eye(3), 1, axis=0))
    with pytest.raises(InputError, match="a whole shell in place of two of its parts"):
        Basis(((0, "t2g"), (0, "eg")))
