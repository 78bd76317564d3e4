"""What cannot be asked is refused before any work; what cannot be reached is flagged, with an honest error."""

import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.coupling import Coupling, Quadrupole, TwoCentre
from orbiphon.drives import CoherentWave, GaussianEnvelope, OnePhonon, Pulse, ThermalInjection
from orbiphon.electrons import Observable, TightBinding
from orbiphon.errors import InputError, ToleranceWarning
from orbiphon.models import square_p
from orbiphon.phonons import AcousticBranch
from orbiphon.response import (
    Adiabatic,
    Berry,
    ElectronState,
    Floquet,
    Keldysh,
    Kubo,
    Motion,
    Numerics,
    Perturbation,
    Problem,
    Published,
    solve,
    zone_map,
)
from systems import random_crystal

SOUND = AcousticBranch(speed=0.5, mass=1.0)
STATE = ElectronState(fermi_level=0.0, temperature=300.0)
SQUARE = square_p(-1.9, -2.0)
ONE, WAVE = OnePhonon(SOUND, q=0.1), CoherentWave(SOUND, amplitude=0.1, q=0.1)
THERMAL = ThermalInjection(SOUND, transmission=0.1, splitting=0.1, q_domain="sphere")
PULSE = Pulse(WAVE, GaussianEnvelope(centre=0.0, duration=10.0))


@pytest.fixture(autouse=True)
def no_work(monkeypatch, request):
    """Nothing may be evaluated on the zone while a question is refused."""
    if "refused" in request.node.name:
        for name in ("_compiled", "_values"):
            monkeypatch.setattr(f"orbiphon.zone.mean.{name}", _worked)


def _worked(*_, **__):
    raise AssertionError("worked before it refused")


def asked(drive=ONE, order=2, observables=("Lx",), coupling="two_centre", state=STATE):
    return Problem(SQUARE, drive, state, coupling=coupling, observables=observables, order=order)


class OneEnd(Coupling):
    """Only one end of each bond moves."""

    electrons: TightBinding

    def bonds(self, q, polarisation):
        e = polarisation[np.array(self.electrons.basis.site_of)]
        return jnp.sum(self.electrons.hopping_gradient * e[None, :, None, :], axis=-1)


class FewBonds(Coupling):
    """Not a matrix for every cell."""

    electrons: TightBinding

    def bonds(self, q, polarisation):
        return TwoCentre(self.electrons).bonds(q, polarisation)[1:]


def test_vertices_that_are_not_hermitian_are_refused():
    with pytest.raises(InputError, match=r"`coupling` must obey g\(k, q; e\) = g\(k\+q, -q; e\*\)†, but is off by"):
        asked(coupling=OneEnd(SQUARE))
    with pytest.raises(
        InputError, match=r"`coupling.bonds` must have the shape \(cell orbital orbital\) = \(5, 3, 3\)"
    ):
        asked(coupling=FewBonds(SQUARE))


@pytest.mark.parametrize("kind", [TwoCentre, Quadrupole])
def test_hermitian_vertices_pass(kind):
    assert asked(coupling=kind(SQUARE)).coupling_kind == kind.__name__


@pytest.mark.parametrize("seed", range(3))
def test_vertices_of_random_crystals_pass(seed):
    electrons = random_crystal(seed)
    Problem(electrons, ONE, STATE, coupling=TwoCentre(electrons), observables=("Lx",))


def measured(matrix):
    return Observable("O", matrix, time_reversal=-1, inversion=1, unit="hbar")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: asked(observables=[measured(np.zeros((4, 4)))]),
            r"`observables: O` .* \(3, 3\), but is of shape \(4, 4\)",
        ),
        (lambda: measured(np.triu(np.ones((3, 3)))), "`matrix` must be hermitian, but is off by 1"),
        (lambda: ElectronState(fermi_level=0.0, temperature=0.0), "`temperature` must be greater than zero, but is 0"),
        (
            lambda: solve(asked(order=1, drive=WAVE), Keldysh(0.1)),
            r"`keldysh` must be asked for order \(2,\), but is for 1",
        ),
        (lambda: solve(asked(order=1, drive=WAVE), Berry()), r"`berry` must be asked for order \(2,\), but is for 1"),
        (lambda: solve(asked(order=1, drive=WAVE), Perturbation()), r"`perturbation` must be asked for order \(2,\)"),
        (lambda: solve(asked(drive=WAVE), Kubo(0.1)), r"`kubo` must be asked for order \(1,\), but is for 2"),
        (lambda: zone_map(asked(order=1, drive=WAVE), Berry(), np.zeros((1, 2))), r"`berry` must be asked for order"),
        (lambda: asked(order=3), "`order` must be 1 or 2, but is 3"),
        *(
            (lambda method=method: solve(asked(drive=PULSE), method), "must not change in time here, but is a Pulse")
            for method in (Adiabatic(0.1), Berry(), Keldysh(0.1), Perturbation(), Published(0.1))
        ),
        *(
            (lambda method=method: solve(asked(drive=ONE), method), "`drive` must be a CoherentWave here, but is a One")
            for method in (Floquet(0.1), Motion(0.1))
        ),
        (lambda: solve(asked(order=1), Kubo(0.1)), "`drive` must be a CoherentWave here, but is a OnePhonon"),
        *(
            (
                lambda method=method: solve(asked(drive=THERMAL), method),
                "`drive` must hold waves along its direction only",
            )
            for method in (Keldysh(0.1), Perturbation())
        ),
        *(
            (
                lambda method=method: solve(asked(drive=WAVE, observables=["Qzx"]), method),
                "`observables` must be odd under time reversal at order 2, but Qzx is even",
            )
            for method in (Adiabatic(0.1), Berry(), Floquet(0.1), Keldysh(0.1), Motion(0.1), Perturbation())
        ),
    ],
)
def test_questions_without_an_answer_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.parametrize("broken", ["hopping", "hopping_gradient"])
def test_hoppings_that_are_not_hermitian_are_refused(broken):
    changed = np.array(getattr(SQUARE, broken))
    changed[0] += 0.1
    with pytest.raises(InputError, match=f"`{broken}` must be hermitian"):
        type(SQUARE)(**{**vars(SQUARE), broken: changed})


CHAIN = random_crystal(6, dim=1, sites=2)


@pytest.mark.parametrize("method", [Adiabatic(0.05), Keldysh(0.05), Perturbation(), Floquet(0.05, 1), Kubo(0.05)])
def test_a_tolerance_that_is_out_of_reach_is_flagged(method):
    drive = OnePhonon(SOUND, q=0.4) if 2 in method.orders and not isinstance(method, Floquet) else None
    drive = CoherentWave(SOUND, amplitude=0.01, q=0.4) if drive is None else drive
    order = max(method.orders)
    state = ElectronState(fermi_level=0.2, temperature=300.0)
    problem = Problem(CHAIN, drive, state, observables=("Lx",), order=order)
    with pytest.warns(ToleranceWarning, match="1 of 1 states missed rtol=1e-12 within max_points=600"):
        few = solve(problem, method, Numerics(rtol=1e-12, max_points=600, block=64))
    assert not few.converged.any() and few.points.max() <= 600
    assert "tolerance missed" in str(few)
    if isinstance(method, Perturbation):  # poles: the sum has no limit, and says so
        assert np.all(few.error > 1e-2 * np.abs(few.value))
        return
    many = solve(problem, method, Numerics(rtol=1e-6, block=256))
    assert np.all(np.abs(few.value - many.value) <= few.error + many.error)


def test_a_mesh_that_is_not_affordable_has_an_infinite_error():
    with pytest.warns(ToleranceWarning):
        answer = solve(asked(), Keldysh(0.001), Numerics(max_points=500, block=64))
    assert np.all(np.isinf(answer.error)) and not answer.converged.any()
    assert np.all(np.isfinite(answer.value))
