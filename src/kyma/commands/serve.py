"""`kyma serve`: the gateway, set up on its first start, with nothing asked."""

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer
import uvloop

from kyma.app import App, render_refusal
from kyma.catalog import CatalogError
from kyma.commands.discretion import log_discreetly, refuse_core_files, report
from kyma.config import Config, ConfigError, load_config
from kyma.core.money import usd_to_nanos
from kyma.gateway import LOCAL, LOCAL_EMBED, Gateway, is_embedded, make_data_dir, open_gateway
from kyma.local import LocalModelError, embed_install
from kyma.local.engines import EMBEDDING_MODULES, Engine, has_modules, llama, minilm
from kyma.local.install import install
from kyma.local.supervisor import LocalModel
from kyma.server import Server, ServerLimits, listen, raise_file_limit

LOCAL_READY_S = 20.0
STDERR = 2
YOUNG_OBJECTS = 50_000
"""Allocations between two garbage collections: a request makes hundreds and leaves no cycle behind."""
THREAD_SWITCH_S = 0.0005
"""How soon the ledger's writer thread gets its turn beside a busy loop; Python's own 5 ms hold up every commit."""
DEMO_MODEL, EMBEDDING_MODEL = "smollm2-135m", "all-minilm-l6-v2"
QUESTION = '{"role": "user", "content": "What is the capital of France?"}'


def serve() -> None:
    """Start the gateway. The first start makes database, operator account and key, and installs the local model."""
    config = load_config()
    log_discreetly(config.settings.log_level)
    refuse_core_files()
    raise_file_limit()
    sys.setswitchinterval(THREAD_SWITCH_S)
    engines = dict(_engines(config))
    try:
        listener = listen(config.settings.host, config.settings.port)
    except OSError as error:
        place = f"{config.settings.host}:{config.settings.port}"
        raise ConfigError(f"cannot listen on {place}: {error.strerror}; KYMA_PORT=… takes another") from None
    with listener:
        uvloop.run(_serve(config.listening_on(listener.getsockname()[1]), engines, listener))


async def _serve(config: Config, engines: Mapping[str, Engine], listener: socket.socket) -> None:
    settings = config.settings
    asyncio.get_running_loop().set_exception_handler(report)
    async with open_gateway(config) as gateway:
        limits = ServerLimits(
            settings.header_limit_bytes, settings.body_limit_bytes, settings.header_timeout_s, settings.body_timeout_s
        )
        server = Server(App(gateway), render_refusal, limits)
        key = await gateway.registration.ensure_operator(
            settings.operator_email, usd_to_nanos(settings.operator_grant_usd)
        )
        for provider_id, engine in engines.items():
            log_path = config.data_dir / "logs" / f"{provider_id}-model.log"
            await gateway.start_engine(provider_id, LocalModel(engine, log_path=log_path))
        gateway.background.spawn(_greet(gateway, key))
        _settle_memory()
        _reload_at_hangup(gateway)
        with gateway.control_token.announced(make_data_dir(config), config.local_url):
            await server.serve([listener], settings.shutdown_s, gateway.calls.start_draining)


def _reload_at_hangup(gateway: Gateway) -> None:
    """SIGHUP reads the configuration anew; when it means that the terminal is gone, it ends the gateway as ever."""
    was_shown = os.isatty(STDERR)

    def hang_up() -> None:
        if was_shown and not os.isatty(STDERR):
            os.kill(os.getpid(), signal.SIGTERM)
        else:
            gateway.background.spawn(_reload(gateway))

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hang_up)


async def _reload(gateway: Gateway) -> None:
    with contextlib.suppress(ConfigError, CatalogError):  # the log has them
        await gateway.reload()


def _settle_memory() -> None:
    """Keep what the start made out of every later garbage collection, which would walk all of it for nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)


def _engines(config: Config) -> Iterator[tuple[str, Engine]]:
    """What runs beside the gateway, by provider. The embedding model only if it was installed: nothing fetches it."""
    settings = config.settings
    gguf = _local_gguf(config)
    if gguf is not None:
        engine = llama(
            gguf,
            name=DEMO_MODEL,
            context_tokens=settings.local_context_tokens,
            slots=settings.local_parallel,
            replicas=settings.local_replicas,
        )
        for number in range(1, settings.local_replicas + 1):
            yield LOCAL if number == 1 else f"{LOCAL}-{number}", engine
    if settings.local_enabled and has_modules(EMBEDDING_MODULES) and embed_install.is_installed(config.data_dir):
        yield LOCAL_EMBED, minilm(embed_install.embedding_files(config.data_dir), name=EMBEDDING_MODEL)


def _local_gguf(config: Config) -> Path | None:
    """The model to run here, installed if need be; None, with a word why, when there can be none."""
    settings = config.settings
    if not settings.local_enabled:
        return None
    if settings.local_gguf:
        return Path(settings.local_gguf).expanduser()
    try:
        return install(make_data_dir(config), lambda line: typer.echo(f"kyma: {line}"))
    except LocalModelError as error:
        typer.echo(f"kyma: no local model: {error}", err=True)
        return None


async def _greet(gateway: Gateway, key: str | None) -> None:
    """Say where the gateway is and how to call it, once the local models answer or will not."""
    for engine in gateway.engines.values():
        try:
            await engine.wait_ready(LOCAL_READY_S)
        except LocalModelError as error:
            typer.echo(f"kyma: no local model: {error}", err=True)
        await asyncio.sleep(0)
    typer.echo(_greeting(gateway, key))
    sys.stdout.flush()


def _greeting(gateway: Gateway, key: str | None) -> str:
    offered = gateway.catalog.offered()
    lines = [
        "",
        f"Kyma listens on {gateway.base_url}",
        f"  chat       POST {gateway.base_url}/v1/chat/completions",
        f"  messages   POST {gateway.base_url}/v1/messages",
        f"  responses  POST {gateway.base_url}/v1/responses",
        f"  gemini     POST {gateway.base_url}/v1beta/models/…:generateContent",
        f"  models     GET  {gateway.base_url}/v1/models          ({len(offered)} available)",
        f"  balance    GET  {gateway.base_url}/v1/credits/balance",
        f"  document   GET  {gateway.base_url}/v1/openapi.json",
        f"  data       {gateway.config.data_dir if is_embedded(gateway.config) else 'Postgres'}",
        "",
    ]
    if not offered:
        lines += [
            "No model is available yet. Give the gateway a provider:",
            "  GROQ_API_KEY=… make serve     (or any other key of GET /v1/models?include=all, field `missing`)",
            f"  or a row in {gateway.config.config_dir / 'providers.toml'}",
            "",
        ]
    if key is not None:
        lines += ["Your API key, shown this once:", f"  {key}", ""]
    chats = [model.id for model in offered if model.kind == "chat"]
    if chats:
        model = DEMO_MODEL if DEMO_MODEL in chats else chats[0]
        lines += [
            "Try it:",
            f"  curl {gateway.base_url}/v1/chat/completions \\",
            f'    -H "Authorization: Bearer {key or "$KYMA_API_KEY"}" -H "Content-Type: application/json" \\',
            f'    -d \'{{"model": "{model}", "max_tokens": 60, "messages": [{QUESTION}]}}\'',
            "",
        ]
    if key is None:
        lines += ["Another key: kyma keys create", ""]
    return "\n".join(lines)
