"""Whether the tokens still hold what `pki/` and the transcript say was made. Looks only: nothing is made here."""

from collections.abc import Iterator
from pathlib import Path

import pkcs11

from cert_registry.signing.pkcs11_module import module
from cert_registry.signing.pki.directory import ROOT, PkiDirectory
from cert_registry.signing.token import Token
from hsm_sim.plan import PLAN_FILE, Plan, read_plan
from hsm_sim.softhsm import module_path, pin_file
from hsm_sim.transcript import Transcript

_REMEDY = "restore the tokens that belong to it (softhsm/ and secrets/) from backup."


def root_is_away(state_dir: Path, plan: Plan, pki: PkiDirectory) -> bool:
    """Tell whether the root was made and its PIN was then taken off the machine."""
    return pki.has(ROOT) and not pin_file(state_dir, plan.key_of(ROOT).token).is_file()


def token_exists(label: str) -> bool:
    """Tell whether a token of that label exists with a PIN, whether or not that PIN is at hand.

    Raises:
        SigningError: The PKCS#11 library cannot be used.
    """
    library = module(module_path())
    with library.in_use():
        try:
            return pkcs11.TokenFlag.USER_PIN_INITIALIZED in library.find_token(label).flags
        except pkcs11.NoSuchToken:
            return False


def lost(state_dir: Path) -> tuple[str, ...]:
    """Return a sentence for each token, PIN or key that once was there; none before the first ceremony.

    The root's are not asked for while its PIN is away. SoftHSM must have been pointed at the state directory.

    Raises:
        SigningError: A token refuses its PIN or does not answer.
    """
    plan = read_plan(PLAN_FILE.read_text(encoding="utf-8"))
    return tuple(_lost(state_dir, plan, PkiDirectory(state_dir / "pki")))


def _lost(state_dir: Path, plan: Plan, pki: PkiDirectory) -> Iterator[str]:
    acts = Transcript.open(state_dir / "pki" / "ceremony-transcript.json").acts
    certified = [c for c in plan.certificates if pki.has(c.name)]
    away = {plan.key_of(ROOT).token} if root_is_away(state_dir, plan, pki) else set()
    labels = {act["token"] for act in acts if "token" in act} | {c.key.token for c in certified}
    keys = {(act["token"], act["key"]) for act in acts if act["act"] == "key made"}
    for label in sorted(labels - away):
        if not token_exists(label):
            yield f"The token {label} is not there, but pki/ has what was made with it: {_REMEDY}"
            continue
        file = pin_file(state_dir, label)
        if not file.is_file():
            yield f"The token {label} exists but {file} does not: restore the file from backup."
            continue
        token = Token(module_path(), label, file)
        absent = [key for holder, key in sorted(keys) if holder == label and not token.has_key(key)]
        absent += [
            c.key.label
            for c in certified
            if c.key.token == label and c.key.label not in absent and not token.has_key(c.key.label)
        ]
        for key in absent:
            yield f"The key {label}/{key} is not there, but the ceremony made it: {_REMEDY}"
        for c in certified:
            if c.key.token != label or c.key.label in absent:
                continue
            if pki.certificate(c.name).public_key() != token.public_key(c.key.label):
                yield f"The certificate {c.name} is for another key than {label}/{c.key.label}: {_REMEDY}"
