"""What is asked (`Problem`: physics only) and how it is computed (`Numerics`: no physics)."""

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from orbiphon._checks import check_finite, check_not_negative, check_positive, check_shape
from orbiphon.coupling import Coupling, check_vertex, make_coupling
from orbiphon.crystal import is_concrete
from orbiphon.crystal.concrete import ArrayLike
from orbiphon.drives import AbstractDrive, AbstractModeDrive
from orbiphon.electrons import Observable, TightBinding, fermi_level_for, observable
from orbiphon.errors import InputError
from orbiphon.zone import BLOCK


class ElectronState(eqx.Module):
    """The electrons' equilibrium: each `fermi_level` (eV) or `filling` (electrons per cell) at each `temperature` (K).

    Numbers or lists; exactly one of `fermi_level` and `filling`. Spin counts as in the model. Raises `InputError`.
    """

    fermi_level: Float[Array, "fermi"] | None
    filling: Float[Array, "fermi"] | None
    temperature: Float[Array, "temperature"]

    def __init__(
        self,
        *,
        temperature: ArrayLike,
        fermi_level: ArrayLike | None = None,
        filling: ArrayLike | None = None,
    ):
        if (fermi_level is None) == (filling is None):
            found = "neither" if fermi_level is None else "both"
            raise InputError(f"Exactly one of `fermi_level` and `filling` must be given, but got {found}. Give one.")
        check_positive("temperature", temperature)
        for name, values in (("fermi_level", fermi_level), ("filling", filling)):
            if values is not None:
                check_finite(name, values)
        self.temperature = _listed(temperature)
        self.fermi_level = None if fermi_level is None else _listed(fermi_level)
        self.filling = None if filling is None else _listed(filling)

    def fermi_levels(self, electrons: TightBinding) -> Float[np.ndarray, "fermi temperature"]:
        """Fermi level in eV of each state; for a filling, solved at each temperature with sharp levels."""
        if self.fermi_level is not None:
            return np.repeat(np.asarray(self.fermi_level)[:, None], self.temperature.size, axis=1)
        fillings = np.asarray(self.filling)
        solved = [[fermi_level_for(electrons, float(n), float(t)) for t in self.temperature] for n in fillings]
        return np.asarray(solved, dtype=float)


def _listed(numbers: ArrayLike) -> Float[Array, "number"]:
    return jnp.atleast_1d(jnp.asarray(numbers, dtype=jnp.float64))


class Problem(eqx.Module):
    """The physics: electrons, phonons, state, coupling, observables, and the order in the displacement (1 or 2).

    `coupling` is a kind (`two_centre`: exact; `quadrupole`: the paper's long-wave vertex (10)) or a coupling object;
    `observables` are names (`Lx`, `Qzx`, `Sz`, ...) or `Observable` objects. Raises `InputError`.
    """

    electrons: TightBinding
    drive: AbstractDrive | AbstractModeDrive
    state: ElectronState
    coupling: Coupling
    coupling_kind: str = eqx.field(static=True)
    observables: tuple[Observable, ...]
    order: int = eqx.field(static=True)

    def __init__(
        self,
        electrons: TightBinding,
        drive: AbstractDrive | AbstractModeDrive,
        state: ElectronState,
        coupling: str | Coupling = "two_centre",
        observables: Sequence[str | Observable] = ("Lx",),
        order: int = 2,
    ):
        if order not in (1, 2):
            raise InputError(f"Argument `order` must be 1 or 2, but is {order!r}. Higher orders are not computed.")
        if isinstance(observables, str) or not observables:
            raise InputError(
                f"Argument `observables` must be a list of names, but is {observables!r}. Give ['Lx'], say."
            )
        self.electrons, self.drive, self.state, self.order = electrons, drive, state, order
        self.coupling = make_coupling(coupling, electrons) if isinstance(coupling, str) else coupling
        if not isinstance(coupling, str):
            check_vertex(coupling, electrons)
        _check_zone_centre(self)
        self.coupling_kind = coupling if isinstance(coupling, str) else type(coupling).__name__
        self.observables = tuple(observable(electrons.basis, o) if isinstance(o, str) else o for o in observables)
        for o in self.observables:
            check_shape(f"observables: {o.name}", o.matrix, "orbital orbital", (electrons.size, electrons.size))


def _check_zone_centre(problem: Problem) -> None:
    """Raise `InputError` for waves that a coupling of the zone centre does not know."""
    coupling, drive = problem.coupling, problem.drive
    if not coupling.zone_centre or not is_concrete(coupling, drive):
        return
    if isinstance(drive, AbstractDrive):
        raise InputError(
            "Argument `drive` must act on optical modes at q = 0 for a coupling from displaced atoms, but is a "
            f"{type(drive).__name__}, of acoustic waves. Use OneMode, CoherentMode or DrivenMode, or Hamiltonians of "
            "strained cells."
        )
    waves = drive.waves(problem.electrons.crystal, problem.state.temperature)
    coupling.check_waves(np.asarray(waves.q), np.asarray(waves.displacement))


def one_state(problem: Problem) -> float:
    """The Fermi level (eV), if there is one state; `InputError` otherwise."""
    levels = problem.state.fermi_levels(problem.electrons)
    if levels.size != 1:
        raise InputError(f"Argument `state` must hold one state here, but holds {levels.size}. Call once for each.")
    return float(levels[0, 0])


class Numerics(eqx.Module):
    """How accurately: `rtol`, `atol` of the zone mean, `max_points` evaluations per mean, `block` points at a time.

    `atol` is in units of the answer. Memory grows with `block`, not with the mesh. Raises `InputError`.
    """

    rtol: float = eqx.field(static=True, default=1e-4)
    atol: float = eqx.field(static=True, default=0.0)
    max_points: int = eqx.field(static=True, default=2 * 10**8)
    block: int = eqx.field(static=True, default=BLOCK)

    def __check_init__(self):
        check_not_negative("rtol", self.rtol)
        check_not_negative("atol", self.atol)
        check_positive("max_points", self.max_points)
        check_positive("block", self.block)
        if self.rtol == 0.0 and self.atol == 0.0:
            raise InputError("One of `rtol` and `atol` must be greater than zero, but both are 0. Set rtol=1e-4, say.")
