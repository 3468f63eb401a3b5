// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Target, Targets} from "../../../contracts/libraries/Targets.sol";
import {Price, toPrice} from "../../../contracts/types/Price.sol";
import {Test} from "../support/Test.sol";

contract TargetsTest is Test {
    using Targets for Target;

    function test_GraceSparesWhoeverIsNotBelowZero() external pure {
        Target memory target = _withOnePrice(toPrice(2000e18, 0, 1, 60).duringGrace());
        target.health.equityMaintenanceWad = 1;
        assertTrue(target.inGrace(), "a wei above zero");
        target.health.equityMaintenanceWad = 0;
        assertTrue(target.inGrace(), "zero");
        target.health.equityMaintenanceWad = -1;
        assertTrue(!target.inGrace(), "a wei below zero");
    }

    function test_WithoutGraceNobodyIsSpared() external pure {
        Target memory target = _withOnePrice(toPrice(2000e18, 0, 1, 60));
        target.health.equityMaintenanceWad = 1;
        assertTrue(!target.inGrace(), "with a price out of grace");
        target.prices = new Price[](0);
        assertTrue(!target.inGrace(), "without any price");
    }

    function _withOnePrice(Price price) private pure returns (Target memory target) {
        target.prices = new Price[](1);
        target.prices[0] = price;
    }
}
