"""The files in deploy/: each is read by the program it is for."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from server.loading import load
from tests.server.test_tls import certificate

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SECRETS = {"ANIMA_API_KEYS": "k" * 32, "ANIMA_TURN_SECRET": "s" * 32}


def test_the_settings_load() -> None:
    config = load({}, SECRETS, DEPLOY / "anima.yaml")
    assert config.is_loopback and config.proxy_hops == 1 and len(config.udp_port_range) == 500
    assert len(config.turn_urls) == 3 and config.ice_servers
    assert 0 < config.public_sessions < config.max_sessions and config.sessions_per_min < 60, "a demo for strangers"


def test_the_relays_ports_do_not_meet_the_servers() -> None:
    rows = (DEPLOY / "turnserver.conf").read_text().splitlines()
    found = dict(row.split("=", 1) for row in rows if "=" in row and not row.startswith("#"))
    ours = load({}, SECRETS, DEPLOY / "anima.yaml").udp_port_range
    assert int(found["min-port"]) < int(found["max-port"]) < ours[0]
    assert "use-auth-secret" in rows and "no-multicast-peers" in rows


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
def test_nginx_takes_its_file(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    live = "/etc/letsencrypt/live/host.example"
    text = (DEPLOY / "nginx.conf").read_text()
    for name, file in (("fullchain.pem", cert), ("privkey.pem", key)):
        assert f"{live}/{name}" in text
        text = text.replace(f"{live}/{name}", str(file))
    assert "$args" not in text and "$request_uri\"" not in text, "tokens in queries stay out of the log"
    text = text.replace("/var/log/nginx/", f"{tmp_path}/")
    outer = f"pid {tmp_path}/pid;\nerror_log {tmp_path}/log;\nevents {{}}\nhttp {{\naccess_log off;\n{text}\n}}\n"
    (tmp_path / "nginx.conf").write_text(outer)
    command = ["nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_unit_runs_what_exists() -> None:
    text = (DEPLOY / "anima.service").read_text()
    assert "anima serve --config /etc/anima/anima.yaml" in text
    limit_s = int(text.partition("TimeoutStopSec=")[2].split()[0])
    config = load({}, SECRETS, DEPLOY / "anima.yaml")
    assert limit_s > 2 * config.drain_timeout_s, "systemd waits for the drain"


def test_the_documentation_names_every_file() -> None:
    text = (DEPLOY.parent / "docs" / "deploy.md").read_text()
    for file in DEPLOY.iterdir():
        assert f"deploy/{file.name}" in text, file.name
    assert yaml.safe_load((DEPLOY / "anima.yaml").read_text())["public_url"].startswith("https://")
