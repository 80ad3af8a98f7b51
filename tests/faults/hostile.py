"""Hostile requests as data: what goes wrong in each part of a request. Our own address is 127.0.0.1:8420 here."""

import itertools

OURS = b"127.0.0.1:8420"
JSON = (b"content-type", b"application/json")
ID = "ab" * 32

HOSTS = """
evil.example
evil.example:8420
localhost
127.0.0.1
localhost:80
localhost:8421
localhost:08420x
127.0.0.1.nip.io:8420
localhost.evil.example:8420
localhost.:8420
localhost:8420.evil.example
2130706433:8420
0177.0.0.1:8420
0x7f.0.0.1:8420
127.1:8420
0.0.0.0:8420
[::]:8420
[::ffff:127.0.0.1]:8420
[::1:8420
::1:8420
[::1]8420
[fe80::1%25eth0]:8420
[v1.x]:8420
localhost:0
localhost:99999
localhost:-1
localhost:+8420
localhost:8420:8420
localhost:
:8420
http://localhost:8420
//localhost:8420
localhost:8420/
localhost:8420?x
localhost:8420#x
user@localhost:8420
evil.example@127.0.0.1:8420
localhost:8420@evil.example
localhost:8420,evil.example
localhost:8420 evil.example
local%68ost:8420
local host:8420
-localhost:8420
.localhost:8420
*:8420
*.example
photos.example.evil
evilphotos.example
photos.example:9999
photos.example:22
192.168.1.5:8420
203.0.113.9:8420
""".strip().splitlines()
ODD_HOSTS = [
    b"",
    b" ",
    b"localhost:8420\x00",
    b"localhost\xff:8420",
    b"loc\xc3\xa4lhost:8420",
    b"a" * 10_000,
    b"\t127.0.0.1:8420",
]

ORIGINS = """
null
NULL
http://evil.example
https://evil.example:8420
http://localhost
http://localhost:3000
http://127.0.0.1:8421
https://127.0.0.1
http://127.0.0.1:8420.evil.example
http://127.0.0.1:8420@evil.example
http://evil.example/http://127.0.0.1:8420
http://127.0.0.1:8420/
http://127.0.0.1:8420/path
http://[::1]:1
file://
file:///etc/passwd
data:text/html,x
chrome-extension://abcdef
moz-extension://abcdef
ftp://127.0.0.1:8420
ws://127.0.0.1:8420
http:127.0.0.1:8420
http://
http:///
http://127.0.0.1:8420 http://evil.example
http://photos.example.evil
http://localhost.:8420
*
undefined
""".strip().splitlines()

FETCHES = list(
    itertools.product(
        ["cross-site", "same-site", "", "CROSS-SITE"], ["cors", "no-cors", "navigate"], ["empty", "image"]
    )
)

NAVIGATION = [(b"sec-fetch-site", b"cross-site"), (b"sec-fetch-mode", b"navigate"), (b"sec-fetch-dest", b"document")]

PATHS = """
/api/images/..%2f..%2fetc%2fpasswd
/api/images/%2e%2e/%2e%2e/etc/passwd
/api/images/%2E%2E%5Cwindows
/api/images/..%5c..%5cx
/api/images/%252e%252e%252fetc
/api/images/../../etc/passwd
/api/images/..
/api/images/.
/api/../api/images
/./api/images
/..
/../../../../etc/passwd
/assets/../index.html
/assets/..%2f..%2fports.py
/assets/%2e%2e/%2e%2e/ports.py
/assets//etc/passwd
/assets/%00
/assets/x%00.js
/assets/..;/x
/docs/..%2fassets
/docs/../../app.py
//etc/passwd
///
//evil.example/
/api//images
/api/images//
/api%2fimages
/%61pi/images
/api/images%20
/api/images%0d%0aSet-Cookie:x=1
/api/images%0a
/api/images\\x
/\\evil.example
/api/images/%c0%ae%c0%ae/
/api/images/%ff
/api/images/\xff
/api/images/<script>
/api/images/"x
/api/images/ x
/api/images/|id
/api/images/`id`
/api/images/{x}
/api/images/[x]
/api/images/^
/api/images/#x
http://evil.example/api/images
http://127.0.0.1:8420/api/images
127.0.0.1:8420
*
api/images
""".strip().splitlines()

TYPES = [
    b"text/plain",
    b"text/plain;application/json",
    b"text/json",
    b"application/x-www-form-urlencoded",
    b"multipart/form-data; boundary=x",
    b"application/xml",
    b"application/json, text/plain",
    b"application/jsonx",
    b"application/ld+json",
    b"application/octet-stream",
    b"application/json/",
    b"",
    b"*/*",
    b"\xff",
]

WRITES = [("PATCH", f"/api/images/{ID}"), ("POST", "/api/quarantine/retry"), ("POST", "/api/session")]

LENGTHS = [b"1000001", b"99999999999999", b"9" * 20]
NO_LENGTHS = [b"-1", b"+1", b"1 1", b"0x10", b"1,1", b"", b"9" * 21, b"1e9", "\u0661".encode()]

BODIES = [
    b"",
    b"{",
    b"}",
    b"[",
    b"nul",
    b"null",
    b"true",
    b"0",
    b'""',
    b"[]",
    b"{}",
    b"{}{}",
    b'{"rating": 1} x',
    b'{"rating": 1e400}',
    b'{"rating": NaN}',
    b'{"rating": -0.5}',
    b'{"rating": 99999999999999999999999999}',
    b'{"rating": []}',
    b'{"rating": {"$gt": 0}}',
    b'{"rating": "<script>"}',
    b'{"rating": 1, "__proto__": {}}',
    b'{"Rating": 1}',
    b'{"ids": 1}',
    b'{"ids": [[]]}',
    b'{"ids": [null]}',
    b'{"token": null}',
    b'{"token": 5}',
    b'{"token": "' + b"a" * 600 + b'"}',
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b'{"rating": "\xff"}',
    b'{"rating": "\\ud800"}',
    b"\x00",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'{"rating": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b"a=b",
    b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>",
]

SECRETS = [
    [],
    [(b"authorization", b"")],
    [(b"authorization", b"Bearer")],
    [(b"authorization", b"Bearer ")],
    [(b"authorization", b"Bearer t0ke")],
    [(b"authorization", b"Bearer t0kenn")],
    [(b"authorization", b"Bearer T0KEN")],
    [(b"authorization", b"Bearer \xff\xfe")],
    [(b"authorization", b"Basic dDBrZW4=")],
    [(b"authorization", b"t0ken")],
    [(b"authorization", b"Bearer t0ken"), (b"authorization", b"Bearer x")],
    [(b"x-api-key", b"t0ken")],
    [(b"cookie", b"pixsortd_session=t0ken")],
    [(b"cookie", b"pixsortd_session=")],
    [(b"cookie", b"pixsortd_session=9999999999.00")],
    [(b"cookie", b"pixsortd_session=\xff")],
    [(b"cookie", b"pixsortd_session=" + "\u0669".encode() * 10 + b".00")],
    [(b"cookie", b";;;=;==;")],
    [(b"x-forwarded-for", b"127.0.0.1")],
]

METHODS = ["PUT", "TRACE", "CONNECT", "PROPFIND", "FOO", "get", "G\xcbT", "PATCH"]

IDS = [
    "x",
    "0" * 63,
    "0" * 64,
    "0" * 65,
    "A" * 64,
    "-" * 64,
    "null",
    "undefined",
    "NaN",
    "..:",
    "a'or'1'='1",
    "a;b",
    "$(id)",
    "0" * 900,
]

QUERIES = [
    "images?limit=-1",
    "images?limit=1e9",
    "images?limit=",
    "images?limit=%00",
    "images?cursor=../../etc/passwd",
    "images?cursor=%ff%fe",
    "images?from=9999999-01-01",
    "images?from=2024-01-01T99:99",
    "images?from=%ff",
    "images?metric=niqe&min=nan",
    "images?metric=niqe&min=1e999",
    "images?sort=;drop table",
    "images?status=%3Cscript%3E",
    "images?root=" + "a" * 500,
    "why?path=../../etc/passwd",
    "why?path=",
    "why?path=%00",
    "why?path=/%00",
    "why?path=/etc/shadow",
    "why?path=/etc/passwd",
    "why?path=/proc/self/environ",
    "why?path=file:///etc/passwd",
    "why?path=/x&id=y",
    "events?last_event_id=-1",
    "events?last_event_id=1e400",
    "events?last_event_id=99999999999999999999999",
    "search",
    "search?like=",
    "search?q=x",
]
