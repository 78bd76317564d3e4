"""Sums over many waves of a line, from moments per phonon m_q at a few of them.

m_q/q is interpolated as a function of the cube root of q: at small q there are resonances too, and they are narrower.
m_q falls by orders of magnitude from q = 0 on and changes sign, so that no fixed rule would do.

The line is halved again and again into parts, each known at 5 equispaced points. A part's sum is that of the polynomial
through its points, and its error what the polynomial through every second one makes of it. Where a part was halved, 9
points are known, and their polynomial stands in for the two halves where its error is less: it is where m_q is smooth,
and the halves are at a peak. The part with the largest error is halved next, which keeps its points. Each m_q is known
to a part of what the whole sum is asked for.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from orbiphon.response.problem import Numerics
from orbiphon.zone import ZoneMean
from orbiphon.zone.progress import tell
from orbiphon.zone.together import together

_POINTS, _MOST_PARTS = 5, 128
_SURE = 3.0  # times the root of the sum of squares of errors that have nothing to do with each other
_EACH = 0.8  # of the tolerance for every m_q: where 50 of them make the sum, its error is a third of that
_LEAST_EACH = 0.05  # where few of them do, each must be better
_FIRST_GUESS = 0.1  # relative tolerance of the m_q that tell the size of the sum


def line_sum(
    per_phonon: Callable[[float, float, float], ZoneMean],
    along: Float[np.ndarray, "q"],
    excess: Float[np.ndarray, "polarisation q"],
    numerics: Numerics,
) -> ZoneMean:
    """Sum of excess m_q; `per_phonon(q, rtol, atol)` gives m_q (polarisation observable), flattened.

    Instead of polarisations, any combinations of them, with the excess that belongs to each.
    """

    def tolerance(total: np.ndarray) -> np.ndarray:
        wanted = np.maximum(numerics.atol, numerics.rtol * np.abs(total))
        return np.where(wanted > 1e-6 * np.max(wanted), wanted, np.max(wanted))

    line, each = _Line(per_phonon, along, excess), _EACH
    points = line.ask([_WHOLE], _FIRST_GUESS, 0.0)
    points += line.ask([_WHOLE], each * numerics.rtol, each * float(np.min(tolerance(line.estimate(_WHOLE).total))))
    while True:
        total, gap, squares = line.estimate(_WHOLE)
        wanted, noise = tolerance(total), _SURE * np.sqrt(squares)
        reached = bool(np.all(gap + noise <= wanted))
        if np.all(gap <= 0.5 * wanted):
            if reached or each < _LEAST_EACH:
                break
            each, asked = each / 2.0, line.parts
        elif len(line.parts) < _MOST_PARTS:
            asked = line.halve(line.worst(_WHOLE, wanted))
        else:
            break
        points += line.ask(asked, each * numerics.rtol, each * float(np.min(wanted)))
    rule = " and ".join(sorted({mean.rule for mean in line.known.values()}))
    return ZoneMean(total, gap + noise, next(iter(line.known.values())).shape, points, reached, rule)


class _Part(NamedTuple):
    """Of the line, whose places go from 0 to 1 with the cube root of q."""

    low: float
    high: float

    def points(self, count: int) -> list[float]:
        """Equispaced, the ends included; free of rounding."""
        return [self.low + (self.high - self.low) * i / (count - 1) for i in range(count)]

    def halves(self) -> tuple["_Part", "_Part"]:
        """Both; their points are those of the whole and the ones between."""
        low, middle, high = self.points(3)
        return _Part(low, middle), _Part(middle, high)

    def holds(self, places: np.ndarray) -> np.ndarray:
        """Which places are inside; of the ends, the upper one is, and the beginning of the line."""
        return ((places > self.low) | (places == 0.0) & (self.low == 0.0)) & (places <= self.high)


_WHOLE = _Part(0.0, 1.0)


class _Estimate(NamedTuple):
    """Sum over a part, the error of its interpolation and the square of that of its m_q, for each observable."""

    total: np.ndarray
    gap: np.ndarray
    squares: np.ndarray


class _Line:
    """The waves, the m_q `known` so far, and the `parts` that were not halved."""

    def __init__(
        self,
        per_phonon: Callable[[float, float, float], ZoneMean],
        along: Float[np.ndarray, "q"],
        excess: Float[np.ndarray, "polarisation q"],
    ) -> None:
        roots = np.cbrt(along)
        self.per_phonon, self.first, self.length = per_phonon, roots.min(), np.ptp(roots)
        self.places = (roots - self.first) / self.length
        self.weight = excess * along[None]  # of m_q/q
        self.scale = float(np.sum(np.abs(self.weight)))
        self.known: dict[float, ZoneMean] = {}
        self.parts = [_WHOLE]
        self.weights = functools.cache(self._weights)

    def q_at(self, place: float) -> float:
        """Wave vector, 1/angstrom."""
        return float((self.first + self.length * place) ** 3)

    def halve(self, part: _Part) -> tuple[_Part, _Part]:
        """One of the parts; returns the halves."""
        self.parts.remove(part)
        self.parts.extend(part.halves())
        return part.halves()

    def worst(self, part: _Part, wanted: np.ndarray) -> _Part:
        """The part of a part that makes most of its error."""
        if part in self.parts:
            return part
        return self.worst(max(part.halves(), key=lambda half: np.max(self.estimate(half).gap / wanted)), wanted)

    def estimate(self, part: _Part) -> _Estimate:
        """From one polynomial or from the two halves, for each observable from what has the smaller error."""
        if part in self.parts:
            return self._polynomial(part, _POINTS)
        whole = self._polynomial(part, 2 * _POINTS - 1)
        halves = _Estimate(*(low + high for low, high in zip(*map(self.estimate, part.halves()), strict=True)))
        better = whole.gap <= halves.gap
        return _Estimate(*(np.where(better, one, two) for one, two in zip(whole, halves, strict=True)))

    def _polynomial(self, part: _Part, count: int) -> _Estimate:
        known = [(self.known[x], self.q_at(x)) for x in part.points(count)]
        values, errors = (
            np.stack([getattr(mean, name) / q for mean, q in known]).reshape(count, len(self.weight), -1)
            for name in ("value", "error")
        )
        fine, coarse = self.weights(part, count)
        total = np.einsum("pj,jpo->o", fine, values)
        other = np.einsum("pj,jpo->o", coarse, values[::2])
        return _Estimate(total, np.abs(total - other), np.einsum("pj,jpo->o", fine**2, errors**2))

    def _weights(self, part: _Part, count: int) -> list[Float[np.ndarray, "polarisation point"]]:
        """Of m_q/q at all points of a part, and at every second one."""
        inside, nodes = part.holds(self.places), np.asarray(part.points(count))
        return [self.weight[:, inside] @ _lagrange(self.places[inside], nodes[::step]) for step in (1, 2)]

    def ask(self, parts: Sequence[_Part], rtol: float, tolerance: float) -> int:
        """The m_q at the points of parts, unless they are known well enough; returns the evaluations in the zone."""

        def atol(x: float) -> float:
            return self.q_at(x) * tolerance / self.scale

        def unknown(x: float) -> bool:
            mean = self.known.get(x)
            return mean is None or bool(np.any(mean.error > np.maximum(atol(x), rtol * np.abs(mean.value))))

        wanted = [x for x in dict.fromkeys(x for part in parts for x in part.points(_POINTS)) if unknown(x)]
        found = together(lambda x: self.per_phonon(self.q_at(x), rtol, atol(x)), wanted)
        for done, (x, mean) in enumerate(zip(wanted, found, strict=True)):
            self.known[x] = mean
            tell(f"wave vectors, {len(wanted)} more", done + 1, len(wanted))
        return sum(self.known[x].points for x in wanted)


def _lagrange(places: Float[np.ndarray, "place"], nodes: Float[np.ndarray, "node"]) -> Float[np.ndarray, "place node"]:
    """Lagrange's polynomials of the nodes."""
    others = ~np.eye(nodes.size, dtype=bool)
    apart = [
        (places[:, None] - nodes[None, keep]) / (node - nodes[None, keep])
        for node, keep in zip(nodes, others, strict=True)
    ]
    return np.stack([np.prod(factors, axis=1) for factors in apart], axis=1)
