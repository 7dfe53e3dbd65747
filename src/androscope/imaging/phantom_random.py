"""Random phantoms: normal within WHO's ranges, or with named defects clearly outside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np

from androscope.imaging.phantom_spec import PhantomSperm, Vacuole
from androscope.types import PARTS

__all__ = ["DEFECTS", "MHSMA_RATES", "random_defects", "random_spec"]

#: Share of abnormal crops in MHSMA's training split, which a realistic mix copies.
MHSMA_RATES: Mapping[str, float] = {
    "head": 0.273,
    "acrosome": 0.301,
    "vacuole": 0.170,
    "tail": 0.046,
}

_Fields = dict[str, Any]
_Draw = Callable[[np.random.Generator, _Fields], _Fields]


def _sizes(length: tuple[float, float], ratio: tuple[float, float]) -> _Draw:
    def draw(rng: np.random.Generator, _: _Fields) -> _Fields:
        long = rng.uniform(*length)
        return {"head_length_um": long, "head_width_um": long / rng.uniform(*ratio)}

    return draw


def _shape(name: str, strength: tuple[float, float]) -> _Draw:
    def draw(rng: np.random.Generator, _: _Fields) -> _Fields:
        return {"head_shape": name, "shape_strength": rng.uniform(*strength)}

    return draw


def _tapered(rng: np.random.Generator, _: _Fields) -> _Fields:
    long = rng.uniform(4.4, 5.4)
    return {
        "head_shape": "tapered",
        "shape_strength": rng.uniform(0.5, 1.0),
        "head_length_um": long,
        "head_width_um": long / rng.uniform(2.2, 2.8),
    }


def _pyriform(rng: np.random.Generator, _: _Fields) -> _Fields:
    long = rng.uniform(4.4, 5.2)
    return {
        "head_shape": "pyriform",
        "shape_strength": rng.uniform(0.8, 1.0),
        "head_length_um": long,
        "head_width_um": long / rng.uniform(1.7, 2.1),
    }


def _between(name: str, low: float, high: float) -> _Draw:
    return lambda rng, _: {name: rng.uniform(low, high)}


def _either_way(name: str, low: float, high: float) -> _Draw:
    return lambda rng, _: {name: rng.uniform(low, high) * rng.choice([-1.0, 1.0])}


def _tail(name: str) -> _Draw:
    return lambda _rng, _: {"tail": name}


def _many_vacuoles(rng: np.random.Generator, fields: _Fields) -> _Fields:
    return {"vacuoles": _place(rng, fields, int(rng.integers(3, 6)), (0.55, 0.85))}


def _large_vacuole(rng: np.random.Generator, fields: _Fields) -> _Fields:
    area = fields["head_length_um"] * fields["head_width_um"]
    diameter = math.sqrt(rng.uniform(0.22, 0.30) * area)
    return {"vacuoles": _place(rng, fields, 1, (diameter, diameter))}


def _place(
    rng: np.random.Generator, fields: _Fields, count: int, diameters: tuple[float, float]
) -> tuple[Vacuole, ...]:
    # Apart from one another and inside the outline, most in the front half, where they occur.
    half = np.array([fields["head_length_um"], fields["head_width_um"]]) / 2
    placed: list[Vacuole] = []
    for attempt in range(400):
        if len(placed) == count:
            break
        # A head that is full makes room for smaller ones.
        diameter = rng.uniform(*diameters) * (1 - min(attempt, 300) / 600 * (count > 1))
        reach = np.clip(1 - (diameter / 2 + 0.1) / half, 0.02, None)
        along, across = rng.uniform(-0.45, 1.0), rng.uniform(-1.0, 1.0)
        if (along / reach[0]) ** 2 + (across / reach[1]) ** 2 > 1:
            continue
        here = np.array([along, across]) * half
        if all(
            np.hypot(*(here - np.array([o.along, o.across]) * half))
            > (diameter + o.diameter_um) / 2 + 0.05
            for o in placed
        ):
            placed.append(Vacuole(float(along), float(across), float(diameter)))
    return tuple(placed)


#: Every defect by name: the part it makes abnormal.
DEFECTS: Mapping[str, str] = {
    "tapered-head": "head",
    "pyriform-head": "head",
    "round-head": "head",
    "small-head": "head",
    "large-head": "head",
    "amorphous-head": "head",
    "double-head": "head",
    "no-acrosome": "acrosome",
    "small-acrosome": "acrosome",
    "large-acrosome": "acrosome",
    "irregular-acrosome": "acrosome",
    "many-vacuoles": "vacuole",
    "large-vacuole": "vacuole",
    "bent-neck": "tail",
    "offset-neck": "tail",
    "thick-midpiece": "tail",
    "residual-cytoplasm": "tail",
    "no-tail": "tail",
    "short-tail": "tail",
    "bent-tail": "tail",
    "coiled-tail": "tail",
    "double-tail": "tail",
}

# How often a defect is drawn when any of its part will do, others once: narrow heads are most of
# those that MHSMA calls abnormal, double and large ones hardly occur.
_WEIGHTS: Mapping[str, float] = {
    "tapered-head": 3.0,
    "pyriform-head": 3.0,
    "amorphous-head": 0.5,
    "large-head": 0.25,
    "double-head": 0.1,
}

_DRAWS: Mapping[str, _Draw] = {
    "tapered-head": _tapered,
    "pyriform-head": _pyriform,
    "round-head": _sizes((3.7, 4.2), (1.02, 1.15)),
    "small-head": _sizes((2.6, 3.2), (1.35, 1.6)),
    "large-head": _sizes((5.6, 6.2), (1.4, 1.7)),
    "amorphous-head": _shape("amorphous", (0.7, 1.0)),
    "double-head": _shape("double", (1.0, 1.0)),
    "no-acrosome": _between("acrosome", 0.0, 0.0),
    "small-acrosome": _between("acrosome", 0.05, 0.18),
    "large-acrosome": _between("acrosome", 0.85, 0.94),
    "irregular-acrosome": _between("acrosome_irregularity", 0.7, 1.0),
    "many-vacuoles": _many_vacuoles,
    "large-vacuole": _large_vacuole,
    "bent-neck": _either_way("neck_bend_deg", 70, 120),
    "offset-neck": _either_way("neck_offset", 0.6, 0.9),
    "thick-midpiece": _between("midpiece_width_um", 1.3, 1.8),
    "residual-cytoplasm": _between("cytoplasm", 0.45, 0.9),
    "no-tail": _tail("absent"),
    "short-tail": lambda rng, _: {"tail": "short", "midpiece_length_um": rng.uniform(0.8, 1.6)},
    "bent-tail": lambda rng, _: {"tail": "bent", "midpiece_length_um": rng.uniform(2.5, 4.0)},
    "coiled-tail": lambda rng, _: {"tail": "coiled", "midpiece_length_um": rng.uniform(1.0, 2.0)},
    "double-tail": _tail("double"),
}


def random_spec(rng: np.random.Generator, defects: Collection[str] = frozenset()) -> PhantomSperm:
    """A random sperm with these defects and no other.

    Parameters
    ----------
    rng
        Where chance comes from.
    defects
        Parts (``"head"``: any defect of it) or names from :data:`DEFECTS`. A part that is not
        concerned is well within WHO's normal ranges; one that is lies clearly outside.

    Raises
    ------
    ValueError
        For a name that is neither.
    """
    unknown = sorted(set(defects) - set(DEFECTS) - set(PARTS))
    if unknown:
        raise ValueError(f"{unknown} are neither parts {list(PARTS)} nor among DEFECTS")
    chosen = [name for name in DEFECTS if name in defects]
    for part in PARTS:
        if part in defects and not any(DEFECTS[name] == part for name in chosen):
            names = [name for name in DEFECTS if DEFECTS[name] == part]
            weights = np.array([_WEIGHTS.get(name, 1.0) for name in names])
            chosen.append(str(rng.choice(names, p=weights / weights.sum())))
    length = rng.uniform(4.0, 4.8)
    fields: _Fields = {
        "head_length_um": length,
        "head_width_um": length / rng.uniform(1.40, 1.65),
        "outline": int(rng.integers(2**31)),
        "acrosome": rng.uniform(0.47, 0.64),
        "midpiece_length_um": rng.uniform(4.0, 6.0),
        "midpiece_width_um": rng.uniform(0.6, 0.85),
        "neck_bend_deg": rng.uniform(-15, 15),
        "neck_offset": rng.uniform(-0.12, 0.12),
        "tail_curve_deg": rng.uniform(-40, 40),
    }
    for name in sorted(chosen, key=lambda n: DEFECTS[n] == "vacuole"):
        # Vacuoles last: they are placed in the head as it then is.
        fields |= _DRAWS[name](rng, fields)
    if not any(DEFECTS[name] == "vacuole" for name in chosen):
        count = int(rng.choice([0, 0, 0, 1, 2]))
        fields["vacuoles"] = _place(rng, fields, count, (0.25, 0.45))
    plain: dict[str, Any] = {
        name: float(value) if isinstance(value, np.floating) else value
        for name, value in fields.items()
    }
    return PhantomSperm(**plain)


def random_defects(
    rng: np.random.Generator, rates: Mapping[str, float] = MHSMA_RATES
) -> frozenset[str]:
    """Parts that shall be abnormal, each by its own rate (0 to 1), independently."""
    return frozenset(part for part in PARTS if rng.random() < rates.get(part, 0.0))
