"""Study files that are right, and the message for each way of being wrong."""

import re

import pytest
from studies import THERMAL, WAVE

from orbiphon.errors import InputError
from orbiphon.study import build, load_study, read_study


def changed(old: str, new: str, text: str = THERMAL) -> str:
    assert old in text
    return text.replace(old, new, 1)


def test_defaults_are_filled_in():
    study = read_study(THERMAL)
    assert study.swept == ("state.temperature", "state.fermi_level")
    assert study.config.electrons.decay.values == (2.0,)
    assert study.config.response.method == ("adiabatic",)
    assert study.quantities()["phonons.mass"].values == (4e-26,)


def test_settings_of_methods_that_integrate_or_sum_harmonics():
    text = changed('method = "adiabatic"', 'method = ["motion", "floquet", "kubo"]\nharmonics = 3', WAVE)
    text = changed("order = 2", 'order = 1\nmotion_broadening = "relaxation_time"', text)
    study = read_study(text)
    values = {"response.broadening": (0.02,)}
    motion, floquet, kubo = (build.method(study, values, name) for name in study.config.response.method)
    assert (motion.relaxation_time, motion.broadening, motion.harmonics) == (25.0, 0.02, 3)
    assert (floquet.harmonics, floquet.broadening, kubo.broadening) == (3, 0.02, 0.02)
    bath = build.method(read_study(changed("relaxation_time", "bath", text)), values, "motion")
    assert (bath.relaxation_time, bath.broadening) == (None, 0.02)


def test_file_order_is_kept():
    text = changed('pz_shift = "0 eV"', 'pz_shift = ["0 eV", "0.1 eV"]')
    assert read_study(text).swept == ("electrons.pz_shift", "state.temperature", "state.fermi_level")


def test_same_study_written_differently_has_the_same_fingerprint():
    first = read_study(THERMAL).fingerprint()
    assert read_study(changed('"0.01 eV"', '"10 meV"  # the same')).fingerprint() == first
    assert read_study(changed("[numerics]\n", "[numerics]\nblock = 2048\n")).fingerprint() == first
    assert read_study(changed('"0.01 eV"', '"0.02 eV"')).fingerprint() != first
    assert read_study(changed("rtol = 1e-4", "rtol = 1e-3")).fingerprint() != first


WRONG = [
    # misspelt keys and names
    ("t_sigma =", "t_sgma =", r"electrons\.t_sgma must be a known key, but is none\. Did you mean `t_sigma`\?"),
    ("[state]", "[stat]", r"stat must be a known key, but is none\. Did you mean `state`\?"),
    ("[electrons]", "[electron]", r"\[electrons\].*Did you mean \[electrons\] by \[electron\]\?"),
    ("model =", "modle =", r"electrons\.model must be given, but is missing\. Did you mean `model` by `modle`\?"),
    ('"square_p"', '"sqare_p"', r'electrons\.model must be one of .*"sqare_p".*"square_p"'),
    ('"adiabatic"', '"adiabtic"', r'response\.method must be one of .*, but is "adiabtic"\. Did you mean "adiabatic"'),
    ('["Lx"]', '["Lxx"]', r'response\.observables must be one of .*"Lxx"\. Did you mean "Lx"'),
    ('"thermal_injection"', '"thermal"', r"drive\.kind must be one of thermal_injection, coherent_wave"),
    ('"sphere"', '"spere"', r'drive\.q_domain must be one of line, square, disc, sphere, but is "spere"'),
    ('"two_centre"', '"two_center"', r'coupling\.kind must be one of .*Did you mean "two_centre"'),
    ('direction = "x"', 'direction = "w"', r"phonons\.direction must be one of x, y, z"),
    # wrong units, signs, ranges, types
    ('{ start = "100 K", stop = "300 K", num = 3 }', '"300 eV"', r"state\.temperature must have a unit of temperature"),
    ('{ start = "100 K", stop = "300 K", num = 3 }', '"-300 K"', r"state\.temperature must be greater than zero"),
    ("num = 3", "num = 0", r"state\.temperature must be a range of at least 2 points"),
    ('"0.01 eV"', '"-0.01 eV"', r"response\.broadening must not be negative"),
    ('"4e-26 kg"', '"0 kg"', r"phonons\.mass must be greater than zero"),
    ('"-1.9 eV"', "-1.9", r'electrons\.t_sigma must be text .* Write "-1\.9 eV", say'),
    ("transmission = 0.1", "transmission = nan", r"drive\.transmission must be finite"),
    ("transmission = 0.1", "transmission = 1.5", r"drive\.transmission must lie between 0 and 1"),
    ("order = 2", "order = 3", r"response\.order must be 1, 2 or \[1, 2\]"),
    ("order = 2", "order = true", r"response\.order must be 1, 2 or"),
    ("order = 2", "order = 1", r'response\.order must be 2 for the drive "thermal_injection"'),
    (
        "order = 2",
        "harmonics = 2",
        r"response must have `harmonics` with the method floquet or motion only, but has adia",
    ),
    (
        "order = 2",
        'motion_broadening = "bath"',
        r"must have `motion_broadening` with the method motion only.*Leave out",
    ),
    ("order = 2", "harmonics = 0", r"response\.harmonics must be a whole number"),
    ("rtol = 1e-4", "rtol = 0", r"numerics must have rtol or atol greater than zero"),
    ("rtol = 1e-4", "max_points = 1.5", r"numerics\.max_points must be a whole number"),
    # missing, superfluous, wrongly shaped
    ('mass = "4e-26 kg"', "", r"phonons\.mass must be given, but is missing"),
    (
        "fermi_level =",
        "filling = 1.0\nfermi_level =",
        r"state must have exactly one of fermi_level, filling, but has fermi_level and filling",
    ),
    ('fermi_level = ["-2.5 eV", "-1.5 eV"]', "", r"state must have exactly one of .*, but has none of them"),
    ("[numerics]", "[[numerics]]", r"numerics must be a table"),
    ("[electrons]", "[electrons", r"must be TOML.*line 1"),
    ("[electrons]", "x = " + "[" * 3000, r"must be TOML, but is nested too deeply"),
    ("[electrons]", "x = " + "1" * 5000, r"must be TOML"),
]


@pytest.mark.parametrize(("old", "new", "message"), WRONG)
def test_what_is_refused_and_how(old, new, message):
    with pytest.raises(InputError, match=message) as caught:
        read_study(changed(old, new), name="study.toml")
    assert str(caught.value).startswith("`study.toml` ")
    assert str(caught.value).endswith((".", "?"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('amplitude = "1 pm"', "", "exactly one of amplitude, strain, power_per_width, but has none"),
        ('amplitude = "1 pm"', 'amplitude = "1 pm"\nstrain = 1e-4', "but has amplitude and strain"),
        ('amplitude = "1 pm"', 'power_per_width = "20 W/m"', "has no `density`"),
        ('amplitude = "1 pm"', 'amplitude = "1 pm"\ndepth = "1 um"', "depth only together with power_per_width"),
        ('frequency = "1 GHz"', 'frequency = "1 GHz"\nq = "1 1/nm"', "but has frequency and q"),
        ('frequency = "1 GHz"', 'frequency = "1 GHz"\nchirality = 2', "drive.chirality must be 1 or -1"),
        (
            'frequency = "1 GHz"',
            'frequency = "1 GHz"\nellipticity = -0.1',
            "drive.ellipticity must lie between 0 and 1",
        ),
    ],
)
def test_waves_that_are_refused(old, new, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read_study(changed(old, new, WAVE))


def test_a_misspelt_key_is_reported_once_with_all_other_problems():
    text = changed('"4e-26 kg"', '"0 kg"', changed("t_sigma", "t_sgma"))
    with pytest.raises(InputError) as caught:
        read_study(text)
    lines = str(caught.value).splitlines()
    assert lines[0] == "`study` has 2 problems:" and len(lines) == 3


def test_unreadable_files(tmp_path):
    for name, content, message in [
        ("binary.toml", b"\xff\xfe\x00[", "text in UTF-8, but byte 0"),
        ("cut.toml", THERMAL.encode()[:100], "must be TOML"),
        ("empty.toml", b"", r"\[electrons\] must be a table of the file, but is missing"),
        ("huge.toml", b"#" * 1_000_001, "1000001 bytes"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=message):
            load_study(tmp_path / name)
    with pytest.raises(InputError, match="is not there"):
        load_study(tmp_path / "nothing.toml")
    with pytest.raises(InputError, match="is a folder"):
        load_study(tmp_path)
    with pytest.raises(InputError):
        load_study("\0.toml")


def test_a_byte_order_mark_and_windows_lines_are_harmless(tmp_path):
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + THERMAL.replace("\n", "\r\n").encode())
    assert load_study(tmp_path / "a.toml").fingerprint() == read_study(THERMAL).fingerprint()
