"""Keycloak's access tokens, checked here against its published keys: no call to Keycloak per request.

A key that is not known makes the key set be read again, at most every 30 seconds; a set that cannot be
refreshed is used for an hour and then no token is believed (fail closed).
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import extract_compact

from idp.identity.assurance import AcrLevel, RealnameLevel
from idp.identity.errors import AccessTokenRefused, KeysUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ALGORITHMS: Final = ("ES256", "PS256", "RS256")
LEEWAY_S: Final = 30
_Scale = TypeVar("_Scale", AcrLevel, RealnameLevel)
_LONGEST_TOKEN = 16_384
_REFRESH_AT_MOST_EVERY = timedelta(seconds=30)
_STALE_AFTER = timedelta(minutes=10)
_DEAD_AFTER = timedelta(hours=1)


class JwksSource:
    """An issuer's key set, cached; safe to share between threads.

    Args:
        fetch: returns the key set's JSON, or raises OSError or ValueError.
    """

    def __init__(self, fetch: Callable[[], bytes]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._keys = KeySet([])
        self._kids: frozenset[str] = frozenset()
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None

    @classmethod
    def from_url(cls, url: str, *, timeout_s: float = 5.0) -> JwksSource:
        """A source that reads `url` when it needs to (redirects are not followed)."""

        def fetch() -> bytes:
            response = requests.get(url, timeout=timeout_s, allow_redirects=False)
            if response.status_code != 200:
                raise OSError(f"the key set answered {response.status_code}")
            return response.content

        return cls(fetch)

    def keys_with(self, kid: str, *, now: datetime) -> KeySet:
        """The key set that holds `kid`.

        Raises:
            AccessTokenRefused: `unknown-key`.
            KeysUnavailable: `keys-unavailable`.
        """
        with self._lock:
            if kid not in self._kids or self._age(now) > _STALE_AFTER:
                self._refresh(now)
            if self._age(now) > _DEAD_AFTER:
                raise KeysUnavailable("签发方的公钥暂时取不到，无法核对令牌。", code="keys-unavailable")
            if kid not in self._kids:
                raise AccessTokenRefused("令牌的签名密钥未知。", code="unknown-key")
            return self._keys

    def _age(self, now: datetime) -> timedelta:
        return timedelta.max if self._fetched_at is None else now - self._fetched_at

    def _refresh(self, now: datetime) -> None:
        if self._tried_at is not None and abs(now - self._tried_at) < _REFRESH_AT_MOST_EVERY:
            return
        self._tried_at = now
        try:
            published = json.loads(self._fetch())
            signing = [key for key in published["keys"] if key.get("use", "sig") == "sig" and key.get("kid")]
            keys = KeySet.import_key_set({"keys": signing})
        except (OSError, ValueError, KeyError, TypeError, AttributeError, JoseError):
            return  # the keys of before serve until they are dead; keys_with decides
        self._keys = keys
        self._kids = frozenset(key["kid"] for key in signing)
        self._fetched_at = now


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sent a token that was accepted.

    Attributes:
        client_id: the site or department system (`azp`).
        subject: `sub`; pairwise for people.
        scopes: granted scopes.
        acr: authentication strength; None for machines and unknown values.
        auth_time: when the person signed in, UTC; None for machines.
        realname_level: proved identity; RN0 when the token does not say.
        realname_ref: random reference of the real-name provider, only for `longzheng-idp`.
        staff_id: officer's account.
        department_code: unified social credit code of the caller's department.
        roles: realm roles; a right that must end at once is checked elsewhere, per request.
        expires_at: end of the token, UTC.
        token_id: `jti`.
        session_id: Keycloak's session of a person (`sid`); None for machines.
        key_thumbprint: of the key to which the token is bound, proved for this request; None for a bearer token.
    """

    client_id: str
    subject: str
    scopes: frozenset[str]
    acr: AcrLevel | None
    auth_time: datetime | None
    realname_level: RealnameLevel
    realname_ref: str | None
    staff_id: str | None
    department_code: str | None
    roles: frozenset[str]
    expires_at: datetime
    token_id: str | None
    session_id: str | None = None
    key_thumbprint: str | None = None


class AccessTokenVerifier:
    """Decides whether an access token is good here.

    Args:
        issuer: exact `iss`.
        jwks: the issuer's keys.
    """

    def __init__(self, issuer: str, jwks: JwksSource) -> None:
        self._issuer = issuer
        self._jwks = jwks

    def verify(
        self,
        token: str,
        *,
        audience: str,
        scope: str | None = None,
        now: datetime,
        proved_thumbprint: str | None = None,
    ) -> Caller:
        """The caller behind a token.

        Args:
            token: compact JWS.
            audience: must be among `aud`.
            scope: must be among the scopes, when given.
            now: aware, UTC.
            proved_thumbprint: `jkt` (RFC 9449) or `x5t#S256` (RFC 8705) of a proof checked for this very
                request; a bound token without it is refused.

        Raises:
            AccessTokenRefused: `malformed`, `algorithm`, `unknown-key`, `signature`, `issuer`, `audience`,
                `expired`, `not-yet-valid`, `wrong-type`, `claims`, `proof-missing`, `proof-mismatch`
                or `scope`.
            KeysUnavailable: `keys-unavailable`.

        Source: RFC 9068 section 4; RFC 8725.
        """
        claims = self._authentic_claims(token, now)
        self._check_issuer_and_audience(claims, audience)
        _check_times(claims, now)
        _check_type_and_binding(claims, proved_thumbprint)
        caller = _caller(claims, proved_thumbprint if claims.get("cnf") is not None else None)
        if scope is not None and scope not in caller.scopes:
            raise AccessTokenRefused("令牌没有这项操作的授权范围。", code="scope")
        return caller

    def _authentic_claims(self, token: str, now: datetime) -> Mapping[str, Any]:
        if len(token) > _LONGEST_TOKEN:
            raise AccessTokenRefused("令牌过长。", code="malformed")
        try:
            unverified_header = extract_compact(token.encode("ascii")).headers()
        except (JoseError, ValueError, UnicodeEncodeError) as error:
            raise AccessTokenRefused("令牌无法读取。", code="malformed") from error
        if unverified_header.get("alg") not in ALGORITHMS:
            raise AccessTokenRefused("令牌的签名算法不被接受。", code="algorithm")
        kid = unverified_header.get("kid")
        if not isinstance(kid, str):
            raise AccessTokenRefused("令牌没有写明签名密钥。", code="malformed")
        keys = self._jwks.keys_with(kid, now=now)
        try:
            return jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError) as error:
            raise AccessTokenRefused("令牌的签名不符。", code="signature") from error

    def _check_issuer_and_audience(self, claims: Mapping[str, Any], audience: str) -> None:
        if claims.get("iss") != self._issuer:
            raise AccessTokenRefused("令牌不是由本省统一身份认证签发。", code="issuer")
        audiences = claims.get("aud")
        listed = audiences if isinstance(audiences, list) else [audiences]
        if audience not in listed:
            raise AccessTokenRefused("令牌不是发给本服务的。", code="audience")


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    leeway = timedelta(seconds=LEEWAY_S)
    if now >= _moment(claims, "exp") + leeway:
        raise AccessTokenRefused("令牌已过期，请重新登录。", code="expired")
    for claim in ("nbf", "iat"):
        if claim in claims and now + leeway < _moment(claims, claim):
            raise AccessTokenRefused("令牌尚未生效，请检查系统时间。", code="not-yet-valid")


def _check_type_and_binding(claims: Mapping[str, Any], proved_thumbprint: str | None) -> None:
    bound = claims.get("cnf")
    if claims.get("typ") not in (("Bearer", "DPoP") if bound else ("Bearer",)):
        raise AccessTokenRefused("这不是访问令牌。", code="wrong-type")
    if bound is None:
        return
    if proved_thumbprint is None:
        raise AccessTokenRefused("令牌绑定了密钥，但请求没有带上持有证明。", code="proof-missing")
    thumbprints = [bound.get("jkt"), bound.get("x5t#S256")] if isinstance(bound, dict) else []
    if proved_thumbprint not in thumbprints:
        raise AccessTokenRefused("持有证明与令牌绑定的密钥不符。", code="proof-mismatch")


def _caller(claims: Mapping[str, Any], key_thumbprint: str | None) -> Caller:
    client_id, subject = claims.get("azp"), claims.get("sub")
    if not isinstance(client_id, str) or not isinstance(subject, str) or not client_id or not subject:
        raise AccessTokenRefused("令牌缺少必要的内容。", code="claims")
    access = claims.get("realm_access")
    roles = access.get("roles") if isinstance(access, dict) else None
    return Caller(
        client_id=client_id,
        subject=subject,
        scopes=frozenset((_text(claims, "scope") or "").split()),
        acr=_level(AcrLevel, claims.get("acr")),
        auth_time=_moment(claims, "auth_time") if "auth_time" in claims else None,
        realname_level=_level(RealnameLevel, claims.get("realname_level")) or RealnameLevel.RN0,
        realname_ref=_text(claims, "realname_ref"),
        staff_id=_text(claims, "staff_id"),
        department_code=_text(claims, "department_code"),
        roles=frozenset(role for role in roles if isinstance(role, str))
        if isinstance(roles, list)
        else frozenset(),
        expires_at=_moment(claims, "exp"),
        token_id=_text(claims, "jti"),
        session_id=_text(claims, "sid"),
        key_thumbprint=key_thumbprint,
    )


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is None or (isinstance(value, str) and value):
        return value
    raise AccessTokenRefused(f"令牌中的 {name} 格式不符。", code="claims")


def _level(scale: type[_Scale], value: object) -> _Scale | None:
    try:
        return scale(value)
    except ValueError:
        return None


def _moment(claims: Mapping[str, Any], name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AccessTokenRefused(f"令牌中的 {name} 格式不符。", code="claims")
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise AccessTokenRefused(f"令牌中的 {name} 格式不符。", code="claims") from error
