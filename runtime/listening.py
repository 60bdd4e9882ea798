"""Who gives an opinion on what a customer wrote: the model of the settings, or an endpoint in its place."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

import httpx
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.ground.words import Category
from domain.speech.proposing import Opinion, Proposal
from runtime.corpus import SHIPPED, CorpusError, model
from runtime.ear import MISSING, ear, installed
from runtime.settings import ConfigurationError, Settings

Listen = Callable[[str], Coroutine[Any, Any, Opinion]]
"""Gives an opinion on a text."""

_PATIENCE: Final = 2.0
"""Seconds that an endpoint may take: a complaint waits for nobody's opinion."""
_LONGEST_ANSWER: Final = 10_000
_ALARM: Final = 0.5
_Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

log = structlog.get_logger(__name__)


class _Answer(BaseModel):
    """The JSON of an endpoint's answer. It may say more than we understand."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    model: str = Field(min_length=1, max_length=60, pattern=r"^[\w .+:/-]+$")
    category: Category | None = None
    confidence: _Share = 0.0
    danger: _Share = 0.0

    def opinion(self) -> Opinion:
        proposal = None
        if self.category and self.category is not Category.OTHER:
            proposal = Proposal(category=self.category, confidence=self.confidence, model=self.model)
        return Opinion(model=self.model, proposal=proposal, danger=self.danger, alarm=self.danger >= _ALARM)


async def listen(text: str) -> Opinion:
    """The opinion of the model that is shipped."""
    return model().listen(text)


def listener(settings: Settings) -> Listen:
    """Whoever the settings name. Raises ``ConfigurationError`` if the model they name cannot be read, or the extra
    ``assess`` that they want is missing."""
    try:
        own = model(settings.assessment_model or SHIPPED)
    except CorpusError as error:
        raise ConfigurationError(f"REDRESS_ASSESSMENT_MODEL: {error}") from None

    if settings.assessment_vectors and not installed():
        raise ConfigurationError(f"REDRESS_ASSESSMENT_VECTORS: {MISSING}")

    async def by_model(text: str) -> Opinion:
        if settings.assessment_vectors:
            return await asyncio.to_thread(lambda: ear().hear(text, own))  # the first time it loads for seconds
        return own.listen(text)

    url = settings.assessment_endpoint
    if url is None:
        return by_model

    async def by_endpoint(text: str) -> Opinion:
        try:
            return await _ask(url, text)
        except (httpx.HTTPError, httpx.InvalidURL, ValidationError, ValueError, TimeoutError, OSError) as error:
            log.warning("the assessment endpoint gave no opinion; the model is asked", error=type(error).__name__)
            return await by_model(text)

    return by_endpoint


async def _ask(url: str, text: str) -> Opinion:
    """POST ``{"text": …}``; the answer is ``{"model": …, "category": …, "confidence": …, "danger": …}``."""
    async with (
        asyncio.timeout(_PATIENCE),
        httpx.AsyncClient(timeout=_PATIENCE) as client,
        client.stream("POST", url, json={"text": text}) as response,
    ):
        response.raise_for_status()
        content = b""
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > _LONGEST_ANSWER:
                raise ValueError("the answer is too long")
    return _Answer.model_validate_json(content).opinion()
