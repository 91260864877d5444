"""An operator's CSV file, read line by line: every value checked, every bad line told with its number and reason.

Memory stays the same however long the file is. A record never spans lines, because no value may hold a line
break; so a quote that is left open costs one line and not the rest of the file.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from beerforyou.errors import BadInput
from beerforyou.guards.incoming import CONTROL, as_seen, hides

LISTED = 1000  # bad rows kept to be shown; the rest are counted
LONGEST_LINE = 65_536  # bytes; ten full columns need 8 kB
REPORT_EVERY = 5_000  # lines between two reports of progress


class BadRow(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """`line` counts from 1, the header included. `column` is empty when the whole line is at fault."""

    file: str
    line: int
    reason: str
    column: str = ""


class Rejects:
    """Bad rows; the first of them by name, all of them by number. `cleaned` counts good ones that lost characters which
    nobody sees."""

    def __init__(self) -> None:
        self.listed: list[BadRow] = []
        self.count = self.cleaned = 0

    def add(self, row: BadRow) -> None:
        self.count += 1
        if len(self.listed) < LISTED:
            self.listed.append(row)


class Dialect(msgspec.Struct, frozen=True):
    """Not separated by commas: an Excel of a country where the comma is the decimal sign, and days come first."""

    delimiter: str

    @property
    def decimal_comma(self) -> bool:
        return self.delimiter != ","


Read = Callable[[Dialect, str], Any]  # raises ValueError with the reason


def _name(dialect: Dialect, value: str) -> str:
    return as_seen(value)


class Column(msgspec.Struct, frozen=True):
    """`needed`: the column must be there. `filled`: its values must not be empty. `longest` in characters."""

    name: str
    read: Read = _name
    needed: bool = True
    filled: bool = True
    longest: int = 200


class CsvFile:
    """Raises BadInput when the file cannot be read at all, or lacks a column."""

    def __init__(self, path: Path, columns: Iterable[Column]) -> None:
        self.path = path
        self._columns = tuple(columns)
        try:
            names = self._header()
        except _Bad as bad:
            raise BadInput(f"{path.name}, line 1: {bad}", "save it as CSV UTF-8") from None
        self._check(names)
        self._width = len(names)
        self._at = {name: at for at, name in enumerate(names)}
        known = {column.name for column in self._columns}
        self.ignored = tuple(name for name in names if name not in known)

    def rows(self, rejects: Rejects, on_read: Callable[[int], None]) -> Iterator[tuple[Any, ...]]:
        """The good rows, each as its line number and its values in the order of `columns`.

        `on_read` hears now and then, and at the end, how many bytes of the file are read.
        """
        readers = [(self._at.get(c.name, -1), lru_cache(8192)(partial(self._read, c))) for c in self._columns]
        for number, raw in self._lines(on_read):
            try:
                line = self._line(raw)
                if fields := self._fields(line):
                    fields.append("")  # the value of a column that is not there
                    row = number, *[read(fields[at]) for at, read in readers]
                    rejects.cleaned += hides(line)
                    yield row
            except _Bad as bad:
                rejects.add(BadRow(self.path.name, number, str(bad), bad.column))

    def _open(self) -> BinaryIO:
        try:
            return self.path.open("rb")
        except OSError as error:
            raise BadInput(f"{self.path}: {error.strerror}", "give the path of a CSV file") from None

    def _header(self) -> list[str]:
        with self._open() as file:
            header = _decoded(file.readline(LONGEST_LINE).removeprefix(b"\xef\xbb\xbf"))
        self._dialect = Dialect(max(",;\t", key=header.count))
        self._blank = self._dialect.delimiter + " "
        names = [name.strip() for name in self._split(header)]
        if CONTROL.search("".join(names)):
            raise _Bad("holds control characters")
        return [as_seen(name).lower() for name in names]

    def _check(self, names: list[str]) -> None:
        there = ", ".join(names)[:300] or "nothing"
        missing = [c.name for c in self._columns if c.needed and c.name not in names]
        if missing:
            raise BadInput(
                f"{self.path.name} lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; there: {there}",
                f"needed in line 1: {self._names(needed=True)}; may be there: {self._names(needed=False)}",
            )
        if len(set(names)) < len(names):
            raise BadInput(f"{self.path.name} names a column twice: {there}", "give each column a name of its own")

    def _names(self, needed: bool) -> str:
        return ", ".join(column.name for column in self._columns if column.needed == needed) or "no other"

    def _lines(self, on_read: Callable[[int], None]) -> Iterator[tuple[int, bytes]]:
        """Lines after the header with their numbers; of a line that is too long, its beginning."""
        with self._open() as file:
            file.readline(LONGEST_LINE)
            number = 1
            while raw := file.readline(LONGEST_LINE):
                number += 1
                yield number, raw
                while len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
                    raw = file.readline(LONGEST_LINE)
                if number % REPORT_EVERY == 0:
                    on_read(file.tell())
            on_read(file.tell())

    def _line(self, raw: bytes) -> str:
        if len(raw) == LONGEST_LINE:
            raise _Bad(f"the line is longer than {LONGEST_LINE:,} bytes")
        return _decoded(raw)

    def _fields(self, line: str) -> list[str]:
        """Empty for a blank line."""
        if not line.strip(self._blank):
            return []
        fields = self._split(line)
        if len(fields) != self._width:
            raise _Bad(f"{len(fields)} values where the header has {self._width} columns")
        return fields

    def _split(self, line: str) -> list[str]:
        if '"' not in line:
            return line.split(self._dialect.delimiter)
        try:
            return next(csv.reader([line], delimiter=self._dialect.delimiter, strict=True))
        except csv.Error as error:
            raise _Bad(f"quotes do not match ({error}); a value cannot hold a line break") from None

    def _read(self, column: Column, value: str) -> Any:
        value = value.strip()
        try:
            if not value and column.filled:
                raise ValueError("is empty")
            if len(value) > column.longest:
                raise ValueError(f"is {len(value):,} characters long; {column.longest} fit")
            if not value.isprintable() and (control := CONTROL.search(value)):
                raise ValueError(f"holds the control character U+{ord(control[0]):04X}")
            read = column.read(self._dialect, value)
            if read == "" and column.filled:
                raise ValueError("is empty: nobody sees its characters")
            return read
        except ValueError as error:
            raise _Bad(str(error), column.name) from None


class _Bad(Exception):
    def __init__(self, reason: str, column: str = "") -> None:
        super().__init__(reason)
        self.column = column


def _decoded(raw: bytes) -> str:
    try:
        return raw.rstrip(b"\r\n").decode()
    except UnicodeDecodeError as error:
        raise _Bad(f"byte {error.start + 1} of the line (0x{raw[error.start]:02X}) is not UTF-8") from None
