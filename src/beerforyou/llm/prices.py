"""What tokens cost in money, by the public prices that the package genai-prices brings (the extra `providers` does)."""

from __future__ import annotations

from decimal import Decimal

from beerforyou.usage import Usage

# As that package names them. Servers of one's own have no price.
PROVIDERS = {"gemini": "google", "openai-chat": "openai", "openai-responses": "openai", "azure-responses": "azure"}


def price(name: str, usage: Usage) -> Decimal | None:
    """In US dollars, of `provider:model`. None where none is known, or the package is not there."""
    try:
        import genai_prices
    except ImportError:
        return None
    provider, _, model = name.partition(":")
    counts = genai_prices.Usage(
        input_tokens=usage.input, output_tokens=usage.output, cache_read_tokens=min(usage.cached, usage.input)
    )
    try:
        return genai_prices.calc_price(counts, model, provider_id=PROVIDERS.get(provider, provider)).total_price
    except (LookupError, ValueError):
        return None
