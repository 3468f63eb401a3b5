// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {FixedPoint, WAD_SIGNED, RAY, RAY_SIGNED} from "./FixedPoint.sol";
import {MarketTotals, SIDES_TOUCHED, SideWord, toSideWord} from "../types/MarketWords.sol";
import {Position} from "../types/Position.sol";
import {Market} from "../types/VaultStorage.sol";

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

    /// @notice A side that was never deleveraged: funding alone moves its carry. Exact.
    function untouched(int256 sign, int256 fundingIndexWad) internal pure returns (Side memory side) {
        setUntouched(side, sign, fundingIndexWad);
    }

    /// @notice The same in place: a new struct costs more than what it is needed for.
    function setUntouched(Side memory side, int256 sign, int256 fundingIndexWad) internal pure {
        side.scaleRay = START_SCALE;
        unchecked {
            side.carryRay = -sign * fundingIndexWad * (RAY_SIGNED / WAD_SIGNED); // the index has 96 bits
        }
    }

    /// @notice A side with what its word holds, funding taken off. Rounded down.
    function current(SideWord word, int256 sign, int256 fundingIndexWad) internal pure returns (Side memory) {
        uint256 scale = word.sideScale();
        return Side(scale, word.sideCarry() - _fundingCeil(scale, sign, fundingIndexWad));
    }

    /// @notice The word from which `current` reads this side again, at the same funding index.
    function toWord(Side memory side, int256 sign, int256 fundingIndexWad) internal pure returns (SideWord) {
        return toSideWord(side.scaleRay, side.carryRay + _fundingCeil(side.scaleRay, sign, fundingIndexWad));
    }

    /// @dev What funding has taken off a share (ray) since listing.
    function _fundingCeil(uint256 scaleRay, int256 sign, int256 fundingIndexWad) private pure returns (int256) {
        unchecked {
            return (sign * int256(scaleRay) * fundingIndexWad).divCeil(WAD_SIGNED); // 96 and 96 bits
        }
    }

    /// @notice Both sides of a market that was deleveraged, as they stand at this funding index.
    function read(
        Market storage market,
        int256 fundingIndexWad
    ) internal view returns (Side memory long, Side memory short) {
        long = current(market.longSide, 1, fundingIndexWad);
        short = current(market.shortSide, -1, fundingIndexWad);
    }

    /// @notice Size (wad) of a market's larger side, the pool included, rounded down. The sides differ by dust only.
    function openInterest(Market storage market, int256 fundingIndexWad) internal view returns (uint256) {
        MarketTotals totals = market.totals;
        if (!market.state.has(SIDES_TOUCHED)) return Math.max(totals.longShares(), totals.shortShares());
        (Side memory long, Side memory short) = read(market, fundingIndexWad);
        return Math.max(sizeDown(long, totals.longShares()), sizeDown(short, totals.shortShares()));
    }

    /// @notice Signed size (wad) of signed shares of the present epoch, rounded toward zero.
    function sizeOf(Market storage market, int256 sharesWad) internal view returns (int256) {
        if (!market.state.has(SIDES_TOUCHED)) return sharesWad;
        bool short = sharesWad < 0;
        uint256 scale = (short ? market.shortSide : market.longSide).sideScale();
        int256 size = int256(sharesWad.abs().mulDivDown(scale, RAY));
        return short ? -size : size;
    }

    /// @notice A position in shares of its side's present epoch: what an ended epoch made of it. Shares are rounded down, cost up. Each end
    /// leaves less than a ten-thousandth of the shares, so that after nine nothing is left to convert.
    function converted(
        Market storage market,
        Position position
    ) internal view returns (int256 sharesWad, int256 costWad) {
        (sharesWad, costWad) = (position.shares(), position.cost());
        if (sharesWad == 0) return (sharesWad, costWad);
        bool long = sharesWad > 0;
        uint256 last = market.epochs.epochOf(long);
        for (uint256 epoch = position.epoch(); epoch < last && sharesWad != 0; ++epoch) {
            (sharesWad, costWad) = convertedBy(market.ends[endKey(long, epoch)], sharesWad, costWad);
        }
    }

    /// @notice What the end of one epoch makes of a position.
    function convertedBy(SideWord end, int256 sharesWad, int256 costWad) internal pure returns (int256, int256) {
        int256 unsigned = int256(sharesWad.abs());
        int256 left = int256(sharesWad.abs().mulDivDown(end.sideScale(), RAY));
        return (sharesWad < 0 ? -left : left, costWad - unsigned.mulDivFloor(end.sideCarry(), RAY_SIGNED));
    }

    /// @notice Where a market keeps the index of a side at the end of an epoch.
    function endKey(bool long, uint256 epoch) internal pure returns (uint256) {
        return (epoch << 1) | (long ? 1 : 0);
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

    /// @notice The fewest shares that make up this size: their size, rounded down, is exactly that, since a share is never more than one.
    function sharesUp(Side memory side, uint256 sizeWad) internal pure returns (uint256) {
        return side.scaleRay == RAY ? sizeWad : sizeWad.mulDivUp(RAY, side.scaleRay);
    }
}
