// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

uint256 constant WAD = 1e18;
uint256 constant RAY = 1e27;
int256 constant WAD_SIGNED = 1e18;
int256 constant RAY_SIGNED = 1e27;

/// @title Division with its rounding in its name
/// @notice Unsigned: Down and Up. Signed: Floor (toward minus infinity) and Ceil (toward plus infinity); the operator `/` truncates
/// toward zero, which for a loss is the debtor's favour. All arithmetic is checked: a product over 256 bits reverts.
library FixedPoint {
    function mulDivDown(uint256 a, uint256 b, uint256 divisor) internal pure returns (uint256) {
        return (a * b) / divisor;
    }

    function mulDivUp(uint256 a, uint256 b, uint256 divisor) internal pure returns (uint256) {
        return divUp(a * b, divisor);
    }

    function divUp(uint256 a, uint256 divisor) internal pure returns (uint256) {
        unchecked {
            // a > 0, so a - 1 does not wrap, and the quotient is below 2^256 - 1 unless the divisor is 1 and a is the maximum.
            return a == 0 ? 0 : (a - 1) / divisor + 1;
        }
    }

    /// @param divisor above zero
    function divFloor(int256 a, int256 divisor) internal pure returns (int256 quotient) {
        unchecked {
            quotient = a / divisor;
            if (a < 0 && quotient * divisor != a) quotient -= 1;
        }
    }

    /// @param divisor above zero
    function divCeil(int256 a, int256 divisor) internal pure returns (int256 quotient) {
        unchecked {
            quotient = a / divisor;
            if (a > 0 && quotient * divisor != a) quotient += 1;
        }
    }

    /// @param divisor above zero
    function mulDivFloor(int256 a, int256 b, int256 divisor) internal pure returns (int256) {
        return divFloor(a * b, divisor);
    }

    /// @param divisor above zero
    function mulDivCeil(int256 a, int256 b, int256 divisor) internal pure returns (int256) {
        return divCeil(a * b, divisor);
    }

    /// @notice The absolute value; the one int256 without a counterpart comes out as 2^255.
    function abs(int256 a) internal pure returns (uint256) {
        unchecked {
            return a < 0 ? uint256(-a) : uint256(a);
        }
    }

    /// @notice a, or zero where it is below.
    function positivePart(int256 a) internal pure returns (uint256) {
        return a > 0 ? uint256(a) : 0;
    }

    /// @notice Whether a and b pull in opposite directions (zero opposes nothing).
    function opposes(int256 a, int256 b) internal pure returns (bool) {
        return a != 0 && b != 0 && (a ^ b) < 0;
    }

    function clamp(int256 a, int256 bound) internal pure returns (int256) {
        if (a > bound) return bound;
        return a < -bound ? -bound : a;
    }
}
