"""Optional dependencies: imported where they are used, with an error that says what to install."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from androscope.errors import MissingExtraError

__all__ = ["require"]


def require(module: str, *, extra: str, why: str) -> ModuleType:
    """Import ``module`` or say which extra brings it.

    Parameters
    ----------
    module
        Dotted name, such as ``"pyarrow.parquet"``.
    extra
        The extra of this package that depends on it, such as ``"parquet"``.
    why
        What it is needed for, to finish the sentence "X is needed to ...".

    Raises
    ------
    MissingExtraError
        If it is not installed. A module that is there but fails to import raises as it will.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        # A package that is installed but lacks a dependency of its own is another fault.
        if error.name is None or not (module + ".").startswith(error.name + "."):
            raise
        raise MissingExtraError(
            f"{module.partition('.')[0]} is needed to {why}, and is not installed",
            advice=f"Run: pip install 'androscope[{extra}]'",
        ) from error
