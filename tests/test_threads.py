"""Threads: XLA can hang for ever where matrix products and eigensystems share a pool of few, and OpenBLAS takes a
hundred times longer over small eigensystems when it shares them out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SECONDS = 120  # it takes about five; with NPROC=2 it hangs
PROGRAM = """
from concurrent.futures import ThreadPoolExecutor
import equinox, jax.numpy as jnp, numpy as np
import orbiphon
from orbiphon.electrons.bloch import BlochSum, lattice_steps
from orbiphon.zone import AbstractIntegrand, zone_mean
from systems import random_crystal

class Weights(AbstractIntegrand):
    electrons: orbiphon.TightBinding
    steps: tuple = equinox.field(static=True)

    def prepare(self, phases):
        return BlochSum(self.electrons, self.steps, phases).states()

    def respond(self, states):  # the weights of the orbitals in exp(-H), by matrix products
        (levels,), (vectors,) = states
        return jnp.diag((vectors * jnp.exp(-levels).astype(complex)[None, :]) @ jnp.conj(vectors).T).real

electrons = random_crystal(1, dim=3)
form = Weights(electrons, lattice_steps(electrons))
mean = lambda _: zone_mean(form, start=(24, 24, 24), rtol=1e-9, max_points=100_000, block=4096).value
alone = mean(0)
with ThreadPoolExecutor(2) as threads:
    for value in threads.map(mean, range(8)):
        np.testing.assert_allclose(value, alone, rtol=1e-12)
print("done")
"""


def run(**environment: str) -> str:
    tests = str(Path(__file__).parent)
    path = os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])
    inherited = {name: value for name, value in os.environ.items() if name != "NPROC"}
    command = [sys.executable, "-c", PROGRAM]
    found = subprocess.run(
        command, env=inherited | {"PYTHONPATH": path} | environment, capture_output=True, text=True, timeout=SECONDS
    )
    return found.stdout or found.stderr


def test_two_threads_do_not_wait_for_each_other_for_ever():
    assert run() == "done\n"


THREADS = """
import ctypes
import orbiphon, scipy.linalg.cython_lapack
maps = open("/proc/self/maps").read().split()
library = next(path for path in maps if "scipy.libs" in path and "openblas" in path)
print(ctypes.CDLL(library).scipy_openblas_get_num_threads())
"""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="the system does not tell which libraries are loaded")
def test_openblas_leaves_the_threads_to_us():
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    found = subprocess.run([sys.executable, "-c", THREADS], env=environment, capture_output=True, text=True)
    assert found.stdout == "1\n", found.stderr
