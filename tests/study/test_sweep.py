"""How swept quantities combine into points, groups and columns."""

import numpy as np
import pytest
from studies import THERMAL, WAVE

from orbiphon.errors import InputError
from orbiphon.study import plan, read_study

TWO_SHIFTS = THERMAL.replace('pz_shift = "0 eV"', 'pz_shift = ["0 eV", "100 meV"]')


def test_a_product_in_file_order():
    found = plan(read_study(TWO_SHIFTS))
    assert found.dims == ("pz_shift_eV", "temperature_K", "fermi_level_eV")
    assert found.shape == (2, 3, 2) and found.size == 12


def test_temperature_and_fermi_level_stay_in_one_group():
    groups = list(plan(read_study(TWO_SHIFTS)).groups())
    assert [where[0] for where, _ in groups] == [0, 1]
    for (where, values), shift in zip(groups, (0.0, 0.1), strict=True):
        assert where[1:] == (slice(None), slice(None))
        assert values["electrons.pz_shift"] == (shift,)
        assert values["state.temperature"] == (100.0, 200.0, 300.0)
        assert values["state.fermi_level"] == (-2.5, -1.5)


def test_groups_cover_every_point_once():
    found = plan(read_study(TWO_SHIFTS))
    count = np.zeros(found.shape)
    for where, _ in found.groups():
        count[where] += 1
    assert np.all(count == 1)


def test_tied_quantities_share_an_axis():
    text = TWO_SHIFTS + '[sweep]\nzip = [["pz_shift", "state.fermi_level"]]\n'
    found = plan(read_study(text))
    assert found.dims == ("pz_shift_eV", "temperature_K") and found.shape == (2, 3)
    pairs = [(values["electrons.pz_shift"], values["state.fermi_level"]) for _, values in found.groups()]
    assert pairs == [((0.0,), (-2.5,)), ((0.1,), (-1.5,))]


def test_temperature_tied_to_fermi_level_is_no_product():
    text = THERMAL.replace("num = 3", "num = 2") + '[sweep]\nzip = [["fermi_level", "temperature"]]\n'
    found = plan(read_study(text))
    assert found.size == 2
    states = [(values["state.temperature"], values["state.fermi_level"]) for _, values in found.groups()]
    assert states == [((100.0,), (-2.5,)), ((300.0,), (-1.5,))]


def test_columns_of_every_unit():
    text = WAVE.replace('"1 GHz"', '["1 GHz", "2 GHz"]').replace('"1 pm"', '["1 pm", "2 pm"]')
    text = text.replace('"5000 m/s"', '["5 km/s", "4 km/s"]').replace('"4e-26 kg"', '["4e-26 kg", "5e-26 kg"]')
    text = text.replace("frequency =", "ellipticity = [0.5, 1.0]\nfrequency =")
    found = plan(read_study(text))
    assert found.dims == (
        *("temperature_K", "fermi_level_eV", "speed_m_per_s", "mass_kg"),
        *("amplitude_angstrom", "ellipticity", "frequency_THz"),
    )


def test_two_temperatures_have_two_columns():
    text = THERMAL.replace("splitting", 'temperature = ["1 K", "2 K"]\nsplitting')
    assert plan(read_study(text)).dims == ("temperature_K", "fermi_level_eV", "drive_temperature_K")


def test_a_single_point():
    text = THERMAL.replace('{ start = "100 K", stop = "300 K", num = 3 }', '"300 K"')
    found = plan(read_study(text.replace('["-2.5 eV", "-1.5 eV"]', '"-1.5 eV"')))
    assert found.dims == () and found.size == 1 and len(list(found.groups())) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (THERMAL + '[sweep]\nzip = [["t_pi", "fermi_level"]]', "`t_pi` is none. Swept here: state.temperature"),
        (THERMAL + '[sweep]\nzip = [["temprature", "fermi_level"]]', "Did you mean `temperature`"),
        (
            THERMAL + '[sweep]\nzip = [["temperature", "fermi_level"]]',
            "state.temperature has 3 and state.fermi_level has 2",
        ),
        (THERMAL + '[sweep]\nzip = [["temperature", "temperature"]]', "must name each quantity once"),
        (THERMAL + "[sweep]\nmax_points = 5", r"at most 5 points .*3 \(state.temperature\) x 2 .* = 6"),
        (THERMAL.replace("rtol = 1e-4", "rtol = [1e-4, 1e-3]"), "numerics.rtol must be one value, but is swept"),
        (
            THERMAL.replace("num = 3", "num = 40000").replace(
                '"0 eV"', '{ start = "0 eV", stop = "1 eV", num = 25000 }'
            ),
            "= 2e",
        ),
    ],
)
def test_what_is_refused_and_how(text, message):
    with pytest.raises(InputError, match=message):
        plan(read_study(text))
