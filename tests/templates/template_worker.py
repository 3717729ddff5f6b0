"""Template of a new oracle: a worker process that answers label requests (screening/oracle/README.md).

    tamiz label structures.xyz --oracle "python3 template_worker.py" -o labelled.xyz

Energies in eV, lengths in Å. It needs nothing but Python; replace `energy_and_forces` by the code that you want to call.
"""

import json
import sys

STIFFNESS = 3.0  # [eV/Å²], of a spring from each atom to the origin


def energy_and_forces(structure):
    energy = sum(0.5 * STIFFNESS * x * x for position in structure["positions"] for x in position)
    forces = [[-STIFFNESS * x for x in position] for position in structure["positions"]]
    return energy, forces


def answer(request):
    if request["task"] != "single_point":
        return {"status": "failed", "reason": f"this worker has no task {request['task']}", "cost": 0.0}
    energy, forces = energy_and_forces(request["structure"])
    frame = request["structure"] | {"energy": energy, "forces": forces}
    return {"status": "finished", "frame": frame, "properties": {}, "cost": 0.0}


def main():
    print(json.dumps({"type": "hello", "protocol": 1, "name": "springs", "version": "1"}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if request["type"] == "quit":
            break
        print(json.dumps({"type": "result", "id": request["id"]} | answer(request)), flush=True)


if __name__ == "__main__":
    main()
