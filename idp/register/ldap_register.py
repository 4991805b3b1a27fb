"""The population register over LDAP: the only door to ldap3. It compares; it never searches.

One connection is kept and shared under a lock (comparisons take under a millisecond); when it breaks it is
opened again once per question, then the register counts as unavailable.
"""

import contextlib
import ssl
import threading
import warnings
from datetime import datetime
from typing import Final

with warnings.catch_warnings():
    # ldap3 2.9.1 imports names that pyasn1 has deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from ldap3 import NONE, SAFE_SYNC, Connection, Server, Tls
    from ldap3.core.exceptions import LDAPException

from idp.errors import RegisterUnavailable
from idp.identity.citizen_number import CitizenNumber
from idp.identity.person_name import NormalisedName
from idp.ports import Comparison
from idp.register.entries import (
    DOCUMENT_STATE,
    NAME_KEY,
    NORMAL,
    PERSON_STATE,
    VALID,
    name_key_value,
    person_dn,
)
from idp.secret_files import read_secret
from idp.settings import RegisterSettings

# Result codes, RFC 4511 4.1.9.
_COMPARE_FALSE: Final = 5
_COMPARE_TRUE: Final = 6
_NO_SUCH_OBJECT: Final = 32


class LdapPopulationRegister:
    """A `PopulationRegister` that asks a directory with a compare-only account."""

    def __init__(self, settings: RegisterSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def compare(self, number: CitizenNumber, name: NormalisedName, *, now: datetime) -> Comparison:
        """Compares name key, person state and document state, in this order.

        Raises:
            RegisterUnavailable: no connection, a timeout, or an answer that is no comparison.
        """
        del now  # the directory holds states, not dates
        key = read_secret(self._settings.rdn_key_file)
        dn = person_dn(number, key, self._settings.suffix)
        same_name = self._ask(dn, NAME_KEY, name_key_value(name))
        if same_name is None:
            return Comparison.NO_SUCH_NUMBER
        if not same_name:
            return Comparison.NAME_DIFFERS
        if not self._ask(dn, PERSON_STATE, NORMAL):
            return Comparison.DECEASED_OR_CANCELLED
        if not self._ask(dn, DOCUMENT_STATE, VALID):
            return Comparison.DOCUMENT_EXPIRED
        return Comparison.MATCH

    def probe(self) -> None:
        """Compares the tree's own name, which is always there.

        Raises:
            RegisterUnavailable: the register does not answer, or not as it should.
        """
        attribute, _, value = self._settings.suffix.split(",", 1)[0].partition("=")
        if not self._ask(self._settings.suffix, attribute, value):
            raise RegisterUnavailable("人口库中没有配置的目录树。", code="register-empty")

    def close(self) -> None:
        """Ends the connection."""
        with self._lock:
            self._drop()

    def _ask(self, dn: str, attribute: str, value: str) -> bool | None:
        """One comparison; None when there is no such entry."""
        with self._lock:
            kept = self._connection is not None
            try:
                result = self._compare_once(dn, attribute, value)
            except LDAPException as error:
                self._drop()
                if not kept:
                    raise _unavailable() from error
                result = None
            if result not in {_COMPARE_TRUE, _COMPARE_FALSE, _NO_SUCH_OBJECT}:
                self._drop()
                result = self._compare_again(dn, attribute, value)
        if result == _NO_SUCH_OBJECT:
            return None
        return result == _COMPARE_TRUE

    def _compare_again(self, dn: str, attribute: str, value: str) -> int:
        try:
            result = self._compare_once(dn, attribute, value)
        except LDAPException as error:
            self._drop()
            raise _unavailable() from error
        if result not in {_COMPARE_TRUE, _COMPARE_FALSE, _NO_SUCH_OBJECT}:
            self._drop()
            raise _unavailable()
        return result

    def _compare_once(self, dn: str, attribute: str, value: str) -> int:
        connection = self._connection or self._connect()
        self._connection = connection
        _, result, _, _ = connection.compare(dn, attribute, value)  # type: ignore[no-untyped-call]  # ldap3's stub
        return int(result["result"])

    def _connect(self) -> Connection:
        settings = self._settings
        tls = Tls(validate=ssl.CERT_REQUIRED) if settings.url.startswith("ldaps:") else None
        server = Server(settings.url, get_info=NONE, connect_timeout=settings.timeout_s, tls=tls)
        connection = Connection(
            server,
            user=settings.compare_dn,
            password=read_secret(settings.password_file).decode("utf-8"),
            client_strategy=SAFE_SYNC,
            receive_timeout=max(1, round(settings.timeout_s)),  # ldap3 packs it as an integer
            check_names=False,
        )
        try:
            bound = bool(connection.bind()[0])
        except LDAPException:
            _close_socket(connection)
            raise
        if not bound:
            _close_socket(connection)
            raise _unavailable()
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        with contextlib.suppress(LDAPException):  # it may be broken already
            connection.unbind()
        _close_socket(connection)


def _close_socket(connection: Connection) -> None:
    """Closes what ldap3 leaves open when connecting or binding failed."""
    if connection.socket is not None:
        connection.socket.close()


def _unavailable() -> RegisterUnavailable:
    return RegisterUnavailable("人口库暂时无法应答。", code="register-unavailable")
