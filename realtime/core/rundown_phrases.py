"""The words around a product's own words: per language and phase of a live sale, several ways to say it.

`{...}` are filled from the product. Nothing here claims anything about a product: claims, prices and figures are the
seller's, verbatim."""

from collections.abc import Mapping
from typing import Final

Phrases = Mapping[str, tuple[str, ...]]

EN: Final[Phrases] = {
    "opening": (
        "Hello everyone, welcome! Today I have something for you: {title}.",
        "Hi and welcome! Let me show you {title}.",
    ),
    "opening_audience": ("It was made with {audience} in mind.",),
    "problem_intro": ("You may know this. {problem}", "Does this sound familiar? {problem}"),
    "solution_showcase": ("Here is what helps. {name}: {benefit}", "And this is why I like it. {name}: {benefit}"),
    "benefit_highlight": ("What does that mean for you? {benefit}", "And there is more. {name}: {benefit}"),
    "comparison": ("Let's compare. {alternative}", "What else could you take? {alternative}"),
    "comparison_point": ("With {title}, it is different. {name}: {benefit}",),
    "story": ("Let me tell you a little story. {story}",),
    "story_point": ("Then there is this. {name}: {benefit}", "And I like this. {name}: {benefit}",),
    "proof": ("Don't take my word for it. {who} wrote: {text}", "{who} says: {text}"),
    "who": ("One of our customers",),
    "offer": ("Now the price. It is {price}.", "And what does it cost? {price}."),
    "offer_extra": ("{offer}",),
    "close": (
        "So that was {title}. Ask me whatever you like, I read every comment!",
        "That's it from me for now. Do you have questions about {title}? Write to me!",
    ),
    "greet_named": ("Hello {names}, lovely to see you!", "Welcome, {names}!"),
    "greet": ("Welcome to everybody who has just joined!",),
    "thank_order": ("Thank you for your order, {names}!", "An order from {names}, thank you so much!"),
    "thank_order_many": ("Wow, {count} orders! Thank you all!",),
    "thank_gift": ("Oh, a gift from {names}! Thank you!",),
    "thank_gift_many": ("So many gifts! Thank you, {names}!",),
    "somebody": ("one of you",),
    "many_ask": ("Many of you ask about that.", "I see this question a lot."),
    "name_asks": ("{name}, good question.", "{name} would like to know."),
    "again": ("Where was I?", "Back to what I was saying."),
    "invite": ("Do you have a question? Just write to me.", "I'm still here. What would you like to know?"),
    "goodbye": ("Thank you for being here. See you soon!",),
}
ZH: Final[Phrases] = {
    "opening": ("大家好，欢迎来到直播间！今天给大家带来{title}。", "哈喽，欢迎欢迎！今天我们来看看{title}。"),
    "opening_audience": ("它特别适合{audience}。",),
    "problem_intro": ("大家是不是也遇到过这种情况？{problem}", "这个场景你熟不熟悉？{problem}"),
    "solution_showcase": ("我们看看它怎么解决。{name}，{benefit}", "这也是我喜欢它的原因。{name}，{benefit}"),
    "benefit_highlight": ("这对你意味着什么呢？{benefit}", "还有一点。{name}，{benefit}"),
    "comparison": ("我们来对比一下。{alternative}",),
    "comparison_point": ("而{title}不一样。{name}，{benefit}",),
    "story": ("给大家讲个小故事。{story}",),
    "story_point": ("再说说{name}。{benefit}", "我还喜欢这一点，{name}。{benefit}",),
    "proof": ("不只是我这么说，{who}写道：{text}", "{who}是这样评价的：{text}"),
    "who": ("一位顾客",),
    "offer": ("说到价格，{price}。", "大家最关心的价格来了，{price}。"),
    "offer_extra": ("{offer}",),
    "close": (
        "{title}就介绍到这里。有什么想问的，打在评论区，我都会看！",
        "关于{title}，大家还有什么问题吗？尽管问我！",
    ),
    "greet_named": ("欢迎{names}！", "你好呀，{names}，欢迎欢迎！"),
    "greet": ("欢迎刚进来的朋友们！",),
    "thank_order": ("谢谢{names}下单！", "{names}下单了，太感谢了！"),
    "thank_order_many": ("哇，一下子来了{count}单！谢谢大家！",),
    "thank_gift": ("哇，谢谢{names}送的礼物！",),
    "thank_gift_many": ("这么多礼物！谢谢{names}！",),
    "somebody": ("一位朋友",),
    "many_ask": ("好多朋友都在问这个。", "这个问题问的人很多。"),
    "name_asks": ("{name}问得好。", "{name}想知道。"),
    "again": ("刚才说到哪儿了？", "我们接着说。"),
    "invite": ("有什么想问的吗？直接打字告诉我。", "我还在哦，想了解什么都可以问。"),
    "goodbye": ("谢谢大家的陪伴，下次见！",),
}
PHRASES: Final[Mapping[str, Phrases]] = {"en": EN, "zh": ZH}


def phrase(language: str, key: str, turn: int = 0, **values: str) -> str:
    """One way to say it; `turn` picks which, so that the same is not said twice in a row."""
    ways = PHRASES.get(language, EN)[key]
    return ways[turn % len(ways)].format(**values)


def listed(names: tuple[str, ...], language: str) -> str:
    """Names as they are said: "Ann, Bob and Cat"."""
    if not names:
        return phrase(language, "somebody")
    if language == "zh":
        return "、".join(names)
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
