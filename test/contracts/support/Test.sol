// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";

/// @notice The cheatcodes that the tests use.
interface Vm {
    function expectRevert(bytes calldata revertData) external;
    function warp(uint256 timestamp) external;
    function prank(address sender) external;
}

/// @notice Base of every Solidity test: assertions that say which rule broke, and bounds for fuzzed arguments.
abstract contract Test {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant ARITHMETIC_PANIC = 0x11;
    uint256 internal constant DIVISION_PANIC = 0x12;

    function assertTrue(bool holds, string memory rule) internal pure {
        require(holds, rule);
    }

    function assertEq(uint256 actual, uint256 expected, string memory rule) internal pure {
        require(actual == expected, _compared(rule, Strings.toString(actual), "is not", Strings.toString(expected)));
    }

    function assertEq(int256 actual, int256 expected, string memory rule) internal pure {
        require(
            actual == expected,
            _compared(rule, Strings.toStringSigned(actual), "is not", Strings.toStringSigned(expected))
        );
    }

    function assertLe(uint256 actual, uint256 most, string memory rule) internal pure {
        require(actual <= most, _compared(rule, Strings.toString(actual), "is above", Strings.toString(most)));
    }

    function assertLe(int256 actual, int256 most, string memory rule) internal pure {
        require(
            actual <= most,
            _compared(rule, Strings.toStringSigned(actual), "is above", Strings.toStringSigned(most))
        );
    }

    function assertGe(uint256 actual, uint256 least, string memory rule) internal pure {
        require(actual >= least, _compared(rule, Strings.toString(actual), "is below", Strings.toString(least)));
    }

    function assertGe(int256 actual, int256 least, string memory rule) internal pure {
        require(
            actual >= least,
            _compared(rule, Strings.toStringSigned(actual), "is below", Strings.toStringSigned(least))
        );
    }

    /// @notice |actual - expected| <= margin
    function assertNear(int256 actual, int256 expected, uint256 margin, string memory rule) internal pure {
        uint256 distance = uint256(actual > expected ? actual - expected : expected - actual);
        require(
            distance <= margin,
            _compared(rule, Strings.toStringSigned(actual), "is not near", Strings.toStringSigned(expected))
        );
    }

    /// @notice |actual - expected| <= |expected| / 1e9
    function assertNearlyEqual(int256 actual, int256 expected, string memory rule) internal pure {
        assertNear(actual, expected, uint256(expected < 0 ? -expected : expected) / 1e9, rule);
    }

    /// @notice The checked-arithmetic (or division) panic that must follow.
    function expectPanic(uint256 code) internal {
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", code));
    }

    /// @notice A fuzzed value moved into [least, most]; the ends of its own range fall on the ends of that one.
    function bound(uint256 x, uint256 least, uint256 most) internal pure returns (uint256) {
        unchecked {
            require(least <= most, "bound: no value");
            if (x >= least && x <= most) return x;
            uint256 count = most - least + 1; // zero: all values, which the line above has returned
            if (x <= 3 && count > x) return least + x;
            if (x >= type(uint256).max - 3 && count > type(uint256).max - x) return most - (type(uint256).max - x);
            return least + (x % count);
        }
    }

    function bound(int256 x, int256 least, int256 most) internal pure returns (int256) {
        return _shift(bound(_unshift(x), _unshift(least), _unshift(most)));
    }

    /// @dev int256 in its order as uint256: the smallest is zero.
    function _unshift(int256 x) private pure returns (uint256) {
        return uint256(x) ^ (1 << 255);
    }

    function _shift(uint256 x) private pure returns (int256) {
        return int256(x ^ (1 << 255));
    }

    function _compared(
        string memory rule,
        string memory actual,
        string memory relation,
        string memory expected
    ) private pure returns (string memory) {
        return string.concat(rule, ": ", actual, " ", relation, " ", expected);
    }
}
