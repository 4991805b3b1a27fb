"""Renders a sample of a type to a file, for whoever edits a template: `<slug> <sample> <file.pdf>`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import rfc8785

from cert_registry.catalog.errors import CatalogError
from cert_registry.catalog.loading import TYPES_DIRECTORY, Catalog
from cert_registry.catalog.rendering import DEMO_MARK, Imprint, render
from cert_registry.check_code import CheckCode
from cert_registry.civil_date import civil_date_at
from cert_registry.identifier import new_identifier


def main(arguments: list[str]) -> int:
    """Render; 0 done, 1 the catalogue or the template is wrong, 2 bad usage."""
    if len(arguments) != 3:
        sys.stderr.write("用法：python -m cert_registry.catalog.preview <类型> <样例> <文件.pdf>\n")
        return 2
    slug, sample, file = arguments
    today = civil_date_at(datetime.now(UTC))
    try:
        certificate_type = Catalog.load(TYPES_DIRECTORY).by_slug(slug)
        face = certificate_type.check_face(certificate_type.samples.get(sample, {}), today=today)
        issuer_code = certificate_type.define_authority_code
        imprint = Imprint(
            identifier=str(
                new_identifier(certificate_type.type_code, issuer_code, random_below=lambda _limit: 0)
            ),
            check_code=CheckCode("2345678923456789"),
            qr_text="HTTP://LOCALHOST/VERIFY",
            issuer_name=certificate_type.define_authority_name,
            issuer_code=issuer_code,
            issued_on=today,
            version=1,
            twin=rfc8785.dumps({"preview": True}),
            mark=DEMO_MARK,
        )
        Path(file).write_bytes(render(certificate_type, face, imprint).pdf)
    except CatalogError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
