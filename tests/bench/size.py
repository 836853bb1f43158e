"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """``rounds`` of ``seconds`` each, ``samples`` of what is waited for, ``burst`` requests of 100 events and so on."""

    rounds: int = 5
    cold_rounds: int = 11
    seconds: float = 1.5
    samples: int = 15
    burst: int = 500
    people: int = 32
    mapped: int = 2000
    customers: int = 300_000


QUICK = Size(rounds=1, cold_rounds=1, seconds=0.2, samples=1, burst=4, people=8, mapped=100, customers=5000)
