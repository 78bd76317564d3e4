"""Statements of arXiv:2511.09271 (Yao, Go, Mokrousov, Murakami) on circular phonons of honeycomb p orbitals.

p orbitals with a gap (`models.honeycomb_p`, no spin), springs between unlike masses, 300 K, the Fermi level in the gap.
While the lattice goes round once in a circular mode u(t), the occupied states acquire the Berry phase γ = ∮ A·du, an
area integral of the curvature in the space of displacements, and with H → H − bL_z the moment per cycle is

    (2π/ω) m[L_z] = ∂γ/∂b.

`Berry` computes the left side from sums over bands; `moment_per_cycle` the right side from overlaps around the loop.
"""

from collections.abc import Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon import units
from orbiphon.coupling import TwoCentre
from orbiphon.crystal import axis_rotation, zone_points
from orbiphon.drives import OneMode
from orbiphon.electrons import TightBinding, observable
from orbiphon.electrons.rotations import basis_rotation
from orbiphon.models import honeycomb, honeycomb_p, honeycomb_springs
from orbiphon.phonons import ForceConstants, phonon_angular_momentum, pseudo_angular_momentum
from orbiphon.response import Berry, ElectronState, Keldysh, MomentSpectrum, Numerics, Problem, moment_spectrum, solve
from orbiphon.study.statements import Curve, Statement, write_statements

PAPER = "arXiv:2511.09271"
HOPPINGS, BOND, STAGGER, STAGGERS = (1.5, -0.5), 2.0, 1.6, (0.8, 1.0, 1.3, 1.6, 2.0, 2.4)  # eV, Å, eV, eV
TEMPERATURE, RTOL, BROADENING = 300.0, 1e-4, 0.02  # K, 1, eV
FIELD, AMPLITUDE, STEPS, MESH = 1e-3, 0.02, 24, 36  # eV/ħ, of a quantum's, points of a loop, of k
POINTS = 10  # of q
CORNER = np.array([4.0 * np.pi / (3.0 * np.sqrt(3.0) * BOND), 0.0, 0.0])
"""K; K' is −K."""


def run(out: Path, quiet: bool = False, overwrite: bool = False) -> bool:
    """Compute the table of statements into the folder `out`. Raises `InputError` for a folder that is not its own."""
    return write_statements(out, "yao2025", _statements, overwrite)


def crystal(stagger: float = STAGGER) -> tuple[TightBinding, ForceConstants]:
    """Electrons and springs."""
    phonons = honeycomb_springs(honeycomb(BOND), (11 * units.amu, 14 * units.amu), (20.0, 3.0), (5.0, 0.5))
    return honeycomb_p(*HOPPINGS, stagger=stagger, bond=BOND), phonons


def optical(phonons: ForceConstants, chirality: int) -> OneMode:
    """The circular optical phonon at Γ; chirality +1 has the angular momentum −1."""
    modes, _ = OneMode(phonons, q=np.zeros(3), mode=0).level()
    turning = -chirality * np.asarray(phonon_angular_momentum(modes))[0, :, 2] * np.asarray(modes.frequency[0])
    return OneMode(phonons, q=np.zeros(3), mode=int(np.argmax(turning)))


def moment(electrons: TightBinding, drive: OneMode, method: Berry | Keldysh) -> tuple[float, float]:
    """m[L_z] with the Fermi level in the gap, and its error."""
    state = ElectronState(fermi_level=0.0, temperature=TEMPERATURE)
    answer = solve(Problem(electrons, drive, state, observables=("Lz",)), method, Numerics(rtol=RTOL))
    return float(answer.value[0, 0, 0]), float(answer.error[0, 0, 0])


def moment_per_cycle(electrons: TightBinding, drive: OneMode, amplitude: float = AMPLITUDE) -> float:
    """∂γ/∂b per cell for one quantum at q = 0: Berry phases of all states below 0 around the loop of displacements."""
    modes, _ = drive.level()
    u = amplitude * 2.0 * np.asarray(modes.displacement)[0, drive.mode]
    loop = [np.real(u * np.exp(-2j * np.pi * step / STEPS)) for step in range(STEPS)]
    vertices = jnp.stack([TwoCentre(electrons).bonds(jnp.zeros(3), jnp.asarray(x, dtype=complex)) for x in loop])
    k = jnp.asarray(zone_points(electrons.crystal.lattice, (MESH, MESH)))
    zeeman = FIELD * observable(electrons.basis, "Lz").matrix
    up, down = (jnp.mean(_phases(electrons, vertices, sign * zeeman, k)) for sign in (1, -1))
    polygon = STEPS / (2.0 * np.pi) * np.sin(2.0 * np.pi / STEPS)  # its area, of that of the circle
    return float(up - down) / (2.0 * FIELD * amplitude**2 * polygon)


@jax.jit
def _phases(
    electrons: TightBinding,
    vertices: Complex[Array, "step cell orbital orbital"],
    zeeman: Complex[Array, "orbital orbital"],
    k: Float[Array, "k xyz"],
) -> Float[Array, "k"]:
    """γ at each k, of the lower half of the bands."""

    def phase(one: Float[Array, "xyz"]) -> Float[Array, ""]:
        moved = jax.vmap(lambda vertex: electrons.bloch_sum(vertex, one))(vertices)
        _, states = jnp.linalg.eigh(electrons.hamiltonian(one)[None] + moved - zeeman[None])
        filled = states[:, :, : electrons.size // 2]
        overlap = jnp.einsum("tia,tib->tab", jnp.conj(filled), jnp.roll(filled, -1, axis=0))
        return -jnp.angle(jnp.prod(jnp.linalg.det(overlap)))  # the gauge of each step drops out

    return jax.vmap(phase)(k)


def forbidden_share(electrons: TightBinding, phonons: ForceConstants, corner: np.ndarray) -> float:
    """Of all matrix elements of valley phonons at ±K, scattering from K or K', the part (of the norm) that breaks
    l' = l + l_ph mod 3; l are those of a threefold axis through the middle of a hexagon."""
    centre = np.asarray(electrons.crystal.positions).mean(axis=0) + _to_hexagon(electrons)
    numbers = pseudo_angular_momentum(phonons, corner, 3, centre=centre)
    before, after = (_projectors(electrons, k, centre) for k in (corner, 2.0 * corner))
    breaking = whole = 0.0
    for l_phonon, e in zip(numbers.values, numbers.modes.polarisation[0], strict=True):
        g = np.asarray(TwoCentre(electrons).vertex(jnp.asarray(corner), jnp.asarray(corner), e))
        for l in range(3):
            for final in range(3):
                part = float(np.sum(np.abs(after[final] @ g @ before[l]) ** 2))
                whole += part
                breaking += part if (final - l - int(l_phonon)) % 3 else 0.0
    return float(np.sqrt(breaking / whole))


def _to_hexagon(electrons: TightBinding) -> np.ndarray:
    """From the middle of a bond to that of a hexagon beside it, across the bond."""
    a, b = np.asarray(electrons.crystal.positions)
    return 0.5 * np.sqrt(3.0) * np.array([b[1] - a[1], a[0] - b[0], 0.0])


def _projectors(electrons: TightBinding, k: np.ndarray, centre: np.ndarray) -> list[np.ndarray]:
    """On Bloch states at k with C_3 = e^{−2πil/3}, l = 0, 1, 2."""
    operation = axis_rotation(electrons.crystal, 3, np.array([0.0, 0.0, 1.0]), centre)
    positions, site_of = np.asarray(electrons.crystal.positions), np.array(electrons.basis.site_of)
    g = operation.matrix @ k - k
    landed = (positions - centre) @ operation.matrix.T
    phase = np.exp(1j * landed @ g)[site_of]
    onto = operation.image[site_of][:, None] == site_of[None]  # (from, onto)
    same = np.equal.outer(np.arange(electrons.size) % 3, np.arange(electrons.size) % 3)  # p_x, p_y, p_z of each atom
    turn = (onto & same).T @ np.diag(phase) @ basis_rotation(electrons.basis, operation.matrix)
    powers = np.stack([np.eye(electrons.size), turn, turn @ turn])
    return [np.tensordot(np.exp(2j * np.pi * l * np.arange(3) / 3), powers, axes=1) / 3 for l in range(3)]


def valleys() -> MomentSpectrum:
    """m[L_z] of all modes from near Γ to K, and at K'."""
    electrons, phonons = crystal()
    q = np.array([*np.linspace(1.0 / POINTS, 1.0, POINTS), -1.0])[:, None] * CORNER
    state = ElectronState(fermi_level=0.0, temperature=TEMPERATURE)
    return moment_spectrum(electrons, phonons, state, Berry(), q, axis="z", numerics=Numerics(rtol=1e-3))


def _statements() -> Iterator[Statement | Curve]:
    electrons, phonons = crystal()
    right, left = (optical(phonons, chirality) for chirality in (1, -1))
    values = {chirality: moment(electrons, drive, Berry()) for chirality, drive in ((1, right), (-1, left))}
    cycle = 2.0 * np.pi / float(right.level()[0].frequency[0, right.mode])
    found, coarse = (moment_per_cycle(electrons, right, size) for size in (AMPLITUDE / 2, AMPLITUDE))
    (value, error), (other, other_error) = values[1], values[-1]
    ratio = found / (cycle * value)
    off = abs(found - coarse) / abs(cycle * value) + abs(ratio * error / value)
    yield Statement(
        "honeycomb p: the moment per cycle is the displacement-space Berry curvature: dgamma/db over (2 pi/omega) m",
        PAPER, ratio, off, "1", abs(ratio - 1) <= off,
    )  # fmt: skip
    dynamic, dynamic_error = moment(electrons, right, Keldysh(BROADENING))
    yield Statement(
        "the same with Keldysh at the phonon's own frequency: over the Berry curvature's",
        PAPER, dynamic / value, (dynamic_error + abs(dynamic / value) * error) / abs(value), "1",
        abs(dynamic / value - 1) < 0.1,
    )  # fmt: skip
    yield Statement(
        "its sign follows the chirality: m[L_z] of chirality -1 over that of +1",
        PAPER, other / value, (other_error + abs(other / value) * error) / abs(value), "1",
        abs(other / value + 1) <= 2 * RTOL,
    )  # fmt: skip
    yield Statement(
        "it exists without spin-orbit coupling: m[L_z] of the optical phonon at Gamma, electrons without spin",
        PAPER, value, error, "hbar", abs(value) > 5 * error,
    )  # fmt: skip
    share = max(forbidden_share(electrons, phonons, sign * CORNER) for sign in (1, -1))
    yield Statement(
        "valley phonons at K obey l_e + l_ph mod 3: part of their matrix elements that breaks it",
        PAPER, share, 1e-10, "1", share <= 1e-10,
    )  # fmt: skip
    yield from _valleys()
    yield from _gaps(phonons, right)


def _valleys() -> Iterator[Statement | Curve]:
    spectrum = valleys()
    here, there = spectrum.value[-2, :, 0], spectrum.value[-1, :, 0]
    largest = float(np.max(np.abs(here)))
    off = float(np.max(np.abs(here + there))) / largest
    error = float(np.max(spectrum.error)) / largest
    yield Statement(
        "phonons of opposite valleys pump opposite moments: largest |m(K) + m(K')| over largest |m(K)|",
        PAPER, off, error, "1", off <= error + 1e-10,
    )  # fmt: skip
    along = tuple((spectrum.q[:-1, 0] / CORNER[0]).tolist())
    for mode in range(spectrum.value.shape[1]):
        moments = tuple(float(x) for x in spectrum.value[:-1, mode, 0])
        yield Curve("valley phonons", f"mode {mode}", "q from 0 to K (K)", along, "m[Lz] (hbar)", moments)


def _gaps(phonons: ForceConstants, drive: OneMode) -> Iterator[Curve]:
    """The moment per cycle by both routes against the energy between the atoms' levels."""
    cycle = 2.0 * np.pi / float(drive.level()[0].frequency[0, drive.mode])
    models = [crystal(stagger)[0] for stagger in STAGGERS]
    loops = tuple(moment_per_cycle(electrons, drive) for electrons in models)
    bands = tuple(cycle * moment(electrons, drive, Berry())[0] for electrons in models)
    for label, values in (("sum over bands", bands), ("phase of a loop", loops)):
        yield Curve("optical phonon at Γ", label, "stagger (eV)", STAGGERS, "moment per cycle (hbar²/eV)", values)
