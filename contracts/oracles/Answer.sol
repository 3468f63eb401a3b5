// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FeedFault} from "../interfaces/IPriceOracle.sol";

/// @notice What a feed tells, as its adapter understands it: not yet held against the source's settings.
struct Answer {
    FeedFault fault;
    int256 answer; // in the feed's own decimals
    uint256 updatedAt; // Unix seconds
    uint256 priceWad; // exact up to the largest price there is; above it, some price above it; zero for an answer below zero
    uint256 confidenceWad; // relative to the price, rounded up; zero where the feed tells none
}
