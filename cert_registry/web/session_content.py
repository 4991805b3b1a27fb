"""What a session of the service's own pages holds of the person or officer who signed in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from cert_registry.web.errors import SignInFailed
from cert_registry.web.sign_in import SignedIn
from idp.identity.assurance import AcrLevel
from idp.identity.errors import AccessTokenRefused, NotProved, ResolverUnavailable
from idp.identity.masking import mask_name
from idp.identity.resolution import HolderResolver

_LOGGER = logging.getLogger(__name__)


def person_session(resolver: HolderResolver) -> Callable[[SignedIn, datetime], Mapping[str, Any]]:
    """Return what opens a citizen's session: the holder behind the token, once proved."""

    def open_session(signed_in: SignedIn, now: datetime) -> Mapping[str, Any]:
        content: dict[str, Any] = {
            "name": str(signed_in.claims.get("name") or "未实名用户"),
            "holder_reference": None,
            "level": "RN0",
            "acr": str(signed_in.claims.get("acr", "")),
        }
        try:
            holder = resolver.resolve(signed_in.access_token, now=now)
        except NotProved:
            return content  # signed in, not proved: the pages lead to the real-name check
        except (ResolverUnavailable, AccessTokenRefused) as error:
            _LOGGER.warning("the holder could not be resolved: %s", error.code)
            raise SignInFailed("实名信息暂时读不到，请稍后再登录。") from error
        content.update(
            name=mask_name(holder.name),
            holder_reference=holder.holder_reference,
            level=holder.level.value,
            link=holder.link,
        )
        return content

    return open_session


def officer_session(signed_in: SignedIn, now: datetime) -> Mapping[str, Any]:
    """Return an officer's session content; no session below `loa2`, and none without a staff account."""
    del now
    claims = signed_in.claims
    staff_id, acr = claims.get("staff_id"), claims.get("acr")
    if not staff_id:
        raise SignInFailed("这个账号不是工作人员账号。请用工作人员账号登录，或从首页进入“我的证照”。")
    if acr not in {AcrLevel.LOA2.value, AcrLevel.LOA3.value}:
        raise SignInFailed("工作台要求双因素登录。请先绑定动态口令，再重新登录。")
    return {"staff_id": str(staff_id), "acr": str(acr), "auth_time": claims.get("auth_time")}
