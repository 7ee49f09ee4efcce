"""Settings: precedence, sources, ranges, secrets, and that every one is documented."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest

from realtime.core.errors import ConfigError
from server.config import Config
from server.loading import describe, docstrings, flag, load, markdown_table, unknown_variables, variable
from server.settings import IceServer, masked, setting_fields

KEY = "a-key-of-enough-length"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"


def test_flags_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    file = tmp_path / "anima.yaml"
    file.write_text("port: 1000\nfps: 10\nmax_sessions: 3\n", "utf-8")
    config = load({"port": "3000"}, {"ANIMA_PORT": "2000", "ANIMA_FPS": "15"}, file)
    assert (config.port, config.fps, config.max_sessions, config.max_viewers) == (3000, 15, 3, 250)
    assert config.source("port") == "flag --port"
    assert config.source("fps") == "environment ANIMA_FPS"
    assert config.source("max_sessions") == f"file {file}"
    assert config.source("max_viewers") == "default"


def test_the_file_may_be_named_by_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "anima.yaml"
    file.write_text("label_is_no_setting: 1\n", "utf-8")
    with pytest.raises(ConfigError, match="label_is_no_setting"):
        load({}, {"ANIMA_CONFIG": str(file)})
    file.write_text("", "utf-8")
    assert load({}, {"ANIMA_CONFIG": str(file)}) == Config()


@pytest.mark.parametrize(
    ("environ", "parts"),
    [
        ({"ANIMA_PORT": "70000"}, ["port = 70000", "environment ANIMA_PORT", "0 to 65535"]),
        ({"ANIMA_PORT": "many"}, ["port = 'many'", "ANIMA_PORT", "whole number"]),
        ({"ANIMA_PORT": "80.5"}, ["port", "whole number"]),
        ({"ANIMA_CPU_SHARE": "nan"}, ["cpu_share", "0.01 to 1.0"]),
        ({"ANIMA_CPU_SHARE": "inf"}, ["cpu_share", "0.01 to 1.0"]),
        ({"ANIMA_PAGE": "maybe"}, ["page", "true or false"]),
        ({"ANIMA_LOG_LEVEL": "loud"}, ["log_level", "'debug' or 'info'"]),
        ({"ANIMA_ICE_SERVERS": "http://x"}, ["ice_servers", "stun:"]),
        ({"ANIMA_VIDEO_CODECS": "AV1,H265"}, ["video_codecs", "ANIMA_VIDEO_CODECS", "'H265'", "H264, VP8, VP9, AV1"]),
        ({"ANIMA_NVENC": "on"}, ["nvenc", "'auto' or 'off'"]),
        ({"ANIMA_LLM_BASE_URL": "ftp://x", "ANIMA_LLM_MODEL": "m"}, ["llm_base_url", "http"]),
        ({"ANIMA_LLM_BASE_URL": "http://x"}, ["llm_model", "needs a model"]),
        ({"ANIMA_LLM_API_KEY_ENV": "NOT_THERE"}, ["llm_api_key_env = 'NOT_THERE'", "no such environment variable"]),
        ({"ANIMA_HOST": "0.0.0.0"}, ["host = '0.0.0.0'", "api_keys is empty"]),
        ({"ANIMA_HOST": "example.org"}, ["host", "api_keys is empty"]),
    ],
)
def test_wrong_values_are_named_with_source_and_range(environ: dict[str, str], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, environ)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot: 80", "did you mean 'port'"),
        ("- port", "name: value"),
        ("port: [80]", "expected a number"),
        ("port: true", "expected a number"),
        ("host: 5", "expected text"),
        ("port: {", "no valid YAML"),
        ("api_keys: hunter2-hunter2-hunter2: x", "no valid YAML"),
    ],
)
def test_a_wrong_file_is_explained(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "anima.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=re.escape(said)) as caught:
        load({}, {}, file)
    assert "hunter2" not in str(caught.value)


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load({}, {}, tmp_path / "none.yaml")


def test_an_unknown_flag_is_refused() -> None:
    with pytest.raises(ConfigError, match="sets|no setting"):
        load({"nothing": "1"}, {})


def test_secrets_stay_covered() -> None:
    ice = '[{"urls": ["turn:a"], "username": "u", "credential": "hush-hush"}]'
    environ = {"ANIMA_API_KEYS": KEY, "ANIMA_ICE_SERVERS": ice, "ANIMA_LLM_API_KEY": "sk-1234"}
    config = load({}, environ)
    shown = repr(config) + repr(describe(config))
    for secret in (KEY, "hush-hush", "sk-1234"):
        assert secret not in shown
    assert config.api_keys == (KEY,) and config.ice_servers[0].credential == "hush-hush"
    with pytest.raises(ConfigError) as caught:
        load({}, {"ANIMA_API_KEYS": "tooshort"})
    assert "tooshort" not in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        load({}, {"ANIMA_API_KEYS": "[hunter2-hunter2"})
    assert "hunter2" not in str(caught.value)


def test_lists_come_as_commas_json_or_yaml(tmp_path: Path) -> None:
    assert load({}, {"ANIMA_ALLOWED_ORIGINS": "https://a, https://b"}).allowed_origins == ("https://a", "https://b")
    assert load({}, {"ANIMA_ALLOWED_ORIGINS": '["https://a"]'}).allowed_origins == ("https://a",)
    file = tmp_path / "c.yaml"
    file.write_text("ice_servers:\n  - stun:x\n  - {urls: [turn:y], username: u, credential: c}\n", "utf-8")
    assert load({}, {}, file).ice_servers == (IceServer(("stun:x",)), IceServer(("turn:y",), "u", "c"))


def test_the_llms_key_may_be_borrowed() -> None:
    environ = {"ANIMA_LLM_API_KEY_ENV": "DASHSCOPE_API_KEY", "DASHSCOPE_API_KEY": "sk-77"}
    config = load({}, environ)
    assert config.llm_api_key == "sk-77" and config.source("llm_api_key") == "environment DASHSCOPE_API_KEY"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_no_key(host: str) -> None:
    assert Config(host=host).is_loopback


def test_other_hosts_are_fine_with_a_key() -> None:
    assert not Config(host="0.0.0.0", api_keys=(KEY,)).is_loopback


def test_mistyped_variables_are_found() -> None:
    assert unknown_variables({"ANIMA_PROT": "1", "ANIMA_PORT": "1", "ANIMA_CONFIG": "x", "HOME": "/"}) == ["ANIMA_PROT"]


def test_every_setting_has_a_docstring_and_stands_in_the_documentation() -> None:
    texts, page = docstrings(), DOCS.read_text("utf-8")
    for item in setting_fields(Config):
        assert texts.get(item.name), f"{item.name} has no docstring"
    assert markdown_table() in page, "run `python -m server.loading` and put its table into docs/configuration.md"


def test_every_setting_is_read_somewhere() -> None:
    read: set[str] = set()
    for module in (DOCS.parents[1] / "server").rglob("*.py"):
        tree = ast.parse(module.read_text("utf-8"))
        owned = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        read |= {node.attr for node in owned if ast.unparse(node.value).rpartition(".")[2] in ("config", "_config")}
    # `llm_api_key_env` is read while the settings are loaded, by name; the others through properties
    through_properties = {"udp_ports", "packs_dir", "primitives_dir", "provenance_log", "recordings_dir"}
    assert {item.name for item in setting_fields(Config)} - read <= {"llm_api_key_env", *through_properties}


def test_all_fields_but_the_sources_are_settings() -> None:
    assert {f.name for f in fields(Config)} - {f.name for f in setting_fields(Config)} == {"sources"}


def test_names_of_variables_and_flags() -> None:
    assert variable("max_sessions") == "ANIMA_MAX_SESSIONS" and flag("max_sessions") == "--max-sessions"


def test_masking_shows_whether_a_secret_is_set() -> None:
    assert masked("", True) == "" and masked("x", True) == "********" and masked(("a", "b"), True) == ["********"] * 2


def test_packs_lie_in_the_users_cache_unless_told(tmp_path: Path) -> None:
    assert Config(packs_dir=tmp_path).packs_path == tmp_path
    assert Config().packs_path.parts[-2:] == ("anima", "avatars")
