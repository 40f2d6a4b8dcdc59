"""
What of a request reaches the service.

What is named here goes along and nothing else does: Jupyter's cookie, its token, the XSRF token, and whatever a proxy before Jupyter adds
about the login stay out by not being in the list, and so do headers that only we may set.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, unquote_plus, urlsplit

PASSED = frozenset(
    "accept accept-encoding accept-language cache-control content-encoding content-type idempotency-key if-match if-modified-since "
    "if-none-match if-range if-unmodified-since range traceparent tracestate user-agent x-request-id".split()
)
CREDENTIALS = frozenset({"token", "_xsrf"})
# Of the service's answer: what concerns its connection to us, and what is Jupyter's to say.
KEPT_BACK = frozenset(
    "connection keep-alive proxy-authenticate proxy-connection te trailer transfer-encoding upgrade set-cookie "
    "access-control-allow-origin access-control-allow-credentials".split()
)


def forwarded(headers: Mapping[str, str], *, user: str, secret: str, prefix: str) -> dict[str, str]:
    """The headers of the request to the service. The user's name is percent-encoded, so that it may be any text."""
    passed = {name: value for name, value in headers.items() if name.lower() in PASSED}
    host, origin = headers.get("Host", "localhost"), headers.get("Origin")
    # An origin that Jupyter's own settings allow is none of the service's business.
    if origin is not None and same_host(origin, host):
        passed["Origin"] = origin
    return {
        **passed,
        "Host": host,
        "X-Stepwell-Secret": secret,
        "X-Stepwell-User": quote(user, safe="@ "),
        "X-Forwarded-Prefix": prefix,
    }


def same_host(origin: str, host: str) -> bool:
    try:
        return urlsplit(origin.lower()).netloc == host.lower()
    except ValueError:
        return False


def without_credentials(query: str) -> str:
    """The query with Jupyter's token taken out and everything else as it was."""
    return "&".join(part for part in query.split("&") if unquote_plus(part.partition("=")[0]) not in CREDENTIALS)


def returned(headers: Mapping[str, str], prefix: str) -> list[tuple[str, str]]:
    """The headers of the answer as the browser gets them; a place on the service becomes a place under Jupyter."""
    kept = [(name, value) for name, value in headers.items() if name.lower() not in KEPT_BACK]
    return [(name, prefix + value if name.lower() == "location" and value.startswith("/") else value) for name, value in kept]
