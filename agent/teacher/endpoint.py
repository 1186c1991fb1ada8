"""One OpenAI-compatible endpoint: a call with its retries, its limits and its errors in one line."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import openai
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from agent.teacher.errors import OddReplyError, one_line, passing, refusal, retry_after, user_fault
from agent.teacher.limits import Limits
from agent.teacher.unavailable import TeacherUnavailableError
from agent.teacher.usage import LiveCounts
from tasks.faults import UserError

BACKOFF_SECONDS = 0.5
"""First pause after a failure without Retry-After; doubles, with jitter, up to a minute."""


@dataclass(frozen=True)
class Address:
    """Where a model is served."""

    base_url: str
    model: str
    api_key_env: str

    @property
    def loopback(self) -> bool:
        """Is it this machine?"""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


class Endpoint:
    """Calls one address. To be made and used inside one event loop."""

    def __init__(
        self, address: Address, key: str, timeout: float, attempts: int,
        limits: Limits, live: LiveCounts,
    ) -> None:  # fmt: skip
        self.address = address
        self.limits = limits
        self._attempts = attempts
        self._live = live
        # a proxy for the outside world must not see calls to this machine
        http = openai.DefaultAsyncHttpxClient(trust_env=False) if address.loopback else None
        self._client = openai.AsyncOpenAI(
            api_key=key, base_url=address.base_url, timeout=timeout, max_retries=0, http_client=http
        )

    async def close(self) -> None:
        await self._client.close()

    async def call(
        self, body: Mapping[str, Any], estimate: int,
        sending: Callable[[], None] = lambda: None, stop: asyncio.Event | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """The endpoint's answer to one chat completion; {"refused": reason} when its filter declined.

        Args:
            estimate: tokens the call may take, for the rate limit.
            sending: called just before the request leaves, at every try.
            stop: once set, no more tries are made.

        Raises:
            UserError: a key, model or parameter the endpoint does not take.
            TeacherUnavailableError: it failed `attempts` times.
        """
        stop = stop or asyncio.Event()
        tries = AsyncRetrying(
            stop=stop_after_attempt(self._attempts),
            wait=self._wait,
            retry=retry_if_exception(lambda error: passing(error) and not stop.is_set()),
            sleep=lambda seconds: self._sleep(seconds, stop),
            reraise=True,
        )
        try:
            return await tries(self._once, {"model": self.address.model, **body}, estimate, sending)
        except (openai.APIConnectionError, OddReplyError) as error:
            raise self._unavailable(tries, error) from error
        except openai.APIStatusError as error:
            if passing(error):
                raise self._unavailable(tries, error) from error
            if (reason := refusal(error)) is not None:
                return {"refused": reason}
            raise self._fault(error) from None

    async def call_or_none(self, body: Mapping[str, Any], estimate: int) -> dict[str, Any] | None:
        """The answer, or None where the endpoint does not take a parameter of `body`; used by the probe."""
        full = {"model": self.address.model, **body}
        for _ in range(2):
            try:
                return await self._once(full, estimate, lambda: None)
            except openai.APIStatusError as error:
                if error.status_code in (400, 404, 415, 422, 501):
                    return None
                if not passing(error):
                    raise self._fault(error) from None
                await asyncio.sleep(min(retry_after(error) or BACKOFF_SECONDS, 60.0))
            except (openai.APIConnectionError, OddReplyError):
                await asyncio.sleep(BACKOFF_SECONDS)
        return None

    async def models(self) -> list[str] | None:
        """The models the endpoint lists; None where it has no list."""
        try:
            listed = await self._client.get("/models", cast_to=object)
        except openai.APIConnectionError as error:
            raise self._fault(error) from None
        except openai.APIStatusError as error:
            if error.status_code == 401:
                raise self._fault(error) from None
            return None
        rows = listed.get("data") if isinstance(listed, dict) else None
        if not isinstance(rows, list):
            return None
        return [str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row]

    async def _once(self, body: Mapping[str, Any], estimate: int, sending: Callable[[], None]) -> dict[str, Any]:
        async with self.limits.slot(estimate) as sent_at:
            sending()
            self._live.in_flight += 1
            try:
                answer = await self._client.post("/chat/completions", body=dict(body), cast_to=object)
                if not isinstance(answer, dict) or not answer.get("choices"):
                    raise OddReplyError(one_line(answer))
            except (openai.APIError, OddReplyError) as error:
                self._live.last_error = one_line(error)
                if isinstance(error, openai.RateLimitError | openai.APITimeoutError):
                    self.limits.trouble(sent_at, retry_after(error) or 0.0)
                raise
            finally:
                self._live.in_flight -= 1
            used = answer.get("usage") or {}
            self.limits.replied(int(used.get("total_tokens") or estimate), estimate)
            return answer

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = retry_after(error) if isinstance(error, openai.APIStatusError) else None
        if asked is not None:
            return asked
        return wait_exponential(BACKOFF_SECONDS, max=60)(state) + wait_random(0, BACKOFF_SECONDS)(state)

    async def _sleep(self, seconds: float, stop: asyncio.Event) -> None:
        self._live.retrying += 1
        self._live.waiting_seconds += seconds
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            pass
        finally:
            self._live.retrying -= 1

    def _fault(self, error: openai.APIError) -> UserError:
        return user_fault(error, self.address.base_url, self.address.model, self.address.api_key_env)

    def _unavailable(self, tries: AsyncRetrying, error: Exception) -> TeacherUnavailableError:
        made = int(tries.statistics.get("attempt_number", 1))
        return TeacherUnavailableError(self.address.base_url, made, one_line(error))
