"""The tests' own bundle, given checks: limits that phantoms pass, and a reference of phantoms."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from androscope.imaging.phantom_set import phantom_set
from androscope.model.bundle import Bundle, load_bundle
from androscope.model.bundle_writing import write_bundle
from androscope.model.card_checks import CheckLimits, Checks, DomainFile
from androscope.model.domain import DOMAIN_FILE, Domain
from androscope.model.session import Session

TINY = Path(__file__).parent / "data" / "tiny-bundle"
COMPONENTS = 3

LIMITS = {
    "focus": CheckLimits(low=0.1, high=0.8),
    "contrast": CheckLimits(low=0.05, high=0.7),
    "scale": CheckLimits(low=15, high=60),
    "saturation": CheckLimits(high=0.02),
    "several heads": CheckLimits(high=0.9),
    "edge": CheckLimits(high=0.2),
    "colour": CheckLimits(high=0.15),
    "domain": CheckLimits(high=3.0),
}


def phantom_domain(bundle: Bundle) -> Domain:
    """A reference of the tiny network's embeddings of 60 phantoms."""
    crops = np.stack([phantom.pixels for phantom in phantom_set(60, 0)])
    known = Session(bundle).predict(crops).embeddings
    mean = known.mean(axis=0)
    _, spread, rows = np.linalg.svd(known - mean, full_matrices=False)
    return Domain(
        mean,
        rows[:COMPONENTS].astype(np.float16).astype(np.float32),
        (spread[:COMPONENTS] ** 2 / 59).astype(np.float32),
        float((spread[COMPONENTS:] ** 2).mean() / 59),
    )


def checks_for(domain: Domain) -> Checks:
    data = domain.to_bytes()
    return Checks(
        limits=LIMITS,
        domain=DomainFile(
            file=DOMAIN_FILE,
            sha256=hashlib.sha256(data).hexdigest(),
            bytes=len(data),
            components=COMPONENTS,
        ),
        data="60 phantoms",
        crops=60,
        tail=0.0,
        confirmed="the same",
        confirmed_crops=60,
        passed=1.0,
    )


def write_checked(folder: Path) -> Bundle:
    """Write the bundle into ``folder``."""
    tiny = load_bundle(TINY)
    domain = phantom_domain(tiny)
    card = tiny.card.model_copy(update={"checks": checks_for(domain)})
    return write_bundle(folder, tiny.model, card, domain)
