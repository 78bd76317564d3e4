"""What comes back from `solve`."""

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Inexact, Int


class Answer(eqx.Module):
    """Moments per cell for every state, with their errors and what was done.

    `value` (fermi, temperature, observable) is real at second order; at first order it is the complex amplitude X of
    O(r, t) = Re{X exp(i q r - i omega t)}. `error` is absolute, in the same unit. `fermi_level` in eV (fermi,
    temperature), `temperature` in kelvin. `points`: zone points evaluated per state; `converged`: whether the
    tolerance was met; `rule`: how the zone was summed. `forbidden`: which observables are zero by symmetry
    (`selection_rules`); there the value is all error.
    """

    value: Inexact[np.ndarray, "fermi temperature observable"]
    error: Float[np.ndarray, "fermi temperature observable"]
    fermi_level: Float[np.ndarray, "fermi temperature"]
    temperature: Float[np.ndarray, "temperature"]
    points: Int[np.ndarray, "fermi temperature"]
    converged: Bool[np.ndarray, "fermi temperature"]
    observables: tuple[str, ...] = eqx.field(static=True)
    unit: tuple[str, ...] = eqx.field(static=True)
    method: str = eqx.field(static=True)
    coupling: str = eqx.field(static=True)
    order: int = eqx.field(static=True)
    broadening: float = eqx.field(static=True)
    description: str = eqx.field(static=True)
    rule: str = eqx.field(static=True, default="equispaced")
    forbidden: tuple[bool, ...] = eqx.field(static=True, default=())

    def __str__(self) -> str:
        head = f"{self.method}, {self.coupling} coupling, order {self.order}, broadening {self.broadening:g} eV"
        sums = f"zone sums: {self.rule}, {self.points.sum():,} points"
        lines = [
            f"{head}\n{self.description}\n{sums}",
            "fermi level/eV  temperature/K  observable        value     error",
        ]
        for i, j in np.ndindex(self.fermi_level.shape):
            for o, name in enumerate(self.observables):
                value = self.value[i, j, o]
                shown = f"{value:12.5e}" if np.isrealobj(self.value) else f"{value.real:.5e}{value.imag:+.5e}i"
                zero = "   zero by symmetry" if self.forbidden and self.forbidden[o] else ""
                miss = "" if self.converged[i, j] else "   tolerance missed"
                lines.append(
                    f"{self.fermi_level[i, j]:14.6g} {self.temperature[j]:14.6g}  {name + ' / ' + self.unit[o]:12s}"
                    f" {shown} {self.error[i, j, o]:9.1e}{zero}{miss}"
                )
        return "\n".join(lines)
