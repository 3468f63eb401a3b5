// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {field, signedField, place, placeSigned} from "./Packing.sol";

/// @notice A position in one storage word.
///
///     bits      field     unit
///     0-119     shares    int120 wad: above zero shares of the long side, below zero of the short side
///     120-239   cost      int120 wad: what the shares were bought at; value = shares * share price - cost
///     240-255   epoch     uint16: the side's epoch when the shares were bought
///
/// The pool's positions may hold a cost and no shares: its profit and loss is never moved to its cash but against a trader's.
type Position is uint256;

using {shares, cost, epoch} for Position global;

function toPosition(int256 sharesWad, int256 costWad, uint256 epoch_) pure returns (Position) {
    return Position.wrap(placeSigned(sharesWad, 0, 120) | placeSigned(costWad, 120, 120) | place(epoch_, 240, 16));
}

function shares(Position position) pure returns (int256) {
    return signedField(Position.unwrap(position), 0, 120);
}

function cost(Position position) pure returns (int256) {
    return signedField(Position.unwrap(position), 120, 120);
}

function epoch(Position position) pure returns (uint256) {
    return field(Position.unwrap(position), 240, 16);
}
