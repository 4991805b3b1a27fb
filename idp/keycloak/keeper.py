"""Carries out what was ordered for Keycloak's accounts: at once when it answers, later when it does not."""

import logging
from datetime import datetime
from typing import Protocol

from idp.errors import AccountsUnavailable
from idp.provider.claims import account_attributes
from idp.store.account_orders import AccountOrder, AccountOrders, OrderKind
from idp.store.acts import Act, ActBook
from idp.store.persons import PersonState, PersonStore

_OVER = (PersonState.DISPLACED, PersonState.CLOSED)
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

    def rename(self, realname_ref: str, username: str) -> None:
        """Gives the account another name, with which its person signs in from now on.

        Raises:
            AccountsUnavailable: no answer can be had, or another account took the name meanwhile.
        """
        ...

    def name_is_free(self, username: str) -> bool:
        """Whether no account has this name.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        ...

    def withdraw(self, realname_ref: str, client_id: str) -> None:
        """Revokes what was consented to for one site, and ends every session that reached it.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        ...

    def history(self, realname_ref: str) -> tuple[Act, ...]:
        """What Keycloak recorded of the account.

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
                self._carry_out(order)
            except AccountsUnavailable as error:
                self._orders.failed(order)
                left += 1
                _LOGGER.warning("an order for an account waits: %s, %s", order.kind.value, error.code)
            else:
                self._orders.done(order, now=now)
        return left

    def _carry_out(self, order: AccountOrder) -> None:
        accounts, link = self._accounts, order.realname_ref
        if order.kind is OrderKind.FREEZE:
            for act in accounts.freeze(link):
                self._acts.record(link, act)
        elif order.kind is OrderKind.RESET_FACTORS:
            accounts.reset_factors(link)
        elif order.kind is OrderKind.SIGN_OUT:
            accounts.sign_out(link)
        elif order.kind is OrderKind.WITHDRAW:
            accounts.withdraw(link, order.subject)
        else:
            person = self._persons.person(link)
            if person is None or person.state in _OVER:
                return  # an order that waited while its link ended
            if order.kind is OrderKind.RENAME:
                accounts.rename(link, person.mobile)
            else:
                accounts.refresh(link, account_attributes(person))
