"""Free descriptions find their motion; what fits none is refused; FAISS and numpy agree; recorded motions are found."""

import numpy as np
import pytest

from models.language.motion.descriptions import DOMAINS, described
from models.language.motion.features import features
from models.language.motion.index import VectorIndex
from models.language.motion.model import motion_model
from models.language.motion.report import report, wordings
from models.language.motion.search import MotionFinder, describing
from realtime.core.clips import BUILT_IN, GESTURES
from realtime.core.described import THRESHOLD
from realtime.core.errors import ConfigError, InvalidField
from realtime.core.primitives import Primitive


@pytest.fixture(scope="module")
def finder() -> MotionFinder:
    return MotionFinder(BUILT_IN, engine="numpy")


@pytest.mark.parametrize(
    ("description", "name"),
    [
        ("greets the audience warmly", "greet"),
        ("把商品举起来给大家看", "show_product"),
        ("points to the left", "point_left"),
        ("向右看一眼", "look_right"),
        ("shakes her head, no", "shake"),
        ("竖起大拇指", "thumbs_up"),
    ],
)
def test_descriptions_find_their_motion(finder: MotionFinder, description: str, name: str) -> None:
    found = finder.nearest(description)
    assert found[0].name == name and found[0].similarity >= THRESHOLD
    assert [one.cosine for one in found] == sorted((one.cosine for one in found), reverse=True)


@pytest.mark.parametrize("description", ["repairs a bicycle", "the train leaves at nine", "下围棋", "", "!!!", "7"])
def test_what_fits_no_motion_stays_below_the_threshold(finder: MotionFinder, description: str) -> None:
    found = finder.nearest(description)
    assert not found or found[0].similarity < THRESHOLD


def test_held_out_descriptions_beat_the_lexical_baseline() -> None:
    figures = report(motion_model(), described("heldout"))
    for language in ("en", "zh"):
        assert figures["model"][f"{language}_at_1"] >= 0.9
        assert figures["model"][f"{language}_at_1"] > figures["bm25"][f"{language}_at_1"]
    assert figures["at_threshold"]["precision"] >= 0.97 and figures["at_threshold"]["coverage"] >= 0.8
    assert figures["at_threshold"]["false_plays"] <= 0.05


def test_descriptions_that_were_trained_on_are_left_out_of_the_figures() -> None:
    seen = [one for one in described("heldout") if one.text.lower() in wordings()]
    figures = report(motion_model(), described("heldout"))
    assert figures["left_out"] == len(seen) and figures["n"] >= 200
    assert report(motion_model(), seen)["n"] == 0


def test_every_primitive_is_described_in_both_languages() -> None:
    for name, least in (("train", 7), ("validation", 2), ("heldout", 2)):
        lines = described(name)
        for primitive in BUILT_IN:
            for language in ("en", "zh"):
                assert sum(one.primitive == primitive and one.language == language for one in lines) >= least
        assert {one.domain for one in lines} <= set(DOMAINS)


def test_the_gate_asks_the_expert_of_the_domain() -> None:
    model = motion_model()
    assert DOMAINS[int(model.domains("the seller waves during the sale").argmax())] == "commerce"
    assert DOMAINS[int(model.domains("the teacher nods in front of the class").argmax())] == "education"
    assert DOMAINS[int(model.domains("角色对玩家挥手").argmax())] == "game"


def test_faiss_and_numpy_find_the_same() -> None:
    pytest.importorskip("faiss")
    fast, plain = MotionFinder(BUILT_IN, engine="faiss"), MotionFinder(BUILT_IN, engine="numpy")
    assert (fast.engine, plain.engine) == ("faiss", "numpy")
    for one in described("validation"):
        ours, theirs = plain.nearest(one.text, 5), fast.nearest(one.text, 5)
        assert [a.name for a in ours] == [a.name for a in theirs]
        assert [a.cosine for a in ours] == pytest.approx([a.cosine for a in theirs], abs=2e-4)


def test_an_index_without_faiss_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert VectorIndex(4).engine == "numpy"
    with pytest.raises(ConfigError, match="search"):
        VectorIndex(4, "faiss")


def test_an_index_refuses_what_does_not_fit() -> None:
    index = VectorIndex(4, "numpy")
    assert index.search(np.ones(4, np.float32), 3) == []
    with pytest.raises(ValueError, match="do not fit"):
        index.add(["a"], np.zeros((2, 4), np.float32))
    with pytest.raises(ValueError, match="no search engine"):
        VectorIndex(4, "annoy")


def test_a_recorded_motion_is_found_by_its_description_and_without_one_by_its_curves() -> None:
    nod = BUILT_IN["nod"]
    silent = Primitive("mine", "gesture", nod.duration_s, nod.tracks, "")
    assert MotionFinder({"mine": silent, "wave": BUILT_IN["wave"]}).nearest("nods the head")[0].name == "mine"
    library = dict(BUILT_IN)
    finder = MotionFinder(library)
    library["salute"] = Primitive("salute", "gesture", 1.0, {"pitch": ((0, 0), (0.5, 3), (1.0, 0))}, "Salutes smartly.")
    assert finder.nearest("salutes smartly")[0].name == "salute"


def test_loops_are_not_found_as_gestures() -> None:
    motions = describing(THRESHOLD, "numpy")
    assert {one.name for one in motions.near("listens attentively to the viewer")} <= set(GESTURES)
    with pytest.raises(InvalidField, match="nearest: .* 0"):
        motions.require("plays the violin", "motion")
    assert motions.require("waves the hand", "motion") == "wave"
    assert (motions.found, motions.refused) == (1, 1)


def test_features_do_not_depend_on_case_width_or_order_of_hashing() -> None:
    one, other = features("Waves HELLO 2"), features("waves hello ２")
    assert one.places.tolist() == other.places.tolist() and one.words == other.words
    assert features("").places.shape == (0,)
