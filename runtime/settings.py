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
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from domain.ground.bilingual import Bilingual
from runtime.secret_files import SUFFIX, read_secret_files

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


_A_FIRM: Final = "the firm"
_SHORTEST_SECRET: Final = 32
_WEBHOOK_SECRET: Final = re.compile(r"whsec_[A-Za-z0-9+/]{32,}={0,2}")


def _https(url: str) -> str:
    parts = urlsplit(url)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValueError("it does not begin with https:// (http:// is for this machine only, such as localhost)")
    if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("it must be a host and a path, without user, password, query or fragment")
    return url.rstrip("/")


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError("it is no time zone") from None
    return name


def _host_and_port(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("it is not a host and a port")
    return text


def _imap(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"imap", "imaps"} or not parts.hostname or not parts.username:
        raise ValueError("it is not imaps://USER@HOST/FOLDER (imap:// for STARTTLS)")
    if parts.password or parts.query or parts.fragment:
        raise ValueError("it must be a user, a host and a folder; the password is REDRESS_IMAP_PASSWORD")
    _ = parts.port  # raises where it is none
    return url


LARGEST_LOGO: Final = 100_000
"""Bytes: it goes with every letter."""


@cache
def logo_at(path: Path) -> tuple[bytes, str]:
    """The picture in that file and its kind, *png* or *jpeg*, read once: no letter waits for a file that went away.

    Raises `ValueError`.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise ValueError("there is no such file that can be read") from None
    if len(content) > LARGEST_LOGO:
        raise ValueError(f"it is larger than {LARGEST_LOGO // 1000} kB, and goes with every letter")
    for kind, begins in (("png", b"\x89PNG\r\n\x1a\n"), ("jpeg", b"\xff\xd8\xff")):
        if content.startswith(begins):
            return content, kind
    raise ValueError("it is neither PNG nor JPEG")


def _logo(path: Path) -> Path:
    logo_at(path)
    return path


class _Environment(EnvSettingsSource):
    """The environment. What is not set in it is not looked at any closer: that took most of the time of a reading."""

    def prepare_field_value(self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool) -> Any:
        return None if value is None else super().prepare_field_value(field_name, field, value, value_is_complex)


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
    keyring: Path | None = Field(
        None, description="file with the keys that wrap the keys of cases (default: keyring.json in the state folder)"
    )
    keys_database_url: Annotated[str, AfterValidator(_postgresql)] | None = Field(
        None, repr=False, description="PostgreSQL that has the table of keys, if that is not the database of the record"
    )
    unsealed: Literal["yes-in-plain-text"] | None = Field(
        None, description="yes-in-plain-text lets a worker start without a keyring: nothing is sealed or can be erased"
    )
    plain_json: Literal["taken", "refused"] = Field(
        "taken",
        description="whether starts and messages in plain JSON are taken, which stay readable in Temporal, or refused",
    )
    backup_days: int = Field(
        35,
        ge=0,
        le=3650,
        description="days that backups of the keys are kept: certificates of erasure say when they end",
    )
    task_queue: str = Field("redress", min_length=1, description="Temporal task queue that the workers poll")
    cached_cases: int | None = Field(
        None,
        ge=10,
        description="open cases that a worker keeps ready, about 200 kB each; by default a quarter of its memory",
    )
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
    assessment_model: Path | None = Field(
        None,
        description="file of a model for the first assessment, made by redress assess train (default: the shipped one)",
    )
    assessment_vectors: bool = Field(
        False,
        description="true to hear danger to life in sentence vectors as well; needs the extra assess and 150 MB more",
    )
    assessment_endpoint: Annotated[str, AfterValidator(_https)] | None = Field(
        None,
        description="address that is asked in place of that model, such as https://models.example.com/complaints; it "
        "is sent what customers write",
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
    firm_name: str = Field(_A_FIRM, min_length=1, description="the firm's name, as its letters give it")
    firm_name_zh: str | None = Field(
        None, min_length=1, description="the firm's name in Chinese letters and pages; without one, REDRESS_FIRM_NAME"
    )
    firm_logo: Annotated[Path, AfterValidator(_logo)] | None = Field(
        None, description="picture of up to 100 kB, PNG or JPEG, that stands above letters in place of the firm's name"
    )
    report_to: str | None = Field(
        None, description="e-mail addresses, with commas between, to which reports and overdue actions are mailed"
    )
    report_zone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC", description="time zone such as Asia/Shanghai, in whose days reports and returns count"
    )
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
    mail_servers: str | None = Field(
        None,
        description="names, with commas between, under which our receiving servers write Authentication-Results; "
        "without one no address of a sender is believed",
    )
    lmtp_address: Annotated[str, AfterValidator(_host_and_port)] | None = Field(
        None,
        description="host and port where our own mail server hands mail over by LMTP, such as 127.0.0.1:2424",
    )
    imap_url: Annotated[str, AfterValidator(_imap)] | None = Field(
        None,
        description="mailbox that mail is fetched from, such as imaps://complaints@mail.example.com/INBOX; imap:// has "
        "STARTTLS, and on this machine no TLS",
    )
    imap_password: SecretStr | None = Field(None, description="password of that mailbox")
    mail_token_url: Annotated[str, AfterValidator(_https)] | None = Field(
        None,
        description="token endpoint of the mail provider, such as "
        "https://login.microsoftonline.com/TENANT/oauth2/v2.0/token; who has no password logs in by its tokens",
    )
    mail_client_id: str | None = Field(
        None, validate_default=True, description="the name by which that provider knows this installation"
    )
    mail_client_secret: SecretStr | None = Field(None, description="the secret that it shares with this installation")
    mail_refresh_token: SecretStr | None = Field(
        None, description="refresh token of the mailbox's user; without one the client's own credentials are used"
    )
    mail_token_scope: str | None = Field(
        None, description="scope of the tokens, such as https://outlook.office365.com/.default"
    )
    letter_webhook_url: Annotated[str, AfterValidator(_https)] | None = Field(
        None,
        description="system of the firm that letters are handed to by signed webhook, such as "
        "https://letters.example.com/redress",
    )
    letter_webhook_secret: SecretStr | None = Field(
        None,
        validate_default=True,
        description="secret that signs those webhooks: whsec_ and at least 24 random bytes in base64",
    )
    letter_webhook_brings: Literal["message", "post"] = Field(
        "post", description="post: that system prints and posts letters; message: it sends them to telephone numbers"
    )
    outbox_dir: Path = Field(
        default_factory=lambda data: data["state_dir"] / "outbox",
        description="folder for letters when there is no mail server (default: outbox in the state folder)",
    )
    staff_addresses: Annotated[dict[str, EmailAddress], NoDecode] = Field(
        default_factory=dict,
        description='e-mail address of each team or role, as JSON: {"complaints-team": "complaints@example.com"}',
    )

    web_address: Annotated[str, AfterValidator(_host_and_port)] = Field(
        "127.0.0.1:8000", description="host and port where the pages are served, such as 127.0.0.1:8000"
    )
    web_url: Annotated[str, AfterValidator(_https)] | None = Field(
        None,
        description="address under which customers reach the pages, such as https://complaints.example.com; links in "
        "mail begin with it (default: the address where they are served)",
    )
    web_proxies: str | None = Field(
        None,
        description="addresses or networks of the proxies before the pages, with commas between, that tell by "
        "X-Forwarded-For who asks; behind TLS without it, sign-ins are not limited by the address of who asks",
    )
    temporal_ui_url: str | None = Field(
        None,
        pattern=r"^https?://",
        description="address of Temporal's Web UI, whose page may have payloads opened by the codec server (/codec)",
    )
    web_secret: SecretStr | None = Field(
        None,
        description=f"secret by which the pages sign cookies, {_SHORTEST_SECRET} characters or more; the same for "
        "every process that serves them",
    )
    issuers: Path | None = Field(
        None, description="file with the public keys of those who sign for the people that act on cases"
    )
    unsigned: Literal["yes-anybody-may-act"] | None = Field(
        None, description="yes-anybody-may-act: whoever reaches Temporal acts as anybody; for trying out only"
    )
    signing_key: Path | None = Field(
        None, description="file with the private key by which the command line and the pages sign"
    )
    checkpoint_key: Path | None = Field(
        None, description="file with the private key by which a worker signs checkpoints of the record"
    )
    checkpoint_dir: Path = Field(
        default_factory=lambda data: data["state_dir"] / "checkpoints",
        description="folder where checkpoints leave the firm (default: checkpoints in the state folder)",
    )
    auditor: EmailAddress | None = Field(
        None, description="e-mail address that is sent a checkpoint a day, such as audit@example.com"
    )
    audience: str = Field("redress", min_length=1, description="what tokens of this installation are made for")

    desk_sign_on: Literal["provider", "directory"] = Field(
        "provider",
        description="how those who work here sign on: provider (OpenID Connect, REDRESS_OIDC_*), or directory: anybody "
        "at this machine as anybody in the directory, which needs a REDRESS_WEB_ADDRESS of this machine only",
    )
    oidc_issuer: Annotated[str, AfterValidator(_https)] | None = Field(
        None, description="the OpenID provider by which those who work here sign on, such as https://login.example.com"
    )
    oidc_client_id: str | None = Field(None, description="the name by which that provider knows the pages")
    oidc_client_secret: SecretStr | None = Field(None, description="the secret that it shares with the pages")
    oidc_person_claim: str = Field("sub", description="the claim that holds somebody's id in the directory")
    oidc_roles_claim: str = Field("roles", description="the claim that holds somebody's roles or groups")
    oidc_roles: Annotated[dict[str, str], NoDecode] = Field(
        {},
        description='what the values of that claim mean, as JSON, such as {"complaints-leads": "team_lead"} '
        "(default: they are the roles' own names)",
    )

    api_audience: str | None = Field(
        None,
        min_length=1,
        description="what access tokens of that provider are made for that the API takes (default: it takes none, only "
        "keys of services)",
    )

    webhooks: Annotated[dict[str, list[str]], NoDecode] = Field(
        default_factory=dict,
        repr=False,
        description='secrets by source that may send webhooks, as JSON: {"chat": ["whsec_…"]}; several while one takes'
        " the place of another",
    )
    remedy_webhooks: Annotated[dict[str, list[str]], NoDecode] = Field(
        default_factory=dict,
        repr=False,
        description="secrets of the firm's systems that may report by webhook that a remedy was carried out, as JSON: "
        '{"core": ["whsec_…"]}',
    )

    clamav_address: Annotated[str, AfterValidator(_host_and_port)] | None = Field(
        None,
        description="host and port of a virus scanner (clamd) that looks through files from outside first, such as "
        "127.0.0.1:3310; without one they are only made harmless",
    )
    webhook_hosts: str | None = Field(
        None,
        description="hosts inside the firm's network, with commas between, that may be told by webhook, also without "
        "TLS; without one webhooks go to public addresses by https alone",
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
    def firm(self) -> Bilingual:
        """The firm's name in each language; where none was given in Chinese, as it was given."""
        unnamed = "本公司" if self.firm_name == _A_FIRM else self.firm_name
        return Bilingual(en=self.firm_name, zh=self.firm_name_zh or unnamed)

    @property
    def report_recipients(self) -> tuple[str, ...]:
        """To whom reports are mailed."""
        return _listed(self.report_to)

    @property
    def receiving_servers(self) -> tuple[str, ...]:
        """Whose word on who wrote a message is believed."""
        return _listed(self.mail_servers)

    @property
    def proxies_of_pages(self) -> tuple[str, ...]:
        """Which proxies are believed that tell who asks for a page."""
        return _listed(self.web_proxies)

    @property
    def hosts_of_webhooks(self) -> tuple[str, ...]:
        """To which hosts inside the firm's network webhooks go."""
        return tuple(one.lower() for one in _listed(self.webhook_hosts))

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

    @field_validator("mail_client_id")
    @classmethod
    def _goes_with_an_endpoint(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("mail_token_url"):
            raise ValueError("it is not set, and REDRESS_MAIL_TOKEN_URL gives tokens to a client that it knows")
        named, local = info.data.get("smtp_username"), info.data.get("smtp_host") in {"localhost", "127.0.0.1", "::1"}
        by_token = value is not None and named and not info.data.get("smtp_password")
        if by_token and info.data.get("smtp_tls") == "none" and not local:
            raise ValueError("with REDRESS_SMTP_TLS none its tokens would go to the mail server in the clear")
        return value

    @field_validator("letter_webhook_secret")
    @classmethod
    def _goes_with_a_webhook(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is None and info.data.get("letter_webhook_url"):
            raise ValueError("it is not set, and what goes to REDRESS_LETTER_WEBHOOK_URL is signed")
        if value is not None and not _WEBHOOK_SECRET.fullmatch(value.get_secret_value()):
            raise ValueError("a secret is whsec_ and at least 24 random bytes in base64")
        return value

    @field_validator("web_secret")
    @classmethod
    def _is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
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

    @field_validator("webhooks", "remedy_webhooks")
    @classmethod
    def _are_secrets(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        for source, secrets in value.items():
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", source):
                raise ValueError("the name of a source has letters, digits and . _ - alone, up to 64")
            if not secrets or not all(map(_WEBHOOK_SECRET.fullmatch, secrets)):
                raise ValueError("a secret is whsec_ and at least 24 random bytes in base64, and each source has one")
        return value

    @field_validator("staff_addresses", "oidc_roles", "webhooks", "remedy_webhooks", mode="before")
    @classmethod
    def _read_json(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError as error:
            raise ValueError(f"it is not JSON: {error}") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Environment(settings_cls)

    def environment(self) -> dict[str, str]:
        """The variables that give another process these settings, secrets included; without those left at default."""
        return {
            variable_of(name): _as_text(getattr(self, name))
            for name in sorted(self.model_fields_set)
            if getattr(self, name) is not None
        }


SECRETS: Final = tuple(
    name for name, field in Settings.model_fields.items() if not field.repr or "SecretStr" in str(field.annotation)
)
"""The fields that may be given as a file."""


def _as_text(value: Any) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return json.dumps(value)
        case _:
            return str(value)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (one.strip() for one in (text or "").split(","))))


def variable_of(field: str) -> str:
    """The environment variable of a settings field."""
    return "DATABASE_URL" if field == "database_url" else f"{PREFIX}{field.upper()}"


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` (by field name) win over the environment.

    Raises `ConfigurationError` with a line for each bad setting. A `REDRESS_` variable that looks like a misspelt
    setting is refused as well: a wrong name for the mail server would otherwise only show when letters do not arrive.
    What is secret may stand in a file: see `runtime.secret_files`.
    """
    given, wrong = read_secret_files(map(variable_of, SECRETS), os.environ)
    lines = _misspelt(os.environ) + wrong
    from_files = {field: given[variable_of(field)] for field in SECRETS if variable_of(field) in given}
    try:
        settings = Settings(**from_files | overrides)
    except ValidationError as error:
        raise ConfigurationError("\n".join([*lines, *_explain(error)])) from None
    if lines:
        raise ConfigurationError("\n".join(lines))
    return settings


def _misspelt(environment: Mapping[str, str]) -> list[str]:
    known = [variable_of(name).removeprefix(PREFIX) for name in Settings.model_fields]
    known += [f"{variable_of(name)}{SUFFIX}".removeprefix(PREFIX) for name in SECRETS]
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
