"""docker-compose.yaml: there is no Docker in CI, so what can be said about the file without it is said here."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from launch.environment import DatabaseUrls, environment
from launch.keys import Keys
from launch.plan import REPOSITORY, LaunchPlan
from order_sync.practices import load_practices

COMPOSE_TEXT = (REPOSITORY / "docker-compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
AIRFLOW_SERVICES = ("initialize", "api-server", "scheduler", "dag-processor", "triggerer")
SERVICE_KEYS = {
    "build", "cap_drop", "command", "depends_on", "env_file", "environment", "healthcheck", "image", "init", "logging",
    "ports", "profiles", "restart", "security_opt", "shm_size", "stop_grace_period", "user", "volumes",
}  # fmt: skip
"""Of the Compose specification, what we use: a typing error in a key is silently ignored by nobody."""
ONLY_IN_THE_DEMO = {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"}
ONLY_IN_PRODUCTION = {"AIRFLOW_ADMIN_PASSWORD", "ORDER_SYNC_ENV"}
DIFFERENT_IN_THE_DEMO = {"AIRFLOW__CORE__TEST_CONNECTION"}


def variables_of_example(path: Path) -> dict[str, str]:
    lines = (line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", maxsplit=1) for line in lines)


ENV_EXAMPLE = variables_of_example(REPOSITORY / ".env.example")
CONNECTIONS_EXAMPLE = variables_of_example(REPOSITORY / "deploy" / "connections.env.example")


@pytest.fixture(scope="module")
def demo_environment() -> dict[str, str]:
    plan = LaunchPlan(Path("/demo"))
    return environment(plan, Keys.invent(), DatabaseUrls("postgresql+psycopg2://a", "postgresql+psycopg2://b"))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_uses_keys_of_the_compose_specification_only(name: str) -> None:
    assert set(SERVICES[name]) <= SERVICE_KEYS


def test_the_file_is_what_the_compose_specification_allows() -> None:
    """Read by an independent implementation of the specification, with the example's values put in."""

    def value(match: re.Match[str]) -> str:
        return match["default"] or ENV_EXAMPLE.get(match["name"]) or "filled-in"

    filled = re.sub(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?[^}]*)?\}", value, COMPOSE_TEXT)
    read = PyCompose.from_json(json.dumps(yaml.safe_load(filled)))
    assert read.name == "order-sync"
    assert {name for name in SERVICES if read.get_service(name) is not None} == set(SERVICES)
    with pytest.raises(ValueError, match="imagee"):
        PyCompose.from_json(json.dumps({"services": {"postgres": {**SERVICES["postgres"], "imagee": "x"}}}))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_without_power(name: str) -> None:
    service = SERVICES[name]
    user, _, _group = service["user"].partition(":")
    assert int(user) > 0
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged", False)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_stays_is_watched_and_restarted(name: str) -> None:
    service = SERVICES[name]
    if name == "initialize":
        assert service["restart"] == "no"
        assert service["healthcheck"] == {"disable": True}
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(service["healthcheck"])


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_on_loopback_only(name: str) -> None:
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_every_variable_is_in_the_example_and_the_other_way_round() -> None:
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", COMPOSE_TEXT))
    assert used == set(ENV_EXAMPLE)


def test_every_variable_of_the_example_has_a_comment_above_it() -> None:
    lines = (REPOSITORY / ".env.example").read_text(encoding="utf-8").splitlines()
    bare = [line for above, line in itertools.pairwise(lines) if re.match("[A-Z]", line) and not above.startswith("#")]
    assert bare == []


def test_a_secret_has_no_value_in_the_example_and_none_in_the_compose_file() -> None:
    secret = re.compile("PASSWORD|SECRET|KEY")
    assert {name: value for name, value in ENV_EXAMPLE.items() if secret.search(name) and value} == {}
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if secret.search(variable) or variable.startswith("AIRFLOW_CONN") or "@" in value:
                assert "${" in value, f"{name}: {variable} must come from outside"
    assert set(re.findall(r"\$\{([A-Z_]+):-", COMPOSE_TEXT)) == {
        "AIRFLOW_BASE_URL",
        "AIRFLOW_PORT",
        "SANDBOX_PORT",
    }


@pytest.mark.parametrize("name", AIRFLOW_SERVICES)
def test_airflow_has_the_variables_of_the_demo(name: str, demo_environment: dict[str, str]) -> None:
    ours = set(SERVICES[name]["environment"]) | set(CONNECTIONS_EXAMPLE)
    assert ours - ONLY_IN_PRODUCTION == set(demo_environment) - ONLY_IN_THE_DEMO
    assert SERVICES[name]["environment"]["ORDER_SYNC_ENV"] == "production"


def test_airflow_has_the_policy_of_the_demo(demo_environment: dict[str, str]) -> None:
    from launch.environment import POLICY

    ours = SERVICES["scheduler"]["environment"]
    assert {name: ours[name] for name in POLICY} == dict(POLICY)
    assert all(ours[name] != demo_environment[name] for name in DIFFERENT_IN_THE_DEMO)


def test_the_example_connections_are_those_of_the_demo_with_the_sandbox_as_host(demo_environment: dict[str, str]) -> None:
    for name, value in CONNECTIONS_EXAMPLE.items():
        quoted = re.fullmatch(r"'(.*)'", value)
        assert quoted is not None, f"{name}: compose would interpolate a value without single quotes"
        demo = demo_environment[name].replace("127.0.0.1", "sandbox")
        assert json.loads(quoted[1]) == json.loads(demo)


def test_every_practice_has_its_connections_in_the_example() -> None:
    practices = load_practices(REPOSITORY / "include" / "practices.yaml")
    wanted = {f"AIRFLOW_CONN_{kind}_{practice.id.upper()}" for practice in practices for kind in ("STORE", "NEXTECH")}
    assert wanted | {"AIRFLOW_CONN_SMTP_DEFAULT"} == set(CONNECTIONS_EXAMPLE)


@pytest.mark.parametrize("name", SERVICES)
def test_everything_that_a_service_mounts_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or (REPOSITORY / source).is_file(), source
    for file in SERVICES[name].get("env_file", []):
        assert (REPOSITORY / f"{file}.example").is_file()


def test_every_build_target_is_in_the_dockerfile() -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\S+)$", DOCKERFILE, re.MULTILINE))
    targets = {service["build"]["target"] for service in SERVICES.values() if "build" in service}
    assert targets == {"airflow", "sandbox"}
    assert targets <= stages


def test_the_images_are_pinned_and_end_as_nobody_important() -> None:
    images = [image for image in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) if ":" in image]
    images += [service["image"] for service in SERVICES.values() if "build" not in service]
    assert images
    assert all(re.search(r":\d+\.\d+(\.\d+)?-", image) for image in images), images
    for stage in re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE):
        if stage.startswith(("python AS airflow\n", "python AS sandbox\n")):
            assert re.findall(r"^USER (\S+)", stage, re.MULTILINE) == ["50000:0"]


def test_the_airflow_image_holds_dags_plugins_include_and_nothing_else() -> None:
    stage = DOCKERFILE.split("FROM python AS airflow\n")[1]
    copied = [line for line in re.findall(r"^COPY (.+)$", stage, re.MULTILINE) if not line.startswith("--from")]
    assert sorted(copied) == ["dags dags", "include include", "plugins plugins"]
    assert "requirements-dev" not in DOCKERFILE


def test_what_the_dockerfile_copies_is_let_through_to_the_builder() -> None:
    let_through = set(re.findall(r"^!(\S+)$", (REPOSITORY / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE))
    copied = {line.split()[0] for line in re.findall(r"^COPY ((?!--from).+)$", DOCKERFILE, re.MULTILINE)}
    assert copied == let_through
    assert all((REPOSITORY / name).exists() for name in copied)
