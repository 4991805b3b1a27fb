"""OpenAPI 3.1 of the whole API, at `/api/v1/openapi.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from verify_api.types import FieldResult, Outcome
from verify_api.web.schemas import QuestionBody

_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_PROBLEM = {
    "description": "Problem details (RFC 9457).",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def _question_body() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Question"}
    attached = {
        "type": "object",
        "required": ["document", "request"],
        "properties": {
            "document": {"type": "string", "contentMediaType": "application/pdf"},
            "request": {"type": "string", "contentMediaType": "application/json"},
        },
    }
    return {
        "required": True,
        "content": {"application/json": {"schema": schema}, "multipart/form-data": {"schema": attached}},
    }


def _operation(operation_id: str, summary: str, description: str, scope: str) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "tags": ["verify"],
        "security": [{"keycloak": [scope]}],
        "requestBody": _question_body(),
        "responses": {
            "200": {
                "description": "The answer. A forged or revoked certificate is an answer, not an error.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}},
            },
            **dict.fromkeys(("400", "401", "403", "413", "429", "503"), _PROBLEM),
        },
    }


def _schemas() -> dict[str, Any]:
    return {
        "Question": QuestionBody.model_json_schema(ref_template="#/components/schemas/{model}"),
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status"],
            "properties": {
                "type": {"type": "string", "format": "uri-reference"},
                "title": _TEXT,
                "status": {"type": "integer"},
                "detail": _TEXT,
                "code": _TEXT,
            },
        },
        "Answer": {
            "type": "object",
            "required": [
                "answer_id",
                "outcome",
                "sentence",
                "asked_at",
                "seal",
                "registry",
                "comparison",
                "log",
                "receipt",
            ],
            "properties": {
                "answer_id": {"type": "string", "format": "uuid"},
                "outcome": {"enum": [one.value for one in Outcome]},
                "sentence": {"type": "string", "description": "One sentence that can be read aloud."},
                "asked_at": {"type": "string", "format": "date-time"},
                "seal": {"$ref": "#/components/schemas/Seal"},
                "registry": {"$ref": "#/components/schemas/Registry"},
                "comparison": {"type": "array", "items": {"$ref": "#/components/schemas/ComparedField"}},
                "log": {"anyOf": [{"$ref": "#/components/schemas/LogProof"}, {"type": "null"}]},
                "receipt": {"type": "string", "description": "JWS, compact, ES256, chain in x5c."},
            },
        },
        "Seal": {
            "type": "object",
            "properties": {
                "verdict": {
                    "enum": [
                        "TOTAL-PASSED",
                        "TOTAL-FAILED",
                        "INDETERMINATE",
                        "NO-SIGNATURE",
                        "NOT-A-PDF",
                        "NOT-CHECKED",
                    ]
                },
                "basis": {"enum": ["document", "digest", "none"]},
                "reason": _TEXT,
                "signatures": {"type": "array", "items": {"type": "object"}},
            },
        },
        "Registry": {
            "type": "object",
            "required": ["found", "at", "sentence"],
            "properties": {
                "found": {"type": "boolean"},
                "at": {"type": "string", "format": "date"},
                "state": {"enum": [one.value for one in Outcome]},
                **dict.fromkeys(
                    (
                        "sentence",
                        "identifier",
                        "type_code",
                        "type",
                        "type_name",
                        "issuer_code",
                        "issuer_name",
                    ),
                    _TEXT,
                ),
                **dict.fromkeys(("issued_on", "expires_on", "origin", "state_name"), _TEXT),
                **dict.fromkeys(
                    ("reason", "legal_basis", "since", "recorded_at", "replaced_by"), _TEXT_OR_NULL
                ),
            },
        },
        "ComparedField": {
            "type": "object",
            "properties": {
                "field": _TEXT,
                "title": _TEXT,
                "result": {"enum": [one.value for one in FieldResult]},
                "salt": {"type": "string", "description": "base64url; opens the commitment in the receipt."},
                "commitment": {
                    "type": "string",
                    "description": "SHA-256(salt ‖ field ‖ 0x00 ‖ value), base64url.",
                },
            },
        },
        "LogProof": {
            "type": "object",
            "properties": {
                "leaf": _TEXT,
                "index": {"type": "integer"},
                "proof": {"type": "array", "items": _TEXT},
                "checkpoint": {"type": "string", "description": "C2SP signed note."},
            },
        },
    }


def build_document(
    *, public_url: str, token_url: str, other_paths: Mapping[str, Any], other_schemas: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document.

    Args:
        public_url: Address of the service.
        token_url: Keycloak's token endpoint.
        other_paths: Path items of the registry's API.
        other_schemas: Component schemas that those refer to.
    """
    scopes = {
        "verify": "查验证照",
        "compare": "比对字段，只答一致与否",
        "read": "读取证照内容",
        "issue": "签发",
        "push": "汇集增量",
        "requirements": "查询免提交材料",
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Longzheng 陇证",
            "version": "1",
            "description": "Issuing, checking and comparing e-certificates.",
        },
        "servers": [{"url": f"{public_url}/api/v1"}],
        "paths": {
            "/verifications": {
                "post": _operation(
                    "verify",
                    "Check a certificate",
                    "By the PDF, its SHA-256, identifier and check code, or the QR text: exactly one of them.",
                    "verify",
                )
            },
            "/comparisons": {
                "post": _operation(
                    "compare",
                    "Compare fields",
                    "Per field match, mismatch or not held; no value is returned.",
                    "compare",
                )
            },
            **other_paths,
        },
        "components": {
            "schemas": {**_schemas(), **other_schemas},
            "securitySchemes": {
                "keycloak": {
                    "type": "oauth2",
                    "flows": {"clientCredentials": {"tokenUrl": token_url, "scopes": scopes}},
                }
            },
        },
    }


def create_openapi(document: Mapping[str, Any]) -> Blueprint:
    """Return the blueprint that serves the document, to be mounted at ``/api/v1``."""
    blueprint = Blueprint("openapi", __name__)
    text = json.dumps(document, ensure_ascii=False)

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        return Response(text, mimetype="application/json", headers={"Access-Control-Allow-Origin": "*"})

    return blueprint
