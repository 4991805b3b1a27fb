"""OpenAPI 3.1 fragments of the registry's `/api/v1`, merged into one document by the verify room."""

from __future__ import annotations

from typing import Any, Final

from cert_registry.web.schemas import IssuanceBody, RequirementBody, StateChangeBody

_PROBLEM: Final = {
    "description": "Problem details (RFC 9457).",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_REFERENCES: Final = "#/components/schemas/{model}"


def openapi_paths() -> dict[str, Any]:
    """Paths below `/api/v1`."""
    identifier = _path_parameter("identifier", "GB/T 36904 identifier")
    return {
        "/issuances": {
            "post": _operation("createIssuance", "Issue an ecert", "issue", body="IssuanceBody", created=True)
        },
        "/issuances/{issuance_id}": {
            "parameters": [_path_parameter("issuance_id", "As answered by POST /issuances")],
            "get": _operation("getIssuance", "How far an issuance has come", "issue"),
        },
        "/ecerts/{identifier}/state-changes": {
            "parameters": [identifier],
            "post": _operation(
                "changeState",
                "Suspend, give back, revoke, revoke as a penalty, or cancel",
                "issue",
                body="StateChangeBody",
                created=True,
            ),
        },
        "/requirements/{service_item}/check": {
            "parameters": [_path_parameter("service_item", "Code or slug of the service item")],
            "post": _operation(
                "checkRequirements",
                "Which required documents need not be submitted",
                "requirements",
                body="RequirementBody",
            ),
        },
    }


def openapi_schemas() -> dict[str, Any]:
    """Schemas that the paths refer to, by name."""
    found: dict[str, Any] = {}
    for model in (IssuanceBody, StateChangeBody, RequirementBody):
        schema = model.model_json_schema(ref_template=_REFERENCES)
        found |= schema.pop("$defs", {})
        found[model.__name__] = schema
    return found


def _path_parameter(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string"},
    }


def _operation(
    operation_id: str, summary: str, scope: str, *, body: str | None = None, created: bool = False
) -> dict[str, Any]:
    done = {"description": "Done.", "content": {"application/json": {"schema": {"type": "object"}}}}
    responses: dict[str, Any] = {"200": done}
    if created:
        responses["201"] = done
    codes = ("400", "401", "403", "404", "409", "422", "503")
    operation: dict[str, Any] = {
        "operationId": operation_id,
        "summary": summary,
        "tags": ["registry"],
        "security": [{"keycloak": [scope]}],
        "responses": responses | dict.fromkeys(codes, _PROBLEM),
    }
    if body is not None:
        schema = {"$ref": _REFERENCES.format(model=body)}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation
