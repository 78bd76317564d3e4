"""The orbitals of a cell and their order.

A shell is a full set of 2l+1 real harmonics, in this order:

| shell | orbitals                          |
|-------|-----------------------------------|
| s     | s                                 |
| p     | px, py, pz                        |
| d     | d3z2-r2, dzx, dyz, dx2-y2, dxy    |
| l ≥ 3 | m = 0, 1c, 1s, 2c, 2s, … (c ∝ cos mφ, s ∝ sin mφ), as for d |

All are positive in the direction that names them. Spin, if there is one, is the fastest index: up, then down.
"""

import itertools

import equinox as eqx

from orbiphon._checks import check_choice
from orbiphon.errors import InputError

SHELLS = {"s": 0, "p": 1, "d": 2}
"""The angular momentum of each shell by name."""

ORBITALS = {"s": ("s",), "p": ("px", "py", "pz"), "d": ("d3z2-r2", "dzx", "dyz", "dx2-y2", "dxy")}
"""The names of the orbitals of each shell, in order."""


class Basis(eqx.Module):
    """Which shells sit on which atom, in order, and whether the electrons have a spin.

    **Arguments:** `shells`: pairs (site, shell), such as `((0, "s"), (0, "p"), (1, "d"))`; `spin`.

    **Raises:** `InputError` for an unknown shell, a negative site, or a shell that is there twice.
    """

    shells: tuple[tuple[int, str], ...] = eqx.field(static=True, converter=lambda s: tuple((i, l) for i, l in s))
    spin: bool = eqx.field(static=True, default=False)

    def __check_init__(self) -> None:
        for site, shell in self.shells:
            check_choice("shells", shell, tuple(SHELLS))
            if site < 0:
                raise InputError(f"Argument `shells` must name sites from 0 on, but has site {site}. Count from 0.")
        if len(set(self.shells)) != len(self.shells) or not self.shells:
            raise InputError(
                f"Argument `shells` must hold each (site, shell) once and at least one, but is {self.shells}. "
                f"Remove what is there twice."
            )

    @property
    def size(self) -> int:
        """The number of basis functions, spin included."""
        return self.spatial_size * self.spins

    @property
    def spatial_size(self) -> int:
        """The number of basis functions without spin."""
        return sum(2 * SHELLS[shell] + 1 for _, shell in self.shells)

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
            ends.append(ends[-1] + 2 * SHELLS[shell] + 1)
        return tuple(slice(a, b) for a, b in itertools.pairwise(ends))
