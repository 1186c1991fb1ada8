"""A teacher for tests: a real HTTP server on this machine that speaks /v1/models and /v1/chat/completions.

    with FakeTeacher(answer=lambda body: "positive") as teacher:
        config = TeacherConfig(base_url=teacher.base_url, model=teacher.model)

Its answers, token counts and noise depend on the request alone, so two runs get the same. Standard
library only. Personas: see the arguments.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]
Answer = Callable[[Body], str]


def last_message(body: Body) -> str:
    """The text of the last message of a request."""
    return str(body["messages"][-1]["content"])


def share(text: str, salt: str = "") -> float:
    """A number in [0, 1) that depends on `text` alone."""
    return int(hashlib.sha256((salt + text).encode()).hexdigest()[:8], 16) / 2**32


class FakeTeacher:
    """An endpoint with a persona.

    Args:
        answer: text of the reply, from the request's body. Asked of the probe too.
        model: the only model it lists and serves.
        latency: seconds before a reply; a number, or a function of the body.
        per_token: seconds for each completion token.
        logprobs: gives logprobs when asked; else answers 400 to the parameter (`"ignored"`: leaves them out).
        tiers: response formats it takes; others are answered with 400 (`ignored_tiers`: silently ignored).
        noisy: probability that an answer which is one of `labels` is another one of them.
        confidence: probability of the answered token in the logprobs.
        rate_limit: every n-th call is answered 429 with Retry-After `retry_after` (seconds or a date).
        fail: every n-th call is answered 500.
        malformed: every n-th reply is cut in the middle, with finish_reason "length".
        refuse: requests for which this is true are answered 400 content_filter.
        key: the only key it takes (401 else).
        hang: the first n calls get no answer until the server stops.
        reasoning: takes max_completion_tokens only, no temperature, and thinks aloud in <think>.
        lists_models: False = 404 for /v1/models.
        seed: False = 400 for the parameter.
    """

    def __init__(
        self,
        answer: Answer = lambda body: "positive",
        *,
        model: str = "fake-1",
        latency: float | Callable[[Body], float] = 0.0,
        per_token: float = 0.0,
        logprobs: bool | str = True,
        tiers: Sequence[str] = ("json_schema", "json_object"),
        ignored_tiers: Sequence[str] = (),
        noisy: float = 0.0,
        labels: Sequence[str] = (),
        confidence: float = 0.9,
        rate_limit: int = 0,
        retry_after: str = "0",
        fail: int = 0,
        malformed: int = 0,
        refuse: Callable[[Body], bool] = lambda body: False,
        key: str | None = None,
        hang: int = 0,
        reasoning: bool = False,
        lists_models: bool = True,
        seed: bool = True,
    ) -> None:
        self.answer, self.model, self.latency, self.per_token = answer, model, latency, per_token
        self.logprobs, self.tiers, self.ignored_tiers = logprobs, tiers, ignored_tiers
        self.noisy, self.labels, self.confidence = noisy, labels, confidence
        self.rate_limit, self.retry_after, self.fail = rate_limit, retry_after, fail
        self.malformed, self.refuse, self.key, self.hang = malformed, refuse, key, hang
        self.reasoning, self.lists_models, self.seed = reasoning, lists_models, seed
        self.bodies: list[Body] = []
        """Bodies of the chat completions received, the probe's too, in order of arrival."""
        self.on_request: Callable[[Body], None] = lambda body: None
        """Called in the server's thread when a chat completion came, before it is answered."""
        self.in_flight = 0
        self.most_in_flight = 0
        self._calls = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        handler = type("Handler", (_Handler,), {"teacher": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    @property
    def asked(self) -> list[Body]:
        """The bodies received, without the probe's."""
        return [body for body in self.bodies if "capital of France" not in last_message(body)]

    def close(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> FakeTeacher:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def complete(self, body: Body) -> tuple[int, Mapping[str, Any], Mapping[str, str]]:
        """(status, JSON, headers) for one chat completion."""
        self.on_request(body)
        with self._lock:
            self.bodies.append(body)
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
            self._calls += 1
            number = self._calls
        try:
            if number <= self.hang:
                self._stopped.wait(60)
            refused = self._refused(body, number)
            if refused is not None:
                return refused
            text = self._text(body)
            delay = self.latency(body) if callable(self.latency) else self.latency
            delay += self.per_token * _count(text)
            if delay:
                time.sleep(delay)
            return (
                200,
                self._completion(body, text, bool(self.malformed and number % self.malformed == 0)),
                {},
            )
        finally:
            with self._lock:
                self.in_flight -= 1

    def _refused(self, body: Body, number: int) -> tuple[int, Mapping[str, Any], Mapping[str, str]] | None:
        if self.rate_limit and number % self.rate_limit == 0:
            return 429, _error("rate limit", "rate_limit_exceeded"), {"Retry-After": self.retry_after}
        if self.fail and number % self.fail == 0:
            return 500, _error("internal error", "server_error"), {}
        if body.get("model") != self.model:
            return 404, _error(f"no model {body.get('model')}", "model_not_found"), {}
        if self.refuse(body):
            return 400, _error("declined by the content filter", "content_filter"), {}
        refused: list[str] = []
        if self.reasoning:
            refused += [name for name in ("max_tokens", "temperature") if name in body]
        if body.get("logprobs") and not self.logprobs:
            refused.append("logprobs")
        if "seed" in body and not self.seed:
            refused.append("seed")
        kind = (body.get("response_format") or {}).get("type")
        if kind is not None and kind not in (*self.tiers, *self.ignored_tiers):
            refused.append("response_format")
        if refused:
            return 400, _error(f"unsupported parameter: {refused[0]}", "unsupported_parameter"), {}
        return None

    def _text(self, body: Body) -> str:
        asked = last_message(body)
        if "capital of France" in asked:
            kind = (body.get("response_format") or {}).get("type")
            formed = kind in self.tiers or "JSON schema" in asked
            text = '{"city": "Paris"}' if formed else "Paris"
        else:
            text = self.answer(body)
        if self.noisy and text in self.labels and share(asked, "noise") < self.noisy:
            others = [label for label in self.labels if label != text]
            text = others[int(share(asked, "which") * len(others))]
        return f"<think>It says {asked[:20]!r}.</think>\n{text}" if self.reasoning else text

    def _completion(self, body: Body, text: str, cut: bool) -> Mapping[str, Any]:
        if cut:
            text = text[: max(1, len(text) // 2)]
        prompt = sum(_count(message["content"]) for message in body["messages"])
        choice: dict[str, Any] = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "finish_reason": "length" if cut else "stop",
        }
        if body.get("logprobs") and self.logprobs is True:
            choice["logprobs"] = {"content": self._tokens(text, int(body.get("top_logprobs") or 0))}
        used = {
            "prompt_tokens": prompt,
            "completion_tokens": _count(text),
            "total_tokens": prompt + _count(text),
        }
        return {
            "id": "fake",
            "object": "chat.completion",
            "model": self.model,
            "choices": [choice],
            "usage": used,
        }

    def _tokens(self, text: str, top: int) -> list[dict[str, Any]]:
        """The whole text as one token; the other labels share what confidence leaves, falling by half."""
        others = [label for label in self.labels if label != text][: max(0, top - 1)]
        weights = [0.5**rank for rank in range(len(others))]
        rest = 1.0 - self.confidence
        rows = [(text, self.confidence)]
        rows += [(label, rest * weight / sum(weights)) for label, weight in zip(others, weights, strict=True)]
        alternatives = [_token(label, probability) for label, probability in rows[:top]]
        return [{**_token(text, self.confidence), "top_logprobs": alternatives}]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


class _Handler(BaseHTTPRequestHandler):
    teacher: FakeTeacher
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self._gone() or not self._key_fits():
            return
        if self.path == "/v1/models" and self.teacher.lists_models:
            self._send(200, {"object": "list", "data": [{"id": self.teacher.model, "object": "model"}]}, {})
        else:
            self._send(404, _error("not found", "not_found"), {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._gone() or not self._key_fits():
            return
        if self.path != "/v1/chat/completions":
            self._send(404, _error("not found", "not_found"), {})
            return
        self._send(*self.teacher.complete(body))

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def _gone(self) -> bool:
        """After the server was closed, connections that are still open end without a word."""
        self.close_connection = self.close_connection or self.teacher.stopped
        return self.teacher.stopped

    def _key_fits(self) -> bool:
        if self.teacher.key is None or self.headers.get("Authorization") == f"Bearer {self.teacher.key}":
            return True
        self._send(401, _error("Incorrect API key provided", "invalid_api_key"), {})
        return False

    def _send(self, status: int, value: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        data = json.dumps(value).encode()
        try:
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except ConnectionError:
            self.close_connection = True


def _token(text: str, probability: float) -> dict[str, Any]:
    logprob = math.log(max(probability, 1e-9))
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def _error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "fake", "code": code, "param": None}}


def _count(text: str) -> int:
    """Tokens of a text: a quarter of its characters, rounded up."""
    return -(-len(text) // 4)
