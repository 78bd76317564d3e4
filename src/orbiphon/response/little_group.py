"""Which operations leave the waves of a drive alone: its little group (docs/theory.md 5.7).

An operation {R|t} takes a wave (q, u) to (Rq, Ru), an atom's displacement to that of its image; with time reversal to
(-Rq, Ru*). At second order a drive is its density matrix at each wave vector and frequency, sum excess u u^+, and kept
where that is; at first order a wave is kept if it gets a phase, u -> chi u. Displacements have the phase of the atoms,
and wave vectors that differ by a reciprocal one, G, are the same wave, u_s exp(i G tau_s).

Of long acoustic waves only the direction n and the tensors e n^T count, and as these enter twice (second order) or with
any sign (first order) n and -n are alike.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Complex, Float
from scipy.spatial import KDTree

from orbiphon.crystal import Crystal
from orbiphon.drives import AbstractDrive, AbstractModeDrive, Waves
from orbiphon.drives.modes import Modes
from orbiphon.electrons.symmetry import ElectronSymmetry
from orbiphon.phonons import AcousticBranch, direction_vector
from orbiphon.response.first_order import coherent, coherent_wave
from orbiphon.response.problem import Problem

_ALIKE = 1e-6  # of the largest element of a density matrix; of a wave vector, in units of the reciprocal ones
_SCRAMBLED = 7.3  # makes waves of different frequency different


class LongWaves(NamedTuple):
    """Tensors e n^T (wave 9), flattened, and their strengths at each temperature (temperature wave)."""

    direction: Float[np.ndarray, "xyz"]
    polarisation: Complex[np.ndarray, "wave xyz"]
    strength: Float[np.ndarray, "temperature wave"]

    def character(self, g: ElectronSymmetry) -> complex | None:
        """The phase that the one wave gets, None if it is not kept."""
        (tensor,) = self._tensors()
        return _phase(self._turned(g) @ tensor, tensor)

    def keeps(self, g: ElectronSymmetry) -> bool:
        """Whether the density matrix is what it was."""
        tensors = self._tensors()
        density = np.einsum("tw,wa,wb->tab", self.strength, tensors, tensors.conj())
        turn = self._turned(g)
        image = turn @ (density.conj() if g.time_reversal else density) @ turn.T
        return bool(np.max(np.abs(image - density)) <= _ALIKE * np.max(np.abs(density)))

    def _tensors(self) -> Complex[np.ndarray, "wave 9"]:
        return np.einsum("wa,b->wab", self.polarisation, self.direction).reshape(-1, 9)

    def _turned(self, g: ElectronSymmetry) -> Float[np.ndarray, "9 9"]:
        return np.kron(g.operation.matrix, g.operation.matrix)


class FiniteWaves(NamedTuple):
    """Waves (wave,) with wave vectors `q` (wave xyz), displacements (wave site xyz), and quanta of different frequency
    kept apart, (part wave)."""

    crystal: Crystal
    q: Float[np.ndarray, "wave xyz"]
    displacement: Complex[np.ndarray, "wave site xyz"]
    quanta: Float[np.ndarray, "part wave"]

    def character(self, g: ElectronSymmetry) -> complex | None:
        """The phase that the one wave gets, None if it is not kept."""
        found = self._reciprocal(g.turned(self.q), self.q)
        if found is None:
            return None
        return _phase(self._matrices(g, found[1])[0] @ self.displacement[0].ravel(), self.displacement[0].ravel())

    def reciprocal(self, g: ElectronSymmetry) -> Float[np.ndarray, "xyz"]:
        """G of Rq = q + G, for a wave that is kept."""
        found = self._reciprocal(g.turned(self.q), self.q)
        assert found is not None
        return found[1][0]

    def keeps(self, g: ElectronSymmetry) -> bool:
        """Whether the density matrix at every wave vector and frequency is what it was."""
        q, density = self._density()
        if not len(q):
            return True
        found = self._reciprocal(g.turned(q), q)
        if found is None:
            return False
        there, reciprocal = found
        turn = self._matrices(g, reciprocal)[None]
        image = turn @ (density.conj() if g.time_reversal else density) @ turn.conj().swapaxes(-1, -2)
        return bool(np.max(np.abs(image - density[:, there])) <= _ALIKE * np.max(np.abs(density)))

    def _density(self) -> tuple[Float[np.ndarray, "q xyz"], Complex[np.ndarray, "part q coordinate coordinate"]]:
        """Different wave vectors that move, folded into one cell, and the density matrices there."""
        turns = np.floor(self.q @ np.asarray(self.crystal.lattice.vectors).T / (2.0 * np.pi) + _ALIKE)
        folded = turns @ np.asarray(self.crystal.lattice.reciprocal)
        here, group = np.unique(np.round(self.q - folded, 9) + 0.0, axis=0, return_inverse=True)
        phases = np.exp(1j * folded @ np.asarray(self.crystal.positions).T)
        u = (phases[:, :, None] * self.displacement).reshape(len(self.q), -1)
        density = np.zeros((len(self.quanta), len(here), u.shape[1], u.shape[1]), complex)
        for part, quanta in zip(density, self.quanta, strict=True):
            np.add.at(part, group.ravel(), np.einsum("w,wa,wb->wab", quanta, u, u.conj()))
        moving = np.max(np.abs(density), axis=(0, 2, 3)) > _ALIKE * np.max(np.abs(density))
        return here[moving], density[:, moving]

    def _reciprocal(
        self, image: Float[np.ndarray, "q xyz"], q: Float[np.ndarray, "q xyz"]
    ) -> tuple[np.ndarray, Float[np.ndarray, "q xyz"]] | None:
        """The number of the q that each image is, up to a reciprocal vector G, and G; None if one is none of them."""
        vectors = np.asarray(self.crystal.lattice.vectors) / (2.0 * np.pi)
        scale = np.linalg.norm(vectors, axis=1).max()
        across = np.eye(3) - np.linalg.pinv(vectors) @ vectors

        def coordinates(x: np.ndarray) -> np.ndarray:
            return np.concatenate([(x @ vectors.T) % 1.0 % 1.0, scale * x @ across], axis=1)

        box = [1.0] * len(vectors) + [0.0] * 3
        distance, found = KDTree(coordinates(q), boxsize=box).query(coordinates(image))
        if np.max(distance) > _ALIKE:
            return None
        index = np.asarray(found)
        turns = np.rint((image - q[index]) @ vectors.T)
        return index, turns @ np.asarray(self.crystal.lattice.reciprocal)

    def _matrices(self, g: ElectronSymmetry, reciprocal: Float[np.ndarray, "q xyz"]) -> np.ndarray:
        """u -> Ru at each q, (q coordinate coordinate), coordinates (site, xyz)."""
        positions, image = np.asarray(self.crystal.positions), g.operation.image
        sites = len(positions)
        matrix = np.zeros((len(reciprocal), sites, 3, sites, 3), complex)
        phases = np.exp(1j * reciprocal @ positions[image].T)
        for site in range(sites):
            matrix[:, image[site], :, site] = phases[:, site, None, None] * g.operation.matrix
        return matrix.reshape(-1, 3 * sites, 3 * sites)


def long_waves(problem: Problem) -> LongWaves:
    """The waves of an acoustic drive, as a method of long waves sees them."""
    drive = problem.drive
    assert isinstance(drive, AbstractDrive)
    direction = np.asarray(direction_vector(drive.branch.direction))
    if problem.order == 1:
        return LongWaves(direction, np.asarray(coherent(drive).displacement)[None], np.ones((1, 1)))
    modes = drive.modes(problem.electrons.crystal, problem.state.temperature)
    strength = np.sum(np.asarray(modes.excess) * np.asarray(modes.along) ** 2, axis=-1)
    return LongWaves(direction, np.asarray(modes.polarisation), strength)


def finite_waves(problem: Problem) -> FiniteWaves:
    """The waves of a drive with their wave vectors; the one coherent wave at first order."""
    crystal = problem.electrons.crystal
    if problem.order == 1:
        wave = coherent_wave(problem)
        u = np.asarray(wave.displacement)[None]
        return FiniteWaves(crystal, np.asarray(wave.q)[None], u, np.ones((1, 1)))
    waves = _waves(problem)
    frequency, excess = np.asarray(waves.frequency), np.asarray(waves.excess)
    marked = np.cos(_SCRAMBLED * frequency / np.max(frequency, initial=1e-300))
    quanta = np.concatenate([excess, excess * marked])
    scale = np.max(np.abs(np.asarray(waves.displacement)), initial=1e-300)
    return FiniteWaves(crystal, np.asarray(waves.q), np.asarray(waves.displacement) / scale, quanta)


def _waves(problem: Problem) -> Waves:
    """All waves; those of an acoustic branch move all atoms alike."""
    drive, crystal, temperature = problem.drive, problem.electrons.crystal, problem.state.temperature
    if isinstance(drive, AbstractModeDrive):
        return drive.waves(crystal, temperature)
    return _of_branch(drive.branch, drive.modes(crystal, temperature), crystal)


@eqx.filter_jit
def _of_branch(branch: AcousticBranch, modes: Modes, crystal: Crystal) -> Waves:
    polarisations, count = modes.polarisation.shape[0], modes.along.shape[0]
    alike = jnp.tile(modes.polarisation[:, None, None, :], (1, count, crystal.sites, 1))
    scale = 1.0 / jnp.sqrt(2.0 * branch.mass * modes.frequency)
    return Waves(
        q=jnp.tile(modes.along[:, None] * direction_vector(branch.direction)[None], (polarisations, 1)),
        frequency=jnp.tile(modes.frequency, polarisations),
        displacement=(scale.astype(complex)[None, :, None, None] * alike).reshape(-1, crystal.sites, 3),
        excess=modes.excess.reshape(modes.excess.shape[0], -1),
    )


def _phase(image: np.ndarray, wave: np.ndarray) -> complex | None:
    """chi of image = chi wave, None if there is none."""
    norm = float(np.vdot(wave, wave).real)
    chi = complex(np.vdot(wave, image)) / (norm or 1.0)
    return chi if np.max(np.abs(image - chi * wave)) <= _ALIKE * np.max(np.abs(wave)) else None
