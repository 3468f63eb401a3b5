// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FixedPoint, WAD, RAY, RAY_SIGNED} from "./FixedPoint.sol";
import {Side, Sides} from "./Sides.sol";

/// @notice The two sides of a fill, an account and the pool, and the market's totals: as they stood, then as they stand after it.
/// Shares and costs wad; shares below zero are of the short side.
struct Book {
    int256 accountSharesWad;
    int256 accountCostWad;
    int256 poolSharesWad;
    int256 poolCostWad;
    uint256 longSharesWad;
    uint256 shortSharesWad;
    /// What the account has realised so far: goes to its cash, and comes out of the pool's.
    int256 realizedWad;
    /// Fees charged so far; the pool's share is not yet in its cost.
    uint256 feeWad;
}

/// @notice The market in which a fill happens.
struct Venue {
    uint256 priceWad;
    uint256 skewScaleWad;
    /// Fee on the part that grows the skew, of its notional at its own fill price, tolerance included. Wad.
    uint256 takerRateWad;
    /// Fee on the part that reduces the skew. Wad.
    uint256 makerRateWad;
    Side long;
    Side short;
    /// Above zero: the price (ray) of every fill, without impact and fee, where one account takes over from another.
    uint256 fixedPriceRay;
}

/// @title Fills against the pool
/// @notice fill price = price * (1 + (skew + d / 2) / skewScale), skew = -size of the pool. A trade is cut where the account's position
/// passes zero and where the skew does; the total is the same however it is cut. (Price impact as in Synthetix's SIP-279.)
library Fill {
    using FixedPoint for int256;
    using FixedPoint for uint256;
    using Sides for Side;

    /// @notice Price (ray) of a fill of `deltaWad` at this skew, rounded against the account. Never zero or below, because open
    /// interest, and with it the skew, stays under skewScale.
    function priceRay(
        uint256 markWad,
        int256 skewWad,
        int256 deltaWad,
        uint256 skewScaleWad
    ) internal pure returns (uint256) {
        int256 markRay;
        int256 twice;
        int256 divisor;
        unchecked {
            // a price (ray) has 126 bits, twice a skew 121, twice a scale 111
            (markRay, twice, divisor) = (int256(markWad * (RAY / WAD)), 2 * skewWad, int256(2 * skewScaleWad));
        }
        int256 impact = markRay * (twice + deltaWad); // checked: a caller may ask for any size
        unchecked {
            impact = deltaWad > 0 ? impact.divCeil(divisor) : impact.divFloor(divisor);
            return uint256(markRay + impact); // a product by two or more: at most 254 bits
        }
    }

    /// @notice Average price (wad) of a fill, rounded against the account.
    function priceWad(
        uint256 markWad,
        int256 skewWad,
        int256 deltaWad,
        uint256 skewScaleWad
    ) internal pure returns (uint256) {
        uint256 ray = priceRay(markWad, skewWad, deltaWad, skewScaleWad);
        return deltaWad > 0 ? ray.divUp(RAY / WAD) : ray / (RAY / WAD);
    }

    /// @notice The market's skew: what the pool is short of, wad.
    function skewOf(Book memory book, Venue memory venue) internal pure returns (int256) {
        unchecked {
            return -sizeOf(book.poolSharesWad, venue); // under 2^255
        }
    }

    /// @notice Signed size of signed shares, rounded toward zero.
    function sizeOf(int256 sharesWad, Venue memory venue) internal pure returns (int256) {
        Side memory side = sharesWad < 0 ? venue.short : venue.long;
        if (side.scaleRay == RAY) return sharesWad; // a share is one
        int256 size = int256(side.sizeDown(sharesWad.abs()));
        return sharesWad < 0 ? -size : size;
    }

    /// @notice Fills `deltaWad` (above zero: the account buys). Fees raise the cost of what is opened and come out of the proceeds
    /// of what is closed. The pool's profit and loss all stays in its cost.
    function execute(Book memory book, Venue memory venue, int256 deltaWad) internal pure {
        while (deltaWad != 0) {
            int256 skewWad = skewOf(book, venue);
            int256 piece = _until(sizeOf(book.accountSharesWad, venue), deltaWad);
            piece = _until(skewWad, piece);
            _executePiece(book, venue, skewWad, piece);
            unchecked {
                deltaWad -= piece; // of its sign, and no larger
            }
        }
    }

    /// @dev As much of `delta` as brings `level` to zero, all of it if it does not get there.
    function _until(int256 level, int256 delta) private pure returns (int256) {
        unchecked {
            return level.opposes(delta) && level.abs() < delta.abs() ? -level : delta; // the smaller of two has a counterpart
        }
    }

    function _executePiece(Book memory book, Venue memory venue, int256 skewWad, int256 piece) private pure {
        uint256 fillRay = venue.fixedPriceRay;
        if (fillRay == 0) fillRay = priceRay(venue.priceWad, skewWad, piece, venue.skewScaleWad);
        uint256 rateWad = skewWad.opposes(piece) ? venue.makerRateWad : venue.takerRateWad;
        uint256 feeWad = piece.abs().mulDivUp(fillRay, RAY); // checked, as every product with a piece: it may be of any size
        // Such products divided by a ray have 167 bits, a rate 65, what stands in the book 120: no sum of them comes near a word's end.
        unchecked {
            feeWad = (feeWad * rateWad).divUp(WAD);
            book.feeWad += feeWad;

            // The account
            int256 before = book.accountSharesWad;
            (int256 sharesAfter, int256 paidWad) = _move(book, venue, before, piece, fillRay);
            if (before.opposes(piece)) {
                int256 costShare = costShareCeil(book, (before - sharesAfter).abs());
                book.accountCostWad -= costShare;
                book.realizedWad -= paidWad + costShare + int256(feeWad);
            } else {
                book.accountCostWad += paidWad + int256(feeWad);
            }
            book.accountSharesWad = sharesAfter;

            // The pool, the other way
            (book.poolSharesWad, paidWad) = _move(book, venue, book.poolSharesWad, -piece, fillRay);
            book.poolCostWad += paidWad;
        }
    }

    /// @notice What so many of the account's shares have cost, rounded up; all of its cost for all of its shares.
    function costShareCeil(Book memory book, uint256 sharesWad) internal pure returns (int256) {
        uint256 all = book.accountSharesWad.abs();
        if (sharesWad == all) return book.accountCostWad;
        unchecked {
            return (book.accountCostWad * int256(sharesWad)).divCeil(int256(all)); // 120 bits each
        }
    }

    /// @dev Moves one party's shares by a signed size that does not pass zero, and the side's total with them. Its size afterwards is
    /// exact.
    /// @return sharesAfter the party's shares
    /// @return paidWad what it pays for shares bought (rounded up), or, below zero, gets for shares given back (rounded down)
    function _move(
        Book memory book,
        Venue memory venue,
        int256 sharesWad,
        int256 sizeDeltaWad,
        uint256 fillRay
    ) private pure returns (int256 sharesAfter, int256 paidWad) {
        bool closing = sharesWad.opposes(sizeDeltaWad);
        int256 sign = (closing ? sharesWad : sizeDeltaWad) > 0 ? int256(1) : int256(-1);
        Side memory side = sign > 0 ? venue.long : venue.short;
        uint256 before = sharesWad.abs();
        if (closing && side.sizeDown(before) == 0) {
            // Dust of the pool's that deleveraging left: it goes, and the other side opens.
            if (sign > 0) book.longSharesWad -= before;
            else book.shortSharesWad -= before;
            (sharesAfter, paidWad) = _move(book, venue, 0, sizeDeltaWad, fillRay);
            paidWad -= int256(before).mulDivFloor(side.sharePriceFloor(sign, fillRay), RAY_SIGNED);
            return (sharesAfter, paidWad);
        }
        uint256 left;
        uint256 moved;
        unchecked {
            // A size of at most 227 bits, since its product with the price (ray, at least 1e9) has 255; and shares that grow with the size.
            left = side.sharesUp(uint256(sign * sizeDeltaWad + int256(side.sizeDown(before))));
            moved = closing ? before - left : left - before;
            sharesAfter = sign * int256(left);
        }
        if (closing) {
            paidWad = -int256(moved).mulDivFloor(side.sharePriceFloor(sign, fillRay), RAY_SIGNED);
            if (sign > 0) book.longSharesWad -= moved;
            else book.shortSharesWad -= moved;
        } else {
            paidWad = int256(moved).mulDivCeil(side.sharePriceCeil(sign, fillRay), RAY_SIGNED);
            if (sign > 0) book.longSharesWad += moved;
            else book.shortSharesWad += moved;
        }
    }
}
