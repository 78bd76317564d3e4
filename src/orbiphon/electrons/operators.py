"""Angular momentum, quadrupoles and spin in the orbital basis, with their behaviour under time reversal and inversion.

Everything is made of L (ħ = 1; S43–S50):

    Q^{ab} = {L_a, L_b},    Q^{x²−y²} = L_x² − L_y²,    Q^{3z²−r²} = (3L_z² − l(l+1)) / √3,    J = L + S,    M = L + 2S.

In real harmonics time reversal is complex conjugation (times iσ_y on the spin), and inversion is (−1)^l. L is imaginary
and keeps l, so it is odd under the first and even under the second; products of two L are even under both.
"""

import equinox as eqx
import numpy as np
from jaxtyping import Complex

from orbiphon._checks import check_choice, check_hermitian, check_shape
from orbiphon._types import OrbitalMatrix
from orbiphon.crystal import is_concrete
from orbiphon.crystal.concrete import as_complex
from orbiphon.electrons.orbitals import SHELLS, Basis, kept_orbitals
from orbiphon.errors import InputError


class Observable(eqx.Module):
    """A hermitian operator that is summed over the orbitals of a cell.

    **Arguments:** `name`; `matrix` (orbital orbital); `time_reversal` and `inversion`: +1 or −1, its parities; `unit`.
    """

    name: str = eqx.field(static=True)
    matrix: OrbitalMatrix = eqx.field(converter=as_complex)
    time_reversal: int = eqx.field(static=True)
    inversion: int = eqx.field(static=True)
    unit: str = eqx.field(static=True)

    def __check_init__(self) -> None:
        check_shape("matrix", self.matrix, "orbital orbital", self.matrix.shape[:1] * 2 or (1, 1))
        if is_concrete(self.matrix):
            check_hermitian("matrix", np.asarray(self.matrix))
        for name, parity in (("time_reversal", self.time_reversal), ("inversion", self.inversion)):
            if parity not in (1, -1):
                raise InputError(f"Argument `{name}` must be 1 or -1, but is {parity!r}. State the operator's parity.")


def orbital_momentum(l: int) -> Complex[np.ndarray, "xyz orbital orbital"]:
    """L_x, L_y, L_z (in ħ) of one shell, in the order of real harmonics given in `orbitals`; any l ≥ 0.

    For p orbitals (L_a)_bc = −i ε_abc (S48–S50). **Raises:** `InputError` for a negative l.
    """
    if l < 0:
        raise InputError(f"Argument `l` must not be negative, but is {l}. Give 0 for s, 1 for p, 2 for d, …")
    # In |l,m>, m = l…−l:  L_z = m,  <m+1|L_+|m> = √(l(l+1) − m(m+1)).
    m = np.arange(l, -l - 1, -1)
    raising = np.diag(np.sqrt(l * (l + 1) - m[1:] * (m[1:] + 1)), 1).astype(complex)
    spherical = np.stack([(raising + raising.T) / 2, (raising - raising.T) / 2j, np.diag(m).astype(complex)])

    # Real harmonics (Condon–Shortley phase):  mc = ((−1)^m |m> + |−m>)/√2,  ms = ((−1)^m |m> − |−m>)/(√2 i).
    rows = [np.eye(2 * l + 1, dtype=complex)[l]]  # m = 0
    for n in range(1, l + 1):
        plus, minus = np.eye(2 * l + 1)[[l - n, l + n]]
        rows += [((-1) ** n * plus + minus) / np.sqrt(2), ((-1) ** n * plus - minus) / (np.sqrt(2) * 1j)]
    if l == 1:  # z, x, y -> x, y, z
        rows = rows[1:] + rows[:1]
    real = np.array(rows)
    momentum = real.conj() @ spherical @ real.T

    # Between real functions L = −i r×∇ is i times a real antisymmetric matrix: drop the rounding that says otherwise.
    imaginary = np.imag(momentum)
    antisymmetric = (imaginary - imaginary.transpose(0, 2, 1)) / 2
    if l == 1:
        antisymmetric = np.rint(antisymmetric)
    return 1j * antisymmetric


def spin_momentum() -> Complex[np.ndarray, "xyz spin spin"]:
    """S_x, S_y, S_z (in ħ) of one electron: half the Pauli matrices, up first."""
    return np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2


def shell_quadrupoles(l: int) -> dict[str, np.ndarray]:
    """The five quadrupoles of a shell (in ħ²) by name: Qxy, Qyz, Qzx, Qx2-y2, Q3z2-r2; (S43–S47) for any l."""
    x, y, z = orbital_momentum(l)
    return {
        "Qxy": x @ y + y @ x,
        "Qyz": y @ z + z @ y,
        "Qzx": z @ x + x @ z,
        "Qx2-y2": x @ x - y @ y,
        "Q3z2-r2": (3 * z @ z - l * (l + 1) * np.eye(2 * l + 1)) / np.sqrt(3),
    }


_AXES = {"x": 0, "y": 1, "z": 2}
_QUADRUPOLES = ("Qxy", "Qyz", "Qzx", "Qx2-y2", "Q3z2-r2")
OBSERVABLES = (*(kind + axis for kind in "LSJM" for axis in "xyz"), *_QUADRUPOLES, "number")
"""The names that `observable` knows. J = L + S; M = L + 2S, the magnetic moment over −μ_B."""


def observable(basis: Basis, name: str) -> Observable:
    """The operator of that name in a basis: one of Lx…Lz, Sx…Sz, Jx…Jz, Mx…Mz (M = L + 2S), Qxy, Qyz, Qzx, Qx2-y2,
    Q3z2-r2, number.

    **Raises:** `InputError` for an unknown name, or for S, J, M in a basis without spin.
    """
    check_choice("observables", name, OBSERVABLES)
    if name[0] in "SJM" and not basis.spin:
        raise InputError(
            f"Argument `observables` must not need spin in a basis without, but is {name!r}. "
            f"Use Basis(..., spin=True), or an orbital operator such as 'L{name[-1]}'."
        )
    identity = np.eye(basis.spatial_size)
    if name == "number":
        return Observable(name, _with_spin(basis, identity), time_reversal=1, inversion=1, unit="1")
    if name in _QUADRUPOLES:
        matrix = _on_shells(basis, {l: shell_quadrupoles(l)[name] for l in SHELLS.values()})
        return Observable(name, _with_spin(basis, matrix), time_reversal=1, inversion=1, unit="hbar^2")
    axis = _AXES[name[1]]
    orbital = _on_shells(basis, {l: orbital_momentum(l)[axis] for l in SHELLS.values()})
    orbital_weight, spin_weight = {"L": (1, 0), "S": (0, 1), "J": (1, 1), "M": (1, 2)}[name[0]]
    matrix = orbital_weight * _with_spin(basis, orbital)
    if spin_weight:
        matrix = matrix + spin_weight * np.kron(identity, spin_momentum()[axis])
    return Observable(name, matrix, time_reversal=-1, inversion=1, unit="hbar")


def of_site(basis: Basis, measured: Observable, site: int) -> Observable:
    """The part of an observable that one site has, called `Lz@1` for Lz of site 1; the parts add up to the whole.

    Orbitals of different sites must not be mixed by it, as those of `observable` do not. **Raises:** `InputError` for a
    site without orbitals.
    """
    here = np.array(basis.site_of) == site
    if not np.any(here):
        raise InputError(f"Argument `site` must be one with orbitals, {sorted(set(basis.site_of))}, but is {site}.")
    matrix = np.asarray(measured.matrix) * np.outer(here, here)
    return Observable(
        f"{measured.name}@{site}", matrix, measured.time_reversal, inversion=measured.inversion, unit=measured.unit
    )


def spin_orbit_matrix(basis: Basis, shell: tuple[int, str]) -> Complex[np.ndarray, "orbital orbital"]:
    """L·S of one (site, shell), embedded in the whole basis. **Raises:** `InputError` without spin or such a shell."""
    if not basis.spin or shell not in basis.shells:
        raise InputError(
            f"Argument `spin_orbit` must name shells of a basis with spin, but names {shell}; the basis has "
            f"{basis.shells}, spin={basis.spin}. Use Basis(..., spin=True) and its (site, shell) pairs."
        )
    where = basis.spatial_slices()[basis.shells.index(shell)]
    matrix = np.zeros((basis.size, basis.size), dtype=complex)
    for momentum, spin in zip(orbital_momentum(SHELLS[shell[1]]), spin_momentum(), strict=True):
        spatial = np.zeros((basis.spatial_size,) * 2, dtype=complex)
        spatial[where, where] = _kept(momentum, shell[1])
        matrix += np.kron(spatial, spin)
    return matrix


def _on_shells(basis: Basis, by_l: dict[int, np.ndarray]) -> np.ndarray:
    matrix = np.zeros((basis.spatial_size,) * 2, dtype=complex)
    for (_, shell), where in zip(basis.shells, basis.spatial_slices(), strict=True):
        matrix[where, where] = _kept(by_l[SHELLS[shell]], shell)
    return matrix


def _kept(matrix: np.ndarray, shell: str) -> np.ndarray:
    """P O P: what a part of a shell has of an operator."""
    kept = np.array(kept_orbitals(shell))
    return matrix[np.ix_(kept, kept)]


def _with_spin(basis: Basis, spatial: np.ndarray) -> np.ndarray:
    return np.kron(spatial, np.eye(basis.spins))
