// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    NotRepresentable,
    ValueOutOfRange,
    field,
    place,
    placeSigned,
    placeUnits,
    signedField
} from "../../../contracts/types/Packing.sol";
import {Test} from "../support/Test.sol";

contract PackingTest is Test {
    function test_RefusesAValueOneBitTooLong() external {
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(256), 8));
        this.placed(256, 0, 8);
        assertEq(this.placed(255, 0, 8), 255, "the largest value");
    }

    function test_RefusesASignedValueBeyondEitherEnd() external {
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(128), 8));
        this.placedSigned(128, 0, 8);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(-129), 8));
        this.placedSigned(-129, 0, 8);
        assertEq(this.placedSigned(127, 0, 8), 0x7f, "the largest value");
        assertEq(this.placedSigned(-128, 0, 8), 0x80, "the smallest value");
    }

    function test_RefusesWhatIsNotAWholeNumberOfUnits() external {
        vm.expectRevert(abi.encodeWithSelector(NotRepresentable.selector, 1001, 1000));
        this.placedUnits(1001, 1000, 0, 8);
        vm.expectRevert(abi.encodeWithSelector(ValueOutOfRange.selector, int256(256), 8));
        this.placedUnits(256_000, 1000, 0, 8);
        assertEq(this.placedUnits(255_000, 1000, 4, 8), 255 << 4, "the largest value");
    }

    function test_KeepsTheSignOfANegativeField() external pure {
        assertEq(signedField(placeSigned(-1, 60, 8), 60, 8), -1, "minus one");
        assertEq(placeSigned(-1, 60, 8), 0xff << 60, "minus one has only its own bits");
    }

    function testFuzz_ReadsBackWhatItPlacedAmongOtherBits(
        uint256 value,
        uint256 others,
        uint256 offset,
        uint256 bits
    ) external pure {
        bits = bound(bits, 1, 255);
        offset = bound(offset, 0, 256 - bits);
        value = bound(value, 0, (1 << bits) - 1);
        uint256 mask = ((1 << bits) - 1) << offset;
        uint256 word = place(value, offset, bits) | (others & ~mask);
        assertEq(field(word, offset, bits), value, "field");
        assertEq(word & ~mask, others & ~mask, "its neighbours");
    }

    function testFuzz_ReadsBackASignedValueAmongOtherBits(
        int256 value,
        uint256 others,
        uint256 offset,
        uint256 bits
    ) external pure {
        bits = bound(bits, 1, 255);
        offset = bound(offset, 0, 256 - bits);
        int256 end = int256(1 << (bits - 1));
        value = bound(value, -end, end - 1);
        uint256 mask = ((1 << bits) - 1) << offset;
        uint256 word = placeSigned(value, offset, bits) | (others & ~mask);
        assertEq(signedField(word, offset, bits), value, "field");
        assertEq(word & ~mask, others & ~mask, "its neighbours");
    }

    function placed(uint256 value, uint256 offset, uint256 bits) external pure returns (uint256) {
        return place(value, offset, bits);
    }

    function placedSigned(int256 value, uint256 offset, uint256 bits) external pure returns (uint256) {
        return placeSigned(value, offset, bits);
    }

    function placedUnits(uint256 value, uint256 unit, uint256 offset, uint256 bits) external pure returns (uint256) {
        return placeUnits(value, unit, offset, bits);
    }
}
