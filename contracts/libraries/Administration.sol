// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {CashBook} from "./CashBook.sol";
import {WAD} from "./FixedPoint.sol";
import {Funding} from "./Funding.sol";
import {Parameters} from "./Parameters.sol";
import {Ramps} from "./Ramps.sol";
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
    MarketTotals,
    toDiscountTerms,
    toMarketRisk,
    toMarketState,
    toMarketTerms
} from "../types/MarketWords.sol";
import {Price} from "../types/Price.sol";
import {AccountRamp, CollateralRamp, MarketRamp, RampClock} from "../types/RampWords.sol";
import {Context, Market, VaultStorage} from "../types/VaultStorage.sol";
import {
    AccountParameters,
    AccountRisk,
    Collateral,
    CollateralParameters,
    toAccountRisk,
    toCapital,
    toCollateral,
    toRewardBudget
} from "../types/VaultWords.sol";

/// @title Listing and parameters
/// @notice Who may call stands in the vault; which values are taken stands in Parameters; how they move in stands in Ramps. The words of
/// markets, collaterals and accounts always hold what counts now.
library Administration {
    using Ramps for RampClock;

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

    function rampMarket(VaultStorage storage $, Context memory context, MarketId id) public {
        MarketRamp storage ramp = $.marketRamps[id];
        Market storage market = $.markets[id];
        RampClock clock = ramp.clock.stepped(block.timestamp);
        Accrued memory accrued = _accrue(market, id, _freshPrice(context, id));
        uint256 mostSize = Math.max(market.terms.openInterestCap(), accrued.openInterest);
        market.risk = Ramps.moved(ramp.from, ramp.to, clock.secondsLeft(), mostSize);
        _storeMarket($, context, id, accrued);
        if (clock.secondsLeft() == 0) delete $.marketRamps[id];
        else ramp.clock = clock;
        emit IMarginVault.MarketRampSet(id, ramp.from, ramp.to, ramp.clock);
    }

    function _writeMarket(
        VaultStorage storage $,
        Context memory context,
        MarketId id,
        MarketParameters memory p
    ) private {
        Price price = _freshPrice(context, id);
        uint256 tolerance = context.oracle.mostTolerance(marketAsset(id));
        Market storage market = $.markets[id];
        Accrued memory accrued = _accrue(market, id, price);
        _requireFits($, p, tolerance, accrued.openInterest);
        Parameters.requireSizesWithin(p, price.value());
        MarketRisk to = toMarketRisk(p);
        MarketTotals totals = market.totals;
        if (totals.longShares() | totals.shortShares() != 0) {
            p = Ramps.loosest(p, market.risk);
            _requireFits($, p, tolerance, accrued.openInterest);
        }
        (market.risk, market.terms, market.discount) = (
            toMarketRisk(p),
            toMarketTerms(p),
            toDiscountTerms(p.discountBaseWad, p.discountSlopeWad, p.discountCapWad)
        );
        _storeMarket($, context, id, accrued);
        _beginMarketRamp($, id, market.risk, to);
    }

    /// @dev What the parameters must satisfy, those that count at once and those that are to come.
    function _requireFits(
        VaultStorage storage $,
        MarketParameters memory p,
        uint256 toleranceWad,
        uint256 openInterestWad
    ) private view {
        Parameters.requireValid(p, toleranceWad);
        Parameters.requireTargetWithin($.accountRisk.targetHealth(), p.initialBaseWad, p.maintenanceBaseWad);
        Parameters.requireSkewWithin(openInterestWad, p.maintenanceBaseWad, p.skewScaleWad);
    }

    function _beginMarketRamp(VaultStorage storage $, MarketId id, MarketRisk from, MarketRisk to) private {
        MarketRamp storage ramp = $.marketRamps[id];
        bool ramps = MarketRisk.unwrap(from) != MarketRisk.unwrap(to);
        if (!ramps && ramp.clock.secondsLeft() == 0) return;
        if (ramps) (ramp.from, ramp.to, ramp.clock) = (from, to, Ramps.begun(block.timestamp));
        else delete $.marketRamps[id];
        emit IMarginVault.MarketRampSet(id, ramp.from, ramp.to, ramp.clock);
    }

    /// @dev What a change of parameters needs to know of a market as it stands now.
    struct Accrued {
        int256 indexWad;
        int256 rateE24;
        uint256 openInterest;
    }

    function _freshPrice(Context memory context, MarketId id) private view returns (Price) {
        return context.oracle.prices(onlyAsset(marketAsset(id)))[0];
    }

    /// @dev Funding under the old parameters up to now.
    function _accrue(Market storage market, MarketId id, Price price) private view returns (Accrued memory accrued) {
        MarketState state = market.state;
        require(!state.has(DELISTED), IMarginVault.MarketDelisted(id));
        (accrued.indexWad, accrued.rateE24) = Funding.accrued(state, market.risk, price.value(), block.timestamp);
        accrued.openInterest = Sides.openInterest(market, accrued.indexWad);
    }

    /// @dev Funding goes on under the parameters that are stored by now.
    function _storeMarket(VaultStorage storage $, Context memory context, MarketId id, Accrued memory accrued) private {
        Market storage market = $.markets[id];
        int256 skew = -Sides.sizeOf(market, $.positions[context.pool][id].shares());
        int256 drift = Funding.driftOf(skew, market.terms.maxFundingVelocity(), market.risk.skewScale());
        market.state = toMarketState(accrued.indexWad, accrued.rateE24, drift, block.timestamp, market.state.flags());
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
        context.oracle.prices(onlyAsset(collateralAsset(index))); // refuses a token that nothing prices
        _writeCollateral($, context, index, decimals, p);
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
        _writeCollateral($, context, index, $.collaterals[index].decimals(), p);
    }

    function rampCollateral(VaultStorage storage $, uint256 index) public {
        CollateralRamp storage ramp = $.collateralRamps[index];
        RampClock clock = ramp.clock.stepped(block.timestamp);
        $.collaterals[index] = Ramps.moved($.collaterals[index], ramp.from, ramp.to, clock.secondsLeft());
        _tellCollateral($, index);
        if (clock.secondsLeft() == 0) delete $.collateralRamps[index];
        else ramp.clock = clock;
        emit IMarginVault.CollateralRampSet($.collateralTokens[index], ramp.from, ramp.to, ramp.clock);
    }

    function _writeCollateral(
        VaultStorage storage $,
        Context memory context,
        uint256 index,
        uint256 decimals,
        CollateralParameters memory p
    ) private {
        uint256 tolerance = context.oracle.mostTolerance(collateralAsset(index));
        Parameters.requireValid(p, tolerance);
        Collateral live = $.collaterals[index];
        Collateral to = toCollateral(p, 0, 0);
        if (live.held() != 0) {
            p = Ramps.loosest(p, live);
            Parameters.requireValid(p, tolerance);
        }
        $.collaterals[index] = toCollateral(p, decimals, live.held());
        $.collateralDiscounts[index] = toDiscountTerms(p.discountBaseWad, p.discountSlopeWad, p.discountCapWad);
        _tellCollateral($, index);
        _beginCollateralRamp($, index, toCollateral(p, 0, 0), to);
    }

    function _beginCollateralRamp(VaultStorage storage $, uint256 index, Collateral from, Collateral to) private {
        CollateralRamp storage ramp = $.collateralRamps[index];
        bool ramps = Collateral.unwrap(from) != Collateral.unwrap(to);
        if (!ramps && ramp.clock.secondsLeft() == 0) return;
        if (ramps) (ramp.from, ramp.to, ramp.clock) = (from, to, Ramps.begun(block.timestamp));
        else delete $.collateralRamps[index];
        emit IMarginVault.CollateralRampSet($.collateralTokens[index], ramp.from, ramp.to, ramp.clock);
    }

    function _tellCollateral(VaultStorage storage $, uint256 index) private {
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

    function setAccountParameters(VaultStorage storage $, AccountParameters memory p) public {
        Parameters.requireValid(p);
        for (uint8 i; i < $.marketCount; ++i) {
            MarketId id = MarketId.wrap(i);
            if ($.markets[id].state.has(DELISTED)) continue;
            MarketRisk risk = $.markets[id].risk;
            uint256 base = Math.max(risk.maintenanceBase(), $.marketRamps[id].to.maintenanceBase());
            Parameters.requireTargetWithin(p.targetHealthWad, risk.initialBase(), base);
        }
        AccountRisk live = $.accountRisk;
        AccountRisk to = toAccountRisk(p);
        bool hasAccountsAtRisk = $.marketCount != 0 || $.collateralCount != 0;
        if (AccountRisk.unwrap(live) != 0 && hasAccountsAtRisk) {
            p = Ramps.loosest(p, live);
            Parameters.requireValid(p);
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
        _beginAccountRamp($, $.accountRisk, to);
    }

    function _beginAccountRamp(VaultStorage storage $, AccountRisk from, AccountRisk to) private {
        AccountRamp storage ramp = $.accountRamp;
        bool ramps = AccountRisk.unwrap(from) != AccountRisk.unwrap(to);
        if (!ramps && ramp.clock.secondsLeft() == 0) return;
        if (ramps) (ramp.from, ramp.to, ramp.clock) = (from, to, Ramps.begun(block.timestamp));
        else delete $.accountRamp;
        emit IMarginVault.AccountRampSet(ramp.from, ramp.to, ramp.clock);
    }

    function rampAccounts(VaultStorage storage $) public {
        AccountRamp storage ramp = $.accountRamp;
        RampClock clock = ramp.clock.stepped(block.timestamp);
        $.accountRisk = Ramps.moved(ramp.from, ramp.to, clock.secondsLeft());
        emit IMarginVault.AccountParametersSet($.accountRisk);
        if (clock.secondsLeft() == 0) delete $.accountRamp;
        else ramp.clock = clock;
        emit IMarginVault.AccountRampSet(ramp.from, ramp.to, ramp.clock);
    }
}
