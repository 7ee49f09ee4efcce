"""Scripts: tags, SSML, sentences, clauses and what is not read aloud."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.core.errors import InvalidField, Malformed, RequestError, TooLarge
from realtime.core.facs import Emotion
from realtime.core.script import (
    Beat,
    Feel,
    Gesture,
    Mark,
    Pause,
    Say,
    Script,
    guess_language,
    parse_script,
    split_clauses,
    split_sentences,
    strip_tags,
)
from realtime.core.script_beats import MAX_SAY_CHARS, MAX_SCRIPT_CHARS

GESTURES = frozenset({"wave", "nod", "shake", "think"})


def strict(text: str, language: str = "en") -> Script:
    return parse_script(text, gestures=GESTURES, language=language)


def lenient(text: str) -> Script:
    return parse_script(text, gestures=GESTURES, strict=False)


def beats(text: str) -> list[Beat | str]:
    """Beats with plain says as their text."""
    return [beat.text if isinstance(beat, Say) else beat for beat in strict(text).beats]


# --- tags


def test_tags_and_text_come_in_order() -> None:
    assert beats("[happy:0.7] Hello! [wave] Welcome. [pause:0.8] Well?") == [
        Feel(Emotion.HAPPY, 0.7), "Hello!", Gesture("wave"), "Welcome.", Pause(0.8), "Well?",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "emotion"),
    [
        ("joy", Emotion.HAPPY), ("ANGER", Emotion.ANGRY), ("Surprised", Emotion.SURPRISE), ("sadness", Emotion.SAD),
        ("neutral", Emotion.NEUTRAL), ("fear", Emotion.FEAR), ("disgust", Emotion.DISGUST), ("开心", Emotion.HAPPY),
    ],
)  # fmt: skip
def test_synonyms_in_any_case(tag: str, emotion: Emotion) -> None:
    assert strict(f"[{tag}] x").beats[0] == Feel(emotion, 1.0)


@pytest.mark.parametrize("text", ["see [1].", "as on [see page 3].", "array[0] is a.", "这是[注]的。", "a [b c] d [ e"])
def test_brackets_that_are_no_tags_stay(text: str) -> None:
    assert strict(text).text == text


def test_an_escaped_tag_is_spoken() -> None:
    assert strict(r"write \[wave] here").beats == (Say("write [wave] here", "en"),)


def test_a_pause_has_a_default_and_a_limit() -> None:
    assert strict("a [pause] b").beats[1] == Pause(0.4)
    with pytest.raises(InvalidField) as caught:
        strict("a [pause:11] b")
    assert caught.value.limit == "0..10"
    with pytest.raises(InvalidField, match="too long") as caught:
        strict("a" + "[pause:10]" * 7)
    assert caught.value.limit == "60 s in total"


def test_an_unknown_tag_is_named_with_what_exists() -> None:
    with pytest.raises(InvalidField, match=r"\[dance\]") as caught:
        strict("[dance] hello")
    assert caught.value.field == "text"
    assert "wave" in str(caught.value.limit) and "happy" in str(caught.value.limit)


@pytest.mark.parametrize("tag", ["[happy:1.5]", "[happy:-1]", "[happy:nan]", "[happy:much]", "[wave:2]"])
def test_a_value_out_of_range_is_an_error(tag: str) -> None:
    with pytest.raises(InvalidField):
        strict(f"{tag} hello")


def test_lenient_reading_drops_and_counts() -> None:
    script = lenient("[laughs] Hi [happy:7] there <b>you</b> [wave:2] [happy:so]")
    assert script.dropped == 3
    assert script.text == "Hi there you"
    assert Feel(Emotion.HAPPY, 1.0) in script.beats and Gesture("wave") in script.beats


def test_lenient_reading_limits_the_pauses() -> None:
    script = lenient("a" + "[pause:10]" * 9)
    assert sum(isinstance(beat, Pause) for beat in script.beats) == 6
    assert script.dropped == 3


def test_a_text_without_a_beat_is_an_error_only_when_strict() -> None:
    for empty in ("", "   ", "...", "😀"):
        with pytest.raises(InvalidField):
            strict(empty)
        assert lenient(empty).beats == ()


def test_the_limit_of_length() -> None:
    strict("a" * MAX_SCRIPT_CHARS)
    with pytest.raises(TooLarge) as caught:
        strict("a" * (MAX_SCRIPT_CHARS + 1))
    assert (caught.value.field, caught.value.limit) == ("text", "5000 characters")


# --- cleaning


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Bold** and *slanted* and `code`.", "Bold and slanted and code."),
        ("这是*重点*。", "这是重点。"),
        ("See [our shop](https://shop.example/a?b=c) now.", "See our shop now."),
        ("Go to https://www.example.com/x/y.html?z=1 now.", "Go to example.com now."),
        ("# Title\n\nText here", "Title. Text here"),
        ("- one\n- two\n- three", "one. two. three"),
        ("- 一个\n- 两个", "一个。两个"),
        ("1. first\n2. second", "1, first. 2, second"),
        ("wrapped\nline", "wrapped line"),
        ("Nice 😊👍🏽 day 👨‍👩‍👧!", "Nice day !"),
        ("a\u200bb\u202ec\x00d\ud800e", "abcde"),
        ("3 * 4 is 12, snake_case stays", "3 * 4 is 12, snake_case stays"),
        ("> quoted\n\n---\n\nafter", "quoted. after"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("！你好", "你好"),
    ],
)
def test_what_is_written_and_what_is_spoken(written: str, spoken: str) -> None:
    assert strict(written).text == spoken


def test_markdown_may_span_a_tag() -> None:
    assert beats("**Hi [wave] you**") == ["Hi", Gesture("wave"), "you"]


@pytest.mark.parametrize(
    ("text", "language"), [("Hello", "en"), ("你好", "zh"), ("我爱 Python", "zh"), ("the sign 出 means exit", "en")]
)
def test_language_is_guessed_per_say(text: str, language: str) -> None:
    assert strict(text).beats == (Say(text, language),)


def test_the_default_language_holds_where_chinese_does_not_dominate() -> None:
    assert guess_language("Bonjour", "fr") == "fr"
    assert guess_language("これは日本語です", "ja") == "ja"


def test_stripped_text_reads_as_spoken() -> None:
    assert strip_tags("[happy] Hello! [dance] **You** there.") == "Hello! You there."
    assert strip_tags("你好！[开心]今天好。") == "你好！今天好。"


# --- SSML


def test_ssml_becomes_beats() -> None:
    text = """<?xml version="1.0"?>
    <speak xml:lang="en-US">Hi <break time="300ms"/><bookmark mark="wave"/>there &amp; then
      <prosody rate="slow" pitch="+12st">low <emphasis level="strong">and</emphasis></prosody>
      <mark name="offer"/><mark name="happy:0.5"/><break strength="weak"/><lang xml:lang="zh-CN">你好</lang>
      <sub alias="World Wide Web">WWW</sub></speak>"""
    assert strict(text).beats == (
        Say("Hi", "en"), Pause(0.3), Gesture("wave"), Say("there & then", "en"),
        Say("low", "en", rate=0.75, pitch=2.0), Say("and", "en", rate=0.75, pitch=2.0, emphasis="strong"),
        Mark("offer"), Feel(Emotion.HAPPY, 0.5), Pause(0.2), Say("你好", "zh"), Say("World Wide Web", "en"),
    )  # fmt: skip


def test_paragraphs_pause_and_inline_tags_work_in_ssml() -> None:
    assert beats("<speak><p>One [nod] two</p><p><s>Three</s><s>four</s></p></speak>") == [
        "One", Gesture("nod"), "two", Pause(0.35), "Three", "four",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("attribute", "rate"),
    [("120%", 1.2), ("+20%", 1.2), ("-25%", 0.75), ("1.5", 1.5), ("x-fast", 1.6), ("900%", 2.0), ("-99%", 0.5)],
)
def test_prosody_rates(attribute: str, rate: float) -> None:
    (say,) = strict(f'<speak><prosody rate="{attribute}">x</prosody></speak>').beats
    assert isinstance(say, Say) and say.rate == pytest.approx(rate)


def test_nested_prosody_multiplies_and_stays_in_range() -> None:
    (say,) = strict('<speak><prosody pitch="high"><prosody pitch="x-high">x</prosody></prosody></speak>').beats
    assert isinstance(say, Say) and say.pitch == pytest.approx(1.15 * 1.35)


@pytest.mark.parametrize("text", ["<speak>", "<speak>a<p></speak>", "<speak>&nope;</speak>", "<?xml", "<speak/>x"])
def test_broken_ssml_is_placed(text: str) -> None:
    with pytest.raises(Malformed, match=r"line \d+, column \d+") as caught:
        strict(text)
    assert caught.value.field == "text"


def test_a_document_type_is_refused() -> None:
    bomb = '<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><speak>&b;</speak>'
    with pytest.raises(Malformed, match="document type"):
        strict(bomb)


@pytest.mark.parametrize(
    "inner",
    [
        "<audio src='x'/>", "<speak>x</speak>", "<break time='5'/>", "<break time='11s'/>", "<break strength='loud'/>",
        "<mark/>", "<prosody rate='quick'>x</prosody>", "<emphasis level='much'>x</emphasis>", "[dance]",
        "<lang xml:lang='!'>x</lang>", "<s>" * 20 + "x" + "</s>" * 20, "<mark name='happy:9'/>",
    ],
)  # fmt: skip
def test_ssml_that_cannot_be_used_is_an_invalid_field(inner: str) -> None:
    with pytest.raises(InvalidField) as caught:
        strict(f"<speak>{inner}</speak>")
    assert caught.value.field == "text" and caught.value.limit


def test_lenient_reading_takes_elements_for_noise() -> None:
    assert lenient("<speak>Hello <b>you</b>").text == "Hello you"


# --- sentences and clauses


@pytest.mark.parametrize(
    "sentences",
    [
        ["Hello.", "How are you?", "Fine!"],
        ["Dr. Smith paid 3.50 dollars, e.g. for tea.", "Then he left."],
        ["Well... maybe.", "Or not."],
        ["It is J. S. Bach etc. and more.", "We meet at 5 p.m.", "See you."],
        ['He said "Stop!" and left.', 'She asked "Why?"', "Nobody knew."],
        ["Version 1.2 is at example.com now.", "Get it."],
        ["Really?!", "Yes."],
        ["Hello! [wave]", "Bye."],
        ["[happy] Hi.", "[wave] You there."],
    ],
)
def test_sentences(sentences: list[str]) -> None:
    expected = [s for s in " ".join(sentences).replace("! [", "!|[").replace(". [", ".|[").split("|")]
    flat = [s for part in expected for s in split_sentences(part)]
    assert split_sentences(" ".join(sentences)) == flat
    assert " ".join(flat) == " ".join(sentences)
    if not any("[" in s for s in sentences):
        assert flat == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["你好！", "今天怎么样？", "很好。"],
        ["他说：“走吧。”", "她走了。"],
        ["真的？！", "是；", "好。"],
        ["Hello.", "你好。"],
    ],
)
def test_chinese_sentences_need_no_spaces(sentences: list[str]) -> None:
    assert split_sentences("".join(sentences)) == sentences


def test_a_long_say_is_cut_at_a_comma() -> None:
    clause = "this goes on and on, " * 15
    script = strict(clause.strip(", ") + ".")
    assert len(script.beats) > 1
    assert all(isinstance(say, Say) and len(say.text) <= MAX_SAY_CHARS for say in script.beats)
    assert all(isinstance(say, Say) and say.text.endswith((",", ".")) for say in script.beats)


@pytest.mark.parametrize("text", ["a" * 450, "word " * 90, "字" * 450, "字，" * 225])
def test_cutting_keeps_every_character(text: str) -> None:
    pieces = split_clauses(text)
    assert all(0 < len(piece) <= MAX_SAY_CHARS for piece in pieces)
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


# --- whatever comes

SOUP = st.lists(
    st.sampled_from(
        [
            "[",
            "]",
            "[happy",
            ":0.5]",
            "[wave]",
            "(",
            ")",
            "*",
            "_",
            "`",
            ".",
            ",",
            " ",
            "\n",
            "。",
            "，",
            "你",
            "a",
            "<",
            ">",
        ]
        + ["<speak>", "</speak>", "<p>", "&", "#", "- ", "1. ", '"', "“", "”", "\\", "http://", "😀", "\ud800", "…"]
    ),
    max_size=60,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(st.one_of(SOUP, st.text(max_size=200)))
def test_reading_raises_request_errors_only(text: str) -> None:
    script = lenient(text)
    assert all(len(beat.text) <= MAX_SAY_CHARS for beat in script.beats if isinstance(beat, Say))
    for beat in script.beats:
        if isinstance(beat, Say):
            beat.text.encode()
    try:
        strict(text)
    except RequestError as error:
        assert error.field == "text"


@pytest.mark.parametrize(
    "unit", ["[", "[a", "<", "*_", "- \n", "a.", "“", "\\[", "[a](", "http://", "1. \n", "。", "字,"]
)
def test_adversarial_repetition_is_read_in_bounded_work(unit: str) -> None:
    lenient((unit * MAX_SCRIPT_CHARS)[:MAX_SCRIPT_CHARS])
