"""Where a server may listen: on this machine, or elsewhere with users and HTTPS."""

from __future__ import annotations

from androscope.errors import ServeError
from androscope.records.store import Records
from androscope.web.options import ServeOptions, is_loopback

__all__ = ["check_door"]


def check_door(options: ServeOptions, records: Records) -> None:
    """Refuse to open a door without a lock.

    Raises
    ------
    ServeError
        If the address can be reached from other machines and there are no users, or passwords
        would travel in the clear.
    """
    if is_loopback(options.host) and not options.proxied:
        return
    where = "the proxy in front of it" if options.proxied else options.host
    if not any(not user.disabled for user in records.users.list()):
        raise ServeError(
            f"{where} can be reached from other machines, and there are no users: anyone "
            "could read and change the samples",
            advice="Add one first: androscope users add NAME --role admin; or serve 127.0.0.1",
        )
    if not options.https:
        raise ServeError(
            f"{where} can be reached from other machines, and passwords would travel unencrypted",
            advice="Give --certificate and --key, or --behind-https where a proxy encrypts",
        )
