// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Fill, Book, Venue} from "./Fill.sol";
import {FixedPoint, RAY, WAD} from "./FixedPoint.sol";
import {Funding} from "./Funding.sol";
import {Ledger} from "./Ledger.sol";
import {Margin, Sums} from "./Margin.sol";
import {Side, Sides} from "./Sides.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {AccountId} from "../types/AccountId.sol";
import {Account} from "../types/Account.sol";
import {MarketId} from "../types/AssetSet.sol";
import {
    EpochsWord,
    MICRO,
    MarketRisk,
    MarketState,
    MarketTerms,
    MarketTotals,
    SIDES_TOUCHED,
    toMarketState,
    toMarketTotals
} from "../types/MarketWords.sol";
import {Position, toPosition} from "../types/Position.sol";
import {Price} from "../types/Price.sol";
import {Context, Market, VaultStorage} from "../types/VaultStorage.sol";

/// @notice An account that meets the pool in a market: loaded from storage, changed in memory, stored at the end.
struct Deal {
    AccountId account;
    MarketId market;
    Account accountWord;
    Account poolWord;
    /// The pool's as it was loaded.
    Account poolWordBefore;
    Price price;
    MarketState state;
    MarketRisk risk;
    MarketTerms terms;
    /// Zero unless a side was touched.
    EpochsWord epochs;
    bool sidesChanged;
    int256 fundingIndexWad;
    int256 fundingRateE24;
    uint256 feesUnswept;
    Book book;
    Venue venue;
}

/// @notice A part of a position on its way from one account to another: signed shares, what they have cost, and their value at the price,
/// which the taker pays for them (below zero: is paid).
struct Parcel {
    int256 sharesWad;
    int256 costWad;
    int256 valueWad;
}

/// @title Deals: an account against the pool in one market
/// @notice The pool mirrors the account: what an account realises comes out of the pool's cash and its cost, so cash is conserved by
/// itself and a position's funding needs no snapshot. The words of account and pool stay in memory; the caller saves them.
library Deals {
    using FixedPoint for int256;
    using FixedPoint for uint256;
    using Fill for Book;
    using Sides for Side;

    /// Half of what the smallest field holds: rounding after a growth can never reach the field's end.
    uint256 private constant MAX_SIDE_SHARES = 1 << 103;
    uint256 private constant MAX_COST = 1 << 118;
    uint256 private constant MAX_FEES_UNSWEPT = (1 << 48) - 1;

    /// @notice Loads a deal in place, time passed included; fee rates are zero until the caller sets them.
    function load(
        Deal memory deal,
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        Account accountWord,
        Account poolWord,
        MarketId market,
        Price price
    ) internal view {
        Market storage m = $.markets[market];
        deal.account = account;
        deal.market = market;
        deal.accountWord = accountWord;
        deal.poolWord = poolWord;
        deal.poolWordBefore = poolWord;
        deal.price = price;
        deal.state = m.state;
        deal.risk = m.risk;
        deal.terms = m.terms;
        (deal.fundingIndexWad, deal.fundingRateE24) = Funding.accrued(
            deal.state,
            deal.risk,
            price.value(),
            block.timestamp
        );

        Book memory book = deal.book;
        Position position = $.positions[account][market];
        (book.accountSharesWad, book.accountCostWad) = (position.shares(), position.cost());
        Venue memory venue = deal.venue;
        if (deal.state.has(SIDES_TOUCHED)) {
            (venue.long, venue.short) = Sides.read(m, deal.fundingIndexWad);
            (book.accountSharesWad, book.accountCostWad) = Sides.converted(m, position);
            deal.epochs = m.epochs;
        } else {
            venue.long.setUntouched(1, deal.fundingIndexWad);
            venue.short.setUntouched(-1, deal.fundingIndexWad);
        }
        position = $.positions[context.pool][market]; // always of the present epoch
        book.poolSharesWad = position.shares();
        book.poolCostWad = position.cost();
        MarketTotals totals = m.totals;
        book.longSharesWad = totals.longShares();
        book.shortSharesWad = totals.shortShares();
        deal.feesUnswept = totals.feesUnswept();

        venue.priceWad = price.value();
        venue.skewScaleWad = deal.risk.skewScale();
    }

    /// @notice Sets the fees of a trade: the market's rates, and the price's tolerance on top of both.
    function setFees(Deal memory deal, uint256 toleranceWad) internal pure {
        unchecked {
            // rates have 60 bits, a tolerance 64
            deal.venue.takerRateWad = deal.terms.takerRate() + toleranceWad;
            deal.venue.makerRateWad = deal.terms.makerRate() + toleranceWad;
        }
    }

    /// @notice Signed size of the account's position.
    function size(Deal memory deal) internal pure returns (int256) {
        return Fill.sizeOf(deal.book.accountSharesWad, deal.venue);
    }

    /// @notice Unrealised profit or loss of the account's position.
    function value(Deal memory deal) internal pure returns (int256) {
        return
            Margin.valueFloor(
                deal.book.accountSharesWad < 0 ? deal.venue.short : deal.venue.long,
                deal.book.accountSharesWad,
                deal.book.accountCostWad,
                deal.venue.priceWad
            );
    }

    /// @notice Open interest of a side (wad) without the pool's.
    function openInterest(Deal memory deal, bool long) internal pure returns (uint256) {
        Book memory book = deal.book;
        uint256 all = long ? book.longSharesWad : book.shortSharesWad;
        if (long == (book.poolSharesWad > 0)) all -= FixedPoint.abs(book.poolSharesWad);
        return (long ? deal.venue.long : deal.venue.short).sizeDown(all);
    }

    /// @notice Adds the account's position, as the deal has it now, to an account's sums.
    function addTo(Deal memory deal, Sums memory sums) internal pure {
        Book memory book = deal.book;
        if (book.accountSharesWad == 0) return;
        Margin.addLeg(
            sums,
            book.accountSharesWad < 0 ? deal.venue.short : deal.venue.long,
            book.accountSharesWad,
            book.accountCostWad,
            deal.risk,
            initialBase(deal),
            deal.price,
            false
        );
    }

    /// @notice The market's initial base, which rises with its open interest.
    function initialBase(Deal memory deal) internal pure returns (uint256) {
        uint256 slope = deal.risk.openInterestSlope();
        if (slope == 0) return deal.risk.initialBase();
        Book memory book = deal.book;
        uint256 longSize = deal.venue.long.sizeDown(book.longSharesWad);
        uint256 shortSize = deal.venue.short.sizeDown(book.shortSharesWad);
        return Margin.initialBaseUp(deal.risk, longSize > shortSize ? longSize : shortSize);
    }

    /// @notice An account's sums without its position in this deal: what is left when its leg, as it is now, is taken away.
    function takeFrom(Deal memory deal, Sums memory sums) internal pure returns (Sums memory others) {
        addTo(deal, others);
        Margin.toRest(others, sums);
    }

    /// @notice Adds the pool's position, as the deal has it now, to the pool's sums.
    function addPoolTo(Deal memory deal, Sums memory sums) internal pure {
        addPoolLeg(deal, sums, deal.book.poolSharesWad, deal.book.poolCostWad);
    }

    /// @notice Adds a position of the pool in this deal's market to the pool's sums.
    function addPoolLeg(Deal memory deal, Sums memory sums, int256 sharesWad, int256 costWad) internal pure {
        Margin.addLeg(
            sums,
            sharesWad < 0 ? deal.venue.short : deal.venue.long,
            sharesWad,
            costWad,
            deal.risk,
            initialBase(deal),
            deal.price,
            true
        );
    }

    /// @notice Fills a size against the pool. Fees are split: the insurance account's share accrues in the market, the rest lowers
    /// the pool's cost.
    /// @return fillPriceWad the average price, rounded against the account
    /// @return feeWad the fee charged
    /// @return realizedWad what moved to the account's cash
    function fill(
        Deal memory deal,
        int256 sizeDeltaWad,
        uint256 insuranceFeeShareWad
    ) internal pure returns (uint256 fillPriceWad, uint256 feeWad, int256 realizedWad) {
        Book memory book = deal.book;
        Venue memory venue = deal.venue;
        fillPriceWad = Fill.priceWad(venue.priceWad, book.skewOf(venue), sizeDeltaWad, venue.skewScaleWad);
        book.execute(venue, sizeDeltaWad);
        (feeWad, realizedWad) = (book.feeWad, book.realizedWad);
        (book.feeWad, book.realizedWad) = (0, 0);
        unchecked {
            // a fee has 173 bits (Fill._executePiece), a share 60; what accrues is part of the fee
            uint256 accruedWad = _accrueInsurance(deal, (feeWad * insuranceFeeShareWad) / WAD);
            book.poolCostWad -= int256(feeWad - accruedWad);
        }
        mirror(deal, realizedWad);
    }

    /// @notice Fills a size against the pool at the price itself, without fee: one half of what two accounts with opposite positions do
    /// with one another. The pool's position is the same after both halves.
    function cross(Deal memory deal, int256 sizeDeltaWad) internal pure {
        Book memory book = deal.book;
        deal.venue.fixedPriceRay = deal.venue.priceWad * (RAY / WAD);
        book.execute(deal.venue, sizeDeltaWad);
        int256 realizedWad = book.realizedWad;
        book.realizedWad = 0;
        mirror(deal, realizedWad);
    }

    /// @notice Takes a size (unsigned, at most the position's) out of the account's position, with its share of the cost. Its value moves
    /// to the account's cash: whoever takes the parcel over pays it. Neither the pool nor the market notices.
    function handOut(Deal memory deal, uint256 sizeWad) internal pure returns (Parcel memory parcel) {
        Book memory book = deal.book;
        int256 held = book.accountSharesWad;
        Side memory side = sideOf(deal, held);
        uint256 all = held.abs();
        uint256 moved = all - side.sharesUp(side.sizeDown(all) - sizeWad);
        parcel.sharesWad = held < 0 ? -int256(moved) : int256(moved);
        parcel.costWad = book.costShareCeil(moved);
        parcel.valueWad = Margin.valueFloor(side, parcel.sharesWad, parcel.costWad, deal.venue.priceWad);
        book.accountSharesWad = held - parcel.sharesWad;
        book.accountCostWad -= parcel.costWad;
        addCash(deal, parcel.valueWad);
    }

    /// @notice Adds a parcel to the account's position, which must be on the same side or none, and takes its value out of its cash.
    function takeOver(Deal memory deal, Parcel memory parcel) internal pure {
        deal.book.accountSharesWad += parcel.sharesWad;
        deal.book.accountCostWad += parcel.costWad;
        addCash(deal, -parcel.valueWad);
    }

    /// @notice Adds to the account's cash in memory.
    function addCash(Deal memory deal, int256 amountWad) internal pure {
        deal.accountWord = deal.accountWord.plusCash(amountWad);
    }

    /// @notice Realises a position of size zero, which deleveraging left behind: no price moves its result any more. Dust of shares that
    /// make up no size goes with it.
    /// @return realizedWad what moved to the account's cash, a gain too
    function finish(Deal memory deal) internal pure returns (int256 realizedWad) {
        Book memory book = deal.book;
        if (book.accountSharesWad == 0 && book.accountCostWad == 0) return 0; // no position
        if (size(deal) != 0) return 0;
        realizedWad = value(deal);
        uint256 dust = book.accountSharesWad.abs();
        if (book.accountSharesWad < 0) book.shortSharesWad -= dust;
        else book.longSharesWad -= dust;
        (book.accountSharesWad, book.accountCostWad) = (0, 0);
        mirror(deal, realizedWad);
    }

    /// @notice Moves an unrealised loss to the account's cash. A gain stays where it is: profit becomes cash only by closing, or
    /// `profitWeight` would be a dead letter to whoever withdraws and settles in turns.
    /// @return realizedWad what moved: zero or below
    function settle(Deal memory deal) internal pure returns (int256 realizedWad) {
        realizedWad = value(deal);
        if (realizedWad > 0) return 0;
        deal.book.accountCostWad += realizedWad;
        mirror(deal, realizedWad);
    }

    /// @notice Takes a forced fee out of the account's cash: the pool has it, less the keeper's share, which the caller pays out. The
    /// insurance account's share accrues, at the pool's cost.
    function chargeForcedFee(Deal memory deal, uint256 feeWad, uint256 keeperWad, uint256 insuranceWad) internal pure {
        addCash(deal, -int256(feeWad));
        deal.poolWord = deal.poolWord.plusCash(int256(feeWad - keeperWad));
        deal.book.poolCostWad += int256(_accrueInsurance(deal, insuranceWad));
    }

    /// @notice Realised profit of the account is the pool's loss: in cash at once, and out of the unrealised.
    function mirror(Deal memory deal, int256 realizedWad) internal pure {
        if (realizedWad == 0) return;
        addCash(deal, realizedWad);
        unchecked {
            // at most 170 bits, see Fill._executePiece
            deal.poolWord = deal.poolWord.plusCash(-realizedWad);
            deal.book.poolCostWad -= realizedWad;
        }
    }

    /// @dev Accrues whole millionths, as long as the field has room; the rest is the pool's.
    function _accrueInsurance(Deal memory deal, uint256 shareWad) private pure returns (uint256 accruedWad) {
        unchecked {
            // fees not swept are within their field
            uint256 micro = shareWad / MICRO;
            if (micro > MAX_FEES_UNSWEPT - deal.feesUnswept) micro = MAX_FEES_UNSWEPT - deal.feesUnswept;
            deal.feesUnswept += micro;
            return micro * MICRO;
        }
    }

    /// @notice Refuses growth that would come near the end of a field. Checked only when a position grows.
    function requireRoom(Deal memory deal) internal pure {
        Book memory book = deal.book;
        // Below a power of two are both of two numbers whose bits together are.
        uint256 shares = book.longSharesWad | book.shortSharesWad;
        uint256 costs = FixedPoint.abs(book.accountCostWad) | FixedPoint.abs(book.poolCostWad);
        bool room = shares < MAX_SIDE_SHARES && costs < MAX_COST;
        require(room, IMarginVault.GrowthLimit(deal.market));
    }

    /// @notice Writes both positions and the market, and sets the account's and the pool's bit of it in their words in memory.
    function store(VaultStorage storage $, Context memory context, Deal memory deal) internal {
        storePosition($, deal);
        deal.poolWord = deal.poolWord.withAsset(MarketId.unwrap(deal.market));
        storeMarket($, context, deal);
    }

    /// @notice Writes the pool's position and the market.
    function storeMarket(VaultStorage storage $, Context memory context, Deal memory deal) internal {
        Book memory book = deal.book;
        Market storage m = $.markets[deal.market];
        Position position = toPosition(book.poolSharesWad, book.poolCostWad, epochOf(deal, book.poolSharesWad));
        $.positions[context.pool][deal.market] = position;
        // A position of size zero is finished without a usable price: time goes on for the others with the next.
        if (deal.price.isUsable()) {
            deal.state = toMarketState(
                deal.fundingIndexWad,
                deal.fundingRateE24,
                Funding.driftOf(book.skewOf(deal.venue), deal.terms.maxFundingVelocity(), deal.venue.skewScaleWad),
                block.timestamp,
                deal.state.flags()
            );
            m.state = deal.state;
        }
        if (deal.state.has(SIDES_TOUCHED)) _storeSides(m, deal);
        MarketTotals totals = toMarketTotals(book.longSharesWad, book.shortSharesWad, deal.feesUnswept);
        m.totals = totals;
        emit IMarginVault.MarketChanged(deal.market, deal.state, totals, position);
    }

    /// @dev Writes the sides' indices where deleveraging moved them. That of a side without shares starts anew.
    function _storeSides(Market storage m, Deal memory deal) private {
        Venue memory venue = deal.venue;
        if (deal.book.longSharesWad == 0) _restart(deal, venue.long);
        if (deal.book.shortSharesWad == 0) _restart(deal, venue.short);
        if (!deal.sidesChanged) return;
        int256 index = deal.fundingIndexWad; // at which the sides were read
        (m.longSide, m.shortSide, m.epochs) = (venue.long.toWord(1, index), venue.short.toWord(-1, index), deal.epochs);
        emit IMarginVault.SidesChanged(deal.market, m.longSide, m.shortSide, deal.epochs);
    }

    function _restart(Deal memory deal, Side memory side) private pure {
        if (side.scaleRay == Sides.START_SCALE) return;
        (side.scaleRay, side.carryRay) = (Sides.START_SCALE, 0);
        deal.sidesChanged = true;
    }

    /// @notice The epoch of the side that signed shares are of; zero for none.
    function epochOf(Deal memory deal, int256 sharesWad) internal pure returns (uint256) {
        return sharesWad == 0 ? 0 : deal.epochs.epochOf(sharesWad > 0);
    }

    /// @notice Writes the account's position, and sets its bit of the market in its word in memory.
    function storePosition(VaultStorage storage $, Deal memory deal) internal {
        Book memory book = deal.book;
        int256 held = book.accountSharesWad;
        Position position = toPosition(held, book.accountCostWad, epochOf(deal, held));
        $.positions[deal.account][deal.market] = position;
        emit IMarginVault.PositionChanged(deal.account, deal.market, position);
        uint256 asset = MarketId.unwrap(deal.market);
        deal.accountWord = held == 0 ? deal.accountWord.withoutAsset(asset) : deal.accountWord.withAsset(asset);
    }

    /// @notice Writes the words of the account and, if it changed, of the pool.
    function saveWords(VaultStorage storage $, Context memory context, Deal memory deal) internal {
        Ledger.save($, context, deal.account, deal.accountWord);
        savePool($, context, deal);
    }

    /// @notice Writes the word of the pool, if it changed, after those of all others.
    function savePool(VaultStorage storage $, Context memory context, Deal memory deal) internal {
        if (Account.unwrap(deal.poolWord) == Account.unwrap(deal.poolWordBefore)) return;
        Ledger.saveLast($, context, context.pool, deal.poolWord);
    }

    function sideOf(Deal memory deal, int256 sharesWad) internal pure returns (Side memory) {
        return sharesWad < 0 ? deal.venue.short : deal.venue.long;
    }
}
