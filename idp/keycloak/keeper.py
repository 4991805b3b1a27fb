"""Carries out what was ordered for Keycloak's accounts: at once when it answers, later when it does not."""

import logging
from datetime import datetime
from typing import Protocol

from idp.errors import AccountsUnavailable
from idp.provider.claims import account_attributes
from idp.store.account_orders import AccountOrders, OrderKind
from idp.store.acts import Act, ActBook
from idp.store.persons import PersonStore

_LOGGER = logging.getLogger(__name__)


class AccountDirectory(Protocol):
    """Keycloak's accounts, by the link that names one."""

    def freeze(self, realname_ref: str) -> tuple[Act, ...]:
        """Disables the account, ends all its sessions and takes its link away; what it did at sites.

        Doing it again changes nothing. An account that does not exist is frozen.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        ...

    def refresh(self, realname_ref: str, attributes: dict[str, str]) -> None:
        """Writes what the proof says into the account and ends its sessions.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        ...

    def reset_factors(self, realname_ref: str) -> None:
        """Takes the account's second factors away and ends its sessions.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        ...

    def sign_out(self, realname_ref: str) -> None:
        """Ends all sessions of the account, at Keycloak and at every site.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        ...


class AccountKeeper:
    """Works off the orders."""

    def __init__(
        self, *, orders: AccountOrders, accounts: AccountDirectory, persons: PersonStore, acts: ActBook
    ) -> None:
        self._orders = orders
        self._accounts = accounts
        self._persons = persons
        self._acts = acts

    def carry_out(self, *, now: datetime) -> int:
        """Tries every waiting order once; how many wait on."""
        left = 0
        for order in self._orders.waiting():
            try:
                if order.kind is OrderKind.FREEZE:
                    for act in self._accounts.freeze(order.realname_ref):
                        self._acts.record(order.realname_ref, act)
                elif order.kind is OrderKind.RESET_FACTORS:
                    self._accounts.reset_factors(order.realname_ref)
                elif order.kind is OrderKind.SIGN_OUT:
                    self._accounts.sign_out(order.realname_ref)
                else:
                    person = self._persons.person(order.realname_ref)
                    if person is not None:
                        self._accounts.refresh(order.realname_ref, account_attributes(person))
            except AccountsUnavailable as error:
                self._orders.failed(order)
                left += 1
                _LOGGER.warning("an order for an account waits: %s, %s", order.kind.value, error.code)
            else:
                self._orders.done(order, now=now)
        return left
