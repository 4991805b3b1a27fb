"""Proofs, notes and trees against public vectors and against RFC 6962 written down naively."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from cert_registry.tlog.checkpoint import open_checkpoint, sign_checkpoint
from cert_registry.tlog.errors import MalformedNote, NoteNotSigned, ProofRefused
from cert_registry.tlog.leaf import leaf_entry
from cert_registry.tlog.merkle import (
    EMPTY_ROOT,
    Hash,
    consistency_path,
    fold,
    hash_leaf,
    inclusion_path,
    subtree_hash,
)
from cert_registry.tlog.note import NoteVerifier, TokenNoteSigner, open_note, parse_note, sign_note
from cert_registry.tlog.proof import (
    TlogProof,
    parse_proof,
    verify_consistency,
    verify_inclusion,
    verify_proof,
)

# Origin: Certificate Transparency's reference leaves and roots (RFC 6962 implementations share them).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Origin: golang.org/x/mod/sumdb/note, the example of the signed-note specification.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE_TEXT = "This is an example message.\n"
NOTE_SIGNATURE = (
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
)
NOTE = f"{NOTE_TEXT}\n— example.com/foo {NOTE_SIGNATURE}\n".encode()

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = TokenNoteSigner(
    verifier=NoteVerifier(name="log.example/t", public_key=KEY.public_key().public_bytes_raw()),
    sign_bytes=KEY.sign,
)


class Memory:
    """Perfect subtrees of leaves kept in memory."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.hashes = [hash_leaf(leaf) for leaf in leaves]

    def node(self, height: int, index: int) -> Hash:
        return fold(self.hashes[index << height : (index + 1) << height])


def naive_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = max(2**i for i in range(10) if 2**i < len(leaves))
    return hashlib.sha256(b"\1" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = max(2**i for i in range(10) if 2**i < len(leaves))
    if index < k:
        return [*naive_path(index, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(index - k, leaves[k:]), naive_root(leaves[:k])]


def naive_subproof(m: int, leaves: list[bytes], *, whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [naive_root(leaves)]
    k = max(2**i for i in range(10) if 2**i < len(leaves))
    if m <= k:
        return [*naive_subproof(m, leaves[:k], whole=whole), naive_root(leaves[k:])]
    return [*naive_subproof(m - k, leaves[k:], whole=False), naive_root(leaves[:k])]


@pytest.mark.parametrize("size", range(1, 9))
def test_reference_roots(size: int) -> None:
    root = subtree_hash(Memory(LEAVES), 0, size)
    assert root.hex() == ROOTS[size - 1] == naive_root(LEAVES[:size]).hex()


def test_the_empty_tree() -> None:
    assert subtree_hash(Memory([]), 0, 0) == EMPTY_ROOT == hashlib.sha256(b"").digest()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_inclusion_proofs_agree_with_the_naive_tree_and_nothing_else_verifies(data: st.DataObject) -> None:
    leaves = [bytes([n % 256, n // 256]) for n in range(data.draw(st.integers(1, 300), label="size"))]
    size = len(leaves)
    index = data.draw(st.integers(0, size - 1), label="index")
    path = inclusion_path(Memory(leaves), index, size)
    assert list(path) == naive_path(index, leaves)
    root = Hash(naive_root(leaves))
    verify_inclusion(entry=leaves[index], index=index, size=size, path=path, root=root)
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index or size == 1), label="other")
    if size > 1:
        with pytest.raises(ProofRefused):
            verify_inclusion(entry=leaves[other], index=index, size=size, path=path, root=root)
        with pytest.raises(ProofRefused):
            verify_inclusion(entry=leaves[index], index=other, size=size, path=path, root=root)
    for wrong in (path[:-1], (*path, EMPTY_ROOT)):
        if wrong != path:
            with pytest.raises(ProofRefused):
                verify_inclusion(entry=leaves[index], index=index, size=size, path=wrong, root=root)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_consistency_proofs_agree_with_the_naive_tree_and_nothing_else_verifies(data: st.DataObject) -> None:
    new = data.draw(st.integers(1, 300), label="new")
    old = data.draw(st.integers(1, new), label="old")
    leaves = [bytes([n % 256, n // 256]) for n in range(new)]
    path = consistency_path(Memory(leaves), old, new)
    assert list(path) == naive_subproof(old, leaves, whole=True)
    roots = {"old_root": Hash(naive_root(leaves[:old])), "new_root": Hash(naive_root(leaves))}
    verify_consistency(old=old, new=new, path=path, **roots)
    with pytest.raises(ProofRefused):
        verify_consistency(old=old, new=new, path=(*path, EMPTY_ROOT), **roots)
    if old < new:
        with pytest.raises(ProofRefused):
            verify_consistency(old=old, new=new, path=path[:-1], **roots)
        with pytest.raises(ProofRefused):
            verify_consistency(old=old, new=new, path=path, old_root=EMPTY_ROOT, new_root=roots["new_root"])
        with pytest.raises(ProofRefused):
            verify_consistency(old=old, new=new, path=path, old_root=roots["old_root"], new_root=EMPTY_ROOT)


def test_everything_continues_the_empty_tree() -> None:
    root = Hash(naive_root(LEAVES))
    verify_consistency(old=0, old_root=EMPTY_ROOT, new=8, new_root=root, path=())
    with pytest.raises(ProofRefused):
        verify_consistency(old=0, old_root=root, new=8, new_root=root, path=())
    with pytest.raises(ProofRefused):
        verify_consistency(old=9, old_root=root, new=8, new_root=root, path=())
    with pytest.raises(ProofRefused):
        verify_inclusion(entry=b"", index=0, size=0, path=(), root=EMPTY_ROOT)


def test_the_signed_note_vector() -> None:
    verifier = NoteVerifier.from_vkey(VKEY)
    assert verifier.vkey == VKEY
    assert open_note(NOTE, verifier) == NOTE_TEXT


def test_a_note_signed_here_opens_here_and_not_under_another_text_or_key() -> None:
    note = sign_note("one\ntwo\n", SIGNER)
    assert open_note(note, SIGNER.verifier) == "one\ntwo\n"
    with pytest.raises(NoteNotSigned):
        open_note(note.replace(b"two", b"2wo"), SIGNER.verifier)
    with pytest.raises(NoteNotSigned):
        open_note(note, NoteVerifier.from_vkey(VKEY))
    second = note + NOTE.split(b"\n\n")[1]
    assert open_note(second, SIGNER.verifier) == "one\ntwo\n"
    with pytest.raises(MalformedNote):
        sign_note("no line feed", SIGNER)


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"\n\n\xe2\x80\x94 a AAAAAAAA\n",
        NOTE.replace(b"\xe2\x80\x94 ", b"- "),
        NOTE[:-1],
        NOTE.replace(b"yaQM=", b"yaQN="),
        NOTE.replace(b"message", b"mess\tage"),
        NOTE.replace(b"message", b"\xff"),
        NOTE + b"\n",
        NOTE.replace(b"example.com/foo ", b"example.com/foo"),
        b"text\n\n\xe2\x80\x94 a AAAA\n",
        b"text\n\n" + b"\xe2\x80\x94 a AAAAAAAA\n" * 101,
    ],
)
def test_what_is_no_note(wrong: bytes) -> None:
    with pytest.raises(MalformedNote):
        parse_note(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        "example.com/foo",
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("+Aeky", "+Beky"),
        VKEY[:-4],
        VKEY.replace("example.com", "exa mple.com"),
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ],
)
def test_what_is_no_key(wrong: str) -> None:
    with pytest.raises(MalformedNote):
        NoteVerifier.from_vkey(wrong)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_a_note_or_malformed(noise: bytes) -> None:
    for text in (noise, NOTE[:40] + noise, noise + NOTE[20:]):
        try:
            parse_note(text)
        except MalformedNote:
            continue


@pytest.mark.parametrize("size", ["01", "+1", " 1", "1_0", "1.0", "-1", "", "99999999999999999999"])
def test_a_checkpoint_states_its_size_strictly(size: str) -> None:
    note = sign_note(f"log.example/t\n{size}\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", SIGNER)
    with pytest.raises(MalformedNote):
        open_checkpoint(note, origin="log.example/t", verifier=SIGNER.verifier)


def test_a_checkpoint_of_another_shape_is_refused() -> None:
    for body in ("log.example/t\n1\nAAAA\n", "log.example/t\n1\n", "x\n1\n" + "A" * 43 + "=\n"):
        with pytest.raises(MalformedNote):
            open_checkpoint(sign_note(body, SIGNER), origin="log.example/t", verifier=SIGNER.verifier)


def proof_of_leaf_5() -> TlogProof:
    memory = Memory(LEAVES)
    checkpoint = sign_checkpoint("log.example/t", 8, subtree_hash(memory, 0, 8), SIGNER)
    path = inclusion_path(memory, 5, 8)
    return TlogProof(index=5, path=path, checkpoint_note=checkpoint.note, extra=b"more")


def test_the_proof_file_is_read_back_and_convinces() -> None:
    text = proof_of_leaf_5().to_text()
    assert text.startswith("c2sp.org/tlog-proof@v1\nextra bW9yZQ==\nindex 5\n")
    proof = parse_proof(text)
    assert proof == proof_of_leaf_5()
    checkpoint = verify_proof(proof, entry=LEAVES[5], origin="log.example/t", verifier=SIGNER.verifier)
    assert checkpoint.root.hex() == ROOTS[7]
    with pytest.raises(ProofRefused):
        verify_proof(proof, entry=LEAVES[4], origin="log.example/t", verifier=SIGNER.verifier)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@v1", "@v2"),
        ("index 5", "index 05"),
        ("index 5\n", ""),
        ("extra bW9yZQ==", "extra "),
        ("extra bW9yZQ==", "extra bW9yZR=="),
        ("\n\n", "\n"),
        ("index 5\n", "index 5\n" + "A" * 44 + "\n"),
        ("index 5\n", "index 5\n" + ("A" * 43 + "=\n") * 64),
    ],
)
def test_a_proof_file_is_read_strictly(old: str, new: str) -> None:
    text = proof_of_leaf_5().to_text()
    text = text.replace(old, new) if old == "\n\n" else text.replace(old, new, 1)
    with pytest.raises(MalformedNote):
        parse_proof(text)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_proof_file_or_malformed(noise: str) -> None:
    for text in (noise, "c2sp.org/tlog-proof@v1\n" + noise, "c2sp.org/tlog-proof@v1\nindex 1\n\n" + noise):
        try:
            parsed = parse_proof(text)
        except MalformedNote:
            continue
        assert parsed.to_text() == text


def test_an_entry_depends_on_domain_salt_and_event() -> None:
    event = {"event": "issued", "number": 1}
    entry = leaf_entry("longzheng ecert-issued v1", bytes(32), event)
    canonical = b"longzheng ecert-issued v1\0" + bytes(32) + b'{"event":"issued","number":1}'
    assert entry == hashlib.sha256(canonical).digest()
    for domain, salt, content in (
        ("", bytes(32), event),
        ("a\0b", bytes(32), event),
        ("a", bytes(31), event),
        ("a", bytes(32), {"number": float("nan")}),
    ):
        with pytest.raises(MalformedNote):
            leaf_entry(domain, salt, content)
