"""What can keep the system from being installed or started, each with a sentence that says what to do."""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of every command of the launcher. Source: design section 8."""

    DONE = 0
    NEGATIVE = 1
    BAD_USAGE = 2
    UNAVAILABLE = 3


class DeployError(Exception):
    """Base of this package. `str(error)` is one sentence for the person at the keyboard."""

    code: ClassVar[str] = "deploy"
    exit_code: ClassVar[ExitCode] = ExitCode.UNAVAILABLE


class ConfigurationError(DeployError):
    """longzheng.yaml is missing, unreadable or wrong."""

    code = "configuration"
    exit_code = ExitCode.BAD_USAGE


class BadUsage(DeployError):
    """A command or option that does not exist or does not fit."""

    code = "bad-usage"
    exit_code = ExitCode.BAD_USAGE


class PackagesMissing(DeployError):
    """System packages are missing and cannot be installed by this user."""

    code = "packages-missing"


class JavaUnsuitable(DeployError):
    """No Java, or one too old for Keycloak."""

    code = "java"


class DiskFull(DeployError):
    """Too little space for what is about to be installed."""

    code = "disk"


class NetworkUnavailable(DeployError):
    """A download failed."""

    code = "network"


class DownloadAltered(DeployError):
    """A downloaded file is not the one that was pinned."""

    code = "download-altered"


class InstallFailed(DeployError):
    """An installation step ended with an error of its own."""

    code = "install-failed"


class PortTaken(DeployError):
    """Another program listens on a port that this system was given."""

    code = "port-taken"


class PartUnhealthy(DeployError):
    """A part did not become healthy in time, or ended."""

    code = "part-unhealthy"


class SupervisorUnreachable(DeployError):
    """The supervisor does not answer."""

    code = "supervisor-unreachable"


class RoomMissing(DeployError):
    """A module that this command needs is not part of this checkout."""

    code = "room-missing"
