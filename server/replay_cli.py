"""`anima replay`: the frames of a recorded session, made once more and compared with what was shown."""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from server.config import Config

LACKS: Final = {
    "instant": "what is painted changed while these frames were drawn",
    "mouth net": "sound is not in the log, so these frames have the mouths that were drawn before the net's",
}
"""Why frames could not be compared, besides for want of the denoiser or the painter, who have reasons of their own."""
ConfigOf = Callable[[argparse.Namespace], Config]


def add_replay(commands: Any, add_settings: Callable[[argparse.ArgumentParser], None], config_of: ConfigOf) -> None:
    """Add the command to the parser's."""
    made: argparse.ArgumentParser = commands.add_parser("replay", help="make a recorded session's frames once more")
    made.usage = "anima replay LOG [--out DIR] [--mp4 FILE] [--config FILE] [--SETTING VALUE ...]"
    made.add_argument("log", metavar="LOG", type=Path, help="a file of event_log_dir")
    made.add_argument("--out", type=Path, metavar="DIR", help="write each frame as a PNG into this folder")
    made.add_argument("--mp4", type=Path, metavar="FILE", help="write the frames, without sound, as a film")
    add_settings(made)
    made.set_defaults(run=lambda arguments: replay(arguments, config_of(arguments)))


def replay(arguments: argparse.Namespace, config: Config) -> int:
    """Make the frames, tell how many are those that were shown; fails if one is not."""
    from realtime.core.backdrop import DEFAULT, parse
    from realtime.core.errors import Malformed
    from realtime.replay import Player, Replayed
    from realtime.stock import Stock
    from server.compose import collection, motions
    from server.denoising.compose import compute_of
    from server.event_log import read_log
    from server.replaying.compose import Reopening, repainting
    from server.replaying.packs import same_pack
    from server.serving import ProgressBar

    header, records = read_log(arguments.log)
    motions(config).learn()
    found = collection(config)
    name, background = str(header.get("avatar")), str(header.get("background", DEFAULT))
    try:
        wish = parse(background)
    except ValueError as error:
        raise Malformed(f"{arguments.log}: {error}", field="background") from error
    with ProgressBar() as progress, ExitStack() as stack:
        stack.callback(found.close)
        if background == DEFAULT:
            avatar = found.open(name, lambda done, total: progress(f"drawing {name}", done, total))
        else:
            avatar = found.open_aside(name, wish)
        same_pack(header, name, found.pack)
        reopening = Reopening(config.denoiser, compute_of(config))
        stack.callback(reopening.close)
        cached, painting = header.get("partial_update") is not False, repainting(arguments.log, found, name)
        player = Player(header["seed"], Stock(avatar), reopening.open, painting, cached=cached)
        frames: Iterable[Replayed] = player.frames(records)
        if arguments.out is not None:
            frames = _as_pictures(frames, arguments.out)
        if arguments.mp4 is not None:
            frames = _as_film(frames, arguments.mp4, int(header.get("fps", 25)))
        counts = {True: 0, False: 0, None: 0}
        lacks: Counter[str] = Counter()
        first: int | None = None
        for frame in frames:
            counts[frame.same] += 1
            if frame.lacks:
                lacks[frame.lacks] += 1
            if frame.same is False and first is None:
                first = frame.index
    why = LACKS | {"painter": player.unpainted, "denoiser": player.lacking}
    told = {"frames": sum(counts.values()), "same": counts[True], "different": counts[False],
            "refined": counts[None], "first_different": first,
            "not_compared": {what: {"frames": lacks[what], "why": why[what]}
                             for what in sorted(lacks)}}  # fmt: skip
    print(json.dumps(told))
    return int(bool(counts[False]))


def _as_pictures(frames: "Iterable[Any]", folder: Path) -> "Iterator[Any]":
    import cv2

    folder.mkdir(parents=True, exist_ok=True)
    for frame in frames:
        picture = cv2.cvtColor(frame.pixels, cv2.COLOR_YUV2BGR_I420)
        cv2.imwrite(str(folder / f"{frame.index:06d}.png"), picture)
        yield frame


def _as_film(frames: "Iterable[Any]", path: Path, fps: int) -> "Iterator[Any]":
    import av

    with av.open(str(path), "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=fps, options={"preset": "veryfast", "crf": "18"})
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            height, width = frame.pixels.shape[0] * 2 // 3, frame.pixels.shape[1]
            if not stream.codec_context.is_open:
                stream.width, stream.height = width, height
            picture = av.VideoFrame.from_ndarray(frame.pixels, format="yuv420p")
            picture.pts = frame.index
            film.mux(stream.encode(picture))
            yield frame
        film.mux(stream.encode(None))
