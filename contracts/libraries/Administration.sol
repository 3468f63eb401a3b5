// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {CashBook} from "./CashBook.sol";
import {WAD} from "./FixedPoint.sol";
import {Funding} from "./Funding.sol";
import {Parameters} from "./Parameters.sol";
import {Sides} from "./Sides.sol";
import {IMarginVault} from "../interfaces/IMarginVault.sol";
import {MarketId, MAX_MARKETS, MAX_COLLATERALS, collateralAsset, marketAsset, onlyAsset} from "../types/AssetSet.sol";
import {CashParameters, toCashTerms} from "../types/CashWords.sol";
import {
    DELISTED,
    HALTED,
    MarketParameters,
    MarketRisk,
    MarketState,
    toDiscountTerms,
    toMarketRisk,
    toMarketState,
    toMarketTerms
} from "../types/MarketWords.sol";
import {Price} from "../types/Price.sol";
import {Context, Market, VaultStorage} from "../types/VaultStorage.sol";
import {
    AccountParameters,
    CollateralParameters,
    toAccountRisk,
    toCapital,
    toCollateral,
    toRewardBudget
} from "../types/VaultWords.sol";

/// @title Listing and parameters
/// @notice Who may call stands in the vault; which values are taken stands in Parameters.
library Administration {
    /// @notice Lists a market under the next id. Its price must be fresh.
    /// @return id the market's
    /// @return reserve settlement tokens (raw) that the caller owes for it
    function listMarket(
        VaultStorage storage $,
        Context memory context,
        MarketParameters calldata p
    ) public returns (MarketId id, uint256 reserve) {
        require($.marketCount < MAX_MARKETS, IMarginVault.ListFull(MAX_MARKETS));
        id = MarketId.wrap($.marketCount++);
        $.markets[id].state = toMarketState(0, 0, 0, block.timestamp, 0);
        _writeMarket($, context, id, p);
        // One quote unit covers the dust that rounding for the vault cannot: long and short size may differ by a few wei.
        reserve = WAD / context.cashUnit;
        $.cashHeld += uint128(reserve);
        emit IMarginVault.ReservePaid(id, reserve);
    }

    function setMarketParameters(
        VaultStorage storage $,
        Context memory context,
        MarketId id,
        MarketParameters calldata p
    ) public {
        require(MarketId.unwrap(id) < $.marketCount, IMarginVault.UnknownMarket(id));
        _writeMarket($, context, id, p);
    }

    /// @dev Funding accrues under the old parameters up to now, and goes on under the new.
    function _writeMarket(
        VaultStorage storage $,
        Context memory context,
        MarketId id,
        MarketParameters calldata p
    ) private {
        Price price = context.oracle.prices(onlyAsset(marketAsset(id)))[0];
        Parameters.requireValid(p, price.tolerance());
        Parameters.requireTargetWithin($.accountRisk.targetHealth(), p.initialBaseWad, p.maintenanceBaseWad);

        Market storage market = $.markets[id];
        MarketState state = market.state;
        require(!state.has(DELISTED), IMarginVault.MarketDelisted(id));
        (int256 indexWad, int256 rateE24) = Funding.accrued(state, market.risk, price.value(), block.timestamp);
        uint256 standing = Sides.openInterest(market, indexWad);
        Parameters.requireSkewWithin(standing, p.maintenanceBaseWad, p.skewScaleWad);
        (market.risk, market.terms, market.discount) = (
            toMarketRisk(p),
            toMarketTerms(p),
            toDiscountTerms(p.discountBaseWad, p.discountSlopeWad, p.discountCapWad)
        );
        int256 skew = -Sides.sizeOf(market, $.positions[context.pool][id].shares());
        int256 drift = Funding.driftOf(skew, p.maxFundingVelocityPerDay2Wad, p.skewScaleWad);
        market.state = toMarketState(indexWad, rateE24, drift, block.timestamp, state.flags());
        emit IMarginVault.MarketParametersSet(id, market.risk, market.terms, market.discount);
        emit IMarginVault.MarketChanged(id, market.state, market.totals, $.positions[context.pool][id]);
    }

    function listCollateral(
        VaultStorage storage $,
        Context memory context,
        address token,
        CollateralParameters calldata p
    ) public returns (uint256 index) {
        require(token != context.settlementToken && $.collateralIndexes[token] == 0, IMarginVault.AlreadyListed(token));
        require($.collateralCount < MAX_COLLATERALS, IMarginVault.ListFull(MAX_COLLATERALS));
        uint256 decimals = IERC20Metadata(token).decimals();
        require(decimals <= 18, IMarginVault.TooManyDecimals(token, decimals));
        index = $.collateralCount++;
        $.collateralTokens[index] = token;
        $.collateralIndexes[token] = index + 1;
        Price price = context.oracle.prices(onlyAsset(collateralAsset(index)))[0]; // refuses a token that nothing prices
        _writeCollateral($, index, decimals, price, p);
    }

    function setCollateralParameters(
        VaultStorage storage $,
        Context memory context,
        address token,
        CollateralParameters calldata p
    ) public {
        uint256 indexPlusOne = $.collateralIndexes[token];
        require(indexPlusOne != 0, IMarginVault.UnknownToken(token));
        uint256 index = indexPlusOne - 1;
        Price price = context.oracle.lastPrices(onlyAsset(collateralAsset(index)))[0]; // a stale one shows its tolerance too
        _writeCollateral($, index, $.collaterals[index].decimals(), price, p);
    }

    function _writeCollateral(
        VaultStorage storage $,
        uint256 index,
        uint256 decimals,
        Price price,
        CollateralParameters calldata p
    ) private {
        Parameters.requireValid(p, price.tolerance());
        $.collaterals[index] = toCollateral(p, decimals, $.collaterals[index].held());
        $.collateralDiscounts[index] = toDiscountTerms(p.discountBaseWad, p.discountSlopeWad, p.discountCapWad);
        emit IMarginVault.CollateralParametersSet(
            $.collateralTokens[index],
            index,
            $.collaterals[index],
            $.collateralDiscounts[index]
        );
    }

    function setCashParameters(VaultStorage storage $, Context memory context, CashParameters calldata p) public {
        Parameters.requireValid(p);
        $.cashTerms = toCashTerms(p);
        emit IMarginVault.CashParametersSet($.cashTerms);
        CashBook.write($, context); // interest up to now at the old rates, from now on at the new
    }

    function setMarketHalted(VaultStorage storage $, Context memory context, MarketId id, bool halted) public {
        Market storage market = $.markets[id];
        market.state = halted ? market.state.withFlag(HALTED) : market.state.withoutFlag(HALTED);
        emit IMarginVault.MarketChanged(id, market.state, market.totals, $.positions[context.pool][id]);
    }

    function setBorrowingHalted(VaultStorage storage $, bool halted) public {
        $.borrowingHalted = halted;
        emit IMarginVault.BorrowingHaltedSet(halted);
    }

    function setAccountParameters(VaultStorage storage $, AccountParameters calldata p) public {
        Parameters.requireValid(p);
        for (uint8 i; i < $.marketCount; ++i) {
            MarketRisk risk = $.markets[MarketId.wrap(i)].risk;
            Parameters.requireTargetWithin(p.targetHealthWad, risk.initialBase(), risk.maintenanceBase());
        }
        $.accountRisk = toAccountRisk(p);
        $.rewardBudget = toRewardBudget(
            p.absorbRewardFloorWad,
            p.absorbRewardPerHourWad,
            $.rewardBudget.spent(),
            $.rewardBudget.since()
        );
        $.capital = toCapital($.capital.capitalValue(), $.capital.takenAt(), p.capitalMaxAgeSeconds);
        emit IMarginVault.AccountParametersSet($.accountRisk);
        emit IMarginVault.RewardBudgetChanged($.rewardBudget);
        emit IMarginVault.CapitalChanged($.capital);
    }
}
