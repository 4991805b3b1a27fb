"""What departments' systems do in these tests: ask, compare, issue; always with a real token."""

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from cert_registry.civil_date import civil_date_at
from deploy.configuration import Configuration
from deploy.demo.accounts import legal_person
from deploy.demo.seed import ENTERPRISE, PREMISES
from deploy.department_client import DepartmentClient

MARKET, EDUCATION, HOUSING = "dept-city-market", "dept-city-education", "dept-city-housing"
REPRESENTATIVE = "林晓雯"


def department(system: Configuration, client_id: str, scopes: str) -> DepartmentClient:
    """One department's system."""
    return DepartmentClient(configuration=system, client_id=client_id, scopes=scopes)


def why(**more: Any) -> dict[str, Any]:
    """Purpose, service item and a case number of its own, and what is asked."""
    return {
        "purpose": "学校食堂备案",
        "service_item": "edu-canteen",
        "case_number": f"E2E-{secrets.token_hex(6)}",
    } | more


def licence_face(**changed: Any) -> dict[str, Any]:
    """The face of a 食品经营许可证 for the demo's enterprise."""
    today = civil_date_at(datetime.now(UTC))
    face = {
        "operator_name": ENTERPRISE,
        "credit_code": legal_person(ENTERPRISE)["code"],
        "representative": REPRESENTATIVE,
        "address": PREMISES,
        "premises": PREMISES,
        "business_form": "餐饮服务经营者",
        "operation_items": "热食类食品制售",
        "effective_date": today.isoformat(),
        "expiry_date": (today + timedelta(days=365)).isoformat(),
    }
    return face | changed


def issuance(*, case_number: str | None = None, **changed: Any) -> dict[str, Any]:
    """A body for `POST /issuances`."""
    return {
        "type": "food-business-licence",
        "case_number": case_number or f"E2E-{secrets.token_hex(6)}",
        "service_item": "SL-002",
        "decision": "准予许可决定书（端到端测试）",
        "face": licence_face(),
    } | changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """An ecert that was just issued through the API."""

    identifier: str
    check_code: str
    file_sha256: str

    @property
    def code(self) -> dict[str, str]:
        """Identifier and check code, as asked with."""
        return {"identifier": self.identifier, "check_code": self.check_code}


def issue(system: Configuration) -> Issued:
    """A new 食品经营许可证 from the city's approval system."""
    answer = department(system, MARKET, "issue").post("/issuances", json=issuance())
    assert answer.status_code == 201, answer.text
    body = answer.json()
    return Issued(
        identifier=body["identifier"], check_code=body["check_code"], file_sha256=body["file_sha256"]
    )


def change_state(system: Configuration, identifier: str, operation: str, **more: Any) -> requests.Response:
    """A state change asked for by the issuer's system."""
    body = {
        "operation": operation,
        "reason": "监督检查中发现问题（端到端测试）",
        "legal_basis": "《中华人民共和国食品安全法》第一百二十四条",
        "case_number": f"E2E-{secrets.token_hex(6)}",
    } | more
    return department(system, MARKET, "issue").post(f"/ecerts/{identifier}/state-changes", json=body)


def problem_of(answer: requests.Response, status: int) -> dict[str, Any]:
    """The problem document of a refused request (RFC 9457)."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text[:500]}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["type"] == f"urn:longzheng:problem:{problem['code']}"
    assert problem["title"]
    return problem


def without(answer: Mapping[str, Any], *names: str) -> str:
    """An answer as text, without what differs each time."""
    return json.dumps({key: value for key, value in answer.items() if key not in names}, sort_keys=True)


def decoded(text: str) -> bytes:
    """The bytes behind base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def chain_of(receipt: str) -> list[x509.Certificate]:
    """The chain that stands in a receipt's header, leaf first."""
    header = json.loads(decoded(receipt.split(".", maxsplit=1)[0]))
    return [x509.load_der_x509_certificate(base64.b64decode(one)) for one in header["x5c"]]


def receipt_of(receipt: str) -> dict[str, Any]:
    """A receipt's claims, its signature checked under the key of its own chain (RFC 7515, section 5.2)."""
    signing_input, _, signature = receipt.rpartition(".")
    key = chain_of(receipt)[0].public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    octets = decoded(signature)
    assert len(octets) == 64
    der = encode_dss_signature(int.from_bytes(octets[:32], "big"), int.from_bytes(octets[32:], "big"))
    key.verify(der, signing_input.encode(), ec.ECDSA(SHA256()))
    claims: dict[str, Any] = json.loads(decoded(signing_input.split(".")[1]))
    return claims
