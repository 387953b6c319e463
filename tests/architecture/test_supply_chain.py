"""What runs is what was locked, and no secret and no way around TLS is written into the code."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.txt", "requirements-sandbox.txt", "requirements-dev.txt")
EVERY_LOCK = (*LOCKS, "requirements-bench.txt")
"""The last is for an environment of its own, with other versions."""
CODE = ("include", "dags", "plugins", "launch")
CYCLONEDX = ROOT / ".venv-tools" / "bin" / "cyclonedx-py"
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
_SECRET_NAME = re.compile(
    r"(^|_)(pass(word|wd|phrase)?|secret|token|credentials?|(api|private|secret|marker|customer)_key)s?$", re.IGNORECASE
)
_KEY_MATERIAL = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/=]{20}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b"
    r"|\bxox[abprs]-[0-9A-Za-z-]{20,}|\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.|\bsk_live_[0-9A-Za-z]{16,}"
)
_WAYS_AROUND_TLS = re.compile(
    r"verify\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False|_create_unverified_context|_create_default_https_context"
    r"|follow_redirects\s*=\s*True|trust_env\s*=\s*True|disable_warnings|--trusted-host"
)
# What the code may take from the environment by itself: where things lie, and a waiting time. Secrets come from connections.
_ENVIRONMENT = {"ORDER_SYNC_PRACTICES", "ORDER_SYNC_REPORTS_URL", "ORDER_SYNC_WAIT_FOR_PRACTICES_SECONDS", "URL_VARIABLE"}


def locked(name: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Yield each requirement of a lock with its hashes."""
    text = (ROOT / name).read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    for line in lines:
        yield Requirement(_HASH.sub("", line).strip()), _HASH.findall(line)


@pytest.mark.parametrize("name", EVERY_LOCK)
def test_every_line_of_a_lock_is_one_version_with_hashes_and_nothing_else(name: str) -> None:
    lines = list(locked(name))
    assert len(lines) > 10
    for requirement, hashes in lines:
        assert requirement.url is None, requirement
        assert [entry.operator for entry in requirement.specifier] == ["=="], requirement
        assert "*" not in str(requirement.specifier), requirement
        assert hashes, requirement
        assert len(set(hashes)) == len(hashes), requirement


@pytest.mark.parametrize("name", EVERY_LOCK)
def test_everything_that_is_asked_for_is_locked(name: str) -> None:
    names = {canonicalize_name(requirement.name) for requirement, _ in locked(name)}
    wanted = (ROOT / name.replace(".txt", ".in")).read_text(encoding="utf-8").splitlines()
    asked = {canonicalize_name(Requirement(line).name) for line in wanted if line and line[0] not in "#-"}
    assert asked
    assert asked <= names


def test_the_three_locks_agree_on_every_version() -> None:
    versions: dict[str, set[str]] = {}
    for name in LOCKS:
        for requirement, _ in locked(name):
            if requirement.marker is None or requirement.marker.evaluate():
                versions.setdefault(canonicalize_name(requirement.name), set()).add(str(requirement.specifier))
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def installed() -> dict[str, str]:
    return {canonicalize_name(entry.metadata["Name"]): entry.version for entry in distributions()}


def pinned(name: str) -> dict[str, str]:
    """Return what a lock installs on this machine."""
    return {
        canonicalize_name(requirement.name): next(iter(requirement.specifier)).version
        for requirement, _ in locked(name)
        if requirement.marker is None or requirement.marker.evaluate()
    }


def test_what_is_installed_is_what_is_locked() -> None:
    everything = {name: version for lock in LOCKS for name, version in pinned(lock).items()}
    found = installed()
    assert {name: found.get(name) for name in everything} == everything
    assert found.keys() - everything.keys() <= {"pip", "setuptools"}


def test_whatever_installs_for_production_asks_for_the_hashes() -> None:
    for name in ("Makefile", "Dockerfile", "docker-compose.yaml", ".ci/run"):
        lines = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        installing = [line for line in lines if re.search(r"\bpip install\b", line) and "$(TOOLS)" not in line]
        assert [line for line in installing if "--require-hashes" not in line] == []
        assert [line for line in installing if re.search(r"--(extra-)?index-url|--trusted-host|git\+|http:", line)] == []


def test_the_list_of_parts_names_everything_of_production_that_is_installed(tmp_path: Path) -> None:
    if not CYCLONEDX.exists():
        pytest.skip("the tool that lists the parts is not installed: `make sbom` fetches it")
    listed = tmp_path / "sbom.json"
    subprocess.run(["make", "--no-print-directory", "sbom", f"SBOM={listed}"], cwd=ROOT, check=True, timeout=120)
    document = json.loads(listed.read_text(encoding="utf-8"))
    assert document["bomFormat"] == "CycloneDX"
    parts: dict[tuple[str, str], Any] = {
        (canonicalize_name(part["name"]), part["version"]): part for part in document["components"]
    }
    found = installed()
    production = {(name, found[name]) for name in pinned("requirements.txt")}
    assert production - parts.keys() == set()
    assert all(parts[part]["externalReferences"][0]["hashes"] for part in production)


def sources(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def named_literals(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each text that is written beside a name: assignments, arguments, defaults, comparisons, entries of a dict."""
    for node in ast.walk(tree):
        pairs: list[tuple[ast.expr | str | None, ast.expr | None]] = []
        match node:
            case ast.Assign():
                pairs = [(target, node.value) for target in node.targets]
            case ast.AnnAssign():
                pairs = [(node.target, node.value)]
            case ast.keyword():
                pairs = [(node.arg, node.value)]
            case ast.Dict():
                pairs = list(zip(node.keys, node.values, strict=True))
            case ast.Compare():
                pairs = [(node.left, other) for other in node.comparators]
            case ast.arguments():
                with_defaults = [*node.posonlyargs, *node.args][-len(node.defaults) :] if node.defaults else []
                pairs = [(one.arg, value) for one, value in zip(with_defaults, node.defaults, strict=True)]
                pairs += [(one.arg, value) for one, value in zip(node.kwonlyargs, node.kw_defaults, strict=True)]
        for name, value in pairs:
            if isinstance(value, ast.Constant) and isinstance(value.value, str | bytes) and value.value:
                text = value.value.decode("latin-1") if isinstance(value.value, bytes) else value.value
                yield _word(name), text


def _word(name: ast.expr | str | None) -> str:
    match name:
        case str():
            return name
        case ast.Name():
            return name.id
        case ast.Attribute():
            return name.attr
        case ast.Constant(value=str(text)):
            return text
        case _:
            return ""


def test_no_secret_is_written_into_the_code() -> None:
    """What is beside the name of a secret may name a field or hold a sentence; it is never a value."""
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in sources(*CODE)
        for name, text in named_literals(tree)
        if _SECRET_NAME.search(name) and not re.fullmatch(r"[a-z_]{1,30}", text)
    ]
    assert found == []


@pytest.mark.parametrize(
    "planted",
    [
        'password = "Wint3r!"',
        'connect(access_token="a8Gd7")',
        'settings = {"consumer_secret": "x9"}',
        'def f(*, token: str = "T0k"): ...',
        'def f(marker_key=b"K3y"): ...',
        'self.api_key: str = "A1"',
    ],
)
def test_a_planted_secret_is_found(planted: str) -> None:
    assert any(_SECRET_NAME.search(name) and text for name, text in named_literals(ast.parse(planted)))


def test_no_file_holds_key_material() -> None:
    folders = (*CODE, "sandbox", "tests", "bench", "docs", "deploy", ".ci")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc"]
    files += [path for path in ROOT.iterdir() if path.is_file() and not path.name.startswith("requirements")]
    assert len(files) > 100
    found = [str(path.relative_to(ROOT)) for path in files if _KEY_MATERIAL.search(path.read_text("utf-8", errors="ignore"))]
    assert found == []


def test_the_code_takes_no_secret_from_the_environment_by_itself() -> None:
    read = set()
    for _, tree in sources("include", "dags", "plugins"):
        for node in ast.walk(tree):
            text = ast.unparse(node) if isinstance(node, ast.Call | ast.Subscript) else ""
            if found := re.match(r"os\.(?:environ\.get|environ\.pop|getenv|environ)[(\[]'?(\w+)", text):
                read.add(found[1])
    assert read <= _ENVIRONMENT
    assert "ORDER_SYNC_PRACTICES" in read


def test_no_line_of_code_goes_around_tls_or_follows_a_redirect() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path, _ in sources(*CODE)
        for match in _WAYS_AROUND_TLS.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
