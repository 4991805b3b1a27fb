"""The only door to PKCS#11: keys stay inside the token, this module asks it to use them.

Works with SoftHSM 2.6 and is written against what a network HSM offers too: P-256 is signed with raw
`CKM_ECDSA` over a digest made here, because SoftHSM has no `CKM_ECDSA_SHA256`. The PKCS#11 login state
belongs to the process, not to a session, so one session per token logs in and lives on while the pooled ones
are opened without a PIN. Nothing is opened before the first use, so a forking server may build a `Token` early.
Every signature is verified before it is returned, and every call is waited for only so long.

The file is long because every use of the library stands here, behind one way of losing and finding sessions.

Source: PKCS#11 v2.40 sections 5.6 (sessions), 6.3 (elliptic curves); PKCS#11 v3.0 section 2.3.14 (EdDSA).
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any, Protocol

import pkcs11
from asn1crypto import core, keys
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass
from pkcs11 import Mechanism as Mech
from pkcs11.util.ec import encode_named_curve_parameters

from cert_registry.signing.bounded_calls import BoundedCalls
from cert_registry.signing.errors import (
    CiphertextRefused,
    KeyExists,
    KeyMisuse,
    KeyNotFound,
    PinRefused,
    TokenUnavailable,
    WrongSignature,
)
from cert_registry.signing.own_signatures import PublicKey, TokenPublicKey, check_own_signature
from cert_registry.signing.pkcs11_module import Module, module
from cert_registry.signing.seal_key import KeyAlgorithm, SealKey
from cert_registry.signing.session_pool import IDLE_CHECK_S, PooledSession, SessionPool

#: PKCS#11 v3.0 names the curve by a PrintableString; SoftHSM accepts that form.
_EDWARDS25519 = core.PrintableString("edwards25519").dump()

#: Order of the group of P-256 (FIPS 186-5, SP 800-186).
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

#: After one of these the session or the whole token is opened again and the operation repeated once.
_LOST = (
    pkcs11.SessionHandleInvalid,
    pkcs11.SessionClosed,
    pkcs11.UserNotLoggedIn,
    pkcs11.KeyHandleInvalid,
    pkcs11.ObjectHandleInvalid,
    pkcs11.DeviceRemoved,
    pkcs11.DeviceError,
    pkcs11.TokenNotPresent,
    pkcs11.TokenNotRecognised,
    pkcs11.SlotIDInvalid,
    pkcs11.GeneralError,
    pkcs11.FunctionFailed,
)
_PIN = (pkcs11.PinIncorrect, pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.PinInvalid, pkcs11.PinLenRange)
_MISUSE = (
    pkcs11.KeyTypeInconsistent,
    pkcs11.MechanismInvalid,
    pkcs11.MechanismParamInvalid,
    pkcs11.KeySizeRange,
    pkcs11.MultipleObjectsReturned,
)


#: How long a caller waits for the token.
ANSWER_WITHIN_S = 15.0
_SETTLES_WITHIN_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """Bounds of one token's pool in one process.

    Args:
        sessions: Sessions in use at once, besides the one that logged in; as many calls may hang.
        waiting: Callers that may wait for a session; a further one is refused at once.
        idle_check_s: After how long an idle session is looked at before it is used.
    """

    sessions: int = 16
    waiting: int = 256
    idle_check_s: float = IDLE_CHECK_S


DEFAULT_LIMITS = PoolLimits()


class SigningKey(SealKey, Protocol):
    """A `SealKey` whose public half is known here, so that it can also issue certificates."""

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        ...


class Token:
    """One token, found by its label; thread-safe.

    Args:
        module_path: The PKCS#11 library.
        token_label: The token's label.
        pin_file: File with the user PIN on its first line. A PIN that was refused is not tried again in this
            process until the file changes: tried again and again it would lock the token.
        answer_within_s: How long a caller waits for the token; a call that hangs does not hang its caller.
        limits: How many sessions may be in use, and how many callers may wait for one.
    """

    def __init__(
        self,
        module_path: str | Path,
        token_label: str,
        pin_file: str | Path,
        *,
        answer_within_s: float = ANSWER_WITHIN_S,
        limits: PoolLimits = DEFAULT_LIMITS,
    ) -> None:
        self.token_label = token_label
        self._module: Module = module(str(module_path))
        self._pin_file = Path(pin_file)
        self._pool = SessionPool(self._module, token_label, self._pin_file, idle_check_s=limits.idle_check_s)
        self._public_keys: dict[str, TokenPublicKey] = {}
        self._calls = BoundedCalls(
            f"The token {token_label!r}",
            limit_s=answer_within_s,
            threads=limits.sessions,
            waiting=limits.waiting,
        )

    def sign_ecdsa_p256(self, key_label: str, data: bytes) -> bytes:
        """Return the DER `ECDSA-Sig-Value` over SHA-256 of `data`.

        Raises:
            KeyNotFound: No such key.
            KeyMisuse: The key is not a P-256 signing key.
            WrongSignature: What the token returns does not verify.
            TokenUnavailable: The token does not answer.
        """
        return self._signed(key_label, data, self._ecdsa_p256)

    def sign_es256(self, key_label: str, data: bytes) -> bytes:
        """Return r ‖ s (64 bytes, s the lower one) over SHA-256 of `data`, as JWS and COSE want it.

        Raises as `sign_ecdsa_p256`.
        """
        r, s = decode_dss_signature(self.sign_ecdsa_p256(key_label, data))
        return r.to_bytes(32) + s.to_bytes(32)

    def sign_ed25519(self, key_label: str, data: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature of `data`; raises as `sign_ecdsa_p256`."""
        return self._signed(key_label, data, self._ed25519)

    def sign_rsa_sha256(self, key_label: str, data: bytes) -> bytes:
        """Return the RSASSA-PKCS1-v1_5 signature over SHA-256 of `data`; raises as `sign_ecdsa_p256`."""
        return self._signed(key_label, data, self._rsa_sha256)

    def _signed(self, key_label: str, data: bytes, sign: Callable[[str, bytes], bytes]) -> bytes:
        """Return a signature that verifies; a wrong one is made again once."""
        signature = sign(key_label, data)
        public_key = self._public_keys.get(key_label)
        if public_key is None:
            public_key = self._public_keys[key_label] = self.public_key(key_label)
        try:
            check_own_signature(public_key, signature, data)
        except WrongSignature:
            signature = sign(key_label, data)
            check_own_signature(public_key, signature, data)
        return signature

    def _ecdsa_p256(self, key_label: str, data: bytes) -> bytes:
        digest = hashlib.sha256(data).digest()
        raw = self._run(
            key_label,
            KeyType.EC,
            ObjectClass.PRIVATE_KEY,
            lambda k: k.sign(digest, mechanism=Mech.ECDSA),
        )
        if len(raw) != 64:  # r ‖ s, 32 bytes each
            raise KeyMisuse(f"The key {key_label!r} is not a P-256 key.")
        # Of the two values that s may have the lower one: otherwise anyone can turn one signature into another.
        r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
        return encode_dss_signature(r, min(s, _P256_ORDER - s))

    def _ed25519(self, key_label: str, data: bytes) -> bytes:
        return bytes(
            self._run(
                key_label,
                KeyType.EC_EDWARDS,
                ObjectClass.PRIVATE_KEY,
                lambda k: k.sign(data, mechanism=Mech.EDDSA),
            )
        )

    def _rsa_sha256(self, key_label: str, data: bytes) -> bytes:
        return bytes(
            self._run(
                key_label,
                KeyType.RSA,
                ObjectClass.PRIVATE_KEY,
                lambda k: k.sign(data, mechanism=Mech.SHA256_RSA_PKCS),
            )
        )

    def mac(self, key_label: str, data: bytes) -> bytes:
        """Return HMAC-SHA-256 of `data` (32 bytes) under a key that only the token knows.

        Raises:
            WrongSignature: The token returns a value, twice, that it does not verify itself. Kept, such a value
                would be somebody's lasting reference that nobody finds again.
        """

        def use(key: Any) -> bytes | None:
            made = bytes(key.sign(data, mechanism=Mech.SHA256_HMAC))
            return made if key.verify(data, made, mechanism=Mech.SHA256_HMAC) else None

        for _ in range(2):
            made = self._run(key_label, KeyType.GENERIC_SECRET, ObjectClass.SECRET_KEY, use)
            if made is not None:
                return bytes(made)
        raise WrongSignature(f"The token returned an HMAC under {key_label!r} that does not verify.")

    def encrypt(self, key_label: str, plaintext: bytes, associated_data: bytes) -> bytes:
        """Return nonce (12) ‖ AES-256-GCM ciphertext ‖ tag (16).

        Meant for wrapping data keys: with random nonces one key must not encrypt more than 2**32 times.
        """
        nonce = os.urandom(12)
        parameters = pkcs11.GCMParams(nonce, aad=associated_data, tag_bits=128)
        return nonce + bytes(
            self._run(
                key_label,
                KeyType.AES,
                ObjectClass.SECRET_KEY,
                lambda k: k.encrypt(plaintext, mechanism=Mech.AES_GCM, mechanism_param=parameters),
            )
        )

    def decrypt(self, key_label: str, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Undo `encrypt`.

        Raises:
            CiphertextRefused: Too short, altered, or made with other associated data.
        """
        if len(ciphertext) < 28:  # nonce and tag
            raise CiphertextRefused("The ciphertext is shorter than its nonce and tag.")
        parameters = pkcs11.GCMParams(ciphertext[:12], aad=associated_data, tag_bits=128)

        def open_it(key: Any) -> bytes:
            try:
                return bytes(key.decrypt(ciphertext[12:], mechanism=Mech.AES_GCM, mechanism_param=parameters))
            except (
                pkcs11.EncryptedDataInvalid,
                pkcs11.EncryptedDataLenRange,
                pkcs11.GeneralError,  # what SoftHSM answers when the tag does not match
            ) as error:
                raise CiphertextRefused("The ciphertext does not open under this key.") from error

        return bytes(self._run(key_label, KeyType.AES, ObjectClass.SECRET_KEY, open_it))

    def public_key(self, key_label: str) -> TokenPublicKey:
        """Return the public half of a key pair."""
        return _decode_public_key(self._run(key_label, None, ObjectClass.PUBLIC_KEY, _encode_public_key))

    def signing_key(self, key_label: str) -> "TokenKey":
        """Return the key pair as a `SigningKey`; asks the token for its public half at once."""
        return TokenKey(self, key_label, self.public_key(key_label))

    def has_key(self, key_label: str) -> bool:
        """Tell whether a private or secret key has that label."""
        for object_class in (ObjectClass.PRIVATE_KEY, ObjectClass.SECRET_KEY):
            try:
                self._run(key_label, None, object_class, lambda _: None)
            except KeyNotFound:
                continue
            return True
        return False

    def is_extractable(self, key_label: str) -> bool:
        """Tell whether the token would ever hand the private or secret key out."""
        for object_class in (ObjectClass.PRIVATE_KEY, ObjectClass.SECRET_KEY):
            try:
                return bool(
                    self._run(
                        key_label,
                        None,
                        object_class,
                        lambda k: k[Attribute.EXTRACTABLE] or not k[Attribute.SENSITIVE],
                    )
                )
            except KeyNotFound:
                continue
        raise KeyNotFound(self.token_label, key_label)

    def generate(self, key_label: str, algorithm: KeyAlgorithm) -> None:
        """Make a key inside the token: sensitive, never extractable.

        Raises:
            KeyExists: The label is taken.
        """
        if self.has_key(key_label):
            raise KeyExists(f"The token {self.token_label!r} already holds a key {key_label!r}.")
        self._attempt(lambda pooled: _generate(pooled.session, key_label, algorithm), read_write=True)

    def probe(self) -> None:
        """Ask the token for 16 random bytes after login.

        Raises:
            TokenUnavailable: It does not answer.
        """
        self._attempt(lambda pooled: pooled.session.generate_random(128))

    # --- sessions -------------------------------------------------------------------------------------

    def _run(
        self, key_label: str, key_type: KeyType | None, object_class: ObjectClass, use: Callable[[Any], Any]
    ) -> Any:
        def work(pooled: PooledSession) -> Any:
            key = self._find(pooled, key_label, object_class)
            if key_type is not None and key.key_type != key_type:
                raise KeyMisuse(f"The key {key_label!r} is not of the kind {key_type.name}.")
            return use(key)

        return self._attempt(work)

    def _attempt(self, work: Callable[[PooledSession], Any], *, read_write: bool = False) -> Any:
        """Run `work` on a session, waiting for it only so long."""
        return self._calls.run(lambda: self._persist(work, read_write=read_write))

    def _persist(self, work: Callable[[PooledSession], Any], *, read_write: bool) -> Any:
        """Run `work` on a session; after a loss reopen the sessions, then the module (twice), then give up."""
        for step in ("reopen", "reload", "wait and reload", "give up"):
            try:
                with (
                    self._module.in_use() as generation,
                    self._pool.session(generation, read_write=read_write) as pooled,
                ):
                    return work(pooled)
            except _PIN as error:
                raise PinRefused(
                    f"The token {self.token_label!r} refuses the PIN in {self._pin_file}."
                ) from error
            except _MISUSE as error:
                raise KeyMisuse(f"The key is not made for this ({type(error).__name__}).") from error
            except (*_LOST, pkcs11.NoSuchToken) as error:
                if step == "give up":
                    raise TokenUnavailable(
                        f"The token {self.token_label!r} does not answer ({type(error).__name__})."
                    ) from error
                self._pool.forget()
                if step == "wait and reload":
                    # several processes that open SoftHSM's files at once can find a token missing for a moment
                    sleep(_SETTLES_WITHIN_S)
                if step != "reopen":
                    self._module.reload()
            except pkcs11.PKCS11Error as error:
                raise TokenUnavailable(
                    f"The token {self.token_label!r} failed ({type(error).__name__}: {error})."
                ) from error
        raise AssertionError  # the last step raises

    def _find(self, pooled: PooledSession, key_label: str, object_class: ObjectClass) -> Any:
        found, session = pooled.keys, pooled.session
        name = (key_label, object_class)
        if name not in found:
            try:
                found[name] = session.get_key(object_class=object_class, label=key_label)
            except pkcs11.NoSuchKey as error:
                # A token that restarted meanwhile hides its private objects: nobody is logged in any more.
                if not self._module.is_logged_in(session.handle):
                    raise pkcs11.UserNotLoggedIn from error
                raise KeyNotFound(self.token_label, key_label) from error
        return found[name]


class TokenKey:
    """A key pair on a token as a `SigningKey`."""

    def __init__(self, token: Token, key_label: str, public_key: TokenPublicKey) -> None:
        self.key_label = key_label
        self._token = token
        self._public_key = public_key
        if isinstance(public_key, ed25519.Ed25519PublicKey):
            self._algorithm, self._sign = KeyAlgorithm.ED25519, token.sign_ed25519
        elif isinstance(public_key, rsa.RSAPublicKey):
            self._algorithm, self._sign = KeyAlgorithm.RSA_3072, token.sign_rsa_sha256
        else:
            self._algorithm, self._sign = KeyAlgorithm.ECDSA_P256, token.sign_ecdsa_p256

    @property
    def algorithm(self) -> KeyAlgorithm:
        """The kind of the key."""
        return self._algorithm

    @property
    def public_key(self) -> TokenPublicKey:
        """The public half, as read when this object was made."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """Sign `data` inside the token."""
        return self._sign(self.key_label, data)


def _encode_public_key(key: Any) -> bytes:
    """Return the SubjectPublicKeyInfo (DER) of a public key object of the token."""
    if key.key_type == KeyType.RSA:
        rsa_key = keys.RSAPublicKey(
            {
                "modulus": int.from_bytes(key[Attribute.MODULUS]),
                "public_exponent": int.from_bytes(key[Attribute.PUBLIC_EXPONENT]),
            }
        )
        return bytes(keys.PublicKeyInfo.wrap(rsa_key, "rsa").dump())
    point = bytes(core.OctetString.load(key[Attribute.EC_POINT]))
    if key.key_type == KeyType.EC_EDWARDS:
        algorithm = keys.PublicKeyAlgorithm({"algorithm": "ed25519"})
    else:
        parameters = keys.ECDomainParameters.load(key[Attribute.EC_PARAMS])
        algorithm = keys.PublicKeyAlgorithm({"algorithm": "ec", "parameters": parameters})
    return bytes(keys.PublicKeyInfo({"algorithm": algorithm, "public_key": point}).dump())


def _decode_public_key(der: bytes) -> TokenPublicKey:
    key = load_der_public_key(der)
    if not isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey):
        raise KeyMisuse("The public key is of a kind that is not used here.")
    return key


def _generate(session: Any, key_label: str, algorithm: KeyAlgorithm) -> None:
    identity = {"id": key_label.encode(), "label": key_label, "store": True}
    hidden = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False}
    pair = {
        **identity,
        "capabilities": MechanismFlag.SIGN | MechanismFlag.VERIFY,
        "private_template": hidden,
    }
    if algorithm is KeyAlgorithm.RSA_3072:
        session.generate_keypair(KeyType.RSA, 3072, **pair)
    elif algorithm is KeyAlgorithm.ECDSA_P256:
        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
        session.create_domain_parameters(KeyType.EC, curve, local=True).generate_keypair(**pair)
    elif algorithm is KeyAlgorithm.ED25519:
        curve = {Attribute.EC_PARAMS: _EDWARDS25519}
        session.create_domain_parameters(KeyType.EC_EDWARDS, curve, local=True).generate_keypair(
            mechanism=Mech.EC_EDWARDS_KEY_PAIR_GEN, **pair
        )
    elif algorithm is KeyAlgorithm.HMAC_SHA256:
        signing = {**hidden, Attribute.SIGN: True, Attribute.VERIFY: True}
        session.generate_key(KeyType.GENERIC_SECRET, 256, template=signing, **identity)
    elif algorithm is KeyAlgorithm.AES_256:
        session.generate_key(
            KeyType.AES,
            256,
            capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
            template=hidden,
            **identity,
        )
    else:
        raise KeyMisuse(f"Keys of the kind {algorithm.value} are not made in this token.")
