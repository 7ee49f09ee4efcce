"""Puts the semantic cache before a server's language model."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from models.language.content import PromptedAnswerer
from models.language.openai_chat import OpenAIAnswerer
from models.language.reuse.answers import AnswerStore, ReusingAnswerer
from models.safety.rules import load_packs
from realtime.core.prompting import StructuredPrompt
from realtime.core.safety import judge
from realtime.ports import Answerer

MIB: Final = 1 << 20


def answer_store(mib: int, ttl_s: float, engine: str, packs: Sequence[str], folder: Path | None) -> AnswerStore | None:
    """A store of that size whose answers the safety packs let through; None for no size."""
    if not mib:
        return None
    rules = {tag: load_packs(packs, folder, tag) for tag in ("en", "zh")}

    def passes(text: str, language: str) -> bool:
        tag = "zh" if language == "zh" else "en"
        return judge(text, "out", rules[tag], language=tag).action == "allow"

    return AnswerStore(mib * MIB, ttl_s, time.monotonic, passes, engine)


def reusing(answerer: Answerer, store: AnswerStore | None) -> tuple[Answerer, PromptedAnswerer | None]:
    """The host's answerer, and what makes one for each role. Only a language model's answers are worth keeping; what is
    found in a knowledge file is found as fast again."""
    if not isinstance(answerer, OpenAIAnswerer):
        return answerer, None
    if store is None:
        return answerer, answerer.in_role
    model = answerer.model

    def in_role(system_prompt: str, prompt: StructuredPrompt | None, fallback: Answerer | None) -> Answerer:
        # the system prompt holds who answers and all it knows, so that other knowledge is another role
        made = answerer.in_role(system_prompt, prompt, fallback)
        return ReusingAnswerer(made, store, f"{system_prompt}\0{prompt}", model)

    return ReusingAnswerer(answerer, store, "", model), in_role
