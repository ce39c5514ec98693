"""What pairing costs in a flood of one number: it must not grow with what came before."""

from __future__ import annotations

from telephony.sources.hep.pairing import Pairing, _Leg
from tests.telephony.strategies import at


class Counted(Pairing):
    """Counts the comparisons of two legs."""

    comparisons = 0

    def _fits(self, first: _Leg, out: _Leg) -> bool:
        self.comparisons += 1
        return super()._fits(first, out)


def test_the_thousandth_invite_of_a_number_costs_no_more_than_the_hundredth() -> None:
    subject = Counted("hep")
    costs = []
    for number in range(1000):
        before = subject.comparisons
        hosts = ("192.0.2.1", "192.0.2.2")
        subject.invited(
            f"sip:{number}", at(number / 1000), hosts, {"+33612345678"}, {"+33612345678"}
        )
        costs.append(subject.comparisons - before)
    assert max(costs[900:]) <= max(costs[:200])


def test_two_legs_are_paired_however_many_of_their_number_came_before() -> None:
    subject = Pairing("hep")
    numbers = {"+33612345678"}
    for number in range(300):
        subject.invited(f"sip:{number}", at(2 * number), ("gw", "pbx"), numbers, numbers)
    subject.invited("sip:in", at(1000), ("gw", "pbx"), numbers, numbers)
    (verdict,) = subject.invited("sip:out", at(1000.1), ("pbx", "1501"), numbers, numbers)
    assert (verdict.leg, verdict.with_leg) == ("sip:out", "sip:in")
