"""How the packages of an optional extra are installed, said the same wherever they are missing.

Anima is installed from its folder: a bare `pip install anima[...]` would fetch somebody else's package of that name."""


def how_to_install(extra: str) -> str:
    """The words for an error's end."""
    return f"install the extra `{extra}`: in Anima's folder, .venv/bin/pip install -c constraints.txt -e '.[{extra}]'"
