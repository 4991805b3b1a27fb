"""Errors of the real-name provider, on top of `idp.identity.errors`."""

from idp.identity.errors import IdentityError


class ConfigurationError(IdentityError):
    """A setting is missing or wrong; the sentence says what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, code="configuration")


class MalformedMobile(IdentityError):
    """A text is not a mobile number."""


class MalformedCode(IdentityError):
    """A text has not the form of an SMS code."""


class RegisterUnavailable(IdentityError):
    """The population register does not answer, or refuses our account."""


class OwnershipUnavailable(IdentityError):
    """The operators' register of mobile numbers does not answer."""


class SmsRefused(IdentityError):
    """A message is not sent now; `code` is `cool-down`, `daily-limit` or `gateway`.

    Attributes:
        retry_after_s: seconds after which it makes sense to ask again, 0 when unknown.
    """

    def __init__(self, sentence: str, *, code: str, retry_after_s: int = 0) -> None:
        super().__init__(sentence, code=code)
        self.retry_after_s = retry_after_s


class PhoneOpensNothing(IdentityError):
    """A proved phone opens its account no longer: `link-not-in-force`, `other-mobile` or `changed-hands`."""


class CodeRefused(IdentityError):
    """An SMS code was not accepted: `wrong`, `expired`, `used-up` or `not-sent`."""


class TooManyTries(IdentityError):
    """The guesses of a day are used up."""


class InteractionLost(IdentityError):
    """The browser's visit is unknown or over; the person starts again at the site."""


class DirectoryNotPrepared(IdentityError):
    """The directory's programs refused what was to be written."""


class CounterRefused(IdentityError):
    """An officer may not prove people now: `no-grant`."""


class SignInRefused(IdentityError):
    """A sign-in to a page of this room did not hold: `state`, `id-token`, `strength`, `not-staff` or `keycloak`."""


class AccountsUnavailable(IdentityError):
    """Keycloak's accounts cannot be reached now; what was ordered is carried out later."""


class FaceUnavailable(IdentityError):
    """The face check's provider does not answer: `face-unavailable`."""


class FaceRefused(IdentityError):
    """A face check did not confirm the person: `different-person`, `not-live`, `not-finished`, `answer` or `no-photo`."""


class PhoneRefused(IdentityError):
    """A phone does not become an account's: `same-phone`, `taken`, `not-registered` or `old-phone`."""


class AccountOver(IdentityError):
    """An account's link does not count any more: `over`."""
