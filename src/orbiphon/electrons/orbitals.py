"""The orbitals of a cell and their order.

A shell is a full set of 2l+1 real harmonics, in this order:

| shell | orbitals                          |
|-------|-----------------------------------|
| s     | s                                 |
| p     | px, py, pz                        |
| d     | d3z2-r2, dzx, dyz, dx2-y2, dxy    |
| l ≥ 3 | m = 0, 1c, 1s, 2c, 2s, … (c ∝ cos mφ, s ∝ sin mφ), as for d |

All are positive in the direction that names them. Spin, if there is one, is the fastest index: up, then down.

Where a crystal leaves only some orbitals of a shell near the Fermi level, a model may keep those alone, in their order:

| part   | of | orbitals              | kept apart from the rest by    |
|--------|----|-----------------------|--------------------------------|
| pxy    | p  | px, py                | the mirror z → −z              |
| d_even | d  | d3z2-r2, dx2-y2, dxy  | the mirror z → −z              |
| t2g    | d  | dzx, dyz, dxy         | a cubic field                  |
| eg     | d  | d3z2-r2, dx2-y2       | a cubic field                  |

Every operator of the shell is then cut to them (P O P): t2g has L = −1 times that of p orbitals, and eg has none.
"""

import itertools

import equinox as eqx

from orbiphon._checks import check_choice
from orbiphon.errors import InputError

SHELLS = {"s": 0, "p": 1, "d": 2, "pxy": 1, "d_even": 2, "t2g": 2, "eg": 2}
"""The angular momentum of each shell, and part of a shell, by name."""

WHOLE = {"s": ("s",), "p": ("px", "py", "pz"), "d": ("d3z2-r2", "dzx", "dyz", "dx2-y2", "dxy")}
"""The names of the orbitals of each whole shell, in order."""

PARTS = {"pxy": ("p", (0, 1)), "d_even": ("d", (0, 3, 4)), "t2g": ("d", (1, 2, 4)), "eg": ("d", (0, 3))}
"""The shell of each part, and which of its orbitals are kept."""

ORBITALS = WHOLE | {part: tuple(WHOLE[shell][i] for i in kept) for part, (shell, kept) in PARTS.items()}
"""The names of the orbitals of each shell, or part of one, in order."""


def kept_orbitals(shell: str) -> tuple[int, ...]:
    """Which orbitals of the whole shell are there: all, or those of a part."""
    return PARTS[shell][1] if shell in PARTS else tuple(range(len(WHOLE[shell])))


class Basis(eqx.Module):
    """Which shells sit on which atom, in order, and whether the electrons have a spin.

    **Arguments:** `shells`: pairs (site, shell), such as `((0, "s"), (0, "p"), (1, "t2g"))`; `spin`.

    **Raises:** `InputError` for an unknown shell, a negative site, or a shell that is there twice, in parts too.
    """

    shells: tuple[tuple[int, str], ...] = eqx.field(static=True, converter=lambda s: tuple((i, l) for i, l in s))
    spin: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        for site, shell in self.shells:
            check_choice("shells", shell, tuple(SHELLS))
            if site < 0:
                raise InputError(f"Argument `shells` must name sites from 0 on, but has site {site}. Count from 0.")
        whole = {(site, PARTS[shell][0] if shell in PARTS else shell) for site, shell in self.shells}
        if len(whole) != len(self.shells) or not self.shells:
            raise InputError(
                f"Argument `shells` must hold each (site, shell) once and at least one, but is {self.shells}. "
                f"Remove what is there twice; give a whole shell in place of two of its parts."
            )

    @property
    def size(self) -> int:
        """The number of basis functions, spin included."""
        return self.spatial_size * self.spins

    @property
    def spatial_size(self) -> int:
        """The number of basis functions without spin."""
        return sum(len(ORBITALS[shell]) for _, shell in self.shells)

    @property
    def spins(self) -> int:
        """How often each spatial orbital is there: 2 with spin, else 1."""
        return 2 if self.spin else 1

    @property
    def labels(self) -> tuple[str, ...]:
        """One name per basis function: "0:px", or "0:px↑" with spin (site, orbital, spin)."""
        arrows = ("↑", "↓") if self.spin else ("",)
        names = [f"{site}:{orbital}" for site, shell in self.shells for orbital in ORBITALS[shell]]
        return tuple(name + arrow for name in names for arrow in arrows)

    @property
    def site_of(self) -> tuple[int, ...]:
        """The site of each basis function."""
        spatial = [site for site, shell in self.shells for _ in ORBITALS[shell]]
        return tuple(site for site in spatial for _ in range(self.spins))

    @property
    def sites(self) -> int:
        """One more than the largest site that has an orbital."""
        return max(site for site, _ in self.shells) + 1

    def spatial_slices(self) -> tuple[slice, ...]:
        """Where each shell sits among the spatial orbitals."""
        ends = [0]
        for _, shell in self.shells:
            ends.append(ends[-1] + len(ORBITALS[shell]))
        return tuple(slice(a, b) for a, b in itertools.pairwise(ends))
