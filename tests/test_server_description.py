"""The API's description against the routes and against what they answer."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest
from servers import encoded, running, say, show
from starlette.routing import WebSocketRoute

DESCRIPTION = json.loads((files("live_emotion.server") / "openapi.json").read_text(encoding="utf-8"))

PAGES = {"/", "/about", "/overlay", "/docs", "/openapi.json", "/page/{name}"}
"""What people read."""


@pytest.fixture(scope="module")
def server():
    with running() as started:
        yield started


def fits(value, schema, where="answer"):
    """Whether a value is as a schema of the description says, as far as it uses JSON Schema."""
    if "$ref" in schema:
        schema = DESCRIPTION["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        return any(fits(value, one) for one in schema["anyOf"])
    if "const" in schema or "enum" in schema:
        return value in schema.get("enum", [schema.get("const")])
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    if not isinstance(value, kinds[schema["type"]]):
        return False
    if schema["type"] == "array":
        return all(fits(item, schema["items"]) for item in value) and len(value) >= schema.get("minItems", 0)
    if schema["type"] == "object":
        known, more = schema.get("properties", {}), schema.get("additionalProperties")
        if not set(schema.get("required", ())) <= set(value) or (more is None and not set(value) <= set(known)):
            return False
        return all(fits(part, known.get(name, more)) for name, part in value.items())
    return schema.get("minimum", value) <= value <= schema.get("maximum", value) if schema["type"] == "number" else True


def schema(path, method, status="200"):
    (content,) = DESCRIPTION["paths"][path][method]["responses"][status]["content"].values()
    return content["schema"]


def test_every_route_is_described_and_every_description_has_a_route(server):
    described = {(path, method) for path, item in DESCRIPTION["paths"].items() for method in item}
    there = set()
    for route in server.app._gate._routes.routes:
        methods = {"GET"} if isinstance(route, WebSocketRoute) else route.methods - {"HEAD"}
        there |= {(route.path, method.lower()) for method in methods}
    assert {one for one in there if one[0] not in PAGES} == described


def test_answers_are_as_described(server, portrait):
    photo = encoded(portrait)
    assert fits(server.ask("/v1/status").json, schema("/v1/status", "get"))
    assert fits(server.ask("/v1/analyze", "POST", photo).json, schema("/v1/analyze", "post"))
    assert fits(server.ask("/v1/analyze", "POST", b"x").json, schema("/v1/analyze", "post", "422"))
    with server.live() as live:
        say(live, "start")
        assert fits(show(live, 0, photo), {"$ref": "#/components/schemas/Result"})
    assert not fits({"width": "wide"}, {"$ref": "#/components/schemas/Result"}), "the check does find something"


def test_what_the_description_names_is_there():
    text = json.dumps(DESCRIPTION)
    named = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert named <= set(DESCRIPTION["components"]["schemas"])
    for path, item in DESCRIPTION["paths"].items():
        for operation in item.values():
            inside = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert inside == set(re.findall(r"\{(\w+)\}", path))
            assert operation["summary"].endswith(".")


def test_the_page_of_the_description_needs_nothing_from_elsewhere(server):
    page = server.ask("/docs", token=None)
    text = page.body.decode()
    assert page.status == 200 and page.headers["content-type"].startswith("text/html")
    for path, item in DESCRIPTION["paths"].items():
        assert all(f"<code>{method.upper()} {path}</code>" in text for method in item)
    links = set(re.findall(r'(?:src|href)="([^"]*)"', text))
    assert links >= {"/page/docs.css", "/openapi.json"}
    assert all(server.ask(link, token=None).status == 200 for link in links)
    assert server.ask("/openapi.json", token=None).json == DESCRIPTION
