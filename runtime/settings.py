"""Settings, all of them from the environment: `REDRESS_*`, and `DATABASE_URL` for the database.

The address of the Temporal server is not here: it comes from Temporal's own environment and profiles (`TEMPORAL_*`),
see `runtime.temporal`.
"""

import difflib
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX: Final = "REDRESS_"


class ConfigurationError(Exception):
    """Settings are wrong. The message has a line for each: the variable, what is wrong, what is expected."""


def _bare_address(text: str) -> str:
    if not re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+", text):
        raise ValueError("it is not an e-mail address such as complaints@example.com")
    return text


EmailAddress = Annotated[str, AfterValidator(_bare_address)]
"""Not `pydantic.EmailStr`, which refuses the `.local` and `.test` names of in-house mail servers."""


def _postgresql(url: str) -> str:
    if not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("it does not begin with postgresql://")
    return url


_SHORTEST_SECRET: Final = 32


def _https(url: str) -> str:
    parts = urlsplit(url)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValueError("it does not begin with https:// (http:// is for this machine only, such as localhost)")
    if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("it must be a host and a path, without user, password, query or fragment")
    return url.rstrip("/")


def _host_and_port(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("it is not a host and a port")
    return text


class Settings(BaseSettings):
    """What a firm sets for its installation. Every field is read from `REDRESS_<FIELD>` unless said otherwise.

    An empty variable counts as not set. Prefer `load_settings`, whose errors are written for people.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, populate_by_name=True, extra="forbid", hide_input_in_errors=True
    )

    database_url: Annotated[str, AfterValidator(_postgresql)] | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL"),
        repr=False,
        description="PostgreSQL, such as postgresql://redress@db.example.com:5432/redress",
    )
    database_timeout: float = Field(
        20, gt=0, le=20, description="seconds that a worker waits for PostgreSQL to carry out a statement, up to 20"
    )
    task_queue: str = Field("redress", min_length=1, description="Temporal task queue that the workers poll")
    deployment: str | None = Field(
        None,
        pattern=r"^[\w-]+$",
        description="name of the worker deployment, such as redress; without one workers have no version",
    )
    build_id: str | None = Field(
        None, validate_default=True, pattern=r"^[\w.+-]+$", description="what this build is called in its deployment"
    )
    state_dir: Path = Field(Path(".redress"), description="folder of `redress up`: its databases, logs and addresses")
    default_policy: str = Field(
        "platform-default",
        min_length=1,
        description="policy pack of a complaint that names none, or several: uk-fca,uk-fca-payments",
    )
    policy_dir: Path | None = Field(
        None, description="folder with policy packs and calendars of the firm's own, beside those that are shipped"
    )
    log_format: Literal["console", "json"] = Field(
        default_factory=lambda: "console" if sys.stderr.isatty() else "json", description="console or json"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")
    metrics_address: Annotated[str, AfterValidator(_host_and_port)] | None = Field(
        None,
        description="host and port where a worker serves /metrics, /healthz and /readyz, such as 127.0.0.1:9464; "
        "without one it listens nowhere",
    )
    default_language: Literal["en", "zh-CN"] = Field(
        "en", description="en or zh-CN: the language of letters to customers who never told theirs"
    )
    firm_name: str = Field("the firm", min_length=1, description="the firm's name, as its letters give it")
    smtp_host: str | None = Field(
        None, description="mail server; without one, letters are put as .eml files into the outbox folder"
    )
    smtp_port: int = Field(587, ge=1, le=65535, description="port of the mail server, 1 to 65535")
    smtp_tls: Literal["none", "starttls", "implicit"] = Field(
        "starttls", description="none, starttls (usual on port 587) or implicit (usual on port 465)"
    )
    smtp_username: str | None = Field(None, description="user name at the mail server")
    smtp_password: SecretStr | None = Field(None, description="password at the mail server")
    smtp_timeout: float = Field(15, gt=0, le=300, description="seconds to wait for the mail server, up to 300")
    mail_from: EmailAddress = Field(
        "complaints@example.com", description="sender of the letters, such as complaints@example.com"
    )
    outbox_dir: Path = Field(
        default_factory=lambda data: data["state_dir"] / "outbox",
        description="folder for letters when there is no mail server (default: outbox in the state folder)",
    )
    staff_addresses: Annotated[dict[str, EmailAddress], NoDecode] = Field(
        default_factory=dict,
        description='e-mail address of each team or role, as JSON: {"complaints-team": "complaints@example.com"}',
    )

    payment_url: Annotated[str, AfterValidator(_https)] | None = Field(
        None,
        description="payment rail that pays awards, such as https://pay.example.com/redress; without one the ledger "
        "alone is kept",
    )
    payment_secret: SecretStr | None = Field(
        None,
        validate_default=True,
        description=f"secret shared with the payment rail, by which both sign, {_SHORTEST_SECRET} characters or more",
    )
    payment_timeout: float = Field(
        10, gt=0, le=25, description="seconds to wait for each answer of the payment rail, up to 25"
    )

    @property
    def default_policies(self) -> tuple[str, ...]:
        """The ids in ``default_policy``, the case's own first."""
        return tuple(name.strip() for name in self.default_policy.split(",") if name.strip())

    @field_validator("build_id")
    @classmethod
    def _goes_with_the_deployment(cls, value: str | None, info: ValidationInfo) -> str | None:
        if (value is None) != (info.data.get("deployment") is None):
            raise ValueError("a deployment and a build id are set together, or neither is")
        return value

    @field_validator("payment_secret")
    @classmethod
    def _goes_with_a_rail(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("payment_url"):
            raise ValueError("it is not set, and the payment rail of REDRESS_PAYMENT_URL is spoken to with signatures")
        if value is not None and len(value.get_secret_value()) < _SHORTEST_SECRET:
            raise ValueError("it is too short")
        return value

    @field_validator("policy_dir")
    @classmethod
    def _is_a_folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError("there is no such folder")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_case(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("staff_addresses", mode="before")
    @classmethod
    def _read_json(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"it is not JSON: {error}") from None

    def environment(self) -> dict[str, str]:
        """The variables that give another process these settings, secrets included; without those left at default."""
        return {
            variable_of(name): _as_text(getattr(self, name))
            for name in sorted(self.model_fields_set)
            if getattr(self, name) is not None
        }


def _as_text(value: Any) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return json.dumps(value)
        case _:
            return str(value)


def variable_of(field: str) -> str:
    """The environment variable of a settings field."""
    return "DATABASE_URL" if field == "database_url" else f"{PREFIX}{field.upper()}"


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` (by field name) win over the environment.

    Raises `ConfigurationError` with a line for each bad setting. A `REDRESS_` variable that looks like a misspelt
    setting is refused as well: a wrong name for the mail server would otherwise only show when letters do not arrive.
    """
    lines = _misspelt(os.environ)
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise ConfigurationError("\n".join([*lines, *_explain(error)])) from None
    if lines:
        raise ConfigurationError("\n".join(lines))
    return settings


def _misspelt(environment: Mapping[str, str]) -> list[str]:
    known = [variable_of(name).removeprefix(PREFIX) for name in Settings.model_fields]
    lines = []
    for variable in sorted(environment):
        name = variable.upper().removeprefix(PREFIX)
        if variable.upper().startswith(PREFIX) and name not in known:
            # Other variables with our prefix are no business of ours: a compose file has some for PostgreSQL.
            for meant in difflib.get_close_matches(name, known, n=1, cutoff=0.85):
                lines.append(f"{variable}: there is no such setting; did you mean {PREFIX}{meant}?")
    return lines


def _explain(error: ValidationError) -> list[str]:
    lines: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_context=False, include_input=False):
        if detail["type"] == "default_factory_not_called":  # follows from an error that has its own line
            continue
        name = "database_url" if detail["loc"][0] == "DATABASE_URL" else str(detail["loc"][0])
        at = "".join(f"[{part}]" for part in detail["loc"][1:])
        field = Settings.model_fields.get(name)
        expected = f" Expected: {field.description}." if field else ""
        message = detail["msg"].removeprefix("Value error, ")
        lines.setdefault(name, f"{variable_of(name)}{at}: {message}.{expected}")
    return list(lines.values())
