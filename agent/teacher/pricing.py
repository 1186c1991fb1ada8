"""What a call costs. An unknown price is None, never a guess; a teacher on this machine is free."""

from __future__ import annotations

from genai_prices import Usage, calc_price

from agent.config import Price


class Pricing:
    """US dollars for the calls of one model at one endpoint."""

    def __init__(self, price: Price | None, base_url: str, model: str) -> None:
        if price is None and base_url == "local":
            price = Price(prompt=0, completion=0)
        self._price = price
        self._base_url = base_url
        self._model = model

    @property
    def known(self) -> bool:
        return self.cost(1000, 1000) is not None

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """Of one call; from the configuration, else from the price list of genai-prices (offline)."""
        if self._price is not None:
            millionths = prompt_tokens * self._price.prompt + completion_tokens * self._price.completion
            return millionths / 1e6
        try:
            usage = Usage(input_tokens=prompt_tokens, output_tokens=completion_tokens)
            listed = calc_price(usage, self._model, provider_api_url=self._base_url)
        except LookupError:
            return None
        return float(listed.total_price)
