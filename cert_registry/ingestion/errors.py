"""What stops a whole file; a single row never does."""

from typing import ClassVar


class IngestionError(Exception):
    """Base of every error of the ingestion room; messages hold no value of a row."""

    code: ClassVar[str] = "ingestion-error"


class FileNotReadable(IngestionError):
    """The file is missing, is no text in UTF-8 or GB18030, or changed while it was read."""

    code = "file-not-readable"


class HeaderRefused(IngestionError):
    """The first row does not name the columns that the mapping needs."""

    code = "header-refused"


class MappingMalformed(IngestionError):
    """No mapping for this type, or one that contradicts itself or the type."""

    code = "mapping-malformed"


class RegistrarFailed(IngestionError):
    """The registry did not take a chunk; the batch can be run again and goes on where it stood."""

    code = "registrar-failed"
