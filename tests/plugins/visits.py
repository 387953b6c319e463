"""Visit a running API server with a login, or with something that only looks like one."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt

JWT_SECRET = "a secret that signs the logins of these tests, long enough for HS512: sixty-four bytes"
APP = "/orders-app"


@dataclass(frozen=True)
class ApiServer:
    """A server that runs."""

    url: str
    """Airflow's base URL."""
    tokens: dict[str, str]
    log: Path
    ledger: Path

    def visitor(self, token: str | None, *, by_cookie: bool = False) -> httpx.Client:
        """Return a client that brings this token; it follows no redirect."""
        headers = {} if token is None or by_cookie else {"Authorization": f"Bearer {token}"}
        cookies = {"_token": token} if token is not None and by_cookie else {}
        return httpx.Client(base_url=self.url, headers=headers, cookies=cookies, timeout=30, trust_env=False)

    def new_token(self, login: str) -> str:
        """Return another token of this login, which can be revoked without ending the others."""
        claims = jwt.decode(self.tokens[login], options={"verify_signature": False})
        header = jwt.get_unverified_header(self.tokens[login])
        return jwt.encode(
            {**claims, "jti": uuid.uuid4().hex}, JWT_SECRET, algorithm=header["alg"], headers={"kid": header["kid"]}
        )

    def strangers(self, login: str) -> dict[str, str | None]:
        """Return what nobody may come in with, made from a token that is good."""
        good = jwt.decode(self.tokens[login], options={"verify_signature": False})
        header = jwt.get_unverified_header(self.tokens[login])
        now = int(time.time())

        def signed(key: str = JWT_SECRET, algorithm: str = header["alg"], **changed: Any) -> str:
            return jwt.encode({**good, **changed}, key, algorithm=algorithm, headers={"kid": header["kid"]})

        cut = self.tokens[login].rpartition(".")[0]
        return {
            "anonymous": None,
            "expired": signed(iat=now - 7200, nbf=now - 7200, exp=now - 3600),
            "forged": signed("another secret, which is as long as the right one but is not it, not at all"),
            "of another algorithm": signed(algorithm="HS256"),
            "unsigned": jwt.encode(good, "", algorithm="none"),
            "cut": f"{cut}.",
            "for another audience": signed(aud="urn:airflow.apache.org:task"),
            "not yet valid": signed(nbf=now + 3600),
            "of nobody": signed(sub="", role="admin"),
            "no token": "not-a-token",
        }
