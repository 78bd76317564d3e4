"""Selection rules: against character tables, and for crystals without symmetry; what is computed: test_covariance.py.

Tables (Dresselhaus, Dresselhaus and Jorio, Group Theory, 2008, appendix A): an axial vector along the axis of C_nv is
A_2 there, odd under every mirror that contains the axis, and A in C_n; across the axis it is E. A wave along the axis
of C_nv keeps C_n if it is circular, and the mirrors that contain it and its displacement, C_2v at most, if linear.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

import orbiphon as oph
from lattices import helix, helix_springs, honeycomb, honeycomb_electrons, honeycomb_springs
from orbiphon import models, units
from orbiphon.coupling import TwoCentre
from orbiphon.crystal import rotation_matrix
from orbiphon.electrons import Observable, SlaterKoster, tight_binding
from orbiphon.response import Adiabatic, Berry, Keldysh, Kubo, Perturbation, Published, selection_rules
from pointwise import quick_compilation as quick_compilation
from systems import random_crystal

GAMMA, VECTOR = 0.1, ("Lx", "Ly", "Lz")
SQUARE = models.square_p(-1.9, -2.0)
CUBIC = models.cubic_d(-0.5, 0.3, -0.1, crystal_field=0.5)


def wave(direction, ellipticity=1.0, q=0.3, chirality=1):
    branch = oph.AcousticBranch(speed=0.03, mass=4000.0, direction=direction)
    return oph.CoherentWave(branch, amplitude=0.01, q=q, chirality=chirality, ellipticity=ellipticity)


def asked(electrons, drive, observables=VECTOR, order=2, level=-0.4, temperature=2000.0, **changes):
    state = oph.ElectronState(fermi_level=level, temperature=temperature)
    return oph.Problem(electrons, drive, state, observables=observables, order=order, **changes)


def allowed(electrons, drive, method, order=2, observables=VECTOR):
    """The observables that symmetry allows, and how many operations are kept, without and with time reversal."""
    rules = selection_rules(asked(electrons, drive, observables, order), method)
    reversed_ = sum(g.time_reversal for g in rules.kept)
    names = [name for name, zero in zip(rules.observables, rules.forbidden, strict=True) if not zero]
    return " ".join(names), (len(rules.kept) - reversed_, reversed_)


# direction, ellipticity, method: allowed, group order. Exact waves keep the little group of q; long ones also -q (twice
# as many with inversion), and time reversal with what turns a wave's sense (as many again).
TABLE = {
    "square, circular along x: C2v -> C2": (SQUARE, "x", 1.0, Keldysh(GAMMA), "Lx", (2, 0)),
    "square, long circular along x": (SQUARE, "x", 1.0, Adiabatic(GAMMA), "Lx", (4, 4)),
    "square, published": (SQUARE, "x", 0.5, Published(GAMMA), "Lx", (4, 4)),
    "square, linear along x: C2v": (SQUARE, "x", 0.0, Keldysh(GAMMA), "", (4, 0)),
    "square, long linear along x": (SQUARE, "x", 0.0, Berry(), "", (8, 8)),
    "square, circular along z: C4v -> C4": (SQUARE, "z", 1.0, Keldysh(GAMMA), "Lz", (4, 0)),
    "square, elliptical along z: C4v -> C2": (SQUARE, "z", 0.5, Keldysh(GAMMA), "Lz", (2, 0)),
    "square, linear along z: C4v -> C2v": (SQUARE, "z", 0.0, Keldysh(GAMMA), "", (4, 0)),
    "square, circular along a general direction in the plane: C1h -> C1": (
        SQUARE,
        (0.8, 0.6 - 0.1, 0.0),
        1.0,
        Keldysh(GAMMA),
        "Lx Ly Lz",
        (1, 0),
    ),
    "the same, and -q, with its time reversal: C2h and as many": (
        SQUARE,
        (0.8, 0.6 - 0.1, 0.0),
        1.0,
        Adiabatic(GAMMA),
        "Lx Ly",
        (2, 2),
    ),
    "cubic, circular along [100]: C4v -> C4": (CUBIC, "x", 1.0, Keldysh(GAMMA), "Lx", (4, 0)),
    "cubic, circular along [110]: C2v -> C2": (CUBIC, (1, 1, 0), 1.0, Keldysh(GAMMA), "Lx Ly", (2, 0)),
    "cubic, circular along [111]: C3v -> C3": (CUBIC, (1, 1, 1), 1.0, Keldysh(GAMMA), "Lx Ly Lz", (3, 0)),
    # u along [-1 2 -1] in the mirror x <-> z, which leaves its normal to L
    "cubic, linear along [111]: C3v -> C1h": (CUBIC, (1, 1, 1), 0.0, Keldysh(GAMMA), "Lx Lz", (2, 0)),
    "cubic, long linear along [111]: C2h": (CUBIC, (1, 1, 1), 0.0, Adiabatic(GAMMA), "", (4, 4)),
    "without absorption: circular along [111]": (CUBIC, (1, 1, 1), 1.0, Perturbation(), "Lx Ly Lz", (3, 3)),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_a_wave_may_create_is_what_character_tables_say(name):
    electrons, direction, ellipticity, method, names, orders = TABLE[name]
    assert allowed(electrons, wave(direction, ellipticity), method) == (names, orders)


def test_along_a_diagonal_the_components_are_tied():
    rules = selection_rules(asked(CUBIC, wave((1, 1, 1))), Keldysh(GAMMA))
    assert rules.direction == "along [1 1 1]"
    x, y = (np.asarray(o.matrix) for o in asked(CUBIC, wave("x")).observables[:2])
    apart = Observable("Lx-Ly", x - y, time_reversal=-1, inversion=1, unit="hbar")
    assert allowed(CUBIC, wave((1, 1, 1)), Keldysh(GAMMA), observables=(apart,))[0] == ""
    assert selection_rules(asked(CUBIC, wave((1, 1, 0))), Keldysh(GAMMA)).direction == "along [1 1 0]"


def test_first_order_follows_the_phase_of_the_wave():
    # C2 about the wave turns it by pi: what is odd under it oscillates. The paper: L_y and L_z, not L_x, after (18).
    every = ("Lx", "Ly", "Lz", "Qxy", "Qyz", "Qzx", "Qx2-y2", "Q3z2-r2")
    for method in (Adiabatic(GAMMA), Kubo(GAMMA)):
        assert allowed(SQUARE, wave("x"), method, 1, every)[0] == "Ly Lz Qxy Qzx"
    # a circular wave along z has m = -1 under C4, as L_x, L_y, Q_yz, Q_zx have; a linear one with u along x is odd
    # under x -> -x and even under y -> -y, as are L_y and Q_zx
    assert allowed(SQUARE, wave("z"), Kubo(GAMMA), 1, every)[0] == "Lx Ly Qyz Qzx"
    assert allowed(SQUARE, wave("z", 0.0), Kubo(GAMMA), 1, every)[0] == "Ly Qzx"


def filled(modes, excess):
    """So many quanta of each mode (q mode)."""
    return oph.PhononTable(modes, excess=np.broadcast_to(excess, modes.frequency.shape))


def test_helix():
    # D3, without mirror or inversion: at q along the axis C3 (screws) remains, and any mode may create L_z, a
    # longitudinal one too. The axes across turn q into -q: both together, equally, keep D3, in which L_z is A2.
    crystal = helix()
    electrons = tight_binding(
        crystal, oph.Basis(tuple((s, "p") for s in range(3))), SlaterKoster({"pp_sigma": 1.0, "pp_pi": -0.3}, 2.6), 3.0
    )
    modes = helix_springs(crystal).modes([[0.0, 0.0, 0.3], [0.0, 0.0, -0.3]])
    for mode in range(9):  # all alone at their frequency
        assert modes.level_of(mode) == (mode,)
        one = np.outer([1.0, 0.0], np.eye(9)[mode])
        assert allowed(electrons, filled(modes, one), Keldysh(GAMMA)) == ("Lz", (3, 0))
    there, both, current = ([[1.0], [0.0]], [[1.0], [1.0]], [[1.0], [-1.0]])
    assert allowed(electrons, filled(modes, there), Keldysh(GAMMA)) == ("Lz", (3, 0))
    assert allowed(electrons, filled(modes, both), Keldysh(GAMMA)) == ("", (6, 0))
    assert allowed(electrons, filled(modes, current), Keldysh(GAMMA)) == ("Lz", (3, 0))
    # without absorption (q, u) and (-q, u*) make up for each other, and C2 with time reversal keeps each
    assert allowed(electrons, filled(modes, there), Perturbation()) == ("Lz", (3, 3))
    assert allowed(electrons, filled(modes, both), Perturbation()) == ("", (6, 6))
    assert allowed(electrons, filled(modes, np.zeros((1, 1))), Keldysh(GAMMA))[0] == ""


@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_honeycomb_at_a_corner_of_the_zone(turn):
    # Staggered, D3h: K keeps C3h, up to reciprocal vectors, which leaves L_z; M keeps C2v, which leaves nothing; any
    # other q the mirror of the plane
    crystal = honeycomb(("B", "N"), turn)
    electrons, b = honeycomb_electrons(crystal), np.asarray(crystal.lattice.reciprocal)
    corner, edge, lone = (b[0] + 2.0 * b[1]) / 3.0, (b[0] + b[1]) / 2.0, 0.2 * b[0] + 0.05 * b[1]
    modes = honeycomb_springs(crystal).modes(np.array([corner, -corner, corner + b[0] - b[1], edge, lone]))

    def rules(*excess):
        return allowed(electrons, filled(modes, np.array(excess)[:, None]), Keldysh(GAMMA))

    assert rules(1, 0, 0, 0, 0) == ("Lz", (6, 0))
    assert rules(1, 1, 0, 0, 0) == ("", (12, 0))
    assert rules(1, 2, 1, 0, 0) == ("", (12, 0))  # the third is the first
    assert rules(1, 1, 1, 0, 0) == ("Lz", (6, 0))
    assert rules(0, 0, 0, 1, 0) == ("", (4, 0))
    assert rules(0, 0, 0, 0, 1) == ("Lz", (2, 0))
    one = filled(modes, np.outer([1, 0, 0, 0, 0], np.eye(6)[5]))
    assert modes.level_of(5) == (5,) and allowed(electrons, one, Keldysh(GAMMA)) == ("Lz", (6, 0))


@pytest.mark.parametrize("seed", [0, 5])
def test_without_symmetry_everything_is_allowed(seed):
    electrons = random_crystal(seed, dim=2, sites=2, spin=True)
    names = (*VECTOR, "Sx", "Sy", "Sz")
    assert allowed(electrons, wave((1, 0.3, 0.2)), Keldysh(GAMMA), observables=names) == (" ".join(names), (1, 0))
    assert allowed(electrons, wave((1, 0.3, 0.2)), Adiabatic(GAMMA), observables=names) == (" ".join(names), (1, 0))
    # time reversal alone forbids what a long linear wave would do without absorption
    assert allowed(electrons, wave((1, 0.3, 0.2), 0.0), Adiabatic(GAMMA), observables=names)[0] == ""
    assert allowed(electrons, wave((1, 0.3, 0.2), 0.0), Keldysh(GAMMA), observables=names)[0] == " ".join(names)


def test_the_hamiltonian_decides_not_the_atoms():
    # a stagger that the atoms' names do not tell, and names that tell more than the electrons know
    plain, staggered = (models.honeycomb_p(1.5, -0.5, stagger=stagger) for stagger in (0.0, 0.5))
    along = wave("x")
    groups = [selection_rules(asked(e, along), Keldysh(GAMMA)).electrons.point_group for e in (plain, staggered)]
    assert groups == ["6/mmm", "-6m2"]
    law = SlaterKoster({"ss_sigma": -0.5, "sp_sigma": 0.7, "pp_sigma": 1.0, "pp_pi": -0.3}, length=4.0)
    mixed = tight_binding(
        CUBIC.crystal, oph.Basis(((0, "s"), (0, "p")), spin=True), law, 4.1, spin_orbit={(0, "p"): 0.2}
    )
    assert len(selection_rules(asked(mixed, along), Keldysh(GAMMA)).electrons.kept) == 96
    magnetic = models.cubic_p(1.0, -0.3, spin_orbit=0.2)
    home = int(np.argmin(np.linalg.norm(np.asarray(magnetic.cells), axis=1)))
    hopping = np.array(magnetic.hopping)
    hopping[home] += np.kron(np.eye(3), np.diag([0.1, -0.1]))  # a field along z
    magnetic = eqx.tree_at(lambda e: e.hopping, magnetic, jnp.asarray(hopping))
    rules = selection_rules(asked(magnetic, wave("z"), ("Lx", "Lz", "Sx", "Sz")), Perturbation())
    assert rules.electrons.point_group == "4/m" and rules.forbidden == (True, False, True, False)
    assert sum(g.time_reversal for g in rules.electrons.kept) == 8  # with the mirrors that turn the field
    rules = selection_rules(asked(magnetic, wave("x"), ("Lx", "Lz", "Sx", "Sz")), Keldysh(GAMMA))
    assert not any(rules.forbidden)


def test_the_coupling_decides_too():
    class Skewed(TwoCentre):
        """Bonds along x couple twice as strongly as those along y."""

        def bonds(self, q, polarisation):
            double = jnp.where(jnp.abs(self.electrons.cells[:, 0]) > 0.1, 2.0, 1.0).astype(complex)
            return double[:, None, None] * super().bonds(q, polarisation)

    assert allowed(SQUARE, wave("z"), Keldysh(GAMMA)) == ("Lz", (4, 0))
    rules = selection_rules(asked(SQUARE, wave("z"), coupling=Skewed(SQUARE)), Keldysh(GAMMA))
    assert len(rules.kept) == 2 and len(rules.electrons.kept) == 32


@pytest.mark.parametrize("seed", range(3))
def test_turning_everything_turns_the_rules(seed):
    axis = np.random.default_rng(seed).normal(size=3)
    turn = rotation_matrix(1.0 + seed, axis / np.linalg.norm(axis))
    crystal = oph.Crystal(oph.Lattice(3.0 * turn.T), np.zeros((1, 3)), ("X",))
    law = SlaterKoster({"pp_sigma": 1.0, "pp_pi": -0.3}, length=3.0)
    electrons = tight_binding(crystal, oph.Basis(((0, "p"),)), law, 3.1)
    momentum = [np.asarray(oph.observable(electrons.basis, name).matrix) for name in VECTOR]
    names = ("Lu", "Lv", "Lw")
    turned = [
        Observable(name, np.tensordot(row, momentum, axes=1), time_reversal=-1, inversion=1, unit="hbar")
        for name, row in zip(names, turn.T, strict=True)
    ]
    for axis, name in zip(turn.T, names, strict=True):
        assert allowed(electrons, wave(axis), Keldysh(GAMMA), observables=turned) == (name, (4, 0))


def test_rules_in_words():
    text = str(selection_rules(asked(SQUARE, wave("x")), Adiabatic(GAMMA)))
    assert "point group 4/mmm" in text and "may be created: Lx (along [1 0 0])" in text
    assert "zero by symmetry: Ly, Lz" in text and "4 with time reversal" in text
    text = str(selection_rules(asked(CUBIC, wave("x")), Keldysh(GAMMA)))
    assert "space group Pm-3m (221)" in text and "point group 4\n" in text


def test_units_of_the_drive_do_not_matter():
    branch = oph.AcousticBranch(speed=5000 * units.m / units.s, mass=4e-26 * units.kg)
    thermal = oph.ThermalInjection(branch, transmission=0.1, splitting=0.1, q_domain="line")
    assert allowed(SQUARE, thermal, Keldysh(GAMMA)) == ("Lx", (2, 0))
    # as many phonons of both chiralities: the mirrors that exchange them remain
    alike = oph.ThermalInjection(branch, transmission=0.1, splitting=0.0, q_domain="sphere")
    assert allowed(SQUARE, alike, Adiabatic(GAMMA))[0] == ""
