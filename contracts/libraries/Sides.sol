// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPoint, WAD_SIGNED, RAY, RAY_SIGNED} from "./FixedPoint.sol";

/// @notice A market's side as it stands now: size per share (ray) and quote per share (ray), all funding included.
struct Side {
    uint256 scaleRay;
    int256 carryRay;
}

/// @title The share arithmetic of a market's two sides (docs/protocol.md, "Markets")
/// @notice sign is +1 for the long side, -1 for the short side; shares are unsigned here.
///
///     share price = floor(sign * scale * price) + carry        value = floor(shares * share price) - cost
library Sides {
    using FixedPoint for int256;
    using FixedPoint for uint256;

    /// @notice The scale of a side that was never deleveraged.
    uint256 internal constant START_SCALE = RAY;

    /// @notice A side that was never deleveraged, as every side is until deleveraging exists: funding alone moves its carry. Exact.
    function untouched(int256 sign, int256 fundingIndexWad) internal pure returns (Side memory) {
        unchecked {
            return Side(START_SCALE, -sign * fundingIndexWad * (RAY_SIGNED / WAD_SIGNED)); // the index has 96 bits
        }
    }

    /// @notice Quote per share (ray) at this price (ray), rounded toward minus infinity.
    function sharePriceFloor(Side memory side, int256 sign, uint256 priceRay) internal pure returns (int256) {
        // scale 90 bits, price 120
        unchecked {
            if (side.scaleRay == RAY) return sign * int256(priceRay) + side.carryRay;
            return (sign * int256(side.scaleRay * priceRay)).divFloor(RAY_SIGNED) + side.carryRay;
        }
    }

    /// @notice Quote per share (ray) at this price (ray), rounded toward plus infinity.
    function sharePriceCeil(Side memory side, int256 sign, uint256 priceRay) internal pure returns (int256) {
        unchecked {
            if (side.scaleRay == RAY) return sign * int256(priceRay) + side.carryRay;
            return (sign * int256(side.scaleRay * priceRay)).divCeil(RAY_SIGNED) + side.carryRay;
        }
    }

    /// @notice Size (wad, unsigned) of so many shares, rounded down.
    function sizeDown(Side memory side, uint256 sharesWad) internal pure returns (uint256) {
        return side.scaleRay == RAY ? sharesWad : sharesWad.mulDivDown(side.scaleRay, RAY);
    }

    /// @notice Size (wad, unsigned) of so many shares, rounded up.
    function sizeUp(Side memory side, uint256 sharesWad) internal pure returns (uint256) {
        return side.scaleRay == RAY ? sharesWad : sharesWad.mulDivUp(side.scaleRay, RAY);
    }

    /// @notice Shares that make up this size, rounded down.
    function sharesDown(Side memory side, uint256 sizeWad) internal pure returns (uint256) {
        return side.scaleRay == RAY ? sizeWad : sizeWad.mulDivDown(RAY, side.scaleRay);
    }
}
