"""From `[drive]` to the classes of `orbiphon.drives`: one function for each kind."""

from collections.abc import Callable
from typing import Any

from orbiphon import drives
from orbiphon.drives import AbstractDrive
from orbiphon.study.drive_sections import ENVELOPES, envelope_keys

Given = dict[str, float]
"""The quantities of `[drive]` in internal units, by key."""


def _thermal_injection(table: Any, phonons: Any, given: Given) -> AbstractDrive:
    return drives.ThermalInjection(phonons, q_domain=table.q_domain, **given)


def _one_phonon(table: Any, phonons: Any, given: Given) -> AbstractDrive:
    return drives.OnePhonon(phonons, chirality=int(given.pop("chirality")), **given)


def _coherent_wave(table: Any, phonons: Any, given: Given) -> drives.CoherentWave:
    return drives.CoherentWave(phonons, chirality=int(given.pop("chirality")), **given)


def _pulse(table: Any, phonons: Any, given: Given) -> AbstractDrive:
    shape = {key: given.pop(key) for key in envelope_keys(table.envelope) if key in given}
    del given["time"]
    return drives.Pulse(wave=_coherent_wave(table, phonons, given), envelope=ENVELOPES[table.envelope](**shape))


DRIVERS: dict[str, Callable[[Any, Any, Given], AbstractDrive]] = {
    "thermal_injection": _thermal_injection,
    "one_phonon": _one_phonon,
    "coherent_wave": _coherent_wave,
    "pulse": _pulse,
}
