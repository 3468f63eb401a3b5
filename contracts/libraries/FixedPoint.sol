// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

uint256 constant WAD = 1e18;
uint256 constant RAY = 1e27;
int256 constant WAD_SIGNED = 1e18;
int256 constant RAY_SIGNED = 1e27;

/// @title Division with its rounding in its name
/// @notice Unsigned: Down and Up. Signed: Floor (toward minus infinity) and Ceil (toward plus infinity); the operator `/` truncates
/// toward zero, which for a loss is the debtor's favour. Products are checked: one over 256 bits reverts. Without jumps where that reads as
/// well: each costs as much as a division.
library FixedPoint {
    function mulDivDown(uint256 a, uint256 b, uint256 divisor) internal pure returns (uint256) {
        return (a * b) / divisor;
    }

    function mulDivUp(uint256 a, uint256 b, uint256 divisor) internal pure returns (uint256) {
        return divUp(a * b, divisor);
    }

    function divUp(uint256 a, uint256 divisor) internal pure returns (uint256 quotient) {
        quotient = a / divisor;
        assembly ("memory-safe") {
            // One more where anything is left; then the divisor is two or more, and the quotient below 2^255.
            quotient := add(quotient, gt(mod(a, divisor), 0))
        }
    }

    /// @param divisor above zero
    function divFloor(int256 a, int256 divisor) internal pure returns (int256 quotient) {
        unchecked {
            quotient = a / divisor;
        }
        assembly ("memory-safe") {
            quotient := sub(quotient, slt(smod(a, divisor), 0)) // what is left has the sign of a
        }
    }

    /// @param divisor above zero
    function divCeil(int256 a, int256 divisor) internal pure returns (int256 quotient) {
        unchecked {
            quotient = a / divisor;
        }
        assembly ("memory-safe") {
            quotient := add(quotient, sgt(smod(a, divisor), 0)) // what is left has the sign of a
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
            int256 sign = a >> 255; // all ones, which is -1, below zero; else zero
            return uint256((a ^ sign) - sign);
        }
    }

    /// @notice a, or zero where it is below.
    function positivePart(int256 a) internal pure returns (uint256) {
        return uint256(a & ~(a >> 255)); // a >> 255: all ones below zero, else zero
    }

    /// @notice Whether a and b pull in opposite directions (zero opposes nothing).
    function opposes(int256 a, int256 b) internal pure returns (bool holds) {
        assembly ("memory-safe") {
            // a ^ b < 0, a != 0, b != 0, without a jump between them
            holds := and(slt(xor(a, b), 0), and(gt(a, 0), gt(b, 0)))
        }
    }

    function clamp(int256 a, int256 bound) internal pure returns (int256) {
        unchecked {
            // a bound is never the one int256 without a counterpart
            if (a > bound) return bound;
            return a < -bound ? -bound : a;
        }
    }
}
