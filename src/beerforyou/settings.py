"""Every setting, its default and its meaning. Nothing else reads the environment.

A field `worker_concurrency` is set by `BEERFORYOU_WORKER_CONCURRENCY`; the few names that the field
already knows (DATABASE_URL, GEMINI_API_KEY...) go without the prefix. `beerforyou settings` prints this table.
"""

import contextlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
import platformdirs
from msgspec import Meta

from beerforyou import clock
from beerforyou.errors import SetupError

UNPREFIXED = frozenset({
    "database_url", "database_read_url", "database_sql_url", "database_admin_url", "valkey_url", "queue_url",
    "gemini_api_key", "openai_api_key", "anthropic_api_key", "azure_openai_api_key", "ollama_api_key",
})  # fmt: skip
EMPTY_SAYS_SO = frozenset({"fallback_models"})  # whose empty value is a choice; any other that is empty is not set
SHORTEST_SECRET = 32  # bytes; RFC 7518, 3.2: a key at least as long as the hash


def _data_folder() -> Path:
    return Path(platformdirs.user_data_dir("beerforyou"))


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    data: Annotated[Path, Meta(description="Folder of the embedded servers, their passwords and the demo key.")] = (
        msgspec.field(default_factory=_data_folder)
    )
    time_zone: Annotated[
        str,
        Meta(
            description="Whose day `today` is where a client has no time zone of its own, as an IANA name. Default: the system's."
        ),
    ] = msgspec.field(default_factory=clock.of_system)
    currency: Annotated[
        str, Meta(description="What the amounts of purchases are in, as an ISO 4217 code.", pattern="^[A-Z]{3}$")
    ] = "USD"

    operator_name: Annotated[
        str,
        Meta(description="The distributor, as clients call it: who is named where only it can help. Empty: no name."),
    ] = ""
    operator_phone: Annotated[str, Meta(description="Its phone, as it is shown to clients.")] = ""
    operator_email: Annotated[str, Meta(description="Its e-mail address, as it is shown to clients.")] = ""
    operator_hours: Annotated[str, Meta(description="When it answers, in the clients' language.")] = ""

    database_url: Annotated[
        str, Meta(description="PostgreSQL, as the role bfy_service. Empty: the embedded server.")
    ] = ""
    database_read_url: Annotated[
        str,
        Meta(
            description="PostgreSQL for what the tools read, as the role bfy_client; a replica may serve it. Empty: the host of DATABASE_URL."
        ),
    ] = ""
    database_sql_url: Annotated[
        str,
        Meta(
            description="PostgreSQL for SQL that a model wrote, as the role bfy_reader. Empty: where DATABASE_READ_URL points, with its password."
        ),
    ] = ""
    database_admin_url: Annotated[
        str, Meta(description="PostgreSQL as a role that may create roles; only `db`, `load` and `catalogue` use it.")
    ] = ""
    database_pool: Annotated[int, Meta(description="Connections of each pool, per process.", ge=1)] = 8
    replica_lag_s: Annotated[
        float, Meta(description="How far a replica may be behind before the primary is read instead, in seconds.", gt=0)
    ] = 5.0
    identity_secret: Annotated[
        str,
        Meta(
            description="Key that signs who asks, for the database to verify; at least 32 bytes. Empty: generated in the data folder."
        ),
    ] = ""
    sql_rows: Annotated[int, Meta(description="Rows of a query's result that the model and the client get.", ge=1)] = 50
    sql_bytes: Annotated[
        int, Meta(description="Size of a query's result that they get, in bytes.", ge=256, le=100_000)
    ] = 8000
    sql_timeout_s: Annotated[
        float,
        Meta(description="How long to wait for a query, in seconds; the database itself gives up after two.", gt=0),
    ] = 2.5
    batch_window_ms: Annotated[
        float,
        Meta(
            description="How long a write waits for others to share its commit, where there are many, in milliseconds.",
            ge=0,
        ),
    ] = 4.0
    valkey_url: Annotated[str, Meta(description="Valkey or Redis. Empty: the embedded server.")] = ""

    queue_url: Annotated[
        str, Meta(description="Where accepted runs wait for a worker: RabbitMQ (amqp://) or Valkey. Empty: VALKEY_URL.")
    ] = ""
    queue_limit: Annotated[
        int, Meta(description="Runs that may wait for a worker, of all clients; more are refused for the moment.", ge=1)
    ] = 50_000
    client_concurrency: Annotated[
        int,
        Meta(description="Runs that one client may have waiting or at work; more are refused for the moment.", ge=1),
    ] = 100

    host: Annotated[str, Meta(description="Address that `serve` binds to.")] = "127.0.0.1"
    port: Annotated[int, Meta(description="Port that `serve` binds to; 0 takes a free one.", ge=0, le=65535)] = 8080
    workers: Annotated[
        int, Meta(description="Processes of `serve`, or of `worker`, on this machine; 0: one for each core.", ge=0)
    ] = 1

    http_head_bytes: Annotated[
        int, Meta(description="Largest head of an HTTP request, address and headers, in bytes.", ge=1024)
    ] = 16_384
    http_headers: Annotated[int, Meta(description="Headers that one request may have.", ge=8)] = 100
    http_head_s: Annotated[
        float, Meta(description="How long the head of a request may take from its connection on, in seconds.", gt=0)
    ] = 10.0
    http_body_s: Annotated[float, Meta(description="How long its body may take after that, in seconds.", gt=0)] = 20.0
    http_idle_s: Annotated[
        float, Meta(description="How long a connection is kept open for the next request, in seconds.", gt=0)
    ] = 75.0  # proxies keep theirs for a minute
    http_read_s: Annotated[
        float, Meta(description="How long a client may read nothing of what it is sent, in seconds.", gt=0)
    ] = 20.0
    http_waiting: Annotated[
        int,
        Meta(
            description="Connections that may keep the server waiting (for their first request, its rest, or to read); beyond, the longest ends.",
            ge=1,
        ),
    ] = 8192
    http_connections: Annotated[
        int,
        Meta(
            description="Open connections of one process, followers too; as far as its limit of open files allows.",
            ge=1,
        ),
    ] = 20_000

    model: Annotated[str, Meta(description="The planner, as provider:model. `offline:` needs no key.")] = "offline:"
    gemini_api_key: Annotated[str, Meta(description="Key of the Gemini API, for `gemini:` models.")] = ""
    openai_api_key: Annotated[
        str, Meta(description="Key of the OpenAI API, for `openai:` and `openai-chat:` models.")
    ] = ""
    anthropic_api_key: Annotated[str, Meta(description="Key of the Anthropic API, for `anthropic:` models.")] = ""
    azure_openai_api_key: Annotated[str, Meta(description="Key of an Azure OpenAI resource, for `azure:` models.")] = ""
    ollama_api_key: Annotated[str, Meta(description="Key of an Ollama that wants one, for `ollama:` models.")] = ""
    compatible_api_key: Annotated[
        str, Meta(description="Key of the server at `compatible_base_url`, where it wants one.")
    ] = ""
    gemini_base_url: Annotated[str, Meta(description="Where the Gemini API is; a proxy may stand in.")] = (
        "https://generativelanguage.googleapis.com"
    )
    openai_base_url: Annotated[
        str,
        Meta(
            description="Where the OpenAI API is, for `openai:` (responses) and `openai-chat:`; a proxy may stand in."
        ),
    ] = "https://api.openai.com/v1"
    anthropic_base_url: Annotated[str, Meta(description="Where the Anthropic API is; a proxy may stand in.")] = (
        "https://api.anthropic.com"
    )
    azure_base_url: Annotated[
        str, Meta(description="Endpoint of the Azure OpenAI resource, such as https://name.openai.azure.com.")
    ] = ""
    azure_api_version: Annotated[
        str, Meta(description="The dated `api-version` that the resource is asked with. Empty: its v1 API.")
    ] = ""
    ollama_base_url: Annotated[str, Meta(description="Where Ollama is.")] = "http://127.0.0.1:11434/v1"
    compatible_base_url: Annotated[
        str,
        Meta(
            description="A server that speaks OpenAI's chat completions or responses (llama.cpp, vLLM, LiteLLM...), for `compatible:` and `compatible-responses:` models."
        ),
    ] = ""
    model_timeout_s: Annotated[
        float, Meta(description="Wall-clock limit of one attempt at a model call, in seconds.", gt=0)
    ] = 20.0
    model_tries: Annotated[
        int, Meta(description="Attempts at one model call before the next model is asked.", ge=1, le=10)
    ] = 3
    fallback_models: Annotated[
        str,
        Meta(
            description="Who answers when `model` cannot, in this order, separated by commas. Set to nothing: nobody."
        ),
    ] = "offline:"
    breaker_failures: Annotated[
        int, Meta(description="Failures in a row after which a model is left alone for a while.", ge=1)
    ] = 5
    breaker_s: Annotated[
        float, Meta(description="How long it is left alone before it is tried again, in seconds.", gt=0)
    ] = 30.0
    sure_reading_plans: Annotated[
        bool,
        Meta(description="Whether a message of which every word is understood is planned without the model."),
    ] = True
    words: Annotated[
        Literal["prepared", "model"],
        Meta(
            description="Whose sentence such an answer has: a prepared one, or the model's, which is asked for it once."
        ),
    ] = "prepared"
    shadow_share: Annotated[
        float,
        Meta(
            description="Share of those messages that the model plans too, after the answer, to be compared.",
            ge=0,
            le=1,
        ),
    ] = 0.01
    max_output_tokens: Annotated[int, Meta(description="Longest reply asked of the model, in tokens.", ge=64)] = 1024
    max_iterations: Annotated[int, Meta(description="Model calls in one run, at most.", ge=1, le=5)] = 5
    run_timeout_s: Annotated[
        float,
        Meta(
            description="Wall-clock limit of a run, in seconds; nothing waits longer for a connection to the database.",
            gt=0,
        ),
    ] = 60.0
    tool_timeout_s: Annotated[float, Meta(description="Wall-clock limit of one tool call, in seconds.", gt=0)] = 10.0
    max_message_chars: Annotated[int, Meta(description="Longest message a client may send, in characters.", ge=1)] = (
        4000
    )
    max_body_bytes: Annotated[int, Meta(description="Largest HTTP body accepted, in bytes.", ge=1024)] = 65536
    history_turns: Annotated[
        int, Meta(description="Earlier turns of a conversation that the planner sees word for word, at most.", ge=0)
    ] = 6
    history_tokens: Annotated[
        int, Meta(description="Tokens of earlier turns that it sees, about; older ones become a short summary.", ge=0)
    ] = 2000
    memory_s: Annotated[
        float, Meta(description="How long Valkey remembers a conversation after its last turn, in seconds.", gt=0)
    ] = 3_600.0

    worker_concurrency: Annotated[
        int,
        Meta(description="Runs that one process works on at a time, as far as its limit of open files allows.", ge=1),
    ] = 10_000
    lease_s: Annotated[
        float, Meta(description="How long a worker may hold a run without a sign of life, in seconds.", gt=0)
    ] = 30.0
    sweep_s: Annotated[
        float, Meta(description="How often a worker looks for runs that nobody took, in seconds.", gt=0)
    ] = 2.0

    grace_s: Annotated[
        float,
        Meta(
            description="What a worker that is told to stop gives its runs to finish, in seconds; then it hands them back.",
            ge=0,
        ),
    ] = 25.0
    max_crashes: Annotated[int, Meta(description="Workers that may die over one run before it is given up.", ge=0)] = 5
    run_expires_s: Annotated[
        float, Meta(description="How long a run may wait for a worker before it is given up, in seconds.", gt=0)
    ] = 900.0
    conversation_days: Annotated[int, Meta(description="Days that questions and answers are kept.", ge=1)] = 180
    ledger_days: Annotated[
        int, Meta(description="Days that the steps of a run are kept, with what its tools brought.", ge=1)
    ] = 30
    idempotency_hours: Annotated[float, Meta(description="Hours that an Idempotency-Key is remembered.", gt=0)] = 24.0

    webhook_secret: Annotated[
        str,
        Meta(
            description="Key that the webhooks' own secrets are derived from, at least 32 bytes. Empty: derived from the identity secret."
        ),
    ] = ""
    webhook_networks: Annotated[
        str,
        Meta(
            description="Private networks that webhooks may go to nevertheless, such as 10.0.0.0/8, separated by commas. With any, http will do as well as https."
        ),
    ] = ""
    webhook_timeout_s: Annotated[
        float, Meta(description="Wall-clock limit of one attempt to deliver a webhook, in seconds.", gt=0)
    ] = 15.0

    url: Annotated[
        str,
        Meta(description="A server elsewhere that `ask` and `chat` talk to. Empty: one on the data folder, or none."),
    ] = ""
    token: Annotated[
        str, Meta(description="The token that they send it. Empty: made with `auth_secret`, where that is its key.")
    ] = ""
    auth_secret: Annotated[
        str, Meta(description="Key for HS256 tokens, at least 32 bytes. Empty: generated in the data folder.")
    ] = ""
    auth_scope_claim: Annotated[
        str, Meta(description="The claim that may narrow a token down to some scopes; a token without it has all.")
    ] = "scope"
    auth_jwks_url: Annotated[str, Meta(description="Key set of an OpenID Connect provider; replaces HS256.")] = ""
    auth_issuer: Annotated[str, Meta(description="The `iss` that a token must carry.")] = "beerforyou"
    auth_audience: Annotated[str, Meta(description="The `aud` that a token must carry.")] = "beerforyou"
    auth_client_claim: Annotated[str, Meta(description="The claim that holds the client id.")] = "sub"
    auth_leeway_s: Annotated[
        float,
        Meta(description="By how much a token's clock and ours may differ, in seconds.", ge=0, le=600),
    ] = 10.0

    catalogue_file: Annotated[
        str,
        Meta(description="Open Brewery DB as a CSV file, for `demo` and `eval`; empty: the database, or the network."),
    ] = ""
    catalogue_url: Annotated[str, Meta(description="Where `catalogue sync` finds Open Brewery DB.")] = (
        "https://api.openbrewerydb.org"
    )

    @property
    def planner(self) -> str:
        """`model`, as runs and queues are marked with it."""
        return self.model.strip()


def env_name(field: str) -> str:
    return field.upper() if field in UNPREFIXED else f"BEERFORYOU_{field.upper()}"


def load(environ: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """Settings from the environment; `overrides` (from the command line) win. Raises SetupError."""
    fields = Settings.__struct_fields__
    known = {env_name(field): field for field in fields}
    given = {
        field: value
        for name, value in environ.items()
        if (field := known.get(name)) and (value != "" or field in EMPTY_SAYS_SO)
    }
    given |= {field: value for field, value in overrides.items() if value is not None}
    try:
        settings = msgspec.convert(
            {f: _plain(v) for f, v in given.items()}, Settings, strict=False, dec_hook=lambda t, v: t(v)
        )
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`")
        what = str(error).partition(" - at")[0]
        raise SetupError(
            f"{env_name(field)}: {what}", "`beerforyou settings` lists every setting with its meaning"
        ) from None
    try:
        clock.known(settings.time_zone)
    except ValueError as unknown:
        raise SetupError(f"{env_name('time_zone')} {unknown}", clock.SET_IT) from None
    return settings


def kept_secret(settings: Settings, field: str) -> str:
    """The secret in the setting, or one that is made once and kept in the data folder. Raises SetupError."""
    if given := str(getattr(settings, field)):
        if len(given.encode()) < SHORTEST_SECRET:
            raise SetupError(
                f"{env_name(field)} is shorter than {SHORTEST_SECRET} bytes", "make a longer one at random"
            )
        return given
    path = settings.data / field
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # the first of several processes wins
        draft.unlink()
    return path.read_text()


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _printable(value: Any) -> Any:
    """A path may hold bytes that no output can."""
    return os.fsencode(value).decode("utf-8", "backslashreplace") if isinstance(value, Path) else value


def describe(settings: Settings) -> list[dict[str, Any]]:
    """One row a setting: name, value (secrets masked), default, meaning."""
    hints = get_type_hints(Settings, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(Settings):
        value = getattr(settings, field.name)
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        meaning = next(m.description for m in hints[field.name].__metadata__ if isinstance(m, Meta))
        rows.append(
            {
                "name": env_name(field.name),
                "value": _masked(field.name, value),
                "default": _printable(default),
                "meaning": meaning,
            }
        )
    return rows


def _masked(name: str, value: Any) -> Any:
    secret = (
        name.endswith(("_key", "_secret"))
        or name == "token"
        or (name.startswith("database_") and name.endswith("_url"))
        or name in ("valkey_url", "queue_url")
        or "@" in str(value)
    )
    return "********" if secret and value else _printable(value)
