// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ValueOutOfRange} from "../../../contracts/types/Packing.sol";
import {Position, toPosition} from "../../../contracts/types/Position.sol";
import {Test} from "../support/Test.sol";

contract PositionTest is Test {
    int256 private constant END = 1 << 119;

    function test_StandsAsDocumented() external pure {
        assertEq(Position.unwrap(toPosition(-1, 0, 0)), (1 << 120) - 1, "shares");
        assertEq(Position.unwrap(toPosition(0, -1, 0)), ((1 << 120) - 1) << 120, "cost");
        assertEq(Position.unwrap(toPosition(0, 0, 65535)), 0xffff << 240, "epoch");
    }

    function testFuzz_ReadsBackEveryField(int120 shares, int120 cost, uint16 epoch) external pure {
        _check(shares, cost, epoch);
    }

    function test_ReadsBackTheEndsOfEveryField() external pure {
        int256[3] memory values = [-END, int256(0), END - 1];
        for (uint256 i = 0; i < 9; i++) {
            _check(values[i / 3], values[i % 3], 0);
            _check(values[i / 3], values[i % 3], 65535);
        }
    }

    function test_RefusesWhatDoesNotFit() external {
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, END, 120));
        this.pack(END, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, -END - 1, 120));
        this.pack(-END - 1, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, END, 120));
        this.pack(0, END, 0);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, -END - 1, 120));
        this.pack(0, -END - 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(65536), 16));
        this.pack(0, 0, 65536);
    }

    function pack(int256 shares, int256 cost, uint256 epoch) external pure returns (Position) {
        return toPosition(shares, cost, epoch);
    }

    function _check(int256 shares, int256 cost, uint256 epoch) private pure {
        Position position = toPosition(shares, cost, epoch);
        assertEq(position.shares(), shares, "shares");
        assertEq(position.cost(), cost, "cost");
        assertEq(position.epoch(), epoch, "epoch");
    }
}
