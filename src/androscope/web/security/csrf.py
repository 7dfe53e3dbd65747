"""That whoever sends a form meant to: a token only our own pages know, and the request's origin."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

__all__ = [
    "FIELD", "HEADER", "PROGRAM", "SAFE", "by_program", "from_elsewhere", "new_visitor", "same",
    "visitor_token",
]  # fmt: skip

#: Where the token stands: in a form, or in a header that scripts of ours send.
FIELD, HEADER = "csrf", "x-csrf-token"

#: Programs that use the API on their own machine, without a token, say so by this header. A page
#: of another site cannot make a browser send it: for a header that is not of the usual ones
#: browsers ask the server first (CORS), and ours never agrees.
PROGRAM = "x-androscope-client"

#: Methods that change nothing.
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def new_visitor() -> str:
    """A secret for the cookie of one who has not logged in."""
    return secrets.token_urlsafe(32)


def visitor_token(secret: str) -> str:
    """Their form token: it follows from the cookie, and the cookie does not follow from it."""
    return hmac.new(secret.encode(), b"androscope csrf", hashlib.sha256).hexdigest()


def same(given: str | None, expected: str) -> bool:
    """Compare without telling by time how much of it was right."""
    return given is not None and hmac.compare_digest(given.encode(), expected.encode())


def from_elsewhere(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that another site's page sent the request."""
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return True
    origin = headers.get("origin")
    if origin is None:
        return False
    return urlsplit(origin).netloc.lower() != headers.get("host", "").lower()


def by_program(path: str, headers: Mapping[str, str]) -> bool:
    """Whether a request to the API is one that no form and no other site's page can send."""
    return path.startswith("/api/") and bool(headers.get(PROGRAM))
