"""The pages' own style and scripts: few and small files of ours, behind the same door as the pages."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

router = APIRouter()

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@router.get("/static/{name}", include_in_schema=False)
def serve_file(name: str) -> Response:
    """Answer with one of our files."""
    if name not in _names():
        raise HTTPException(404, "There is no such file")
    path = _FOLDER / name
    return Response(path.read_bytes(), media_type=_TYPES[path.suffix])


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _TYPES)
