"""The log on a real disk: every write broken once before and once after it landed."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cert_registry.tlog.checkpoint import open_checkpoint
from cert_registry.tlog.durable import DurableFiles
from cert_registry.tlog.errors import (
    EntryUnknown,
    LogRolledBack,
    LogUnavailable,
    MalformedNote,
    NoteNotSigned,
    TreeDamaged,
)
from cert_registry.tlog.leaf import LeafEntry
from cert_registry.tlog.log import Log
from cert_registry.tlog.merkle import EMPTY_ROOT, Hash
from cert_registry.tlog.note import NoteVerifier, TokenNoteSigner
from cert_registry.tlog.proof import parse_proof, verify_consistency, verify_inclusion, verify_proof
from cert_registry.tlog.tiles import tile_path

pytestmark = pytest.mark.thorough

ORIGIN = "log.example/ecerts"


def new_signer() -> TokenNoteSigner:
    return signer_of(Ed25519PrivateKey.generate().private_bytes_raw())


def signer_of(seed: bytes) -> TokenNoteSigner:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    verifier = NoteVerifier(name=ORIGIN, public_key=key.public_key().public_bytes_raw())
    return TokenNoteSigner(verifier=verifier, sign_bytes=key.sign)


def leaves(start: int, end: int) -> list[LeafEntry]:
    return [LeafEntry(hashlib.sha256(number.to_bytes(8, "big")).digest()) for number in range(start, end)]


def naive_root(entries: list[LeafEntry]) -> bytes:
    """Merkle tree hash, written down as RFC 6962 section 2.1 says it."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\0" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\1" + naive_root(entries[:k]) + naive_root(entries[k:])).digest()


class PowerCut(Exception):
    """The machine stops here."""


class FailingFiles(DurableFiles):
    """Real files, until the write with this number: it stops before or after that one landed."""

    def __init__(self, stop_at: int, *, landed: bool) -> None:
        self.stop_at = stop_at
        self.landed = landed
        self.writes = 0

    def write(self, path: Path, content: bytes) -> None:
        self.writes += 1
        if self.writes < self.stop_at or (self.writes == self.stop_at and self.landed):
            super().write(path, content)
        if self.writes == self.stop_at:
            raise PowerCut


class CountingFiles(DurableFiles):
    def __init__(self) -> None:
        self.paths: list[str] = []

    def write(self, path: Path, content: bytes) -> None:
        self.paths.append(path.name)
        super().write(path, content)


def test_an_empty_log_publishes_the_empty_tree(tmp_path: Path) -> None:
    signer = new_signer()
    checkpoint = open_checkpoint(
        Log(tmp_path, ORIGIN, signer).checkpoint(), origin=ORIGIN, verifier=signer.verifier
    )
    assert (checkpoint.size, checkpoint.root) == (0, EMPTY_ROOT)


def test_appending_is_idempotent_by_entry(tmp_path: Path) -> None:
    log = Log(tmp_path, ORIGIN, new_signer())
    first = log.append(leaves(0, 3))
    again = log.append(leaves(0, 3))
    overlapping = log.append([*leaves(2, 5), *leaves(4, 5)])
    assert again == first
    assert overlapping.size == 5
    assert overlapping.root == naive_root(leaves(0, 5))
    assert [log.index_of(entry) for entry in leaves(0, 5)] == [0, 1, 2, 3, 4]
    assert log.sequence([*leaves(4, 7), *leaves(0, 1), *leaves(4, 5)]) == (4, 5, 6, 0, 4)


@pytest.mark.parametrize("steps", [(1, 255, 1, 1), (256, 256), (300, 300, 7), (65535, 1, 1), (700, 65000)])
def test_root_and_proofs_across_tile_boundaries(tmp_path: Path, steps: tuple[int, ...]) -> None:
    log = Log(tmp_path, ORIGIN, new_signer())
    size, checkpoints = 0, []
    for step in steps:
        checkpoints.append(log.append(leaves(size, size + step)))
        size += step
    everything = leaves(0, size)
    final = checkpoints[-1]
    assert final.root == naive_root(everything)
    for checkpoint in checkpoints:
        verify_consistency(
            old=checkpoint.size,
            old_root=checkpoint.root,
            new=final.size,
            new_root=final.root,
            path=[Hash(node) for node in log.consistency_proof(checkpoint.size, final.size)],
        )
        for index in {0, checkpoint.size // 2, checkpoint.size - 1}:
            path = [Hash(node) for node in log.inclusion_proof(index, checkpoint.size)]
            verify_inclusion(
                entry=everything[index], index=index, size=checkpoint.size, path=path, root=checkpoint.root
            )


def _writes_of_second_append(tmp_path: Path) -> int:
    signer = new_signer()
    Log(tmp_path, ORIGIN, signer).append(leaves(0, 200))
    files = CountingFiles()
    Log(tmp_path, ORIGIN, signer, files=files).append(leaves(200, 600))
    assert files.paths[-2:] == ["checkpoint", "newest"], "the checkpoint comes after every tile"
    return len(files.paths)


@pytest.mark.parametrize("landed", [False, True])
def test_a_power_cut_at_any_write_leaves_the_old_tree_or_the_new_one(tmp_path: Path, *, landed: bool) -> None:
    count = _writes_of_second_append(tmp_path / "count")
    assert count == 9  # 3 bundles, 3 tiles of level 0, 1 of level 1, checkpoint, newest
    for stop_at in range(1, count + 1):
        directory = tmp_path / str(stop_at)
        signer = new_signer()
        old = Log(directory, ORIGIN, signer).append(leaves(0, 200))
        broken = Log(directory, ORIGIN, signer, files=FailingFiles(stop_at, landed=landed))
        with pytest.raises(PowerCut):
            broken.append(leaves(200, 600))

        after = Log(directory, ORIGIN, signer)
        published = after.newest()
        assert published.size in (200, 600)
        assert (published.size == 600) == (stop_at > count - 1 or (stop_at == count - 1 and landed))
        if published.size == 200:
            assert published == old
            with pytest.raises(EntryUnknown):
                after.index_of(leaves(200, 201)[0])
        # Recovery runs the same path; here the caller comes back with other entries in between.
        recovered = after.append([*leaves(200, 210), *leaves(900, 901), *leaves(210, 600)])
        assert recovered.size == 601
        order = (
            leaves(0, 600) + leaves(900, 901)
            if published.size == 600
            else leaves(0, 210) + leaves(900, 901) + leaves(210, 600)
        )
        assert recovered.root == naive_root(order)
        assert [after.index_of(entry) for entry in order[195:215]] == list(range(195, 215))


@pytest.mark.parametrize("landed", [False, True])
@pytest.mark.parametrize("stop_at", [1, 2, 3, 4, 5])
def test_a_power_cut_in_the_very_first_append(tmp_path: Path, stop_at: int, *, landed: bool) -> None:
    signer = new_signer()
    with pytest.raises(PowerCut):
        Log(tmp_path, ORIGIN, signer, files=FailingFiles(stop_at, landed=landed)).append(leaves(0, 2))
    recovered = Log(tmp_path, ORIGIN, signer).append(leaves(0, 2))
    assert (recovered.size, recovered.root) == (2, naive_root(leaves(0, 2)))


def test_a_failing_signer_publishes_nothing_and_the_same_call_works_later(tmp_path: Path) -> None:
    signer = new_signer()
    old = Log(tmp_path, ORIGIN, signer).append(leaves(0, 1))

    def lost_token(_data: bytes) -> bytes:
        raise LogUnavailable("the token does not answer")

    with pytest.raises(LogUnavailable):
        Log(tmp_path, ORIGIN, TokenNoteSigner(verifier=signer.verifier, sign_bytes=lost_token)).append(
            leaves(1, 2)
        )
    assert Log(tmp_path, ORIGIN, signer).newest() == old
    assert Log(tmp_path, ORIGIN, signer).append(leaves(1, 2)).size == 2


def test_a_wrong_signature_from_the_token_is_never_published(tmp_path: Path) -> None:
    signer = new_signer()
    broken = TokenNoteSigner(verifier=signer.verifier, sign_bytes=lambda _data: bytes(64))
    with pytest.raises(NoteNotSigned):
        Log(tmp_path, ORIGIN, broken).append(leaves(0, 1))
    assert not (tmp_path / "checkpoint").exists()


def test_a_restored_older_log_refuses_to_sequence_and_to_answer(tmp_path: Path) -> None:
    signer, newest = new_signer(), tmp_path / "elsewhere" / "newest"
    log = Log(tmp_path / "log", ORIGIN, signer, newest_path=newest)
    older = log.append(leaves(0, 5)).note
    log.append(leaves(5, 9))
    (tmp_path / "log" / "checkpoint").write_bytes(older)

    restored = Log(tmp_path / "log", ORIGIN, signer, newest_path=newest)
    for act in (lambda: restored.append(leaves(9, 10)), restored.checkpoint):
        with pytest.raises(LogRolledBack) as caught:
            act()
        assert (caught.value.present_size, caught.value.known_size) == (5, 9)
    (tmp_path / "log" / "checkpoint").unlink()
    with pytest.raises(LogRolledBack):
        restored.append(leaves(0, 1))


def test_a_forked_log_is_found_against_the_remembered_checkpoint(tmp_path: Path) -> None:
    signer, newest = new_signer(), tmp_path / "newest"
    Log(tmp_path / "a", ORIGIN, signer, newest_path=newest).append(leaves(0, 5))
    Log(tmp_path / "b", ORIGIN, signer).append(leaves(10, 20))
    with pytest.raises(TreeDamaged):
        Log(tmp_path / "b", ORIGIN, signer, newest_path=newest).append(leaves(20, 21))


def damage_tile(directory: Path) -> None:
    path = directory / tile_path(0, 0, 5)
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(bytes(content))


def shorten_tile(directory: Path) -> None:
    path = directory / tile_path(0, 0, 5)
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [damage_tile, shorten_tile])
def test_damaged_tiles_stop_sequencing(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    signer = new_signer()
    Log(tmp_path, ORIGIN, signer).append(leaves(0, 5))
    damage(tmp_path)
    with pytest.raises(TreeDamaged):
        Log(tmp_path, ORIGIN, signer).append(leaves(5, 6))


def test_a_missing_tile_is_unavailable(tmp_path: Path) -> None:
    signer = new_signer()
    Log(tmp_path, ORIGIN, signer).append(leaves(0, 5))
    (tmp_path / tile_path(0, 0, 5)).unlink()
    with pytest.raises(LogUnavailable):
        Log(tmp_path, ORIGIN, signer).append(leaves(5, 6))


def test_a_checkpoint_of_another_key_or_origin_is_refused(tmp_path: Path) -> None:
    Log(tmp_path, ORIGIN, new_signer()).append(leaves(0, 1))
    with pytest.raises(NoteNotSigned):
        Log(tmp_path, ORIGIN, new_signer()).append(leaves(1, 2))
    signer = new_signer()
    Log(tmp_path / "other", ORIGIN, signer).append(leaves(0, 1))
    with pytest.raises(MalformedNote):
        Log(tmp_path / "other", "another.example", signer).checkpoint()


def test_the_index_is_made_anew_when_lost_garbled_or_stale(tmp_path: Path) -> None:
    signer = new_signer()
    log = Log(tmp_path / "log", ORIGIN, signer)
    log.append(leaves(0, 300))
    index = tmp_path / "log" / ".state" / "index.db"
    index.unlink()
    assert log.index_of(leaves(299, 300)[0]) == 299
    index.write_bytes(b"this is no database" * 100)
    assert log.index_of(leaves(299, 300)[0]) == 299
    other = Log(tmp_path / "other", ORIGIN, signer)
    other.append([*leaves(299, 300), *leaves(1, 299), *leaves(0, 1)])
    index.write_bytes((tmp_path / "other" / ".state" / "index.db").read_bytes())
    assert log.append(leaves(299, 301)).size == 301, "a stale index never swallows an entry"
    assert log.index_of(leaves(299, 300)[0]) == 299


def test_partial_tiles_go_when_the_full_one_is_there_and_old_readers_take_the_full_one(
    tmp_path: Path,
) -> None:
    signer = new_signer()
    log = Log(tmp_path, ORIGIN, signer)
    older = log.append(leaves(0, 100))
    assert (tmp_path / "tile/0/000.p/100").is_file()
    log.append(leaves(100, 300))
    assert not (tmp_path / "tile/0/000.p").exists()
    assert not (tmp_path / "tile/entries/000.p").exists()
    assert (tmp_path / "tile/0/001.p/44").is_file()
    (tmp_path / "checkpoint").write_bytes(older.note)
    (tmp_path / ".state" / "newest").unlink()
    behind = Log(tmp_path, ORIGIN, signer)
    path = [Hash(node) for node in behind.inclusion_proof(99, 100)]
    verify_inclusion(entry=leaves(99, 100)[0], index=99, size=100, path=path, root=older.root)


def test_threads_with_logs_of_their_own_sequence_each_entry_once(tmp_path: Path) -> None:
    signer = new_signer()

    def work(offset: int) -> None:
        log = Log(tmp_path, ORIGIN, signer)
        for start in range(offset, 60, 3):
            log.append(leaves(start, start + 2))

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = Log(tmp_path, ORIGIN, signer)
    assert log.newest().size == 61
    assert sorted(log.index_of(entry) for entry in leaves(0, 61)) == list(range(61))


APPENDING = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_tlog_log import Log, ORIGIN, leaves, signer_of
log = Log(Path(sys.argv[2]), ORIGIN, signer_of(bytes.fromhex(sys.argv[3])))
for start in range(int(sys.argv[4]), 60, 3):
    log.append(leaves(start, start + 2))
"""


def test_processes_share_the_directory(tmp_path: Path) -> None:
    seed = bytes(range(32))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    started = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                APPENDING,
                str(Path(__file__).parent),
                str(tmp_path),
                seed.hex(),
                str(offset),
            ],
            env=environment,
        )
        for offset in range(3)
    ]
    assert [process.wait(timeout=120) for process in started] == [0, 0, 0]
    log = Log(tmp_path, ORIGIN, signer_of(seed))
    assert log.newest().size == 61
    assert sorted(log.index_of(entry) for entry in leaves(0, 61)) == list(range(61))


def test_the_proof_file_convinces_whoever_holds_the_entry(tmp_path: Path) -> None:
    signer = new_signer()
    log = Log(tmp_path, ORIGIN, signer)
    log.append(leaves(0, 20))
    text = log.proof_of(leaves(7, 8)[0]).to_text()
    proof = parse_proof(text)
    assert proof.to_text() == text
    checkpoint = verify_proof(proof, entry=leaves(7, 8)[0], origin=ORIGIN, verifier=signer.verifier)
    assert checkpoint.size == 20


def test_what_is_not_in_the_log_is_unknown(tmp_path: Path) -> None:
    log = Log(tmp_path, ORIGIN, new_signer())
    log.append(leaves(0, 4))
    with pytest.raises(EntryUnknown):
        log.index_of(leaves(9, 10)[0])
    with pytest.raises(EntryUnknown):
        log.inclusion_proof(4, 4)
    with pytest.raises(EntryUnknown):
        log.inclusion_proof(0, 5)
    with pytest.raises(EntryUnknown):
        log.consistency_proof(3, 5)
    with pytest.raises(EntryUnknown):
        log.append([LeafEntry(b"short")])
