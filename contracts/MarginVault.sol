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
    Health,
    LiquidationPreview,
    MarketView,
    PositionView
} from "./interfaces/IMarginVault.sol";
import {IPriceOracle} from "./interfaces/IPriceOracle.sol";
import {Administration} from "./libraries/Administration.sol";
import {CollateralSale} from "./libraries/CollateralSale.sol";
import {Deal, Deals} from "./libraries/Deals.sol";
import {FixedPoint, WAD} from "./libraries/FixedPoint.sol";
import {Ledger} from "./libraries/Ledger.sol";
import {Margin, Sums} from "./libraries/Margin.sol";
import {PartialLiquidation} from "./libraries/PartialLiquidation.sol";
import {PoolValue} from "./libraries/PoolValue.sol";
import {Waterfall} from "./libraries/Waterfall.sol";
import {LiquidityPool} from "./pool/LiquidityPool.sol";
import {AccountId, accountIdOf} from "./types/AccountId.sol";
import {AccountWord, MODE_CROSS, MODE_ISOLATED} from "./types/AccountWord.sol";
import {AssetSet, MarketId, collateralAsset, marketAsset, onlyAsset} from "./types/AssetSet.sol";
import {DiscountTerms, MarketParameters, MarketTotals, toMarketTotals} from "./types/MarketWords.sol";
import {Price} from "./types/Price.sol";
import {Constants, Market, VaultStorage} from "./types/VaultStorage.sol";
import {AccountParameters, AccountRisk, Capital, Collateral, CollateralParameters} from "./types/VaultWords.sol";

/// @title Ballast's margin vault
/// @notice The story. Each entry point is one recipe: authority, time passes, effects, checks that need the new state, event, and the token
/// moves last. Custody, trade and settle stand here; liquidation and administration in libraries linked to it.
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
        pool = new LiquidityPool(IERC20(settlementToken_), poolLockSeconds);
    }

    // ------------------------------------------------------------------ custody

    /// @inheritdoc IMarginVault
    function deposit(AccountId account, address token, uint256 amount) external nonReentrant {
        require(amount != 0, ZeroAmount());
        if (token == settlementToken) {
            $.cashHeld += _toUint128(amount);
        } else {
            uint256 index = _collateralIndex(token);
            Collateral collateral_ = $.collaterals[index];
            uint256 total = collateral_.held() + _toUint128(amount);
            require(total <= collateral_.depositCap(), DepositCapExceeded(token, total, collateral_.depositCap()));
            $.collaterals[index] = collateral_.withHeld(total);
        }
        _credit(account, token, amount);
        emit Deposited(account, token, msg.sender, amount);
        _pull(token, amount);
    }

    /// @inheritdoc IMarginVault
    function withdraw(AccountId account, address token, uint256 amount, address to) external nonReentrant {
        _authorize(account);
        require(amount != 0, ZeroAmount());
        if (token == settlementToken) {
            require(amount <= $.cashHeld, InsufficientCashHeld(amount, $.cashHeld));
            $.cashHeld -= _toUint128(amount);
            _debit(account, token, amount);
        } else {
            _debit(account, token, amount); // refuses more than the account holds, and with it more than is held
            uint256 index = _collateralIndex(token);
            $.collaterals[index] = $.collaterals[index].withHeld($.collaterals[index].held() - amount);
        }
        emit Withdrawn(account, token, to, amount);
        _push(token, to, amount);
    }

    /// @inheritdoc IMarginVault
    function transfer(AccountId from, AccountId to, address token, uint256 amount) external nonReentrant {
        _authorize(from);
        require(amount != 0, ZeroAmount());
        _debit(from, token, amount);
        _credit(to, token, amount);
        emit Transferred(from, to, token, amount);
    }

    /// @inheritdoc IMarginVault
    function setMode(AccountId account, uint256 mode) external nonReentrant {
        _authorize(account);
        require(mode == MODE_CROSS || mode == MODE_ISOLATED, UnknownMode(mode));
        AccountWord word = $.accounts[account];
        require(word.marketBits() == 0, ModeNeedsNoPosition(account));
        Ledger.saveAccount($, account, word.withMode(mode));
    }

    /// @dev Adds an amount (raw) of a token to an account's books.
    function _credit(AccountId account, address token, uint256 amount) private {
        AccountWord word = $.accounts[account];
        if (msg.sender != account.owner()) _requireStrangerMayDeposit(account, word, token, amount);
        if (token == settlementToken) {
            word = word.withPrincipal(word.principal() + _cashWad(amount));
        } else {
            uint256 index = _collateralIndex(token);
            // At maintenance what an account holds counts at its last good price: a dead one must not be brought in to shield it.
            Price price = oracle.lastPrices(onlyAsset(collateralAsset(index)))[0];
            require(price.isFresh(), StaleCollateralPrice(token, price.publishedAt(), price.maxAge()));
            word = Ledger.saveCollateral($, account, word, index, $.collateralOf[account][index] + amount);
            if (account != poolAccount()) Ledger.requireFewAssets(account, word);
        }
        Ledger.saveAccount($, account, word);
    }

    /// @dev Takes an amount (raw) of a token off an account's books, as far as its free margin goes.
    function _debit(AccountId account, address token, uint256 amount) private {
        AccountWord word = $.accounts[account];
        if (token == settlementToken) {
            word = word.withPrincipal(word.principal() - _cashWad(amount));
            if (account != poolAccount()) Ledger.requireDebtAboveMinimum(account, word, $.accountRisk);
        } else {
            uint256 index = _collateralIndex(token);
            uint256 balance = $.collateralOf[account][index];
            require(amount <= balance, InsufficientBalance(account, token, amount, balance));
            word = Ledger.saveCollateral($, account, word, index, balance - amount);
        }
        Ledger.saveAccount($, account, word);
        if (word.marketBits() != 0 || word.principal() < 0) _health(account, word).requireInitialMargin(account);
    }

    /// @dev A stranger's deposit must be worth something and bring no new kind of asset, or it could be used to burden the account. The
    /// pool takes none: it is entered through its shares.
    function _requireStrangerMayDeposit(
        AccountId account,
        AccountWord word,
        address token,
        uint256 amount
    ) private view {
        uint256 value = amount * _cashUnit;
        bool held = true;
        if (token != settlementToken) {
            uint256 index = _collateralIndex(token);
            uint256 asset = collateralAsset(index);
            held = word.assets().contains(asset);
            value = Margin.collateralValueDown($.collaterals[index], amount, oracle.lastPrices(onlyAsset(asset))[0]);
        }
        uint256 minimum = $.accountRisk.minimumDebt();
        bool welcome = held && value >= minimum && account != poolAccount();
        require(welcome, StrangerDeposit(account, token, value, minimum));
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

        AccountWord word = $.accounts[account];
        AssetSet assets = Ledger.assetsWith(word, market_);
        Price[] memory prices = oracle.lastPrices(assets);
        Price price = prices[assets.rank(marketAsset(market_))];
        require(price.isFresh(), StaleMarketPrice(market_, price.publishedAt(), price.maxAge()));

        Constants memory constants = _constants();
        Deal memory deal;
        deal.load($, constants, account, word, $.accounts[constants.pool], market_, price);
        Sums memory others = Margin.collect($, account, word, assets, prices, false, marketAsset(market_));
        int256 sizeBefore = deal.size();
        bool grows = !sizeBefore.opposes(sizeDeltaWad) || sizeDeltaWad.abs() > sizeBefore.abs();
        Health memory before;
        if (!grows) before = _healthWith(others, deal);

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
        Deals.store($, constants, deal);
        Deals.saveWords($, constants, deal);

        Health memory afterwards = _healthWith(others, deal);
        if (grows) {
            _requireOpeningAllowed(deal, sizeAfter > 0);
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
        return Margin.total(sums, deal.accountWord.principal(), $.accountRisk);
    }

    function _requireWithinLimit(int256 sizeDeltaWad, uint256 fillPriceWad, uint256 limitPriceWad) private pure {
        bool within =
            limitPriceWad == 0 || (sizeDeltaWad > 0 ? fillPriceWad <= limitPriceWad : fillPriceWad >= limitPriceWad);
        require(within, LimitExceeded(fillPriceWad, limitPriceWad));
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
        uint256 needed = openInterest.mulDivUp(deal.venue.priceWad, WAD).mulDivUp(deal.risk.initialBase(), WAD);
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
        AccountWord word = $.accounts[account];
        Constants memory constants = _constants();
        bool exists = word.assets().contains(marketAsset(market_)) && account != constants.pool;
        require(exists, NoPosition(account, market_));
        Price price = oracle.lastPrices(onlyAsset(marketAsset(market_)))[0];
        require(price.isFresh(), StaleMarketPrice(market_, price.publishedAt(), price.maxAge()));

        Deal memory deal;
        deal.load($, constants, account, word, $.accounts[constants.pool], market_, price);
        int256 realizedWad = deal.settle();
        Deals.store($, constants, deal);
        Deals.saveWords($, constants, deal);
        emit Settled(account, market_, realizedWad);
    }

    /// @inheritdoc IMarginVault
    function sweepFees(MarketId market_) external nonReentrant {
        _requireListed(market_);
        Market storage m = $.markets[market_];
        MarketTotals swept = m.totals;
        uint256 amountWad = swept.feesUnsweptWad();
        require(amountWad != 0, ZeroAmount());
        m.totals = toMarketTotals(swept.longShares(), swept.shortShares(), 0);
        Ledger.addCash($, insuranceAccount(), int256(amountWad));
        emit MarketChanged(market_, m.state, m.totals, $.positions[poolAccount()][market_]);
        emit FeesSwept(market_, amountWad);
    }

    /// @inheritdoc IMarginVault
    function refreshCapital() external nonReentrant {
        PoolValue.refreshCapital($, _constants());
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
        Constants memory constants = _constants();
        if (taker != constants.pool) _authorize(taker);
        PartialLiquidation.liquidatePosition($, constants, account, market_, maxSizeWad, taker);
    }

    /// @inheritdoc IMarginVault
    function liquidateCollateral(
        AccountId account,
        address token,
        uint256 maxAmount,
        AccountId taker
    ) external nonReentrant {
        _authorize(taker);
        CollateralSale.liquidateCollateral($, _constants(), account, _collateralIndex(token), maxAmount, taker);
    }

    /// @inheritdoc IMarginVault
    function absorb(AccountId[] calldata accounts, AccountId rewardTo) external nonReentrant {
        Waterfall.absorb($, _constants(), accounts, rewardTo);
    }

    /// @inheritdoc IMarginVault
    function buyCollateral(AccountId buyer, address token, uint256 amount, uint256 maxCostWad) external nonReentrant {
        _authorize(buyer);
        CollateralSale.buyCollateral($, _constants(), buyer, _collateralIndex(token), amount, maxCostWad);
    }

    // ------------------------------------------------------------------ administration

    /// @inheritdoc IMarginVault
    function listMarket(MarketParameters calldata parameters) external restricted nonReentrant returns (MarketId id) {
        id = Administration.listMarket($, _constants(), parameters);
        // One quote unit covers the dust that rounding for the vault cannot: long and short size may differ by a few wei.
        uint256 reserve = WAD / _cashUnit;
        $.cashHeld += _toUint128(reserve);
        emit ReservePaid(id, reserve);
        _pull(settlementToken, reserve);
    }

    /// @inheritdoc IMarginVault
    function setMarketParameters(MarketId id, MarketParameters calldata parameters) external restricted {
        Administration.setMarketParameters($, _constants(), id, parameters);
    }

    /// @inheritdoc IMarginVault
    function listCollateral(
        address token,
        CollateralParameters calldata parameters
    ) external restricted returns (uint256) {
        return Administration.listCollateral($, _constants(), settlementToken, token, parameters);
    }

    /// @inheritdoc IMarginVault
    function setCollateralParameters(address token, CollateralParameters calldata parameters) external restricted {
        Administration.setCollateralParameters($, _constants(), token, parameters);
    }

    /// @inheritdoc IMarginVault
    function setAccountParameters(AccountParameters calldata parameters) external restricted {
        Administration.setAccountParameters($, parameters);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IMarginVault
    function health(AccountId account) external view returns (Health memory) {
        return _health(account, $.accounts[account]);
    }

    /// @inheritdoc IMarginVault
    function healths(AccountId[] calldata accounts) external view returns (Health[] memory answer) {
        AssetSet assets;
        for (uint256 i; i < accounts.length; ++i) assets = assets | $.accounts[accounts[i]].assets();
        Price[] memory prices = oracle.lastPrices(assets);
        answer = new Health[](accounts.length);
        for (uint256 i; i < accounts.length; ++i) {
            answer[i] = _healthAt(accounts[i], $.accounts[accounts[i]], assets, prices);
        }
    }

    /// @inheritdoc IMarginVault
    function position(AccountId account, MarketId market_) external view returns (PositionView memory) {
        _requireListed(market_);
        Price price = oracle.lastPrices(onlyAsset(marketAsset(market_)))[0];
        AccountWord none;
        Deal memory deal;
        deal.load($, _constants(), account, none, none, market_, price);
        int256 sizeWad = deal.size();
        return
            PositionView(
                deal.book.accountSharesWad,
                deal.book.accountCostWad,
                sizeWad,
                deal.value(),
                sizeWad.abs().mulDivUp(price.value(), WAD),
                $.positions[account][market_].epoch()
            );
    }

    /// @inheritdoc IMarginVault
    function cash(AccountId account) external view returns (int256) {
        return $.accounts[account].principal();
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
        return MarketView(m.state, m.totals, m.risk, m.terms, m.discount, $.positions[poolAccount()][id]);
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
        return PoolValue.read($, _constants());
    }

    /// @inheritdoc IMarginVault
    function previewLiquidation(
        AccountId account,
        MarketId market_,
        uint256 maxSizeWad,
        AccountId taker
    ) external view returns (LiquidationPreview memory) {
        _requireListed(market_);
        return PartialLiquidation.previewLiquidation($, _constants(), account, market_, maxSizeWad, taker);
    }

    /// @inheritdoc IMarginVault
    function previewBuyCollateral(address token, uint256 amount) external view returns (uint256 costWad) {
        return CollateralSale.previewBuyCollateral($, _constants(), _collateralIndex(token), amount);
    }

    /// @inheritdoc IMarginVault
    function previewAbsorb(AccountId account) external view returns (AbsorbPreview memory) {
        return Waterfall.previewAbsorb($, _constants(), account);
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

    function _health(AccountId account, AccountWord word) private view returns (Health memory) {
        return _healthAt(account, word, word.assets(), oracle.lastPrices(word.assets()));
    }

    function _healthAt(
        AccountId account,
        AccountWord word,
        AssetSet assets,
        Price[] memory prices
    ) private view returns (Health memory) {
        bool isPool = account == poolAccount();
        Sums memory sums = Margin.collect($, account, word, assets, prices, isPool, Margin.NO_ASSET);
        return Margin.total(sums, word.principal(), $.accountRisk);
    }

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

    function _constants() private view returns (Constants memory) {
        return Constants(oracle, poolAccount(), insuranceAccount());
    }

    /// @dev An amount (raw) of cash in wad. Within 128 bits before the cast: beyond it would turn its sign, and a transfer take from its
    /// receiver.
    function _cashWad(uint256 amount) private view returns (int256) {
        return int256(_toUint128(amount) * _cashUnit);
    }

    function _toUint128(uint256 amount) private pure returns (uint128) {
        require(amount >> 128 == 0, AmountTooLarge(amount));
        return uint128(amount);
    }
}
