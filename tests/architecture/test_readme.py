import re
from datetime import UTC, datetime
from pathlib import Path

from sandbox.demo.story import build_demo
from sandbox.demo.table import situations_table

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_shows_every_situation_of_the_demo():
    """What the product does with each of them is compared in tests/integration/sync/test_demo.py."""
    assert situations_table(build_demo(1, datetime.now(UTC)).situations) in README


def test_every_make_target_that_the_readme_names_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)`", README))
    assert named >= {"run", "sync", "test", "check"}
    assert named <= targets


def test_every_file_that_a_document_links_to_exists():
    documents = (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    links = [(one, target) for one in documents for target in re.findall(r"\]\(([^)#:]+)\)", one.read_text(encoding="utf-8"))]
    missing = [f"{one.name}: {target}" for one, target in links if not (one.parent / target).exists()]
    assert links
    assert missing == []
