import jax
import jax.numpy as jnp
import numpy as np
import pytest

from orbiphon.errors import InputError
from orbiphon.phonons import (
    AcousticBranch,
    circular_polarisation,
    direction_vector,
    elliptical_polarisation,
    transverse_basis,
)

AXES = {"x": ("y", "z"), "y": ("z", "x"), "z": ("x", "y")}


@pytest.mark.parametrize("direction", AXES)
def test_basis_of_the_axes_is_cyclic(direction):
    for found, expected in zip(transverse_basis(direction), AXES[direction], strict=True):
        np.testing.assert_array_equal(found, direction_vector(expected))


@pytest.mark.parametrize("seed", range(5))
def test_basis_is_a_right_handed_triad(seed):
    n = np.random.default_rng(seed).normal(size=3)
    e1, e2 = transverse_basis(n)
    triad = np.stack([e1, e2, direction_vector(n)])
    np.testing.assert_allclose(triad @ triad.T, np.eye(3), atol=1e-14)
    assert np.linalg.det(triad) > 0.99


@pytest.mark.parametrize("chirality", [1, -1])
@pytest.mark.parametrize("q", [0.3, -0.3])
def test_circular_wave_is_equation_8(chirality, q):
    # u(t) = cos(qR − ωt) e_y + λ sin(qR − ωt) e_z
    e = np.asarray(circular_polarisation("x", chirality)) * np.sqrt(2)
    for cell, time in ((0.0, 0.4), (1.7, 0.0), (2.0, 1.0)):
        phase = q * cell - time
        np.testing.assert_allclose(
            np.real(e * np.exp(1j * phase)), [0, np.cos(phase), chirality * np.sin(phase)], atol=1e-14
        )


@pytest.mark.parametrize("direction", ["x", "y", "z", (1.0, -2.0, 0.5)])
def test_angular_momentum_of_a_quantum_is_minus_chirality(direction):
    # l = −i e* × e, along the direction (theory: λ = +1 carries −ħ whatever the sign of q)
    for chirality in (1, -1):
        e = np.asarray(circular_polarisation(direction, chirality))
        np.testing.assert_allclose(np.vdot(e, e), 1.0)
        np.testing.assert_allclose(
            -1j * np.cross(e.conj(), e), -chirality * np.asarray(direction_vector(direction)), atol=1e-14
        )


def test_ellipse_goes_from_linear_to_circular():
    e1, _ = transverse_basis("y")
    np.testing.assert_array_equal(elliptical_polarisation("y", -1, 0.0), e1)
    np.testing.assert_allclose(elliptical_polarisation("y", -1, 1), circular_polarisation("y", -1))
    e = np.asarray(elliptical_polarisation("x", 1, 0.5))
    np.testing.assert_allclose(e, np.array([0, 1, -0.5j]) / np.sqrt(1.25))
    turned = jax.jit(lambda n, eps: elliptical_polarisation(n, 1, eps))(jnp.array([1.0, 0.0, 0.0]), 0.5)
    np.testing.assert_allclose(turned, e)


def test_bad_polarisations_are_refused():
    with pytest.raises(InputError, match="`chirality` must be 1 or -1, but is 2"):
        circular_polarisation("x", 2)
    with pytest.raises(InputError, match="`ellipticity` must be between 0"):
        elliptical_polarisation("x", 1, 1.5)
    with pytest.raises(InputError, match="`ellipticity` must not be negative"):
        elliptical_polarisation("x", 1, -0.5)
    with pytest.raises(InputError, match="`direction` must be one of 'x', 'y', 'z', but is 'w'"):
        transverse_basis("w")
    with pytest.raises(InputError, match="`direction` must not be the zero vector"):
        transverse_basis((0.0, 0.0, 0.0))
    with pytest.raises(InputError, match=r"`direction` must have the shape \(xyz\)"):
        transverse_basis((1.0, 0.0))


def test_acoustic_branch():
    branch = AcousticBranch(speed=2.0, mass=3.0, direction=(0.0, 0.0, 4.0))
    np.testing.assert_allclose(branch.frequency(jnp.array([0.0, -0.5, 1.0])), [0.0, 1.0, 2.0])
    np.testing.assert_array_equal(branch.direction, [0, 0, 1])
    np.testing.assert_array_equal(AcousticBranch(2.0, 3.0).direction, [1, 0, 0])


@pytest.mark.parametrize(("arguments", "name"), [((0.0, 1.0), "speed"), ((1.0, 0), "mass"), ((-1.0, 1.0), "speed")])
def test_bad_branches_are_refused(arguments, name):
    with pytest.raises(InputError, match=f"`{name}` must be greater than zero"):
        AcousticBranch(*arguments)
