"""One YAML file a site in realm-config/sites/: read, checked, and turned into Keycloak's representation.

Everything that decides what a site may see of a person, and how surely it must know them, stands in this one file,
so that it can be reviewed as one. Nothing that the file does not say is given.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final
from urllib.parse import urlsplit

from deploy.errors import DeployError, ExitCode
from deploy.realm_keys import PublishedKeysWrong, published_keys
from idp.number_release import MACHINE_SUFFIX

CLAIMS: Final = ("name", "realname_level", "verified_at", "verified_claims")
ASSURANCE: Final = ("RN0", "RN1", "RN2", "RN3")
STRENGTH: Final = ("loa1", "loa2", "loa3")
ASSURANCE_ATTRIBUTE: Final = "longzheng.minimum.assurance"
FILE_ATTRIBUTE: Final = "longzheng.file"
_KEYS: Final = {
    "site", "name", "kind", "url", "redirect_uris", "log_out", "claims", "minimum", "contact", "legal_basis",
    "keys", "id_number", "demo",
}  # fmt: skip
_REQUIRED: Final = ("site", "name", "redirect_uris", "claims", "minimum", "contact")
_SITE_ID: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RESERVED: Final = re.compile(
    r"(dept|idp)-.*|portal|officer-desk|account.*|admin-cli|broker|realm-management"
)
_PURPOSE: Final = re.compile(r"[a-z][a-z0-9-]{0,59}")
_LAW: Final = re.compile(r"《.+》第.+条")
_LOOPBACK: Final = "http://127.0.0.1/"
_LOCAL_HOSTS: Final = {"localhost", "127.0.0.1"}


class SiteFileWrong(DeployError):
    """A site's file says something that cannot be applied; the sentences name the place and what is expected.

    Attributes:
        faults: one sentence each.
    """

    code = "site-file"
    exit_code = ExitCode.BAD_USAGE

    def __init__(self, file: str, faults: tuple[str, ...]) -> None:
        super().__init__(f"{file}: " + " ".join(faults))
        self.faults = faults


class SiteKind(Enum):
    """What the site is: a web server with a key of its own, or an application on people's own devices."""

    WEB = "web"
    NATIVE = "native"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRight:
    """A right to be told the ID number, given by law; `idp/` releases it, it never stands in a token.

    Attributes:
        legal_basis: the law that gives the right, with its article.
        purposes: sentence for the person by code.
        return_to: where the person comes back to.
    """

    legal_basis: str
    purposes: Mapping[str, str]
    return_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site as its file has it, checked.

    Attributes:
        site_id: the client id at Keycloak.
        url: origin of a web site, no slash at the end; empty for a native application.
        redirect_uris: exact.
        notify: where Keycloak posts log-out messages; empty for a native application.
        return_to: where people may land after signing out.
        claims: what the site is told of a person, beside the pairwise subject.
        assurance: lowest `realname_level` with which Keycloak lets a person in.
        strength: lowest `acr` with which Keycloak lets a person in.
        legal_basis: on what the site's receiving these claims rests.
        keys: where the site's public keys are (`deploy.realm_keys`); None when they are made here.
        id_number: the right to be told the ID number; None for nearly every site.
    """

    site_id: str
    name: str
    kind: SiteKind
    url: str
    redirect_uris: tuple[str, ...]
    notify: str
    return_to: tuple[str, ...]
    claims: tuple[str, ...]
    assurance: str
    strength: str
    contact: str
    legal_basis: str
    keys: Mapping[str, Any] | None
    id_number: NumberRight | None


def read_site(document: Mapping[str, Any], *, file: str, stem: str, local: bool) -> Site:
    """Checks a parsed file, its placeholders filled.

    Args:
        document: the YAML mapping.
        file: the file's name, for the sentences.
        stem: the file's name without `.yaml`.
        local: whether http:// on this machine is allowed (a demonstration).

    Raises:
        SiteFileWrong: with every fault of the file, not only the first.
    """
    check = _Check(document, local=local)
    site = check.site(stem)
    if check.faults:
        raise SiteFileWrong(file, tuple(check.faults))
    return site


def representation(site: Site) -> dict[str, Any]:
    """What the file says, in Keycloak's words; to be laid over `kinds/website.yaml` or `kinds/native-site.yaml`."""
    attributes = {
        FILE_ATTRIBUTE: f"sites/{site.site_id}.yaml",
        ASSURANCE_ATTRIBUTE: "" if site.assurance == ASSURANCE[0] else site.assurance,
        "minimum.acr.value": "" if site.strength == STRENGTH[0] else site.strength,
        "post.logout.redirect.uris": "##".join(site.return_to),
    }
    web = {
        "rootUrl": site.url,
        "baseUrl": f"{site.url}/",
    }
    if site.kind is SiteKind.WEB:
        attributes["backchannel.logout.url"] = site.notify
    return {
        "clientId": site.site_id,
        "name": site.name,
        "redirectUris": list(site.redirect_uris),
        "attributes": attributes,
        # With this scope a person's token is for the real-name room too, which learns from it whose session it is.
        "optionalClientScopes": ["id-number"] if site.id_number is not None else [],
        **(web if site.kind is SiteKind.WEB else {}),
    }


def machine_representation(site: Site) -> dict[str, Any]:
    """The personless client of a site with a right to the ID number; to be laid over `kinds/site-machine.yaml`."""
    return {
        "clientId": f"{site.site_id}{MACHINE_SUFFIX}",
        "name": f"{site.name}（机器）",
        "attributes": {FILE_ATTRIBUTE: f"sites/{site.site_id}.yaml"},
    }


class _Check:
    """Collects all faults of one file."""

    def __init__(self, document: Mapping[str, Any], *, local: bool) -> None:
        self._document = document
        self._local = local
        self.faults: list[str] = []

    def site(self, stem: str) -> Site:
        self._names()
        kind = self._one_of("kind", self._document.get("kind", "web"), tuple(one.value for one in SiteKind))
        web = kind != SiteKind.NATIVE.value
        site_id = self._text("site", "", most=60)
        if site_id and (not _SITE_ID.fullmatch(site_id) or _RESERVED.fullmatch(site_id)):
            self._fault(
                f"site is {site_id!r}; it must be small letters, digits and single hyphens, and no name of ours."
            )
        if site_id and site_id != stem:
            self._fault(f"site is {site_id!r}, but the file is {stem}.yaml: name them alike.")
        url = self._origin() if web else ""
        claims = self._texts("claims", self._document.get("claims"), at_least=0)
        for claim in claims:
            self._one_of("claims", claim, CLAIMS)
        minimum = self._mapping("minimum", ("assurance", "strength"))
        basis = self._document.get("legal_basis", "")
        if claims and (not isinstance(basis, str) or len(basis.strip()) < len("某法第一条")):
            self._fault(
                "legal_basis is missing: say on what law or agreement the site receives these claims."
            )
        log_out = self._log_out(url, web=web)
        return Site(
            site_id=site_id,
            name=self._text("name", "", most=60),
            kind=SiteKind.WEB if web else SiteKind.NATIVE,
            url=url,
            redirect_uris=self._redirects(url, web=web),
            notify=log_out[0],
            return_to=log_out[1],
            claims=claims,
            assurance=self._one_of("minimum.assurance", minimum.get("assurance"), ASSURANCE),
            strength=self._one_of("minimum.strength", minimum.get("strength"), STRENGTH),
            contact=self._text("contact", "", most=200),
            legal_basis=str(basis),
            keys=self._keys(web=web),
            id_number=self._id_number(url, web=web),
        )

    def _names(self) -> None:
        for name in sorted(set(self._document) - _KEYS):
            self._fault(f"{name} is no key of a site's file; the keys are {', '.join(sorted(_KEYS))}.")
        for name in _REQUIRED:
            if name not in self._document:
                self._fault(f"{name} is missing.")

    def _log_out(self, url: str, *, web: bool) -> tuple[str, tuple[str, ...]]:
        if not web:
            if "log_out" in self._document:
                self._fault("log_out has no meaning for a native application: nothing can be posted to it.")
            return "", ()
        section = self._mapping("log_out", ("notify", "return_to"))
        if "log_out" not in self._document:
            self._fault("log_out is missing: signing out everywhere must reach this site.")
        notify = section.get("notify")
        returns = self._texts("log_out.return_to", section.get("return_to"), at_least=1)
        for place, address in (("log_out.notify", notify), *(("log_out.return_to", one) for one in returns)):
            self._address(place, address, url)
        return str(notify), returns

    def _keys(self, *, web: bool) -> Mapping[str, Any] | None:
        keys = self._document.get("keys")
        if keys is None:
            return None
        if not web:
            self._fault("keys has no meaning for a native application: it cannot keep one.")
            return None
        try:
            published_keys(keys)
        except PublishedKeysWrong as error:
            self._fault(str(error))
        return keys if isinstance(keys, Mapping) else None

    def _id_number(self, url: str, *, web: bool) -> NumberRight | None:
        if "id_number" not in self._document:
            return None
        section = self._mapping("id_number", ("legal_basis", "purposes", "return_to"))
        basis, purposes = section.get("legal_basis"), section.get("purposes")
        if not web:
            self._fault(
                "id_number has no meaning for a native application: it has no key to prove itself with."
            )
        if not isinstance(basis, str) or not _LAW.search(basis):
            self._fault("id_number.legal_basis must name a law and its article, such as 《某法》第一条.")
        self._address("id_number.return_to", section.get("return_to"), url)
        if (
            not isinstance(purposes, Mapping)
            or not purposes
            or not all(
                isinstance(code, str) and _PURPOSE.fullmatch(code) and isinstance(one, str) and one.strip()
                for code, one in purposes.items()
            )
        ):
            self._fault("id_number.purposes must give a sentence for each code of small letters and hyphens.")
            purposes = {}
        return NumberRight(
            legal_basis=str(basis),
            purposes={str(code): str(one) for code, one in purposes.items()},
            return_to=str(section.get("return_to")),
        )

    def _redirects(self, url: str, *, web: bool) -> tuple[str, ...]:
        addresses = self._texts("redirect_uris", self._document.get("redirect_uris"), at_least=1)
        for address in addresses:
            if web:
                self._address("redirect_uris", address, url)
            elif not address.startswith(_LOOPBACK) or not _is_exact(address):
                self._fault(
                    f"redirect_uris has {address}; a native application comes back to {_LOOPBACK}… without a port"
                    " (RFC 8252, section 7.3)."
                )
        return addresses

    def _origin(self) -> str:
        url = self._text("url", "", most=200)
        parts = urlsplit(url)
        if url and (f"{parts.scheme}://{parts.netloc}" != url or not self._is_secure(url)):
            self._fault(f"url is {url!r}; it must be https://HOST, with nothing behind it.")
        return url

    def _address(self, place: str, address: object, url: str) -> None:
        if not isinstance(address, str) or not address:
            self._fault(f"{place} must be an address.")
        elif not _is_exact(address):
            self._fault(f"{place} has {address}; addresses are exact: no *, #, ?, user or backward steps.")
        elif url and not address.startswith(f"{url}/"):
            self._fault(f"{place} has {address}, which is not below {url}/.")

    def _is_secure(self, url: str) -> bool:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https"
            or (self._local and parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS)
        )

    def _mapping(self, place: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
        section = self._document.get(place, {})
        if not isinstance(section, Mapping) or set(section) - set(keys):
            self._fault(f"{place} must hold {' and '.join(keys)}, and nothing else.")
            return {}
        return section

    def _text(self, key: str, place: str, *, most: int) -> str:
        value = self._document.get(key)
        if value is None:
            return ""  # told already
        if not isinstance(value, str) or not value.strip() or len(value) > most or not value.isprintable():
            self._fault(f"{place or key} must be a text of at most {most} characters.")
            return ""
        return value

    def _texts(self, place: str, value: object, *, at_least: int) -> tuple[str, ...]:
        if (
            not isinstance(value, list)
            or not all(isinstance(one, str) and one for one in value)
            or len(set(value)) != len(value)
            or len(value) < at_least
        ):
            self._fault(f"{place} must be a list of {'one or more ' if at_least else ''}different texts.")
            return ()
        return tuple(value)

    def _one_of(self, place: str, value: object, allowed: tuple[str, ...]) -> str:
        if value not in allowed:
            self._fault(f"{place} is {value!r}; choose from {', '.join(allowed)}.")
            return ""
        return str(value)

    def _fault(self, sentence: str) -> None:
        if sentence not in self.faults:
            self.faults.append(sentence)


def _is_exact(address: str) -> bool:
    """No wildcard, query, fragment, user part or dot segment: what is compared is what is opened."""
    parts = urlsplit(address)
    return (
        address.isascii()
        and not re.search(r"[*?#@\\\s]|/\.{1,2}(/|$)|%2e", address, re.IGNORECASE)
        and bool(parts.hostname)
        and bool(parts.path)
    )
