"""The response engine: ratios to its own eigensystems, to NumPy and SciPy, to WannierBerri, and of two cores to one.

    python benchmarks/engine.py [--data FOLDER] [--mesh 18] [--repeat 7]

Random hermitian hoppings to 18 neighbours, with 3, 8 and 16 orbitals; with `--data` the Wannier functions of the file
`*_tb.dat` in that folder as well. Everything but the last part runs on one core. All that is compared takes turns, and
the best time of each counts.

- Eigensystem: H(k) built and diagonalised, against NumPy's batched `eigh` of the same matrices, already built.
- First order: `Kubo` at finite q (two eigensystems per wave vector) and `Adiabatic` (one), against these eigensystems.
- Against WannierBerri, which has no response to a phonon: its anomalous Hall conductivity (internal terms, three
  components, nine Fermi levels at T = 0) against the same sum over states written here as an integrand of this package,
  with its Bloch sums and eigenstates, on the same mesh. WannierBerri visits each band near a Fermi level by itself, so
  its time depends on the window of the levels; the bands reach from -12 to 11 eV. `pip install wannierberri numba`;
  left out where it is missing. It is under the GPL and nothing else in this project uses it.
- Second order: the matrices M^+ and M^- of `Keldysh` from levels and vertex, against the formula of docs/theory.md 5.3
  as one would type it, 15 digammas of SciPy for each triple of bands; and against two eigensystems.
- Two cores against one: the mean of `Keldysh` over a mesh, as in any study.

Linux only: cores are chosen with `sched_setaffinity`.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Complex, Float
from scipy.special import digamma

import orbiphon as oph
from orbiphon import units
from orbiphon.crystal import Crystal, Lattice
from orbiphon.electrons.bloch import BlochSum, lattice_steps, rotated
from orbiphon.electrons.structure import Steps
from orbiphon.electrons.tight_binding import TightBinding, from_hoppings
from orbiphon.response.finite_wave import pumped
from orbiphon.response.first_order import amplitude, at_state, conserving, conserving_low_frequency
from orbiphon.response.wave_sum import wave_sum
from orbiphon.zone import AbstractIntegrand

BROADENING, KELVIN, UNIT = 0.01, 300.0, 2.0 * np.pi * units.k_B * 300.0
SHELLS = {
    3: ((0, "p"),),
    8: tuple((site, shell) for site in range(2) for shell in "sp"),
    16: tuple((site, shell) for site in range(4) for shell in "sp"),
}


def cores(wanted: set[int]) -> None:
    """All threads of this process on these cores."""
    for thread in os.listdir("/proc/self/task"):
        os.sched_setaffinity(int(thread), wanted)


def best(roads: list[Callable[[], object]], repeat: int) -> list[float]:
    """Seconds of each, taking turns, after one call for compilation."""
    taken: list[list[float]] = [[] for _ in roads]
    for _ in range(repeat + 1):
        for road, times in zip(roads, taken, strict=True):
            start = time.perf_counter()
            jax.block_until_ready(road())
            times.append(time.perf_counter() - start)
    return [min(times[1:]) for times in taken]


def say(what: str, ratio: float, goal: str, words: str) -> None:
    print(f"{what:58s} {ratio:8.2f}   goal {goal:8s} {words}", flush=True)


# === crystals


def random_crystal(orbitals: int) -> TightBinding:
    """Random hermitian H(R) for 19 lattice vectors, falling with the distance; nothing that a symmetry would cancel."""
    random, sites = np.random.default_rng(5), 1 + max(site for site, _ in SHELLS[orbitals])
    steps = np.array([n for n in itertools.product((-1, 0, 1), repeat=3) if np.abs(n).sum() <= 2])
    vectors = 4.0 * (np.eye(3) + 0.1 * random.uniform(-1, 1, (3, 3)))
    shape = (len(steps), orbitals, orbitals)
    hopping = (random.normal(size=shape) + 1j * random.normal(size=shape)) * 0.3 ** np.abs(steps).sum(1)[:, None, None]
    return _crystal(vectors, steps, 0.5 * (hopping + hopping[::-1].conj().swapaxes(1, 2)), sites)


def _crystal(vectors: np.ndarray, steps: np.ndarray, hopping: np.ndarray, sites: int) -> TightBinding:
    """`steps` hold every -R in reversed order; hoppings fall with the bond, -H d/|d|^2, so that there is a vertex."""
    orbitals = hopping.shape[1]
    positions = np.random.default_rng(6).uniform(0.1, 0.9, (sites, 3)) @ vectors
    crystal = Crystal(Lattice(vectors), positions, tuple(f"X{site}" for site in range(sites)))
    basis, cells = oph.Basis(SHELLS[orbitals]), steps @ vectors
    orbital = positions[np.array(basis.site_of)]
    bond = cells[:, None, None] + orbital[None, :, None] - orbital[None, None, :]
    gradient = -hopping[..., None] * bond / np.maximum(np.sum(bond**2, axis=-1), 1.0)[..., None]
    return from_hoppings(crystal, basis, cells, hopping, gradient)


def wannier_functions(path: Path) -> TightBinding:
    """H(R) of a `_tb.dat` file with 16 orbitals, read as orbitals on four made-up sites: only H(k) matters here."""
    lines = path.read_text().splitlines()
    vectors = np.array([line.split() for line in lines[1:4]], dtype=float)
    orbitals, count = int(lines[4]), int(lines[5])
    rows = -(-count // 15)
    weights = np.array(" ".join(lines[6 : 6 + rows]).split(), dtype=float)
    blocks = " ".join(lines[6 + rows :]).split()
    steps, hopping, size = [], np.zeros((count, orbitals, orbitals), complex), 3 + 4 * orbitals**2
    for cell in range(count):
        block = blocks[cell * size : (cell + 1) * size]
        steps.append([int(n) for n in block[:3]])
        table = np.array(block[3:], dtype=float).reshape(-1, 4)
        i, j = table[:, :2].astype(int).T - 1
        hopping[cell, i, j] = (table[:, 2] + 1j * table[:, 3]) / weights[cell]
    order = np.lexsort(np.array(steps).T)
    steps, hopping = np.array(steps)[order], hopping[order]
    return _crystal(vectors, steps, 0.5 * (hopping + hopping[::-1].conj().swapaxes(1, 2)), 4)


def random_phases(points: int) -> np.ndarray:
    """exp(-i k a_j), (dim, point)."""
    return np.exp(2j * np.pi * np.random.default_rng(7).uniform(size=(3, points)))


def block_of(orbitals: int) -> int:
    """Wave vectors at a time, as in a study."""
    return max(2**15 // orbitals**2, 64)


@eqx.filter_jit
def _sum(form: AbstractIntegrand, phases: Complex[Array, "dim point"]) -> Array:
    prepared = jax.lax.optimization_barrier(jax.vmap(form.prepare, in_axes=1)(phases))
    return jnp.sum(jax.vmap(form.respond)(prepared), axis=0)


# === eigensystem and first order


class Eigensystem(eqx.Module):
    """H(k), diagonalised."""

    electrons: TightBinding
    steps: Steps = eqx.field(static=True)

    @eqx.filter_jit
    def __call__(self, phases: Complex[Array, "dim point"]) -> tuple[list[Array], list[Array]]:
        return jax.vmap(lambda one: BlochSum(self.electrons, self.steps, one).states(), in_axes=1)(phases)

    @eqx.filter_jit
    def matrices(self, phases: Complex[Array, "dim point"]) -> Complex[Array, "point orbital orbital"]:
        orbitals = tuple(range(self.electrons.size))

        def at(one: Complex[Array, "dim"]) -> Complex[Array, "orbital orbital"]:
            return BlochSum(self.electrons, self.steps, one).block(self.electrons.hopping, orbitals, orbitals)

        return jax.vmap(at, in_axes=1)(phases)


def eigensystem(name: str, electrons: TightBinding, repeat: int) -> None:
    points = block_of(electrons.size)
    phases, diagonalise = jnp.asarray(random_phases(points)), Eigensystem(electrons, lattice_steps(electrons))
    matrices = np.asarray(diagonalise.matrices(phases))
    ours, numpys = best([lambda: diagonalise(phases), lambda: np.linalg.eigh(matrices)], 5 * repeat)
    words = f"{1e6 * ours / points:6.2f} us per k, NumPy {1e6 * numpys / points:6.2f}"
    say(f"eigensystem, {name}, times NumPy's", ours / numpys, "< 1.2" if electrons.size == 16 else "", words)


def problem(electrons: TightBinding, order: int) -> oph.Problem:
    sound = oph.AcousticBranch(speed=5000 * units.m / units.s, mass=4e-26 * units.kg)
    wave, state = oph.CoherentWave(sound, amplitude=0.01, q=0.3), oph.ElectronState(fermi_level=0.0, temperature=KELVIN)
    return oph.Problem(electrons, wave, state, observables=["Lx"], order=order)


def first_order(electrons: TightBinding, repeat: int) -> None:
    points = block_of(electrons.size)
    phases, diagonalise = jnp.asarray(random_phases(points)), Eigensystem(electrons, lattice_steps(electrons))
    for name, road, long_wave in (("Kubo", conserving, False), ("Adiabatic", conserving_low_frequency, True)):
        form = at_state(amplitude(problem(electrons, 1), road, long_wave=long_wave), BROADENING, 0.0, KELVIN)
        all_of_it, once = best([lambda form=form: _sum(form, phases), lambda: diagonalise(phases)], 5 * repeat)
        own = once if long_wave else 2.0 * once
        words = f"{1e6 * all_of_it / points:6.2f} us per k, eigensystems {1e6 * own / points:6.2f}"
        goal = "< 1.6" if electrons.size == 16 else ""
        say(f"first order, {name}, {electrons.size} bands, times its eigensystems", all_of_it / own, goal, words)


# === WannierBerri


class HallConductivity(AbstractIntegrand):
    """sum_n f_n Omega_n, three directions and all Fermi levels at T = 0; Omega^z_n = -2 Im sum_m v^x_nm v^y_mn/E^2."""

    electrons: TightBinding
    velocity: Complex[Array, "3 cell orbital orbital"]
    fermi_levels: Float[Array, "level"]
    steps: Steps = eqx.field(static=True)

    def prepare(self, phases: Complex[Array, "dim"]) -> tuple[Array, list[Array]]:
        bloch = BlochSum(self.electrons, self.steps, phases)
        (levels,), (vectors,) = bloch.states()
        orbitals = tuple(range(self.electrons.size))
        return levels, [rotated(bloch.block(v, orbitals, orbitals), vectors, vectors) for v in self.velocity]

    def respond(self, prepared: tuple[Array, list[Array]]) -> Float[Array, "component"]:
        levels, v = prepared
        gap = levels[:, None] - levels[None, :]
        weight = jnp.where(gap == 0.0, 0.0, 1.0 / jnp.where(gap == 0.0, 1.0, gap) ** 2)
        # Im v^a_nm v^b_mn with v hermitian
        terms = [v[a].imag * v[b].real - v[a].real * v[b].imag for a, b in ((1, 2), (2, 0), (0, 1))]
        curvature = jnp.stack([-2.0 * jnp.sum(term * weight, axis=1) for term in terms])
        filled = (levels[None, :] < self.fermi_levels[:, None]).astype(float)
        return (filled @ curvature.T).ravel()


def against_wannierberri(electrons: TightBinding, window: float, mesh: int, repeat: int) -> None:
    try:
        import wannierberri
        from wannierberri.calculators.static import AHC
    except ImportError:
        print("WannierBerri is not installed: comparison left out")
        return
    fermi_levels = np.linspace(-window, window, 9)
    cells, vectors = np.asarray(electrons.cells), np.asarray(electrons.crystal.lattice.vectors)
    velocity = -1j * cells.T[:, :, None, None] * np.asarray(electrons.hopping)[None]
    form = HallConductivity(electrons, jnp.asarray(velocity), jnp.asarray(fermi_levels), lattice_steps(electrons))
    kappa = np.stack(np.meshgrid(*[np.arange(mesh) / mesh] * 3, indexing="ij")).reshape(3, -1)
    phases, block = np.exp(-2j * np.pi * kappa), block_of(electrons.size)
    spare = -phases.shape[1] % block
    parts = np.split(np.concatenate([phases, np.ones((3, spare))], axis=1), (phases.shape[1] + spare) // block, axis=1)
    surplus = np.asarray(_sum(form, jnp.ones((3, block), complex))) * spare / block

    def ours() -> np.ndarray:
        sums = [_sum(form, jnp.asarray(part)) for part in parts]
        return (np.sum([np.asarray(one) for one in sums], axis=0) - surplus) / phases.shape[1]

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        _write(Path("model_tb.dat"), vectors, lattice_steps(electrons), np.asarray(electrons.hopping))
        system = wannierberri.system.System_R.from_tb_dat("model_tb.dat")
        grid = wannierberri.Grid(system, NK=mesh, NKFFT=6)
        calculators = {"ahc": AHC(Efermi=fermi_levels, kwargs_formula={"external_terms": False})}

        def theirs() -> np.ndarray:
            run = wannierberri.run(
                system, grid, calculators, use_irred_kpt=False, symmetrize=False, parallel=False, fout_name="out"
            )
            return np.asarray(run.results["ahc"].data)

        fast, slow = best([ours, theirs], max(repeat // 2, 2))
        mine, other = ours().reshape(len(fermi_levels), 3), theirs()
        os.chdir("/")
    # -(e^2/hbar) 1/V sum f Omega, in S/m with lengths in angstrom
    mine = -(1.602176634e-19**2 / 1.054571817646156e-34) * 1e10 / abs(np.linalg.det(vectors)) * mine
    difference, points = np.abs(mine - other).max() / np.abs(other).max(), mesh**3
    words = f"{1e6 * fast / points:6.2f} us per k, WannierBerri {1e6 * slow / points:6.1f}; differ by {difference:.1e}"
    say(f"Hall conductivity, levels within {window:g} eV, faster than WannierBerri", slow / fast, "> 8", words)


def _write(path: Path, vectors: np.ndarray, steps: Steps, hopping: np.ndarray) -> None:
    """A `_tb.dat` file whose orbitals all sit at the origin."""
    n = hopping.shape[1]
    pairs = [(i, j) for j in range(n) for i in range(n)]
    lines = ["random", *(" ".join(f"{x:.17g}" for x in row) for row in vectors), str(n), str(len(steps))]
    ones = ["1"] * len(steps)
    lines += [" ".join(ones[start : start + 15]) for start in range(0, len(ones), 15)]
    for step, matrix in zip(steps, hopping, strict=True):
        lines += ["", " ".join(map(str, step))]
        lines += [f"{i + 1} {j + 1} {matrix[i, j].real:.17g} {matrix[i, j].imag:.17g}" for i, j in pairs]
    for step in steps:
        lines += ["", " ".join(map(str, step)), *(f"{i + 1} {j + 1} 0 0 0 0 0 0" for i, j in pairs)]
    path.write_text("\n".join(lines) + "\n")


# === second order


def plain_second_order(vertex: np.ndarray, levels: np.ndarray, omega: float) -> list[np.ndarray]:
    """M^+ and M^- of one k and q (polarisation b a), K for each triple; energies from the Fermi level on, in eV."""

    def h(z: np.ndarray) -> np.ndarray:
        below = np.where(z.imag > 0, z.conj(), z)
        value = digamma(0.5 + 1j * below / UNIT) - 0.5j * np.pi
        return np.where(z.imag > 0, value.conj(), value)

    def divided(f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return f(x) / ((x - y) * (x - z)) + f(y) / ((y - x) * (y - z)) + f(z) / ((z - x) * (z - y))

    found = []
    for side, w, shift in ((0, vertex, omega), (1, vertex.conj().swapaxes(1, 2), -omega)):
        n = levels.shape[1]
        a, b = levels[side][:, None, None], levels[side][None, :, None]
        apart = 5e-6 * np.eye(n)[:, :, None]  # the formula has 0/0 on the diagonal
        a, b, c = np.broadcast_arrays(a - apart, b + apart, levels[1 - side][None, None, :])
        za, zb, zc = a - 1j * BROADENING, b - 1j * BROADENING, c + shift - 1j * BROADENING
        d = lambda *z, shift=shift: divided(lambda x: h(x) - h(x - shift), *z)  # noqa: E731
        edge = d(zb, zc, za.conj()) - d(zb, zc.conj(), za.conj())
        k = -divided(h, za, zb, zc).imag / np.pi - 0.5j / np.pi * edge
        found.append(np.einsum("pbc,pac,abc->pba", w, w.conj(), k))
    return found


def second_order(electrons: TightBinding, repeat: int) -> None:
    points, n = block_of(electrons.size), electrons.size
    form = wave_sum(problem(electrons, 2), pumped).excess(0, BROADENING, 0.0, 0)
    phases, diagonalise = jnp.asarray(random_phases(points)), Eigensystem(electrons, lattice_steps(electrons))
    levels, _, vertex = jax.jit(lambda phases: jax.vmap(form.prepare, in_axes=1)(phases))(phases)
    omega = float(form.frequency[0])

    @jax.jit
    def ours(vertex: Array, levels: Array) -> Array:
        state = jnp.asarray([omega / UNIT]), jnp.asarray(BROADENING / UNIT)
        return jax.vmap(lambda g, e: pumped(g, e / UNIT, *state))(vertex, levels)

    some = 4
    few = [(np.asarray(vertex[i, 0]), np.asarray(levels[i])) for i in range(some)]
    fast, own, slow = best(
        [
            lambda: ours(vertex, levels),
            lambda: diagonalise(phases),
            lambda: [plain_second_order(*one, omega) for one in few],
        ],
        2 * repeat,
    )
    ours_few = np.asarray(ours(vertex[:some], levels[:some]))[:, :, 0] / UNIT**2
    plain = np.array([plain_second_order(*one, omega) for one in few])
    difference = np.abs(ours_few - plain).max() / np.abs(plain).max()
    fast, own, slow = 1e6 * fast / points, 2e6 * own / points, 1e6 * slow / some
    goal = {8: "> 100", 16: "> 200"}.get(n, "")
    words = f"{fast:6.2f} us per (k, q), plain {slow:8.0f}; differ by {difference:.0e}"
    say(f"second order, {n} bands, times faster than NumPy and SciPy", slow / fast, goal, words)
    words = f"eigensystems {own:6.2f} us per (k, q)"
    say(f"second order, {n} bands, times its two eigensystems", fast / own, "< 2" if n == 16 else "", words)


def two_cores(electrons: TightBinding, repeat: int) -> None:
    form = wave_sum(problem(electrons, 2), pumped).excess(0, BROADENING, 0.0, 0)
    block = block_of(electrons.size)
    parts = [jnp.asarray(random_phases(block)) for _ in range(24)]

    def mean() -> list[np.ndarray]:
        return [np.asarray(one) for one in [_sum(form, part) for part in parts]]

    mean()
    one, two = [], []
    for _ in range(3 * repeat):
        for wanted, times in (({0}, one), ({0, 1}, two)):
            cores(wanted)
            start = time.perf_counter()
            mean()
            times.append(time.perf_counter() - start)
    cores({0})
    say(f"Keldysh, {electrons.size} bands, two cores times faster than one", min(one) / min(two), "> 1.35", "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder with a `_tb.dat` file of 16 Wannier functions")
    parser.add_argument("--mesh", type=int, default=18, help="points per axis against WannierBerri")
    parser.add_argument("--repeat", type=int, default=7)
    given = parser.parse_args()
    cores({0})
    crystals = [random_crystal(n) for n in SHELLS]
    for electrons in crystals:
        eigensystem(f"{electrons.size} bands", electrons, given.repeat)
    for path in sorted(given.data.glob("*_tb.dat")) if given.data else ():
        eigensystem(path.stem, wannier_functions(path), given.repeat)
    for electrons in crystals:
        first_order(electrons, given.repeat)
    for electrons in crystals:
        second_order(electrons, given.repeat)
    for electrons in crystals:
        two_cores(electrons, given.repeat)
    for window in (0.1, 1.0, 10.0):
        against_wannierberri(crystals[-1], window, given.mesh, given.repeat)


if __name__ == "__main__":
    main()
