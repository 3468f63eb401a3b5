// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {CashBook} from "./CashBook.sol";
import {Deal, Deals} from "./Deals.sol";
import {Deleverage, Deleveraging} from "./Deleveraging.sol";
import {Fill} from "./Fill.sol";
import {FixedPoint} from "./FixedPoint.sol";
import {Ledger} from "./Ledger.sol";
import {Losses} from "./Losses.sol";
import {Margin, Sums} from "./Margin.sol";
import {PoolValue} from "./PoolValue.sol";
import {Prices} from "./Prices.sol";
import {IMarginVault, Loss} from "../interfaces/IMarginVault.sol";
import {Account} from "../types/Account.sol";
import {AssetSet, MarketId, bitCount, lowestBit} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";
import {Context, VaultStorage} from "../types/VaultStorage.sol";

/// @notice The pool's account while it is resolved.
struct Resolution {
    Account word;
    AssetSet assets;
    Price[] prices;
    /// Losses of positions without a usable price, which nobody makes good before they are real. Wad.
    uint256 waitingLoss;
    Loss loss;
}

/// @title The waterfall's last step: a pool below zero is brought back to it (docs/protocol.md, "Liquidation")
/// @notice Insurance pays; all its positions with a usable price are closed against the other sides of their markets, at a price that lets
/// them bear what is still missing, within the same bound as in an absorb; the rest is written off. Its shares stay. A loss of a position
/// without a usable price is left out of all this: the pool ends below zero by it, and is resolved again once the price is there.
library PoolResolution {
    using Deals for Deal;
    using FixedPoint for int256;

    /// Wei that the pool has beyond zero: a principal is worth a little less than the cash that it is made of, and a pool below zero by
    /// that could be resolved again and again.
    uint256 private constant ROUNDING = 64;

    function resolvePool(VaultStorage storage $, Context memory context) public {
        Losses.sweepInterest($, context);
        Losses.cover($, context);
        Resolution memory pool;
        pool.word = Ledger.load($, context, context.pool);
        pool.assets = pool.word.assets();
        pool.prices = Prices.all(context.oracle, pool.assets);
        Deal[] memory deals = _load($, context, pool);
        int256 equity = _equity($, context, pool);
        require(equity < 0, IMarginVault.PoolSolvent(equity));

        Loss memory loss = pool.loss;
        loss.deficitWad = equity.abs();
        loss.insuranceWad = Math.min(loss.deficitWad, Losses.insuranceCash($, context));
        uint256 missing = loss.deficitWad - loss.insuranceWad;
        if (loss.insuranceWad != 0) {
            Ledger.addCash($, context, context.insurance, -int256(loss.insuranceWad));
            pool.word = pool.word.plusCash(int256(loss.insuranceWad));
            Ledger.save($, context, context.pool, pool.word);
        }
        emit IMarginVault.InsurancePaid(context.pool, loss.deficitWad, loss.insuranceWad);
        _closePositions($, context, deals, missing);

        uint256 unpaid = (-_equity($, context, pool)).positivePart();
        loss.deleveragedWad = missing > unpaid ? missing - unpaid : 0;
        if (unpaid != 0) _writeOff($, context, pool, unpaid);
        CashBook.save($, context);
        PoolValue.refreshCapital($, context);
        emit IMarginVault.PoolResolved(loss);
    }

    /// @dev Maintenance equity without the losses that wait.
    function _equity(
        VaultStorage storage $,
        Context memory context,
        Resolution memory pool
    ) private view returns (int256) {
        Sums memory sums = Margin.collect($, context.pool, pool.word, pool.assets, pool.prices, true, Margin.NO_ASSET);
        return sums.equityMaintenance + pool.word.cash() + int256(pool.waitingLoss);
    }

    /// @dev The pool's positions, in the order of its markets.
    function _load(
        VaultStorage storage $,
        Context memory context,
        Resolution memory pool
    ) private view returns (Deal[] memory deals) {
        deals = new Deal[](bitCount(pool.word.marketBits()));
        uint256 i;
        for (uint256 bits = pool.word.marketBits(); bits != 0; (bits &= bits - 1, ++i)) {
            MarketId market = MarketId.wrap(uint8(lowestBit(bits)));
            Deal memory deal = deals[i];
            // No account meets the pool: the insurance account stands for one that has no position.
            deal.load($, context, context.insurance, pool.word, pool.word, market, pool.prices[i]); // markets come first
            if (deal.price.isUsable() || _size(deal) == 0) continue;
            Sums memory waiting;
            deal.addPoolTo(waiting);
            pool.waitingLoss += (-waiting.unrealized).positivePart();
        }
    }

    /// @dev First what all positions with a usable price can bear together, then each is closed at its part of what is missing.
    function _closePositions(
        VaultStorage storage $,
        Context memory context,
        Deal[] memory deals,
        uint256 missingWad
    ) private {
        uint256 bearable;
        for (uint256 i; i < deals.length; ++i) {
            if (!deals[i].price.isUsable()) continue;
            bearable += Deleveraging.bearableDown(deals[i], _size(deals[i]).abs(), $.accountRisk);
        }
        for (uint256 i; i < deals.length; ++i) {
            Deal memory deal = deals[i];
            int256 size = _size(deal);
            if (size == 0 || !deal.price.isUsable()) continue;
            uint256 priceRay = Deleveraging.closingPriceRay(deal, size > 0, missingWad, bearable, $.accountRisk);
            Deleverage memory done = Deleveraging.closePool(deal, priceRay);
            Deals.storeMarket($, context, deal);
            Deleveraging.store($, deal, done);
            emit IMarginVault.PositionDeleveraged(context.pool, deal.market, done.sizeWad, priceRay, 0);
        }
    }

    function _size(Deal memory deal) private pure returns (int256) {
        return Fill.sizeOf(deal.book.poolSharesWad, deal.venue);
    }

    /// @dev The pool itself is a supplier of cash: so much more is written off that it ends at zero all the same, but for losses that wait.
    function _writeOff(
        VaultStorage storage $,
        Context memory context,
        Resolution memory pool,
        uint256 unpaidWad
    ) private {
        uint256 own = pool.word.cash().positivePart();
        uint256 supplied = CashBook.suppliedWad($, context);
        uint256 wanted = supplied > own ? Math.mulDiv(unpaidWad, supplied, supplied - own, Math.Rounding.Ceil) : 0;
        uint256 writtenOff = Losses.writeOff($, context, wanted);
        uint256 ownLoss = own - Ledger.load($, context, context.pool).cash().positivePart();
        uint256 needed = Math.max(unpaidWad + ownLoss + ROUNDING, writtenOff);
        (pool.loss.writtenOffWad, pool.loss.badDebtWad) = (writtenOff, needed - writtenOff);
        Losses.addBadDebt($, needed - writtenOff);
        Ledger.addCash($, context, context.pool, int256(needed));
        emit IMarginVault.LossWrittenOff(context.pool, writtenOff, needed - writtenOff);
    }
}
