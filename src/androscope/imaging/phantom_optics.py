"""How a phantom is seen: an unstained cell is nearly transparent, and defocus makes it visible.

The picture is that of a weak object in partially coherent light. With ``p`` its phase (rad), ``a``
its loss of amplitude and ``k`` the spatial frequency (cycles/um), the relative intensity is

    1 + F^-1[ envelope(k) * (2 p(k) sin(x) - a(k) cos(x) + 2 pi i (k . s) p(k)) ],
    x = pi * wavelength * defocus * |k|^2

which is the linear part of Born & Wolf, *Principles of Optics*, 7th ed., section 10.6, with a
Gaussian for the envelope of source and objective and a first-order term for light that comes from
one side (``s``). Phase contrast adds the phase itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from androscope.types import UInt8Array

__all__ = ["Optics", "Polarity", "bright_rate", "form_image", "random_optics", "to_camera"]

Polarity = Literal["bright-field", "phase-positive", "phase-negative"]

# Share of MHSMA's training crops that are bright inside (99th percentile of the middle 32 x 32
# pixels over 15 grey levels above the border's median): normal ones, those with one abnormal part,
# those with two, with more. A cell's inside, and what is wrong with it, shows best in that focus.
_BRIGHT_NORMAL = 0.16
_BRIGHT_ONE = {"head": 0.28, "acrosome": 0.23, "vacuole": 0.46, "tail": 0.25}
_BRIGHT_TWO, _BRIGHT_MORE = 0.43, 0.60

_WAVELENGTH_UM = 0.55
_SOURCE_ANGLE = 0.12


@dataclass(frozen=True, slots=True)
class Optics:
    """Microscope and camera.

    Attributes
    ----------
    defocus_um
        Positive: dense parts dark with a bright fringe; negative: bright with a dark one.
    blur_um
        Standard deviation of the point-spread function, um.
    absorption
        Light lost inside the cell, per unit of density; below 0 the cell gathers light as a lens.
    edge_loss
        Light lost by refraction at the cell's steep edge, per unit of density.
    tilt
        How much denser the head's left side looks than its right one, -1 to 1: it lies askew.
    side_light, side_angle_deg
        Strength of oblique light (um per rad) and where it comes from.
    background, gradient, gradient_angle_deg
        Mean grey (0 to 255), its change over the picture, and in which direction.
    contrast
        Factor on everything the cell does to the light.
    noise, grid
        Standard deviation of camera noise and amplitude of the compression grid, in grey levels.
    polarity
        Bright field, or phase contrast with dark (positive) or bright (negative) cells.
    """

    defocus_um: float = 1.5
    blur_um: float = 0.20
    absorption: float = 0.08
    edge_loss: float = 0.15
    tilt: float = 0.0
    side_light: float = 0.0
    side_angle_deg: float = 0.0
    background: float = 129.0
    gradient: float = 3.0
    gradient_angle_deg: float = 0.0
    contrast: float = 1.0
    noise: float = 1.2
    grid: float = 0.4
    polarity: Polarity = "bright-field"


def bright_rate(labels: Mapping[str, int]) -> float:
    """How often a sperm with these labels (0 normal, 1 abnormal) is seen bright inside, 0 to 1."""
    abnormal = [part for part, label in labels.items() if label]
    if len(abnormal) > 1:
        return _BRIGHT_TWO if len(abnormal) == 2 else _BRIGHT_MORE
    return _BRIGHT_ONE[abnormal[0]] if abnormal else _BRIGHT_NORMAL


def random_optics(
    rng: np.random.Generator,
    *,
    bright: bool | None = None,
    polarity: Polarity = "bright-field",
) -> Optics:
    """Optics as they vary over MHSMA's crops.

    Parameters
    ----------
    rng
        Where chance comes from.
    bright
        Focus below the cell, which then gathers light: its inside is bright, its rim dark and its
        vacuoles show. Otherwise the focus is above it and it looks dark. Default: bright as often
        as MHSMA's normal crops.
    polarity
        Kind of microscope.
    """
    if bright is None:
        bright = bool(rng.random() < _BRIGHT_NORMAL)
    if bright:
        defocus, blur = -rng.uniform(0.2, 1.1), rng.uniform(0.20, 0.30)
        absorption, edge_loss = -rng.uniform(0.05, 0.26), rng.uniform(0.25, 0.60)
        tilt, side_light = rng.choice([-1, 1]) * rng.uniform(0.2, 1.0), abs(rng.normal(0, 0.09))
    else:
        defocus, blur = rng.uniform(0.3, 1.9), rng.uniform(0.22, 0.34)
        absorption, edge_loss = rng.triangular(-0.02, 0.09, 0.26), rng.uniform(0.20, 0.50)
        tilt, side_light = float(np.clip(rng.normal(0, 0.4), -1, 1)), abs(rng.normal(0, 0.05))
    return Optics(
        defocus_um=float(defocus),
        blur_um=float(blur),
        absorption=float(absorption),
        edge_loss=float(edge_loss),
        tilt=float(tilt),
        side_light=float(side_light),
        side_angle_deg=float(rng.uniform(0, 360)),
        background=float(np.clip(rng.normal(129, 5), 112, 142)),
        gradient=float(abs(rng.normal(0, 4))),
        gradient_angle_deg=float(rng.uniform(0, 360)),
        contrast=float(rng.uniform(0.8, 1.25)),
        noise=float(rng.uniform(0.7, 2.0)),
        grid=float(min(rng.exponential(0.25), 1.0)),
        polarity=polarity,
    )


def form_image(
    phase: NDArray[np.float64],
    loss: NDArray[np.float64],
    optics: Optics,
    pixel_size_um: float,
) -> NDArray[np.float64]:
    """Relative intensity, 1 for the empty background.

    Parameters
    ----------
    phase
        ``(H, W)``, rad.
    loss
        ``(H, W)``, share of the light that is lost.
    pixel_size_um
        Of these arrays, um/px. They wrap around: leave a margin.
    """
    height, width = phase.shape
    ky = np.fft.fftfreq(height, pixel_size_um)[:, None]
    kx = np.fft.rfftfreq(width, pixel_size_um)[None, :]
    square = kx**2 + ky**2
    chi = math.pi * _WAVELENGTH_UM * optics.defocus_um * square
    # A source of finite angle washes out what is far from focus.
    washed = (_SOURCE_ANGLE * optics.defocus_um) ** 2
    envelope = np.exp(-2 * math.pi**2 * (optics.blur_um**2 + washed) * square)
    angle = math.radians(optics.side_angle_deg)
    slope = kx * math.cos(angle) + ky * math.sin(angle)
    phase_hat = np.fft.rfft2(phase)
    spectrum = phase_hat * (-2 * np.sin(chi) + 2j * math.pi * optics.side_light * slope * 2)
    spectrum -= np.cos(chi) * np.fft.rfft2(loss)
    if optics.polarity != "bright-field":
        # The annulus lets the direct light through weakened: low frequencies lose their contrast,
        # which is the halo around everything in phase contrast.
        ring = 1 - np.exp(-square / (2 * 0.06**2))
        sign = -1.0 if optics.polarity == "phase-positive" else 1.0
        spectrum += sign * 1.5 * phase_hat * np.cos(chi) * ring
    change = np.fft.irfft2(spectrum * envelope, s=(height, width))
    return np.asarray(1 + optics.contrast * change)


def to_camera(
    intensity: NDArray[np.float64], optics: Optics, rng: np.random.Generator
) -> UInt8Array:
    """What the camera makes of relative intensity: gradient, noise, compression grid, 8 bits."""
    height, width = intensity.shape
    y = np.linspace(-0.5, 0.5, height)[:, None]
    x = np.linspace(-0.5, 0.5, width)[None, :]
    angle = math.radians(optics.gradient_angle_deg)
    ramp = optics.gradient * (x * math.cos(angle) + y * math.sin(angle))
    # Neighbours share noise: the camera interpolates colour. Variance is kept at noise**2.
    white = rng.standard_normal((height + 2, width + 2))
    kernel = np.array([0.22, 1.0, 0.22])
    kernel /= np.linalg.norm(kernel)
    rows = kernel[0] * white[:-2] + kernel[1] * white[1:-1] + kernel[2] * white[2:]
    noise = kernel[0] * rows[:, :-2] + kernel[1] * rows[:, 1:-1] + kernel[2] * rows[:, 2:]
    phases = rng.uniform(0, 2 * math.pi, 4)
    column, row = np.arange(width)[None, :], np.arange(height)[:, None]
    grid = (
        np.cos(math.pi / 2 * column + phases[0])
        + np.cos(math.pi / 2 * row + phases[1])
        + 0.5 * np.cos(math.pi / 4 * column + phases[2])
        + 0.5 * np.cos(math.pi / 4 * row + phases[3])
    )
    grey = optics.background * intensity + ramp + optics.noise * noise + optics.grid * grid
    return np.asarray(np.clip(np.floor(grey + 0.5), 0, 255).astype(np.uint8))
