// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {
    IMarginVault,
    AbsorbPreview,
    CashView,
    Health,
    LiquidationPreview,
    MarketView,
    PositionView
} from "./interfaces/IMarginVault.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {Administration} from "./libraries/Administration.sol";
import {CashBook} from "./libraries/CashBook.sol";
import {CollateralSale} from "./libraries/CollateralSale.sol";
import {Custody} from "./libraries/Custody.sol";
import {Delisting} from "./libraries/Delisting.sol";
import {Deal, Deals} from "./libraries/Deals.sol";
import {FixedPoint, WAD} from "./libraries/FixedPoint.sol";
import {Ledger} from "./libraries/Ledger.sol";
import {Margin, Sums} from "./libraries/Margin.sol";
import {PartialLiquidation} from "./libraries/PartialLiquidation.sol";
import {PoolResolution} from "./libraries/PoolResolution.sol";
import {PoolValue} from "./libraries/PoolValue.sol";
import {Sides} from "./libraries/Sides.sol";
import {Settlement} from "./libraries/Settlement.sol";
import {Views} from "./libraries/Views.sol";
import {Waterfall} from "./libraries/Waterfall.sol";
import {LiquidityPool} from "./pool/LiquidityPool.sol";
import {AccountId, accountIdOf} from "./types/AccountId.sol";
import {Account} from "./types/Account.sol";
import {AccountWord} from "./types/AccountWord.sol";
import {AssetSet, MarketId, marketAsset} from "./types/AssetSet.sol";
import {CashParameters, INDEX_ONE, toCashIndices} from "./types/CashWords.sol";
import {CLOSING, DELISTED, DiscountTerms, MarketParameters, SideWord} from "./types/MarketWords.sol";
import {Price} from "./types/Price.sol";
import {Context, Market, VaultStorage} from "./types/VaultStorage.sol";
import {AccountParameters, AccountRisk, Capital, Collateral, CollateralParameters} from "./types/VaultWords.sol";

/// @title Ballast's margin vault
/// @notice The story. Each entry point is one recipe: authority, time passes, effects, checks that need the new state, event, and the token
/// moves last. Trade and settle stand here; the books of custody, liquidation and administration in libraries linked to it.
contract MarginVault is IMarginVault, AccessManaged, ReentrancyGuardTransient {
    using Deals for Deal;
    using FixedPoint for int256;
    using FixedPoint for uint256;
    using Margin for Health;
    using SafeERC20 for IERC20;

    /// @notice Where prices come from.
    IPriceOracle public immutable oracle;
    /// @notice The liquidity pool, deployed by this vault.
    LiquidityPool public immutable pool;
    address public immutable settlementToken;
    /// Wad for one raw unit of the settlement token.
    uint256 private immutable _cashUnit;

    VaultStorage private $;

    /// @param poolLockSeconds how long shares of the pool are locked after a deposit
    constructor(
        address authority,
        IPriceOracle oracle_,
        address settlementToken_,
        uint256 poolLockSeconds
    ) AccessManaged(authority) {
        uint256 decimals = IERC20Metadata(settlementToken_).decimals();
        require(decimals <= 18, TooManyDecimals(settlementToken_, decimals));
        oracle = oracle_;
        settlementToken = settlementToken_;
        _cashUnit = 10 ** (18 - decimals);
        $.cashIndices = toCashIndices(INDEX_ONE, INDEX_ONE, 0, 0, block.timestamp);
        emit CashChanged($.cashIndices, $.cashTotals, 0);
        pool = new LiquidityPool(IERC20(settlementToken_), poolLockSeconds);
    }

    // ------------------------------------------------------------------ custody

    /// @inheritdoc IMarginVault
    function deposit(AccountId account, address token, uint256 amount) external nonReentrant {
        Custody.deposit($, _context(), account, token, amount);
        _pull(token, amount);
    }

    /// @inheritdoc IMarginVault
    function withdraw(AccountId account, address token, uint256 amount, address to) external nonReentrant {
        _authorize(account);
        Custody.withdraw($, _context(), account, token, amount, to);
        _push(token, to, amount);
    }

    /// @inheritdoc IMarginVault
    function transfer(AccountId from, AccountId to, address token, uint256 amount) external nonReentrant {
        _authorize(from);
        Custody.transfer($, _context(), from, to, token, amount);
    }

    /// @inheritdoc IMarginVault
    function setMode(AccountId account, uint256 mode) external nonReentrant {
        _authorize(account);
        Custody.setMode($, _context(), account, mode);
    }

    /// @dev Takes tokens from the caller; a token that moves another amount than asked is refused.
    function _pull(address token, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 moved = IERC20(token).balanceOf(address(this)) - before;
        require(moved == amount, TokenMovedOtherAmount(token, amount, moved));
    }

    function _push(address token, address to, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(to, amount);
        uint256 moved = before - IERC20(token).balanceOf(address(this));
        require(moved == amount, TokenMovedOtherAmount(token, amount, moved));
    }

    // ------------------------------------------------------------------ trade

    /// @inheritdoc IMarginVault
    function trade(
        AccountId account,
        MarketId market_,
        int256 sizeDeltaWad,
        uint256 limitPriceWad,
        uint256 deadline
    ) external nonReentrant {
        _authorize(account);
        require(block.timestamp <= deadline, DeadlinePassed(deadline, block.timestamp));
        require(sizeDeltaWad != 0, ZeroAmount());
        _requireListed(market_);

        Context memory context = _context();
        Account word = Ledger.load($, context, account);
        AssetSet assets = Ledger.assetsWith(word, market_);
        Price[] memory prices = oracle.lastPrices(assets);
        Price price = prices[assets.rank(marketAsset(market_))];
        require(price.isUsable(), StaleMarketPrice(market_, price.publishedAt(), price.maxAge()));

        Deal memory deal;
        deal.load($, context, account, word, Ledger.load($, context, context.pool), market_, price);
        deal.finish();
        Sums memory others = Margin.collect($, account, word, assets, prices, false, marketAsset(market_));
        int256 sizeBefore = deal.size();
        bool grows = !sizeBefore.opposes(sizeDeltaWad) || sizeDeltaWad.abs() > sizeBefore.abs();
        Health memory before;
        if (grows) _requireOpen(deal);
        else before = _healthWith(others, deal);

        deal.venue.takerRateWad = deal.terms.takerRate() + price.tolerance();
        deal.venue.makerRateWad = deal.terms.makerRate() + price.tolerance();
        uint256 insuranceFeeShare = $.accountRisk.insuranceFeeShare();
        (uint256 fillPriceWad, uint256 feeWad, int256 realizedWad) = deal.fill(sizeDeltaWad, insuranceFeeShare);
        _requireWithinLimit(sizeDeltaWad, fillPriceWad, limitPriceWad);

        int256 sizeAfter = deal.size();
        if (sizeAfter != 0) {
            uint256 minimum = deal.terms.minimumSize();
            require(sizeAfter.abs() >= minimum, PositionBelowMinimum(market_, sizeAfter.abs(), minimum));
        }
        Deals.store($, context, deal);
        Deals.saveWords($, context, deal);
        CashBook.save($, context);

        Health memory afterwards = _healthWith(others, deal);
        if (grows) {
            _requireOpeningAllowed(deal, sizeAfter > 0);
            Ledger.requireDebtAboveMinimum(account, deal.accountWord, $.accountRisk);
            afterwards.requireInitialMargin(account);
        } else {
            _requireReductionAllowed(account, before, afterwards);
        }
        emit Traded(account, market_, sizeDeltaWad, fillPriceWad, feeWad, realizedWad);
    }

    /// @dev The account's margin with the deal's position and cash as they now stand. `others` is left as it was.
    function _healthWith(Sums memory others, Deal memory deal) private view returns (Health memory) {
        Sums memory sums = Margin.copy(others);
        deal.addTo(sums);
        return Margin.total(sums, deal.accountWord.cash(), $.accountRisk);
    }

    function _requireWithinLimit(int256 sizeDeltaWad, uint256 fillPriceWad, uint256 limitPriceWad) private pure {
        bool within =
            limitPriceWad == 0 || (sizeDeltaWad > 0 ? fillPriceWad <= limitPriceWad : fillPriceWad >= limitPriceWad);
        require(within, LimitExceeded(fillPriceWad, limitPriceWad));
    }

    function _requireOpen(Deal memory deal) private view {
        if (!deal.state.has(CLOSING)) return;
        require(!deal.state.has(DELISTED), MarketDelisted(deal.market));
        revert MarketClosing(deal.market, $.markets[deal.market].epochs.delistAt());
    }

    /// @dev The cap a side, and the pool's capital behind the market. Capital is a checkpoint, so that a trade costs the same however
    /// many markets there are.
    function _requireOpeningAllowed(Deal memory deal, bool long) private view {
        deal.requireRoom();
        Ledger.requireFewAssets(deal.account, deal.accountWord);
        uint256 grown = deal.openInterest(long);
        uint256 cap = deal.terms.openInterestCap();
        require(grown <= cap, OpenInterestCapExceeded(deal.market, grown, cap));

        Capital checkpoint = $.capital;
        bool recent = block.timestamp <= checkpoint.takenAt() + checkpoint.maxAge();
        require(recent, CapitalCheckpointStale(checkpoint.takenAt(), checkpoint.maxAge()));
        uint256 other = deal.openInterest(!long);
        uint256 openInterest = grown > other ? grown : other;
        uint256 needed = openInterest.mulDivUp(deal.venue.priceWad, WAD).mulDivUp(deal.initialBase(), WAD);
        uint256 available = checkpoint.capitalValue().mulDivDown(deal.terms.capitalShare(), WAD);
        require(needed <= available, PoolCapitalExceeded(deal.market, needed, available));
    }

    /// @dev A reduction may not leave a bankrupt, and must not lower health unless the account stays above initial margin.
    function _requireReductionAllowed(AccountId account, Health memory before, Health memory afterwards) private pure {
        require(afterwards.equityMaintenanceWad >= 0, ReductionBankrupts(account, afterwards.equityMaintenanceWad));
        require(
            afterwards.healthWad >= before.healthWad || afterwards.hasInitialMargin(),
            ReductionLowersHealth(account, before.healthWad, afterwards.healthWad)
        );
    }

    // ------------------------------------------------------------------ settle, sweep, checkpoint

    /// @inheritdoc IMarginVault
    function settle(AccountId account, MarketId market_) external nonReentrant {
        _requireListed(market_);
        Settlement.settle($, _context(), account, market_);
    }

    /// @inheritdoc IMarginVault
    function sweepFees(MarketId market_) external nonReentrant {
        _requireListed(market_);
        Settlement.sweepFees($, _context(), market_);
    }

    /// @inheritdoc IMarginVault
    function sweepInterest() external nonReentrant {
        Settlement.sweepInterest($, _context());
    }

    /// @inheritdoc IMarginVault
    function refreshCapital() external nonReentrant {
        PoolValue.refreshCapital($, _context());
    }

    // ------------------------------------------------------------------ liquidation

    /// @inheritdoc IMarginVault
    function liquidatePosition(
        AccountId account,
        MarketId market_,
        uint256 maxSizeWad,
        AccountId taker
    ) external nonReentrant {
        _requireListed(market_);
        Context memory context = _context();
        if (taker != context.pool) _authorize(taker);
        PartialLiquidation.liquidatePosition($, context, account, market_, maxSizeWad, taker);
    }

    /// @inheritdoc IMarginVault
    function liquidateCollateral(
        AccountId account,
        address token,
        uint256 maxAmount,
        AccountId taker
    ) external nonReentrant {
        _authorize(taker);
        CollateralSale.liquidateCollateral($, _context(), account, _collateralIndex(token), maxAmount, taker);
    }

    /// @inheritdoc IMarginVault
    function absorb(AccountId[] calldata accounts, AccountId rewardTo) external nonReentrant {
        Waterfall.absorb($, _context(), accounts, rewardTo);
    }

    /// @inheritdoc IMarginVault
    function cover() external nonReentrant {
        Settlement.cover($, _context());
    }

    /// @inheritdoc IMarginVault
    function resolvePool() external nonReentrant {
        PoolResolution.resolvePool($, _context());
    }

    /// @inheritdoc IMarginVault
    function buyCollateral(AccountId buyer, address token, uint256 amount, uint256 maxCostWad) external nonReentrant {
        _authorize(buyer);
        CollateralSale.buyCollateral($, _context(), buyer, _collateralIndex(token), amount, maxCostWad);
    }

    // ------------------------------------------------------------------ administration

    /// @inheritdoc IMarginVault
    function listMarket(MarketParameters calldata parameters) external restricted nonReentrant returns (MarketId id) {
        uint256 reserve;
        (id, reserve) = Administration.listMarket($, _context(), parameters);
        _pull(settlementToken, reserve);
    }

    /// @inheritdoc IMarginVault
    function setMarketParameters(MarketId id, MarketParameters calldata parameters) external restricted {
        Administration.setMarketParameters($, _context(), id, parameters);
    }

    /// @inheritdoc IMarginVault
    function announceDelisting(MarketId id, uint256 due, uint256 finalPriceWad) external restricted {
        _requireListed(id);
        Delisting.announce($, _context(), id, due, finalPriceWad);
    }

    /// @inheritdoc IMarginVault
    function delist(MarketId id) external nonReentrant {
        Delisting.delist($, _context(), id);
    }

    /// @inheritdoc IMarginVault
    function listCollateral(
        address token,
        CollateralParameters calldata parameters
    ) external restricted returns (uint256) {
        return Administration.listCollateral($, _context(), settlementToken, token, parameters);
    }

    /// @inheritdoc IMarginVault
    function setCollateralParameters(address token, CollateralParameters calldata parameters) external restricted {
        Administration.setCollateralParameters($, _context(), token, parameters);
    }

    /// @inheritdoc IMarginVault
    function setAccountParameters(AccountParameters calldata parameters) external restricted {
        Administration.setAccountParameters($, parameters);
    }

    /// @inheritdoc IMarginVault
    function setCashParameters(CashParameters calldata parameters) external restricted {
        Administration.setCashParameters($, _context(), parameters);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IMarginVault
    function health(AccountId account) external view returns (Health memory) {
        return Views.health($, _context(), account);
    }

    /// @inheritdoc IMarginVault
    function healths(AccountId[] calldata accounts) external view returns (Health[] memory answer) {
        return Views.healths($, _context(), accounts);
    }

    /// @inheritdoc IMarginVault
    function position(AccountId account, MarketId market_) external view returns (PositionView memory) {
        _requireListed(market_);
        return Views.position($, _context(), account, market_);
    }

    /// @inheritdoc IMarginVault
    function cash(AccountId account) external view returns (int256) {
        return Ledger.load($, _context(), account).cash();
    }

    /// @inheritdoc IMarginVault
    function collateral(AccountId account, address token) external view returns (uint256) {
        return $.collateralOf[account][_collateralIndex(token)];
    }

    /// @inheritdoc IMarginVault
    function accountWord(AccountId account) external view returns (AccountWord) {
        return $.accounts[account];
    }

    /// @inheritdoc IMarginVault
    function market(MarketId id) external view returns (MarketView memory) {
        _requireListed(id);
        Market storage m = $.markets[id];
        return
            MarketView(
                m.state,
                m.totals,
                m.risk,
                m.terms,
                m.discount,
                $.positions[poolAccount()][id],
                m.longSide,
                m.shortSide,
                m.epochs
            );
    }

    /// @inheritdoc IMarginVault
    function cashView() external view returns (CashView memory) {
        return
            CashView($.cashIndices, $.cashTotals, $.cashTerms, $.poolLosses, $.writeOffs, $.interestUnswept, $.badDebt);
    }

    /// @inheritdoc IMarginVault
    function epochEnd(MarketId id, bool long, uint256 epoch) external view returns (SideWord) {
        return $.markets[id].ends[Sides.endKey(long, epoch)];
    }

    /// @inheritdoc IMarginVault
    function accountRisk() external view returns (AccountRisk) {
        return $.accountRisk;
    }

    /// @inheritdoc IMarginVault
    function capital() external view returns (Capital) {
        return $.capital;
    }

    /// @inheritdoc IMarginVault
    function collateralAt(
        uint256 index
    ) external view returns (address token, Collateral word, DiscountTerms discount) {
        return ($.collateralTokens[index], $.collaterals[index], $.collateralDiscounts[index]);
    }

    /// @inheritdoc IMarginVault
    function totals() external view returns (uint256 markets, uint256 collaterals, uint256 cashHeld) {
        return ($.marketCount, $.collateralCount, $.cashHeld);
    }

    /// @inheritdoc IMarginVault
    function poolValue() external view returns (int256 valueWad, uint256 bandWad, uint256 haircutWad, bool fresh) {
        return PoolValue.read($, _context());
    }

    /// @inheritdoc IMarginVault
    function previewLiquidation(
        AccountId account,
        MarketId market_,
        uint256 maxSizeWad,
        AccountId taker
    ) external view returns (LiquidationPreview memory) {
        _requireListed(market_);
        return PartialLiquidation.previewLiquidation($, _context(), account, market_, maxSizeWad, taker);
    }

    /// @inheritdoc IMarginVault
    function previewBuyCollateral(address token, uint256 amount) external view returns (uint256 costWad) {
        return CollateralSale.previewBuyCollateral($, _context(), _collateralIndex(token), amount);
    }

    /// @inheritdoc IMarginVault
    function previewAbsorb(AccountId account) external view returns (AbsorbPreview memory) {
        return Waterfall.previewAbsorb($, _context(), account);
    }

    /// @inheritdoc IMarginVault
    function poolAccount() public view returns (AccountId) {
        return accountIdOf(address(pool), 0);
    }

    /// @inheritdoc IMarginVault
    function insuranceAccount() public view returns (AccountId) {
        return accountIdOf(address(this), 0);
    }

    // ------------------------------------------------------------------ shared

    function _authorize(AccountId account) private view {
        require(msg.sender == account.owner(), NotAuthorized(account, msg.sender));
    }

    function _requireListed(MarketId id) private view {
        require(MarketId.unwrap(id) < $.marketCount, UnknownMarket(id));
    }

    function _collateralIndex(address token) private view returns (uint256) {
        uint256 indexPlusOne = $.collateralIndexes[token];
        require(indexPlusOne != 0, UnknownToken(token));
        return indexPlusOne - 1;
    }

    function _context() private view returns (Context memory) {
        return Context(oracle, poolAccount(), insuranceAccount(), settlementToken, _cashUnit, CashBook.open($));
    }
}
