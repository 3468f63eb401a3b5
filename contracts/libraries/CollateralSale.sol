// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {CashBook} from "./CashBook.sol";
import {FixedPoint, WAD} from "./FixedPoint.sol";
import {Ledger} from "./Ledger.sol";
import {Liquidation} from "./Liquidation.sol";
import {Margin, Sums} from "./Margin.sol";
import {Prices} from "./Prices.sol";
import {Target, Targets} from "./Targets.sol";
import {IMarginVault, Health} from "../interfaces/IMarginVault.sol";
import {AccountId} from "../types/AccountId.sol";
import {Account} from "../types/Account.sol";
import {AssetSet, collateralAsset, onlyAsset} from "../types/AssetSet.sol";
import {Price} from "../types/Price.sol";
import {Context, VaultStorage} from "../types/VaultStorage.sol";
import {AccountRisk, Collateral} from "../types/VaultWords.sol";

/// @notice A collateral that changes hands for cash, inside the vault.
struct Sale {
    uint256 index;
    AccountId buyer;
    AccountId seller;
    Account buyerWord;
    Account sellerWord;
    /// Of the collateral, raw.
    uint256 amount;
    /// What the seller has for it, and what insurance has besides; the buyer pays both. Wad.
    uint256 proceeds;
    uint256 toInsurance;
}

/// @title Sales of collateral: of an account under liquidation, and of what the pool has absorbed
/// @notice The buyer is an account; cash and collateral change hands inside the vault, so no token moves and nothing can be refused.
library CollateralSale {
    using FixedPoint for int256;
    using FixedPoint for uint256;
    using Margin for Health;
    using Targets for Target;

    /// @dev Until the pool's discount has risen to its base.
    uint256 private constant RAMP = 1 hours;

    /// @notice Waterfall, step 1, for a collateral: the taker buys as much as brings health to its target, at most what the debt needs.
    /// @param taker an account that the caller may act for: the vault has checked that
    function liquidateCollateral(
        VaultStorage storage $,
        Context memory context,
        AccountId account,
        uint256 index,
        uint256 maxAmount,
        AccountId taker
    ) public {
        require(maxAmount != 0, IMarginVault.ZeroAmount());
        require(taker != account, IMarginVault.RewardToTarget(account));
        Account takerWord = Ledger.load($, context, taker);
        uint256 asset = collateralAsset(index);
        Target memory target = Targets.read($, context, account, takerWord.assets() | onlyAsset(asset));
        target.requireLiquidatable();
        target.requireNoGrace();
        Price price = target.priceOf(asset);
        _requireGood($, index, price, price.isUsable());

        Sale memory sale = Sale(index, taker, account, takerWord, target.word, 0, 0, 0);
        uint256 discount = Liquidation.offeredDown(target.health.healthWad, $.collateralDiscounts[index]);
        sale.amount = _amountDown($, target, index, price, discount, maxAmount);
        require(sale.amount != 0, IMarginVault.NothingToSell(account, $.collateralTokens[index]));
        uint256 value = Margin.collateralValueDown($.collaterals[index], sale.amount, price);
        uint256 discountWad = value.mulDivUp(discount, WAD);
        sale.proceeds = value - discountWad;
        sale.toInsurance = discountWad.mulDivDown(target.risk.insuranceShare(), WAD);

        uint256 healthAfter = _healthAfter($, target, sale, price);
        uint256 healthBefore = target.health.healthWad;
        require(healthAfter > healthBefore, IMarginVault.HealthNotRaised(account, healthBefore, healthAfter));
        _exchange($, context, sale);
        if (sale.toInsurance != 0) Ledger.addCash($, context, context.insurance, int256(sale.toInsurance));
        Health memory taken = Margin.total(
            Margin.collect($, taker, sale.buyerWord, target.assets, target.prices, false, Margin.NO_ASSET),
            sale.buyerWord.cash(),
            target.risk
        );
        _requireBuyerSound($, sale, taken, target.risk);
        CashBook.save($, context);
        emit IMarginVault.CollateralLiquidated(
            account,
            $.collateralTokens[index],
            taker,
            msg.sender,
            sale.amount,
            sale.proceeds,
            sale.toInsurance,
            healthBefore,
            healthAfter
        );
    }

    /// @notice Sells absorbed collateral of the pool at what previewBuyCollateral tells.
    /// @param buyer an account that the caller may act for: the vault has checked that
    function buyCollateral(
        VaultStorage storage $,
        Context memory context,
        AccountId buyer,
        uint256 index,
        uint256 amount,
        uint256 maxCostWad
    ) public {
        require(amount != 0, IMarginVault.ZeroAmount());
        Account buyerWord = Ledger.load($, context, buyer);
        uint256 asset = collateralAsset(index);
        AssetSet assets = buyerWord.assets() | onlyAsset(asset);
        Price[] memory prices = Prices.all(context.oracle, assets);
        Price price = _requireFresh($, index, prices[assets.rank(asset)]);

        Sale memory sale = Sale(
            index,
            buyer,
            context.pool,
            buyerWord,
            Ledger.load($, context, context.pool),
            amount,
            0,
            0
        );
        uint256 balance = $.collateralOf[context.pool][index];
        address token = $.collateralTokens[index];
        require(amount <= balance, IMarginVault.InsufficientBalance(context.pool, token, amount, balance));
        sale.proceeds = _costUp($, index, amount, price);
        require(sale.proceeds <= maxCostWad, IMarginVault.CostAboveLimit(sale.proceeds, maxCostWad));

        _exchange($, context, sale);
        Sums memory sums = Margin.collect($, buyer, sale.buyerWord, assets, prices, false, Margin.NO_ASSET);
        AccountRisk risk = $.accountRisk;
        _requireBuyerSound($, sale, Margin.total(sums, sale.buyerWord.cash(), risk), risk);
        CashBook.save($, context);
        emit IMarginVault.PoolCollateralSold(buyer, token, amount, sale.proceeds);
    }

    /// @notice What the pool asks for an amount (raw) at the last price, wad.
    function previewBuyCollateral(
        VaultStorage storage $,
        Context memory context,
        uint256 index,
        uint256 amount
    ) public view returns (uint256) {
        Price price = Prices.one(context.oracle, collateralAsset(index));
        return _costUp($, index, amount, _requireFresh($, index, price));
    }

    /// @notice Adds an amount (raw) to what the pool offers for sale: the time since which it does is the mean by amount, rounded up. What
    /// has its whole discount counts as an hour old, so the discount on all of it, together, stays what it was on the old.
    /// @return the amount that the pool then holds, which the caller writes
    function stock(
        VaultStorage storage $,
        Context memory context,
        uint256 index,
        uint256 amount
    ) internal returns (uint256) {
        uint256 held = $.collateralOf[context.pool][index];
        uint256 since = Math.max($.stockSince[index], block.timestamp - RAMP);
        $.stockSince[index] = (since * held + block.timestamp * amount).divUp(held + amount);
        return held + amount;
    }

    /// @dev value * (1 + tolerance - discount), rounded up. The tolerance, so that knowing the next price earns nothing; the discount
    /// begins at zero and rises to its base within an hour, so that being absorbed and buying back gains nothing, and the first who
    /// wants the collateral leaves the pool the most.
    function _costUp(
        VaultStorage storage $,
        uint256 index,
        uint256 amount,
        Price price
    ) private view returns (uint256) {
        uint256 waited = Math.min(block.timestamp - $.stockSince[index], RAMP);
        uint256 discount = $.collateralDiscounts[index].discountBase().mulDivDown(waited, RAMP);
        uint256 rate = WAD + price.tolerance() - discount;
        return (amount * price.value()).mulDivUp(rate, WAD * 10 ** $.collaterals[index].decimals());
    }

    // ------------------------------------------------------------------ shared

    /// @dev The amount whose value z brings health to its target T, at most what the debt, the holding and the caller let be:
    ///     z = (T * R - E) / (1 - w - d + T * rho * (1 - d)),  z * (1 - d) <= debt = -net cash;   w + d < 1 when it was listed
    /// Rounded down.
    function _amountDown(
        VaultStorage storage $,
        Target memory target,
        uint256 index,
        Price price,
        uint256 discount,
        uint256 maxAmount
    ) private view returns (uint256) {
        Collateral collateral = $.collaterals[index];
        Health memory health = target.health;
        uint256 balance = $.collateralOf[target.account][index];
        require(balance != 0, IMarginVault.NoCollateral(target.account, $.collateralTokens[index]));
        require(health.netCashWad < 0, IMarginVault.NoDebt(target.account, health.netCashWad));

        uint256 goal = target.risk.targetHealth();
        int256 wanted = int256(health.requirementMaintenanceWad.mulDivDown(goal, WAD)) - health.equityMaintenanceWad;
        uint256 paid = WAD - discount;
        uint256 gain =
            paid - collateral.maintenanceWeight() + goal.mulDivUp(target.risk.debtMargin(), WAD).mulDivUp(paid, WAD);
        uint256 value = uint256(wanted).mulDivDown(WAD, gain); // above zero, because health is below 1 and T above
        uint256 debt = health.netCashWad.abs();
        uint256 whole = debt.mulDivDown(WAD, paid);
        // A debt too small to be worth liquidating is not left behind.
        if (value.mulDivDown(paid, WAD) + target.risk.minimumDebt() > debt) value = whole;
        uint256 amount = value.mulDivDown(10 ** collateral.decimals(), price.value());
        return Math.min(Math.min(amount, balance), maxAmount);
    }

    function _healthAfter(
        VaultStorage storage $,
        Target memory target,
        Sale memory sale,
        Price price
    ) private view returns (uint256) {
        Collateral collateral = $.collaterals[sale.index];
        uint256 balance = $.collateralOf[sale.seller][sale.index];
        Sums memory sums = Margin.copy(target.sums);
        sums.equityMaintenance -= int256(Margin.weightedDown(collateral, balance, price));
        sums.equityMaintenance += int256(Margin.weightedDown(collateral, balance - sale.amount, price));
        return Margin.total(sums, target.word.cash() + int256(sale.proceeds), target.risk).healthWad;
    }

    /// @dev Writes both accounts. What the vault holds of the token stays as it is.
    function _exchange(VaultStorage storage $, Context memory context, Sale memory sale) private {
        uint256 index = sale.index;
        uint256 left = $.collateralOf[sale.seller][index] - sale.amount;
        sale.sellerWord = Ledger.saveCollateral($, sale.seller, sale.sellerWord, index, left);
        sale.sellerWord = sale.sellerWord.plusCash(int256(sale.proceeds));
        uint256 more = $.collateralOf[sale.buyer][index] + sale.amount;
        sale.buyerWord = Ledger.saveCollateral($, sale.buyer, sale.buyerWord, index, more);
        uint256 pays = sale.proceeds + sale.toInsurance;
        sale.buyerWord = sale.buyerWord.plusCash(-int256(pays));
        Ledger.save($, context, sale.buyer, sale.buyerWord);
        Ledger.saveLast($, context, sale.seller, sale.sellerWord);
    }

    /// @dev The buyer must be able to bear what it has: as after a withdrawal. While borrowing is halted it pays with its own.
    function _requireBuyerSound(
        VaultStorage storage $,
        Sale memory sale,
        Health memory health,
        AccountRisk risk
    ) private view {
        int256 cash = sale.buyerWord.cash();
        require(cash >= 0 || !$.borrowingHalted, IMarginVault.BorrowingHalted(sale.buyer, cash.abs()));
        Ledger.requireFewAssets(sale.buyer, sale.buyerWord);
        Ledger.requireDebtAboveMinimum(sale.buyer, sale.buyerWord, risk);
        if (sale.buyerWord.marketBits() != 0 || sale.buyerWord.cash() < 0) {
            health.requireInitialMargin(sale.buyer);
        }
    }

    /// @dev What the pool sells it sells at a fresh price: it can wait, and another might be wrong by more than its tolerance.
    function _requireFresh(VaultStorage storage $, uint256 index, Price price) private view returns (Price) {
        _requireGood($, index, price, price.isFresh());
        return price;
    }

    function _requireGood(VaultStorage storage $, uint256 index, Price price, bool isGood) private view {
        require(
            isGood,
            IMarginVault.StaleCollateralPrice($.collateralTokens[index], price.publishedAt(), price.maxAge())
        );
    }
}
