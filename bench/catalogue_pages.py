"""Every sample of the catalogue as a rendered page, for tests and benchmarks that seal them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import rfc8785

from cert_registry.catalog.certificate_type import CertificateType
from cert_registry.catalog.loading import Catalog
from cert_registry.catalog.rendering import DEMO_MARK, Imprint, render
from cert_registry.check_code import CheckCode
from cert_registry.identifier import new_identifier
from cert_registry.signing.seal_field import SealPlace

_TODAY = date(2026, 11, 25)


@dataclass(frozen=True, slots=True, kw_only=True)
class CataloguePage:
    """A rendered page, where its seal goes, and `type-sample`."""

    name: str
    pdf: bytes
    place: SealPlace


def catalogue_pages(catalog: Catalog) -> list[CataloguePage]:
    """Render every sample of every type."""
    return [
        catalogue_page_maker(certificate_type, sample)("2345678923456789")
        for certificate_type in catalog.types()
        for sample in sorted(certificate_type.samples)
    ]


def catalogue_page_maker(certificate_type: CertificateType, sample: str) -> Callable[[str], CataloguePage]:
    """Return what renders one sample, given its check code."""
    code = certificate_type.define_authority_code
    identifier = str(new_identifier(certificate_type.type_code, code, random_below=lambda _limit: 0))
    face = certificate_type.check_face(certificate_type.samples[sample], today=_TODAY)

    def make(check_code: str) -> CataloguePage:
        imprint = Imprint(
            identifier=identifier,
            check_code=CheckCode(check_code),
            qr_text="HTTP://LOCALHOST/VERIFY",
            issuer_name=certificate_type.define_authority_name,
            issuer_code=code,
            issued_on=_TODAY,
            version=1,
            twin=rfc8785.dumps({"preview": True}),
            mark=DEMO_MARK,
        )
        done = render(certificate_type, face, imprint)
        at = done.seal_place
        place = SealPlace(
            page=at.page + 1,
            left=at.left,
            bottom=at.bottom,
            width=at.right - at.left,
            height=at.top - at.bottom,
        )
        return CataloguePage(name=f"{certificate_type.slug}-{sample}", pdf=done.pdf, place=place)

    return make
