# Two commands matter: `make serve` and `make test`. Everything else is a part of them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: audit test-links interop-deps setup setup-dev setup-photos setup-gpu chromium serve test test-fast lint bench clean

setup: $(VENV)/.base
setup-dev: $(VENV)/.dev

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 13) else f"Anima needs Python 3.11 or 3.12, this is {v[0]}.{v[1]}: make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv $(VENV) || (rm -rf $(VENV); \
	  echo "Python cannot make $(VENV): on Debian and Ubuntu, apt-get install python3-venv (or that of the version chosen, such as python3.11-venv)"; exit 1)

$(VENV)/.base: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing Anima into $(VENV) (about two minutes the first time) ..."
	$(PIP) -e .
	touch $@

$(VENV)/.dev: $(VENV)/.base
	$(PIP) -e '.[dev]'
	touch $@

# What finds the face in a photo, so that the page can make a host of it.
setup-photos: $(VENV)/.base
	$(PIP) -e '.[vision]'

# Both wheels install the module `onnxruntime`: the one for GPUs takes the other's place.
setup-gpu: $(VENV)/.base
	$(PIP) -e '.[diffusion]'
	$(BIN)/pip uninstall --quiet --yes onnxruntime onnxruntime-gpu
	$(PIP) onnxruntime-gpu

chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	  (echo "installing Debian's chromium for the browser tests ..." && \
	   (test "$$(id -u)" = 0 && SUDO= || SUDO=sudo; $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq chromium >/dev/null))

PEERS := $(VENV)/.peers
HAS_PEERS := command -v turnserver >/dev/null && command -v go >/dev/null && command -v npm >/dev/null && test -d /usr/share/gocode/src/github.com/pion/webrtc && \
	 command -v nginx >/dev/null && command -v janus >/dev/null && command -v stunnel4 >/dev/null && command -v srt-live-transmit >/dev/null

interop-deps:
	@$(HAS_PEERS) || \
	  (echo "installing Debian's coturn, Go, Pion, npm, nginx with RTMP, Janus, stunnel and SRT's tools for the tests with foreign peers ..." && \
	   (test "$$(id -u)" = 0 && SUDO= || SUDO=sudo; $$SUDO apt-get update -qq; \
	    for one in coturn golang-go golang-github-pion-webrtc.v3-dev nginx libnginx-mod-rtmp srt-tools janus stunnel4 $$(command -v npm >/dev/null || echo npm); do \
	      $$SUDO apt-get install -y -qq --no-install-recommends $$one >/dev/null || echo "$$one cannot be installed: its tests are skipped"; done))
	@rm -f $(PEERS); $(HAS_PEERS) && npm ping >/dev/null 2>&1 && touch $(PEERS) || echo "not every foreign peer is here, or npm reaches no registry: what needs one is skipped"

serve: setup
	$(BIN)/anima serve

test: setup-dev chromium interop-deps lint
	ANIMA_REQUIRE_PEERS=$$(test -e $(PEERS) && echo 1) $(BIN)/python -m pytest

test-fast: setup-dev
	$(BIN)/python -m pytest -m "not slow and not browser"

# Chromium behind emulated bad links, in real time: needs root and a machine that does nothing else.
test-links: setup-dev chromium interop-deps
	ANIMA_TEST_LINKS=1 $(BIN)/python -m pytest -W default tests/netem

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/mypy

# Known advisories against the pinned versions; needs the network. pip-audit has an environment of its own.
audit:
	@test -x .venv-audit/bin/pip-audit || ($(PYTHON) -m venv .venv-audit && .venv-audit/bin/pip install --quiet --disable-pip-version-check pip-audit)
	timeout 180 .venv-audit/bin/pip-audit --disable-pip --no-deps -r constraints.txt

bench: setup-dev chromium
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) .venv-audit out build
