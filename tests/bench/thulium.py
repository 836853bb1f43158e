"""The stand-in Thulium as a process of its own, in which the customers 1 to N are there from the start.

``python -m tests.bench.thulium PORT N`` prints its address and stays up.
"""

import sys
import threading

from tests.bench.leads import phone
from tests.sandbox import Sandbox, World
from tests.sandbox.store import Customer

REMEMBERED = 1000  # requests; it would grow without end


def main(port: int, customers: int) -> None:
    """Run until the process is ended."""
    thulium = Sandbox(port=port, world=World(keep=REMEMBERED))
    thulium.add_campaign("00001")
    for number in range(1, customers + 1):
        thulium.world.store.keep(Customer(number, [phone(number)], [], {"surname": "Lis"}))
    thulium.number(customer=10_000_000)
    with thulium:
        print(thulium.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
