"""arXiv:2511.11272 (Sato, Kato, Manchon): its Figs. 3(a), 3(b), 4 and the numbers that it quotes.

Each curve is a study of the moment per phonon, kept in `studies/`; thermal injection with any q domain only weighs it:

    <L_x> per site = sum_q (n^+ - n^-) m_q,    m_q = 4 (t_sigma - t_pi)^2 q_x^2 <A>/M     (24), with theory.md's C'.

The weights are sums over both chiralities; on this lattice m changes sign with the chirality, exactly.

Thermal phonons are no long waves: `Keldysh` sums m_q itself over the line of all q (docs/theory.md 5.3). That takes
minutes per temperature, so that it is done only when asked.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from orbiphon import models, units
from orbiphon._version import __version__
from orbiphon.drives import ThermalInjection
from orbiphon.electrons import density_of_states, electron_number, fermi_level_for
from orbiphon.phonons import AcousticBranch
from orbiphon.study.claim import claim
from orbiphon.study.config import read_study
from orbiphon.study.provenance import provenance
from orbiphon.study.run import run as run_study
from orbiphon.study.store import remove
from orbiphon.study.table import write_csv

T_SIGMA, T_PI, FERMI_LEVEL, LATTICE_CONSTANT = -1.9, -2.0, -1.5, 5.0
TEMPERATURES = (50, 100, 150, 200, 250, 300, 350, 400, 450, 500)
FERMI_LEVELS = (-2.5, -2.0, -1.5)
T_PIS = (-1.9, -2.0, -2.1)
SHIFTS = tuple(round(0.02 * i, 2) for i in range(-15, 26))
FIG4_TEMPERATURE = 200.0

KELDYSH_TEMPERATURES = ()
KELDYSH_RTOL = 1e-2

Q = 0.001  # 1/angstrom: any value serves, the moment goes as its square

COMMON = f"""
[phonons]
speed = "5000 m/s"
mass = "4e-26 kg"

[drive]
kind = "one_phonon"
q = "{Q} 1/angstrom"

[numerics]
rtol = 2e-4
"""

INJECTION = f"""
[phonons]
speed = "5000 m/s"
mass = "4e-26 kg"

[drive]
kind = "thermal_injection"
transmission = 0.1
splitting = 0.1
q_domain = "line"

[numerics]
rtol = {KELDYSH_RTOL}
"""

FIGURES = ("fig3a", "fig3b", "fig4")
CURVES = (("quadrupole", '["published", "adiabatic"]'), ("two_centre", '["adiabatic"]'))
ROWS = (
    ("published", "quadrupole", "sphere"),
    ("adiabatic", "quadrupole", "sphere"),
    ("adiabatic", "quadrupole", "line"),
    ("adiabatic", "two_centre", "sphere"),
    ("adiabatic", "two_centre", "line"),
)
KELDYSH = {"method": "keldysh", "coupling": "two_centre", "q_domain": "line"}
MARK = "reproduction.json"


@dataclass(frozen=True)
class Curve:
    """Moments per phonon of one figure: swept columns (point,), `moment` and `error` (point,) by (method, coupling)."""

    columns: dict[str, np.ndarray]
    moment: dict[tuple[str, str], np.ndarray]
    error: dict[tuple[str, str], np.ndarray]


def run(out: Path, quiet: bool = False, overwrite: bool = False, full: bool = False) -> bool:
    """Compute everything into the folder `out`; whether every tolerance was met.

    `full`: at finite wave vectors too, at every temperature. What is finished stays, and the same call goes on from
    there. Raises `InputError` for a folder that is not its own.
    """
    names = ("studies", *(f"{figure}.zarr" for figure in FIGURES))
    claim(out, MARK, {"paper": "sato2025", "version": __version__}, names, overwrite)
    accurate = True
    curves = {}
    for figure in FIGURES:
        parts = []
        for coupling, methods in CURVES:
            for name, text in _texts(figure, coupling, methods).items():
                report = run_study(read_study(text, name=name), out / "studies" / name, quiet=quiet)
                accurate &= report.missed == 0
                parts.append((coupling, report.folder, {}))
            if figure == "fig3b":  # its middle curve is one of Fig. 3(a)
                parts.append((coupling, out / "studies" / f"fig3a_{coupling}", {"fermi_level_eV": FERMI_LEVEL}))
        curves[figure] = _curve(figure, parts)
    thermal, reached = _thermal(out / "studies", TEMPERATURES if full else KELDYSH_TEMPERATURES, quiet)
    for figure, curve in curves.items():
        _write_figure(out, figure, curve, thermal)
    _write_summary(out, curves["fig3a"], thermal)
    return accurate and reached


def metal(t_pi: float = T_PI, pz_shift: float = 0.0) -> Any:
    """The paper's electrons."""
    return models.square_p(t_sigma=T_SIGMA, t_pi=t_pi, lattice_constant=LATTICE_CONSTANT, pz_shift=pz_shift)


def injection(q_domain: str) -> ThermalInjection:
    """The paper's phonons, from one of the q domains that it leaves open."""
    sound = AcousticBranch(speed=5000 * units.m / units.s, mass=4e-26 * units.kg, direction="x")
    return ThermalInjection(sound, transmission=0.1, splitting=0.1, q_domain=q_domain)


def weights(q_domain: str, temperature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """sum_q (n^+ - n^-) q_x^2/Q^2 per site at each temperature (K), and its error: what multiplies the moment at Q."""
    modes = injection(q_domain).modes(metal().crystal, jnp.asarray(temperature, dtype=jnp.float64))
    total = np.asarray(jnp.sum(modes.excess * modes.along[None, None] ** 2, axis=-1)) / Q**2
    return total[:, 0] - total[:, 1], np.sum(np.abs(total) * np.asarray(modes.excess_error), axis=1)


def mean_curvature(moment: float) -> float:
    """<A> in 1/eV^3 from the moment per phonon at Q."""
    return moment * float(injection("line").branch.mass) / (4.0 * (T_SIGMA - T_PI) ** 2 * Q**2)


def _listed(numbers: Any, unit: str = "") -> str:
    if not unit:
        return "[" + ", ".join(repr(float(x)) for x in numbers) + "]"
    return "[" + ", ".join(f'"{float(x)!r} {unit}"' for x in numbers) + "]"


def _texts(figure: str, coupling: str, methods: str) -> dict[str, str]:
    """The studies of a figure with one coupling, by name."""
    name, temperatures = f"{figure}_{coupling}", _listed(TEMPERATURES, "K")
    if figure == "fig3a":
        return {name: _text(coupling, methods, temperatures, _listed(FERMI_LEVELS, "eV"))}
    if figure == "fig4":
        return {
            name: _text(
                coupling, methods, f'"{FIG4_TEMPERATURE} K"', f'"{FERMI_LEVEL} eV"', shift=_listed(SHIFTS, "eV")
            )
        }
    tied = '[sweep]\nzip = [["temperature", "fermi_level"]]'
    return {
        f"{name}_{t_pi}": _text(
            coupling, methods, temperatures, _listed(fermi_levels(t_pi), "eV"), t_pi=t_pi, sweep=tied
        )
        for t_pi in T_PIS
        if t_pi != T_PI
    }


@lru_cache
def fermi_levels(t_pi: float) -> tuple[float, ...]:
    """Fig. 3(b): at each temperature the level (eV) that keeps the filling of t_pi = -2.0, Fermi level -1.5 eV."""
    fillings = [electron_number(metal(), FERMI_LEVEL, float(t)).value[0] for t in TEMPERATURES]
    return tuple(fermi_level_for(metal(t_pi), float(n), float(t)) for n, t in zip(fillings, TEMPERATURES, strict=True))


def _text(
    coupling: str,
    methods: str,
    temperature: str,
    fermi_level: str,
    *,
    t_pi: float = T_PI,
    shift: str = '"0 eV"',
    sweep: str = "",
    common: str = COMMON,
) -> str:
    """A study file."""
    return f"""
[electrons]
model = "square_p"
t_sigma = "{T_SIGMA} eV"
t_pi = "{t_pi} eV"
pz_shift = {shift}
lattice_constant = "{LATTICE_CONSTANT} angstrom"

[state]
temperature = {temperature}
fermi_level = {fermi_level}

[coupling]
kind = "{coupling}"

[response]
method = {methods}
broadening = "0.01 eV"
{common}
{sweep}
"""


def _curve(figure: str, parts: list[tuple[str, Path, dict[str, float]]]) -> Curve:
    """The moments of a figure from (coupling, folder, selection) of its studies."""
    import xarray

    columns: dict[str, dict[str, list[np.ndarray]]] = {}
    moment, error = {}, {}
    for coupling, folder, selection in parts:
        data = xarray.open_zarr(folder / "result.zarr").load().sel({"observable": "Lx", **selection})
        if "method" not in data.dims:
            data = data.expand_dims({"method": [data.attrs["method"]]})
        for method in map(str, data["method"].values):
            one = data.sel({"method": method})
            moment.setdefault((method, coupling), []).append(one["value"].values.ravel())
            error.setdefault((method, coupling), []).append(one["error"].values.ravel())
            swept = columns.setdefault(f"{method} {coupling}", {name: [] for name in _COLUMNS[figure]})
            for name in swept:
                swept[name].append(_column(one, name))
    joined = {name: np.concatenate(pieces) for name, pieces in next(iter(columns.values())).items()}
    return Curve(joined, *({key: np.concatenate(pieces) for key, pieces in x.items()} for x in (moment, error)))


_COLUMNS = {
    "fig3a": ("temperature_K", "fermi_level_eV"),
    "fig3b": ("temperature_K", "t_pi_eV", "fermi_level_eV"),
    "fig4": ("pz_shift_eV",),
}


def _column(data: Any, name: str) -> np.ndarray:
    """A quantity at every point: swept, or fixed by the study."""
    if name in data.coords:
        return np.asarray(data[name].broadcast_like(data["value"]).transpose(*data["value"].dims)).ravel()
    config = json.loads(data.attrs["config"])["electrons"]
    return np.full(data["value"].size, float(config[name.removesuffix("_eV")]["value"]))


Thermal = dict[float, tuple[float, float]]
"""<L_x> per site and its error by temperature (K), at finite wave vectors."""


def _thermal(studies: Path, temperatures: tuple[int, ...], quiet: bool) -> tuple[Thermal, bool]:
    """Thermal injection with `Keldysh`; one study per temperature, so that a longer curve uses a shorter one."""
    import xarray

    found, accurate = {}, True
    for kelvin in temperatures:
        name = f"keldysh_{kelvin}K"
        text = _text("two_centre", '"keldysh"', f'"{kelvin} K"', f'"{FERMI_LEVEL} eV"', common=INJECTION)
        report = run_study(read_study(text, name=name), studies / name, quiet=quiet)
        accurate &= report.missed == 0
        data = xarray.open_zarr(report.folder / "result.zarr").load().sel({"observable": "Lx"})
        found[float(kelvin)] = float(data["value"].values.item()), float(data["error"].values.item())
    return found, accurate


def _thermal_rows(figure: str, thermal: Thermal) -> Iterator[dict[str, Any]]:
    """Those of its points that belong to the figure."""
    for kelvin, (value, error) in thermal.items():
        state = {"temperature_K": kelvin, "t_pi_eV": T_PI, "fermi_level_eV": FERMI_LEVEL, "pz_shift_eV": 0.0}
        if figure != "fig4" or kelvin == FIG4_TEMPERATURE:
            swept = {name: state[name] for name in _COLUMNS[figure]}
            yield {**swept, **KELDYSH, "Lx_per_site": value, "error": error}


def _rows(figure: str, curve: Curve) -> Iterator[dict[str, Any]]:
    """The rows of a figure's table."""
    size = len(next(iter(curve.columns.values())))
    temperature = curve.columns.get("temperature_K", np.full(size, FIG4_TEMPERATURE))
    for method, coupling, q_domain in ROWS:
        weight, weight_error = weights(q_domain, temperature)
        moment, error = curve.moment[method, coupling], curve.error[method, coupling]
        value, error = weight * moment, np.abs(weight) * error + weight_error * np.abs(moment)
        for i in range(size):
            swept = {name: float(numbers[i]) for name, numbers in curve.columns.items()}
            labels = {"method": method, "coupling": coupling, "q_domain": q_domain}
            yield {**swept, **labels, "Lx_per_site": float(value[i]), "error": float(error[i])}


def _write_figure(out: Path, figure: str, curve: Curve, thermal: Thermal) -> None:
    rows = [*_rows(figure, curve), *_thermal_rows(figure, thermal)]
    write_csv(out / f"{figure}.csv", rows)
    _write_zarr(out / f"{figure}.zarr", rows, {"Lx_per_site": "hbar", "error": "hbar"})


def _write_zarr(path: Path, rows: list[dict[str, Any]], unit: dict[str, str]) -> None:
    """The same table as arrays along `row`."""
    import xarray

    columns = {name: [row[name] for row in rows] for name in rows[0]}
    words = {name for name, column in columns.items() if any(isinstance(x, str) and x for x in column)}
    arrays = {
        name: np.array(column, dtype=object) if name in words else np.array([np.nan if x == "" else x for x in column])
        for name, column in columns.items()
    }
    data = xarray.Dataset({name: ("row", array) for name, array in arrays.items()}, attrs=provenance())
    for name, word in unit.items():
        data[name].attrs["units"] = word
    data.attrs |= {"paper": "arXiv:2511.11272", "broadening": 0.01, "broadening_unit": "eV"}
    remove(path)
    data.to_zarr(path, mode="w", zarr_format=2)


def _write_summary(out: Path, fig3a: Curve, thermal: Thermal) -> None:
    rows = list(_summary(fig3a, thermal))
    write_csv(out / "summary.csv", rows)
    _write_zarr(out / "summary.zarr", rows, {})


def _summary(fig3a: Curve, thermal: Thermal) -> Iterator[dict[str, Any]]:
    """The numbers that the paper quotes, beside ours."""
    keys = {"published": ("published", "quadrupole"), "adiabatic": ("adiabatic", "quadrupole")}
    keys["adiabatic_two_centre"] = ("adiabatic", "two_centre")
    electrons = metal()

    def at(temperature: float) -> dict[str, float]:
        here = (fig3a.columns["temperature_K"] == temperature) & (fig3a.columns["fermi_level_eV"] == FERMI_LEVEL)
        return {name: float(fig3a.moment[key][here][0]) for name, key in keys.items()}

    def row(quantity: str, unit: str, q_domain: str, paper: Any, values: dict[str, float]) -> dict[str, Any]:
        known = {name: values.get(name, "") for name in (*keys, "keldysh")}
        return {"quantity": quantity, "unit": unit, "q_domain": q_domain, "paper": paper, **known}

    states = float(density_of_states(electrons, FERMI_LEVEL, 300.0, rtol=1e-5).value[0])
    for q_domain in ("sphere", "line"):
        weight = {t: float(weights(q_domain, np.array([t]))[0][0]) for t in (300.0, 400.0)}
        moment = {t: {name: weight[t] * m for name, m in at(t).items()} for t in weight}
        if q_domain == KELDYSH["q_domain"]:
            for t in weight.keys() & thermal.keys():
                moment[t]["keldysh"] = thermal[t][0]
        per_kelvin = {t: {name: m / t for name, m in moment[t].items()} for t in weight}
        flux = _flux(q_domain)
        yield row("Lx_over_T_300K", "hbar/K", q_domain, "", per_kelvin[300.0])
        yield row("Lx_over_T_400K", "hbar/K", q_domain, -8e-10, per_kelvin[400.0])
        yield row("energy_flux", "W/m^2", q_domain, "", {name: flux[name] for name in moment[300.0]})
        efficiency = {name: m / flux[name] for name, m in moment[300.0].items()}
        yield row("efficiency", "hbar m^2/W", q_domain, -1.5e-17, efficiency)
        yield row("chemical_potential", "eV", q_domain, 4e-7, {n: m / states for n, m in moment[300.0].items()})
    yield row("mean_A", "1/eV^3", "", "", {name: mean_curvature(m) for name, m in at(300.0).items()})
    yield row("dos_fermi", "1/eV", "", 0.6, dict.fromkeys(keys, states))


def _flux(q_domain: str) -> dict[str, float]:
    """Energy flux at 300 K in W/m^2: the paper's high-temperature form, and the full expression."""
    crystal, temperature = metal().crystal, jnp.array([300.0])
    unit = units.W / units.m**2
    published = float(injection(q_domain).energy_flux_high_temperature(crystal, temperature)[0]) / unit
    full = float(injection(q_domain).energy_flux(crystal, temperature)[0]) / unit
    return {"published": published, "adiabatic": full, "adiabatic_two_centre": full, "keldysh": full}
