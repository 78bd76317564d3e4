"""Files as phono3py writes them: kappa-m444.hdf5."""

import warnings

import numpy as np

from lattices import honeycomb, honeycomb_springs
from orbiphon import units
from orbiphon.crystal import Crystal, Lattice
from orbiphon.phonons import Spring, spring_model

THZ = 2 * np.pi * units.THz
SIDE = 4.0


def caesium_chloride():
    crystal = Crystal(Lattice(SIDE * np.eye(3)), SIDE * np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), ("Cs", "Cl"))
    springs = [Spring(SIDE * np.sqrt(3) / 2, 3.0, 0.4), Spring(SIDE, 0.7, 0.1)]
    return spring_model(crystal, np.array([133.0, 35.5]) * units.amu, springs)


def screw():
    """Three atoms along a screw of order three: chiral, without inversion, in a hexagonal cell."""
    vectors = np.array([[4.0, 0, 0], [-2.0, 2.0 * np.sqrt(3), 0], [0, 0, 5.0]])
    reduced = np.array([[0.22, 0, 0], [0, 0.22, 1 / 3], [-0.22, -0.22, 2 / 3]])
    crystal = Crystal(Lattice(vectors), reduced @ vectors, ("Te",) * 3)
    tau = np.asarray(crystal.positions)
    lengths = [float(np.linalg.norm(tau[1] - tau[0])), 4.0, 5.0]
    springs = [Spring(length, *k) for length, k in zip(lengths, ((6.0, 1.0), (2.0, 0.6), (1.5, 0.4)), strict=True)]
    return spring_model(crystal, np.full(3, 127.0) * units.amu, springs)


def layer():
    return honeycomb_springs(honeycomb())


def irreducible(phonons, mesh):
    """spglib's irreducible points: reduced (q 3), weights (q,), addresses of all points and to which they belong."""
    import spglib

    vectors = np.asarray(phonons.crystal.lattice.vectors)
    if len(vectors) == 2:
        vectors = np.vstack([vectors, [0, 0, 30.0]])
    kinds = [sorted(set(phonons.crystal.species)).index(name) for name in phonons.crystal.species]
    cell = (vectors, np.asarray(phonons.crystal.positions) @ np.linalg.inv(vectors), kinds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        mapping, grid = spglib.get_ir_reciprocal_mesh(mesh, cell, is_shift=[0, 0, 0])
    first, belongs, weight = np.unique(mapping, return_inverse=True, return_counts=True)
    return grid[first] / np.array(mesh), weight, grid % np.array(mesh), belongs


def write_kappa(path, phonons, mesh, gamma, temperature=(200.0, 300.0, 400.0), whole=False, **further):
    """`gamma` (THz) of temperature (t, 1, 1) and frequency (1, q, band) in THz; `whole`: a file without symmetry."""
    import h5py

    reduced, weight, addresses, _ = irreducible(phonons, mesh)
    if whole:
        reduced, weight = addresses / np.array(mesh), np.ones(len(addresses), int)
    reciprocal = np.asarray(phonons.crystal.lattice.reciprocal)
    frequency = np.asarray(phonons.modes(reduced[:, : len(reciprocal)] @ reciprocal).frequency) / THZ
    kelvin = np.array(temperature)[:, None, None]
    values = np.array(np.broadcast_to(gamma(kelvin, frequency[None]), (len(kelvin), *frequency.shape)))
    values[:, np.all(reduced == 0.0, axis=1), :3] = 0.0  # not calculated
    data = {
        "temperature": np.array(temperature), "mesh": np.array(mesh), "frequency": frequency, "gamma": values,
        "qpoint": reduced, "weight": weight, "kappa": np.ones((len(temperature), 6)),
    } | further  # fmt: skip
    with h5py.File(path, "w") as file:
        for name, array in data.items():
            file.create_dataset(name, data=array)
