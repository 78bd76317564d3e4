"""Study files and a stand-in for the solver, for the tests of studies and of the command line."""

import numpy as np

from orbiphon import response
from orbiphon.response import Answer

THERMAL = """\
[electrons]
model = "square_p"
t_sigma = "-1.9 eV"
t_pi = "-2.0 eV"
pz_shift = "0 eV"
lattice_constant = "5 angstrom"

[state]
temperature = { start = "100 K", stop = "300 K", num = 3 }
fermi_level = ["-2.5 eV", "-1.5 eV"]

[coupling]
kind = "two_centre"

[phonons]
speed = "5000 m/s"
mass = "4e-26 kg"
direction = "x"

[drive]
kind = "thermal_injection"
transmission = 0.1
splitting = 0.1
q_domain = "sphere"

[response]
observables = ["Lx"]
order = 2
method = "adiabatic"
broadening = "0.01 eV"

[numerics]
rtol = 1e-4
"""

WAVE = (
    THERMAL[: THERMAL.index("[drive]")]
    + """\
[drive]
kind = "coherent_wave"
amplitude = "1 pm"
frequency = "1 GHz"

"""
    + THERMAL[THERMAL.index("[response]") :]
)


class FakeSolver:
    """Takes the place of `response.solve`: a value that tells every input apart, at once; may stop after some calls."""

    def __init__(self):
        self.calls = 0
        self.states = 0
        self.stop_after: int | None = None
        self.trouble: type[BaseException] = KeyboardInterrupt
        self.converged = True

    def __call__(self, problem, method, numerics=None, progress=None) -> Answer:
        if self.stop_after is not None and self.calls >= self.stop_after:
            raise self.trouble
        levels = problem.state.fermi_level if problem.state.filling is None else problem.state.filling
        levels, temperature = np.asarray(levels), np.asarray(problem.state.temperature)
        self.calls += 1
        self.states += levels.size * temperature.size
        shape = (levels.size, temperature.size)
        value = np.stack(
            [self.expected(levels[:, None], temperature, o) for o, _ in enumerate(problem.observables)], -1
        )
        return Answer(
            value=value * (1 + 1j) if problem.order == 1 else value,
            error=np.full(value.shape, 1e-3),
            fermi_level=np.broadcast_to(levels[:, None], shape).astype(float),
            temperature=temperature,
            points=np.full(shape, 7),
            converged=np.full(shape, self.converged),
            observables=tuple(o.name for o in problem.observables),
            unit=tuple(o.unit for o in problem.observables),
            method=method.name,
            coupling=problem.coupling_kind,
            order=problem.order,
            broadening=float(method.broadening),
            description="made up",
        )

    @staticmethod
    def expected(level, temperature, observable: int = 0):
        return 1000.0 * level + temperature + 0.5 * observable


def install(monkeypatch) -> FakeSolver:
    """Replace the solver, and the preparation that only compiles."""
    solver = FakeSolver()
    monkeypatch.setattr(response, "solve", solver)
    for method in (response.Adiabatic, response.Published):
        monkeypatch.setattr(method, "prepare", lambda self, problem: None)
    return solver
