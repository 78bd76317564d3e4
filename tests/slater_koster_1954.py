"""Table I of Slater and Koster, Phys. Rev. 94, 1498 (1954), typed in term by term; see README.md."""

import numpy as np

# Column order of each shell, as in `orbiphon.electrons.orbitals`.
_NAMES = {0: ["s"], 1: ["x", "y", "z"], 2: ["z2", "zx", "yz", "x2", "xy"]}
_ROOT3 = np.sqrt(3)


def _sp_and_sd(n):
    l, m, n = n
    return {
        ("s", "s"): [1],
        ("s", "x"): [l],
        ("s", "y"): [m],
        ("s", "z"): [n],
        ("s", "xy"): [_ROOT3 * l * m],
        ("s", "yz"): [_ROOT3 * m * n],
        ("s", "zx"): [_ROOT3 * n * l],
        ("s", "x2"): [_ROOT3 / 2 * (l**2 - m**2)],
        ("s", "z2"): [n**2 - (l**2 + m**2) / 2],
    }


def _pp_and_pd(n):
    table = {}
    axes, planes = "xyz", ["xy", "yz", "zx"]
    for a in range(3):  # a, b, c is a cyclic permutation of x, y, z
        b, c = (a + 1) % 3, (a + 2) % 3
        l, m, n_ = n[a], n[b], n[c]
        table[axes[a], axes[a]] = [l**2, 1 - l**2]
        table[axes[a], axes[b]] = table[axes[b], axes[a]] = [l * m, -l * m]
        table[axes[a], planes[a]] = [_ROOT3 * l**2 * m, m * (1 - 2 * l**2)]
        table[axes[a], planes[b]] = [_ROOT3 * l * m * n_, -2 * l * m * n_]
        table[axes[a], planes[c]] = [_ROOT3 * l**2 * n_, n_ * (1 - 2 * l**2)]
    l, m, n = n
    d2, r2 = l**2 - m**2, l**2 + m**2
    axial = n**2 - r2 / 2
    table["x", "x2"] = [_ROOT3 / 2 * l * d2, l * (1 - d2)]
    table["y", "x2"] = [_ROOT3 / 2 * m * d2, -m * (1 + d2)]
    table["z", "x2"] = [_ROOT3 / 2 * n * d2, -n * d2]
    table["x", "z2"] = [l * axial, -_ROOT3 * l * n**2]
    table["y", "z2"] = [m * axial, -_ROOT3 * m * n**2]
    table["z", "z2"] = [n * axial, _ROOT3 * n * r2]
    return table


def _dd(n):
    table = {}
    planes = ["xy", "yz", "zx"]
    for a in range(3):
        l, m, n_ = n[a], n[(a + 1) % 3], n[(a + 2) % 3]
        table[planes[a], planes[a]] = [3 * l**2 * m**2, l**2 + m**2 - 4 * l**2 * m**2, n_**2 + l**2 * m**2]
        table[planes[a], planes[(a + 1) % 3]] = [
            3 * l * m**2 * n_,
            l * n_ * (1 - 4 * m**2),
            l * n_ * (m**2 - 1),
        ]
    l, m, n = n
    d2, r2 = l**2 - m**2, l**2 + m**2
    axial = n**2 - r2 / 2
    table["xy", "x2"] = [1.5 * l * m * d2, -2 * l * m * d2, l * m * d2 / 2]
    table["yz", "x2"] = [1.5 * m * n * d2, -m * n * (1 + 2 * d2), m * n * (1 + d2 / 2)]
    table["zx", "x2"] = [1.5 * n * l * d2, n * l * (1 - 2 * d2), -n * l * (1 - d2 / 2)]
    table["xy", "z2"] = [_ROOT3 * l * m * axial, -2 * _ROOT3 * l * m * n**2, _ROOT3 / 2 * l * m * (1 + n**2)]
    table["yz", "z2"] = [_ROOT3 * m * n * axial, _ROOT3 * m * n * (r2 - n**2), -_ROOT3 / 2 * m * n * r2]
    table["zx", "z2"] = [_ROOT3 * l * n * axial, _ROOT3 * l * n * (r2 - n**2), -_ROOT3 / 2 * l * n * r2]
    table["x2", "x2"] = [0.75 * d2**2, r2 - d2**2, n**2 + d2**2 / 4]
    table["x2", "z2"] = [_ROOT3 / 2 * d2 * axial, -_ROOT3 * n**2 * d2, _ROOT3 / 4 * (1 + n**2) * d2]
    table["z2", "z2"] = [axial**2, 3 * n**2 * r2, 0.75 * r2**2]
    table.update({(second, first): value for (first, second), value in list(table.items())})
    return table


def table_block(bond, l_end, l_start, integrals):
    """t[end, start] for integrals (V_σ, V_π, …): E_{start,end}(n), or E_{end,start}(−n) if the start has higher l."""
    n = np.asarray(bond) / np.linalg.norm(bond)
    first, second = sorted((l_end, l_start))
    if l_start > l_end:
        n = -n
    table = {**_sp_and_sd(n), **_pp_and_pd(n), **_dd(n)}
    matrix = np.array([[np.dot(table[a, b], integrals[: first + 1]) for b in _NAMES[second]] for a in _NAMES[first]])
    return matrix if l_start > l_end else matrix.T
