"""The server's log: JSON lines, one a request, nothing of people in it."""

import io
import json
import logging

import pytest

from mutua.errors import NotKnown
from mutua.serving.security.logs import ACCESS_LOGGERS, LOGGERS, JsonLines, RequestLog, log_to
from mutua.serving.security.redact import Pseudonyms

NAMES = Pseudonyms(b"the server's secret")
LOG = logging.getLogger("mutua.server")


@pytest.fixture
def log():
    """Returns what gives the lines written so far, parsed."""
    loggers = [logging.getLogger(name) for name in (*LOGGERS, *ACCESS_LOGGERS)]
    before = [(one.handlers, one.propagate, one.level) for one in loggers]
    stream = io.StringIO()
    log_to(stream, NAMES)
    yield lambda: [json.loads(line) for line in stream.getvalue().split("\n") if line]
    for one, (handlers, propagate, level) in zip(loggers, before, strict=True):
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


def test_one_line_a_request_with_nothing_else():
    stream = io.StringIO()
    requests = RequestLog(stream, lambda: 1_500_000)
    requests.write("GET", "/v1/users/{id}", 200, 1.23456, "shop", "k1")
    requests.write("PUT", "/v1/users/{id}", 404, 1.0, "shop", "k1")
    first, second, end = stream.getvalue().split("\n")
    assert json.loads(first) == {
        "time": "1970-01-01T00:00:01.500000Z",
        "level": "info",
        "logger": "mutua.server.requests",
        "method": "GET",
        "route": "/v1/users/{id}",
        "status": 200,
        "ms": 1.235,
        "tenant": "shop",
        "key": "k1",
    }
    assert json.loads(second)["method"] == "PUT"
    assert end == ""


def test_faults_of_the_server_stand_out():
    stream = io.StringIO()
    for status in (404, 500, 503):
        RequestLog(stream).write("GET", "unknown", status, 1.0, "", "")
    assert [json.loads(line)["level"] for line in stream.getvalue().splitlines()] == ["info", "error", "error"]


def test_messages_and_fields_are_redacted(log):
    LOG.warning("key %s of %s", "mu_shop_abcdefgh", "ann@example.com", extra={"user": "ann", "count": 3})
    [line] = log()
    assert line["message"] == "key [hidden] of [hidden]"
    assert (line["user"], line["count"]) == (NAMES.of("ann"), 3)


def test_an_error_is_told_without_its_text(log):
    try:
        try:
            raise KeyError("ann")
        except KeyError as reason:
            raise NotKnown("user 'ann'", "a recorded user", "record ann") from reason
    except NotKnown:
        LOG.exception("a fault in %s", "/v1/recommend")
    [line] = log()
    assert "ann" not in json.dumps(line)
    assert (line["error"]["type"], line["error"]["code"], line["error"]["cause"]) == (
        "NotKnown",
        "id.unknown",
        "KeyError",
    )
    assert "test_logs.py" in line["error"]["at"][0]


def test_a_message_stays_one_line_whatever_it_holds(log):
    LOG.info('two\nlines and "quotes" \u2028 {"level": "forged"}')
    [line] = log()
    assert line["level"] == "info"


def test_a_message_that_does_not_fit_its_arguments_is_still_written():
    record = logging.LogRecord("mutua.server", logging.INFO, "here.py", 1, "%d things", ("no number",), None)
    assert json.loads(JsonLines(NAMES).format(record))["message"] == "%d things"


def test_a_field_cannot_stand_in_for_the_level(log):
    LOG.info("so", extra={"level": "critical", "logger": "root"})
    assert [(line["level"], line["logger"]) for line in log()] == [("info", "mutua.server")]


def test_the_log_of_whole_paths_is_silent_and_that_of_the_server_speaks(log):
    logging.getLogger("uvicorn.access").info('127.0.0.1 - "GET /v1/users/ann?key=x HTTP/1.1" 200')
    logging.getLogger("uvicorn.error").info("Application startup complete.")
    assert [line["message"] for line in log()] == ["Application startup complete."]


def test_setting_up_again_does_not_write_twice(log):
    log_to(io.StringIO(), NAMES)
    stream = io.StringIO()
    log_to(stream, NAMES)
    LOG.info("once")
    assert len(stream.getvalue().splitlines()) == 1
    assert log() == []
