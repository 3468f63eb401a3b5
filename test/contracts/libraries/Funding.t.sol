// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Funding} from "../../../contracts/libraries/Funding.sol";
import {Side, Sides} from "../../../contracts/libraries/Sides.sol";
import {
    MarketParameters,
    MarketRisk,
    MarketState,
    toMarketRisk,
    toMarketState
} from "../../../contracts/types/MarketWords.sol";
import {usualMarket} from "../support/Markets.sol";
import {Test} from "../support/Test.sol";

contract FundingTest is Test {
    using Sides for Side;

    uint256 private constant START = 1_700_000_000;

    /// @dev SIP-279: price 2000, skew 100, skew scale 1e6, velocity 3 a day and day: after a day a position of 100 has paid 30.
    function test_FollowsTheWorkedExampleOfSip279() external pure {
        int256 drift = Funding.driftOf(100e18, 3e18, 1e24);
        (int256 index, int256 rate) = Funding.accrued(
            _state(0, 0, drift),
            _risk(0.1e18, 3 days),
            2000e18,
            START + 1 days
        );
        assertNearlyEqual(100 * index, 30e18, "funding paid by 100");
        assertNearlyEqual(rate * 1 days, 0.0003e24, "rate after a day");
    }

    function test_LongsPayWhenTheSkewIsLong() external pure {
        int256 drift = Funding.driftOf(100e18, 3e18, 1e24);
        (int256 index, ) = Funding.accrued(_state(0, 0, drift), _risk(0.1e18, 3 days), 2000e18, START + 1 hours);
        int256 long = Sides.untouched(1, index).sharePriceFloor(1, 2000e27);
        int256 short = Sides.untouched(-1, index).sharePriceFloor(-1, 2000e27);
        assertTrue(long < 2000e27, "longs pay");
        assertTrue(short > -2000e27, "shorts get");
        assertEq(long + short, 0, "what longs pay shorts get");
    }

    function test_ShortsPayWhenTheSkewIsShort() external pure {
        int256 drift = Funding.driftOf(-100e18, 3e18, 1e24);
        (int256 index, int256 rate) = Funding.accrued(
            _state(0, 0, drift),
            _risk(0.1e18, 3 days),
            2000e18,
            START + 1 days
        );
        assertNearlyEqual(100 * index, -30e18, "funding got by 100");
        assertTrue(rate < 0, "rate");
    }

    /// @dev The rate climbs from 0 to 0.00015 a day in half a day, then stays: (0.000075 + 0.00015) / 2 days of it.
    function test_StopsClimbingWhereTheClampBinds() external pure {
        int256 drift = Funding.driftOf(100e18, 3e18, 1e24);
        MarketRisk risk = _risk(0.00015e18, 3 days);
        (int256 index, int256 rate) = Funding.accrued(_state(0, 0, drift), risk, 2000e18, START + 1 days);
        assertEq(rate, risk.maxFundingRate(), "rate at the clamp");
        assertNearlyEqual(100 * index, 22.5e18, "funding paid by 100");
    }

    /// @dev From -0.0003 a day the rate falls no further, and climbs through zero to +0.0003 in two days.
    function test_INV41_ClampsOnTheWayUpAndOnTheWayDown() external pure {
        MarketRisk risk = _risk(0.0003e18, 10 days);
        int256 most = risk.maxFundingRate();
        int256 drift = Funding.driftOf(100e18, 3e18, 1e24);
        (int256 index, int256 rate) = Funding.accrued(_state(0, -most, -drift), risk, 2000e18, START + 2 days);
        assertEq(rate, -most, "already at the lower end");
        assertNearlyEqual(index, -1.2e18, "two days at the lower end");
        (index, rate) = Funding.accrued(_state(0, -most, drift), risk, 2000e18, START + 4 days);
        assertEq(rate, most, "at the upper end");
        // two days of climbing cancel out, two days at the upper end do not
        assertNear(index, 1.2e18, 1.2e9 * 2, "two days at the upper end");
    }

    function test_ALongGapCountsNoMoreThanTheLargestGap() external pure {
        MarketState state = _state(7e18, 1e18, 3e10);
        MarketRisk risk = _risk(0.1e18, 1 days);
        (int256 index, int256 rate) = Funding.accrued(state, risk, 2000e18, START + 1 days);
        (int256 later, int256 laterRate) = Funding.accrued(state, risk, 2000e18, START + 1 days + 1);
        assertEq(later, index, "index a second later");
        assertEq(laterRate, rate, "rate a second later");
        (later, laterRate) = Funding.accrued(state, risk, 2000e18, START + 1000 days);
        assertEq(later, index, "index after years");
        assertEq(laterRate, rate, "rate after years");
        (later, ) = Funding.accrued(state, risk, 2000e18, START + 1 days - 1);
        assertTrue(later < index, "a second short of the gap");
    }

    function test_NoTimeChangesNothing() external pure {
        (int256 index, int256 rate) = Funding.accrued(_state(7, -8, 9), _risk(0.1e18, 1 days), 2000e18, START);
        assertEq(index, 7, "index");
        assertEq(rate, -8, "rate");
    }

    function test_ALoweredMaximumBindsAtOnce() external pure {
        MarketRisk risk = _risk(0.00015e18, 1 days);
        int256 most = risk.maxFundingRate();
        (, int256 rate) = Funding.accrued(_state(0, 10 * most, 0), risk, 2000e18, START);
        assertEq(rate, most, "at once");
        (int256 index, ) = Funding.accrued(_state(0, -10 * most, 0), risk, 2000e18, START + 1 days);
        assertNearlyEqual(index, -0.3e18, "a day at the new maximum");
    }

    function test_RoundsTheIndexTowardMinusInfinity() external pure {
        MarketRisk risk = _risk(0.1e18, 1 days);
        // a rate of 1e-24 a second on a price of 1e-18: 1e-24 of the index's unit
        (int256 index, ) = Funding.accrued(_state(0, 1, 0), risk, 1, START + 1);
        assertEq(index, 0, "a trace that longs pay");
        (index, ) = Funding.accrued(_state(0, -1, 0), risk, 1, START + 1);
        assertEq(index, -1, "a trace that shorts pay");
        (index, ) = Funding.accrued(_state(0, -1, 0), risk, 1e24, START + 1);
        assertEq(index, -1, "an exact unit");
    }

    function test_RoundsTheDriftTowardMinusInfinity() external pure {
        assertEq(Funding.driftOf(1, 1e12, 1e24), 0, "a trace of long skew");
        assertEq(Funding.driftOf(-1, 1e12, 1e24), -1, "a trace of short skew");
        assertEq(Funding.driftOf(0, 3e18, 1e24), 0, "no skew");
        assertEq(Funding.driftOf(86400 * 86400, 1e18, 1e24), 1, "an exact unit");
        assertEq(Funding.driftOf(-86400 * 86400, 1e18, 1e24), -1, "an exact unit the other way");
    }

    function test_HoldsTheDriftWithinItsField() external pure {
        int256 end = type(int56).max;
        assertEq(Funding.driftOf(100e24, 10e18, 1e24), end, "long");
        assertEq(Funding.driftOf(-100e24, 10e18, 1e24), -end, "short");
        toMarketState(0, 0, Funding.driftOf(-1e30, 16e18, 1e9), 0, 0);
    }

    function testFuzz_TheDriftIsTheFlooredQuotient(int256 skew, uint256 velocity, uint256 scale) external pure {
        velocity = bound(velocity, 0, 16e18);
        scale = bound(scale, 1e18, 1e30);
        skew = bound(skew, -int256(scale), int256(scale));
        int256 exact = int256(velocity) * 1e6 * skew;
        int256 divisor = int256(scale) * 86400 * 86400;
        int256 drift = Funding.driftOf(skew, velocity, scale);
        assertTrue(drift * divisor <= exact && exact - drift * divisor < divisor, "drift");
    }

    /// @dev Steps through every second; the rate is a straight line but in the second in which the clamp binds.
    function testFuzz_INV42_AgreesWithAWalkThroughEverySecond(
        int256 rate,
        int256 drift,
        uint256 seconds_
    ) external pure {
        MarketRisk risk = _risk(0.05e18, 1 days);
        int256 most = risk.maxFundingRate();
        rate = bound(rate, -most, most);
        drift = bound(drift, -most / 20, most / 20);
        seconds_ = bound(seconds_, 1, 60);
        int256 doubled = 0; // twice the integral
        int256 r = rate;
        for (uint256 i = 0; i < seconds_; i++) {
            int256 next = _clamp(r + drift, most);
            doubled += r + next;
            r = next;
        }
        (int256 index, int256 end) = Funding.accrued(_state(0, rate, drift), risk, 1e24, START + seconds_);
        assertEq(end, r, "rate");
        // Within the binding second the walk misses at most an eighth of the drift.
        assertNear(2 * index, doubled, uint256(drift < 0 ? -drift : drift) / 4 + 2, "index");
    }

    /// @dev Each touch may round the integral by one unit and the index by one: price / 1e24 + 1 a touch.
    function testFuzz_INV42_TouchingOftenEqualsTouchingOnce(
        int256 rate,
        int256 drift,
        uint256 price,
        uint256 seed,
        uint256 touches
    ) external pure {
        MarketRisk risk = _risk(0.1e18, 1 days);
        int256 most = risk.maxFundingRate();
        rate = bound(rate, -most, most);
        drift = bound(drift, -most / 1000, most / 1000);
        price = bound(price, 1, 1e27);
        touches = bound(touches, 2, 12);

        MarketState state = _state(0, rate, drift);
        uint256 time = START;
        for (uint256 i = 0; i < touches; i++) {
            time += uint256(keccak256(abi.encode(seed, i))) % (1 days / touches);
            (int256 touchedIndex, int256 touchedRate) = Funding.accrued(state, risk, price, time);
            state = toMarketState(touchedIndex, touchedRate, drift, time, 0);
        }
        (int256 index, int256 end) = Funding.accrued(_state(0, rate, drift), risk, price, time);
        assertEq(state.fundingRate(), end, "rate");
        assertNear(state.fundingIndex(), index, (touches + 1) * (price / 1e24 + 1), "index");
    }

    function testFuzz_INV42_MirroredSkewMirrorsTheFunding(
        int256 rate,
        int256 drift,
        uint256 price,
        uint256 gap
    ) external pure {
        MarketRisk risk = _risk(0.1e18, 1 days);
        int256 most = risk.maxFundingRate();
        rate = bound(rate, -most, most);
        drift = bound(drift, type(int56).min + 1, type(int56).max);
        price = bound(price, 1, 1e27);
        gap = bound(gap, 0, 2 days);
        (int256 a, int256 rateA) = Funding.accrued(_state(0, rate, drift), risk, price, START + gap);
        (int256 b, int256 rateB) = Funding.accrued(_state(0, -rate, -drift), risk, price, START + gap);
        assertEq(rateA, -rateB, "rates");
        assertTrue(a + b == 0 || a + b == -1, "indices, each rounded down");
    }

    function _state(int256 index, int256 rate, int256 drift) private pure returns (MarketState) {
        return toMarketState(index, rate, drift, START, 0);
    }

    function _risk(uint256 maxRatePerDay, uint256 maxGap) private pure returns (MarketRisk) {
        MarketParameters memory p = usualMarket();
        p.maxFundingRatePerDayWad = maxRatePerDay;
        p.maxFundingGapSeconds = maxGap;
        return toMarketRisk(p);
    }

    function _clamp(int256 a, int256 limit) private pure returns (int256) {
        if (a > limit) return limit;
        return a < -limit ? -limit : a;
    }
}
