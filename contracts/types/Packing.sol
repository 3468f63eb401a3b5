// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Thrown when a value does not fit the bits that a storage word has for it.
error ValueOutOfRange(int256 value, uint256 bits);
/// @notice Thrown when a parameter is not a whole multiple of the unit in which it is stored.
error NotRepresentable(uint256 value, uint256 unit);

/// @notice The unsigned field of `bits` bits at `offset` of a word.
function field(uint256 word, uint256 offset, uint256 bits) pure returns (uint256) {
    return (word >> offset) & ((1 << bits) - 1);
}

/// @notice The signed (two's complement) field of `bits` bits at `offset` of a word.
function signedField(uint256 word, uint256 offset, uint256 bits) pure returns (int256) {
    unchecked {
        return int256(word << (256 - offset - bits)) >> (256 - bits);
    }
}

/// @notice The value moved to `offset`, refused if it has more than `bits` bits.
function place(uint256 value, uint256 offset, uint256 bits) pure returns (uint256) {
    if (value >> bits != 0) refuse(int256(value), bits);
    return value << offset;
}

/// @notice The signed value in two's complement of `bits` bits moved to `offset`, refused if it does not fit.
function placeSigned(int256 value, uint256 offset, uint256 bits) pure returns (uint256) {
    unchecked {
        uint256 top = uint256(value) << (256 - bits); // the field at the upper end of a word
        if (int256(top) >> (256 - bits) != value) refuse(value, bits);
        return top >> (256 - bits - offset);
    }
}

/// @dev Apart from its callers, so that these are small enough to be inlined.
function refuse(int256 value, uint256 bits) pure {
    revert ValueOutOfRange(value, bits);
}

/// @notice The value counted in `unit`s and moved to `offset`, refused if it is not a whole number of them or does not fit.
function placeUnits(uint256 value, uint256 unit, uint256 offset, uint256 bits) pure returns (uint256) {
    require(value % unit == 0, NotRepresentable(value, unit));
    return place(value / unit, offset, bits);
}
