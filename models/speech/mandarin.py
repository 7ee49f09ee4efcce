"""Mandarin as the synthesiser should be given it.

The engine's dictionary reads characters and polyphones well: of the 20 000 most frequent words, weighted by frequency,
99.7 % agree in consonants and vowels with an independent pinyin dictionary. But it spells out in English the syllables
jiong, qiong and xiong, words with an r-coloured ending, and the traditional form of that ending: they are replaced.
"""

from typing import Final

_XIONG_1, _XIONG_2 = "S;j'ong55", "S;j'ong35"
_QIONG_1, _QIONG_2 = "tS;hj'ong55", "tS;hj'ong35"
_JIONG_1, _JIONG_3 = "tS;j'ong55", "tS;j'ong214"
_INLINE: Final = {
    **dict.fromkeys("兄兇凶匈哅恟汹洶胷胸訩詾讻賯", _XIONG_1),
    **dict.fromkeys("熊雄", _XIONG_2),
    **dict.fromkeys("芎", _QIONG_1),
    **dict.fromkeys("儝卭宆惸桏橩焪焭煢茕琼瓊睘瞏穷穹窮竆笻筇藑藭蛩赹跫邛銎", _QIONG_2),
    **dict.fromkeys("冂冋坰埛扃駉駫", _JIONG_1),
    **dict.fromkeys("侰僒冏囧泂澃炯烱煚煛熲颎窘綗褧迥逈", _JIONG_3),
}
"""Phonemes of the engine, given between double brackets."""

_GROW: Final = "ts.'A214N"
_GROWS_BEFORE: Final = frozenset("大高胖")
_HEAD_OF: Final = frozenset("店乡处区连营学兄园台馆察警")
"""Neighbours beside which 长 means to grow or a chief, where the dictionary takes it for long: 孩子长大, 检察长."""

_PLACES: Final = frozenset("这那哪這")
_FULL_BEFORE: Final = frozenset("女婴嬰幼胎孤健宠寵患育少男生小贤弃")
_FULL_AFTER: Final = frozenset("子童女歌科孙孫媳戏戲")
"""Neighbours beside which 儿 is a word of its own: daughter, infant, son, children."""


def spoken(text: str) -> tuple[str, tuple[int, ...]]:
    """The text to send, and for each of its characters the offset of the character it stands for."""
    pieces: list[str] = []
    origins: list[int] = []
    for index, char in enumerate(text):
        piece = _INLINE.get(char, char)
        if char in "儿兒":
            piece = _ending(text, index)
        elif char == "长" and _grows(text, index):
            piece = _GROW
        if len(piece) > 1:
            piece = f"[[{piece}]]"
        pieces.append(piece)
        origins.extend([index] * len(piece))
    return "".join(pieces), tuple(origins)


def _grows(text: str, index: int) -> bool:
    before, after, then = text[index - 1 : index], text[index + 1 : index + 2], text[index + 2 : index + 3]
    return before in _HEAD_OF or (after in _GROWS_BEFORE and then != "衣")


def _ending(text: str, index: int) -> str:
    """儿 where it is a word; the plain form of the word where it only colours the syllable before."""
    before, after = text[index - 1 : index], text[index + 1 : index + 2]
    if before in _PLACES:
        return "里"
    ends_a_word = bool(before) and "\u4e00" <= before <= "\u9fff" and before not in "一二三几幾"
    if ends_a_word and before not in _FULL_BEFORE and (not after or after not in _FULL_AFTER):
        return ""
    return "儿"
