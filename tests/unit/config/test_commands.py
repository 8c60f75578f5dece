"""Every `kyma` command: what it does, what it says, its exit code, and its words when it cannot."""

import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kyma.config import Settings
from tests.unit.config.conftest import Kyma

NOBODY = "kyma: there is no account nobody@example.com; `kyma serve` makes the operator's"


def test_the_process_ends_with_the_commands_code(data_dir: Path) -> None:
    run = subprocess.run([sys.executable, "-m", "kyma", "keys", "create"], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("kyma: there is no account operator@localhost.localdomain")


def test_without_a_command_it_shows_them_all(kyma: Kyma) -> None:
    shown = kyma("--help")
    assert shown.code == 0
    commands = (
        "serve",
        "connect",
        "reload",
        "routes",
        "migrate",
        "doctor",
        "local",
        "keys",
        "credits",
        "ledger",
        "config",
    )
    for name in (*commands, "provider-keys"):
        assert f" {name} " in shown.out


@pytest.mark.parametrize("arguments", [["nope"], ["keys", "nope"], ["keys", "revoke"], ["credits", "grant"]])
def test_wrong_usage_is_code_2(kyma: Kyma, arguments: list[str]) -> None:
    ran = kyma(*arguments)
    assert ran.code == 2
    assert "Usage:" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "create", "--email", "nobody@example.com"],
        ["keys", "list", "--email", "nobody@example.com"],
        ["keys", "revoke", "key_1", "--email", "nobody@example.com"],
        ["credits", "grant", "--usd", "1", "--email", "nobody@example.com"],
        ["credits", "balance", "--email", "nobody@example.com"],
    ],
)
def test_an_unknown_account_is_told(kyma: Kyma, arguments: list[str]) -> None:
    ran = kyma(*arguments)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(NOBODY)


def test_keys_are_made_listed_and_revoked(kyma: Kyma, operator_key: str) -> None:
    made = kyma("keys", "create", "--name", "laptop")
    assert made.code == 0
    assert re.fullmatch(r"ky-[0-9A-Za-z]{44}\n", made.out)
    listed = kyma("keys", "list").out.splitlines()
    assert len(listed) == 2
    (line,) = [line for line in listed if "laptop" in line]
    assert "never used" in line and made.out[:8] in line
    assert made.out.strip() not in line and operator_key not in repr(listed)
    key_id = line.split()[0]
    revoked = kyma("keys", "revoke", key_id)
    assert (revoked.code, revoked.out) == (0, f"{key_id} is revoked\n")
    assert len(kyma("keys", "list").out.splitlines()) == 1
    again = kyma("keys", "revoke", key_id)
    assert again.code == 1 and again.err.startswith("kyma: ")


def test_a_key_needs_a_proper_name(kyma: Kyma, operator_key: str) -> None:
    ran = kyma("keys", "create", "--name", "\n")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("kyma: ")


def test_credit_is_granted_and_shown_exactly(kyma: Kyma, operator_key: str) -> None:
    assert kyma("credits", "balance").out == "5.0\n"
    granted = kyma("credits", "grant", "--usd", "0.000000001")
    assert (granted.code, granted.out) == (0, "granted $0.000000001; balance $5.000000001\n")
    assert kyma("credits", "balance").out == "5.000000001\n"


def test_a_reference_grants_once(kyma: Kyma, operator_key: str) -> None:
    for said in ("granted $2.0; balance $7.0\n", "was granted before: $2.0; balance $7.0\n"):
        assert kyma("credits", "grant", "--usd", "2", "--reference", "invoice-7").out == said
    assert kyma("credits", "grant", "--usd", "2").out == "granted $2.0; balance $9.0\n"


@pytest.mark.parametrize("usd", ["abc", "0", "-1", "0.0000000001", "1e30", "nan", ""])
def test_a_wrong_amount_grants_nothing(kyma: Kyma, operator_key: str, usd: str) -> None:
    ran = kyma("credits", "grant", f"--usd={usd}")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("kyma: --usd: ")
    assert kyma("credits", "balance").out == "5.0\n"


def test_books_that_balance_are_said_to(kyma: Kyma, operator_key: str) -> None:
    ran = kyma("ledger", "verify")
    assert (ran.code, ran.out) == (0, "the books balance to the nano-dollar\n")


def test_books_that_do_not_balance_are_code_1_and_say_where(kyma: Kyma, operator_key: str, data_dir: Path) -> None:
    with closing(sqlite3.connect(data_dir / "kyma.db")) as connection, connection:
        connection.execute("update account set credits_posted = credits_posted + 1 where kind = 'credit'")
    ran = kyma("ledger", "verify")
    assert ran.code == 1
    assert re.search(r"^\d+ violations$", ran.out, re.MULTILINE)
    doctor = kyma("doctor")
    assert doctor.code == 1
    assert "FAIL  database: the books do not balance" in doctor.out


def test_migrate_makes_a_database_and_may_run_again(kyma: Kyma, data_dir: Path) -> None:
    (data_dir / "kyma.db").unlink()
    for _ in range(2):
        ran = kyma("migrate")
        assert (ran.code, ran.out) == (0, "the database is at this version's schema\n")
    assert kyma("ledger", "verify").code == 0


def test_config_show_prints_every_setting_with_its_origin(kyma: Kyma, data_dir: Path) -> None:
    (data_dir.parent / "config" / "kyma.toml").write_text("keep_alive_s = 3\n")
    ran = kyma("config", "show")
    assert ran.code == 0
    for name in Settings.__dataclass_fields__:
        assert re.search(rf"^{name} = .+  # \[.+\] .+$", ran.out, re.MULTILINE), name
    assert "port = 0  # [KYMA_PORT] port to listen on" in ran.out
    assert re.search(r"^keep_alive_s = 3\.0  # \[.*kyma\.toml\]", ran.out, re.MULTILINE)
    assert re.search(r"^host = \"127\.0\.0\.1\"  # \[default\]", ran.out, re.MULTILINE)


def test_what_config_show_prints_is_a_kyma_toml(kyma: Kyma, data_dir: Path) -> None:
    shown = kyma("config", "show").out
    (data_dir.parent / "config" / "kyma.toml").write_text(shown)
    assert kyma("config", "show").code == 0


def test_config_show_keeps_a_database_password_to_itself(kyma: Kyma, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KYMA_DATABASE_URL", "postgresql+asyncpg://kyma:hunter2@db.example/kyma")
    shown = kyma("config", "show").out
    assert "hunter2" not in shown
    assert "db.example" in shown


def test_a_wrong_setting_ends_every_command_with_its_name(kyma: Kyma, data_dir: Path) -> None:
    path = data_dir.parent / "config" / "kyma.toml"
    path.write_text("prot = 1\n")
    for arguments in (["config", "show"], ["serve"], ["keys", "list"], ["migrate"], ["local", "status"]):
        ran = kyma(*arguments)
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith(f"kyma: {path}: unknown key 'prot'")


def test_doctor_finds_a_healthy_gateway_healthy(kyma: Kyma, operator_key: str) -> None:
    ran = kyma("doctor")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    checked = [line.partition(":")[0] for line in lines]
    names = ("configuration", "database", "provider keys", "catalog", "local model", "local embeddings", "port")
    assert checked == [f"ok    {name}" for name in names]


def test_doctor_names_what_the_catalog_leaves_out_when_it_is_asked(kyma: Kyma, operator_key: str) -> None:
    said = re.search(r"^ok    catalog: .+; (\d+) warnings: kyma doctor --warnings$", kyma("doctor").out, re.MULTILINE)
    assert said is not None
    listed = re.findall(r"^      (\S+): .+$", kyma("doctor", "--warnings").out, re.MULTILINE)
    assert len(listed) == int(said[1]) and "gemini-2.5-flash" in listed


def test_doctor_goes_on_after_what_is_wrong(kyma: Kyma, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data_dir / "kyma.db").write_text("this is no database, however long one looks at it")
    (data_dir.parent / "config" / "providers.toml").write_text("[acme]\nx = 1\n")
    monkeypatch.setenv("KYMA_LOCAL_ENABLED", "true")
    monkeypatch.setenv("KYMA_LOCAL_GGUF", "/nowhere/model.gguf")
    ran = kyma("doctor")
    assert ran.code == 1
    assert "FAIL  database: the database cannot be used: file is not a database" in ran.out
    assert re.search(r"^FAIL  catalog: .*providers\.toml \[acme\]", ran.out, re.MULTILINE)
    assert "FAIL  local model: there is no file /nowhere/model.gguf" in ran.out
    assert "ok    port" in ran.out


def test_doctor_says_that_the_port_is_taken(kyma: Kyma, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("KYMA_PORT", str(port))
        assert f"127.0.0.1:{port} is taken" in kyma("doctor").out


def test_doctor_names_a_damaged_model(kyma: Kyma, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KYMA_LOCAL_ENABLED", "true")
    assert "ok    local model: not installed; `kyma local install` fetches it" in kyma("doctor").out
    (data_dir / "models").mkdir()
    (data_dir / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf").write_text("damaged")
    ran = kyma("doctor")
    assert ran.code == 1
    assert re.search(r"^FAIL  local model: .* is damaged; delete it", ran.out, re.MULTILINE)


def test_local_status_says_that_nothing_is_installed(kyma: Kyma) -> None:
    ran = kyma("local", "status")
    assert ran.code == 1
    assert "is_installed: False" in ran.out


@pytest.mark.parametrize("arguments", [["ledger", "verify"], ["keys", "list"], ["migrate"], ["serve"]])
def test_a_file_that_is_no_database_is_told(kyma: Kyma, data_dir: Path, arguments: list[str]) -> None:
    (data_dir / "kyma.db").write_text("this is no database, however long one looks at it")
    ran = kyma(*arguments)
    assert (ran.code, ran.err) == (1, "kyma: the database cannot be used: file is not a database\n")


def test_a_folder_that_cannot_be_made_is_told(kyma: Kyma, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KYMA_DATA_DIR", "/proc/kyma")
    ran = kyma("ledger", "verify")
    assert ran.code == 1
    assert ran.err.startswith("kyma: ") and "/proc/kyma" in ran.err


def test_a_postgres_server_that_is_away_is_told_without_its_password(
    kyma: Kyma, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KYMA_DATABASE_URL", "postgresql+asyncpg://kyma:hunter2@127.0.0.1:1/kyma")
    ran = kyma("ledger", "verify")
    assert ran.code == 1
    assert ran.err.startswith("kyma: ") and "hunter2" not in ran.err
