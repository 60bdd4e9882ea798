import json
import subprocess
import sys
from pathlib import Path

import pytest

from domain.ground.bilingual import Bilingual
from runtime.paths import MIGRATIONS, POLICIES, ROOT, TEMPLATES
from runtime.settings import SECRETS, ConfigurationError, Settings, load_settings, variable_of


def test_without_any_variable_the_defaults_hold() -> None:
    settings = load_settings()
    assert settings.database_url is None
    assert (settings.task_queue, settings.default_policy, settings.firm_name) == (
        "redress",
        "platform-default",
        "the firm",
    )
    assert (settings.smtp_host, settings.smtp_port, settings.smtp_tls, settings.smtp_timeout) == (
        None,
        587,
        "starttls",
        15,
    )
    assert settings.staff_addresses == {}


def test_the_firm_has_a_name_in_each_language_and_one_does_for_both() -> None:
    assert load_settings().firm == Bilingual(en="the firm", zh="本公司")
    assert load_settings(firm_name="Example Bullion").firm == Bilingual(en="Example Bullion", zh="Example Bullion")
    named = load_settings(firm_name="Example Bullion", firm_name_zh="示例金业")
    assert named.firm == Bilingual(en="Example Bullion", zh="示例金业")


def test_the_outbox_is_in_the_state_folder_unless_it_is_set() -> None:
    assert load_settings(state_dir="there").outbox_dir == Path("there/outbox")
    assert load_settings(state_dir="there", outbox_dir="elsewhere").outbox_dir == Path("elsewhere")


def test_every_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://redress@db.example.com/redress")
    monkeypatch.setenv("REDRESS_SMTP_PORT", "465")
    monkeypatch.setenv("REDRESS_SMTP_TLS", "implicit")
    monkeypatch.setenv("REDRESS_LOG_LEVEL", "debug")
    monkeypatch.setenv("REDRESS_STAFF_ADDRESSES", '{"complaints-team": "team@mail.local"}')
    settings = load_settings()
    assert settings.database_url == "postgresql://redress@db.example.com/redress"
    assert (settings.smtp_port, settings.smtp_tls, settings.log_level) == (465, "implicit", "DEBUG")
    assert settings.staff_addresses == {"complaints-team": "team@mail.local"}


def test_there_is_no_folder_of_the_firms_own_packs_unless_it_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert load_settings().policy_dir is None
    monkeypatch.setenv("REDRESS_POLICY_DIR", str(tmp_path))
    assert load_settings().policy_dir == tmp_path


def test_an_override_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_TASK_QUEUE", "from-the-environment")
    assert load_settings(task_queue="from-here").task_queue == "from-here"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDRESS_SMTP_HOST", "REDRESS_SMTP_PORT", "REDRESS_STAFF_ADDRESSES"):
        monkeypatch.setenv(name, "")
    settings = load_settings()
    assert (settings.database_url, settings.smtp_host, settings.smtp_port) == (None, None, 587)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("DATABASE_URL", "mysql://u@h/d", "postgresql://"),
        ("REDRESS_LOG_FORMAT", "xml", "console or json"),
        ("REDRESS_POLICY_DIR", "nowhere/at/all", "there is no such folder. Expected: folder with policy packs"),
        ("REDRESS_LOG_LEVEL", "loud", "DEBUG, INFO, WARNING or ERROR"),
        ("REDRESS_MAIL_FROM", "complaints", "complaints@example.com"),
        ("REDRESS_SMTP_PORT", "abc", "1 to 65535"),
        ("REDRESS_SMTP_PORT", "70000", "1 to 65535"),
        ("REDRESS_SMTP_TIMEOUT", "-1", "up to 300"),
        ("REDRESS_SMTP_TLS", "yes", "starttls"),
        ("REDRESS_STAFF_ADDRESSES", "{", "as JSON"),
        ("REDRESS_STAFF_ADDRESSES", '{"complaints-team": "nowhere"}', "[complaints-team]"),
    ],
)
def test_a_bad_value_is_refused_with_its_variable_and_what_is_expected(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, told: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    (line,) = str(refused.value).splitlines()
    assert line.startswith(variable)
    assert told in line


def test_all_bad_values_are_told_at_once_a_line_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_SMTP_PORT", "abc")
    monkeypatch.setenv("REDRESS_LOG_LEVEL", "loud")
    monkeypatch.setenv("REDRESS_SMPT_HOST", "mail.example.com")
    with pytest.raises(ConfigurationError) as refused:
        load_settings(smtp_tls="maybe")
    named = {line.split(":")[0] for line in str(refused.value).splitlines()}
    assert named == {"REDRESS_SMTP_PORT", "REDRESS_LOG_LEVEL", "REDRESS_SMPT_HOST", "REDRESS_SMTP_TLS"}


def test_a_misspelt_variable_is_refused_with_the_one_that_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_SMPT_HOST", "mail.example.com")
    with pytest.raises(ConfigurationError, match=r"REDRESS_SMPT_HOST: .*did you mean REDRESS_SMTP_HOST\?"):
        load_settings()


def test_somebody_elses_variable_with_our_prefix_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRESS_POSTGRES_PASSWORD", "secret")
    load_settings()


def test_passwords_are_neither_shown_nor_quoted_in_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://redress:hush@db.example.com/redress")
    monkeypatch.setenv("REDRESS_SMTP_PASSWORD", "hush")
    assert "hush" not in repr(load_settings())
    monkeypatch.setenv("DATABASE_URL", "redress:hush@db.example.com/redress")
    with pytest.raises(ConfigurationError) as refused:
        load_settings()
    assert "hush" not in str(refused.value)


def test_the_environment_of_settings_gives_another_process_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(
        database_url="postgresql://redress:a%20b@db.example.com/redress",
        staff_addresses={"complaints-team": "team@example.com"},
        smtp_password="hush",
        state_dir="some where",
        smtp_timeout=2.5,
    )
    read = "from runtime.settings import *; s = load_settings(); print(s.model_dump_json(), s.smtp_password)"
    told = subprocess.run(
        [sys.executable, "-c", read],
        env={"PYTHONPATH": str(ROOT), **settings.environment()},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    there, _ = json.JSONDecoder().raw_decode(told)
    here = json.loads(settings.model_dump_json())
    assert {**there, "log_format": ""} == {**here, "log_format": ""}
    monkeypatch.setenv("REDRESS_SMTP_PASSWORD", settings.environment()["REDRESS_SMTP_PASSWORD"])
    password = load_settings().smtp_password
    assert password
    assert password.get_secret_value() == "hush"


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_data_folders_are_beside_the_code() -> None:
    assert {POLICIES.parent, TEMPLATES.parent, MIGRATIONS.parent} == {ROOT}
    assert (ROOT / "runtime" / "paths.py").is_file()


_WEBHOOKS = '{"chat": ["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]}'
_SECRETS = {
    "database_url": "postgresql://redress:a/b@db.example.com/redress",
    "keys_database_url": "postgresql://keys@db.example.com/keys",
    "webhooks": _WEBHOOKS,
    "remedy_webhooks": _WEBHOOKS,
    "letter_webhook_secret": f"whsec_{'0' * 32}",
}


@pytest.mark.parametrize("field", SECRETS)
def test_each_secret_is_read_from_a_file_as_from_its_variable(
    field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, variable = _SECRETS.get(field, "0123456789" * 4), variable_of(field)
    if field == "payment_secret":
        monkeypatch.setenv("REDRESS_PAYMENT_URL", "https://pay.example.com/redress")
    monkeypatch.delenv(variable, raising=False)
    file = tmp_path / "secret"
    file.write_text(f"{secret}\n")
    monkeypatch.setenv(f"{variable}_FILE", str(file))
    from_file = load_settings()
    assert from_file.environment()[variable] == secret
    assert secret not in repr(from_file)

    monkeypatch.setenv(variable, secret)  # as a process has it that was started with what this one read
    assert getattr(load_settings(), field) == getattr(from_file, field)
    monkeypatch.delenv(f"{variable}_FILE")
    assert getattr(load_settings(), field) == getattr(from_file, field)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file"), (b"", "it is empty"), (b"\n", "it is empty"), (b"\xff\xfe", "it is not UTF-8")],
)
def test_a_file_that_holds_no_secret_is_refused_by_its_variable(
    content: bytes | None, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "secret"))
    with pytest.raises(ConfigurationError, match=rf"DATABASE_URL_FILE: .*{reason}.*what DATABASE_URL would hold"):
        load_settings()


def test_a_secret_and_a_file_that_say_different_things_are_refused_and_neither_is_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("one-of-two")
    monkeypatch.setenv("REDRESS_SMTP_PASSWORD_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("REDRESS_SMTP_PASSWORD", "two-of-two")
    with pytest.raises(ConfigurationError, match="REDRESS_SMTP_PASSWORD is set as well") as refused:
        load_settings()
    assert "of-two" not in str(refused.value)
