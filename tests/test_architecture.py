"""The shape of the code as rules: who imports whom, how long things are, what the pure core may touch."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("realtime", "models", "server", "client", "bench", "tests")
MODULES = [p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))]
PRODUCT = [p for p in MODULES if p.relative_to(ROOT).parts[0] not in ("bench", "tests")]

MAX_MODULE_LINES = 350
MAX_FUNCTION_LINES = 80

MAY_IMPORT = {
    "realtime.core": ("realtime.core",),
    "realtime": ("realtime",),
    "models": ("models", "realtime.core", "realtime.ports", "realtime.programme"),
    "client": ("client", "realtime.core.wire"),
    "server": ("server", "realtime", "models", "client"),
}
"""The longest matching prefix decides; third-party and standard modules are free except in the core."""

OF_THE_CORE = {
    "__future__", "abc", "ast", "bisect", "collections", "contextlib", "dataclasses", "enum", "fractions", "functools",
    "hashlib", "heapq", "html", "io", "itertools", "json", "math", "numbers", "numpy", "operator", "random", "re",
    "string", "struct", "textwrap", "types", "typing", "unicodedata", "uuid", "xml",
}  # fmt: skip
"""Standard modules without clock, I/O or threads, and numpy. `uuid` and `random` are used with given seeds only."""

SECONDS_WITHOUT_UNIT = re.compile(r"^(timeout|delay|duration|interval|period|deadline|latency|elapsed)$")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}:{node.lineno}: imports are absolute"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def belongs(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", PRODUCT, ids=relative)
def test_imports_point_the_right_way(path: Path) -> None:
    name = module_name(path)
    home = max((p for p in MAY_IMPORT if belongs(name, (p,))), key=len)
    allowed = MAY_IMPORT[home]
    for imported in imports(path):
        if belongs(imported, ("realtime", "models", "server", "client", "bench", "tests")):
            # `from realtime import ports` names the package and then the module: the module is what counts
            package_of_allowed = any(a.startswith(imported + ".") for a in allowed)
            assert belongs(imported, allowed) or package_of_allowed, f"{name} must not import {imported}"


@pytest.mark.parametrize("path", [p for p in PRODUCT if "core" in p.relative_to(ROOT).parts], ids=relative)
def test_the_core_is_pure(path: Path) -> None:
    for imported in imports(path):
        root = imported.split(".")[0]
        assert root in OF_THE_CORE or imported.startswith("realtime"), f"{relative(path)} imports {imported}"
    source = path.read_text("utf-8")
    for forbidden in ("open(", "input(", "print(", "uuid4(", "uuid1("):
        pattern = rf"(?<![\w.]){re.escape(forbidden)}"
        assert not re.search(pattern, source), f"{relative(path)} calls {forbidden})"


def test_only_compose_picks_the_models() -> None:
    for path in PRODUCT:
        if belongs(module_name(path), ("server",)) and path.name not in ("compose.py", "doctor.py", "training.py"):
            for imported in imports(path):
                assert not belongs(imported, ("models",)), f"{relative(path)} imports {imported}"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_and_functions_stay_small(path: Path) -> None:
    lines = path.read_text("utf-8").count("\n")
    assert lines <= MAX_MODULE_LINES, f"{relative(path)} has {lines} lines"
    for node in functions(path):
        assert node.end_lineno is not None
        length = node.end_lineno - node.lineno + 1
        assert length <= MAX_FUNCTION_LINES, f"{relative(path)}:{node.lineno} {node.name} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_modules_say_what_they_are_for(path: Path) -> None:
    assert ast.get_docstring(tree(path)), f"{relative(path)} has no docstring"


@pytest.mark.parametrize("path", PRODUCT, ids=relative)
def test_names_carry_their_units(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    for node in functions(path):
        if "base class's signature" in lines[node.lineno - 1]:
            continue
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for argument in arguments:
            assert not SECONDS_WITHOUT_UNIT.match(argument.arg), (
                f"{relative(path)}:{node.lineno} {node.name}({argument.arg}): say the unit, as in {argument.arg}_s"
            )


def test_the_rules_can_fail() -> None:
    assert not belongs("server.app", MAY_IMPORT["models"])
    assert belongs("realtime.ports", MAY_IMPORT["models"])
    assert not belongs("realtime.levels", MAY_IMPORT["models"])
    assert SECONDS_WITHOUT_UNIT.match("timeout") and not SECONDS_WITHOUT_UNIT.match("timeout_s")
