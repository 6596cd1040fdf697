"""One field of a form (RFC 7578): found, and said anew. Every other byte stays as it came."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.parser import BytesHeaderParser

from gateway.errors import BadRequest

#: A boundary as it stands in the body, with its two dashes (RFC 2046, section 5.1.1, less blanks).
_BOUNDARY = re.compile(rb"--([0-9A-Za-z'()+_,./:=?-]{1,70})\r\n")


def boundary(body: bytes) -> bytes:
    """The boundary that a form begins with. Raises :class:`BadRequest` where ``body`` is no form."""
    found = _BOUNDARY.match(body)
    if found is None:
        raise BadRequest("The body must be a form, multipart/form-data.")
    return found[1]


def place(body: bytes, name: str) -> slice | None:
    """Where the value of the field ``name`` stands.

    Raises :class:`BadRequest` for a form that is not whole, a field that can be read in two ways, and one given twice:
    whoever reads it next must find the same.
    """
    found: slice | None = None
    for begin, end in _parts(body, b"--" + boundary(body)):
        blank = body.find(b"\r\n\r\n", begin, end)
        if _name(body[begin:blank] if blank >= 0 else b"") != name:
            continue
        if found is not None:
            raise BadRequest(f"{name} must be given once.", param=name)
        found = slice(blank + 4, end)
    return found


def _parts(body: bytes, line: bytes) -> Iterator[tuple[int, int]]:
    """Where each part begins and ends, its headers included."""
    after = len(line)
    while not body.startswith(b"--", after):
        end = body.find(b"\r\n" + line, after)
        if end < 0 or not body.startswith(b"\r\n", after):
            raise BadRequest("The form is not whole.")
        yield after + 2, end
        after = end + 2 + len(line)


def _name(head: bytes) -> str:
    headers = BytesHeaderParser().parsebytes(head)
    name = headers.get_param("name", header="content-disposition")
    if not isinstance(name, str) or len(headers.get_all("content-disposition", ())) != 1:
        raise BadRequest("Every part of the form needs one content-disposition with one plain name.")
    return name
