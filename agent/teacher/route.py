"""Which endpoint, model and parameters serve a role; endpoints are opened once and shared between roles."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import get_args

from agent.config import RoleConfig, TeacherConfig
from agent.teacher.endpoint import Address, Endpoint
from agent.teacher.ledger import Ledger
from agent.teacher.limits import Limits
from agent.teacher.local import SLOTS, LocalServer, model_name
from agent.teacher.messages import Role
from agent.teacher.pricing import Pricing
from agent.teacher.probe import Capabilities, check_model, probe
from agent.teacher.usage import LiveCounts
from tasks.faults import Fault, UserError

ROLES: tuple[Role, ...] = get_args(Role)
LOCAL = "local"
TIMEOUT, LOOPBACK_TIMEOUT = 120.0, 3600.0
"""Seconds for one call: of an endpoint elsewhere, and of one on this machine, where slow is not dead: a dead server
closes its connections."""


@dataclass(frozen=True)
class Source:
    """Endpoint and model of a role, as configured."""

    base_url: str
    """Or "local"."""
    model: str
    api_key_env: str

    @property
    def name(self) -> str:
        """The model's name in requests."""
        return model_name(self.model) if self.base_url == LOCAL else self.model


@dataclass(frozen=True)
class Route:
    """How a role reaches its teacher. `endpoint` is None in replay."""

    model: str
    can: Capabilities
    pricing: Pricing
    endpoint: Endpoint | None
    temperature: float | None
    """Of the role's configuration; overrides the requests'."""


def sources(config: TeacherConfig) -> dict[Role, Source]:
    """The endpoint of each role: its own fields where it has them, else the teacher's."""
    found: dict[Role, Source] = {}
    for role in ROLES:
        own: RoleConfig = getattr(config, role)
        base_url = (own.base_url or config.base_url).rstrip("/")
        key_env = own.api_key_env or config.api_key_env
        found[role] = Source(base_url, own.model or config.model, key_env)
    return found


def pricings(config: TeacherConfig, needed: bool) -> dict[Role, Pricing]:
    """The prices of each role. Raises UserError when one is `needed` and not known."""
    found: dict[Role, Pricing] = {}
    for role, source in sources(config).items():
        found[role] = Pricing(config.price, source.base_url, source.name)
        if needed and not found[role].known:
            remedy = "Give it: --set teacher.price.prompt=… --set teacher.price.completion=… ($ a million tokens)."
            got = f"no known price of {source.name} at {source.base_url}"
            raise UserError(Fault("budget.cost", "a price to count with", got, remedy))
    return found


def stored(source: Source, ledger: Ledger) -> Capabilities | None:
    """What an earlier probe of `source` found."""
    data = ledger.probe(source.base_url, source.name)
    known = {field.name for field in fields(Capabilities)}
    return Capabilities.from_json(data) if data is not None and set(data) == known else None


def replayed(source: Source, ledger: Ledger) -> Capabilities:
    """The stored probe, without which a replay cannot know what was sent."""
    can = stored(source, ledger)
    if can is None:
        got = f"a ledger that never met {source.name} at {source.base_url}"
        remedy = "Run once with --set teacher.mode=live, or give the ledger of that run."
        raise UserError(Fault("teacher.ledger", "a ledger to replay from", got, remedy))
    return can


def api_key(source: Source) -> str:
    """The key for `source`; an endpoint on this machine may do without."""
    key = os.environ.get(source.api_key_env, "").strip()
    if key:
        return key
    if source.base_url == LOCAL or Address(source.base_url, source.model, source.api_key_env).loopback:
        return "none"
    remedy = f"export {source.api_key_env}=… (or name another variable: --set teacher.api_key_env=NAME)."
    expected = f"the key for {source.base_url} in the environment"
    raise UserError(Fault(f"teacher.api_key_env ({source.api_key_env})", expected, "it is not set", remedy))


async def connect(
    source: Source, config: TeacherConfig, ledger: Ledger, live: LiveCounts,
    key: str, server: LocalServer | None,
) -> tuple[Endpoint, Capabilities]:  # fmt: skip
    """An endpoint that was checked, and what it can do: read from the ledger, or probed and written there."""
    start = SLOTS if server else 4
    most = SLOTS if server else 256
    limits = Limits(config.max_concurrency, config.requests_per_minute, config.tokens_per_minute, start, most)
    address = Address(server.base_url if server else source.base_url, source.name, source.api_key_env)
    timeout = config.timeout or (LOOPBACK_TIMEOUT if address.loopback else TIMEOUT)
    endpoint = Endpoint(address, key, timeout, config.attempts, limits, live)
    try:
        can = stored(source, ledger)
        if can is not None:
            await check_model(endpoint)
        else:
            can = await probe(endpoint, SLOTS if server else None)
            ledger.probed(source.base_url, source.name, can.to_json())
    except BaseException:
        await endpoint.close()
        raise
    return endpoint, can
