"""The directory as it is prepared, on a real slapd: who may ask what."""

import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

from idp.errors import ConfigurationError, RegisterUnavailable
from idp.identity.citizen_number import parse_citizen_number
from idp.identity.person_name import normalise_name
from idp.ports import Comparison
from idp.register.directory import prepare_directory, slapd_command
from idp.register.directory_settings import DirectorySettings
from idp.register.entries import person_dn
from idp.register.ldap_register import LdapPopulationRegister
from idp.secret_files import read_secret
from idp.settings import RegisterSettings

ROOT = Path(__file__).resolve().parents[3]
DEMO = ROOT / "deploy" / "demo"
TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, tzinfo=UTC)
LIN = "880102198503150026"
POPULATION = "ou=population,dc=longzheng"
STAFF = "ou=staff,dc=longzheng"
LEGAL_PERSONS = "ou=legal-persons,dc=longzheng"
SPRING = f"lzCreditCode=91990100C000000166,{LEGAL_PERSONS}"


class Directory:
    """A slapd of this test alone."""

    def __init__(self, directory: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        secrets = directory / "secrets"
        self.section = {
            "url": f"ldap://127.0.0.1:{port}",
            "config_dir": str(directory / "config"),
            "data_dir": str(directory / "data"),
            "population_suffix": POPULATION,
            "staff_suffix": STAFF,
            "legal_persons_suffix": LEGAL_PERSONS,
            "compare_dn": "cn=compare,ou=services,dc=longzheng",
            "compare_password_file": str(secrets / "compare"),
            "staff_dn": "cn=staff-reader,ou=services,dc=longzheng",
            "staff_password_file": str(secrets / "staff-reader"),
            "admin_dn": "cn=admin,dc=longzheng",
            "admin_password_file": str(secrets / "admin"),
            "rdn_key_file": str(secrets / "rdn-key"),
            "people_file": str(DEMO / "people.yaml"),
            "organisations_file": str(DEMO / "organisations.yaml"),
            "staff_initial_password_file": str(secrets / "staff-initial"),
        }
        self.settings = DirectorySettings.from_mapping(self.section)
        self.port = port
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(slapd_command(self.settings))
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("slapd did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None

    def register(self) -> LdapPopulationRegister:
        return LdapPopulationRegister(RegisterSettings.from_mapping(self.section))

    def run(self, program: str, dn: str, password_file: Path, *arguments: str, sent: str = "") -> str:
        """Runs one of OpenLDAP's own clients; returns the exit code's word and what it printed."""
        password = read_secret(password_file).decode()
        done = subprocess.run(
            [program, "-x", "-H", str(self.section["url"]), "-D", dn, "-w", password, *arguments],
            input=sent,
            capture_output=True,
            text=True,
            check=False,
        )
        return f"{done.returncode}\n{done.stdout}\n{done.stderr}"

    def as_compare(self, program: str, *arguments: str, sent: str = "") -> str:
        return self.run(
            program, self.settings.compare_dn, self.settings.compare_password_file, *arguments, sent=sent
        )

    def as_staff_reader(self, program: str, *arguments: str, sent: str = "") -> str:
        return self.run(
            program, self.settings.staff_dn, self.settings.staff_password_file, *arguments, sent=sent
        )

    def dn_of(self, number: str) -> str:
        parsed = parse_citizen_number(number, today=TODAY)
        return person_dn(parsed, read_secret(self.settings.rdn_key_file), POPULATION)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directory]:
    made = Directory(tmp_path_factory.mktemp("directory"))
    assert prepare_directory(made.settings, today=TODAY)
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("name", "number", "comparison"),
    [
        ("林晓雯", LIN, Comparison.MATCH),
        ("林晓文", LIN, Comparison.NAME_DIFFERS),
        ("王𠮷", "880102199512120093", Comparison.MATCH),
        ("王吉", "880102199512120093", Comparison.NAME_DIFFERS),
        ("阿依古丽•买买提", "88010219920808004X", Comparison.MATCH),
        ("陈德福", "880102194005050032", Comparison.DECEASED_OR_CANCELLED),
        ("吴建国", "880102197202020055", Comparison.DOCUMENT_EXPIRED),
        ("林晓雯", "620102198001010017", Comparison.NO_SUCH_NUMBER),
    ],
)
def test_comparisons(directory: Directory, name: str, number: str, comparison: Comparison) -> None:
    register = directory.register()
    parsed = parse_citizen_number(number, today=TODAY)
    assert register.compare(parsed, normalise_name(name), now=NOW) is comparison
    register.close()


def test_the_compare_account_compares_and_nothing_else(directory: Directory) -> None:
    person = directory.dn_of(LIN)
    assert directory.as_compare("ldapcompare", person, "lzNameKey:1:林晓雯").startswith("6\nTRUE")
    assert directory.as_compare("ldapcompare", person, "lzNameKey:1:林").startswith("5\nFALSE")
    for search in (
        ["-b", POPULATION, "(objectClass=*)"],
        ["-b", POPULATION, "-s", "one", "(cn=林晓雯)"],
        ["-b", person, "-s", "base", "(objectClass=*)"],
        ["-b", "", "-s", "sub", "(cn=*)"],
        ["-b", STAFF, "(uid=*)"],
    ):
        found = directory.as_compare("ldapsearch", "-LLL", *search)
        assert "dn:" not in found
        assert "林晓雯" not in found
        assert not found.startswith("0\n")
    change = f"dn: {person}\nchangetype: modify\nreplace: lzPersonState\nlzPersonState: deceased\n"
    assert directory.as_compare("ldapmodify", sent=change).startswith("50\n")
    assert directory.as_compare("ldapdelete", person).startswith("50\n")
    rename = directory.as_compare("ldapmodrdn", person, f"lzPersonHash={'0' * 64}")
    assert rename.startswith("50\n")
    passwords = directory.as_compare("ldapcompare", directory.settings.staff_dn, "userPassword:anything")
    assert not passwords.startswith(("5\n", "6\n"))


def test_legal_persons_are_compared_and_nothing_else(directory: Directory) -> None:
    assert directory.as_compare("ldapcompare", SPRING, "lzLegalPersonState:存续").startswith("6\nTRUE")
    assert directory.as_compare("ldapcompare", SPRING, "lzLegalPersonState:注销").startswith("5\nFALSE")
    unknown = f"lzCreditCode=91110000000000000X,{LEGAL_PERSONS}"
    assert directory.as_compare("ldapcompare", unknown, "lzLegalPersonState:存续").startswith("32\n")
    for search in (
        ["-b", LEGAL_PERSONS, "(objectClass=*)"],
        ["-b", LEGAL_PERSONS, "-s", "one", "(lzCreditCode=*)"],
        ["-b", SPRING, "-s", "base", "(objectClass=*)"],
    ):
        for found in (
            directory.as_compare("ldapsearch", "-LLL", *search),
            directory.as_staff_reader("ldapsearch", "-LLL", *search),
        ):
            assert "dn:" not in found
            assert not found.startswith("0\n")
    change = f"dn: {SPRING}\nchangetype: modify\nreplace: lzLegalPersonState\nlzLegalPersonState: x\n"
    assert directory.as_compare("ldapmodify", sent=change).startswith("50\n")
    added = f"dn: ou=mine,{LEGAL_PERSONS}\nchangetype: add\nobjectClass: organizationalUnit\nou: mine\n"
    assert directory.as_compare("ldapmodify", sent=added).startswith("50\n")
    assert directory.as_compare("ldapdelete", SPRING).startswith("50\n")
    renamed = directory.as_compare("ldapmodrdn", SPRING, "lzCreditCode=91110000000000000X")
    assert renamed.startswith("50\n")
    compared = directory.as_staff_reader("ldapcompare", SPRING, "lzLegalPersonState:存续")
    assert not compared.startswith(("5\n", "6\n"))


def test_keycloaks_account_reads_staff_without_passwords_and_not_the_population(directory: Directory) -> None:
    found = directory.as_staff_reader("ldapsearch", "-LLL", "-b", STAFF, "(uid=li.wenjing)")
    assert "departmentNumber: 119901000000002037" in found
    assert "userPassword" not in found
    groups = directory.as_staff_reader("ldapsearch", "-LLL", "-b", STAFF, "(cn=drafter)", "member")
    assert "member: uid=li.wenjing,ou=people,ou=staff,dc=longzheng" in groups
    assert "dn:" not in directory.as_staff_reader("ldapsearch", "-LLL", "-b", POPULATION, "(objectClass=*)")
    person = directory.dn_of(LIN)
    compared = directory.as_staff_reader("ldapcompare", person, "lzNameKey:1:林晓雯")
    assert not compared.startswith(("5\n", "6\n"))
    change = f"dn: uid=li.wenjing,ou=people,{STAFF}\nchangetype: modify\nreplace: cn\ncn: x\n"
    assert directory.as_staff_reader("ldapmodify", sent=change).startswith("50\n")


def test_staff_can_bind_and_read_nothing(directory: Directory) -> None:
    password_file = directory.settings.staff_initial_password_file
    assert password_file is not None
    dn = f"uid=gao.yuan,ou=people,{STAFF}"
    assert directory.run("ldapwhoami", dn, password_file).startswith("0\n")
    assert "dn:" not in directory.run("ldapsearch", dn, password_file, "-LLL", "-b", STAFF, "(uid=*)")
    wrong = directory.run("ldapwhoami", dn, directory.settings.rdn_key_file)
    assert wrong.startswith("49\n")


def test_strangers_are_not_heard(directory: Directory) -> None:
    done = subprocess.run(
        ["ldapsearch", "-x", "-H", str(directory.section["url"]), "-b", STAFF],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "dn:" not in done.stdout


def test_numbers_are_not_in_names_of_entries(directory: Directory) -> None:
    dumped = subprocess.run(
        ["/usr/sbin/slapcat", "-F", str(directory.settings.config_dir), "-b", "dc=longzheng"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    people = yaml.safe_load((DEMO / "people.yaml").read_text(encoding="utf-8"))["people"]
    assert dumped.count("objectClass: lzPerson\n") == len(people)
    assert not [person["name"] for person in people if person["number"] in dumped]


def test_preparing_again_changes_nothing(directory: Directory) -> None:
    assert not prepare_directory(directory.settings, today=TODAY)


def test_preparing_with_other_people_keeps_the_staff_whom_keycloak_knows(tmp_path: Path) -> None:
    made = Directory(tmp_path)
    people = tmp_path / "people.yaml"
    people.write_text((DEMO / "people.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    settings = DirectorySettings.from_mapping({**made.section, "people_file": str(people)})
    assert prepare_directory(settings, today=TODAY)
    before = staff_ids(settings)
    people.write_text("people: []\n", encoding="utf-8")
    assert prepare_directory(settings, today=TODAY)
    assert staff_ids(settings) == before
    assert len(before) > 5


def staff_ids(settings: DirectorySettings) -> list[str]:
    dumped = subprocess.run(
        ["/usr/sbin/slapcat", "-F", str(settings.config_dir), "-b", "dc=longzheng", "-a", "(uid=*)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return sorted(line for line in dumped.splitlines() if line.startswith(("entryUUID:", "uid:")))


def test_a_register_that_went_away_is_unavailable_and_comes_back(directory: Directory) -> None:
    register = directory.register()
    register.probe()
    directory.stop()
    with pytest.raises(RegisterUnavailable):
        register.probe()
    directory.start()
    register.probe()
    directory.stop()
    directory.start()
    register.probe()  # the kept connection broke in between, unnoticed
    register.close()


def test_a_wrong_password_is_no_verdict(directory: Directory) -> None:
    section = {**directory.section, "compare_password_file": directory.section["rdn_key_file"]}
    register = LdapPopulationRegister(RegisterSettings.from_mapping(section))
    with pytest.raises(RegisterUnavailable):
        register.compare(parse_citizen_number(LIN, today=TODAY), normalise_name("林晓雯"), now=NOW)


def test_a_remote_register_is_asked_over_tls_only(directory: Directory) -> None:
    with pytest.raises(ConfigurationError):
        RegisterSettings.from_mapping({**directory.section, "url": "ldap://register.example"})
