"""Names of the SM algorithms in asn1crypto's tables, which do not have them.

Importing this module registers them for the whole process; registering twice changes nothing. The names are
`sm3` (digest), `sm2_sm3` (signature) and `sm2p256v1` (curve), and `SignedDigestAlgorithm` tells `sm2` and `sm3`
as the parts of `sm2_sm3`.

Source: GM/T 0006-2012 (identifiers); GB/T 33560-2017.
"""

from typing import Any

from asn1crypto import algos, keys

SM3 = "sm3"
SM2_WITH_SM3 = "sm2_sm3"
SM2_CURVE = "sm2p256v1"

SM3_OID = "1.2.156.10197.1.401"
SM2_WITH_SM3_OID = "1.2.156.10197.1.501"
SM2_CURVE_OID = "1.2.156.10197.1.301"


def _register() -> None:
    for identifiers, oid, name in (
        (algos.DigestAlgorithmId, SM3_OID, SM3),
        (algos.SignedDigestAlgorithmId, SM2_WITH_SM3_OID, SM2_WITH_SM3),
    ):
        tables = vars(identifiers)  # asn1crypto has no way of its own to add a name here
        tables["_map"][oid] = name
        if tables.get("_reverse_map") is not None:
            tables["_reverse_map"][name] = oid
    keys.NamedCurve.register(SM2_CURVE, SM2_CURVE_OID, 32)
    _teach("signature_algo", "sm2")
    _teach("hash_algo", SM3)


def _teach(name: str, answer: str) -> None:
    """Let a property of `SignedDigestAlgorithm` know `sm2_sm3`, on which it raises otherwise."""
    known = algos.SignedDigestAlgorithm.__dict__[name]
    if getattr(known.fget, "knows_sm2", False):
        return

    def tell(self: Any) -> str:
        if self["algorithm"].native == SM2_WITH_SM3:
            return answer
        return str(known.fget(self))

    tell.knows_sm2 = True  # type: ignore[attr-defined] # a mark on the function
    setattr(algos.SignedDigestAlgorithm, name, property(tell))


_register()
