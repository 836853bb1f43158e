"""Compressed bodies are inflated, and no further than any body may be large."""

import gzip
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.encoding import inflate
from ringback.errors import BadBody, RefusedRequest, TooLarge, UnsupportedType
from ringback.web import MAX_BODY

BODY = b'{"name": "Ewa Mak"}' * 50


def deflate_bare(body: bytes) -> bytes:
    """Return a body compressed without zlib's head, as some senders take "deflate"."""
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(body) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "compressed"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)),
        (" GZIP ", gzip.compress(BODY, mtime=0)),
        ("x-gzip", gzip.compress(BODY, mtime=0)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", deflate_bare(BODY)),
        ("identity", BODY),
        ("", BODY),
    ],
)
def test_body_is_inflated(encoding: str, compressed: bytes) -> None:
    """A body is read without its content encoding."""
    assert inflate(compressed, encoding) == BODY


def test_nothing_is_nothing_in_any_encoding() -> None:
    """An empty body is empty, whatever its header says."""
    assert inflate(b"", "gzip") == b""


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "utf-8", "\ud800"])
def test_other_encodings_are_refused(encoding: str) -> None:
    """An encoding that is not read is a 415 that says which are."""
    with pytest.raises(UnsupportedType, match="gzip, deflate, or none"):
        inflate(BODY, encoding)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("body", [BODY, gzip.compress(BODY, mtime=0)[:-9], zlib.compress(BODY)[:20], b"\x1f\x8b", b"x"])
def test_body_that_is_not_so_encoded(body: bytes, encoding: str) -> None:
    """What is not compressed, or breaks off, is a 400."""
    with pytest.raises(BadBody, match="Content-Encoding"):
        inflate(body, encoding)


@pytest.mark.parametrize(("size", "fits"), [(MAX_BODY, True), (MAX_BODY + 1, False), (100 * MAX_BODY, False)])
@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("deflate", deflate_bare)])
def test_inflated_body_has_the_size_of_any(encoding: str, compress: type[bytes], size: int, fits: bool) -> None:  # noqa: FBT001 - a case
    """What is larger than a body may be when it is inflated is a 413."""
    body = compress(bytes(size))
    if fits:
        assert inflate(body, encoding) == bytes(size)
    else:
        with pytest.raises(TooLarge, match="inflated"):
            inflate(body, encoding)


@given(st.binary(), st.sampled_from(["gzip", "deflate", "br", ""]) | st.text())
def test_any_bytes_are_inflated_or_refused(body: bytes, encoding: str) -> None:
    """Whatever is sent, inflating it raises nothing but a refusal."""
    with suppress(RefusedRequest):
        assert len(inflate(body, encoding)) <= MAX_BODY
