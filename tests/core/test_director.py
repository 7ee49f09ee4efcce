"""The director and its comment queue in given time: merging, dropping, ranking, the run-down, interruptions, floods."""

import random
from dataclasses import replace

import pytest

from realtime.core.director import Answer, Director, Greet, Invite, Perform, Remind, Thank
from realtime.core.director_policy import Policy
from realtime.core.director_queue import Comment, CommentQueue, terms_of
from realtime.core.rundown import Line, Shot, timed

RUNDOWN = timed("en", [Shot(name, "opening", (Line(f"This is {name}."),)) for name in ("one", "two", "three")])


def comment(text: str, viewer: str = "", priority: float = 0.0) -> Comment:
    return Comment("comment", text, viewer, priority)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How much is it?", "how much is it"),
        ("How much is the red one?", "HOW MUCH IS THE RED ONE???"),
        ("Does it have bluetooth?", "does it have Bluetooth please"),
        ("How long does the battery last?", "how long does battery last 🔋"),
        ("这个多少钱？", "这个多少钱"),
        ("电池能用多久？", "请问电池能用多久"),
    ],
)
def test_equal_questions_are_one(one: str, other: str) -> None:
    queue = CommentQueue(Policy())
    for filler in ("where is the shop", "what colours are there", "什么时候发货"):
        queue.add(comment(filler), 0.0)
    assert queue.add(comment(one, "ann"), 1.0) == "new"
    assert queue.add(comment(other, "bob"), 2.0) == "merged"
    best = queue.take(2.0)
    assert best is not None and best.count == 2 and best.viewers == ["ann", "bob"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How much is the red one?", "How much is the blue one?"),
        ("Does it have bluetooth?", "Does it have a microphone?"),
        ("电池能用多久？", "电池多重？"),
        ("When do you ship?", "Where do you ship from?"),
    ],
)
def test_different_questions_stay_apart(one: str, other: str) -> None:
    queue = CommentQueue(Policy())
    queue.add(comment(one), 0.0)
    assert queue.add(comment(other), 0.0) == "new"


@pytest.mark.parametrize("text", ["", "   ", "🔥🔥🔥", "!!!", "\u200b"])
def test_what_says_nothing_is_dropped(text: str) -> None:
    assert CommentQueue(Policy()).add(comment(text), 0.0) == "empty"


def test_many_askers_and_questions_come_first_and_old_comments_fall_behind() -> None:
    queue = CommentQueue(Policy())
    queue.add(comment("nice lamp"), 0.0)
    queue.add(comment("what does it weigh?"), 0.0)
    for viewer in "abcdef":
        queue.add(comment("is it waterproof?", viewer), 0.0)
    assert [c.text for c in queue.ranked(0.0)] == ["is it waterproof?", "what does it weigh?", "nice lamp"]
    queue.add(comment("VIP wants red", priority=9.0), 0.0)
    best = queue.take(0.0)
    assert best is not None and best.text == "VIP wants red"
    queue.expire(Policy().max_age_s + 1.0)
    assert len(queue) == 0 and queue.counts["expired"] == 8


def test_an_answered_question_is_not_asked_again_for_a_while() -> None:
    queue = CommentQueue(Policy(repeat_after_s=30.0))
    queue.add(comment("is it waterproof?"), 0.0)
    queue.take(0.0)
    assert queue.add(comment("is it waterproof"), 10.0) == "repeated"
    assert queue.add(comment("is it waterproof"), 31.0) == "new"


def test_a_full_queue_keeps_what_matters_and_one_viewer_cannot_fill_it() -> None:
    queue = CommentQueue(Policy(queue_limit=4, per_viewer=2))
    for word in ("apple?", "pear?", "plum?", "kiwi?", "lime?"):
        queue.add(comment(word, "troll"), 0.0)
    assert len(queue) == 2
    for index, word in enumerate(("grape?", "melon?", "peach?", "mango?")):
        queue.add(comment(word, f"v{index}", priority=1.0), 0.0)
    assert len(queue) == 4
    assert all(c.priority == 1.0 for c in queue.ranked(0.0))


def test_a_flood_of_fifty_a_second_stays_bounded_and_is_answered_without_growing_waits() -> None:
    rng = random.Random(6)
    asked = [f"how {word} is it" for word in "big heavy loud long wide tall fast warm old new safe soft".split()]
    director = Director(Policy(repeat_after_s=4.0))
    waits: list[float] = []
    busy_until_s = 0.0
    for tick in range(60 * 50):
        now_s = tick / 50
        text = rng.choice(asked) if rng.random() < 0.8 else f"random remark {rng.randrange(10_000)} {rng.random()}"
        director.hear(comment(text, f"v{rng.randrange(500)}"), now_s)
        assert len(director.queue) <= director.policy.queue_limit
        decision = director.decide(now_s, speaking=now_s < busy_until_s)
        if isinstance(decision, Answer):
            waits.append(now_s - decision.last_s)
            busy_until_s = now_s + 2.5
    assert len(waits) >= 20
    first, last = waits[: len(waits) // 2], waits[len(waits) // 2 :]
    assert sum(last) / len(last) <= sum(first) / len(first) + 1.0
    counts = director.queue.counts
    assert counts["merged"] > counts["answered"] / 4


def test_the_rundown_goes_on_between_answers() -> None:
    director = Director(Policy(answers_between_shots=1), RUNDOWN)
    assert director.decide(0.0, speaking=False) is None, "not before it was begun"
    director.begun = True
    first = director.decide(0.0, speaking=False)
    assert isinstance(first, Perform) and first.shot.id == "one" and not first.again
    assert director.decide(0.5, speaking=True) is None
    director.shot_said("one", 2.0)
    director.hear(comment("is it waterproof?"), 2.0)
    director.hear(comment("what colours are there?"), 2.0)
    assert isinstance(director.decide(2.0, speaking=False), Answer)
    second = director.decide(4.0, speaking=False)
    assert isinstance(second, Perform) and second.shot.id == "two"
    director.shot_said("two", 6.0)
    assert isinstance(director.decide(6.0, speaking=False), Answer)


def test_a_shot_that_was_cut_off_is_said_once_more_and_no_oftener() -> None:
    director = Director(Policy(), RUNDOWN)
    director.begun = True
    director.decide(0.0, speaking=False)
    director.chatted(3.0)
    again = director.decide(3.0, speaking=False)
    assert isinstance(again, Perform) and again.shot.id == "one" and again.again
    director.chatted(6.0)
    on = director.decide(6.0, speaking=False)
    assert isinstance(on, Perform) and on.shot.id == "two" and not on.again


def test_being_silenced_is_respected_for_a_while() -> None:
    director = Director(Policy(quiet_after_stop_s=8.0), RUNDOWN)
    director.begun = True
    director.decide(0.0, speaking=False)
    director.silenced(1.0)
    assert director.decide(5.0, speaking=False) is None
    assert isinstance(director.decide(9.5, speaking=False), Perform)


def test_orders_and_gifts_are_thanked_together_and_first() -> None:
    director = Director(Policy(), RUNDOWN)
    director.begun = True
    director.hear(comment("how big is it?"), 0.0)
    for viewer in ("ann", "bob"):
        director.hear(Comment("order", "earbuds", viewer), 0.0)
    thanks = director.decide(0.0, speaking=False)
    assert thanks == Thank("order", "earbuds", ("ann", "bob"), 2)


def test_newcomers_are_greeted_together_and_not_too_often() -> None:
    director = Director(Policy(greet_every_s=20.0, greet_names=2))
    for viewer in ("ann", "bob", "cat"):
        director.hear(Comment("join", viewer=viewer), 0.0)
    assert director.decide(0.0, speaking=False) == Greet(("ann", "bob"), 3)
    director.hear(Comment("join", viewer="dan"), 1.0)
    assert director.decide(5.0, speaking=False) is None
    assert director.decide(20.0, speaking=False) == Greet(("dan",), 1)


def test_silence_invites_ever_more_seldom() -> None:
    director = Director(Policy(silence_s=10.0))
    director.begun = True
    times = [t for t in range(200) if isinstance(director.decide(float(t), speaking=False), Invite)]
    assert times[0] == 10 and [b - a for a, b in zip(times, times[1:], strict=False)][:2] == [21, 41]


def test_a_question_to_the_viewers_waits_for_its_answer_and_is_then_answered() -> None:
    quiz = timed("en", [Shot("quiz", "recap", (Line("What is two times three?"),), asks="q1"), RUNDOWN.shots[0]])
    director = Director(Policy(answer_wait_s=20.0), quiz)
    director.begun = True
    director.decide(0.0, speaking=False)
    director.shot_said("quiz", 3.0)
    assert director.asking == "q1" and director.decide(4.0, speaking=False) is None
    director.hear(comment("six"), 5.0)
    assert isinstance(director.decide(5.0, speaking=False), Answer)
    assert director.decide(24.0, speaking=False) is None, "the wait begins anew with each try"
    assert director.decide(25.0, speaking=False) == Remind("q1")
    assert isinstance(director.decide(27.0, speaking=False), Perform)


def test_upcoming_shots_can_be_left_out_or_replaced_but_not_the_running_one() -> None:
    director = Director(Policy(), RUNDOWN)
    director.begun = True
    director.decide(0.0, speaking=False)
    assert not director.skip("one") and director.skip("two") and not director.skip("nine")
    assert director.replace(replace(RUNDOWN.shots[2], lines=(Line("Something else."),)))
    assert [shot.text for shot in director.upcoming()] == ["This is one.", "Something else."]
    shown = director.as_json(1.0)
    assert shown["running"] == "one" and shown["policy"]["queue_limit"] == 64


def test_terms_ignore_case_width_plural_and_stretching() -> None:
    assert terms_of("SOOOO Cute Lamps") == terms_of("ｓｏ cute lamp")
    assert terms_of("x" * 100_000)
