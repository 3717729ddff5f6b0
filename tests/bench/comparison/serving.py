"""The worker's side: JSON lines on standard input, one JSON line for each on the pipe that COMPARE_ANSWERS names, since
libraries print to standard output. Needs nothing but Python, so that it runs in any environment.

A code is an object with

    load(model, dtype, threads) -> {"versions": {...}, "settings": {...}}
    hold(structure) -> whatever it wants to keep of {"numbers", "positions", "cell"}
    evaluate(held, positions) -> energy [eV], forces [eV/Å], stress [eV/Å³], three rows
    relax(structures, steps) -> volumes [Å³] after exactly `steps` steps of atoms and cell
    tune(structures) -> settings found by trying, before a relaxation is timed

Evaluations that are timed begin with moved atoms and end with numbers in Python, neighbours included.
"""

import json
import os
import sys
import time
import traceback


class Server:
    def __init__(self, code):
        self.code = code
        self.timed = None  # a function without arguments: what `measure` times
        self.volumes = []  # of the last relaxation that was timed

    def load(self, request):
        return self.code.load(request["model"], request["dtype"], request["threads"])

    def evaluate(self, request):
        held = [(self.code.hold(structure), structure["positions"]) for structure in request["structures"]]
        results = [self.code.evaluate(each, positions) for each, positions in held]
        return {"results": [{"energy": float(e), "forces": rows(f), "stress": rows(s)} for e, f, s in results]}

    def prepare_evaluation(self, request):
        """Holds the first frame and warms up; each later evaluation takes the positions of the next frame."""
        frames = [frame["positions"] for frame in request["frames"]]
        held, turn = self.code.hold(request["frames"][0]), 0

        def once():
            nonlocal turn
            turn += 1
            self.code.evaluate(held, frames[turn % len(frames)])

        self.timed, self.volumes = once, []
        return {"warm_up": [timed(once)[0] for _ in range(request["warm_up"])]}

    def prepare_relaxation(self, request):
        structures, steps = request["structures"], request["steps"]
        warm_up = [timed(lambda: self.code.relax(structures, 2))[0]]
        settings = self.code.tune(structures)

        def once():
            self.volumes = self.code.relax(structures, steps)

        self.timed = once
        return {"warm_up": warm_up, "settings": settings}

    def measure(self, request):
        """Once, and again until the time is over."""
        readings, end = [], time.perf_counter() + request["seconds"]
        while not readings or time.perf_counter() < end:
            readings.append(timed(self.timed))
        return {"wall": [wall for wall, _ in readings], "cpu": [cpu for _, cpu in readings],
                "volumes": [float(volume) for volume in self.volumes]}


def timed(function):
    """Seconds of wall time and of CPU time, over all threads of the process."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - wall, time.process_time() - cpu


def rows(array):
    return [[float(x) for x in row] for row in array]


def serve(code):
    answers, server = os.fdopen(int(os.environ["COMPARE_ANSWERS"]), "w"), Server(code)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(server, request["do"])(request)
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
