"""The pages people see. They load nothing from elsewhere, and their policy lets them load nothing."""

import secrets
from importlib.resources import files
from string import Template


def render(name: str) -> tuple[str, dict[str, str]]:
    """Return a page and the headers it must be sent with."""
    nonce = secrets.token_urlsafe(16)
    text = Template((files(__name__) / name).read_text("utf-8")).substitute(nonce=nonce)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return text, {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
