"""A calendar program, as a schedule's address sees it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Calendar:
    """A calendar program's address: what it serves is the test's to say."""

    def __init__(self) -> None:
        self.body, self.kind = b"", "text/calendar"
        self.asked = 0

    def has(self, *events: tuple[datetime, datetime, str]) -> None:
        """Hold these events from now on."""
        lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//tests//EN"]
        for i, (begins, ends, summary) in enumerate(events):
            lines += [
                "BEGIN:VEVENT",
                f"UID:{i}@example.com",
                f"DTSTART:{begins:%Y%m%dT%H%M%SZ}",
                f"DTEND:{ends:%Y%m%dT%H%M%SZ}",
                f"SUMMARY:{summary}",
                "END:VEVENT",
            ]
        lines.append("END:VCALENDAR")
        self.body, self.kind = "\r\n".join(lines).encode(), "text/calendar"

    def asks_for_a_login(self) -> None:
        """Be a web page instead."""
        self.body, self.kind = b"<!DOCTYPE html><title>Log in</title>", "text/html"


@contextmanager
def served(calendar: Calendar) -> Iterator[str]:
    """Serve a calendar over HTTP; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calendar.asked += 1
            self.send_response(200)
            self.send_header("Content-Type", calendar.kind)
            self.send_header("Content-Length", str(len(calendar.body)))
            self.end_headers()
            self.wfile.write(calendar.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/private-4711/basic.ics"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
