"""Authorization codes, bearer tokens and client assertions: only their marks are kept."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.store.marks import mark_of_random, seconds
from idp.store.tables import authorization_codes, bearer_tokens, client_assertions

CODE_LIFE_S: Final = 60
TOKEN_LIFE_S: Final = 300
_KEPT_AFTER_USE_S: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeGrant:
    """What a code stands for."""

    client_id: str
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    realname_ref: str
    proved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenGrant:
    """What a bearer token stands for."""

    realname_ref: str
    scope: str


class GrantStore:
    """Keeps grants; a code works once, and using it again takes back what the first use gave."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save_code(self, code: str, grant: CodeGrant, *, now: datetime) -> None:
        """Keeps a new code for a minute."""
        moment = seconds(now)
        old = authorization_codes.c.expires_at <= moment - _KEPT_AFTER_USE_S
        with self._engine.begin() as connection:
            connection.execute(delete(authorization_codes).where(old))
            connection.execute(
                insert(authorization_codes).values(
                    code_mark=mark_of_random(code),
                    client_id=grant.client_id,
                    redirect_uri=grant.redirect_uri,
                    scope=grant.scope,
                    nonce=grant.nonce,
                    code_challenge=grant.code_challenge,
                    realname_ref=grant.realname_ref,
                    proved_at=seconds(grant.proved_at),
                    expires_at=moment + CODE_LIFE_S,
                )
            )

    def code_grant(self, code: str, *, client_id: str, now: datetime) -> CodeGrant | None:
        """The grant of an unused code of this client; a used one takes its tokens with it (RFC 6749 4.1.2)."""
        mark = mark_of_random(code)
        query = select(authorization_codes).where(
            authorization_codes.c.code_mark == mark, authorization_codes.c.client_id == client_id
        )
        with self._engine.begin() as connection:
            row = connection.execute(query).mappings().one_or_none()
            if row is None:
                return None
            if row["used_at"] is not None:
                connection.execute(delete(bearer_tokens).where(bearer_tokens.c.code_mark == mark))
                return None
        if row["expires_at"] <= seconds(now):
            return None
        return CodeGrant(
            client_id=row["client_id"],
            redirect_uri=row["redirect_uri"],
            scope=row["scope"],
            nonce=row["nonce"],
            code_challenge=row["code_challenge"],
            realname_ref=row["realname_ref"],
            proved_at=datetime.fromtimestamp(row["proved_at"], UTC),
        )

    def use_code(self, code: str, *, now: datetime) -> bool:
        """Marks a code as used; False when somebody was faster."""
        unused = (authorization_codes.c.code_mark == mark_of_random(code)) & (
            authorization_codes.c.used_at.is_(None)
        )
        with self._engine.begin() as connection:
            done = connection.execute(
                update(authorization_codes).where(unused).values(used_at=seconds(now))
            ).rowcount
        return done == 1

    def save_token(self, token: str, *, code: str, grant: TokenGrant, now: datetime) -> None:
        """Keeps a bearer token for five minutes."""
        moment = seconds(now)
        with self._engine.begin() as connection:
            connection.execute(delete(bearer_tokens).where(bearer_tokens.c.expires_at <= moment))
            connection.execute(
                insert(bearer_tokens).values(
                    token_mark=mark_of_random(token),
                    code_mark=mark_of_random(code),
                    realname_ref=grant.realname_ref,
                    scope=grant.scope,
                    expires_at=moment + TOKEN_LIFE_S,
                )
            )

    def token_grant(self, token: str, *, now: datetime) -> TokenGrant | None:
        """The grant of a bearer token in force."""
        query = select(bearer_tokens).where(
            bearer_tokens.c.token_mark == mark_of_random(token), bearer_tokens.c.expires_at > seconds(now)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else TokenGrant(realname_ref=row["realname_ref"], scope=row["scope"])

    def first_use_of_assertion(
        self, client_id: str, assertion_id: str, *, until: datetime, now: datetime
    ) -> bool:
        """Remembers a client assertion's `jti`; False when it was seen before."""
        mark = mark_of_random(f"{client_id} {assertion_id}")
        with self._engine.begin() as connection:
            connection.execute(
                delete(client_assertions).where(client_assertions.c.expires_at <= seconds(now))
            )
        try:
            with self._engine.begin() as connection:
                connection.execute(
                    insert(client_assertions).values(assertion_mark=mark, expires_at=seconds(until))
                )
        except IntegrityError:
            return False
        return True
