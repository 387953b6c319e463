import configparser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "include" / "order_sync"
MAY_KNOW_AIRFLOW = {"bootstrap", "command_line"}


def modules_named_by(contract: str) -> set[str]:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    return set(contracts[f"importlinter:contract:{contract}"]["source_modules"].split())


def test_every_module_but_bootstrap_is_forbidden_to_know_airflow():
    modules = {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path.is_dir() and (path / "__init__.py").exists())
    }
    expected = {f"order_sync.{name}" for name in modules - MAY_KNOW_AIRFLOW - {"__init__"}}
    assert modules_named_by("airflow") == expected


def test_plugins_folder_shows_airflow_entry_files_only():
    lines = [line for line in (ROOT / "plugins" / ".airflowignore").read_text().splitlines() if not line.startswith("#")]
    assert lines == ["*", "!*_plugin.py"]


def test_every_sql_file_is_asked_and_opens_with_its_question():
    source = "".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    for path in (ROOT / "include" / "sql").glob("*.sql"):
        assert f'query("{path.stem}")' in source, path.name
        assert path.read_text().startswith("-- "), path.name
        assert "?" in path.read_text().splitlines()[0], path.name
