"""Scripts: text with inline tags, or SSML, becomes beats in order.

    parse_script("[happy] Hello! [wave] Welcome.", gestures={"wave"})
    -> Feel(HAPPY, 1.0), Say("Hello!"), Gesture("wave"), Say("Welcome.")

Strict reading (what a person or a program wrote for us) names every mistake; lenient reading (what a language model
wrote) drops what it does not know and counts it. A `Say` is one sentence, or a clause of one with over
200 characters.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from realtime.core.described import UNDESCRIBED, Described
from realtime.core.errors import InvalidField, TooLarge
from realtime.core.script_beats import (
    MAX_SCRIPT_CHARS,
    MAX_TOTAL_PAUSE_S,
    Beat,
    Feel,
    Gesture,
    Mark,
    Pause,
    Say,
    Script,
)
from realtime.core.script_clauses import ClauseSplitter, split_clauses, split_sentences
from realtime.core.script_clean import guess_language, has_speech, strip_controls, strip_markup, strip_stray
from realtime.core.script_ssml import Item, Piece, looks_like_ssml, read_ssml
from realtime.core.script_tags import TAG, beat_named, emotion_named, unknown_tag

__all__ = [
    "Beat", "ClauseSplitter", "Feel", "Gesture", "Mark", "Pause", "Say", "Script", "emotion_named", "guess_language",
    "parse_script", "split_clauses", "split_sentences", "strip_tags",
]  # fmt: skip

_ELEMENT: Final = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_PLAIN: Final = Say("")


def parse_script(
    text: str,
    *,
    gestures: Collection[str],
    language: str = "en",
    strict: bool = True,
    described: Described = UNDESCRIBED,
) -> Script:
    """The beats of a text. `gestures` are the known one-shot motions, `described` finds them by `[motion: ...]`;
    `language` is assumed where nothing else says so.

    Raises `TooLarge` over 5 000 characters and, when strict, `InvalidField` for tags, elements and values that cannot
    be used or for a text without any beat, `Malformed` for SSML that is not well-formed."""
    if len(text) > MAX_SCRIPT_CHARS:
        raise TooLarge("the text is too long", field="text", limit=f"{MAX_SCRIPT_CHARS} characters")
    builder = _Builder(gestures, language, strict, described)
    if strict and looks_like_ssml(text):
        builder.add_items(read_ssml(text, gestures))
    else:
        builder.add_text(text)
    script = Script(tuple(builder.beats), builder.dropped, tuple(builder.unknown))
    if strict and not script.beats:
        raise InvalidField("the text has nothing to say or do", field="text", limit="at least one word or tag")
    return script


def strip_tags(text: str) -> str:
    """The text as it would be read aloud: no tags, markdown, emoji or elements."""
    return parse_script(text[:MAX_SCRIPT_CHARS], gestures=(), strict=False).text


class _Builder:
    """Collects beats from text; one per script."""

    def __init__(self, gestures: Collection[str], language: str, strict: bool, described: Described) -> None:
        self.beats: list[Beat] = []
        self.dropped = 0
        self.unknown: list[str] = []
        self._described = described
        self._gestures = gestures
        self._language = language
        self._strict = strict
        self._paused_s = 0.0

    def add_items(self, items: Iterable[Item]) -> None:
        """Add what SSML held; neighbouring runs of one style are read as one text."""
        run = ""
        style = _PLAIN
        for item in items:
            if isinstance(item, Piece) and item.style == style:
                run += item.text
                continue
            self._add_run(strip_controls(run).replace("\n", " "), style)
            run = ""
            if isinstance(item, Piece):
                run, style = item.text, item.style
            elif item is not None:
                self._add_beat(item)
        self._add_run(strip_controls(run).replace("\n", " "), style)

    def add_text(self, text: str) -> None:
        """Add plain text with inline tags and perhaps markdown."""
        if not self._strict:
            text, elements = _ELEMENT.subn(" ", text)
            self.dropped += elements
        self._add_run(strip_markup(text), _PLAIN)

    def _add_run(self, text: str, style: Say) -> None:
        at = 0
        for match in TAG.finditer(text):
            beat = self._beat_of(match)
            if beat is None and match["name"] and not match["name"].isascii():
                continue
            self._add_say(text[at : match.start()], style)
            at = match.end()
            if beat is not None:
                self._add_beat(beat)
            elif self._strict:
                raise unknown_tag(match["name"], self._gestures)
            else:
                self.dropped += 1
                self.unknown.append(match.group())
        self._add_say(text[at:], style)

    def _beat_of(self, match: re.Match[str]) -> Beat | None:
        """What a tag asks for; a language model's word that is no tag's name is taken for a description."""
        name = match["name"]
        if name is None:
            wanted = match["motion"].strip()
            found = self._described.require(wanted, "text") if self._strict else self._described.find(wanted)
        elif (beat := beat_named(name, match["value"], self._gestures, strict=self._strict)) is not None:
            return beat
        else:
            found = None if self._strict else self._described.find(name.replace("_", " "))
        return None if found is None else Gesture(found)

    def _add_beat(self, beat: Beat) -> None:
        if isinstance(beat, Pause):
            self._paused_s += beat.duration_s
            if self._paused_s > MAX_TOTAL_PAUSE_S:
                if self._strict:
                    limit = f"{MAX_TOTAL_PAUSE_S:g} s in total"
                    raise InvalidField("the text pauses for too long", field="text", limit=limit)
                self.dropped += 1
                return
        self.beats.append(beat)

    def _add_say(self, text: str, style: Say) -> None:
        for sentence in split_sentences(text):
            for clause in split_clauses(sentence):
                clause = strip_stray(clause)
                if has_speech(clause):
                    language = style.language or guess_language(clause, self._language)
                    self.beats.append(replace(style, text=clause, language=language))
