"""Response by brute force: matrices in the orbital basis, energy integrals on a grid; the maths is in tests/README.md.

No eigenstates, no divided differences, no sectors: nothing of the package but the real-space matrices of a model.
"""

import numpy as np
from scipy.special import expit

from orbiphon.units import k_B


def bonds(electrons):
    """d = R + tau_i - tau_j, (cell, i, j, xyz)."""
    tau = np.asarray(electrons.orbital_positions)
    return np.asarray(electrons.cells)[:, None, None] + tau[:, None] - tau[None]


def bloch(electrons, k):
    """H(k) with the phases of the atoms."""
    return np.sum(np.asarray(electrons.hopping) * np.exp(-1j * bonds(electrons) @ k), axis=0)


def vertex(electrons, k, q, polarisation):
    """g_ij(k, q) = sum_R grad_ij . [e e^{-ik d} - e e^{-i(k+q) d}], the same e on every atom."""
    slope, d = np.asarray(electrons.hopping_gradient) @ polarisation, bonds(electrons)
    return np.sum(slope * (np.exp(-1j * d @ k) - np.exp(-1j * d @ (k + q))), axis=0)


def strain(electrons, k, direction, polarisation):
    """dg/d|q| at q = 0."""
    slope, d = np.asarray(electrons.hopping_gradient) @ polarisation, bonds(electrons)
    return np.sum(slope * 1j * (d @ direction) * np.exp(-1j * d @ k), axis=0)


def energies(step=0.006, reach=15.0, scale=0.1):
    """Grid and weights of an integral over all energies: trapezoids in t, e = scale sinh t."""
    t = np.arange(-reach, reach, step)
    return scale * np.sinh(t), step * scale * np.cosh(t)


def green(hamiltonian, e, broadening):
    """G^R(e), (energy, i, j)."""
    one = np.eye(len(hamiltonian))
    return np.linalg.inv((e + 1j * broadening)[:, None, None] * one - hamiltonian)


def adjoint(matrix):
    return np.conj(np.swapaxes(matrix, -1, -2))


def second_order(hamiltonian, gamma, observable, broadening, fermi_level, temperature):
    """sum_abc O_ab [gamma_bc gamma*_ac - gamma*_cb gamma_ca] K'(a, b, c) as a trace.

    K' = -(i/2 pi) int { -f [R_b R_c^2 R_a - c.c.-type] + f' [R_b R_c A_a - R_b A_c A_a] }
    """
    e, weight = energies()
    r = green(hamiltonian, e, broadening)
    a = adjoint(r)
    f = expit((fermi_level - e) / (k_B * temperature))
    slope = -f * (1 - f) / (k_B * temperature)

    def pumped(w):
        sea = r @ w @ r @ r @ adjoint(w) @ r - a @ w @ a @ a @ adjoint(w) @ a
        edge = r @ w @ (r - a) @ adjoint(w) @ a
        inner = -f[:, None, None] * sea + slope[:, None, None] * edge
        return -1j / (2 * np.pi) * np.sum(weight[:, None, None] * inner, axis=0)

    return np.trace(observable @ (pumped(gamma) - pumped(adjoint(gamma)))).real


def first_order(above, below, g, observable, omega, broadening, fermi_level, temperature):
    """-i int de/2 pi Tr O G^<(e, e - omega), G^< = G^R g G^<_0 + G^<_0 g G^A, G^<_0 = f (G^A - G^R)."""
    e, weight = energies()
    e = e + fermi_level
    r_a, r_b = green(above, e, broadening), green(below, e - omega, broadening)
    f_a, f_b = (expit((fermi_level - x) / (k_B * temperature))[:, None, None] for x in (e, e - omega))
    lesser = r_a @ g @ (f_b * (adjoint(r_b) - r_b)) + f_a * (adjoint(r_a) - r_a) @ g @ adjoint(r_b)
    return -1j / (2 * np.pi) * np.sum(weight * np.einsum("ij,eji->e", observable, lesser))


def absorbed(above, below, vertices, observable, omega, broadening, fermi_level, temperature):
    """Hermitian part of sum_s O_ab W^j_bc W^i*_ac D(a, b, c; s omega), (i, j), for vertices g^i between two H(k).

    D = -(i/2 pi) int de [f(e) - f(e - omega)] R_b (R_c - A_c)(e - omega) (A_a - R_a); W = g at s = 1, g^+ at -1.
    """
    e, weight = energies()
    e = e + fermi_level
    total = np.zeros((len(vertices), len(vertices)), complex)
    for own, other, shift in ((above, below, omega), (below, above, -omega)):
        r, moved = green(own, e, broadening), green(other, e - shift, broadening)
        left, middle = observable @ r, moved - adjoint(moved)
        right = adjoint(r) - r
        f, f_less = (expit((fermi_level - x) / (k_B * temperature)) for x in (e, e - shift))
        for i, j in np.ndindex(total.shape):
            # a displacement alpha_i: g alpha at s = 1, but g^+ alpha* at s = -1
            first, second = (vertices[j], vertices[i].conj().T) if shift > 0 else (vertices[i].conj().T, vertices[j])
            product = np.einsum("eij,eji->e", left @ first @ middle, second @ right)
            total[i, j] += -1j / (2 * np.pi) * np.sum(weight * (f - f_less) * product)
    return (total + total.conj().T) / 2
