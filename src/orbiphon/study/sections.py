"""The tables of a study file, one class each. A key that is not a field is refused.

Those of `[drive]` are in `drive_sections`. The keys of `[electrons]` are the arguments of the chosen function
in `orbiphon.models`, whose annotations (`Energy`, `Length`, `Ratio`) say what kind of quantity each is.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, create_model, model_validator

from orbiphon import models, response
from orbiphon.coupling import COUPLINGS
from orbiphon.electrons import OBSERVABLES, TightBinding
from orbiphon.io.wannier import SPIN_ORDERS
from orbiphon.response.kernels import POWERS
from orbiphon.study import quantity as qty
from orbiphon.study.quantity import KINDS, Kind, Quantity, QuantityError, Rule, show


class Section(BaseModel):
    """A table of a study file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def quantities(self) -> dict[str, Quantity]:
        """The quantities of this table that have a value, by key; those of tables inside by "springs.0.central"."""
        found: dict[str, Quantity] = {}
        for name in type(self).model_fields:
            value: Any = getattr(self, name)
            if isinstance(value, Quantity):
                found[name] = value
            parts: Any = value if isinstance(value, tuple) else ()
            for i, part in enumerate(parts):
                if isinstance(part, Section):
                    found |= {f"{name}.{i}.{key}": inner for key, inner in part.quantities().items()}
        return found


Q = InstanceOf[Quantity]


def reads(kind: str, rule: Rule = qty.ANY) -> BeforeValidator:
    """Makes a field a quantity of that kind which keeps that rule."""
    return BeforeValidator(partial(qty.read_quantity, KINDS[kind], rule))


def one_of(*known: str) -> BeforeValidator:
    """Makes a field one of some names."""
    return BeforeValidator(partial(_one_of, known))


def some_of(*known: str) -> BeforeValidator:
    """Makes a field one name or a list of names, kept as a tuple."""
    return BeforeValidator(partial(_some_of, known))


def whole(least: int, most: int) -> BeforeValidator:
    """Makes a field a whole number; 1e6 is one, too."""
    return BeforeValidator(partial(_whole, least, most))


def yes_or_no() -> BeforeValidator:
    """Makes a field true or false."""
    return BeforeValidator(_yes_or_no)


def file_path() -> BeforeValidator:
    """Makes a field a path."""
    return BeforeValidator(_path)


def several(kind: str, rule: Rule = qty.ANY) -> BeforeValidator:
    """Makes a field one number for each atom, in the canonical unit; not swept."""
    return BeforeValidator(partial(_several, kind, rule))


def number(value: float) -> Any:
    """The default of a quantity without unit."""
    return default_of("number", value)


def default_of(kind: str, value: float) -> Any:
    """The default of a quantity, in its canonical unit."""
    return Field(default=Quantity(KINDS[kind], (value,), swept=False))


def _one_of(known: tuple[str, ...], given: Any) -> Any:
    if isinstance(given, str) and given in known:
        return given
    guess = qty.nearest(given, known) if isinstance(given, str) else None
    fix = f'Did you mean "{guess}"?' if guess else "Choose one of them."
    raise QuantityError(f"must be one of {', '.join(known)}, but is {show(given)}. {fix}")


def _some_of(known: tuple[str, ...], given: Any) -> tuple[str, ...]:
    listed = given if isinstance(given, list | tuple) else [given]
    if not listed:
        raise QuantityError(f"must name at least one of {', '.join(known)}, but is an empty list. Add one.")
    chosen = tuple(_one_of(known, item) for item in listed)
    if len(set(chosen)) < len(chosen):
        raise QuantityError(f"must not repeat a name, but is {show(listed)}. Keep each once.")
    return chosen


def _whole(least: int, most: int, given: Any) -> int:
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise QuantityError(f"must be a whole number from {least} to {most:g}, but is {show(given)}. Change it.")
    return given


def _yes_or_no(given: Any) -> bool:
    if not isinstance(given, bool):
        raise QuantityError(f"must be true or false, but is {show(given)}. Write one of them, without quotes.")
    return given


def _several(kind: str, rule: Rule, given: Any) -> tuple[float, ...]:
    listed = given if isinstance(given, list | tuple) else [given]
    return tuple(qty.read_quantity(KINDS[kind], rule, item).values[0] for item in listed)


def _orders(given: Any) -> tuple[int, ...]:
    listed = given if isinstance(given, list | tuple) else [given]
    plain = all(isinstance(item, int) and not isinstance(item, bool) and item in (1, 2) for item in listed)
    if not listed or not plain or len(set(listed)) < len(listed):
        raise QuantityError(f"must be 1, 2 or [1, 2], but is {show(given)}. Choose one of these.")
    return tuple(sorted(listed))


def _tied(given: Any) -> tuple[tuple[str, ...], ...]:
    plain = isinstance(given, list) and all(
        isinstance(group, list) and len(group) >= 2 and all(isinstance(key, str) for key in group) for group in given
    )
    if not plain:
        raise QuantityError(
            f'must be a list of lists of keys, but is {show(given)}. Write [["t_pi", "fermi_level"]], say.'
        )
    return tuple(tuple(group) for group in given)


def _path(given: Any) -> str:
    if not isinstance(given, str) or not given or "\0" in given:
        raise QuantityError(f'must be a path, but is {show(given)}. Write "W/unstrained", say.')
    return given


def _cells(given: Any) -> list[Any]:
    listed = given if isinstance(given, list | tuple) else [given]
    if not listed:
        raise QuantityError("must name the folders of deformed cells, but is an empty list. Leave it out to take all.")
    return [item if isinstance(item, dict) else {"path": _path(item)} for item in listed]


def _step(given: Any) -> float:
    if not isinstance(given, str):
        raise QuantityError(f'must be one length, but is {show(given)}. Write "0.01 angstrom", say.')
    return _several("length", qty.ANY, [given])[0]


class State(Section):
    """The electrons' equilibrium; exactly one of `fermi_level`, `filling` (electrons per cell) and, with electrons from
    files, `fermi_shift` from the Fermi level of the calculation."""

    temperature: Annotated[Q, reads("temperature", qty.POSITIVE)]
    fermi_level: Annotated[Q, reads("energy")] | None = None
    filling: Annotated[Q, reads("number", qty.POSITIVE)] | None = None
    fermi_shift: Annotated[Q, reads("energy")] | None = None

    @model_validator(mode="after")
    def _one(self) -> "State":
        from_files = () if self.fermi_shift is None else ("fermi_shift",)
        exactly_one(self, "fermi_level", "filling", *from_files)
        return self


class ElectronsFromFile(Section):
    """The electrons of a Wannier Hamiltonian; `file` is a path from the study file on, of a file or its folder.
    `symmetrize`: make them and their coupling obey the crystal's symmetry exactly."""

    file: Annotated[str, BeforeValidator(_path)]
    spin_order: Annotated[str, one_of(*SPIN_ORDERS)] = "fastest"
    symmetrize: Annotated[bool, yes_or_no()] = False


class Coupling(Section):
    """How the electrons follow the lattice."""

    kind: Annotated[str, one_of(*COUPLINGS)] = "two_centre"


class ChangedCell(Section):
    """A deformed cell, or one with displaced atoms: its path, and for one displaced atom what was done to it."""

    path: Annotated[str, BeforeValidator(_path)]
    atom: Annotated[int, whole(0, 10**4)] | None = None
    direction: Annotated[str, one_of("x", "y", "z")] | None = None
    step: Annotated[float, BeforeValidator(_step)] | None = None

    @model_validator(mode="after")
    def _told(self) -> "ChangedCell":
        given = [key for key in ("atom", "direction", "step") if getattr(self, key) is not None]
        if len(given) not in (0, 3):
            raise QuantityError(f"must have atom, direction and step together, but has {' and '.join(given)}. Add all.")
        return self


class CouplingFromPairs(Section):
    """The coupling from Hamiltonians of changed cells; `pairs` are their paths, by default all beside the unchanged
    one, or tables (`ChangedCell`). `sum_rule`: moving all atoms alike changes nothing, exactly."""

    kind: Annotated[str, one_of("pairs")] = "pairs"
    pairs: Annotated[tuple[ChangedCell, ...], BeforeValidator(_cells)] = ()
    sum_rule: Annotated[bool, yes_or_no()] = False


METHODS: dict[str, type[response.AbstractMethod]] = {
    member.name: member
    for member in vars(response).values()
    if inspect.isclass(member) and issubclass(member, response.AbstractMethod) and not inspect.isabstract(member)
}
"""Every method that the room `response` shows, by its name."""
MOTION_BROADENINGS = ("bath", "relaxation_time")
"""What `Motion` is in contact with: the bath of the other methods, or the paper's relaxation time hbar/2 Gamma."""
_OF_METHODS = {"motion_broadening": ("motion",), "harmonics": ("floquet", "motion")}


class Response(Section):
    """What is computed, and by which methods."""

    observables: Annotated[tuple[str, ...], some_of(*OBSERVABLES)] = ("Lx",)
    order: Annotated[tuple[int, ...], BeforeValidator(_orders)] = (2,)
    method: Annotated[tuple[str, ...], some_of(*METHODS)]
    broadening: Annotated[Q, reads("energy", qty.NOT_NEGATIVE)]
    published_broadening: Annotated[str, one_of(*POWERS)] = "complex_powers"
    motion_broadening: Annotated[str, one_of(*MOTION_BROADENINGS)] = "bath"
    harmonics: Annotated[int, whole(1, 20)] | None = None

    @model_validator(mode="after")
    def _of_a_method(self) -> "Response":
        for key, fitting in _OF_METHODS.items():
            if key in self.model_fields_set and not set(fitting) & set(self.method):
                raise QuantityError(
                    f"must have `{key}` with the method {' or '.join(fitting)} only, but has {', '.join(self.method)}. "
                    f"Leave out {key}."
                )
        return self

    @model_validator(mode="after")
    def _orders_exist(self) -> "Response":
        for name in self.method:
            for order in self.order:
                if order not in METHODS[name].orders:
                    known = " and ".join(map(str, METHODS[name].orders))
                    raise QuantityError(
                        f'must ask each method for an order that it has, but "{name}" has order {known}, not {order}. '
                        "Change `order` or `method`."
                    )
        return self


class Numerics(Section):
    """How accurately, and within which bounds."""

    rtol: Annotated[Q, reads("number", qty.NOT_NEGATIVE)] = number(1e-4)
    atol: Annotated[Q, reads("number", qty.NOT_NEGATIVE)] = number(0.0)
    max_points: Annotated[int, whole(1, 10**15)] = response.Numerics().max_points
    block: Annotated[int, whole(1, 2**26)] = response.Numerics().block

    @model_validator(mode="after")
    def _some_tolerance(self) -> "Numerics":
        if 0.0 in self.rtol.values and 0.0 in self.atol.values:
            raise QuantityError("must have rtol or atol greater than zero, but both are 0. Set rtol = 1e-4, say.")
        return self


class NumericsFromFile(Numerics):
    """The same with the defaults for electrons from files, whose strains are good to a per cent at best."""

    rtol: Annotated[Q, reads("number", qty.NOT_NEGATIVE)] = number(1e-2)
    max_points: Annotated[int, whole(1, 10**15)] = 400_000


class NumericsInTime(Numerics):
    """The same with the defaults for pulses: each point of the mesh is followed in time."""

    rtol: Annotated[Q, reads("number", qty.NOT_NEGATIVE)] = number(0.1)
    max_points: Annotated[int, whole(1, 10**15)] = 10_000


class Sweep(Section):
    """How swept quantities combine: a product in file order, except those tied by `zip`."""

    zip: Annotated[tuple[tuple[str, ...], ...], BeforeValidator(_tied)] = ()
    max_points: Annotated[int, whole(1, qty.MOST_VALUES)] = 100_000


def exactly_one(section: Section, *keys: str) -> None:
    """Raise `QuantityError` unless one of these keys is given."""
    given = [key for key in keys if getattr(section, key) is not None]
    if len(given) != 1:
        found = "has " + " and ".join(given) if given else "has none of them"
        fix = "Keep one." if given else "Add one."
        raise QuantityError(f"must have exactly one of {', '.join(keys)}, but {found}. {fix}")


def _kind(annotation: Any) -> Kind | None:
    """The kind that an annotation such as `Energy` or `Energy | None` declares."""
    if get_origin(annotation) is Annotated:
        return next((KINDS[note] for note in annotation.__metadata__ if note in KINDS), None)
    return next((kind for part in get_args(annotation) if (kind := _kind(part))), None)


def _from_study(member: Any) -> bool:
    """Whether a study file can call this member of `orbiphon.models`: it makes electrons out of plain quantities."""
    if not inspect.isfunction(member):
        return False
    hints = get_type_hints(member, include_extras=True)
    required = [key for key, p in inspect.signature(member).parameters.items() if p.default is p.empty]
    return hints.get("return") is TightBinding and all(_kind(hints[key]) for key in required)


MODELS: dict[str, Callable[..., TightBinding]] = {
    n: member for n, member in vars(models).items() if _from_study(member)
}
"""Every function of `orbiphon.models` that a study file can call, by its name."""


def electrons_section(name: str) -> type[Section]:
    """The table `[electrons]` of one model: its keys are the arguments of the function."""
    hints = get_type_hints(MODELS[name], include_extras=True)
    fields: dict[str, Any] = {"model": (Literal[name], ...)}
    for key, parameter in inspect.signature(MODELS[name]).parameters.items():
        kind = _kind(hints[key])
        if kind is None:
            continue
        annotation: Any = Annotated[Q, reads(kind.name, qty.POSITIVE if kind.name == "length" else qty.ANY)]
        if parameter.default is parameter.empty:
            fields[key] = (annotation, ...)
        elif parameter.default is None:
            fields[key] = (annotation | None, None)
        else:
            fields[key] = (annotation, Quantity(kind, (float(parameter.default) / kind.internal,), swept=False))
    return create_model(f"Electrons_{name}", __base__=Section, __doc__=MODELS[name].__doc__, **fields)
