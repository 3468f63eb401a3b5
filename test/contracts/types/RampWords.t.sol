// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ValueOutOfRange} from "../../../contracts/types/Packing.sol";
import {RampClock, toRampClock} from "../../../contracts/types/RampWords.sol";
import {Test} from "../support/Test.sol";

contract RampWordsTest is Test {
    function test_TheClockStandsAsDocumented() external pure {
        assertEq(RampClock.unwrap(toRampClock(type(uint32).max, 0)), type(uint32).max, "seconds left");
        assertEq(RampClock.unwrap(toRampClock(0, type(uint40).max)), uint256(type(uint40).max) << 32, "stepped at");
    }

    function testFuzz_ReadsBackTheClock(uint32 left, uint40 steppedAt) external pure {
        RampClock clock = toRampClock(left, steppedAt);
        assertEq(clock.secondsLeft(), left, "seconds left");
        assertEq(clock.steppedAt(), steppedAt, "stepped at");
    }

    function test_RefusesAClockThatDoesNotFit() external {
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << 32), 32));
        this.toClock(1 << 32, 0);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(1 << 40), 40));
        this.toClock(0, 1 << 40);
    }

    function toClock(uint256 left, uint256 steppedAt) external pure returns (RampClock) {
        return toRampClock(left, steppedAt);
    }
}
