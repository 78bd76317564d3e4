"""The published kernel A_k, (21), on a mesh of the zone: NumPy, numba and orbiphon, one after the other.

    python benchmarks/published_kernel.py [--mesh 4000] [--blocks 16384 32768 65536] [--repeat 5]

All compute the same number: the mean of A_k of the paper's model, `complex_powers`, over mesh x mesh points.

- NumPy, plain: (21) as one would type it, on arrays of the whole mesh (some 2.5 GB for 4000 x 4000).
- NumPy, by rows: tuned by hand, a row of the mesh at a time so that it stays in the cache, in real numbers.
- numba: the same loop compiled, parallel over rows. `pip install numba`; left out where it is missing.
- orbiphon: the zone sum of the general program, which knows nothing of this model: H(k) from hopping matrices, weights
  from operators and couplings. "All points" visits the same points as the others; "folded" uses the mirrors that the
  program finds by itself, as every real sum does, and visits a quarter of them. The script checks that all agree.

All take turns, and the best time of each counts; the first call, with compilation, is printed apart.
"""

import argparse
import time
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

import orbiphon as oph
from orbiphon import units
from orbiphon.phonons import circular_polarisation
from orbiphon.response.kernels import PUBLISHED
from orbiphon.response.long_wave import at_state, integrand
from orbiphon.zone import Mesh
from orbiphon.zone.mean import _mesh_mean

T_SIGMA, T_PI, FERMI_LEVEL, TEMPERATURE, BROADENING = -1.9, -2.0, -1.5, 300.0, 0.01
THERMAL = units.k_B * TEMPERATURE


def plain_numpy(mesh: int) -> float:
    """(21) as one would type it."""
    c_x, c_y = np.meshgrid(*[np.cos(2 * np.pi * (np.arange(mesh) + 0.5) / mesh)] * 2, indexing="ij")
    e_x, e_y = 2 * (T_SIGMA * c_x + T_PI * c_y), 2 * (T_PI * c_x + T_SIGMA * c_y)
    e_z = 2 * T_PI * (c_x + c_y)
    f_x, f_y, f_z = (1 / (np.exp((e - FERMI_LEVEL) / THERMAL) + 1) for e in (e_x, e_y, e_z))
    xy, xz, yz = (1 / (e + 1j * BROADENING) for e in (e_x - e_y, e_x - e_z, e_y - e_z))
    xy2, xz2 = (xy**2).real, (xz**2).real
    return float(np.mean(f_x * (xy.real * xz2 + xz.real * xy2) - f_y * yz.real * xy2 + f_z * yz.real * xz2))


def numpy_by_rows(mesh: int) -> float:
    """The same without complex numbers, with as few operations as in the other programs, and in the cache."""
    cosine = np.cos(2 * np.pi * (np.arange(mesh) + 0.5) / mesh)
    square = BROADENING**2
    total = 0.0
    for c_x in cosine:
        e_x, e_y = 2 * (T_SIGMA * c_x + T_PI * cosine), 2 * (T_PI * c_x + T_SIGMA * cosine)
        e_z = 2 * T_PI * (c_x + cosine)
        f_x, f_y, f_z = (1 / (np.exp((e - FERMI_LEVEL) / THERMAL) + 1) for e in (e_x, e_y, e_z))
        xy, xz, yz = e_x - e_y, e_x - e_z, e_y - e_z
        s_xy, s_xz, s_yz = (1 / (e * e + square) for e in (xy, xz, yz))
        p_xy, p_xz = (e * e - square for e in (xy, xz))
        p_xy, p_xz = p_xy * s_xy * s_xy, p_xz * s_xz * s_xz
        r_yz = yz * s_yz
        total += np.sum(f_x * (xy * s_xy * p_xz + xz * s_xz * p_xy) - f_y * r_yz * p_xy + f_z * r_yz * p_xz)
    return total / mesh**2


def compiled_numba() -> Callable[[int], float] | None:
    """The same as a parallel loop, or None without numba."""
    try:
        import numba
    except ImportError:
        return None

    t_sigma, t_pi, level, thermal, gamma2 = T_SIGMA, T_PI, FERMI_LEVEL, THERMAL, BROADENING**2

    @numba.njit(parallel=True, fastmath=True)
    def kernel(mesh: int) -> float:
        cosine = np.cos(2 * np.pi * (np.arange(mesh) + 0.5) / mesh)
        rows = np.zeros(mesh)
        for i in numba.prange(mesh):
            c_x, row = cosine[i], 0.0
            for j in range(mesh):
                e_x = 2 * (t_sigma * c_x + t_pi * cosine[j])
                e_y = 2 * (t_pi * c_x + t_sigma * cosine[j])
                e_z = 2 * t_pi * (c_x + cosine[j])
                f_x = 1 / (np.exp((e_x - level) / thermal) + 1)
                f_y = 1 / (np.exp((e_y - level) / thermal) + 1)
                f_z = 1 / (np.exp((e_z - level) / thermal) + 1)
                xy, xz, yz = e_x - e_y, e_x - e_z, e_y - e_z
                s_xy, s_xz, s_yz = 1 / (xy * xy + gamma2), 1 / (xz * xz + gamma2), 1 / (yz * yz + gamma2)
                p_xy, p_xz = (xy * xy - gamma2) * s_xy * s_xy, (xz * xz - gamma2) * s_xz * s_xz
                r_yz = yz * s_yz
                row += f_x * (xy * s_xy * p_xz + xz * s_xz * p_xy) - f_y * r_yz * p_xy + f_z * r_yz * p_xz
            rows[i] = row
        return rows.sum() / mesh**2

    return kernel


def orbiphon_sum(mirrors: tuple[bool, bool], block: int) -> Callable[[int], float]:
    """The zone sum of the general program; 8 (t_sigma - t_pi)^2 A_k is its integrand for one quantum per q^2/2M."""
    metal = oph.models.square_p(t_sigma=T_SIGMA, t_pi=T_PI)
    sound = oph.AcousticBranch(speed=5000 * units.m / units.s, mass=4e-26 * units.kg)
    drive = oph.ThermalInjection(sound, transmission=0.1, splitting=0.1, q_domain="line")
    state = oph.ElectronState(fermi_level=FERMI_LEVEL, temperature=TEMPERATURE)
    problem = oph.Problem(metal, drive, state, coupling="quadrupole")
    form = integrand(problem, PUBLISHED["complex_powers"], circular_polarisation("x", 1)[None])
    form = at_state(form, jnp.ones((1, 1)), BROADENING, FERMI_LEVEL, TEMPERATURE)
    scale = 8 * (T_SIGMA - T_PI) ** 2
    return lambda mesh: float(_mesh_mean(form, Mesh((mesh, mesh), mirrors), block)[0][0]) / scale


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mesh", type=int, default=4000)
    parser.add_argument("--blocks", type=int, nargs="+", default=[2**15])
    parser.add_argument("--repeat", type=int, default=7)
    given = parser.parse_args()

    roads: dict[str, Callable[[int], float]] = {"NumPy, plain": plain_numpy, "NumPy, by rows": numpy_by_rows}
    if (loop := compiled_numba()) is not None:
        roads["numba, parallel"] = loop
    for block in given.blocks:
        roads[f"orbiphon, all points, block {block}"] = orbiphon_sum((False, False), block)
        roads[f"orbiphon, folded, block {block}"] = orbiphon_sum((True, True), block)

    values: dict[str, float] = {}
    times: dict[str, list[float]] = {name: [] for name in roads}
    for _ in range(given.repeat + 1):
        for name, road in roads.items():
            start = time.perf_counter()
            values[name] = road(given.mesh)
            times[name].append(time.perf_counter() - start)

    best = {name: min(taken[1:]) for name, taken in times.items()}
    rivals = [name for name in roads if not name.startswith("orbiphon")]
    print(f"mean A_k in 1/eV^3, {given.mesh} x {given.mesh} points; best of {given.repeat}; times faster than ...")
    print(f"{'':38s} {'value':>18s} {'time/s':>8s} {'first/s':>8s}", *(f"{name:>16s}" for name in rivals))
    for name in roads:
        ratios = (f"{best[rival] / best[name]:16.2f}" for rival in rivals)
        print(f"{name:38s} {values[name]:18.12f} {best[name]:8.3f} {times[name][0]:8.3f}", *ratios)
    assert np.ptp(list(values.values())) < 1e-8 * abs(values["NumPy, plain"]), values


if __name__ == "__main__":
    main()
