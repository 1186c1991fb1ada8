"""What an endpoint's error means: to be tried again, a refusal, or a mistake of the user in one line."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import openai

from agent.teacher.unavailable import TIMEOUT
from tasks.faults import Fault, UserError, quoted

_RETRIED = {408, 409, 425, 429}


class OddReplyError(Exception):
    """Status 200 without a completion in it."""


def passing(error: BaseException) -> bool:
    """May the same call succeed later? 429 (not an empty account), 5xx, timeouts, connection errors."""
    if isinstance(error, openai.APIConnectionError | OddReplyError):
        return True
    if not isinstance(error, openai.APIStatusError) or error.code == "insufficient_quota":
        return False
    return error.status_code in _RETRIED or error.status_code >= 500


def retry_after(error: openai.APIError) -> float | None:
    """Seconds the endpoint asks to wait (Retry-After: seconds or an HTTP date), None when it does not say."""
    if not isinstance(error, openai.APIStatusError):
        return None
    value = error.response.headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def refusal(error: openai.APIStatusError) -> str | None:
    """The endpoint's words when its content filter declined the request, else None."""
    said = f"{error.code} {error.type} {error.message}".casefold()
    filtered = any(word in said for word in ("content_filter", "content_policy", "content management policy"))
    return one_line(error) if error.status_code in (400, 403, 422) and filtered else None


def user_fault(error: openai.APIError, url: str, model: str, key_env: str) -> UserError:
    """The mistake behind an error that no further try can mend."""
    got = one_line(error)
    status = error.status_code if isinstance(error, openai.APIStatusError) else None
    if status is None:
        remedy = "Start the endpoint, or give its address: --set teacher.base_url=URL."
        return UserError(Fault("teacher.base_url", f"an OpenAI-compatible endpoint at {url}", got, remedy))
    if status in (401, 403):
        remedy = f"Put a valid key for {url} into the environment variable {key_env}."
        return UserError(Fault(f"teacher.api_key_env ({key_env})", "a key the endpoint accepts", got, remedy))
    if status == 404:
        remedy = "Check --set teacher.model=NAME and teacher.base_url (most end in /v1)."
        return UserError(Fault("teacher.model", f"model {quoted(model)} at {url}", got, remedy))
    if status == 402 or error.code == "insufficient_quota":
        return UserError(Fault("teacher", f"credit left at {url}", got, "Pay in, or use another teacher."))
    return UserError(Fault("teacher", f"a request that {url} accepts", got, "Change model or endpoint."))


def one_line(error: object, limit: int = 200) -> str:
    """An error as one line: status and the provider's words."""
    if isinstance(error, openai.APITimeoutError):
        return TIMEOUT
    if isinstance(error, openai.APIConnectionError):
        return f"no connection ({error.__cause__ or error})"
    text = " ".join(str(error).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
