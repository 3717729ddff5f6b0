"""A worker that misbehaves as its settings say, to test the side that runs it.

The first argument is how it starts: well, dies, silent, other_protocol or chatty. The setting ``mode`` of a
request is how it answers. It speaks the protocol by hand: the helpers would not let it misbehave.
"""

import json
import os
import signal
import subprocess
import sys
import time


def say(message, allow_nan=True):
    sys.stdout.write(json.dumps(message, allow_nan=allow_nan) + "\n")
    sys.stdout.flush()


def labelled(structure, energy=-1.5):
    return structure | {"energy": energy, "forces": [[0.0, 0.0, 0.0]] * len(structure["symbols"])}


def result(request, frame, **other):
    return {"type": "result", "id": request["id"], "status": "finished", "frame": frame, "properties": {}, "cost": 0.25} | other


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def answer(request):
    mode = request["settings"].get("mode", "well")
    frame = labelled(request["structure"])
    if mode == "dies":
        print("out of memory, or so", file=sys.stderr)
        os.kill(os.getpid(), signal.SIGKILL)
    elif mode == "is_told_to_stop":
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
            os.kill(os.getpid(), number)
        say(result(request, frame))
    elif mode == "exits":
        sys.exit(3)
    elif mode == "dies_after_step":
        say({"type": "step", "id": request["id"], "frame": frame})
        burn(0.3)
        os.kill(os.getpid(), signal.SIGKILL)
    elif mode == "leaves_a_child":
        subprocess.Popen(["sleep", "1000"])
        os._exit(4)
    elif mode == "hangs":
        say({"type": "step", "id": request["id"], "frame": frame})
        burn(1e9)
    elif mode == "keeps_a_state":
        number = request.get("state", {}).get("number", 0) + 1
        say({"type": "state", "id": request["id"], "state": {"number": number}})
        if number < 3:
            burn(1e9)
        say(result(request, frame, properties={"number": number}))
    elif mode == "dies_with_a_state":
        say({"type": "state", "id": request["id"], "state": {"number": 1}})
        os.kill(os.getpid(), signal.SIGKILL)
    elif mode == "odd_state":
        say({"type": "state", "id": request["id"], "state": [1, 2]})
    elif mode == "hangs_in_child":
        subprocess.run([sys.executable, "-c", "while True: pass"])
    elif mode == "garbage":
        print("SCF converged in 12 iterations", flush=True)
    elif mode == "not_text":
        sys.stdout.buffer.write(b"\xff\xfe\x00\n")
        sys.stdout.buffer.flush()
    elif mode == "nan":
        say(result(request, labelled(request["structure"], float("nan"))))
    elif mode == "huge_number":
        print(json.dumps(result(request, frame)).replace("-1.5", "1e999"), flush=True)
    elif mode == "shape":
        frame["forces"] = frame["forces"] + [[0.0, 0.0, 0.0]]
        say(result(request, frame))
    elif mode == "other_atoms":
        frame["symbols"] = ["He"] * len(frame["symbols"])
        say(result(request, frame))
    elif mode == "flat_cell":
        frame["cell"] = [[1.0, 0.0, 0.0]] * 3
        say(result(request, frame))
    elif mode == "no_energy":
        say(result(request, request["structure"]))
    elif mode == "no_frame":
        say({"type": "result", "id": request["id"], "status": "finished", "properties": {}, "cost": 1})
    elif mode == "odd_status":
        say(result(request, frame, status="maybe"))
    elif mode == "types":
        say(result(request, frame, properties=[1, 2], cost="much"))
    elif mode == "gap_of_nothing":
        say(result(request, frame, properties={"gap": None}))
    elif mode == "mesh_of_numbers":
        say(result(request, frame, properties={"mesh": [6, 6, 6]}))
    elif mode == "other_id":
        say(result(request | {"id": "somebody"}, frame))
    elif mode == "fails":
        say({"type": "result", "id": request["id"], "status": "failed", "reason": "did not converge", "properties": {"steps": 7}, "cost": 2.5})
    elif mode == "pieces":
        for byte in (json.dumps(result(request, frame)) + "\n").encode():
            os.write(1, bytes([byte]))
    elif mode == "two_lines_at_once":
        step = json.dumps({"type": "step", "id": request["id"], "frame": labelled(request["structure"], -1.0)})
        os.write(1, (step + "\n" + json.dumps(result(request, frame)) + "\n").encode())
    elif mode == "no_cost":
        burn(0.3)
        message = result(request, frame)
        del message["cost"]
        say(message)
    elif mode == "environment":
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        say(result(request, frame, properties={name: os.environ.get(name) for name in names}))
    else:
        time.sleep(request["settings"].get("sleep", 0.0))
        say(result(request, frame, properties={"pid": os.getpid()}))


def main():
    start = sys.argv[1]
    if start == "dies":
        sys.exit("the licence server does not answer")
    if start == "silent":
        time.sleep(1000)
    if start == "chatty":
        print("Welcome to this code", flush=True)
    say({"type": "hello", "protocol": 2 if start == "other_protocol" else 1, "name": "odd", "version": "0.9"})
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "quit":
            break
        answer(message)


main()
