"""Every sample of the catalogue as a rendered page, for tests and benchmarks that seal them."""

from dataclasses import dataclass
from datetime import date

import rfc8785

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
    pages = []
    for certificate_type in catalog.types():
        for sample, values in sorted(certificate_type.samples.items()):
            code = certificate_type.define_authority_code
            imprint = Imprint(
                identifier=str(
                    new_identifier(certificate_type.type_code, code, random_below=lambda _limit: 0)
                ),
                check_code=CheckCode("2345678923456789"),
                qr_text="HTTP://LOCALHOST/VERIFY",
                issuer_name=certificate_type.define_authority_name,
                issuer_code=code,
                issued_on=_TODAY,
                version=1,
                twin=rfc8785.dumps({"preview": True}),
                mark=DEMO_MARK,
            )
            face = certificate_type.check_face(values, today=_TODAY)
            done = render(certificate_type, face, imprint)
            at = done.seal_place
            place = SealPlace(
                page=at.page + 1,
                left=at.left,
                bottom=at.bottom,
                width=at.right - at.left,
                height=at.top - at.bottom,
            )
            pages.append(CataloguePage(name=f"{certificate_type.slug}-{sample}", pdf=done.pdf, place=place))
    return pages
