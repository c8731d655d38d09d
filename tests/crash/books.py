# SPDX-License-Identifier: MIT
"""What must hold of the books after any crash, judged from `ledger export` alone and from what clients and v3 saw.

read() takes the whole export again after each crash and judges what is new; every method returns what is wrong, one
sentence each. Nothing here asks the program what it thinks of itself.
"""
import json

ENDS = ("settle", "release", "unknown")
AMOUNTS = ("rows", "units")
OWN_LIMITS = ("out_of_rows", "out_of_units", "too_dear")  # faults
TOTALS_UNITS = 50  # of a target
RECORDS = ("domain_rating", "metrics", "metrics_extended", "positions_metrics")  # tables, from POSTs that calls share


def targets_of(request):
    """What a request asks v3 about: of a POST all of its targets."""
    if request.get("body"):
        return [target["url"] for target in json.loads(request["body"])["targets"]]
    return [request["query"].get("target")]


def units_of(entry):
    """The units that an end or a correction adds to what was used."""
    return entry["units_predicted"] if entry["units"] is None else entry["units"]


class Call:
    """The entries of one id."""

    def __init__(self):
        self.held = {"rows": 0, "units": 0}
        self.first_hold = self.end = None
        self.corrected = 0  # rows, added later by corrections


class Books:
    def __init__(self):
        self.text = ""
        self.entries = []
        self.calls = {}   # by id
        self.limits = {}  # team: {"rows": limit or None, "units": likewise}, as the notes say; None is the whole
        self.used = {}    # team, month: {"rows", "units"}
        self.held = {}    # team: likewise
        self.sums = {}    # team: what `usage` should say

    # --- the export ---

    def read(self, text):
        """Judge a whole export: what was there must be there still, byte for byte."""
        if not text.startswith(self.text):
            return [self._changed(text)]
        if text and not text.endswith("\n"):
            return [f"the last line is not whole: {text[-200:]!r}"]
        wrong = []
        for line in text[len(self.text):].splitlines():
            entry = json.loads(line)
            if entry["seq"] != len(self.entries) + 1:
                wrong.append(f"seq should be {len(self.entries) + 1}: {line}")
            self.entries.append(entry)
            wrong += [f"{what}: {line}" for what in self._take(entry)]
        self.text = text
        return wrong

    def _changed(self, text):
        for number, (old, new) in enumerate(zip(self.text.splitlines(), text.splitlines()), 1):
            if old != new:
                return f"line {number} has changed: it was {old} and is {new}"
        return f"old entries are gone: {self.text.count(chr(10))} lines were there, now {text.count(chr(10))}"

    def _take(self, entry):
        if entry["kind"] == "note":
            if entry["table"] == "limits":
                self.limits[entry["team"]] = {amount: entry[amount] for amount in AMOUNTS}
            return []
        self._sum(entry)
        if entry["kind"] == "correct":
            if entry["ref"] not in self.calls:
                return ["a correction of nothing"]
            self.calls[entry["ref"]].corrected += entry["rows"]
            return list(self._within_limits(entry))
        call = self.calls.setdefault(entry["id"], Call())
        wrong = list(self._order(call, entry))
        return wrong + list(self._within_limits(entry))

    def _order(self, call, entry):
        """Holds, then one end."""
        held = self.held.setdefault(entry["team"], {"rows": 0, "units": 0})
        if entry["kind"] == "hold":
            if call.end:
                yield f"a hold after the {call.end['kind']} of the call"
            before = dict.fromkeys(AMOUNTS, 0)
            if entry["ref"]:  # it stands in place of the holds before it
                before = dict(call.held)
                if entry["ref"] != entry["id"] or not call.first_hold:
                    yield "a hold in place of none of the call's own"
                if any(entry[amount] > before[amount] for amount in AMOUNTS):
                    yield f"a hold of more than the {before} in whose place it stands"
            call.first_hold = call.first_hold or entry
            for amount in AMOUNTS:
                call.held[amount] += entry[amount] - before[amount]
                held[amount] += entry[amount] - before[amount]
        elif entry["kind"] in ENDS:
            if call.end:
                yield f"a second end, the first was the {call.end['kind']} of seq {call.end['seq']}"
            if not call.first_hold and (entry["kind"] != "settle" or entry["rows"] or entry["results"] or units_of(entry)):
                yield "an end without a hold before it, of a call that costs something"
            if entry["kind"] != "settle" and entry["rows"]:
                yield "rows without an answer"
            if entry["fault"] and entry["rows"] and not entry["results"]:
                yield "rows for an answer that was a refusal, and none of its rows had come"
            if entry["fault"] in OWN_LIMITS and units_of(entry) > TOTALS_UNITS:
                yield f"our own limits refused it after {units_of(entry)} units"
            if entry["rows"] > call.held["rows"] and not call.end:
                yield f"more rows than the {call.held['rows']} that were held"
            call.end = entry
            for amount in AMOUNTS:
                held[amount] -= call.held[amount]
                call.held[amount] = 0

    def _within_limits(self, entry):
        """What was used in the month and what is held are within the limit, after each single entry."""
        used = self.used.setdefault((entry["team"], entry["time"][:7]), {"rows": 0, "units": 0})
        if entry["kind"] in ENDS + ("correct",):
            used["rows"] += entry["rows"]
            used["units"] += units_of(entry)
        for amount in AMOUNTS:
            limit = self.limits.get(entry["team"], {}).get(amount)
            held = self.held[entry["team"]][amount] if entry["team"] in self.held else 0
            if limit is not None and used[amount] + held > limit:
                yield f"{amount} pass the limit: {used[amount]} used + {held} held > {limit}"
        limit = self.limits.get(None, {}).get("units")
        used = self.used_of_all(entry["time"][:7])
        held = sum(held["units"] for held in self.held.values())
        if limit is not None and used + held > limit:
            yield f"units of all pass the limit: {used} used + {held} held > {limit}"

    def used_of_all(self, month):
        """Units of all teams; the billing month is the calendar's here."""
        return sum(used["units"] for (_, of), used in self.used.items() if of == month)

    # --- usage ---

    def _sum(self, entry):
        sums = self.sums.setdefault(entry["team"], dict.fromkeys(
            ("calls", "results", "rows", "units", "units_predicted", "units_alone", "units_unknown", "faults"), 0))
        if entry["kind"] in ENDS:
            sums["calls"] += 1
            sums["faults"] += entry["fault"] is not None
            for name in ("results", "units_predicted", "units_alone"):
                sums[name] += entry[name]
        if entry["kind"] in ENDS + ("correct",):
            sums["rows"] += entry["rows"]
            sums["units"] += units_of(entry)
        if entry["kind"] == "unknown" or entry["kind"] == "settle" and entry["units"] is None:
            sums["units_unknown"] += units_of(entry)

    def compare_usage(self, usage):
        """`usage`: the items of all time by team."""
        wrong = []
        for team in sorted({*usage, *self.sums}):
            said, summed = usage.get(team, {}), self.sums.get(team, {})
            wrong += [f"usage of {team} says {name} = {said.get(name, 0)}, its entries add up to {summed.get(name, 0)}"
                      for name in {**summed, **said} if name in next(iter(self.sums.values()), {})
                      and said.get(name, 0) != summed.get(name, 0)]
            if said.get("rows_held"):
                wrong.append(f"usage of {team} says {said['rows_held']} rows are held: {said}")
        return wrong

    # --- after the recovery ---

    def compare_limits(self, limits):
        """`limits`: rows and units by team, as configured. The sums must be within, whatever the notes say."""
        wrong = []
        for team, limit in limits.items():
            months = [used for (name, _), used in self.used.items() if name == team]
            wrong += [f"{team} used {used[amount]} {amount} of {limit[amount]}" for used in months for amount in AMOUNTS
                      if limit.get(amount) is not None and used[amount] > limit[amount]]
        return wrong

    def open_holds(self):
        """Holds of a dead process, which must have ended as unknown."""
        return [f"a hold is left open: {json.dumps(call.first_hold)}" for call in self.calls.values()
                if call.first_hold and not call.end]

    # --- what clients saw ---

    def compare_answers(self, answers):
        """`answers`: those that came whole. A good one stands as its settle; a refusal owes no rows."""
        wrong, seen = [], set()
        for team, target, answer in answers:
            if answer.id in seen:
                wrong.append(f"an id twice: {answer}")
            seen.add(answer.id)
            call = self.calls.get(answer.id)
            end = call.end if call else None
            if answer.status == 200 and answer.fault is None:
                wrong += self._answer(team, target, answer, end)
                if call and call.corrected:
                    wrong.append(f"an answer left and its rows were taken back: {answer}")
            elif answer.rows_charged or end and end["rows"] + call.corrected:
                wrong.append(f"a refusal owes rows: {answer} {json.dumps(end)}")
            elif end and end["units"] is not None and end["units"] != answer.units:
                wrong.append(f"a refusal with other units than its entry: {answer} {json.dumps(end)}")
        return wrong

    @staticmethod
    def _answer(team, target, answer, end):
        if end is None or end["kind"] != "settle":
            return [f"an answer left without its settle: {answer} {json.dumps(end)}"]
        told = {"team": team, "target": target, "rows": answer.rows_charged, "units": answer.units,
                "results": int(answer.headers["x-results-count"]), "fault": None}
        booked = {name: units_of(end) if name == "units" else end[name] for name in told}
        return [] if told == booked else [f"an answer says {told}, its settle {booked}: {json.dumps(end)}"]

    # --- what v3 saw ---

    def compare_requests(self, since, requests):
        """`requests`: what v3 saw while the entries from index `since` on were written. Only the cache answers without
        a request, and v3 never took more than is booked."""
        asked = {target for request in requests for target in targets_of(request)}
        new = self.entries[since:]
        wrong = [f"no request went to v3 for it: {json.dumps(entry)}" for entry in new
                 if entry["kind"] == "settle" and not entry["fault"] and entry["via"] != "cache"
                 and entry["target"] not in asked]
        taken, booked, shared = {}, {}, {"taken": 0, "booked": 0}
        for request in requests:
            if request.get("body"):
                shared["taken"] += request["units"]
                continue
            target = request["query"].get("target")
            taken[target] = taken.get(target, 0) + request["units"]
        for entry in new:
            if entry["kind"] in ENDS:
                booked[entry["target"]] = booked.get(entry["target"], 0) + units_of(entry)
                shared["booked"] += units_of(entry) if entry["table"] in RECORDS else 0
        if shared["taken"] > shared["booked"]:
            wrong.append(f"v3 took {shared['taken']} units for POSTs, only {shared['booked']} are booked")
        return wrong + [f"v3 took {units} units for {target}, only {booked.get(target, 0)} are booked: "
                        f"{[json.dumps(entry) for entry in new if entry['target'] == target]}"
                        for target, units in taken.items() if units > booked.get(target, 0)]
