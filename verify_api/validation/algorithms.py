"""Until when a digest or a key was good enough, and whether a proved time saves a signature made with it.

Source: NIST SP 800-131A (SHA-1 and keys of less than 112 bits are disallowed for signing after 2013); RFC 6151 and
the collisions of August 2004 (MD5). A validation time that a caller chooses proves nothing: only a time stamp does.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from verify_api.validation.verdicts import SubIndication

if TYPE_CHECKING:
    from asn1crypto import x509

    from verify_api.validation.signed_data import SignedContent

_MD5_UNTIL = datetime(2004, 8, 17, tzinfo=UTC)
_SHA1_UNTIL = datetime(2014, 1, 1, tzinfo=UTC)
_SHORT_RSA_UNTIL = datetime(2014, 1, 1, tzinfo=UTC)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_MIN_RSA_BITS, _ONCE_MIN_RSA_BITS = 2048, 1024
_UNTIL = {"md2": _NEVER, "md4": _NEVER, "md5": _MD5_UNTIL, "sha1": _SHA1_UNTIL}


def good_until(content: SignedContent) -> datetime | None:
    """Return until when digest and key of a signature were accepted, None when they are today."""
    names = {content.digest_name}
    with contextlib.suppress(ValueError):  # a plain rsaEncryption or EdDSA identifier names no hash
        names.add(str(content.signer_info["signature_algorithm"].hash_algo))
    return earliest_end(names, content.signer)


def earliest_end(digests: set[str], signer: x509.Certificate | None) -> datetime | None:
    """Return the earliest end among digests and a signer's key, None when none has ended."""
    ends = [_UNTIL[name] for name in digests if name in _UNTIL]
    key = signer.public_key if signer is not None else None
    if key is not None and key.algorithm in {"rsa", "rsassa_pss"} and key.bit_size < _MIN_RSA_BITS:
        ends.append(_SHORT_RSA_UNTIL if key.bit_size >= _ONCE_MIN_RSA_BITS else _NEVER)
    if key is not None and key.algorithm == "dsa":
        ends.append(_SHORT_RSA_UNTIL)
    return min(ends, default=None)


def judge_end(until: datetime | None, proved: datetime | None) -> SubIndication | None:
    """Say what an algorithm's end means for a signature that is proved to be as old as `proved`."""
    if until is None or (proved is not None and proved < until):
        return None
    if proved is None:
        return SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
    return SubIndication.CRYPTO_CONSTRAINTS_FAILURE
