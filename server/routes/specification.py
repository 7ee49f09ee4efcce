"""`/openapi.json`, written from the table of operations, and `/docs`, the same as one page without scripts."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from html import escape
from importlib.metadata import version
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server.routes.bodies import Failure
from server.routes.table import Operation

REASONS: Final = {
    400: "It cannot be parsed.", 401: "No key or token, or a wrong one.", 403: "Not allowed with these credentials.",
    404: "There is no such thing.", 406: "The answer has another content type.",
    409: "It contradicts what is going on.", 412: "If-Match names an ICE session that is over.",
    413: "Over a size limit.", 415: "Wrong content type.", 422: "A field has a value that cannot be used.",
    428: "If-Match is missing.", 429: "Too many; see Retry-After.", 501: "Not offered here.",
    503: "No room now; see Retry-After.",
}  # fmt: skip
REF: Final = "#/components/schemas/{model}"


def specification(operations: Iterable[Operation]) -> dict[str, Any]:
    """The API as OpenAPI 3.1."""
    table = list(operations)
    models: set[type[BaseModel]] = {Failure}
    for operation in table:
        models |= {operation.body} if operation.body else set()
        models |= {answer for answer in operation.answers.values() if not isinstance(answer, str)}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in table:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Anima", "version": version("anima"), "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "The server key."},
                "session": {"type": "http", "scheme": "bearer", "description": "A session's token."},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": operation.id or operation.handler.__name__,
        "tags": [operation.group],
        "responses": {str(status): _answer(answer) for status, answer in operation.answers.items()},
    }
    for status in operation.failures:
        described["responses"][str(status)] = _answer(Failure) | {"description": REASONS[status]}
    if operation.body is not None:
        schema = {"$ref": REF.format(model=operation.body.__name__)}
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if operation.text_body:
        content: dict[str, Any] = {operation.text_body: {"schema": {"type": "string"}}}
        described["requestBody"] = {"required": True, "content": content}
    if operation.auth != "none":
        described["security"] = [{"key": []}] + ([{"session": []}] if operation.auth == "session" else [])
    if names := re.findall(r"{(\w+)}", operation.path):
        schema = {"type": "string"}
        described["parameters"] = [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]
    return described


def _answer(answer: type[BaseModel] | str) -> dict[str, Any]:
    if isinstance(answer, str):
        return {"description": answer}
    schema = {"$ref": REF.format(model=answer.__name__)}
    description = (answer.__doc__ or "").strip()
    return {"description": description, "content": {"application/json": {"schema": schema}}}


STYLE: Final = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:56rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem}summary{cursor:pointer;padding:.4rem 0;overflow-wrap:anywhere}
code,pre{font:14px/1.45 ui-monospace,monospace}
pre{overflow:auto;padding:.75rem;border:1px solid #8886;border-radius:.4rem}
.m{display:inline-block;min-width:4.2rem;font-weight:700}
td,th{text-align:left;vertical-align:top;padding:.2rem 1rem .2rem 0}details{border-top:1px solid #8884}
"""


def docs_page(spec: dict[str, Any]) -> str:
    """The specification as HTML."""
    groups: dict[str, list[str]] = {}
    for path, methods in spec["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append(_section(method.upper(), path, operation, spec))
    body = "".join(f"<h2>{escape(group)}</h2>{''.join(sections)}" for group, sections in groups.items())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Anima API</title><style>{STYLE}</style><h1>Anima API {escape(spec['info']['version'])}</h1>"
        f'<p>Machine-readable: <a href="/openapi.json">/openapi.json</a></p>{body}</html>'
    )


def _section(method: str, path: str, operation: dict[str, Any], spec: dict[str, Any]) -> str:
    auth = " or ".join(name for entry in operation.get("security", []) for name in entry)
    auth_line = f"<p>Authorization: Bearer with the {escape(auth)}.</p>" if auth else ""
    body = ""
    if "requestBody" in operation:
        (kind, content), *_ = operation["requestBody"]["content"].items()
        reference = content["schema"].get("$ref", "")
        schema = spec["components"]["schemas"][reference.rpartition("/")[2]] if reference else content["schema"]
        body = f"<h4>Body: {escape(kind)}</h4><pre>{escape(json.dumps(schema, indent=2))}</pre>"
    rows = "".join(
        f"<tr><td>{status}</td><td>{escape(answer['description'])}</td></tr>"
        for status, answer in sorted(operation["responses"].items())
    )
    title = f'<span class="m">{method}</span><code>{escape(path)}</code> — {escape(operation["summary"])}'
    answers = f"<h4>Answers</h4><table>{rows}</table>"
    return f"<details><summary>{title}</summary>{auth_line}{body}{answers}</details>"


def description_routes(operations: Iterable[Operation]) -> list[web.RouteDef]:
    """Routes for the two descriptions; both are written once."""
    spec = specification(operations)
    page = docs_page(spec)
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"

    async def openapi(request: web.Request) -> web.Response:
        return web.json_response(spec)

    async def docs(request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": policy}
        return web.Response(text=page, content_type="text/html", charset="utf-8", headers=headers)

    return [web.get("/openapi.json", openapi), web.get("/docs", docs)]
