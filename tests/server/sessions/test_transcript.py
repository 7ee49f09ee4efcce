"""Events folded into turns: what a viewer that comes back is shown."""

from realtime.core import events
from server.sessions.transcript import CHARS_MAX, TURNS_MAX, Transcript


def spoken(transcript: Transcript, *sentences: str) -> None:
    for text in sentences:
        transcript.note(events.SentenceStarted(text, 1.0, 0))


def texts(transcript: Transcript) -> list[tuple[str, str]]:
    return [(turn["who"], turn["text"]) for turn in transcript.as_json()]


def test_a_question_and_its_answer_are_two_turns() -> None:
    transcript = Transcript()
    transcript.note(events.UserSaid("What do", final=False))
    transcript.note(events.UserSaid("What do you sell?"))
    transcript.note(events.AnswerText("Teapots. And cups.", "shop.md"))
    spoken(transcript, "Teapots.", "And cups.")
    assert transcript.as_json()[1]["open"]
    transcript.note(events.SpeakingStopped(2.0, 0))
    assert transcript.as_json() == [
        {"who": "user", "text": "What do you sell?", "open": False, "stopped": False, "source": None},
        {"who": "host", "text": "Teapots. And cups.", "open": False, "stopped": False, "source": "shop.md"},
    ]


def test_an_interruption_ends_the_turn() -> None:
    transcript = Transcript()
    spoken(transcript, "你好。", "今天")
    transcript.note(events.Interrupted(1, 2.0))
    spoken(transcript, "Yes?")
    assert texts(transcript) == [("host", "你好。今天"), ("host", "Yes?")]
    assert [turn["stopped"] for turn in transcript.as_json()] == [True, False]


def test_only_the_newest_is_kept() -> None:
    transcript = Transcript()
    for index in range(TURNS_MAX + 5):
        transcript.note(events.UserSaid(str(index)))
    assert [text for _, text in texts(transcript)] == [str(index) for index in range(5, TURNS_MAX + 5)]
    transcript.note(events.UserSaid("x" * (CHARS_MAX - 3)))
    assert len(texts(transcript)) == 2, "what fits into one message"


def test_a_turn_without_end_stops_growing() -> None:
    transcript = Transcript()
    spoken(transcript, *["And on it goes."] * (CHARS_MAX // 8))
    assert len(transcript.as_json()[0]["text"]) < CHARS_MAX + 20 if transcript.as_json() else True
