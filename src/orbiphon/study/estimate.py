"""What a study would cost: for `orbiphon check`, which runs nothing."""

import math

from orbiphon.electrons.filling import resolving_mesh
from orbiphon.phonons import ForceConstants
from orbiphon.response import Motion, selection_rules
from orbiphon.response.finite_wave import pumped
from orbiphon.response.lattice_waves import lattice_waves
from orbiphon.study import build
from orbiphon.study.by_time import first_mesh
from orbiphon.study.config import Study
from orbiphon.study.first_principles import findings, is_from_files
from orbiphon.study.phonon_sections import PhononsFromFile
from orbiphon.study.run import check
from orbiphon.study.sections import Section
from orbiphon.study.sweep import LEVELS, TEMPERATURE, Plan
from orbiphon.units import k_B

_GROWTH = 1.5  # of a zone mesh per direction from one step to the next, and
_STEPS = 3  # as many steps until two agree, as a rule
_BYTES_PER_ENTRY = 60  # value, error, level, points, flags
_BUFFERS = 40  # complex matrices alive at once for every wave vector of a block, about
_SMALL_BLOCK = 512  # of many bands, whatever the study allows
_RUNTIME_MIB = 500  # Python, JAX and compiled code


def describe(study: Study) -> str:
    """The sweep, its size, what symmetry allows, and what work and memory to expect, in words. Raises `InputError` as
    `run` would."""
    plan = check(study)
    table, numerics = study.config.response, study.config.numerics
    solves = len(table.method) * len(table.order)
    _, values = next(plan.groups())
    orbitals = build.electrons(study, values).size
    block = min(numerics.block, _SMALL_BLOCK) if is_from_files(study) else numerics.block
    means = plan.size * solves if not study.config.drive.in_time else 2 * sum(1 for _ in plan.groups())
    memory = _RUNTIME_MIB + _memory_mib(plan, solves, orbitals, block, len(table.observables))
    swept = [f"  {path} = {found}" for axis in plan.axes for path, found in axis.quantities.items()]
    lines = [
        "The study can be computed.",
        *(["files:", *(f"  {line}" for line in findings(study))] if is_from_files(study) else []),
        *_understood(study),
        *_polar(study, values),
        *(["swept:", *swept] if swept else []),
        *_symmetry(study, values),
        f"points:      {plan.size}",
        f"methods:     {', '.join(table.method)}; order {' and '.join(map(str, table.order))}",
        f"zone means:  {means}, over {orbitals} orbitals",
        f"tolerance:   rtol = {numerics.rtol}, atol = {numerics.atol}",
        f"cost:        {_cost(study, plan)}; at most {numerics.max_points:.0e} for a point",
        f"memory:      about {memory:.0f} MiB, for blocks of {block} wave vectors",
    ]
    return "\n".join(lines)


def _understood(study: Study) -> list[str]:
    """Phonons and drive as they were understood, with defaults."""
    named = {name: getattr(study.config, name) for name in ("phonons", "source", "drive")}
    return [f"{name + ':':12} {_words(table)}" for name, table in named.items() if table is not None]


def _polar(study: Study, values: build.Values) -> list[str]:
    """Of phonons from files: whether longitudinal and transverse optical modes are split."""
    lines = []
    for name in ("phonons", "source"):
        if isinstance(getattr(study.config, name), PhononsFromFile):
            found = build.phonons(study, values, name)
            assert isinstance(found, ForceConstants)
            words = "left out" if getattr(study.config, name).leave_out_charges else "none: no Born charges found"
            included = "included (Born charges and dielectric tensor)" if found.dipoles is not None else words
            lines.append(f"  {name}: splitting of longitudinal and transverse optical modes {included}")
    return lines


def _words(table: Section) -> str:
    values = {key: getattr(table, key) for key in type(table).model_fields}
    kind = [values.pop("kind")] if "kind" in values else []
    return ", ".join([*kind, *(f"{key} = {_value(value)}" for key, value in values.items() if value is not None)])


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value, value))}]"
    return f"{{{_words(value)}}}" if isinstance(value, Section) else str(value)


def _symmetry(study: Study, values: build.Values) -> list[str]:
    """What symmetry allows at the first point, once for all methods and orders of which the same is true."""
    table, found = study.config.response, {}
    for order in table.order:
        problem = build.problem(study, values, order)
        for name in table.method:
            rules = str(selection_rules(problem, build.method(study, values, name)))
            found.setdefault(rules, []).append(f"{name}, order {order}")
    where = " at the first point" if study.swept else ""
    return [
        line
        for rules, entries in found.items()
        for line in (f"symmetry{where} ({'; '.join(entries)}):", *(f"  {line}" for line in rules.splitlines()))
    ]


def _cost(study: Study, plan: Plan) -> str:
    """The work in words."""
    if study.config.drive.in_time:
        return f"about {_followed(study, plan):.0e} wave vectors in all, each followed through the pulse"
    solves = len(study.config.response.method) * len(study.config.response.order)
    phonons = _of_phonons(study, plan) if study.config.drive.on_modes else " in all"
    return (
        f"about {_wave_vectors(study, plan) * solves:.0e} wave vectors{phonons}, judged by broadening and temperature"
    )


def _of_phonons(study: Study, plan: Plan) -> str:
    """For how many wave vectors of the phonons: those that symmetry leaves to be computed."""
    table, (_, values) = study.config.response, next(plan.groups())
    if 2 not in table.order:
        return " in all"
    problem, method = build.problem(study, values, 2), build.method(study, values, table.method[0])
    waves = lattice_waves(problem, pumped, reactive=method.reactive)
    every, computed = len(waves.groups), len(waves.stars().computed)
    return " in all" if every == 1 else f" for each of {computed} (of {every}) wave vectors of the phonons"


def _followed(study: Study, plan: Plan) -> float:
    """Wave vectors of the first pair of meshes of every group; all are like the first."""
    _, values = next(plan.groups())
    problem, method = (
        build.problem(study, values, study.config.response.order[0]),
        build.method(study, values, "motion"),
    )
    assert isinstance(method, Motion)
    mesh = first_mesh(problem, method, study.config.numerics.max_points)
    return sum(1 for _ in plan.groups()) * math.prod(mesh) * (1.0 + 1.5 ** -len(mesh))


def _wave_vectors(study: Study, plan: Plan) -> float:
    """Wave vectors for one method and order: meshes that resolve broadening and temperature, and two finer ones."""
    total, groups = 0.0, 0
    most = study.config.numerics.max_points
    for _, values in plan.groups():
        electrons = build.electrons(study, values)
        levels = math.prod(len(values[path]) for path in values if path in LEVELS)
        for temperature in values[TEMPERATURE]:
            width = values["response.broadening"][0] + math.pi * k_B * temperature
            first = math.prod(resolving_mesh(electrons, width))
            steps = sum(_GROWTH ** (step * electrons.crystal.lattice.dim) for step in range(_STEPS))
            shared = is_from_files(study) and not study.config.drive.on_modes
            total += min(first * steps, most) * (1 if shared else levels)
        groups += 1
        if groups == 20:  # the rest is like them
            break
    return total * sum(1 for _ in plan.groups()) / groups


def _memory_mib(plan: Plan, solves: int, orbitals: int, block: int, observables: int) -> float:
    entries = plan.size * solves * observables * _BYTES_PER_ENTRY
    return (entries + _BUFFERS * block * 16 * orbitals**2) / 2**20
