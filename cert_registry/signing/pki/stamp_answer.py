"""Reading the answer to a time-stamp request: a stamp, or a reason why there is none.

Source: RFC 3161 section 2.4.2 (PKIStatus granted and grantedWithMods).
"""

from asn1crypto import core, tsp

from cert_registry.signing.errors import TimeStampUnavailable

_GRANTED = {"granted", "granted_with_mods"}


def read_granted(answer: bytes) -> tsp.TimeStampResp:
    """Return the answer if it holds a stamp.

    Raises:
        TimeStampUnavailable: It is a refusal, or not an answer at all.
    """
    try:
        status = tsp.PKIStatusInfo.load(core.Sequence.load(answer, strict=True)[0].dump())
        said, failures = status["status"].native, sorted(status["fail_info"].native or ())
        response = tsp.TimeStampResp.load(answer, strict=True) if said in _GRANTED else None
        if response is not None:
            token = response["time_stamp_token"]["content"]["encap_content_info"]["content"]
            _ = token.parsed["gen_time"].native
    except Exception as error:  # asn1crypto raises builtin errors of many kinds on hostile values
        raise TimeStampUnavailable("The time-stamp authority's answer cannot be read.") from error
    if response is None:
        reason = ", ".join(failures) or said
        raise TimeStampUnavailable(f"The time-stamp authority granted no stamp ({reason}).")
    return response
