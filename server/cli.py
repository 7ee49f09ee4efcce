"""The `anima` command. Whatever is heavy is imported by the command that needs it."""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from realtime.core.errors import AnimaError, ConfigError
from server.config import PREFIX, Config
from server.loading import describe, docstrings, flag, load
from server.painting.cli import add_styles
from server.primitives_cli import add_primitives
from server.replay_cli import add_replay
from server.scenes_cli import add_scenes
from server.settings import setting_fields
from server.tools_cli import add_tools
from server.training import add_train
from server.verify_cli import add_verify


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 failed, 2 wrong settings or arguments."""
    started_s = time.monotonic()
    arguments = parser().parse_args(argv)
    arguments.started_s = started_s
    arguments.argv = sys.argv[1:] if argv is None else argv
    try:
        status: int = arguments.run(arguments)
    except ConfigError as error:
        print(f"anima: {error}", file=sys.stderr)
        return 2
    except AnimaError as error:
        print(f"anima: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def parser() -> argparse.ArgumentParser:
    """All commands and flags."""
    top = argparse.ArgumentParser(prog="anima", description="Real-time streaming avatars over WebRTC.")
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and leave")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    serve_command = commands.add_parser("serve", help="run the server")
    serve_command.add_argument("--print-config", action="store_true", help="show the settings and their sources")
    serve_command.add_argument("--json", action="store_true", help="with --print-config: as JSON")
    serve_command.usage = "anima serve [--print-config [--json]] [--config FILE] [--SETTING VALUE ...]"
    _add_settings(serve_command)
    serve_command.set_defaults(run=serve)

    doctor_command = commands.add_parser("doctor", help="check this machine")
    doctor_command.add_argument("--json", action="store_true", help="as JSON")
    doctor_command.add_argument("--connect", action="store_true", help="try each path to viewers, too")
    doctor_command.usage = "anima doctor [--connect] [--json] [--config FILE] [--SETTING VALUE ...]"
    _add_settings(doctor_command)
    doctor_command.set_defaults(run=doctor)

    avatar = commands.add_parser("avatar", help="avatars and their packs").add_subparsers(required=True, metavar="WHAT")
    avatar_list_command = avatar.add_parser("list", help="show the avatars")
    avatar_list_command.add_argument("--json", action="store_true", help="as JSON")
    avatar_list_command.usage = "anima avatar list [--json] [--config FILE] [--SETTING VALUE ...]"
    _add_settings(avatar_list_command)
    avatar_list_command.set_defaults(run=avatar_list)
    bake_command = avatar.add_parser("bake", help="make the packs of avatars")
    bake_command.add_argument(
        "names", nargs="*", metavar="NAME", help="which; all if none is named; or the photo that becomes a portrait"
    )
    bake_command.add_argument("--name", metavar="NAME", help="of the portrait: small letters, digits, hyphens")
    bake_command.add_argument("--consent", metavar="TEXT", default="", help="who agreed to be animated, and to what")
    bake_command.add_argument("--title", metavar="TEXT", default="", help="of the portrait, for people")
    bake_command.add_argument("--licence", metavar="TEXT", default="", help="under which the portrait may be used")
    bake_command.usage = (
        "anima avatar bake [NAME|FILE.yaml ...] [--config FILE] [--SETTING VALUE ...]\n"
        "       anima avatar bake PHOTO --name NAME --consent TEXT [--title TEXT] [--licence TEXT] [--SETTING VALUE]"
    )
    _add_settings(bake_command)
    bake_command.set_defaults(run=avatar_bake)
    inspect_command = avatar.add_parser("inspect", help="show what a pack says of itself, and check it")
    inspect_command.add_argument("name", metavar="NAME")
    inspect_command.usage = "anima avatar inspect NAME [--config FILE] [--SETTING VALUE ...]"
    _add_settings(inspect_command)
    inspect_command.set_defaults(run=avatar_inspect)
    preview_command = avatar.add_parser("preview", help="film an avatar speaking, and make contact sheets")
    preview_command.add_argument("name", metavar="NAME")
    preview_command.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where to (default: here)")
    preview_command.usage = "anima avatar preview NAME [--out DIR] [--config FILE] [--SETTING VALUE ...]"
    _add_settings(preview_command)
    preview_command.set_defaults(run=avatar_preview)

    add_primitives(commands, _add_settings, _config_of)

    add_replay(commands, _add_settings, _config_of)
    add_styles(commands, _add_settings, _config_of)
    add_scenes(commands)
    add_tools(commands)
    add_train(commands)
    add_verify(commands, _add_settings, _config_of)
    _add_say(commands.add_parser("say", help="let a running server's session speak"))
    return top


def _add_settings(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("settings", f"each may stand in the file or as {PREFIX}NAME, too")
    group.add_argument("--config", type=Path, metavar="FILE", help=f"YAML file with settings; also {PREFIX}CONFIG")
    texts = docstrings()
    for item in setting_fields(Config):
        # a secret on the command line could be read by every user of the machine
        if not item.metadata["secret"]:
            group.add_argument(flag(item.name), dest=f"set_{item.name}", metavar="VALUE", help=texts[item.name])


def _add_say(command: argparse.ArgumentParser) -> None:
    command.add_argument("text", metavar="TEXT", help="what to say; tags such as [happy] and [wave] are understood")
    command.add_argument("--url", default="http://127.0.0.1:8080", help="the server (default: %(default)s)")
    command.add_argument("--session", required=True, metavar="ID", help="the session that speaks")
    command.add_argument("--emotion", help="one of the seven emotions")
    command.add_argument("--interrupt", action="store_true", help="drop what is being said first")
    command.epilog = f"The server key or the session's token is read from {PREFIX}TOKEN."
    command.set_defaults(run=say)


class _Version(argparse.Action):
    """Looks the version up only when asked: reading package metadata takes a while."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"anima {version('anima')}")
        parser.exit()


def _config_of(arguments: argparse.Namespace) -> Config:
    given = {name.removeprefix("set_"): value for name, value in vars(arguments).items() if name.startswith("set_")}
    return load({name: value for name, value in given.items() if value is not None}, file=arguments.config)


def serve(arguments: argparse.Namespace) -> int:
    """Run the server until a signal comes."""
    config = _config_of(arguments)
    if arguments.print_config:
        print(_settings_text(config, arguments.json))
        return 0
    # The matrices of a frame are small: BLAS threads would cost more to wake than they save. Set before numpy loads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if config.workers > 1:
        from server.compose import prepare
        from server.gateway.serving import run as run_workers

        run_workers(config, prepare, arguments.started_s, arguments.argv)
        return 0
    from server.compose import build
    from server.serving import run

    run(config, build, arguments.started_s)
    return 0


def _settings_text(config: Config, as_json: bool) -> str:
    rows = describe(config)
    if as_json:
        return json.dumps({name: {"value": value, "source": source} for name, value, source in rows}, indent=2)
    name_width = max(len(name) for name, _, _ in rows)
    shown = [(name, json.dumps(value, ensure_ascii=False), source) for name, value, source in rows]
    value_width = min(40, max(len(value) for _, value, _ in shown))
    return "\n".join(f"{name:<{name_width}}  {value:<{value_width}}  # {source}" for name, value, source in shown)


def doctor(arguments: argparse.Namespace) -> int:
    """Check this machine; fails when something that is needed is missing."""
    from server.doctor import examine, report

    config = _config_of(arguments)
    checks = examine(config)
    if arguments.connect:
        from server.connectivity import examine_paths

        checks += asyncio.run(examine_paths(config))
    print(json.dumps([asdict(check) for check in checks], indent=2) if arguments.json else report(checks))
    return int(any(check.result == "failure" for check in checks))


def avatar_list(arguments: argparse.Namespace) -> int:
    """Show the avatars."""
    from server.compose import avatars

    config = _config_of(arguments)
    found = [asdict(info) for info in avatars(config)]
    _print_listing(found, arguments.json, ("name", "title", "kind", "description"))
    return 0


def avatar_bake(arguments: argparse.Namespace) -> int:
    """Make avatar packs, and say where they lie."""
    from server import log
    from server.compose import bake, bake_portrait
    from server.serving import ProgressBar

    config = _config_of(arguments)
    log.configure(config.log_level, config.log_format)
    name, consent, title = arguments.name, arguments.consent, arguments.title
    if name and len(arguments.names) != 1:
        raise ConfigError("a portrait is made of one photo: anima avatar bake PHOTO --name NAME --consent TEXT")
    with ProgressBar() as progress:
        if name:
            paths = [bake_portrait(config, Path(arguments.names[0]), name, consent, title, progress, arguments.licence)]
        elif photos := [one for one in arguments.names if Path(one).is_file() and not one.endswith(".yaml")]:
            raise ConfigError(f"{photos[0]} is a file: a portrait needs --name and --consent")
        else:
            paths = bake(config, arguments.names, progress)
    print("\n".join(str(path) for path in paths))
    return 0


def avatar_inspect(arguments: argparse.Namespace) -> int:
    """Show what a pack says of itself."""
    from server.compose import inspect

    print(json.dumps(inspect(_config_of(arguments), arguments.name), indent=2, ensure_ascii=False))
    return 0


def avatar_preview(arguments: argparse.Namespace) -> int:
    """Film an avatar speaking."""
    from server.compose import preview
    from server.serving import ProgressBar

    with ProgressBar() as progress:
        paths = preview(_config_of(arguments), arguments.name, arguments.out, progress)
    print("\n".join(str(path) for path in paths))
    return 0


def say(arguments: argparse.Namespace) -> int:
    """Let a session of a running server speak."""
    from client.sdk import AnimaClient, ApiError

    async def speak() -> None:
        async with AnimaClient(arguments.url, os.environ.get(f"{PREFIX}TOKEN")) as client:
            session = client.session(arguments.session)
            await session.say(arguments.text, emotion=arguments.emotion, interrupt=arguments.interrupt)

    try:
        asyncio.run(speak())
    except ApiError as error:
        print(f"anima: {error}", file=sys.stderr)
        return 1
    return 0


def _print_listing(rows: Sequence[dict[str, object]], as_json: bool, columns: Sequence[str]) -> None:
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    widths = {name: max(len(str(row[name])) for row in rows) for name in columns}
    for row in rows:
        print("  ".join(f"{row[name]!s:<{widths[name]}}" for name in columns).rstrip())


if __name__ == "__main__":
    sys.exit(main())
