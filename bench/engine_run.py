#!/usr/bin/env python3
"""`berth run --rm IMAGE true` beside `docker run --rm IMAGE true`, network included: the whole path that a user waits for.

Both engines are private, warm, on the same disk, with the same image and their default bridge.
"""

import harness

harness.use_test_tools()
import images
import isolation
from docker_peer import Docker, client
from engine import BIN, Engine

IMAGE = "busybox:latest"


def main() -> None:
    arguments = harness.arguments(__doc__, rounds=30)
    isolation.enter()
    engine = Engine(root_parent="/var/tmp")
    with engine, Docker() as docker:
        engine.load(images.busybox_image(IMAGE))
        docker.ok("load", stdin=images.busybox_image(IMAGE))
        command = ["run", "--rm", IMAGE, "true"]
        results = harness.measure([
            harness.Contender("berth run --rm", lambda: harness.run_program(
                [str(BIN / "berth"), *command], engine.environment())),
            harness.Contender(f"{docker.version()} run --rm", lambda: harness.run_program(
                [client(), *command], docker.environment)),
        ], arguments.rounds)
    print(harness.table("run --rm IMAGE true, default bridge network", results))
    harness.promise("berth run --rm beside docker run --rm", harness.ratio(results, "docker"), 0.12)
    harness.save("engine_run", {"results": harness.as_json(results)})
    harness.finish()


if __name__ == "__main__":
    main()
