"""Wave functions of an electron and a phonon, to second order in their coupling.

The state that was |a> holds, after one phonon has been taken and given back (s = +1: given and taken), a part of each
|b>, and less of |a>. With the occupations f_a of the states as they were, C = e_c + s omega, and W as in `finite_wave`,

    M^s_ba = sum_c W_bc W*_ac { f_a/[(a - b)(a - C)] + f_b/[(b - a)(b - C)] + f_c/[(C - a)(C - b)] },      a != b,
    M^s_ba = sum_c W_bc W*_ac (f_c - f_a)/(C - a)^2,                                                       e_a = e_b.

The first two terms are the admixtures to |a> and to |b>, (S133); the third the electrons that come from c, (S134); and
what normalisation takes from |a> is left in the last line. All of it comes from occupied states: the Fermi sea.

It is the limit of `Keldysh` for broadening -> 0 off resonance wherever O has no elements between degenerate states, as
in every crystal with inversion and time reversal. Elsewhere the bath moves electrons among the dressed states, and the
two differ by terms of the Fermi surface, [f(a - s omega) - f(a)]/(C - a)^2 - f'(a)/(C - a).
"""

from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float

from orbiphon.drives import AbstractModeDrive
from orbiphon.response.finite_wave import adjoint, turned
from orbiphon.response.lattice_waves import prepare_lattice
from orbiphon.response.method import AbstractMethod, Prepared
from orbiphon.response.problem import Problem
from orbiphon.response.wave_sum import wave_sum

_DEGENERATE = 1e-7  # in units of 2 pi k_B T: levels closer than this are one


class Perturbation(AbstractMethod):
    """(S131) to (S135) with the exact vertex: second order at the waves' own q and omega, without any broadening.

    Where a wave can excite electrons across the Fermi level the sum over the zone has poles and does not converge; the
    answer is then flagged. Source: arXiv:2511.11272, (S131) to (S135), with k + q and k - q where they belong.
    """

    broadening: ClassVar[float] = 0.0
    name: ClassVar[str] = "perturbation"
    orders: ClassVar[tuple[int, ...]] = (2,)
    reactive: ClassVar[bool] = True

    def prepare(self, problem: Problem) -> Prepared:
        """The exact vertex between states at k and k + q."""
        words = "second order at finite q and frequency, wave functions of electron and phonon"
        if isinstance(problem.drive, AbstractModeDrive):
            return prepare_lattice(problem, dressed, 0.0, words, reactive=self.reactive)
        waves = wave_sum(problem, dressed)
        return Prepared(
            lambda level, index, numerics: waves.moments(0.0, level, index, numerics),
            words,
            (lambda level, index: waves.excess(0, 0.0, level, index)) if waves.single else None,
        )


def dressed(
    vertex: Complex[Array, "wave polarisation above below"],
    levels: Float[Array, "2 band"],
    frequency: Float[Array, "wave"],
    broadening: Float[Array, ""],
) -> Complex[Array, "2 wave polarisation band band"]:
    """M^+ and M^-, arguments as those of `finite_wave.pumped`; `broadening` is not used."""
    w = jnp.stack([vertex, adjoint(vertex)])
    omega = jnp.stack([frequency, -frequency])[:, :, None]
    filled = 0.5 * (1.0 - jnp.tanh(np.pi * levels))
    own, other = levels[:, None, :, None], (turned(levels)[:, None] + omega)[:, :, None, :]
    inverse = 1.0 / (own - other)  # 1/(a - C), (side wave a c)
    own, other, inverse = (
        x[:, :, None].astype(complex)
        for x in (filled[:, None, :, None] * inverse, turned(filled)[:, None, None, :] * inverse, inverse)
    )
    from_c = (other * w) @ adjoint(inverse * w)
    admixed = w @ adjoint(own * w)
    gap = levels[:, None, :] - levels[:, :, None]  # e_a - e_b of the element (b, a)
    apart = jnp.abs(gap) > _DEGENERATE
    over = jnp.where(apart, 1.0 / jnp.where(apart, gap, 1.0), 0.0)[:, None, None].astype(complex)
    lost = (inverse * w) @ adjoint(own * w)
    alike = jnp.where(apart, 0.0, 1.0)[:, None, None].astype(complex)
    return from_c + over * (admixed - adjoint(admixed)) - alike * lost
