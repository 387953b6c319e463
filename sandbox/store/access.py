"""Who may call: bearer tokens, OAuth 1.0a with HMAC-SHA256, and admin tokens that expire (store contract section 1)."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

from oauthlib.common import safe_string_equals
from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849 import signature

from sandbox.store.complaints import StoreComplaint, not_authorized
from sandbox.store.exchange import Call
from sandbox.store.shop import Shop


def check_access(shop: Shop, call: Call, resource: str) -> None:
    """Let the call through or answer 401, or what OAuth says."""
    scheme, _, rest = call.headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "bearer" if _is_known_token(shop, rest.strip()):
            return
        case "oauth":
            _check_oauth(shop, call, rest, resource)
        case _:
            raise not_authorized(resource)


def admin_token(shop: Shop, body: Any) -> str:  # noqa: ANN401 - whatever JSON came
    """Return a new admin token for the right user name and password."""
    named = body if isinstance(body, dict) else {}
    if (named.get("username"), named.get("password")) != (shop.keys.admin_user, shop.keys.admin_password):
        raise StoreComplaint(
            HTTPStatus.UNAUTHORIZED,
            "The account sign-in was incorrect or your account is disabled temporarily. Please wait and try again later.",
        )
    token = f"{shop.rng.getrandbits(128):032x}"
    shop.admin_tokens[token] = shop.clock() + timedelta(seconds=shop.switches.token_ttl_seconds)
    return token


def _is_known_token(shop: Shop, token: str) -> bool:
    if token == shop.keys.token:
        return shop.switches.bearer_integration
    expires_at = shop.admin_tokens.get(token)
    return expires_at is not None and shop.clock() < expires_at


def _check_oauth(shop: Shop, call: Call, text: str, resource: str) -> None:
    said = dict(_header_pairs(text))
    keys = shop.keys
    if said.get("oauth_signature_method") != "HMAC-SHA256":
        raise _oauth_complaint(HTTPStatus.BAD_REQUEST, "signature_method_rejected")
    if said.get("oauth_consumer_key") != keys.consumer_key:
        raise _oauth_complaint(HTTPStatus.UNAUTHORIZED, "consumer_key_rejected")
    if said.get("oauth_token") != keys.token:
        raise not_authorized(resource)
    if not _is_fresh(shop, said.get("oauth_timestamp", "")):
        raise _oauth_complaint(HTTPStatus.BAD_REQUEST, "timestamp_refused")
    if not safe_string_equals(_signature(shop, call, text), said.get("oauth_signature", "")):
        raise _oauth_complaint(HTTPStatus.UNAUTHORIZED, "signature_invalid")
    nonce = said.get("oauth_nonce", "")
    if not nonce or nonce in shop.nonces:
        raise _oauth_complaint(HTTPStatus.UNAUTHORIZED, "nonce_used")
    shop.nonces.add(nonce)


def _is_fresh(shop: Shop, timestamp: str) -> bool:
    if not timestamp.isdigit():
        return False
    return abs(shop.clock().timestamp() - int(timestamp)) <= shop.switches.oauth_clock_seconds


def _signature(shop: Shop, call: Call, text: str) -> str:
    """Return the signature that the request should carry: query parameters belong to the base string."""
    params = [pair for pair in _header_pairs(text) if pair[0] not in {"oauth_signature", "realm"}]
    params += parse_qsl(call.query, keep_blank_values=True)
    # oauthlib takes pairs (a name may come twice); its stubs say otherwise.
    normal = signature.normalize_parameters(params)  # type: ignore[arg-type]
    base = signature.signature_base_string(call.method, signature.base_string_uri(call.url), normal)  # type: ignore[arg-type]
    signer = Client(
        shop.keys.consumer_key, client_secret=shop.keys.consumer_secret, resource_owner_secret=shop.keys.token_secret
    )
    return str(signature.sign_hmac_sha256_with_client(base, signer))  # type: ignore[no-untyped-call]


def _header_pairs(text: str) -> list[tuple[str, str]]:
    pairs = []
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        pairs.append((unquote(name), unquote(value.strip('"'))))
    return pairs


def _oauth_complaint(status: int, problem: str) -> StoreComplaint:
    return StoreComplaint(status, f"oauth_problem={problem}")
