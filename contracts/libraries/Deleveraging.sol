// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {Deal, Deals} from "./Deals.sol";
import {Fill, Book} from "./Fill.sol";
import {FixedPoint, RAY, RAY_SIGNED, WAD} from "./FixedPoint.sol";
import {Side, Sides} from "./Sides.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {MarketId} from "../types/AssetSet.sol";
import {SIDES_TOUCHED, SideWord, toSideWord} from "../types/MarketWords.sol";
import {VaultStorage} from "../types/VaultStorage.sol";
import {AccountRisk} from "../types/VaultWords.sol";

/// @notice What closing a position has made the other side of its market give up: nothing is stored yet.
struct Deleverage {
    /// The side that gave up, and in which of its epochs.
    bool long;
    uint256 epoch;
    /// Size that each of its shares sold, and the price. Ray.
    uint256 soldRay;
    uint256 priceRay;
    /// The position that was closed: its signed size, and what it has realised. Wad.
    int256 sizeWad;
    int256 realizedWad;
    uint256 scaleRay;
    /// Where so little is left of a share that the epoch has ended: its last index.
    bool ended;
    SideWord end;
}

/// @title Pro-rata deleveraging: a position closed against the whole other side of its market (docs/protocol.md, "Deleveraging")
/// @notice Everyone on the other side has sold the same fraction at the same price, by one change of the side's index: the cost is the same
/// whatever the number of accounts. At that price nobody's value changes.
library Deleveraging {
    using Deals for Deal;
    using FixedPoint for int256;
    using FixedPoint for uint256;
    using Sides for Side;

    /// An index below a ten-thousandth of its start ends its epoch, before too few digits are left.
    uint256 internal constant LEAST_SCALE = RAY / 10_000;
    /// Wei by which more is raised than is missing, so that rounding of scaled shares leaves nothing to be written off.
    uint256 private constant ROUNDING = 1e6;

    /// @notice How much the other side can bear beyond the price when so large a position (wad, unsigned) is closed: n * base_maint / (1
    /// + rho). Who is closed at no more than that loses no more than its requirement falls by, debt margin included: nobody becomes
    /// liquidatable.
    function bearableDown(Deal memory deal, uint256 sizeWad, AccountRisk risk) internal pure returns (uint256) {
        uint256 notional = sizeWad.mulDivDown(deal.price.value(), WAD);
        return notional.mulDivDown(deal.risk.maintenanceBase(), WAD + risk.debtMargin());
    }

    /// @notice Price (ray) at which a position is closed so that, with the others, what is missing is raised, as far as that goes:
    ///     b = p * (1 + s * x),  x = base_maint / (1 + rho) * min(1, missing / bearable)
    /// @param long whether the position that is closed is long: it gets more than the price
    /// @param bearableWad the sum of bearableDown over the positions that are closed
    function closingPriceRay(
        Deal memory deal,
        bool long,
        uint256 missingWad,
        uint256 bearableWad,
        AccountRisk risk
    ) internal pure returns (uint256) {
        uint256 markRay = deal.price.value() * (RAY / WAD);
        if (missingWad == 0) return markRay;
        uint256 most = markRay.mulDivDown(deal.risk.maintenanceBase(), WAD + risk.debtMargin());
        uint256 distance = bearableWad == 0 ? most : Math.mulDiv(most, missingWad + ROUNDING, bearableWad) + 1;
        if (distance > most) distance = most;
        return long ? markRay + distance : markRay - distance;
    }

    /// @notice Closes the account's whole position, in memory, at this price (ray).
    function close(Deal memory deal, uint256 priceRay) internal pure returns (Deleverage memory done) {
        Book memory book = deal.book;
        done.priceRay = priceRay;
        done.sizeWad = deal.size();
        int256 held = book.accountSharesWad;
        done.realizedWad = _proceedsFloor(deal, held, priceRay) - book.accountCostWad;
        (book.accountSharesWad, book.accountCostWad) = (0, 0);
        deal.mirror(done.realizedWad);
        _takeOver(deal, done, held);
    }

    /// @notice Closes the pool's whole position, in memory, at this price (ray). Its result stays in its cost, where all its profit and
    /// loss stands.
    function closePool(Deal memory deal, uint256 priceRay) internal pure returns (Deleverage memory done) {
        Book memory book = deal.book;
        done.priceRay = priceRay;
        int256 held = book.poolSharesWad;
        done.sizeWad = Fill.sizeOf(held, deal.venue);
        book.poolCostWad -= _proceedsFloor(deal, held, priceRay);
        book.poolSharesWad = 0;
        _takeOver(deal, done, held);
    }

    /// @notice Writes what Deals.store does not: the end of an epoch. Tells what happened.
    function store(VaultStorage storage $, Deal memory deal, Deleverage memory done) internal {
        MarketId market = deal.market;
        if (done.ended) {
            $.markets[market].ends[Sides.endKey(done.long, done.epoch)] = done.end;
            emit IMarginVault.EpochEnded(market, done.long, done.epoch, done.end);
        }
        emit IMarginVault.Deleveraged(market, done.long, done.epoch, done.soldRay, done.priceRay, done.scaleRay);
    }

    /// @dev What so many signed shares are worth at this price, rounded down.
    function _proceedsFloor(Deal memory deal, int256 sharesWad, uint256 priceRay) private pure returns (int256) {
        int256 sign = sharesWad < 0 ? int256(-1) : int256(1);
        int256 sharePrice = deal.sideOf(sharesWad).sharePriceFloor(sign, priceRay);
        return int256(sharesWad.abs()).mulDivFloor(sharePrice, RAY_SIGNED);
    }

    /// @dev Takes shares off one side, and their size off each share of the other, which has what they are sold for in its carry:
    ///     sold = closed shares * their scale / other shares,  scale -= sold,  carry += sign * sold * price
    /// Rounded so that claims fall: of the short side a little more is bought back, of the long side a little less is sold.
    function _takeOver(Deal memory deal, Deleverage memory done, int256 closedWad) private pure {
        Book memory book = deal.book;
        uint256 closed = closedWad.abs() * deal.sideOf(closedWad).scaleRay;
        bool long = closedWad < 0;
        if (long) book.shortSharesWad -= closedWad.abs();
        else book.longSharesWad -= closedWad.abs();

        Side memory other = long ? deal.venue.long : deal.venue.short;
        uint256 shares = long ? book.longSharesWad : book.shortSharesWad;
        if (shares != 0) {
            done.soldRay = long ? closed / shares : closed.divUp(shares);
            if (done.soldRay > other.scaleRay) done.soldRay = other.scaleRay;
        }
        int256 paid = int256(done.soldRay * done.priceRay);
        other.carryRay += (long ? paid : -paid).divFloor(RAY_SIGNED);
        other.scaleRay -= done.soldRay;

        (done.long, done.scaleRay) = (long, other.scaleRay);
        done.epoch = deal.epochs.epochOf(long);
        deal.sidesChanged = true;
        deal.state = deal.state.withFlag(SIDES_TOUCHED);
        if (other.scaleRay < LEAST_SCALE) _endEpoch(deal, done, other);
    }

    /// @dev The side starts anew; whoever held shares of it converts them when touched, the pool at once.
    function _endEpoch(Deal memory deal, Deleverage memory done, Side memory side) private pure {
        Book memory book = deal.book;
        done.ended = true;
        done.end = toSideWord(side.scaleRay, side.carryRay);
        if (done.long) book.longSharesWad = book.longSharesWad.mulDivDown(side.scaleRay, RAY);
        else book.shortSharesWad = book.shortSharesWad.mulDivDown(side.scaleRay, RAY);
        if (book.poolSharesWad != 0 && done.long == book.poolSharesWad > 0) {
            (book.poolSharesWad, book.poolCostWad) = Sides.convertedBy(done.end, book.poolSharesWad, book.poolCostWad);
        }
        deal.epochs = deal.epochs.withNextEpoch(done.long);
        (side.scaleRay, side.carryRay) = (Sides.START_SCALE, 0);
    }
}
