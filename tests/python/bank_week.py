"""Checks a week of real calls: every figure that its description gives must come out of the program exactly.

    bank_week.py PEGCOUNT FILE

Imports FILE (the "Anonymous Bank" of the Technion, 1 to 7 February 1999) through the command line into fresh folders and
prints each figure that differs, then a summary. Ends with code 1 if any differs.
"""

import csv
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile

pegcount, week = sys.argv[1], pathlib.Path(sys.argv[2])
passed = failed = 0


def check(what, actual, expected):
    global passed, failed
    if actual == expected:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {what}: {actual}, expected {expected}")


def run(*arguments):
    done = subprocess.run([pegcount, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"pegcount {' '.join(map(str, arguments))} ended with {done.returncode}\n{done.stderr}")
    return done.stdout


def load(path, folder):
    where = ("--site", "bank", "--time-zone", "Asia/Jerusalem", "--data-dir", folder)
    return json.loads(run("import", "bank", path, *where, "--format", "json"))


def figures(folder, start, end, attribution, *by):
    cut = ("--by", ",".join(by)) if by else ()
    where = ("--site", "bank", "--time-zone", "Asia/Jerusalem", "--data-dir", folder, "--from", start, "--to", end)
    answer = run("kpi", *where, "--attribution", attribution, *cut, "--format", "csv")
    return list(csv.DictReader(io.StringIO(answer)))


def number(text):
    return 0 if text == "" else float(text) if "." in text else int(text)


def handle(row):
    return sum(number(row[name]) for name in ("handle_talk_s", "handle_hold_s", "handle_acw_s"))


def never_queued(folder, day):
    """Abandoned visits that lasted no time at all, counted from the events themselves."""
    entered, count = {}, 0
    events = run("log", "tail", "--from", "1", "--kind", "contact", "--format", "json", "--data-dir", folder)
    for event in map(json.loads, events.splitlines()):
        if event["type"] == "contact.queue_entered":
            entered[event["stream"]] = event["occurred_at_us"]
        elif event["type"] == "contact.queue_left" and "abandoned" in json.dumps(event["body"]):
            at_once = event["occurred_at_us"] == entered[event["stream"]]
            count += at_once and (day is None or event["stream"].split("/")[2].startswith(day))
    return count


def check_range(name, folder, start, end, attribution, expected):
    (row,) = figures(folder, start, end, attribution)
    for column, value in expected.items():
        actual = handle(row) if column == "handle" else number(row[column])
        check(f"{name}, attribution {attribution}: {column}", actual, value)


DAY = {
    "offered": 1551, "answered": 1354, "abandoned": 197, "abandoned_short": 59, "abandoned_within": 101,
    "wait_answered_s": 47080, "wait_abandoned_s": 8384, "answered_within": 842, "handle": 222002,
}
WEEK = {
    "offered": 8948, "answered": 7429, "abandoned": 1519, "abandoned_short": 750, "abandoned_within": 985,
    "wait_answered_s": 237924, "wait_abandoned_s": 45732, "answered_within": 4726, "handle": 1247662,
}
QUEUES = {
    "PS": (5960, 5139, 821, 928407), "NW": (2038, 1419, 619, 131969), "NE": (600, 559, 41, 143037),
    "TT": (216, 204, 12, 17581), "IN": (80, 65, 15, 17580), "PE": (54, 43, 11, 9088),
}
AGENTS = {"AGENT01": (620, 85703), "AGENT13": (554, 133146)}


def check_import(name, report, rows, phantom, offered, answered, unknown, agents, odd):
    counts = ("read", "phantom", "kept", "added", "answered", "abandoned", "agent_unknown", "agents")
    expected = (rows, phantom, offered, offered, answered, offered - answered, unknown, agents)
    for kind, value in zip(counts, expected):
        check(f"{name}, import: {kind}", report[kind], value)
    kinds = ("odd_hang_with_service", "odd_negative_vru_time", "odd_agent_without_service")
    for kind, value in zip(kinds, odd):
        check(f"{name}, import: {kind}", report[kind], value)
    for kind in ("broken", "repeated", "refused", "present", "grown"):
        check(f"{name}, import: {kind}", report[kind], 0)


def check_agents(name, folder, start, end, known, unknown):
    rows = figures(folder, start, end, "start", "agent")
    handled = {row["agent"]: (number(row["handled"]), handle(row)) for row in rows if number(row["handled"])}
    check(f"{name}: known agents", len([agent for agent in handled if agent]), known)
    check(f"{name}: answered by nobody known", handled.get("", (0, 0))[0], unknown)
    return handled


with tempfile.TemporaryDirectory() as scratch:
    scratch = pathlib.Path(scratch)
    lines = week.read_text().splitlines()
    head, rows = lines[0], lines[1:]

    folder = scratch / "week"
    check_import("week", load(week, folder), 9007, 59, 8948, 7429, 125, 23, (14, 8, 15))
    # Every row's own day is found by when its visit began; the wide ranges hold everything, whenever it ended.
    check_range("1 Feb", folder, "1999-02-01", "1999-02-02", "start", DAY)
    check_range("week", folder, "1999-02-01", "1999-02-08", "start", WEEK)
    for attribution in ("event", "start", "end"):
        check_range("in total", folder, "1999-01-30", "1999-02-10", attribution, WEEK)
    check("1 Feb: abandoned that never queued", never_queued(folder, "990201"), 52)
    check("week: abandoned that never queued", never_queued(folder, None), 672)
    queues = {row["queue"]: row for row in figures(folder, "1999-02-01", "1999-02-08", "start", "queue")}
    for queue, expected in QUEUES.items():
        row = queues[queue]
        actual = (*(number(row[name]) for name in ("offered", "answered", "abandoned")), handle(row))
        check(f"week, queue {queue}: offered, answered, abandoned, handle", actual, expected)
    check("week: queues", sorted(queue for queue in queues if queue), sorted(QUEUES))
    check_agents("1 Feb", folder, "1999-02-01", "1999-02-02", 16, 21)
    handled = check_agents("week", folder, "1999-02-01", "1999-02-08", 23, 125)
    for agent, expected in AGENTS.items():
        check(f"week, {agent}: calls, handle", handled[agent], expected)

    again = load(week, folder)
    check("second import: added, grown, events", (again["added"], again["grown"], again["events"]), (0, 0, 0))
    shuffled = scratch / "shuffled.tsv"
    random.Random(19990201).shuffle(rows)
    shuffled.write_text("\n".join([head, *rows]) + "\n")
    again = load(shuffled, folder)
    check("shuffled import: added, grown, events", (again["added"], again["grown"], again["events"]), (0, 0, 0))
    check_range("week after three imports", folder, "1999-02-01", "1999-02-08", "start", WEEK)

    monday = scratch / "monday.tsv"
    monday.write_text("\n".join([head, *(row for row in rows if row.split("\t")[5] == "990201")]) + "\n")
    folder = scratch / "monday"
    check_import("1 Feb alone", load(monday, folder), 1567, 16, 1551, 1354, 21, 16, (4, 4, 1))
    check_range("1 Feb alone", folder, "1999-02-01", "1999-02-02", "start", DAY)
    check_range("1 Feb alone, in total", folder, "1999-01-30", "1999-02-10", "event", DAY)

print(f"bank week: {passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
