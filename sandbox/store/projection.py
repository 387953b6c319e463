"""The `fields` parameter: what an answer keeps of itself (store contract section 2)."""

from __future__ import annotations

import re

Tree = dict[str, "Tree"]

_ALLOWED = re.compile(r"[A-Za-z0-9_\[\],]+")
_TOKEN = re.compile(r"[A-Za-z0-9_]+|[\[\],]")


def parse_fields(text: str) -> Tree | None:
    """Read `items[entity_id,extension_attributes[gift_cards_amount]],total_count`; None when it is malformed."""
    if not _ALLOWED.fullmatch(text):
        return None
    root: Tree = {}
    stack = [root]
    name: str | None = None
    for part in _TOKEN.findall(text):
        if part == "[":
            if name is None:
                return None
            stack.append(stack[-1][name])
            name = None
        elif part == "]":
            if len(stack) == 1:
                return None
            stack.pop()
            name = None
        elif part == ",":
            name = None
        else:
            name = part
            stack[-1].setdefault(name, {})
    return root if len(stack) == 1 else None


def project(answer: object, tree: Tree) -> object:
    """Keep only what the tree names, in every element of every list; unknown names are ignored."""
    if isinstance(answer, list):
        return [project(one, tree) for one in answer]
    if isinstance(answer, dict):
        return {key: project(value, tree[key]) if tree[key] else value for key, value in answer.items() if key in tree}
    return answer
