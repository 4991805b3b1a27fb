"""Releases an ID number to a site that the law gives it to: a second channel beside the sign-in.

The number is in no token and no address. The person sees on our own page who asks, why and on what basis; the site
then fetches it with a token of its own that is bound to its key, and with the person's fresh access token, which says
whose session it is. What was released, to whom and why stands in the person's record before the answer leaves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from idp.identity.access_token import AccessTokenVerifier, Caller
from idp.identity.assurance import AcrLevel, RealnameLevel
from idp.identity.dpop import Call, UsedProofs, check_proof
from idp.identity.errors import NumberRefused
from idp.number_rights import NumberRights
from idp.store.number_releases import Agreement, NumberReleases
from idp.store.persons import Person, PersonState, PersonStore

SCOPE: Final = "id-number"
# A site's own calls come from a client of their own beside the one at which people sign in: it carries no acr.
MACHINE_SUFFIX: Final = "-machine"
FRESH: Final = timedelta(minutes=10)
LONGEST_CASE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a site asks; nothing of it is checked yet.

    Attributes:
        call: the request, with the site's own access token.
        unverified_proof: the header `DPoP`.
        unverified_person_token: the person's access token.
        purpose: code of the site's file.
    """

    call: Call
    unverified_proof: str
    unverified_person_token: str
    purpose: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedNumber:
    """What the site is told, once.

    Attributes:
        release_id: names this release in both sides' records.
        name: in clear.
        number: of the ID card.
        level: what was proved of the person.
        verified_at: when, UTC.
    """

    release_id: str
    name: str
    number: str
    level: RealnameLevel
    verified_at: datetime

    def __repr__(self) -> str:
        return f"ReleasedNumber({self.release_id!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberDesk:
    """What a release needs."""

    verifier: AccessTokenVerifier
    used: UsedProofs
    rights: NumberRights
    releases: NumberReleases
    persons: PersonStore
    audience: str


def release(question: Question, desk: NumberDesk, *, now: datetime) -> ReleasedNumber:
    """Answers a site's question for an ID number.

    1. The site itself calls, with a token of its own that is bound to the key that signed the proof.
    2. The law gives it the number for this purpose.
    3. The person is the one who is signed in at this site, freshly and with a second factor.
    4. This person agreed on our page, in this session, to this site and purpose; each agreement is used once.
    5. The person's proof is in force.
    6. The release is on record, then the number is told.

    Raises:
        AccessTokenRefused: a token or the proof does not hold.
        NumberRefused: with the step that stopped it.
    """
    # (1) the site itself
    site = _site(question, desk, now)
    # (2) the law
    site_id = site.client_id.removesuffix(MACHINE_SUFFIX)
    right = desk.rights.of(site_id, question.purpose)
    if right is None:
        raise _refused("该网站没有为此用途取得身份证号码的法律依据。", "no-right")
    # (3) the person, at this site, now
    session = _session(question, desk, site_id, now)
    # (4) the agreement
    agreement = desk.releases.find(session, site_id, question.purpose, now=now)
    if agreement is None:
        raise _refused("本人没有在统一身份认证的页面上确认这次提供，或确认已经用过、过期。", "not-agreed")
    # (5) the proof in force
    person = _person(agreement, desk)
    number = desk.persons.number_of(person.realname_ref)
    # (6) on record, then told
    if not desk.releases.use(
        agreement, record=f"{right.site_name}：{right.purposes[question.purpose]}", now=now
    ):
        raise _refused("这次确认已经用过。", "not-agreed")
    return ReleasedNumber(
        release_id=agreement.release_id,
        name=person.name,
        number=number,
        level=person.level,
        verified_at=person.verified_at,
    )


def _site(question: Question, desk: NumberDesk, now: datetime) -> Caller:
    thumbprint = check_proof(question.unverified_proof, question.call, used=desk.used, now=now)
    site = desk.verifier.verify(
        question.call.access_token,
        audience=desk.audience,
        scope=SCOPE,
        now=now,
        proved_thumbprint=thumbprint,
    )
    if site.key_thumbprint is None:
        raise _refused("网站的令牌没有绑定密钥。", "not-bound")
    is_machine = site.client_id.endswith(MACHINE_SUFFIX)
    if not is_machine or site.session_id is not None or site.auth_time is not None:
        raise _refused("应当用网站自己的令牌，而不是某个人的令牌。", "not-a-machine")
    return site


def _session(question: Question, desk: NumberDesk, site_id: str, now: datetime) -> str:
    person = desk.verifier.verify(
        question.unverified_person_token, audience=desk.audience, scope=SCOPE, now=now
    )
    if person.client_id != site_id or person.session_id is None:
        raise _refused("本人的令牌不是发给这个网站的。", "other-site")
    if person.auth_time is None or not now - FRESH <= person.auth_time <= now + timedelta(seconds=30):
        raise _refused("本人登录已超过十分钟，请让本人重新登录。", "stale")
    if person.acr is None or not person.acr.meets(AcrLevel.LOA2):
        raise _refused("本人登录时没有使用二次验证。", "strength")
    return person.session_id


def _person(agreement: Agreement, desk: NumberDesk) -> Person:
    person = desk.persons.person(agreement.realname_ref)
    if person is None or person.state is not PersonState.ACTIVE or not person.level.meets(RealnameLevel.RN2):
        raise _refused("本人的实名认证已经解除、冻结或不足。", "not-proved")
    return person


def _refused(sentence: str, code: str) -> NumberRefused:
    return NumberRefused(sentence, code=code)
