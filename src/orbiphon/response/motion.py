"""The density matrix in time: steady states."""

import dataclasses
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from orbiphon._checks import check_positive
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.drives import AbstractEnvelope, ContinuousEnvelope
from orbiphon.electrons import TightBinding, bands
from orbiphon.electrons.filling import resolving_mesh
from orbiphon.errors import InputError
from orbiphon.response.density_matrix import Contact, DensityMatrix, SteadyState, bath, density_matrix, relaxation
from orbiphon.response.first_order import PlaneWave, coherent_wave
from orbiphon.response.integrand import mean_difference
from orbiphon.response.long_wave import check_time_reversal
from orbiphon.response.method import AbstractMethod, Prepared, with_extra_error
from orbiphon.response.poles import fermi_poles
from orbiphon.response.problem import Numerics, Problem
from orbiphon.units import k_B
from orbiphon.zone import ZoneMean, zone_mean

_ELEMENTS = 2**16  # of density and auxiliary matrices at a time
_PROBES = 8
_COARSE = 64  # wave vectors per direction that find the extent of the bands, at most 4096 in all


class Motion(AbstractMethod):
    """Equations of motion of the density matrix, integrated in time: any amplitude, any pulse.

    Give either `broadening` (eV): every orbital in contact with a wide-band bath, as in `Kubo`, `Keldysh`, `Floquet`;
    or `relaxation_time` (hbar/eV): the closed equations with -(rho - rho_0)/tau, whose levels are 1/(2 tau) wide. At
    most `harmonics` phonons are gained or lost; with 1 both orders are exact for small waves, and what one more would
    change is part of the error. `tolerance`: of the integration, relative. `pole_accuracy`: of the Fermi function in
    its expansion in poles.

    With `solve` a continuous wave is switched on and followed until nothing changes; the error is that of the zone, of
    the waiting, of the steps and of `harmonics`. `time_traces` follows any pulse.
    Raises `InputError`. Source: docs/theory.md 5.5; arXiv:2511.11272, (25)-(27), (S137)-(S144).
    """

    broadening: float
    relaxation_time: float | None = eqx.field(static=True)
    harmonics: int = eqx.field(static=True)
    tolerance: float = eqx.field(static=True)
    pole_accuracy: float = eqx.field(static=True)
    name: ClassVar[str] = "motion"
    orders: ClassVar[tuple[int, ...]] = (1, 2)

    def __init__(
        self,
        broadening: float | None = None,
        harmonics: int = 1,
        *,
        relaxation_time: float | None = None,
        tolerance: float = 1e-3,
        pole_accuracy: float = 1e-8,
    ):
        if (broadening is None) == (relaxation_time is None):
            found = "neither" if broadening is None else "both"
            raise InputError(
                f"Exactly one of `broadening` and `relaxation_time` must be given, but got {found}. Give one."
            )
        named = {"broadening": broadening, "relaxation_time": relaxation_time, "harmonics": harmonics}
        for name, value in {**named, "tolerance": tolerance, "pole_accuracy": pole_accuracy}.items():
            if value is not None:
                check_positive(name, value)
        self.relaxation_time = relaxation_time
        self.broadening = 0.5 / relaxation_time if relaxation_time is not None else float(broadening or 0.0)
        self.harmonics, self.tolerance, self.pole_accuracy = harmonics, tolerance, pole_accuracy

    def prepare(self, problem: Problem) -> Prepared:
        """A wave, switched on and followed to its steady state."""
        wave, rates = coherent_wave(problem), self._rates(problem)
        check_time_reversal(problem)

        def integrand(fermi_level: float, index: int) -> SteadyState:
            rise, end = 10.0 / rates[index], 30.0 / rates[index]
            motion = self.equations(problem, wave, ContinuousEnvelope(rise), fermi_level, index)
            # Whatever the path, the steady state is the same: a coarse one will do.
            return SteadyState(timed(motion, [0.0, end], 10.0 * self.tolerance), problem.order)

        def moments(fermi_level: float, index: int, numerics: Numerics) -> ZoneMean:
            one = integrand(fermi_level, index)
            extra = _probe(one) + truncation(one, SteadyState(more_harmonics(one.motion), one.order))
            mean = zone_mean(
                one,
                start=resolving_mesh(problem.electrons, self.resolution(problem, index)),
                rtol=numerics.rtol,
                atol=numerics.atol,
                max_points=numerics.max_points,
                block=min(numerics.block, block_size(one.motion)),
                mirrors=(False,) * problem.electrons.crystal.lattice.dim,
            )
            return with_extra_error(mean, extra)

        return Prepared(moments, f"{self.words}, integrated in time to the steady state", integrand)

    @property
    def words(self) -> str:
        """The method in words."""
        contact = "conserving broadening" if self.relaxation_time is None else "one relaxation time"
        return f"density matrix of up to {self.harmonics} phonons, {contact}"

    def contact(self, electrons: TightBinding, fermi_level: float, temperature: float) -> Contact:
        """The bath, with as many poles as the bands need, or the relaxation time."""
        if self.relaxation_time is not None:
            return relaxation(self.relaxation_time, fermi_level, temperature)
        reach = _farthest(electrons, fermi_level) + 10.0 * self.broadening
        return bath(
            self.broadening, fermi_level, temperature, fermi_poles(reach / (k_B * temperature), self.pole_accuracy)
        )

    def equations(
        self, problem: Problem, wave: PlaneWave, envelope: AbstractEnvelope, fermi_level: float, index: int
    ) -> DensityMatrix:
        """The equations of motion for one state of the problem."""
        contact = self.contact(problem.electrons, fermi_level, float(problem.state.temperature[index]))
        return density_matrix(problem, wave, envelope, contact, self.harmonics)

    def resolution(self, problem: Problem, index: int) -> float:
        """The narrowest structure in the zone, eV."""
        return self.broadening + np.pi * k_B * float(problem.state.temperature[index])

    def _rates(self, problem: Problem) -> list[float]:
        """The slowest decay at each temperature, eV: of rho, or of the first auxiliary matrix."""
        widths = [self.resolution(problem, index) for index in range(problem.state.temperature.size)]
        return [2.0 * self.broadening if self.relaxation_time else min(2.0 * self.broadening, w) for w in widths]


def block_size(motion: DensityMatrix) -> int:
    """Wave vectors at a time."""
    size = (2 * motion.harmonics + 1) * motion.electrons.size
    return max(_ELEMENTS // (size**2 * (1 + motion.contact.height.shape[0])), 1)


def timed(motion: DensityMatrix, times: ArrayLike, tolerance: float) -> DensityMatrix:
    """The same equations, asked at these times."""
    return dataclasses.replace(
        motion, times=jnp.asarray(times, dtype=jnp.float64), tolerance=jnp.asarray(tolerance, dtype=jnp.float64)
    )


def more_harmonics(motion: DensityMatrix) -> DensityMatrix:
    """The same equations with one phonon more."""
    return dataclasses.replace(motion, harmonics=motion.harmonics + 1)


def truncation(one: SteadyState | DensityMatrix, more: SteadyState | DensityMatrix) -> np.ndarray:
    """What one phonon more changes at a wave vector, on average over random ones."""
    electrons = (one.motion if isinstance(one, SteadyState) else one).electrons
    return mean_difference(one, more, electrons.crystal.lattice.dim, _PROBES)


def _probe(one: SteadyState) -> np.ndarray:
    """What shorter waiting and ten times the tolerance change at a wave vector, on average over random ones."""
    motion = one.motion
    looser = timed(motion, [0.0, 0.8 * float(motion.times[-1])], 10.0 * float(motion.tolerance))
    found = mean_difference(one, SteadyState(looser, one.order), motion.electrons.crystal.lattice.dim, _PROBES)
    if not np.all(np.isfinite(found)):
        raise InputError("Argument `amplitude` must be small enough to follow in time, but is not. Lower it.")
    return found


def _farthest(electrons: TightBinding, fermi_level: float) -> float:
    """The largest distance of a band from the Fermi level, eV."""
    lattice = electrons.crystal.lattice
    count = min(_COARSE, int(4096 ** (1 / lattice.dim)))
    kappa = np.stack(np.meshgrid(*[np.arange(count) / count] * lattice.dim, indexing="ij"), axis=-1)
    energies = np.asarray(bands(electrons, lattice.k_from_reduced(jnp.asarray(kappa.reshape(-1, lattice.dim)))))
    return float(np.max(np.abs(energies - fermi_level)))
