"""DPoP: whoever calls with a bound token proves with each call that they hold the key it is bound to.

A proof is good for one method, one address, one token and one minute, and once. What is compared as address is this
service's public one; the Host header of the request has no say.

Source: RFC 9449, sections 4.2, 4.3 and 11.1; RFC 7638 for the thumbprint.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jws import extract_compact

from idp.identity.errors import DpopProofRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHMS: Final = ("ES256",)
AGE: Final = timedelta(seconds=60)
_LEEWAY: Final = timedelta(seconds=5)
_LONGEST: Final = 4096
_LONGEST_ID: Final = 128
_HEADER: Final = {"typ", "alg", "jwk"}
_PUBLIC: Final = {"kty", "crv", "x", "y"}
_TOLD_BESIDE: Final = {"kid", "use", "alg"}


class UsedProofs(Protocol):
    """Remembers which proofs were used, for all processes that answer for one service."""

    def first_use(self, mark: str, *, until: datetime, now: datetime) -> bool:
        """Notes a proof's mark (64 hexadecimal digits) until its time is over; False when it was there already."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The request that a proof came with.

    Attributes:
        method: of HTTP, in capitals.
        address: public, without query and fragment.
        access_token: as sent.
    """

    method: str
    address: str
    access_token: str


def check_proof(unverified_proof: str, call: Call, *, used: UsedProofs, now: datetime) -> str:
    """The thumbprint (`jkt`) of the key that signed a proof for this very call.

    Args:
        unverified_proof: the one value of the header `DPoP`.
        call: what it must be for.
        used: where a second use is noticed.
        now: aware, UTC.

    Raises:
        DpopProofRefused: `malformed`, `algorithm`, `key`, `signature`, `method`, `address`, `age`, `token` or
            `replayed`.

    Source: RFC 9449 section 4.3, in its order.
    """
    header = _header_of(unverified_proof)
    key = _key_of(header)
    try:
        claims = jwt.decode(unverified_proof, key, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError) as error:
        raise _refused("持有证明的签名不符。", "signature") from error
    proof_id = claims.get("jti")
    if not isinstance(proof_id, str) or not 0 < len(proof_id) <= _LONGEST_ID:
        raise _refused("持有证明没有可用的 jti。", "malformed")
    if claims.get("htm") != call.method:
        raise _refused("持有证明是为另一种请求方法做的。", "method")
    if _comparable(claims.get("htu")) != _comparable(call.address):
        raise _refused("持有证明是为另一个地址做的。", "address")
    made_at = _moment(claims.get("iat"))
    if not now - AGE - _LEEWAY <= made_at <= now + _LEEWAY:
        raise _refused("持有证明已过期，或本机时间不准。", "age")
    hashed = _base64url(hashlib.sha256(call.access_token.encode("utf-8")).digest())
    if not hmac.compare_digest(str(claims.get("ath", "")).encode("utf-8"), hashed.encode("ascii")):
        raise _refused("持有证明不是为这个令牌做的。", "token")
    thumbprint = key.thumbprint()
    mark = hashlib.sha256(f"{thumbprint} {proof_id}".encode()).hexdigest()
    if not used.first_use(mark, until=made_at + AGE + 2 * _LEEWAY, now=now):
        raise _refused("持有证明已经用过。", "replayed")
    return thumbprint


def _header_of(unverified_proof: str) -> Mapping[str, Any]:
    if len(unverified_proof) > _LONGEST:
        raise _refused("持有证明过长。", "malformed")
    try:
        header = extract_compact(unverified_proof.encode("ascii")).headers()
    except (JoseError, ValueError) as error:
        raise _refused("持有证明无法读取。", "malformed") from error
    if set(header) != _HEADER or header["typ"] != "dpop+jwt":
        raise _refused("这不是持有证明。", "malformed")
    if header["alg"] not in ALGORITHMS:
        raise _refused("持有证明的签名算法不被接受，请用 ES256。", "algorithm")
    return header


def _key_of(header: Mapping[str, Any]) -> ECKey:
    jwk = header["jwk"]
    told = set(jwk) - _TOLD_BESIDE if isinstance(jwk, dict) else set()
    if told != _PUBLIC or (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
        raise _refused("持有证明里应当只有一个 P-256 公钥。", "key")
    try:
        return ECKey.import_key({name: jwk[name] for name in sorted(_PUBLIC)})
    except (JoseError, ValueError, TypeError) as error:
        raise _refused("持有证明里的公钥无法读取。", "key") from error


def _comparable(address: object) -> tuple[str, str, str] | None:
    """Scheme, authority and path after the syntax-based normalisation of RFC 3986, 6.2.2 and 6.2.3."""
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        return None
    default = {"https": 443, "http": 80}.get(parts.scheme)
    authority = parts.hostname if port in (None, default) else f"{parts.hostname}:{port}"
    return parts.scheme, authority, parts.path or "/"


def _moment(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refused("持有证明没有可用的时间。", "malformed")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise _refused("持有证明没有可用的时间。", "malformed") from error


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def _refused(sentence: str, code: str) -> DpopProofRefused:
    return DpopProofRefused(sentence, code=code)
