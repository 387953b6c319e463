"""Under which key a person's decision is remembered, so that no name and no address is at rest (design sections 5 and 8)."""

from __future__ import annotations

import hashlib
import hmac
import json

from order_sync.normal_forms import normalise_email, normalise_name
from order_sync.orders import Customer


def content_key(key: bytes, content_hash: str) -> str:
    """Return the keyed form of an order's content hash, in which the ledger keeps it.

    What is hashed holds the customer's details; unkeyed, somebody with a copy of the ledger could test guesses at them.
    """
    return hmac.new(key, f"content-1|{content_hash}".encode(), hashlib.sha256).hexdigest()


def customer_key(key: bytes, practice_id: str, customer: Customer) -> str | None:
    """Return the keyed hash that stands for a store customer of one practice, as 64 hexadecimal digits.

    An account is known by its id. A guest is known by e-mail *and* both names in their normal form, because a family
    shares an address; None when one of the three is unknown: then nothing is remembered. Keyed, because e-mails and
    names can be guessed (reliability S3). Raises `ValueError` for an empty key.
    """
    if not key:
        msg = "the key of the remembered decisions is empty"
        raise ValueError(msg)
    identity = _identity(customer)
    if identity is None:
        return None
    message = json.dumps(["customer-1", practice_id, *identity])
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()


def _identity(customer: Customer) -> list[str | int] | None:
    if customer.customer_id is not None and not customer.is_guest:
        return ["account", customer.customer_id]
    email, first, last = normalise_email(customer.email), normalise_name(customer.first), normalise_name(customer.last)
    return None if email is None or first is None or last is None else ["guest", email, first, last]
